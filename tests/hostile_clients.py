"""Clients that mean no good, on real sockets: what each opens a connection with, and how it goes
on. Nothing but loopback is ever addressed."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Client:
    """A kind of client.

    Attributes
    ----------
    first : bytes
        What it sends at once.
    more : bytes
        What follows, a byte each time that it is its turn.
    leaves : bool
        Whether it resets the connection right away.
    """

    first: bytes = b""
    more: bytes = b""
    leaves: bool = False


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode("ascii")


def _hello() -> bytes:
    """What a client of HTTPS says first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


_POST = b"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"

KINDS = {
    "idle": Client(),
    "half a head": Client(b"GET /api/v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: "),
    "a slow head": Client(
        b"GET /api/v1/sta", b"tus HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: " + b"a" * 999
    ),
    "no body": Client(_POST + b"Content-Length: 1000\r\n\r\n"),
    "a slow body": Client(_POST + b"Content-Length: 1000\r\n\r\n{", b" " * 998),
    "a body nobody wants": Client(
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n", b" " * 999
    ),
    "gone at once": Client(leaves=True),
    "gone after asking": Client(_get("/metrics"), leaves=True),
    "gone while telling": Client(_POST + b"Content-Length: 9\r\n\r\n{", leaves=True),
    "rubbish": Client(b"\0\xff\r\n\r\n" * 50),
    "rubbish behind a request": Client(_get("/healthz") + b"\r\n\r\n\xfe\xfd" * 50),
    "HTTPS": Client(_hello()),
    "many requests at once": Client(_get("/api/v1/tracks") * 20),
    "reads no answers": Client(_get("/openapi.json") * 50),
    "listens": Client(_get("/api/v1/events")),
    "listens and leaves": Client(_get("/api/v1/events"), leaves=True),
}
"""Clients by what they do."""


@dataclass
class Crowd:
    """Hostile connections to one address, of which the last ``held`` are kept open."""

    address: Address
    held: int = 400
    opened: int = 0
    _sockets: list[tuple[socket.socket, Client, int]] = field(default_factory=list)

    def open(self, client: Client) -> None:
        """Open a connection; one that the server refuses counts, too."""
        self.opened += 1
        connection = socket.socket()
        # Little room for answers that are not read.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.settimeout(5)
        try:
            connection.connect(self.address)
            connection.sendall(client.first)
        except OSError:
            connection.close()
            return
        if client.leaves:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
            return
        connection.setblocking(False)
        self._sockets.append((connection, client, 0))
        while len(self._sockets) > self.held:
            self._sockets.pop(0)[0].close()

    def go_on(self) -> None:
        """Let those who send byte by byte send one more."""
        kept = []
        for connection, client, at in self._sockets:
            try:
                at += connection.send(client.more[at : at + 1]) if at < len(client.more) else 0
            except BlockingIOError:
                pass
            except OSError:
                connection.close()
                continue
            kept.append((connection, client, at))
        self._sockets = kept

    def left_open(self) -> int:
        """How many the server has not closed."""
        count = 0
        for connection, _, _ in self._sockets:
            try:
                while connection.recv(65536):
                    pass
            except BlockingIOError:
                count += 1
            except OSError:
                pass
        return count

    def close(self) -> None:
        for connection, _, _ in self._sockets:
            connection.close()
        self._sockets.clear()


@contextmanager
def crowd(address: Address, held: int = 400) -> Iterator[Crowd]:
    made = Crowd(address, held)
    try:
        yield made
    finally:
        made.close()


def healthy(address: Address, timeout: float = 60) -> int:
    """The status of ``/healthz``, asked for on a new connection."""
    client = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        client.request("GET", "/healthz")
        return client.getresponse().status
    finally:
        client.close()


@dataclass
class Watch:
    """What ``/healthz`` answered, asked again and again: seconds of each, and what went wrong."""

    took: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@contextmanager
def watched(address: Address, every: float = 0.1) -> Iterator[Watch]:
    """Ask for the health all the while."""
    watch, end = Watch(), threading.Event()

    def ask() -> None:
        while not end.wait(every):
            began = time.monotonic()
            try:
                status = healthy(address)
            except (OSError, http.client.HTTPException) as error:
                watch.wrong.append(type(error).__name__)
                continue
            watch.took.append(time.monotonic() - began)
            if status != http.client.OK:
                watch.wrong.append(str(status))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield watch
    finally:
        end.set()
        thread.join()


def attack(
    address: Address,
    count: int,
    *,
    held: int = 400,
    batch: int = 50,
    between: Callable[[int], None] = lambda _opened: None,
) -> None:
    """Open ``count`` connections of all kinds in turn.

    Parameters
    ----------
    held : int
        How many are kept open at once.
    between : callable
        Called after each batch with the count so far.
    """
    kinds = list(KINDS.values())
    with crowd(address, held) as made:
        while made.opened < count:
            for _ in range(min(batch, count - made.opened)):
                made.open(kinds[made.opened % len(kinds)])
            made.go_on()
            between(made.opened)
