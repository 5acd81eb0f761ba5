"""WhisperX (extra ``whisperx``): its voice activity detection, batched Whisper and alignment.

WhisperX pins an older torch than the other back ends need: install it in an environment of its own.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.acoustic_models import WAV2VEC2
from lyricsyncd.model import Word
from lyricsyncd.models import torch_device
from lyricsyncd.models.hub import loading, resolve_reachable
from lyricsyncd.registry import ModelContext, recognisers

DEFAULT = "base"
_BATCH = 8


class WhisperX:
    """WhisperX, whose models stay loaded.

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
        whisperx is not installed, the model cannot be had, or the device is not there.
    """

    name = "whisperx"

    def __init__(
        self, model: str = "", device: str = "auto", models_dir: Path | None = None
    ) -> None:
        model = model or DEFAULT
        name = model if Path(model).is_dir() else f"Systran/faster-whisper-{model}"
        self._models_dir = models_dir
        with loading(
            name, models_dir, extra=recognisers.entry("whisperx").extra, files=_CTRANSLATE2
        ):
            import whisperx

            own, where = resolve_reachable(name, models_dir), torch_device.resolve(device)
            self._device, self._index = where.type, where.index or 0
            self._whisperx: Any = whisperx
            with _silent():
                self._model: Any = whisperx.load_model(
                    own if Path(own).is_dir() else model,
                    device=self._device,
                    device_index=self._index,
                    compute_type=_precision(model, torch_device.free_bytes(where)),
                    vad_method="pyannote",
                )
        self._aligners: dict[str, Any] = {}

    def transcribe(self, audio: npt.NDArray[np.float32], language: str | None) -> list[Word]:
        """Recognise words with times and confidences in mono audio at 16 kHz.

        Raises
        ------
        ModelError
            The alignment model of the language cannot be had.
        """
        code = (language or "").partition("-")[0]
        known = code if code in self._model.model.supported_languages else None
        result = self._model.transcribe(audio, batch_size=_BATCH, language=known)
        segments = result["segments"]
        if not segments:
            return []
        model, metadata = self._aligner(result["language"])
        with _whole_segments(self._whisperx):
            aligned = self._whisperx.align(segments, model, metadata, audio, self._device)
        return words(aligned["word_segments"])

    def _aligner(self, language: str) -> Any:
        """Load what aligns a language: the CTC model where it is local, else WhisperX's."""
        if language not in self._aligners:
            name = WAV2VEC2.get(language, f"whisperx-align-{language}")
            with (
                loading(name, self._models_dir, extra=recognisers.entry("whisperx").extra),
                _silent(),
            ):
                where = resolve_reachable(name, self._models_dir)
                self._aligners[language] = self._whisperx.load_align_model(
                    language, self._device, model_name=where if Path(where).is_dir() else None
                )
        return self._aligners[language]


_CTRANSLATE2 = "model.bin, config.json, tokenizer.json and the vocabulary, converted by CTranslate2"
_WEIGHTS = {
    "tiny": 39_000_000,
    "base": 74_000_000,
    "small": 244_000_000,
    "medium": 769_000_000,
    "large": 1_550_000_000,
}


def _precision(model: str, free: int | None) -> str:
    """Choose CTranslate2's precision by the free memory of the graphics card; ``None``: CPU."""
    if free is None:
        return "int8"
    size = next((weights for name, weights in _WEIGHTS.items() if name in model), 1_550_000_000)
    return torch_device.precision(size, free, ("float16", "int8_float16"))


def _silent() -> contextlib.redirect_stdout[io.StringIO]:
    """Suppress what WhisperX prints to standard output, which is for results."""
    return contextlib.redirect_stdout(io.StringIO())


class _WholeText:
    """Treat a text as one sentence; see `_whole_segments`."""

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        return [(0, len(text))]


@contextlib.contextmanager
def _whole_segments(whisperx: Any) -> Iterator[None]:
    """Keep WhisperX from splitting segments into sentences, for which NLTK would fetch data; the
    words get the same times either way."""
    module = whisperx.alignment
    original = getattr(module, "nltk_load", None)
    if original is None:
        yield
        return
    module.nltk_load = lambda _resource: _WholeText()
    try:
        yield
    finally:
        module.nltk_load = original


def words(segments: Sequence[dict[str, Any]]) -> list[Word]:
    """Read WhisperX's words, without those that it could not align (a number, say)."""
    return [
        Word(
            str(segment["word"]).strip(),
            float(segment["start"]),
            float(segment.get("end", segment["start"])),
            min(1.0, float(segment["score"])) if "score" in segment else None,
        )
        for segment in segments
        if "start" in segment and str(segment["word"]).strip()
    ]


def open_whisperx(context: ModelContext) -> WhisperX:
    """Open the recogniser for `lyricsyncd.registry`; raises as the class."""
    return WhisperX(context.model, context.device, context.models_dir)
