"""A deadline for a whole response of a web service, head and body.

The time-outs of the HTTP library restart with every byte, so that a slow head could block a thread
for days.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx2

_LEAST_S = 0.001
"""A time-out of zero would mean "do not wait" to a socket."""


class Deadline(threading.local):
    """The time by which this thread's response must be complete, in monotonic seconds."""

    at = float("inf")

    @property
    def passed(self) -> bool:
        return time.monotonic() >= self.at

    def shorten(self, timeout: float | None) -> float:
        """Shorten a time-out to end at the deadline at the latest."""
        remaining = max(_LEAST_S, self.at - time.monotonic())
        return remaining if timeout is None else min(timeout, remaining)


class _Stream:
    """A connection whose reads and writes end at the deadline of the calling thread."""

    def __init__(self, inner: Any, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        read: bytes = self._inner.read(max_bytes, self._deadline.shorten(timeout))
        return read

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.shorten(timeout))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Stream:
        timeout = self._deadline.shorten(timeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._deadline)

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend:
    """A backend of the library that opens such connections."""

    def __init__(self, inner: Any, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def connect_tcp(self, *arguments: Any, **options: Any) -> _Stream:
        return _Stream(self._inner.connect_tcp(*arguments, **options), self._deadline)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


def install(client: httpx2.Client, deadline: Deadline) -> None:
    """Apply the deadline to all connections of a client, also those through a proxy.

    The library has an option for this only in the constructor of a connection pool, and then
    ignores the proxies of the environment.
    """
    transports: list[Any] = [client._transport, *client._mounts.values()]
    for transport in transports:
        if transport is not None:
            pool = transport._pool
            pool._network_backend = _Backend(pool._network_backend, deadline)
