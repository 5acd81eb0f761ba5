"""Share the rate limit of a host among all processes of this computer, so that the service and a
command, say, do not send twice as many requests together.

Each host has one small file, beside the cached responses, with the time of the next request and the
end of its ``Retry-After``, in seconds since the epoch. It is locked while it is read and written.
Where that is not possible, each process has its own limit.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lyricsyncd.config.paths import hand_over

FOLDER = "pace"
NEXT_MAX_S, HELD_MAX_S = 30.0, 3600.0
"""Times further ahead are ignored: the clock was wrong when they were written."""


def take(folder: Path, host: str, *, wait: float, interval: float, max_wait: float) -> float | None:
    """Reserve the next request to a host.

    Returns
    -------
    float or None
        Seconds until it, at least ``wait``; ``None``, without a reservation, if the host's
        ``Retry-After`` is longer than ``max_wait``.
    """
    with _noted(folder, host) as note:
        held = note.ahead(note.held_until, HELD_MAX_S)
        if held > max_wait:
            return None
        wait = max(wait, held, note.ahead(note.next, NEXT_MAX_S))
        note.next = note.now + wait + interval
    return wait


def hold(folder: Path, host: str, seconds: float) -> None:
    """Have all processes respect the ``Retry-After`` of a host."""
    with _noted(folder, host) as note:
        note.held_until = max(
            note.now + note.ahead(note.held_until, HELD_MAX_S), note.now + seconds
        )


def held(folder: Path, host: str) -> float:
    """Return the seconds until the end of a host's ``Retry-After``."""
    with _noted(folder, host) as note:
        return note.ahead(note.held_until, HELD_MAX_S)


class _Note:
    """The times in the file of a host, in seconds since the epoch."""

    def __init__(self, text: str) -> None:
        self.now = time.time()
        self.next = self.held_until = 0.0
        with contextlib.suppress(ValueError):
            self.next, self.held_until = map(float, text.split())

    def ahead(self, moment: float, most: float) -> float:
        """Return the seconds until a time; 0 if it is past or implausible."""
        wait = moment - self.now
        return wait if 0.0 < wait <= most else 0.0


@contextmanager
def _noted(folder: Path, host: str) -> Iterator[_Note]:
    path = folder / FOLDER / hashlib.sha256(host.encode("utf-8", "replace")).hexdigest()[:16]
    with contextlib.ExitStack() as stack:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            stack.callback(os.close, descriptor)
            for made in (path.parent, path):
                hand_over(made)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            note = _Note(os.read(descriptor, 200).decode("ascii", "replace"))
        except OSError:
            yield _Note("")
            return
        before = note.next, note.held_until
        yield note
        if before != (note.next, note.held_until):
            with contextlib.suppress(OSError):
                text = f"{note.next:.3f} {note.held_until:.3f}".encode("ascii")
                os.pwrite(descriptor, text, 0)
                os.ftruncate(descriptor, len(text))
