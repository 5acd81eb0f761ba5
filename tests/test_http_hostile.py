"""Web services that answer with harm: each answer costs one failed request, in bounded time and
memory."""

from __future__ import annotations

import contextlib
import copy
import gzip
import json
import logging
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lyricsyncd.errors import Refused, SourceError, Unreachable
from lyricsyncd.http import MAX_BYTES, Web, rate_limit
from lyricsyncd.identify.acoustid import Acoustid, Fingerprint
from lyricsyncd.lyrics.base import Candidate
from lyricsyncd.lyrics.genius import GeniusSource
from lyricsyncd.lyrics.lrclib import LrclibSource
from lyricsyncd.lyrics.publish import Submission, publish
from lyricsyncd.lyrics.synced import SyncedlyricsSource
from lyricsyncd.model import Line, Lyrics, Track, Word
from tests.local_services import Asked, Reply, as_json, recording, serving

WEB = Web(timeout=0.3, attempts=1, interval=0.0, backoff=0.01)
SONG = Track(
    artist="Nina Simone",
    artists=("Nina Simone",),
    title="Sinnerman",
    album="Pastel Blues",
    duration=622.0,
)
MIB = 1 << 20


@pytest.fixture(autouse=True)
def _no_captured_log(caplog: pytest.LogCaptureFixture) -> None:
    """Keep answers with lone surrogates out of reports, which other processes could not take."""
    caplog.set_level(logging.CRITICAL + 1)


