"""Whisper on transformers (extra ``models``), word times from cross-attention."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lyricsyncd import torch_device
from lyricsyncd.hub import found, loaded
from lyricsyncd.model import Word

DEFAULT = "openai/whisper-large-v3-turbo"
_CHUNK_S = 30.0


class Whisper:
    """A Whisper model behind the speech-recognition pipeline of transformers, kept warm.

    Parameters
    ----------
    model : str
        A name on the hub, or a folder; see `lyricsyncd.hub.found`.
    device : str
        ``auto``, ``cpu`` or ``cuda[:N]``.

    Raises
    ------
    ModelError
        transformers is not installed, the model is not to be had, or the device is not there.
    """

    name = "whisper"

    def __init__(self, model: str, device: str = "auto", models_dir: Path | None = None) -> None:
        model = DEFAULT if model in ("", "default", "base") else model
        where = torch_device.resolve(device)
        with loaded(model, models_dir, extra="models"):
            from transformers import pipeline

            self._pipeline: Any = pipeline(
                "automatic-speech-recognition",
                model=found(model, models_dir),
                device=where,
                dtype=torch_device.half_precision(where),
            )

    def transcribe(self, audio: npt.NDArray[np.float32], language: str | None) -> list[Word]:
        """Words with times, from mono audio at 16 kHz. The pipeline gives no confidences."""
        options: dict[str, Any] = {"task": "transcribe"}
        if language:
            options["language"] = language
        told = self._pipeline(
            {"raw": audio, "sampling_rate": 16_000},
            return_timestamps="word",
            chunk_length_s=_CHUNK_S,
            generate_kwargs=options,
        )
        return words(told.get("chunks") or ())


def words(chunks: Sequence[dict[str, Any]]) -> list[Word]:
    """The pipeline's chunks as words; a last one may lack its end."""
    result: list[Word] = []
    for chunk in chunks:
        text = str(chunk["text"]).strip()
        start, end = chunk["timestamp"]
        if text and start is not None:
            start = float(start)
            result.append(Word(text, start, max(start, float(end if end is not None else start))))
    return result
