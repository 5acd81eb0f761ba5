"""Whisper on CTranslate2 (extra ``whisper``): fast on a CPU, word times from cross-attention."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from faster_whisper import WhisperModel

from lyricsyncd.errors import ModelError
from lyricsyncd.model import Word
from lyricsyncd.registry import ModelContext

DEFAULT = "base"
LATE = 0.12
"""Seconds that its word starts are early on sung words, measured on songs; added."""
LOOPS = 2.4
"""Compression ratio above which a segment is the recogniser repeating itself."""
_MOST_TOKENS = 200
"""For half a minute: more than can be sung in it, and fewer than a loop would write."""


class FasterWhisper:
    """A Whisper model, which stays loaded.

    Parameters
    ----------
    model : str
        A size (``base``, ``small`` …), looked for in ``models_dir`` first and fetched from the hub
        otherwise, or the path of a folder with a converted model.
    device : str
        ``auto``, ``cpu`` or ``cuda[:N]``.

    Raises
    ------
    ModelError
        The model is not there and could not be fetched, or the device is not there.
    """

    name = "faster-whisper"

    def __init__(
        self, model: str = "", device: str = "auto", models_dir: Path | None = None
    ) -> None:
        model = model or DEFAULT
        own = models_dir / f"faster-whisper-{model}" if models_dir is not None else None
        where = str(own) if own is not None and own.is_dir() else model
        kind, _, index = device.partition(":")
        try:
            self._model = WhisperModel(
                where,
                device=kind,
                device_index=int(index or 0),
                compute_type="int8" if kind == "cpu" else "auto",
            )
        except (ValueError, RuntimeError, OSError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ModelError(
                f"The whisper model '{model}' cannot be opened: {reason}",
                remedy=f"Put a converted model into {own or 'a folder and name that'}",
            ) from error

    def transcribe(self, audio: npt.NDArray[np.float32], language: str | None) -> list[Word]:
        """Recognise words with times and confidences in mono audio at 16 kHz."""
        # Greedy and without the text so far, so that one wrong line does not mislead the next. One
        # try per window: further ones are sampled at random, take as long each, and hallucinate.
        segments, _ = self._model.transcribe(
            audio,
            language=language if language in self._model.supported_languages else None,
            word_timestamps=True,
            beam_size=1,
            condition_on_previous_text=False,
            temperature=0.0,
            max_new_tokens=_MOST_TOKENS,
        )
        return [
            Word(
                word.word.strip(),
                float(word.start) + LATE,
                float(word.end) + LATE,
                float(word.probability),
            )
            for segment in segments
            if segment.compression_ratio <= LOOPS
            for word in segment.words or ()
            if word.word.strip()
        ]


def open_faster_whisper(context: ModelContext) -> FasterWhisper:
    """Open the recogniser for `lyricsyncd.registry`; raises as the class."""
    return FasterWhisper(context.model, context.device, context.models_dir)
