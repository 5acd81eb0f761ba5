"""A day of a service at rest, in minutes: does anything grow?

    python -m benchmarks.day [--days 3] [--songs 1200]

What happens to an idle service in a day is done to it at once: it is asked for its status, songs,
figures and lyrics, given events of songs that play, its event stream is read, its libraries are
scanned, files come and go, its configuration is read anew, and a music server is polled in vain.
Memory, descriptors and threads after each day are reported; the first one warms up.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import itertools
import json
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote, urlsplit

from benchmarks.daemon import ServiceContext, fill, reported, usage

ASKED, PLAYED, LISTENED, SCANNED, CAME, READ_ANEW = 8640, 300, 100, 24, 50, 4
"""A day: the status every 10 s, some hours of music, a page that is opened now and then, a scan an
hour, an album or two, and the configuration."""
SONG = Path(__file__).parent.parent / "demo" / "songs" / "The_Star.mp3"


class Nothing(BaseHTTPRequestHandler):
    """A music server with nothing new."""

    def do_GET(self) -> None:
        body = {"subsonic-response": {"status": "ok", "version": "1.16.1", "openSubsonic": True}}
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815 - as the server calls it

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def music_server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Nothing)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


class Visitor:
    """A client of the service, over a new connection every time, and from another address:
    none may ask as often."""

    def __init__(self, url: str) -> None:
        self.host = urlsplit(url).netloc
        self._addresses = itertools.cycle(f"127.0.0.{number}" for number in range(2, 40))

    def _connection(self) -> http.client.HTTPConnection:
        source = (next(self._addresses), 0)
        return http.client.HTTPConnection(self.host, timeout=60, source_address=source)

    def ask(self, path: str, body: object = None) -> int:
        connection = self._connection()
        with contextlib.closing(connection):
            headers = {"Content-Type": "application/json"}
            content = None if body is None else json.dumps(body)
            connection.request("GET" if body is None else "POST", path, content, headers)
            response = connection.getresponse()
            response.read()
            if response.status == 429:
                raise SystemExit("the service is asked faster than it allows")
            return response.status

    def listen(self) -> None:
        """Hear the first of what the service tells, and go away without a word."""
        connection = self._connection()
        with contextlib.closing(connection):
            connection.request("GET", "/api/v1/events", headers={"Accept": "text/event-stream"})
            connection.getresponse().read(10)


def day(api: ServiceContext, pid: int, visitor: Visitor, songs: list[Path]) -> None:
    """All that a day brings, spread evenly."""
    pages = ("/api/v1/status", "/api/v1/tracks?limit=50", "/metrics", "/healthz")
    for number in range(ASKED):
        visitor.ask(pages[number % len(pages)])
        song = songs[number % len(songs)]
        if number % (ASKED // PLAYED) == 0:
            visitor.ask("/api/v1/events", {"event": "playing", "path": str(song)})
            visitor.ask("/api/v1/events", {"event": "playing", "tags": {"title": song.stem}})
            visitor.ask(f"/api/v1/lyrics?path={quote(str(song))}")
        if number % (ASKED // LISTENED) == 0:
            visitor.listen()
        if number % (ASKED // SCANNED) == 0:
            visitor.ask("/api/v1/events", {"event": "imported", "path": str(song.parent.parent)})
        if number % (ASKED // CAME) == 0:
            new = api.music / "coming and going.mp3"
            new.write_bytes(SONG.read_bytes())
            new.unlink()
        if number % (ASKED // READ_ANEW) == 0:
            os.kill(pid, signal.SIGHUP)


def settle(pid: int) -> tuple[float, int, int]:
    """MB, descriptors and threads, once all events are worked off."""
    time.sleep(6.0)
    megabytes, descriptors, _ = usage(pid)
    return megabytes, descriptors, len(list(Path(f"/proc/{pid}/task").iterdir()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=3, help="besides the one that warms up")
    parser.add_argument("--songs", type=int, default=1200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, music_server() as server:
        api = ServiceContext(Path(folder))
        settings = json.loads(api.config.read_text())
        settings["opensubsonic"] = {"url": server, "user": "me", "password": "x", "poll": "5s"}
        settings["daemon"]["settle"] = 0.5
        api.config.write_text(json.dumps(settings))
        fill(api.music, options.songs)
        api.call("pause")
        with api.service() as pid:
            api.until_known(options.songs)
            visitor = Visitor(api.url)
            songs = sorted(api.music.rglob("*.flac"))
            before = (0.0, 0, 0)
            first = before
            for number in range(options.days + 1):
                began = time.monotonic()
                day(api, pid, visitor, songs)
                now = settle(pid)
                grown = ", ".join(f"{a - b:+.1f}" for a, b in zip(now, before, strict=True))
                print(
                    f"day {number} in {time.monotonic() - began:.0f} s: {now[0]:.1f} MB,"
                    f" {now[1]} descriptors, {now[2]} threads ({grown})",
                    flush=True,
                )
                first, before = (now if number == 0 else first), now
            reported("memory", before[0], "MB", 80)
            reported("growth of memory a day", (before[0] - first[0]) / options.days, "MB", 0.5)
            reported("growth of descriptors", before[1] - first[1], "", 0)
            reported("growth of threads", before[2] - first[2], "", 0)


if __name__ == "__main__":
    main()
