"""Limit the connections of the control interface in number and time.

uvicorn waits for a request without end, and asyncio accepts connections until no descriptor is
left. Here the sockets are accepted one by one. A connection whose client is late is closed after a
timeout, and at once where a new one needs its place: a client that keeps connections open can
neither lock others out nor take the descriptors that songs need.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

log = logging.getLogger(__name__)

AT_ONCE = 64
"""Open connections, at most."""
REQUEST_S = 10.0
"""How long the head of a request may take to arrive, from the connection or the last answer on."""
ANSWER_S = 60.0
"""How long a client may take to read an answer."""
_FEWEST = 16
_ACCEPTED_AT_ONCE = 8
_FULL_S = 0.02
"""How long the next ones wait in the system's queue where there is no room."""
_PAUSE_S = 1.0
"""After an accept that failed, for want of descriptors, say."""
_QUIET_S = 60.0


def most_connections() -> int:
    """Return how many connections may be open, so that most descriptors remain for the songs."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return AT_ONCE
    return max(_FEWEST, min(AT_ONCE, soft // 8))


class Connection(H11Protocol):
    """A connection that records whether, and since when, it waits for its client."""

    on_lost: Callable[[Connection], None] | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.address = "?"
        self.since = self.loop.time()
        """When it began to wait for the next request."""
        self._read = False
        """Return whether all that the client has sent was read."""
        self._unread_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # The next turn of the loop reads what has come, so after that one.
        self.loop.call_soon(self.loop.call_soon, self._was_read)

    def _was_read(self) -> None:
        self._read = True

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.on_lost is not None:
            self.on_lost(self)

    def on_response_complete(self) -> None:
        self.since = self.loop.time()
        super().on_response_complete()

    @property
    def waits(self) -> bool:
        """Return whether the client has to send the rest of a request, or to read a response."""
        if not self._read:
            return False
        return self._awaits_request or self.cycle.more_body or self._unread

    def overdue(self, now: float) -> bool:
        """Return whether the client has taken too long; to be called about once a second."""
        if self.transport is None:
            return False
        self._unread_since = (self._unread_since or now) if self._unread else None
        if self._unread_since is not None:
            return now - self._unread_since > ANSWER_S
        return self._awaits_request and now - self.since > REQUEST_S

    @property
    def _awaits_request(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    @property
    def _unread(self) -> bool:
        return self.transport.get_write_buffer_size() > 0


def superseded(connections: Iterable[Connection]) -> Connection | None:
    """Choose the connection to close for a new one; ``None`` while none waits for its client.

    Of the address that has most connections, it is the one that has waited longest.
    """
    connections = list(connections)
    held = Counter(each.address for each in connections)
    waiting = [each for each in connections if each.waits]
    return min(waiting, key=lambda each: (-held[each.address], each.since), default=None)


class Acceptor:
    """Accept connections on a socket, in the loop that is running.

    Parameters
    ----------
    listening : socket.socket
    make : callable
        Makes the protocol of a connection.
    at_most : int
        How many connections may be open.
    """

    def __init__(
        self, listening: socket.socket, make: Callable[[], Connection], at_most: int
    ) -> None:
        self._listening = listening
        self._make = make
        self._at_most = at_most
        self._loop = asyncio.get_running_loop()
        self._open: dict[Connection, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._retry: asyncio.TimerHandle | None = None
        listening.setblocking(False)
        self._listen()

    def close(self) -> None:
        """Accept no more."""
        if self._retry is not None:
            self._retry.cancel()
        self._loop.remove_reader(self._listening)

    def close_overdue(self) -> None:
        """Close the connections whose clients take too long; to be called once a second."""
        now = self._loop.time()
        for each in list(self._open):
            if each.overdue(now):
                each.transport.abort()

    def _listen(self) -> None:
        self._retry = None
        self._loop.add_reader(self._listening, self._accept)

    def _listen_after(self, seconds: float) -> None:
        self._loop.remove_reader(self._listening)
        self._retry = self._loop.call_later(seconds, self._listen)

    def _accept(self) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            full = len(self._open) >= self._at_most
            old = superseded(self._open) if full else None
            if full and old is None:
                self._listen_after(_FULL_S)
                return
            try:
                accepted, address = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                log.error("no connection can be accepted: %s", error.strerror)
                self._listen_after(_PAUSE_S)
                return
            if old is not None:
                log.warning("%d connections are open: the idlest are closed", self._at_most)
                self._forget(old)
                old.transport.abort()
            connection = self._make()
            connection.address = str(address[0])
            connection.on_lost = self._forget
            self._open[connection] = None
            task = self._loop.create_task(self._connect(connection, accepted))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _forget(self, connection: Connection) -> None:
        self._open.pop(connection, None)

    async def _connect(self, connection: Connection, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        try:
            await self._loop.connect_accepted_socket(lambda: connection, accepted)
        except OSError:
            accepted.close()
            self._forget(connection)


class RateLimit(logging.Filter):
    """Pass each message once a minute: clients can cause some as often as they like."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._last: dict[tuple[object, ...], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        cause = record.exc_info[0] if record.exc_info else None
        key = (record.name, str(record.msg).partition("\n")[0], cause)
        now = self._clock()
        at, left_out = self._last.get(key, (None, 0))
        if at is not None and now - at < _QUIET_S:
            self._last[key] = at, left_out + 1
            return False
        if len(self._last) >= 256:
            self._last.clear()
        self._last[key] = now, 0
        if left_out:
            record.msg = f"{record.msg} ({left_out} more of these since the last)"
        return True


_RATE_LIMIT = RateLimit()


def limit_log_rate() -> None:
    """Limit the rate of messages that clients can cause."""
    for name in (__name__, "uvicorn.error", "asyncio"):
        logging.getLogger(name).addFilter(_RATE_LIMIT)
