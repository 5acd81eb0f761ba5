"""Check the hosts that lyrics are looked up at."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lyricsyncd.findings import Finding, ok, warning
from lyricsyncd.lyrics import opened
from lyricsyncd.lyrics.base import hosts_of

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config


def hosts(config: Config) -> Iterator[Finding]:
    """Check that the hosts of all configured sources can be reached; nothing is requested."""
    contacted = dict.fromkeys(addresses(config))
    if not contacted:
        yield ok("network", "no source of lyrics is contacted: nothing leaves the computer")
        return
    # All at once: a network that is away lets each wait until its time is out.
    with ThreadPoolExecutor(len(contacted)) as threads:
        for (name, host, _), why in zip(contacted, threads.map(_why_away, contacted), strict=True):
            if not why:
                yield ok("network", f"{host} can be reached ({name})")
                continue
            yield warning(
                "network",
                f"{host} cannot be reached: {why} ({name})",
                "Check the network; songs wait meanwhile. Or set `lyrics: {order: [local]}`",
            )


Address = tuple[str, str, int]
"""The name of a source, and a host and port that it contacts."""


def addresses(config: Config) -> Iterator[Address]:
    """List what is contacted to identify songs and to look their lyrics up."""
    urls = [
        (source.name, url)
        for source in opened.sources(config)
        if source.idle is None
        for url in hosts_of(source)
    ]
    if config.identify.acoustid_key is not None:
        urls.append(("acoustid", config.identify.acoustid_url))
    for name, url in urls:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        yield name, parts.hostname or "", port


def _why_away(address: Address) -> str:
    """Return why there is no connection to a host; empty where there is one."""
    _, host, port = address
    try:
        socket.create_connection((host, port), timeout=5.0).close()
    except (OSError, UnicodeError) as error:
        return getattr(error, "strerror", None) or str(error)
    return ""
