"""Recognise the words of songs: one file per recogniser.

The words of a song are nearly always known; a transcript is a second estimate of where they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lyricsyncd.model import Word
from lyricsyncd.registry import NO_SETTINGS, ModelContext, PluginSettings, recognisers

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Transcriber", "Transcript", "open_transcriber", "transcribe_vocals"]

SAMPLE_RATE = 16_000


@dataclass(frozen=True, slots=True)
class Transcript:
    """The words that a recogniser recognised in a song."""

    words: tuple[Word, ...]
    """In order, with starts and ends in seconds and, where the recogniser has them, confidences."""
    backend: str
    language: str | None = None
    """ISO 639-1, where the caller named it."""

    @property
    def text(self) -> str:
        """The words in one line."""
        return " ".join(word.text for word in self.words)


class Transcriber(Protocol):
    """A recogniser with a loaded model."""

    @property
    def name(self) -> str:
        """The name in the configuration and in reports."""
        ...

    def transcribe(self, audio: npt.NDArray[np.float32], language: str | None) -> list[Word]:
        """Recognise words with times and confidences in mono audio at `SAMPLE_RATE`."""
        ...


def open_transcriber(
    backend: str,
    model: str = "",
    device: str = "auto",
    models_dir: Path | None = None,
    plugins: PluginSettings = NO_SETTINGS,
) -> Transcriber:
    """Open a recogniser and load its model.

    Parameters
    ----------
    backend : str
        A name of `lyricsyncd.registry.recognisers`; those of other packages come from the entry
        point group ``lyricsyncd.transcribers``, each a callable ``ModelContext -> Transcriber``.
    model : str
        What the backend calls the model, or the path of a folder that holds it; by default the
        backend's own choice.

    Raises
    ------
    UsageError
        There is no such backend.
    ModelError
        The backend is not installed, or its model is not there.
    """
    context = ModelContext(device, models_dir, model=model, settings=plugins.get(backend, {}))
    return recognisers.open(backend, context)


def transcribe_vocals(
    vocals: npt.NDArray[np.float32],
    sr: int = SAMPLE_RATE,
    backend: str = "faster-whisper",
    *,
    model: str = "",
    language: str | None = None,
    device: str = "auto",
    models_dir: Path | None = None,
) -> Transcript:
    """Recognise the words of separated vocals.

    Loads the model for this one call; `open_transcriber` returns one to use again.

    Parameters
    ----------
    vocals : ndarray of float32, shape (n,) or (n, channels)
        Full scale ±1; channels are mixed down.
    sr : int
        Their sample rate in Hz; other rates than 16,000 are resampled.
    backend : str
        A name of `lyricsyncd.registry.recognisers`: ``faster-whisper``, ``whisperx``, ``whisper``,
        ``granite`` … Each comes with an extra of its own.
    model : str
        What the back end calls the model, or the path of a folder that holds it.
    language : str, optional
        ISO 639-1; detected where omitted.
    device : str
        ``auto``, ``cpu`` or ``cuda[:N]``.
    models_dir : Path, optional
        Where models are looked for first; by default where the user's settings say
        (`lyricsyncd.config.reader.load`).

    Returns
    -------
    Transcript

    Raises
    ------
    ValueError
        The vocals have another shape.
    UsageError
        There is no such back end.
    ModelError
        The back end is not installed, its model cannot be had, or the device is not there.

    Examples
    --------
    >>> transcript = transcribe_vocals(vocals, sr=16_000, backend="whisperx")  # doctest: +SKIP
    >>> transcript.words[0]  # doctest: +SKIP
    Word(text='Twinkle', start=5.31, end=6.02, confidence=0.93, space=True)
    """
    from lyricsyncd.audio import mono

    audio = mono(vocals)
    if sr != SAMPLE_RATE:
        import soxr

        audio = soxr.resample(audio, sr, SAMPLE_RATE)
    if models_dir is None:
        from lyricsyncd.config.paths import models_dir as folder_of
        from lyricsyncd.config.reader import load

        models_dir = folder_of(load().models.dir)
    words = open_transcriber(backend, model, device, models_dir).transcribe(audio, language)
    return Transcript(tuple(words), backend, language)