@contextmanager
def raw(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that says whatever ``answer`` sends, HTTP or not."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def zeros_in_deflate(size: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join([*(packer.compress(bytes(MIB)) for _ in range(size // MIB)), packer.flush()])


class TestAnswersThatAreTooMuch:
    @pytest.mark.parametrize(
        ("encoding", "body"),
        [
            ("gzip", gzip.compress(bytes(200 * MIB), 9)),
            ("deflate", zeros_in_deflate(200 * MIB)),
            ("gzip, gzip", gzip.compress(gzip.compress(bytes(400 * MIB), 9), 9)),
        ],
        ids=["gzip", "deflate", "gzip twice"],
    )
    def test_unpack_to_no_more_than_the_limit(self, encoding: str, body: bytes) -> None:
        reply = Reply(200, body, {"Content-Encoding": encoding})
        tracemalloc.start()
        try:
            with serving(lambda _asked: reply) as service, pytest.raises(SourceError):
                Web(attempts=1, interval=0).get_json(service.url, {})
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 4 * MAX_BYTES

    def test_never_end_and_are_cut_off(self) -> None:
        def endless(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                connection.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")

        with raw(endless) as url, pytest.raises(SourceError, match="more than 8 MiB"):
            Web(attempts=1, interval=0).get_json(url, {})

    def test_have_a_head_that_is_a_flood(self) -> None:
        def flood(connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while True:
                connection.sendall(b"X-More: " + b"y" * 60_000 + b"\r\n")

        with raw(flood) as url, pytest.raises(Unreachable):
            WEB.get_json(url, {})

    @pytest.mark.parametrize("line", [b"X-More: y\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
    def test_have_a_head_that_trickles(self, line: bytes) -> None:
        def trickle(connection: socket.socket) -> None:
            if line.startswith(b"X"):
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while True:
                connection.sendall(line)
                time.sleep(0.05)

        with raw(trickle) as url, pytest.raises(Unreachable, match="too slowly"):
            WEB.get_json(url, {})

    def test_are_no_http(self) -> None:
        rubbish = bytes(range(256))
        with raw(lambda c: c.sendall(rubbish)) as url, pytest.raises(Unreachable):
            WEB.get_json(url, {})


class TestRedirects:
    @pytest.mark.parametrize(
        "target",
        [
            "file:///etc/passwd",
            "ftp://127.0.0.1/",
            "http://127.0.0.1:1/",
            "http://localhost/admin",
            "http://192.168.1.1/",
            "//elsewhere.invalid/",
            "http://[::1",
            "http://",
            "data:application/json,[]",
        ],
    )
    def test_to_another_place_are_not_followed(self, target: str) -> None:
        away = Reply(302, headers={"Location": target})
        with serving(lambda _asked: away) as service, pytest.raises((Unreachable, Refused)):
            WEB.get_json(f"{service.url}/here", {})
        assert service.paths == ["/here"]

    def test_do_not_reach_other_services_of_this_computer(self) -> None:
        with serving(lambda _asked: as_json(["secret"])) as inner:
            away = Reply(307, headers={"Location": f"{inner.url}/admin"})
            with serving(lambda _asked: away) as outer:
                with pytest.raises(Unreachable, match="redirects to another address"):
                    WEB.get_json(outer.url, {})
                with pytest.raises(Unreachable):
                    WEB.post_json(outer.url, form={"key": "secret"})
        assert inner.asked == []


def test_cookies_of_websites_are_not_sent_back() -> None:
    reply = as_json([], headers={"Set-Cookie": "who=you; Path=/"})
    with serving(lambda _asked: reply) as service:
        for _ in range(2):
            WEB.get_json(service.url, {})
    assert "cookie" not in service.asked[1].headers


@pytest.mark.parametrize(
    "body", [b"NaN", b"[Infinity]", b"[1e999]", b"9" * 4000, b"[-" + b"9" * 5000 + b"]", b"\xff[]"]
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with serving(lambda _asked: Reply(200, body)) as service, pytest.raises(Unreachable):
        WEB.get_json(service.url, {})


HARM: tuple[Any, ...] = (
    None, True, -1, 2**63, 1e308, "", "\ud800", "x\0y\n[00:01]", "../../etc/passwd", [], {}, [[]],
    [None], [[[{}]]], {"": None}, ["a"], {"a": {"b": []}},
)  # fmt: skip


def altered(answer: Any) -> Iterator[Any]:
    """The answer with a value of the wrong kind in each place, one at a time."""
    yield from HARM
    places: list[tuple[Any, ...]] = []

    def walk(value: Any, place: tuple[Any, ...]) -> None:
        if isinstance(value, (dict, list)):
            for key in value if isinstance(value, dict) else range(len(value)):
                places.append((*place, key))
                walk(value[key], (*place, key))

    walk(answer, ())
    for place in places:
        for harm in HARM:
            changed = copy.deepcopy(answer)
            parent = changed
            for key in place[:-1]:
                parent = parent[key]
            parent[place[-1]] = harm
            yield changed


ENTRY = {
    "id": 1,
    "trackName": "Sinnerman",
    "artistName": "Nina Simone",
    "albumName": "Pastel Blues",
    "duration": 622,
    "instrumental": False,
    "plainLyrics": "Oh, sinnerman",
    "syncedLyrics": "[00:31.20]Oh, sinnerman\n[00:34.00]where you gonna run to?",
}
NETEASE = {
    "result": {
        "songs": [
            {
                "id": 12,
                "name": "Sinnerman",
                "artists": [{"name": "Nina Simone"}],
                "album": {"name": "Pastel Blues"},
                "duration": 622000,
            }
        ]
    },
    "lrc": {"lyric": "[00:31.20]Oh, sinnerman"},
}
MUSIXMATCH = {
    "message": {
        "header": {"status_code": 200},
        "body": {
            "user_token": "t",
            "track_list": [
                {
                    "track": {
                        "track_id": 5,
                        "track_name": "Sinnerman",
                        "artist_name": "Nina Simone",
                        "album_name": "Pastel Blues",
                        "track_length": 622,
                    }
                }
            ],
            "richsync": {"richsync_body": "[]"},
            "subtitle": {"subtitle_body": "[00:31.20] Oh, sinnerman"},
        },
    }
}
GENIUS = {
    "response": {
        "hits": [
            {
                "type": "song",
                "result": {
                    "id": 1,
                    "title": "Sinnerman",
                    "url": "https://genius.com/Nina-simone-sinnerman-lyrics",
                    "primary_artist": {"name": "Nina Simone"},
                },
            }
        ]
    }
}
ACOUSTID = {
    "status": "ok",
    "results": [
        {"score": 0.9, "recordings": [recording("Sinnerman", "Nina Simone", "r", 622, "Blues")]}
    ],
}


PAGES = {
    "nothing": b"",
    "script only": b"<html><script>" + b"window.x = '<div>';" * 10_000 + b"</script></html>",
    "a script without an end": b"<script>" * 15_000,
    "no lyrics": b"<html><body><p>Sign in</p></body></html>",
    "huge": b"<html><p>la la la</p>" + b"la " * 2_000_000,
    "deep": b"<div data-lyrics-container='true'>" * 15_000 + b"la",
    "deeper": b"<b>" * 2_000_000,
    "wide": b"<br>" * 1_900_000,
    "comments without an end": b"<!--" * 15_000,
    "declarations": b"<!" * 15_000 + b"[" * 100_000,
    "sections": b"<![CDATA[" * 15_000,
    "attributes": b"<a " + b"b " * 500_000 + b">",
    "quotes": b"<a b='" * 15_000,
    "entities": b"&#x" * 500_000 + b"&lt" * 100_000,
    "another charset": "<div data-lyrics-container='true'></div>\u4f5c".encode("utf-16"),
    "no charset": bytes(range(256)) * 4000,
    "NUL": bytes(1_000_000),
    "json, deep": b"[" * 1_000_000,
    "json, numbers": b"[" + b"9" * 1_000_000 + b"]",
}


class TestAnswersOfTheWrongShape:
    """Every value of a good answer, replaced by values of the wrong kind."""

    def check(self, answer: Any, ask: Callable[[str], Any]) -> None:
        body = b""
        with serving(lambda _asked: Reply(200, body)) as service:
            for changed in altered(answer):
                rate_limit.forget()
                body = json.dumps(changed).encode()
                with contextlib.suppress(SourceError):
                    ask(service.url)

    @pytest.mark.slow
    @pytest.mark.parametrize("answer", [ENTRY, [ENTRY]], ids=["get", "search"])
    def test_of_lrclib_become_errors_of_ours(self, answer: Any) -> None:
        self.check(answer, lambda url: LrclibSource(url, WEB).find(SONG))

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("provider", "answer"), [("netease", NETEASE), ("musixmatch", MUSIXMATCH)]
    )
    def test_of_the_websites_of_syncedlyrics(
        self, provider: str, answer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        hosts = ("https://music.163.com", "https://apic-desktop.musixmatch.com")

        def ask(url: str) -> Any:
            return SyncedlyricsSource((provider,), WEB, dict.fromkeys(hosts, url)).find(SONG)

        self.check(answer, ask)

    @pytest.mark.slow
    def test_of_genius_become_errors_of_ours(self) -> None:
        self.check(GENIUS, lambda url: GeniusSource("t", WEB, f"{url}/", f"{url}/").find(SONG))

    @pytest.mark.slow
    def test_of_acoustid_become_errors_of_ours(self) -> None:
        sound = Fingerprint("AQAA", 622.0)
        self.check(ACOUSTID, lambda url: Acoustid("key", url, WEB).recordings(sound))

    @pytest.mark.parametrize("kind", PAGES)
    def test_of_pages_of_genius(self, kind: str) -> None:
        def answer(asked: Asked) -> Reply:
            return as_json(GENIUS) if asked.path == "/search" else Reply(200, PAGES[kind])

        with serving(answer) as service:
            found = self.outcome(
                lambda: GeniusSource("t", WEB, *[f"{service.url}/"] * 2).find(SONG)
            )
        assert all(not candidate.lyrics.words for candidate in found)

    @pytest.mark.parametrize("kind", PAGES)
    @pytest.mark.parametrize("where", ["search", "lyrics"])
    def test_of_pages_of_megalobiz(self, where: str, kind: str) -> None:
        hit = b"<a href='/lrc/maker/x.55' id='x'>Sinnerman Nina Simone</a>"

        def answer(asked: Asked) -> Reply:
            good = where == "lyrics" and asked.path.startswith("/search")
            return Reply(200, hit if good else PAGES[kind])

        with serving(answer) as service:
            roots = {"https://www.megalobiz.com": service.url}
            source = SyncedlyricsSource(("megalobiz",), WEB, roots)
            found = self.outcome(lambda: source.find(SONG))
        assert all(not candidate.lyrics.words for candidate in found)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "text",
        [
            "[00:01.00]" * 25_000,
            "[00:01.00]la (x8)\n" * 16_000,
            "[99999999:99.99]la\n" * 10_000,
            "<00:01.00>" * 25_000,
            "[ti:" * 60_000,
            "[length:" + "9" * 200_000 + ":1]\n[00:01.00]la",
            "\u4f5c" * 290_000,
            "\ud800\x00" * 100_000,
            "[by:" + " " * 250_000 + "]",
        ],
        ids=range(9),
    )
    def test_of_lyrics_of_netease(self, text: str) -> None:
        def answer(asked: Asked) -> Reply:
            found = {"lrc": {"lyric": text}} if "lyric" in asked.path else NETEASE
            return Reply(200, json.dumps(found).encode())

        with serving(answer) as service:
            source = SyncedlyricsSource(("netease",), WEB, {"https://music.163.com": service.url})
            found = self.outcome(lambda: source.find(SONG))
        assert all(len(candidate.lyrics.words) <= 300_000 for candidate in found)

    def outcome(self, ask: Callable[[], list[Candidate]]) -> list[Candidate]:
        """What a source finds; nothing where it says, in its own kind of error, that it cannot."""
        try:
            return ask()
        except SourceError:
            return []

    def test_of_lrclib_when_lyrics_are_published(self) -> None:
        words = Lyrics((Line((Word("Oh", 1.0, 2.0),)),))
        submission = Submission("Sinnerman", "Nina Simone", "Pastel Blues", 622.0, words)
        challenge = {"prefix": "p", "target": "00FF" + "F" * 60}
        self.check(challenge, lambda url: publish(submission, url, WEB))

    @pytest.mark.parametrize(
        "text", ["la " * 2_000_000, "la\n" * 2_000_000, "[00:01]a\n" * 500_000]
    )
    @pytest.mark.parametrize("key", ["plainLyrics", "syncedLyrics", "lyricsfile"])
    def test_lyrics_longer_than_any_songs_are_none(self, key: str, text: str) -> None:
        record = {**ENTRY, "plainLyrics": None, "syncedLyrics": None, key: text}
        with serving(lambda _asked: as_json(record)) as service:
            found = LrclibSource(service.url, Web(attempts=1, interval=0)).find(SONG)
        assert all(not candidate.lyrics.words for candidate in found)


def test_nothing_is_kept_of_a_hostile_answer(tmp_path: Path) -> None:
    from lyricsyncd.http.response_cache import ResponseCache

    replies = [Reply(200, b"[NaN]"), as_json(["fine"])]

    def answer(_asked: Asked) -> Reply:
        return replies.pop(0)

    web = Web(attempts=1, interval=0, cache=ResponseCache(tmp_path / "answers"))
    with serving(answer) as service:
        with pytest.raises(Unreachable):
            web.get_json(service.url, {})
        assert web.get_json(service.url, {}) == ["fine"]
