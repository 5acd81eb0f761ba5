"""Identify what songs are placed by, so that a change of it shows for each song."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import lyricsyncd
from lyricsyncd.config.paths import models_dir

if TYPE_CHECKING:
    from lyricsyncd.pipeline.settings import ModelSettings

REVISION = 3
"""Raised with each change of separation, alignment or judging by which songs may be placed better
than before."""
_CALIBRATIONS = "*calibration.json"


def models_identity(settings: ModelSettings) -> str:
    """Return what changes with the models, their calibrations, and the way they are used.

    Models are known by their names and sizes (they are large), calibrations by their content.
    """
    chosen = (settings.separator, settings.aligner, settings.recogniser, settings.profile)
    digest = hashlib.sha256(repr((REVISION, chosen)).encode())
    package = Path(lyricsyncd.__file__).parent / "align"
    for calibration in sorted(package.rglob(_CALIBRATIONS)):
        digest.update(calibration.read_bytes())
    for described in sorted(_installed(models_dir(settings.folder))):
        digest.update(repr(described).encode())
    return digest.hexdigest()[:16]


def _installed(folder: Path) -> Iterator[tuple[str, int, bytes]]:
    for file in folder.rglob("*"):
        # One that is removed meanwhile, or cannot be read, places no song.
        with contextlib.suppress(OSError):
            # Downloads that are not complete begin with a dot.
            if file.is_file() and not file.name.startswith("."):
                content = file.read_bytes() if file.match(_CALIBRATIONS) else b""
                yield str(file.relative_to(folder)), file.stat().st_size, content
