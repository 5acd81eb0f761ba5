"""Check the hosts that lyrics are looked up at."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lyricsyncd.findings import Finding, ok, warning

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config


def hosts(config: Config) -> Iterator[Finding]:
    """Check that the host of LRCLIB can be reached; nothing is requested from it."""
    if "lrclib" not in config.lyrics.order:
        yield ok("network", "LRCLIB is not among the sources of lyrics: it is not contacted")
        return
    url = urlsplit(config.lyrics.lrclib.url)
    host = url.hostname or ""
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        socket.create_connection((host, port), timeout=5.0).close()
    except OSError as error:
        why = error.strerror or str(error)
        yield warning(
            "network",
            f"{host} cannot be reached: {why}",
            "Check the network; songs wait until then. Or set `lyrics: {order: [local]}`",
        )
    else:
        yield ok("network", f"{host} can be reached")
