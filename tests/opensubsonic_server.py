"""A music server that speaks of OpenSubsonic what we ask: token auth, ``lastScan``, made-up paths.

It answers as Navidrome does, out of songs that a test gives it.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

USER, PASSWORD, API_KEY = "anna", "pässword", "key-1"
Answer = dict[str, Any]


class MusicServer:
    """Songs are OpenSubsonic's ``Child`` objects; those of one ``albumId`` make an album."""

    def __init__(self) -> None:
        self.songs: list[Answer] = []
        self.playing: list[Answer] = []
        self.last_scan: str | None = "2026-01-01T00:00:00Z"
        self.scanning = False
        self.admin = True
        self.asked: list[tuple[str, dict[str, str], str]] = []
        """Method, parameters and user agent of each request."""
        self.url = ""

    def add(self, id: int, album: str, **more: Any) -> Answer:
        song: Answer = {
            "id": f"s{id}",
            "albumId": album,
            "isDir": False,
            "isVideo": False,
            "title": f"Song {id}",
            "album": album,
            "artist": "Artist",
            "duration": 200,
            "type": "music",
            "created": f"2026-01-01T{id % 24:02}:00:00Z",
            **more,
        }
        self.songs.append(song)
        return song

    def count(self, method: str) -> int:
        return sum(1 for asked, _, _ in self.asked if asked == method)

    def answer(self, method: str, given: dict[str, str]) -> Answer:
        if error := self._refused(given):
            return error
        answer: Answer | None = getattr(self, f"_{method}", lambda _: None)(given)
        return answer if answer is not None else _failed(70, f"{method} or its object not found")

    def _refused(self, given: dict[str, str]) -> Answer | None:
        if "apiKey" in given:
            return None if given["apiKey"] == API_KEY else _failed(44, "Invalid API key")
        if "p" in given:
            return _failed(42, "Provided authentication mechanism not supported")
        token = hashlib.md5((PASSWORD + given.get("s", "")).encode()).hexdigest()
        if given.get("u") != USER or given.get("t") != token:
            return _failed(40, "Wrong username or password")
        return None

    def _getScanStatus(self, _: dict[str, str]) -> Answer:  # noqa: N802 - the protocol's name
        status: Answer = {"scanning": self.scanning, "count": len(self.songs), "folderCount": 1}
        if self.last_scan is not None:
            status["lastScan"] = self.last_scan
        return {"scanStatus": status}

    def _startScan(self, given: dict[str, str]) -> Answer:  # noqa: N802
        if not self.admin:
            return _failed(50, "User is not authorized for the given operation")
        return self._getScanStatus(given)

    def _getAlbumList2(self, given: dict[str, str]) -> Answer:  # noqa: N802
        albums: dict[str, Answer] = {}
        for song in self.songs:
            album = albums.setdefault(
                song["albumId"], {"id": song["albumId"], "songCount": 0, "created": ""}
            )
            album["songCount"] += 1
            album["created"] = song["created"]
        newest = list(albums.values())[::-1]
        first = int(given["offset"])
        return {"albumList2": {"album": newest[first : first + int(given["size"])]}}

    def _getAlbum(self, given: dict[str, str]) -> Answer | None:  # noqa: N802
        songs = [song for song in self.songs if song["albumId"] == given["id"]]
        return {"album": {"id": given["id"], "song": songs}} if songs else None

    def _search3(self, given: dict[str, str]) -> Answer:
        first, count = int(given["songOffset"]), int(given["songCount"])
        return {"searchResult3": {"song": self.songs[first : first + count]}}

    def _getNowPlaying(self, _: dict[str, str]) -> Answer:  # noqa: N802
        return {"nowPlaying": {"entry": self.playing} if self.playing else {}}


def _failed(code: int, message: str) -> Answer:
    return {"status": "failed", "error": {"code": code, "message": message}}


@contextmanager
def music_server() -> Iterator[MusicServer]:
    music = MusicServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            method = parts.path.removeprefix("/rest/").removesuffix(".view")
            given = dict(parse_qsl(parts.query, keep_blank_values=True))
            music.asked.append((method, given, self.headers["User-Agent"]))
            answer = {"status": "ok", "version": "1.16.1", "type": "test", "openSubsonic": True}
            answer |= music.answer(method, given)
            body = json.dumps({"subsonic-response": answer}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    music.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield music
    finally:
        server.shutdown()
        server.server_close()
