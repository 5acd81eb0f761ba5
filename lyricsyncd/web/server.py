"""Run the web server in a thread of its own, and restart it where it ends.

A port that is in use does not keep the service from its songs: it is logged, and tried again.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from typing import Any

from lyricsyncd.config.schema import Tokens, Web
from lyricsyncd.config.values import host_and_port
from lyricsyncd.web.context import ServiceContext

log = logging.getLogger(__name__)

_AGAIN_S = 30.0
_BACKLOG = 1024
"""Connections that the system keeps until we accept them."""
_LINGER_S = 1
"""How long requests may go on when the server is asked to stop."""


class WebServer:
    """The server of the control interface; `start`, `check` and `stop` belong to one thread."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._settings = Web(listen=None)
        self._tokens = Tokens()
        self._running: _Running | None = None
        self._again_at = 0.0
        self._logged = False

    @property
    def address(self) -> str | None:
        """The address that it listens on, with the real port where 0 was configured."""
        return None if self._running is None else self._running.address

    def start(self, settings: Web) -> None:
        """Serve with other settings from now on.

        Raises
        ------
        ConfigError
            The token cannot be read, or can be guessed; nothing changes.
        """
        tokens = settings.shown_tokens()
        if self._running is not None and (settings, tokens) == (self._settings, self._tokens):
            return
        self.stop()
        self._settings, self._tokens = settings, tokens
        self._again_at, self._logged = 0.0, False
        self.check()

    def check(self) -> None:
        """Start the server where that failed before, or where it ended; call it periodically."""
        if self._running is not None and not self._running.alive:
            log.error("the control interface has ended: it is started again")
            self.stop()
        now = time.monotonic()
        if self._settings.listen is None or self._running is not None or now < self._again_at:
            return
        self._again_at = now + _AGAIN_S
        try:
            listening = _listen(*host_and_port(self._settings.listen))
        except OSError as error:
            if not self._logged:
                why = error.strerror or str(error)
                log.error("cannot listen on %s (%s): will try again", self._settings.listen, why)
            self._logged = True
            return
        self._logged = False
        self._running = _Running(self._context, listening, self._settings, self._tokens)
        log.info("listening on http://%s", self.address)

    def stop(self) -> None:
        """Serve no more."""
        if self._running is not None:
            self._running.stop()
            self._running = None


def _listen(host: str, port: int) -> socket.socket:
    (family, _, _, _, address), *_ = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    # asyncio turns Nagle's algorithm off only where the protocol is named: with it, each answer on
    # a connection that is kept waits 40 ms for a delayed acknowledgement.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # "::" is for both kinds of addresses.
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


class _Running:
    """A server that serves."""

    def __init__(
        self,
        context: ServiceContext,
        listening: socket.socket,
        settings: Web,
        tokens: Tokens,
    ) -> None:
        from lyricsyncd.playback.maker import Maker
        from lyricsyncd.web.app import application
        from lyricsyncd.web.separating import SongSeparator
        from lyricsyncd.web.sessions import Sessions
        from lyricsyncd.web.stream import Stream
        from lyricsyncd.web.uvicorn_server import server

        name: Any = listening.getsockname()
        self.address = f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"
        self._listening = listening
        self._stream = Stream(context.catalog)
        sessions = Sessions(context.catalog, tokens)
        host, _ = host_and_port(settings.listen or self.address)
        self._separator = SongSeparator(context.config)
        self._maker = Maker(self._separator)
        app = application(
            context,
            sessions=sessions,
            host=host,
            origins=settings.origins,
            page=settings.page,
            stream=self._stream,
            maker=self._maker,
        )
        self._server = server(app, listening, linger_s=_LINGER_S)
        self._thread = threading.Thread(target=self._serve, name="web", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        self._stream.close()
        self._maker.close()
        self._separator.close()
        self._server.end()
        self._thread.join(2 * _LINGER_S)
        self._listening.close()

    def _serve(self) -> None:
        # uvicorn leaves by SystemExit where it cannot go on.
        with contextlib.suppress(SystemExit):
            try:
                self._server.run(sockets=[])
            except Exception:
                log.exception("the control interface failed")
