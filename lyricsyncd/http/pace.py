"""When a host may be asked: one question after the other, and none to a host in trouble.

Kept for the whole process, since a host does not care which part of it asks, and the pace among all
processes of this computer (`turns`). A host that asked to
be left alone (``Retry-After``) is; one that fails several times running is left alone for a while
that grows, and so is one that keeps refusing: thousands of songs must not knock at a closed door.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lyricsyncd.errors import Refused, SourceError, Unreachable
from lyricsyncd.http import turns

AT_ONCE = 2
"""Questions that one host is asked at the same time."""
FAILURES = 3
"""Failed questions in a row after which a host is left alone."""
PAUSES_S = (30.0, 120.0, 600.0, 3600.0)
"""For how long; the last one repeats."""
HOLD_MAX_S = 3600.0
"""A host that asks for longer than this is asked again after it, all the same."""


@dataclass
class _Host:
    """What is known of a host; monotonic seconds."""

    next: float = 0.0
    held_until: float = 0.0
    failures: int = 0
    failed_until: float = 0.0
    failure: SourceError | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    gate: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(AT_ONCE)
    )


class Held(Exception):
    """A host is not asked now.

    Attributes
    ----------
    error : SourceError
        Why; its ``retry_after`` tells when that is over.
    """

    def __init__(self, error: SourceError) -> None:
        super().__init__(error.message)
        self.error = error


_hosts: dict[str, _Host] = {}
_hosts_lock = threading.Lock()


def _host(name: str) -> _Host:
    with _hosts_lock:
        return _hosts.setdefault(name, _Host())


def forget() -> None:
    """Begin anew, as a process that has asked nobody yet."""
    with _hosts_lock:
        _hosts.clear()


@contextmanager
def turn(
    name: str, *, interval: float, patience: float, folder: Path | None = None
) -> Iterator[None]:
    """Wait until a host may be asked, and ask it within.

    Parameters
    ----------
    folder : Path, optional
        Where the processes of this computer tell each other of their turns (`turns`).

    Raises
    ------
    Held
        It wants to be left alone for longer than ``patience`` seconds, or has failed too often of
        late.
    """
    host = _host(name)
    with host.gate:
        with host.lock:
            now = time.monotonic()
            if host.failure is not None and host.failed_until > now:
                raise Held(_still(host.failure, host.failed_until - now))
            if host.held_until - now > patience:
                raise Held(too_many(name, host.held_until - now))
            when = max(now, host.next, host.held_until)
            if folder is not None:
                wait = turns.take(
                    folder, name, wait=when - now, interval=interval, patience=patience
                )
                if wait is None:
                    raise Held(too_many(name, turns.held(folder, name)))
                when = now + wait
            host.next = when + interval
        time.sleep(when - now)
        yield


def hold(name: str, seconds: float, folder: Path | None = None) -> None:
    """Leave a host alone, as it asked; in all processes, with a folder as for `turn`."""
    if folder is not None:
        turns.hold(folder, name, min(max(0.0, seconds), HOLD_MAX_S))
    host = _host(name)
    with host.lock:
        host.held_until = max(
            host.held_until, time.monotonic() + min(max(0.0, seconds), HOLD_MAX_S)
        )


def answered(name: str) -> None:
    """A host answered, if only that there is no such thing."""
    host = _host(name)
    with host.lock:
        host.failures, host.failure = 0, None


def failed(name: str, error: SourceError) -> None:
    """A question failed, after all attempts."""
    host = _host(name)
    with host.lock:
        host.failures += 1
        over = host.failures - FAILURES
        if over >= 0:
            host.failure = error
            pause = PAUSES_S[min(over, len(PAUSES_S) - 1)]
            host.failed_until = time.monotonic() + pause


def too_many(name: str, wait: float | None) -> Refused:
    """The error for a host that wants no more questions."""
    when = f" for {wait:.0f} seconds" if wait else ""
    return Refused(f"{name} wants no more questions{when}", transient=True, retry_after=wait)


def _still(error: SourceError, wait: float) -> SourceError:
    kind = Refused if isinstance(error, Refused) else Unreachable
    return kind(
        f"{error.message}; it is left alone for {max(1.0, wait):.0f} seconds",
        remedy=error.remedy,
        transient=True,
        retry_after=wait,
    )
