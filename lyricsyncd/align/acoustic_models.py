"""Acoustic models by name: which names there are, and how one is opened.

A model of another package is a function ``(ModelContext) -> AcousticModel`` under the entry point
group ``lyricsyncd.aligners``; see `lyricsyncd.align.emissions` for what it returns.
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
from lyricsyncd.models.installable import phoneme_network
from lyricsyncd.registry import NO_SETTINGS, ModelContext, PluginSettings

if TYPE_CHECKING:
    from lyricsyncd.align.emissions import AcousticModel
    from lyricsyncd.align.emissions.ctc import CtcModel
    from lyricsyncd.align.second_aligner import SecondAligner

log = logging.getLogger(__name__)

ONNX_FOLDER = "ctc"
"""Folder of exported models within the folder of models: ``LANGUAGE.onnx`` or ``any.onnx``."""
ANY_LANGUAGE = "any"

CALIBRATION_FILE = "calibration.json"
"""In a model's folder; beside an exported ``NAME.onnx`` it is ``NAME.calibration.json``."""

QWEN3 = "qwen3"
"""A second aligner only: it must know where the lines are about."""

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
"""The wav2vec2 model for a language, by its ISO 639-1 code; all are Apache-2.0."""


def pair(
    name: str, device: str, models_dir: Path | None, language: str | None
) -> tuple[str, str | None]:
    """Return the names of the model that places words and of the second aligner, if any.

    ``FIRST+SECOND`` names two. ``auto`` places words with the phone states, whose confidences are
    calibrated, and takes for its second aligner a CTC model that is on the disk: an exported one
    for the language; where torch and a graphics card are there, one for the language on torch; or
    the phoneme network of the base install. It fetches nothing.
    """
    if name == "auto":
        return "sphinx", _installed(models_dir, language, device)
    first, plus, second = name.partition("+")
    if not plus or first not in registry.aligners.names():
        return name, None
    if only_second(second):
        from lyricsyncd.align.qwen3 import supports

        return first, second if supports(language) else None
    return first, second


