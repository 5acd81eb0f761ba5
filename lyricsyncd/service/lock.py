"""Lock a state folder, so that one process at a time works on its catalog."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path

from lyricsyncd.config import private
from lyricsyncd.errors import UsageError

LOCK_NAME = "daemon.lock"
_ATTEMPTS = 11
_ATTEMPT_S = 0.05


class StateLock:
    """An exclusive lock on a state folder; the kernel releases it when its holder dies."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOCK_NAME
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Acquire the lock.

        Raises
        ------
        UsageError
            Another process holds it.
        """
        private.make_folder(self.path.parent)
        private.close_files(self.path.parent)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _locked(descriptor):
            os.close(descriptor)
            raise UsageError(
                f"Another lyricsyncd is at work on {self.path.parent}{_as_pid(self.path)}",
                remedy="Stop it first, or give this one another STATE_DIRECTORY",
            )
        # The number only serves the message above; a full disk must not matter here.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
        self._descriptor = descriptor

    def release(self) -> None:
        """Release the lock."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> StateLock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def running(folder: Path) -> bool:
    """Return whether a service is at work on a state folder."""
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _locked(descriptor: int) -> bool:
    """Lock an open file; try for a moment, since `running` holds the lock while it checks."""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_ATTEMPT_S)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False


def _as_pid(path: Path) -> str:
    with contextlib.suppress(OSError, ValueError):
        return f" (process {int(path.read_text(encoding='ascii'))})"
    return ""
