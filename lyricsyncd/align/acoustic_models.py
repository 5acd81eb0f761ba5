"""Ears by name: which there are, opening one, and how the search is best set for it.

An ear of one's own is a function ``(device, models_dir, language) -> Ear`` under the entry point
group ``lyricsyncd.aligners``.
"""

from __future__ import annotations

import importlib.util
import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd import registry
from lyricsyncd.errors import UsageError
from lyricsyncd.judging import calibration
from lyricsyncd.judging.calibration import Calibration
from lyricsyncd.registry import ModelContext

if TYPE_CHECKING:
    from lyricsyncd.align.aligner import Options
    from lyricsyncd.align.emissions import AcousticModel
    from lyricsyncd.align.emissions.ctc import CtcModel
    from lyricsyncd.align.qwen3 import Qwen3Aligner

log = logging.getLogger(__name__)

ONNX_FOLDER = "ctc"
"""Within the folder of models: exported ears, ``LANGUAGE.onnx`` or ``any.onnx``."""
ANY_LANGUAGE = "any"

QWEN3 = "qwen3"
"""A model that only votes: it has to be told where about the lines are."""

MMS = "MahmoudAshraf/mms-300m-1130-forced-aligner"
_XLSR = "jonatasgrosman/wav2vec2-large-xlsr-53-{}"
WAV2VEC2 = {
    "en": "facebook/wav2vec2-base-960h",
    **{
        code: _XLSR.format(name)
        for code, name in (
            ("ar", "arabic"),
            ("de", "german"),
            ("el", "greek"),
            ("es", "spanish"),
            ("fa", "persian"),
            ("fi", "finnish"),
            ("fr", "french"),
            ("hu", "hungarian"),
            ("it", "italian"),
            ("ja", "japanese"),
            ("nl", "dutch"),
            ("pl", "polish"),
            ("pt", "portuguese"),
            ("ru", "russian"),
            ("zh", "chinese-zh-cn"),
        )
    },
}
"""A wav2vec2 model that writes a language, by its ISO 639-1 code; Apache-2.0 all of them."""


def pair(
    name: str, device: str, models_dir: Path | None, language: str | None
) -> tuple[str, str | None]:
    """The ear that places words, and one that votes in its search, or ``None``.

    ``FIRST+SECOND`` names two. ``auto`` has phone states place the words, whose confidences are
    calibrated, and lets a CTC model vote that is on the disk: an exported one for the language, or,
    where torch and a card are there, one that writes the language. It fetches nothing.
    """
    if name == "auto":
        return "sphinx", _at_hand(device, models_dir, language)
    first, plus, second = name.partition("+")
    if not plus or first not in registry.aligners.names():
        return name, None
    if only_second(second):
        from lyricsyncd.align.qwen3 import knows

        return first, second if knows(language) else None
    return first, second


