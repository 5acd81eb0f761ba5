"""The models of a process: opened when first needed, kept loaded, released all together.

A set lives as long as its process. The service ends the model worker when it has been idle for
``models.keep_alive``: only that releases all memory, on a graphics card too.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lyricsyncd.config.paths import models_dir
from lyricsyncd.errors import ModelError
from lyricsyncd.models import installable
from lyricsyncd.models.installable import State
from lyricsyncd.pipeline.settings import ModelSettings

if TYPE_CHECKING:
    from lyricsyncd.align.emissions import AcousticModel
    from lyricsyncd.align.second_aligner import SecondAligner
    from lyricsyncd.separate import VocalSeparator
    from lyricsyncd.transcribe import Transcriber

T = TypeVar("T")
log = logging.getLogger(__name__)

_ANY_LANGUAGE = "sphinx"
"""The acoustic model of the base install, which places every language."""


class ModelSet:
    """Separator, acoustic models and recogniser as the configuration names them.

    Parameters
    ----------
    settings : ModelSettings

    Raises
    ------
    ModelError
        The profile is ``full`` and torch is not installed.
    """

    def __init__(self, settings: ModelSettings) -> None:
        if settings.profile == "full" and not _installed("torch", "demucs", "transformers"):
            raise ModelError(
                "The full profile is not installed",
                remedy='Install it with: pip install "lyricsyncd[all]", or use the profile lite',
            )
        self._settings, self._device = settings, settings.device
        self._folder: Path = models_dir(settings.folder)
        self._open: dict[str, object] = {}
        self._warned: set[str] = set()
        self._checked = False
        self.loads: list[str] = []
        """What was loaded, in order; nothing twice."""

    def separator(self) -> VocalSeparator:
        """Open what separates the vocals."""
        from lyricsyncd.separate import VocalSeparator

        name = self._preferred(self._settings.separator, "htdemucs_ft", "spleeter")
        # Without Spleeter the lite profile uses the full mix, with a warning.
        name = "auto" if name == "spleeter" and self._settings.separator == "auto" else name
        device = "cpu" if self._settings.profile == "lite" else self._device
        return self._once(
            f"separator:{name}",
            lambda: VocalSeparator(
                name, device, models_dir=self._folder, plugins=self._settings.plugins
            ),
        )

    def acoustic_model(self, language: str | None) -> AcousticModel:
        """Open the acoustic model that places the words of a language.

        Where the configured one cannot place the language, that of the base install does.

        Raises
        ------
        ModelError
            It cannot be had, or its device is not there.
        """
        from lyricsyncd.align.emissions import Traits

        first, _ = self._aligner_names(language)
        self._warn_without_phonemes()
        model = self._open_acoustic_model(first, language)
        if Traits.of(model).supports(language):
            return model
        self._warn_once(f"{model.name} has no {language}: {_ANY_LANGUAGE} places these words")
        return self._open_acoustic_model(_ANY_LANGUAGE, language)

    def second_aligner(self, language: str | None) -> SecondAligner | None:
        """Open the second aligner for a language; ``None`` where there is none.

        Raises
        ------
        ModelError
            It is configured and cannot be had.
        """
        from lyricsyncd.align import acoustic_models
        from lyricsyncd.align.emissions import Traits
        from lyricsyncd.align.second_aligner import SearchingAligner

        _, second = self._aligner_names(language)
        if second is None:
            return None
        aligner = self._once(
            f"second aligner:{acoustic_models.key(second, language)}",
            lambda: acoustic_models.open_second_aligner(
                second, self._device, self._folder, language, self._settings.plugins
            ),
        )
        if isinstance(aligner, SearchingAligner):
            supported = Traits.of(aligner.acoustic_model).supports(language)
            return aligner if supported else None
        return aligner

    def _aligner_names(self, language: str | None) -> tuple[str, str | None]:
        from lyricsyncd.align import acoustic_models

        name = self._preferred(self._settings.aligner, "sphinx+ctc", "auto")
        device = "cpu" if self._settings.profile == "lite" else self._device
        return acoustic_models.pair(name, device, self._folder, language)

    def _warn_without_phonemes(self) -> None:
        """Log, once in the life of the set, that a model of the lite profile is not there."""
        if self._checked or self._settings.aligner != "auto" or self._settings.profile == "full":
            return
        self._checked = True
        model = installable.PHONEMES
        if (found := installable.state(model, self._folder)) is not State.INSTALLED:
            log.warning(
                "the model %r is %s: %s. %s",
                model.name,
                found.value,
                model.effect_of_absence,
                installable.install_remedy(model),
            )

    def _open_acoustic_model(self, name: str, language: str | None) -> AcousticModel:
        from lyricsyncd.align import acoustic_models

        return self._once(
            f"acoustic model:{acoustic_models.key(name, language)}",
            lambda: acoustic_models.open_acoustic_model(
                name, self._device, self._folder, language, self._settings.plugins
            ),
        )

    @property
    def recogniser_name(self) -> str | None:
        """The recogniser that is configured, or installed with its model: ``auto`` fetches
        nothing."""
        return recogniser_of(self._settings)

    def recogniser(self) -> Transcriber | None:
        """Open what transcribes doubtful songs and songs without words; ``None`` without one.

        Raises
        ------
        ModelError
            It is configured and cannot be had.
        """
        from lyricsyncd.transcribe import open_transcriber

        wanted = self.recogniser_name
        if wanted is None:
            return None
        return self._once(
            f"recogniser:{wanted}",
            lambda: open_transcriber(
                wanted,
                device=self._device,
                models_dir=self._folder,
                plugins=self._settings.plugins,
            ),
        )

    def memory(self) -> dict[str, int]:
        """Return the bytes that this process takes: ``process`` at its peak, ``card`` now."""
        kilobyte = 1 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * kilobyte
        taken = {"process": peak}
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_available():
            taken["card"] = int(torch.cuda.memory_reserved())
        return taken

    def close(self) -> None:
        """Release all models; what libraries retain is released when the process ends."""
        self._open.clear()
        torch = sys.modules.get("torch")
        if torch is not None:
            with contextlib.suppress(RuntimeError):
                torch.cuda.empty_cache()

    def _preferred(self, wanted: str, large: str, small: str) -> str:
        if wanted != "auto" or self._settings.profile == "auto":
            return wanted
        return large if self._settings.profile == "full" else small

    def _warn_once(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            log.warning("%s", message)

    def _once(self, key: str, load: Callable[[], T]) -> T:
        if key not in self._open:
            self._open[key] = load()
            self.loads.append(key)
        model: T = self._open[key]  # type: ignore[assignment]  # the key names the type
        return model


def recogniser_of(settings: ModelSettings) -> str | None:
    """Name the recogniser that is configured, or installed with its model: ``auto`` fetches
    nothing."""
    if settings.recogniser == "auto":
        here = (models_dir(settings.folder) / "faster-whisper-base").is_dir()
        return "faster-whisper" if here and _installed("faster_whisper") else None
    return None if settings.recogniser == "none" else settings.recogniser


def may_recognise(settings: ModelSettings) -> bool:
    """Return whether there is something to recognise words, or at least singing, with."""
    return recogniser_of(settings) is not None or may_separate(settings)


def may_separate(settings: ModelSettings) -> bool:
    """Return whether the vocals can be separated at little cost."""
    if settings.separator not in ("auto", installable.SPLEETER.name):
        return False
    return installable.installed(installable.SPLEETER, models_dir(settings.folder)) is not None


def _installed(*modules: str) -> bool:
    return all(importlib.util.find_spec(module) is not None for module in modules)
