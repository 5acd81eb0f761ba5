"""Files that a person names for a result: checked before the work, written whole after it."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from lyricsyncd.errors import UsageError, WriteError
from lyricsyncd.media_types import is_audio


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
    place = path if _special(path) else folder
    if not os.access(place, os.W_OK):
        raise UsageError(f"the {what} {path} cannot be written", remedy="Check the permissions")


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; through a link, the file that it leads to.

    Raises
    ------
    WriteError
        It cannot be written; what was there before is intact.
    """
    try:
        if _special(path):
            with path.open("wb") as device:
                device.write(content)
            return
        _replace(Path(os.path.realpath(path)), content)
    except OSError as error:
        raise WriteError(
            f"{path} cannot be written: {error.strerror or error}",
            remedy="Make room there, or name another place",
        ) from error


def _special(path: Path) -> bool:
    """Return whether the path is a device or a pipe, which must not be replaced by a file."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode)


def _replace(path: Path, content: bytes) -> None:
    work = path.with_name(f".lyricsyncd-{secrets.token_hex(8)}.tmp")
    try:
        with work.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(OSError):
            work.chmod(stat.S_IMODE(path.stat().st_mode))
        work.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            work.unlink()
