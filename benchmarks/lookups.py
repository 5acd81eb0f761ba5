"""Ten thousand look-ups: with a server that is dead, and how fast one that is there is asked.

    python -m benchmarks.lookups [--songs 10000]

The chooser of the service with LRCLIB, against sockets on this machine. The report has the requests
that reached the server, as a share of what the songs would need and of what the rate limit allows,
and the growth of memory.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lyricsyncd.errors import LyricsNotFound, SourceError
from lyricsyncd.http import Web, rate_limit
from lyricsyncd.http.response_cache import ResponseCache
from lyricsyncd.lyrics import choose
from lyricsyncd.lyrics.lrclib import LrclibSource
from lyricsyncd.model import Track

NOT_FOUND = b'{"message":"Failed to find specified track","name":"TrackNotFound","statusCode":404}'


@dataclass
class Knocks:
    """Times of the requests; monotonic seconds."""

    at: list[float] = field(default_factory=list)


@contextlib.contextmanager
def server(kind: str) -> Iterator[tuple[str, Knocks]]:
    """A server that hangs up (``hangs up``), never answers (``silent``), or has nothing."""
    knocks, over = Knocks(), threading.Event()
    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        listener.settimeout(0.1)

        def serve() -> None:
            while not over.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                knocks.at.append(time.monotonic())
                if kind == "silent":
                    kept.append(connection)
                    continue
                if kind == "has nothing":
                    connection.recv(65536)
                    head = f"HTTP/1.1 404 Not Found\r\nContent-Length: {len(NOT_FOUND)}\r\n"
                    connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + NOT_FOUND)
                connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", knocks
        finally:
            over.set()
            thread.join()
            for connection in kept:
                connection.close()


def memory_mb() -> float:
    """Most memory that the process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(kind: str, songs: int, folder: Path, web: Web) -> None:
    """Look up songs and tell what came of it."""
    rate_limit.forget()
    answers: dict[str, int] = {}
    with server(kind) as (url, knocks):
        source = LrclibSource(url, web)
        with contextlib.suppress(SourceError, LyricsNotFound):
            choose(Track(artist="first", title="first"), [source])
        before, began = memory_mb(), time.monotonic()
        for number in range(songs):
            track = Track(artist=f"Artist {number}", title=f"Title {number}", duration=200.0)
            try:
                choose(track, [source])
            except (SourceError, LyricsNotFound) as error:
                name = type(error).__name__
                answers[name] = answers.get(name, 0) + 1
        took = time.monotonic() - began
        grown = memory_mb() - before
    span = max(knocks.at) - min(knocks.at) if len(knocks.at) > 1 else 0.0
    rate = (len(knocks.at) - 1) * web.interval / span if span else 0.0
    size = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
    print(
        f"{kind}: {songs} songs in {took:.1f} s: {answers}; questions a song:"
        f" {len(knocks.at) / songs:.4f}; share of the allowed rate: {rate:.2f};"
        f" memory grew by {grown:.1f} MB; cache {size:.1f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=10_000)
    songs = parser.parse_args().songs
    with tempfile.TemporaryDirectory() as folder:
        cache = ResponseCache(Path(folder) / "answers.sqlite")
        measure("hangs up", songs, Path(folder), Web(cache=cache))
        measure("silent", songs, Path(folder), Web(timeout=1.0, cache=cache))
        # At the pace of the service this would take hours; at a hundredth of it, it shows as well.
        quick = Web(interval=0.002, cache=cache)
        measure("has nothing", min(songs, 2000), Path(folder), quick)


if __name__ == "__main__":
    main()
