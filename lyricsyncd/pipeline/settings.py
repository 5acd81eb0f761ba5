"""Select the settings that placing needs: no sources, no paths of the library, no secrets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.errors import UsageError
from lyricsyncd.models.device import check_name
from lyricsyncd.registry import PluginSettings

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The models that are used, and the device that they run on.

    Attributes
    ----------
    separator, aligner, recogniser : str
        Names of `lyricsyncd.registry`, or ``auto``.
    device : str
        ``auto``, ``cpu`` or ``cuda[:N]``.
    profile : str
        ``auto``, ``lite`` or ``full``: ``full`` prefers the large models wherever a name is
        ``auto``.
    folder : Path or None
        Where models are installed; ``None`` for the user's cache.
    plugins : mapping
        The settings of those of the models that come from other packages, by their names.
    """

    separator: str = "auto"
    aligner: str = "auto"
    recogniser: str = "auto"
    device: str = "auto"
    profile: str = "auto"
    folder: Path | None = None
    plugins: PluginSettings = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        check_name(self.device)
        if self.profile not in ("auto", "lite", "full"):
            raise UsageError(f"'{self.profile}' is not a profile", remedy="Use auto, lite or full")


@dataclass(frozen=True, slots=True)
class PlacingSettings:
    """Everything that placing depends on beside the song. Travels to the model worker.

    Attributes
    ----------
    words, lines : float
        Scores from which every word, or every line, may be written with its time.
    """

    models: ModelSettings = field(default_factory=ModelSettings)
    words: float = 0.7
    lines: float = 0.4


def placing_settings(
    config: Config, device: str = "auto", profile: str | None = None
) -> PlacingSettings:
    """Take from a configuration what placing needs.

    Parameters
    ----------
    device, profile : str, optional
        Over the configuration's.

    Raises
    ------
    UsageError
        The device or profile is not one of those there are.
    """
    models = config.models
    names = (models.separator, models.transcriber, *models.aligner.split("+"))
    return PlacingSettings(
        ModelSettings(
            separator=models.separator,
            aligner=models.aligner,
            recogniser=models.transcriber,
            device=device if device != "auto" else models.device,
            profile=profile or config.profile,
            folder=models.dir,
            plugins={name: config.plugins[name] for name in names if name in config.plugins},
        ),
        words=config.quality.words,
        lines=config.quality.lines,
    )
