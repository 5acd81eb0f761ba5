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
AWAY_PAUSES_S = (30.0, 60.0, 120.0, 300.0)
"""The same after a question for which there was no connection at all. That is rather our network's
fault, so the first such question is enough, and trying again burdens nobody."""
HOLD_MAX_S = 3600.0
"""A host that asks for longer than this is asked again after it, all the same."""


@dataclass
class _Host:
    """What is known of a host; monotonic seconds."""

    next: float = 0.0
    held_until: float = 0.0
    failures: int = 0
    failed_at: float = 0.0
    failed_until: float = 0.0
    failure: SourceError | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    gate: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(AT_ONCE)
    )


@dataclass(frozen=True, slots=True)
class Rest:
    """A host that is left alone for a while."""

    host: str
    until: float
    """Monotonic seconds; past where the next question is to show how the host is."""
    why: str
    """One line for a person."""

    @property
    def seconds(self) -> float:
        """Until it is asked again."""
        return max(0.0, self.until - time.monotonic())


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


def rests() -> list[Rest]:
    """The hosts that are left alone, and those that have not answered since."""
    with _hosts_lock:
        hosts = list(_hosts.items())
    now, found = time.monotonic(), []
    for name, host in hosts:
        if host.failure is not None:
            until = max(host.held_until, host.failed_until)
            found.append(Rest(name, until, host.failure.message))
        elif host.held_until > now:
            found.append(Rest(name, host.held_until, too_many(name, None).message))
    return found


def resting(name: str | None) -> bool:
    """Whether a host is left alone now."""
    return any(rest.host == name and rest.seconds > 0 for rest in rests())


def failing(name: str) -> bool:
    """Whether a host has been left alone, and has not answered since."""
    return _host(name).failure is not None


def end_rests(asked_ago: float = 0.0) -> None:
    """Ask again at once the hosts that failed. A host's own wish to be left alone is kept to.

    Parameters
    ----------
    asked_ago : float
        Seconds since a person asked for this: a host that failed after that is left alone.
    """
    asked_at = time.monotonic() - asked_ago
    with _hosts_lock:
        hosts = list(_hosts.values())
    for host in hosts:
        with host.lock:
            if host.failed_at <= asked_at:
                host.failed_until = 0.0


@contextmanager
def turn(
    name: str,
    *,
    interval: float,
    patience: float,
    folder: Path | None = None,
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


def failed(name: str, error: SourceError, *, away: bool = False) -> None:
    """A question failed, after all attempts.

    Parameters
    ----------
    away : bool
        There was no connection to the host.
    """
    host = _host(name)
    with host.lock:
        host.failures += 1
        host.failed_at = time.monotonic()
        over = host.failures - (1 if away else FAILURES)
        if over >= 0 or host.failure is not None:
            host.failure = error
            pauses = AWAY_PAUSES_S if away else PAUSES_S
            host.failed_until = host.failed_at + pauses[min(max(over, 0), len(pauses) - 1)]


def too_many(name: str, wait: float | None) -> Refused:
    """The error for a host that wants no more questions."""
    when = f" for {wait:.0f} seconds" if wait else ""
    message = f"{name} wants no more questions{when}"
    return Refused(message, transient=True, retry_after=wait, host=name)


def _still(error: SourceError, wait: float) -> SourceError:
    kind = Refused if isinstance(error, Refused) else Unreachable
    return kind(
        f"{error.message}; it is left alone for {max(1.0, wait):.0f} seconds",
        remedy=error.remedy,
        transient=True,
        retry_after=wait,
        host=error.host,
    )
