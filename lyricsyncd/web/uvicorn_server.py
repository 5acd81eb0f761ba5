"""Serve with uvicorn, in a module of its own: it is loaded only once the interface listens."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

import anyio.to_thread
import uvicorn

from lyricsyncd.web.connections import Acceptor, Connection, limit_log_rate, most_connections


class Server(uvicorn.Server):
    """Wake once a second for the clock in answers, and not ten times to check for the end,
    which would be most of an idle service's work. Connections are accepted by `Acceptor`."""

    _loop: asyncio.AbstractEventLoop | None = None
    _acceptor: Acceptor

    def __init__(self, config: uvicorn.Config, listening: socket.socket) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._acceptor = Acceptor(self._listening, self._connection, most_connections())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._acceptor.close()
        await super().shutdown(sockets)

    def _connection(self) -> Connection:
        return Connection(
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
            _loop=self._loop,
        )

    async def main_loop(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        # anyio loads most of itself at its first use: no request should wait for that.
        await anyio.to_thread.run_sync(lambda: None)
        # In uvicorn's count of tenths.
        while not await self.on_tick(counter=0):
            self._acceptor.close_overdue()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._end.wait(), timeout=1.0)

    def end(self) -> None:
        """End it; called from any thread."""
        self.should_exit = True
        if self._loop is not None:
            # The loop may have closed already.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._end.set)


def server(app: Any, listening: socket.socket, *, linger_s: int) -> Server:
    """Make a server.

    Parameters
    ----------
    app
        An ASGI application.
    linger_s : int
        Seconds for which requests may go on when it is asked to stop.
    """
    limit_log_rate()
    config = uvicorn.Config(
        app,
        # Plain HTTP needs neither a compiled loop nor other protocols.
        loop="asyncio",
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=linger_s,
    )
    return Server(config, listening)
