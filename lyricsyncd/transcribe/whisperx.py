"""WhisperX (extra ``whisperx``): its voice activity detection and batched Whisper, and, where its
alignment model is to be had, its alignment.

WhisperX pins an older torch than the other back-ends need; it lives in an environment of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lyricsyncd import torch_device
from lyricsyncd.hub import loaded
from lyricsyncd.model import Word

_BATCH = 8


class WhisperX:
    """WhisperX with its models kept warm.

    Parameters
    ----------
    model : str
        A size of faster-whisper, looked for in ``models_dir`` as ``faster-whisper-SIZE`` first,
        or a folder with a CTranslate2 model.
    device : str
        ``auto``, ``cpu`` or ``cuda[:N]``.

    Raises
    ------
    ModelError
        whisperx is not installed, the model is not to be had, or the device is not there.
    """

    name = "whisperx"

    def __init__(self, model: str, device: str = "auto", models_dir: Path | None = None) -> None:
        own = models_dir / f"faster-whisper-{model}" if models_dir is not None else None
        self._where = str(own) if own is not None and own.is_dir() else model
        self._models_dir = models_dir
        where = torch_device.resolve(device)
        self._device, self._index = where.type, where.index or 0
        with loaded(model, models_dir, extra="whisperx"):
            import whisperx

            self._whisperx: Any = whisperx
            self._model: Any = whisperx.load_model(
                self._where,
                device=self._device,
                device_index=self._index,
                compute_type="int8" if self._device == "cpu" else "float16",
                vad_method="pyannote",
            )
        self._aligners: dict[str, Any] = {}

    def transcribe(self, audio: npt.NDArray[np.float32], language: str | None) -> list[Word]:
        """Words with times and confidences, from mono audio at 16 kHz.

        Raises
        ------
        ModelError
            The alignment model of the language is not to be had.
        """
        told = self._model.transcribe(audio, batch_size=_BATCH, language=language)
        spoken = language or told["language"]
        segments = told["segments"]
        if not segments:
            return []
        model, metadata = self._aligner(spoken)
        with loaded(f"whisperx alignment ({spoken})", self._models_dir, extra="whisperx"):
            aligned = self._whisperx.align(segments, model, metadata, audio, self._device)
        return words(aligned["word_segments"])

    def _aligner(self, language: str) -> Any:
        if language not in self._aligners:
            own = (self._models_dir or Path("nowhere")) / f"whisperx-align-{language}"
            with loaded(own.name, self._models_dir, extra="whisperx"):
                self._aligners[language] = self._whisperx.load_align_model(
                    language, self._device, model_name=str(own) if own.is_dir() else None
                )
        return self._aligners[language]


def words(segments: Sequence[dict[str, Any]]) -> list[Word]:
    """WhisperX's words, but for those that it could not align (a number, say)."""
    return [
        Word(
            str(segment["word"]).strip(),
            float(segment["start"]),
            float(segment.get("end", segment["start"])),
            float(segment["score"]) if "score" in segment else None,
        )
        for segment in segments
        if "start" in segment and str(segment["word"]).strip()
    ]
