"""Settings: one model, read from YAML, with environment variables over it.

``config.example.yaml`` documents every key; a test holds the two together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, values never change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Library(Section):
    """A music folder to watch."""

    path: Path
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class OutputFile(Section):
    """One file or tag to write for a song."""

    format: str
    to: Literal["sidecar", "tag"] = "sidecar"
    name: str | None = None


class Output(Section):
    """What is written beside (or into) each song."""

    preset: Literal["navidrome", "jellyfin", "plex", "kodi", "generic", "embed"] = "generic"


class Quality(Section):
    """Thresholds of the quality score: at or above ``words`` words are written, at or above
    ``lines`` line times, below it nothing."""

    words: float = Field(default=0.7, ge=0, le=1)
    lines: float = Field(default=0.4, ge=0, le=1)


class Lrclib(Section):
    url: str = "https://lrclib.net"
    timeout: float = 10.0


class LyricsSources(Section):
    """Where words are looked for, in this order."""

    order: tuple[str, ...] = ("local", "lrclib")
    lrclib: Lrclib = Lrclib()


class Identify(Section):
    acoustid_key: str | None = None


class Models(Section):
    dir: Path | None = None
    separator: str = "auto"
    aligner: str = "auto"
    transcriber: str = "auto"
    device: str = "auto"
    keep_alive: float = 600.0


class Daemon(Section):
    settle: float = 5.0
    rescan: str | None = "0 4 * * *"
    quiet_hours: str | None = None
    executor: Literal["process"] = "process"


class Web(Section):
    listen: str = "127.0.0.1:8786"
    token: str | None = None


class Config(Section):
    """Everything that can be set."""

    libraries: tuple[Library, ...] = ()
    profile: Literal["auto", "lite", "full"] = "auto"
    language: str = "auto"
    output: Output | tuple[OutputFile, ...] = Output()
    quality: Quality = Quality()
    lyrics: LyricsSources = LyricsSources()
    identify: Identify = Identify()
    models: Models = Models()
    daemon: Daemon = Daemon()
    web: Web = Web()
