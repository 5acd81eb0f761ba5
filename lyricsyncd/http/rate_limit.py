"""Limit the rate of requests to each host, and back off from hosts that fail.

One limit holds for the whole process, and for all processes of this computer
(`lyricsyncd.http.shared_rate_limit`). A ``Retry-After`` of a host is respected; from a host that
fails or refuses several times in a row we back off for longer and longer, so that thousands of
songs do not each cause a request in vain.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lyricsyncd.errors import Refused, SourceError, Unreachable
from lyricsyncd.http import shared_rate_limit

AT_ONCE = 2
"""Most requests to one host at the same time."""
FAILURES = 3
"""Failed requests in a row after which we back off."""
PAUSES_S = (30.0, 120.0, 600.0, 3600.0)
"""Successive back-offs in seconds; the last one repeats."""
AWAY_PAUSES_S = (30.0, 60.0, 120.0, 300.0)
"""The same where no connection was possible. The cause is likely our own network, so one such
request is enough, and further ones are no burden for the host."""
HOLD_MAX_S = 3600.0
"""Longest ``Retry-After`` that is respected."""


@dataclass
class _Host:
    """The state of a host; times are monotonic seconds."""

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
    """A back-off from a host."""

    host: str
    until: float
    """Its end in monotonic seconds; in the past where the next request is to test the host."""
    why: str
    """The reason in one line."""

    @property
    def seconds(self) -> float:
        """Seconds until its end."""
        return max(0.0, self.until - time.monotonic())


class Held(Exception):
    """No request may be sent to a host at present.

    Attributes
    ----------
    error : SourceError
        The reason; its ``retry_after`` is the time until requests may be sent again.
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
    """Forget the state of all hosts."""
    with _hosts_lock:
        _hosts.clear()


def rests() -> list[Rest]:
    """Return the back-offs of hosts, and those that are over but without a response since."""
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
    """Return whether we back off from a host at present."""
    return any(rest.host == name and rest.seconds > 0 for rest in rests())


def failing(name: str) -> bool:
    """Return whether a host has failed, and has not answered since."""
    return _host(name).failure is not None


def end_rests(requested_ago: float = 0.0) -> None:
    """End the back-offs of hosts that failed; a ``Retry-After`` of a host is still respected.

    Parameters
    ----------
    requested_ago : float
        Seconds since the user requested this: a host that failed after that is excepted.
    """
    requested_at = time.monotonic() - requested_ago
    with _hosts_lock:
        hosts = list(_hosts.values())
    for host in hosts:
        with host.lock:
            if host.failed_at <= requested_at:
                host.failed_until = 0.0


@contextmanager
def turn(
    name: str,
    *,
    interval: float,
    max_wait: float,
    folder: Path | None = None,
) -> Iterator[None]:
    """Wait until a request may be sent to a host, which is to be done within the context.

    Parameters
    ----------
    folder : Path, optional
        The folder of the limits that the processes of this computer share.

    Raises
    ------
    Held
        Its ``Retry-After`` is longer than ``max_wait`` seconds, or it has failed too often of
        late.
    """
    host = _host(name)
    with host.gate:
        with host.lock:
            now = time.monotonic()
            if host.failure is not None and host.failed_until > now:
                raise Held(_still(host.failure, host.failed_until - now))
            if host.held_until - now > max_wait:
                raise Held(too_many(name, host.held_until - now))
            when = max(now, host.next, host.held_until)
            if folder is not None:
                wait = shared_rate_limit.take(
                    folder, name, wait=when - now, interval=interval, max_wait=max_wait
                )
                if wait is None:
                    raise Held(too_many(name, shared_rate_limit.held(folder, name)))
                when = now + wait
            host.next = when + interval
        time.sleep(when - now)
        yield


def hold(name: str, seconds: float, folder: Path | None = None) -> None:
    """Respect the ``Retry-After`` of a host; in all processes, with a folder as for `turn`."""
    if folder is not None:
        shared_rate_limit.hold(folder, name, min(max(0.0, seconds), HOLD_MAX_S))
    host = _host(name)
    with host.lock:
        host.held_until = max(
            host.held_until, time.monotonic() + min(max(0.0, seconds), HOLD_MAX_S)
        )


def answered(name: str) -> None:
    """Record that a host has answered, if only with "not found"."""
    host = _host(name)
    with host.lock:
        host.failures, host.failure = 0, None


def failed(name: str, error: SourceError, *, away: bool = False) -> None:
    """Record that a request has failed, after all attempts.

    Parameters
    ----------
    away : bool
        No connection to the host was possible.
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
    """Make the error for a host that accepts no more requests at present."""
    when = f" for {wait:.0f} seconds" if wait else ""
    message = f"{name} accepts no more requests{when}"
    return Refused(message, transient=True, retry_after=wait, host=name)


def _still(error: SourceError, wait: float) -> SourceError:
    kind = Refused if isinstance(error, Refused) else Unreachable
    return kind(
        f"{error.message}; it is tried again in {max(1.0, wait):.0f} seconds",
        remedy=error.remedy,
        transient=True,
        retry_after=wait,
        host=error.host,
    )
