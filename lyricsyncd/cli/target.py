"""Files that a person names for a result: checked before the work, written whole after it."""

from __future__ import annotations

import os
from pathlib import Path

from lyricsyncd.config.files import is_special, write
from lyricsyncd.errors import UsageError
from lyricsyncd.media_types import is_audio

__all__ = ["check", "write"]


def check(path: Path, what: str) -> None:
    """See that a result can be put there, before hours are spent on it.

    Parameters
    ----------
    what
        What the file is to the person: ``output``, ``report``.

    Raises
    ------
    UsageError
        Its folder is missing or locked, or it is a folder or a song itself.
    """
    folder = path.parent
    if is_audio(path):
        raise UsageError(
            f"the {what} {path} has the name of a song", remedy="Name a file for the lyrics"
        )
    if path.is_dir():
        raise UsageError(f"the {what} {path} is a folder", remedy="Name a file in it")
    if not folder.is_dir():
        what_is = "is not a folder" if os.path.lexists(folder) else "is not there"
        raise UsageError(f"the folder of the {what} {path} {what_is}", remedy="Make it first")
    place = path if is_special(path) else folder
    if not os.access(place, os.W_OK):
        raise UsageError(f"the {what} {path} cannot be written", remedy="Check the permissions")
