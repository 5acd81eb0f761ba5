"""Web services on this machine, which answer as the real ones do: shapes, errors and bad days.

The shapes are those of LRCLIB's server (its `get`, `search`, `request-challenge` and `publish`, the
way it normalises names and matches words), of AcoustID's web service, and of Genius's search, pages
and page state.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import re
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LOGIN_PAGE = (
    b"<!DOCTYPE html><html><head><title>Hotel WiFi</title></head><body>Log in</body></html>"
)


@dataclass(frozen=True)
class Asked:
    """A question that reached a service."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass(frozen=True)
class Reply:
    """What a service says."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds before the first byte."""
    trickle: float = 0.0
    """Seconds between bytes."""
    cut: bool = False
    """Hang up half-way."""


def as_json(data: Any, status: int = 200, **more: Any) -> Reply:
    headers = {"Content-Type": "application/json", **more.pop("headers", {})}
    return Reply(status, json.dumps(data).encode(), headers, **more)


def as_html(text: str | bytes, status: int = 200) -> Reply:
    body = text.encode() if isinstance(text, str) else text
    return Reply(status, body, {"Content-Type": "text/html; charset=utf-8"})


class Service:
    """A server on a port of this machine, with a list of what it was asked."""

    def __init__(self, answer: Callable[[Asked], Reply], port: int = 0) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                parts = urlsplit(self.path)
                asked = Asked(
                    self.command,
                    parts.path,
                    {key: values[0] for key, values in parse_qs(parts.query).items()},
                    {key.lower(): value for key, value in self.headers.items()},
                    self.rfile.read(length),
                    time.monotonic(),
                )
                with service._lock:
                    service.asked.append(asked)
                self._say(service.answer(asked))

            do_POST = do_GET  # noqa: N815 - the base class has it so

            def _say(self, reply: Reply) -> None:
                time.sleep(reply.delay)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                if reply.cut:
                    self.wfile.write(reply.body[: len(reply.body) // 2])
                    self.close_connection = True
                elif reply.trickle:
                    for byte in reply.body:
                        self.wfile.write(bytes([byte]))
                        self.wfile.flush()
                        time.sleep(reply.trickle)
                else:
                    self.wfile.write(reply.body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]


@contextmanager
def serving(answer: Callable[[Asked], Reply], *, port: int = 0) -> Iterator[Service]:
    """A service that is up within."""
    service = Service(answer, port)
    thread = threading.Thread(
        target=service._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield service
    finally:
        service._server.shutdown()
        service._server.server_close()
        thread.join()


# --- LRCLIB ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """A row of LRCLIB."""

    title: str
    artist: str
    album: str = ""
    duration: float = 0.0
    plain: str | None = "la la la\nla la\n"
    synced: str | None = None
    lyricsfile: str | None = None
    instrumental: bool = False

    def record(self, id: int) -> dict[str, Any]:
        record: dict[str, Any] = {
            "id": id,
            "name": self.title,
            "trackName": self.title,
            "artistName": self.artist,
            "albumName": self.album,
            "duration": self.duration,
            "instrumental": self.instrumental,
            "plainLyrics": None if self.instrumental else self.plain,
            "syncedLyrics": None if self.instrumental else self.synced,
        }
        if self.lyricsfile is not None:
            record["lyricsfile"] = self.lyricsfile
        return record


NOT_FOUND = {
    "message": "Failed to find specified track",
    "name": "TrackNotFound",
    "statusCode": 404,
}


@functools.cache
def prepared(text: str) -> str:
    """As LRCLIB's server folds names before it compares them."""
    text = unicodedata.normalize("NFD", text.lower())
    text = "".join(character for character in text if not unicodedata.combining(character))
    text = re.sub(r"""[`~!@#$%^&*()_|+\-=?;:",.<>{}\[\]\\/]""", " ", text)
    return " ".join(re.sub("['’]", "", text).split())


@dataclass
class Lrclib:
    """The whole of the API over a list of entries."""

    entries: list[Entry]
    published: list[dict[str, Any]] = field(default_factory=list)
    target: str = "00FF" + "F" * 60
    challenges: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._rows = [
            (id, entry, f" {prepared(entry.title)} ", set(prepared(entry.artist).split()))
            for id, entry in enumerate(self.entries, 1)
        ]
        self._words = [
            {*title.split(), *artist, *prepared(entry.album).split()}
            for _, entry, title, artist in self._rows
        ]

    def __call__(self, asked: Asked) -> Reply:
        route = {
            "/api/get": self._get,
            "/api/search": self._search,
            "/api/request-challenge": self._challenge,
            "/api/publish": self._publish,
        }.get(asked.path)
        return route(asked) if route is not None else as_json(NOT_FOUND, 404)

    def _get(self, asked: Asked) -> Reply:
        query = asked.query
        title, artist = prepared(query["track_name"]), prepared(query["artist_name"])
        for id, entry, named, _ in self._rows:
            if named != f" {title} " or prepared(entry.artist) != artist:
                continue
            if "album_name" in query and prepared(entry.album) != prepared(query["album_name"]):
                continue
            if "duration" in query and abs(entry.duration - float(query["duration"])) > 2:
                continue
            return as_json(entry.record(id))
        return as_json(NOT_FOUND, 404)

    def _search(self, asked: Asked) -> Reply:
        query = asked.query
        if "q" in query:
            wanted = set(prepared(query["q"]).split())
            hits = [
                row for row, words in zip(self._rows, self._words, strict=True) if wanted <= words
            ]
        else:
            phrase = f" {prepared(query.get('track_name', ''))} "
            artist = set(prepared(query.get("artist_name", "")).split())
            album = prepared(query.get("album_name", ""))
            hits = [
                row
                for row in self._rows
                if phrase.strip()
                and phrase in row[2]
                and artist <= row[3]
                and (not album or album in prepared(row[1].album))
            ]
        return as_json([entry.record(id) for id, entry, _, _ in hits[:20]])

    def _challenge(self, asked: Asked) -> Reply:
        if asked.method != "POST":
            return Reply(405)
        prefix = hashlib.sha256(str(len(self.challenges)).encode()).hexdigest()[:32]
        self.challenges.add(prefix)
        return as_json({"prefix": prefix, "target": self.target})

    def _publish(self, asked: Asked) -> Reply:
        prefix, _, nonce = asked.headers.get("x-publish-token", "").partition(":")
        digest = hashlib.sha256(f"{prefix}{nonce}".encode()).digest()
        if prefix not in self.challenges or digest > bytes.fromhex(self.target):
            error = "IncorrectPublishTokenError"
            message = "The provided publish token is incorrect"
            return as_json({"message": message, "name": error, "statusCode": 400}, 400)
        self.challenges.discard(prefix)
        self.published.append(json.loads(asked.body))
        return Reply(201)


# --- Genius ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class GeniusSong:
    title: str
    artist: str
    lyrics: str
    id: int = 1

    @property
    def way(self) -> str:
        name = re.sub(r"[^A-Za-z0-9]+", "-", f"{self.artist} {self.title}").strip("-")
        return f"{name.capitalize()}-lyrics"

    def hit(self, kind: str) -> dict[str, Any]:
        return {
            "highlights": [],
            "index": kind,
            "type": "song",
            "result": {
                "_type": "song",
                "id": self.id,
                "title": self.title,
                "full_title": f"{self.title} by {self.artist}",
                "lyrics_state": "complete",
                "path": f"/{self.way}",
                "url": f"https://genius.com/{self.way}",
                "primary_artist": {"_type": "artist", "id": 7, "name": self.artist},
            },
        }

    def page(self) -> str:
        rows = self.lyrics.strip("\n").replace("\n", "<br/>")
        return (
            "<!doctype html><html><body><div id='application'>"
            "<div class='LyricsHeader__Container'>12 ContributorsTranslations</div>"
            f"<div data-lyrics-container='true' class='Lyrics__Container'>{rows}</div>"
            "<div class='RightSidebar'>You might also like</div></div></body></html>"
        )


@dataclass
class Genius:
    """The search of the API, the search by words of the site, and the pages."""

    songs: list[GeniusSong]
    token: str = "right"

    def __call__(self, asked: Asked) -> Reply:
        if asked.path == "/search":
            if asked.headers.get("authorization") != f"Bearer {self.token}":
                return as_json({"meta": {"status": 401, "message": "Invalid token"}}, 401)
            wanted = prepared(asked.query["q"]).split()
            hits = [
                song.hit("song")
                for song in self.songs
                if set(wanted) <= set(prepared(f"{song.title} {song.artist}").split())
            ]
            return as_json({"meta": {"status": 200}, "response": {"hits": hits}})
        if asked.path == "/api/search/lyric":
            wanted = prepared(asked.query["q"]).split()
            hits = [
                song.hit("lyric")
                for song in self.songs
                if len(set(wanted) & set(prepared(song.lyrics).split())) >= 0.7 * len(set(wanted))
            ]
            section = {"type": "lyric", "hits": hits}
            return as_json({"meta": {"status": 200}, "response": {"sections": [section]}})
        for song in self.songs:
            if asked.path == f"/{song.way}":
                return as_html(song.page())
        return as_html("<html><body>Oops! Page not found</body></html>", 404)


# --- AcoustID --------------------------------------------------------------------------------


@dataclass
class Acoustid:
    """The look-up of AcoustID's web service: answers from given entries."""

    results: list[dict[str, Any]]
    key: str = "right"

    def __call__(self, asked: Asked) -> Reply:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if form.get("client") != self.key:
            error = {"code": 4, "message": "invalid API key"}
            return as_json({"status": "error", "error": error}, 400)
        if not form.get("fingerprint") or not form.get("duration"):
            error = {"code": 2, "message": "missing required parameter"}
            return as_json({"status": "error", "error": error}, 400)
        return as_json({"status": "ok", "results": self.results})


def recording(
    title: str, artist: str, id: str, duration: float | None = None, album: str | None = None
) -> dict[str, Any]:
    found: dict[str, Any] = {"id": id, "title": title, "artists": [{"id": "a", "name": artist}]}
    if duration is not None:
        found["duration"] = duration
    if album is not None:
        found["releasegroups"] = [{"id": "r", "title": album, "type": "Album"}]
    return found


def with_(entry: Entry, **changes: Any) -> Entry:
    """An entry, changed."""
    return dataclasses.replace(entry, **changes)
