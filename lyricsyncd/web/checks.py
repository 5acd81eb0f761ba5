"""Check the address of the control interface."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lyricsyncd.config.values import host_and_port
from lyricsyncd.errors import LyricsyncError
from lyricsyncd.findings import Finding, failed, ok

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config


def control(config: Config, *, in_use: bool) -> Iterator[Finding]:
    """Check that the control interface can listen, or does.

    Parameters
    ----------
    in_use : bool
        Whether a service runs.
    """
    if config.web.listen is None:
        yield ok("control", "the control interface is switched off")
        return
    try:
        config.web.shown_tokens()
    except LyricsyncError as error:
        yield failed("control", error.message, error.remedy)
        return
    host, port = host_and_port(config.web.listen)
    if in_use:
        yield ok("control", f"the service listens on {config.web.listen}")
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            yield failed(
                "control",
                f"{config.web.listen} cannot be listened on: {error.strerror}",
                "Set `web: {listen: 127.0.0.1:PORT}` to a free port, or to null",
            )
        else:
            yield ok("control", f"{config.web.listen} is free to listen on")