def only_second(name: str) -> bool:
    """Whether a name or a folder is that of a model that cannot place words by itself."""
    if name == QWEN3:
        return True
    try:
        told = json.loads((Path(name) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and told.get("model_type") == "qwen3_asr"


def open_second_aligner(
    name: str, device: str = "auto", models_dir: Path | None = None
) -> Qwen3Aligner:
    """A model that `only_second`, loaded.

    Raises
    ------
    ModelError
        It is not to be had, or its device is not there.
    """
    from lyricsyncd.align.qwen3 import Qwen3Aligner

    if name in registry.aligners.names():
        aligner = registry.aligners.open(name, ModelContext(device, models_dir))
        assert isinstance(aligner, Qwen3Aligner), "the only model that is a second aligner alone"
        return aligner
    return Qwen3Aligner(name, device, models_dir)


def open_acoustic_model(
    name: str = "auto",
    device: str = "auto",
    models_dir: Path | None = None,
    language: str | None = None,
) -> AcousticModel:
    """An ear, its model loaded.

    Parameters
    ----------
    name : str
        A name of `lyricsyncd.registry.aligners`, a folder with a CTC model, an exported ``.onnx``
        file, or ``auto``. Of two names the first; see `pair`.
    language : str, optional
        ISO 639-1 of the song: some models write one language only.

    Raises
    ------
    UsageError
        There is no such ear.
    ModelError
        Its model is not to be had, or its device is not there.
    """
    first, _ = pair(name, device, models_dir, language)
    if only_second(name) or only_second(first):
        raise UsageError(
            f"The aligner '{first}' cannot place words by itself: it is a second aligner",
            remedy=f"Use sphinx+{QWEN3}, so that phone states place the words first",
        )
    if first.endswith(".onnx"):
        return _onnx(Path(first), device)
    context = ModelContext(device, models_dir, language)
    if first not in registry.aligners.names() and Path(first).is_dir():
        return open_ctc_model(first, device, models_dir)
    model: AcousticModel = registry.aligners.open(first, context)  # type: ignore[assignment]
    return model


def key(name: str, language: str | None) -> str:
    """What tells two ears apart: songs with the same key share one loaded model."""
    return f"{name}:{_model_of(language)}" if name == "ctc" else name


def options_of(acoustic_model: AcousticModel) -> Options:
    """How the search is set for an ear.

    The scores of a CTC network are sure of every frame, and their frames are twice as long: they
    are scaled less than those of phone states before they become posteriors.
    """
    from lyricsyncd.align.aligner import Options
    from lyricsyncd.align.emissions.ctc import CtcModel
    from lyricsyncd.align.trellis import Penalties

    if not isinstance(acoustic_model, CtcModel):
        return Options()
    costs = Penalties(enter_silence_inside=1.0, silence_inside=0.1, stretched_consonant=0.0)
    return Options(first_penalties=costs, costs=costs, adapt=False, scale=0.5)


def calibration_of(acoustic_model: AcousticModel) -> Calibration | None:
    """What an ear's confidences are worth; ``None`` where that was not measured.

    An ear of one's own may have an attribute ``calibration``: a `Calibration`, or its file's path.

    Raises
    ------
    ModelError
        There is a file, and it cannot be used.
    """
    from lyricsyncd.align.emissions.sphinx import PhoneStateModel
    from lyricsyncd.judging import quality

    if isinstance(acoustic_model, PhoneStateModel):
        return quality.SPHINX
    known = getattr(acoustic_model, "calibration", None)
    if isinstance(known, Path):
        return Calibration.read(known, quality.FEATURES) if known.is_file() else None
    return known if isinstance(known, Calibration) else None


def _at_hand(device: str, models_dir: Path | None, language: str | None) -> str | None:
    """A CTC model for a language that is here already."""
    if (exported := _exported(models_dir, language)) is not None:
        return str(exported)
    if device != "cpu" and importlib.util.find_spec("transformers") and _has_card():
        from lyricsyncd.models.hub import is_here

        if language in WAV2VEC2 and is_here(WAV2VEC2[language], models_dir):
            return "ctc"
        if is_here(MMS, models_dir):
            return "mms"
    return None


def _exported(models_dir: Path | None, language: str | None) -> Path | None:
    folder = (models_dir or Path("nowhere")) / ONNX_FOLDER
    for stem in (language, ANY_LANGUAGE):
        if stem and stem.isalpha() and (folder / f"{stem}.onnx").is_file():
            return folder / f"{stem}.onnx"
    return None


def _has_card() -> bool:
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())


def ctc_model(name: str, language: str | None) -> str:
    """The model behind ``ctc`` and ``mms``; other names, and folders, are models themselves."""
    return {"ctc": _model_of(language), "mms": MMS}.get(name, name)


def _model_of(language: str | None) -> str:
    """The model that writes a language; MMS for those that have none of their own."""
    return WAV2VEC2.get(language or "en", MMS)


def open_wav2vec2(context: ModelContext) -> CtcModel:
    """Open the wav2vec2 model that writes the song's language."""
    return open_ctc_model(_model_of(context.language), context.device, context.models_dir)


def open_mms(context: ModelContext) -> CtcModel:
    """Open MMS."""
    return open_ctc_model(MMS, context.device, context.models_dir)


def open_ctc_model(model: str, device: str, folder: Path | None) -> CtcModel:
    """A CTC model of the hub or of a folder, on torch; what must be said of it is said first.

    Raises
    ------
    ModelError
        It is not to be had, or its device is not there.
    """
    from lyricsyncd.align.emissions.ctc import open_ctc
    from lyricsyncd.models import hub

    if caution := hub.caution(model, folder):
        log.warning("%s", caution)
    acoustic_model = open_ctc(model, device, folder)
    return replace(acoustic_model, calibration=calibration.path_for(hub.found(model, folder)))


def _onnx(path: Path, device: str) -> AcousticModel:
    from lyricsyncd.align.emissions.ctc import open_onnx

    return replace(open_onnx(path, device), calibration=calibration.path_for(path))
