"""Write a file whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from lyricsyncd.errors import WriteError


def write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; through a link, the file that it leads to.

    Raises
    ------
    WriteError
        It cannot be written; what was there before is intact.
    """
    try:
        if is_special(path):
            with path.open("wb") as device:
                device.write(content)
            return
        _replace(Path(os.path.realpath(path)), content)
    except OSError as error:
        raise WriteError(
            f"{path} cannot be written: {error.strerror or error}",
            remedy="Make room there, or name another place",
        ) from error


def is_special(path: Path) -> bool:
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
