"""Make folders and files that only their owner may read: a person's listening is private.

Permissions that an earlier version or another umask left open are removed. A folder that also holds
files that are not ours is never changed, nor is anything of another user.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from lyricsyncd.config.paths import NAME

STATE_FILES = ("catalog.db", "catalog.v", "journal.db", "daemon.lock")
"""Names of the files of the state, or their beginnings."""
_FOLDER, _FILE = 0o700, 0o600


def make_folder(folder: Path) -> None:
    """Make the state folder, or restrict the one that exists.

    Raises
    ------
    OSError
        It is not there and cannot be made.
    """
    folder.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
    if _is_ours(folder):
        _close(folder, _FOLDER)


def make_file(path: Path) -> None:
    """Make an empty file, or restrict the one that exists.

    Raises
    ------
    OSError
        It is not there and cannot be made.
    """
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _FILE))
    _close(path, _FILE)


def close_files(folder: Path) -> None:
    """Restrict the files of the state in a folder: databases, their companions and copies."""
    for path in state_files(folder):
        _close(path, _FILE)


def open_files(folder: Path) -> list[Path]:
    """List the files of the state that other users may read or write."""
    found = []
    for path in state_files(folder):
        with contextlib.suppress(OSError):
            if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                found.append(path)
    return found


def state_files(folder: Path) -> list[Path]:
    """List the files of the state in a folder: databases, their companions, copies and reports."""
    try:
        return sorted(path for path in folder.iterdir() if path.name.startswith(STATE_FILES))
    except OSError:
        return []


def _is_ours(folder: Path) -> bool:
    if folder.name == NAME:
        return True
    try:
        return all(name.startswith(STATE_FILES) for name in os.listdir(folder))  # noqa: PTH208
    except OSError:
        return False


def _close(path: Path, mode: int) -> None:
    # File systems without modes refuse, and have nothing to close.
    with contextlib.suppress(OSError):
        status = path.stat()
        now = stat.S_IMODE(status.st_mode)
        if status.st_uid == os.geteuid() and now & ~mode:
            path.chmod(now & mode)
