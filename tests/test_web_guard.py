"""Who is let in: token, host, origin, pace, size."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from lyricsyncd.web import guard
from lyricsyncd.web.guard import Bucket, RateLimiter
from tests.web_api import Home, home

TOKEN = "a long secret, with ünïcode"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Home]:
    with home(tmp_path, token=TOKEN) as made:
        yield made


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Home]:
    with home(tmp_path) as made:
        yield made


class TestToken:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/api/v1/status"),
            ("GET", "/api/v1/events"),
            ("GET", "/metrics"),
            ("GET", "/openapi.json"),
            ("GET", "/nothing"),
            ("POST", "/api/v1/pause"),
            ("HEAD", "/api/v1/tracks"),
        ],
    )
    def test_nothing_is_reported_without_it(self, locked: Home, method: str, path: str) -> None:
        answer = locked.client.request(method, path)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert not locked.catalog.paused

    def test_it_opens_the_interface(self, locked: Home) -> None:
        bearer = {b"Authorization": b"Bearer " + TOKEN.encode()}
        assert locked.client.get("/api/v1/status", headers=bearer).status_code == 200

    def test_it_may_come_as_a_password(self, locked: Home) -> None:
        # Lidarr knows a user and a password only.
        basic = {b"Authorization": b"Basic " + base64.b64encode(b"lidarr:" + TOKEN.encode())}
        assert locked.client.get("/api/v1/status", headers=basic).status_code == 200

    @pytest.mark.parametrize(
        "shown", ["Bearer", "Bearer x", f"Bearer {TOKEN}x", "Basic !!", "Basic eDp5", "Digest x"]
    )
    def test_a_wrong_one_does_not(self, locked: Home, shown: str) -> None:
        headers = {b"Authorization": shown.encode()}
        assert locked.client.get("/api/v1/status", headers=headers).status_code == 401

    def test_guessing_is_slowed_down(self, locked: Home) -> None:
        answers = [
            locked.client.get("/api/v1/status", headers={"Authorization": f"Bearer {n}"})
            for n in range(15)
        ]
        assert [answer.status_code for answer in answers][:10] == [401] * 10
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["retry-after"]) >= 1

    def test_only_the_sign_of_life_is_open(self, locked: Home) -> None:
        assert locked.client.get("/healthz").text == "ok\n"


class TestBrowser:
    """Any web page can make a browser on this computer send requests."""

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Host": "evil.example"},
            {"Host": "evil.example:8786"},
            {"Host": "127.0.0.1.evil.example"},
            {"Host": ""},
            {"Host": "[::1"},
        ],
    )
    def test_requests_of_other_pages_do_nothing(self, api: Home, headers: dict[str, str]) -> None:
        assert api.client.post("/api/v1/pause", headers=headers).status_code in (400, 403)
        assert not api.catalog.paused

    @pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8786", "192.168.1.2:80"])
    def test_who_names_an_address_is_let_in(self, api: Home, host: str) -> None:
        assert api.client.get("/api/v1/status", headers={"Host": host}).status_code == 200

    def test_our_own_page_is_let_in(self, api: Home) -> None:
        headers = {"Origin": str(api.client.base_url), "Sec-Fetch-Site": "same-origin"}
        assert api.client.post("/api/v1/pause", headers=headers).status_code == 200

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
    def test_a_body_from_a_page_must_be_called_json(self, api: Home, kind: str) -> None:
        song = api.song()
        body = f'{{"event": "imported", "path": "{song}"}}'.encode()
        page = {"Content-Type": kind, "Origin": str(api.client.base_url)}
        answer = api.client.post("/api/v1/events", content=body, headers=page)
        assert answer.status_code == 415

    def test_behind_a_token_any_name_will_do(self, locked: Home) -> None:
        headers = {b"Authorization": b"Bearer " + TOKEN.encode(), b"Host": b"music.lan"}
        assert locked.client.get("/api/v1/status", headers=headers).status_code == 200


class TestSize:
    def test_a_large_body_is_refused_before_it_is_read(self, api: Home) -> None:
        headers = {**JSON, "Content-Length": str(guard.MAX_BODY + 1)}
        # Only the head is sent: an answer comes all the same.
        host, _, port = (api.server.address or "").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as wire:
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            wire.sendall(f"POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode())
            assert wire.recv(100).startswith(b"HTTP/1.1 413")

    def test_so_is_one_that_does_not_tell_its_length(self, api: Home) -> None:
        pieces = (b" " * 65536 for _ in range(guard.MAX_BODY // 65536 + 2))
        try:
            answer = api.client.post("/api/v1/events", content=pieces, headers=JSON)
        except httpx2.WriteError:
            return  # the connection was closed while we were still sending
        assert answer.status_code == 413

    def test_too_many_events_are_refused(self, api: Home) -> None:
        events = [{"event": "playing", "path": "x"}] * 5001
        assert api.post("/api/v1/events", {"events": events}).status_code == 400


class TestRateLimiter:
    def test_a_flood_is_reported_to_wait(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(guard, "BURST", 5.0)
        monkeypatch.setattr(guard, "RATE", 0.01)
        with home(tmp_path) as api:
            answers = [api.get("/api/v1/status").status_code for _ in range(6)]
            assert answers == [200] * 5 + [429]
            # What looks after the service from the same address gets its answer.
            assert api.get("/healthz").status_code == 200

    def test_a_bucket_fills_again(self) -> None:
        bucket = Bucket(rate=2, burst=3)
        assert [bucket.take(0) for _ in range(4)] == [0, 0, 0, 0.5]
        assert bucket.take(0.5) == 0
        assert not bucket.full(1.0)
        assert bucket.full(2.5)

    def test_many_addresses_do_not_fill_the_memory(self) -> None:
        now = 0.0
        pace = RateLimiter(1, 2, clock=lambda: now)
        for n in range(10_000):
            pace.take(str(n))
        assert len(pace) <= guard.MOST_ADDRESSES
