"""What somebody sings, heard without being told: one file a recogniser.

The words of a song are nearly always known; transcription is a second opinion on where they are.
"""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lyricsyncd.errors import ModelError, UsageError
from lyricsyncd.model import Word

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Transcriber", "names", "open_transcriber", "transcribe_vocals"]

SAMPLE_RATE = 16_000

ENTRY_POINTS = "lyricsyncd.transcribers"

_OPENERS = {
    "faster-whisper": "lyricsyncd.transcribe.faster_whisper:FasterWhisper",
    "whisperx": "lyricsyncd.transcribe.whisperx:WhisperX",
    "whisper": "lyricsyncd.transcribe.whisper:Whisper",
    "granite": "lyricsyncd.transcribe.granite:Granite",
}
_EXTRAS = {"faster-whisper": "whisper", "whisper": "models"}
"""The extra a back-end comes with, where that is not called as it is."""


class Transcriber(Protocol):
    """A recogniser with a warm model."""

    @property
    def name(self) -> str:
        """As in the configuration and in reports."""
        ...

    def transcribe(self, audio: npt.NDArray[np.float32], language: str | None) -> list[Word]:
        """Words with times and confidences, from mono audio at `SAMPLE_RATE`."""
        ...


def names() -> tuple[str, ...]:
    """Recognisers that can be asked for; those of other packages come from the entry point group
    ``lyricsyncd.transcribers``, each a callable ``(model, device, models_dir) -> Transcriber``."""
    return (*_OPENERS, *sorted(entry_points(group=ENTRY_POINTS).names))


def open_transcriber(
    backend: str, model: str = "base", device: str = "auto", models_dir: Path | None = None
) -> Transcriber:
    """A recogniser, its model loaded.

    Parameters
    ----------
    backend : str
        One of `names`.
    model : str
        What the backend calls the model, or the path of a folder that holds it.

    Raises
    ------
    UsageError
        There is no such backend.
    ModelError
        The backend is not installed, or its model is not there.
    """
    for entry in entry_points(group=ENTRY_POINTS, name=backend):
        try:
            plugin: Transcriber = entry.load()(model, device, models_dir)
        except ImportError as error:
            raise ModelError(
                f"The transcriber {backend} ({entry.value}) cannot be loaded: {error}",
                remedy="Update or remove the package it comes from",
            ) from error
        return plugin
    if backend not in _OPENERS:
        raise UsageError(
            f"There is no transcriber '{backend}'", remedy=f"There are: {', '.join(names())}"
        )
    module, opener = _OPENERS[backend].split(":")
    try:
        found = importlib.import_module(module)
        transcriber: Transcriber = getattr(found, opener)(model, device, models_dir)
    except ImportError as error:
        raise ModelError(
            f"The transcriber {backend} is not installed: {error}",
            remedy=f'Install it with: pip install "lyricsyncd[{_EXTRAS.get(backend, backend)}]"',
        ) from error
    return transcriber


def transcribe_vocals(
    audio: npt.NDArray[np.float32],
    *,
    sr: int,
    backend: str = "faster-whisper",
    model: str = "base",
    language: str | None = None,
    device: str = "auto",
) -> list[Word]:
    """Hear the words of separated vocals.

    Parameters
    ----------
    audio : ndarray of float32, shape (n,)
        Mono vocals.
    sr : int
        Their sample rate in Hz.

    Returns
    -------
    list of Word
        In order, with starts, ends and confidences. Raises as `open_transcriber`.
    """
    if sr != SAMPLE_RATE:
        import soxr

        audio = soxr.resample(audio, sr, SAMPLE_RATE)
    return open_transcriber(backend, model, device).transcribe(audio, language)