def only_second(name: str) -> bool:
    """Return whether a name or a folder is that of a model that cannot place words by itself."""
    if name == QWEN3:
        return True
    try:
        settings = json.loads((Path(name) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(settings, dict) and settings.get("model_type") == "qwen3_asr"


def open_second_aligner(
    name: str,
    device: str = "auto",
    models_dir: Path | None = None,
    language: str | None = None,
    plugins: PluginSettings = NO_SETTINGS,
) -> SecondAligner:
    """Open a second aligner: one that is nothing else, or an acoustic model with its own search.

    Raises
    ------
    ModelError
        It cannot be had, or its device is not there.
    """
    from lyricsyncd.align.second_aligner import SearchingAligner, SecondAligner

    context = ModelContext(device, models_dir, language, settings=plugins.get(name, {}))
    if name in registry.aligners.names():
        opened = registry.aligners.open(name, context)
        return opened if isinstance(opened, SecondAligner) else SearchingAligner(opened)
    if only_second(name):
        from lyricsyncd.align.qwen3 import Qwen3Aligner

        return Qwen3Aligner(name, device, models_dir)
    return SearchingAligner(open_acoustic_model(name, device, models_dir, language, plugins))


def open_acoustic_model(
    name: str = "auto",
    device: str = "auto",
    models_dir: Path | None = None,
    language: str | None = None,
    plugins: PluginSettings = NO_SETTINGS,
) -> AcousticModel:
    """Open an acoustic model, its weights loaded.

    Parameters
    ----------
    name : str
        A name of `lyricsyncd.registry.aligners`, a folder with a CTC model, an exported ``.onnx``
        file, or ``auto``. Of two names the first; see `pair`.
    language : str, optional
        ISO 639-1 of the song: some models are for one language only.
    plugins : mapping, optional
        The settings of models from other packages, by their names.

    Raises
    ------
    UsageError
        There is no such model, or it is a second aligner.
    ModelError
        It cannot be had, or its device is not there.
    """
    from lyricsyncd.align.second_aligner import SecondAligner

    first, _ = pair(name, device, models_dir, language)
    if only_second(name) or only_second(first):
        raise _only_a_second_aligner(first)
    if first.endswith(".onnx"):
        return _open_onnx(Path(first), device)
    if first not in registry.aligners.names() and Path(first).is_dir():
        return open_ctc_model(first, device, models_dir)
    context = ModelContext(device, models_dir, language, settings=plugins.get(first, {}))
    model = registry.aligners.open(first, context)
    if isinstance(model, SecondAligner):
        raise _only_a_second_aligner(first)
    return model


def _only_a_second_aligner(name: str) -> UsageError:
    return UsageError(
        f"The aligner '{name}' cannot place words by itself: it is a second aligner",
        remedy=f"Use sphinx+{name}, so that phone states place the words first",
    )


def key(name: str, language: str | None) -> str:
    """Return what identifies a loaded model: songs with the same key share one."""
    return f"{name}:{_wav2vec2(language)}" if name == "ctc" else name


def calibration_path(model: str | Path) -> Path:
    """Return where the calibration of a model's folder, or of an exported file, lies."""
    model = Path(model)
    return (
        model.with_suffix(f".{CALIBRATION_FILE}")
        if model.suffix == ".onnx"
        else model / CALIBRATION_FILE
    )


def _installed(models_dir: Path | None, language: str | None, device: str) -> str | None:
    """Return the CTC model for a language that is on the disk already."""
    if (exported := _exported(models_dir, language)) is not None:
        return str(exported)
    if device != "cpu" and importlib.util.find_spec("transformers") and _has_graphics_card():
        from lyricsyncd.models.hub import is_local

        if language in WAV2VEC2 and is_local(WAV2VEC2[language], models_dir):
            return "ctc"
        if is_local(MMS, models_dir):
            return "mms"
    return "phonemes" if phoneme_network(models_dir) is not None else None


def _exported(models_dir: Path | None, language: str | None) -> Path | None:
    folder = (models_dir or Path("nowhere")) / ONNX_FOLDER
    for stem in (language, ANY_LANGUAGE):
        if stem and stem.isalpha() and (folder / f"{stem}.onnx").is_file():
            return folder / f"{stem}.onnx"
    return None


def _has_graphics_card() -> bool:
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())


def ctc_model(name: str, language: str | None) -> str:
    """Return the model that ``ctc`` and ``mms`` stand for; other names stand for themselves."""
    return {"ctc": _wav2vec2(language), "mms": MMS}.get(name, name)


def _wav2vec2(language: str | None) -> str:
    """Return the model for a language; MMS for those that have none of their own."""
    return WAV2VEC2.get(language or "en", MMS)


def open_wav2vec2(context: ModelContext) -> CtcModel:
    """Open the wav2vec2 model for the song's language."""
    return open_ctc_model(_wav2vec2(context.language), context.device, context.models_dir)


def open_mms(context: ModelContext) -> CtcModel:
    """Open MMS."""
    return open_ctc_model(MMS, context.device, context.models_dir)


def open_ctc_model(model: str, device: str, folder: Path | None) -> CtcModel:
    """Open a CTC model of the hub or of a folder on torch; log what must be known of it first.

    Raises
    ------
    ModelError
        It cannot be had, or its device is not there.
    """
    from lyricsyncd.align.emissions.ctc import open_ctc
    from lyricsyncd.models import hub

    if caution := hub.caution(model, folder):
        log.warning("%s", caution)
    acoustic_model = open_ctc(model, device, folder)
    return replace(acoustic_model, calibration=calibration_path(hub.resolve(model, folder)))


def _open_onnx(path: Path, device: str) -> AcousticModel:
    from lyricsyncd.align.emissions.ctc import open_onnx

    return replace(open_onnx(path, device), calibration=calibration_path(path))
