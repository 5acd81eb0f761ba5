"""Clients that keep connections and give nothing: they cost nobody else an answer, or a song."""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from lyricsyncd.catalog.catalog import Priority
from lyricsyncd.web import connections, stream
from lyricsyncd.web.connections import Connection, RateLimit, most_connections, superseded
from tests.clock import Clock
from tests.hostile_clients import KINDS, Address, attack, crowd, healthy, watched
from tests.service_home import Home as Service
from tests.web_api import Home, home

TIMEOUT_S = 20


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Home]:
    with home(tmp_path) as made:
        yield made


def address(api: Home) -> Address:
    host, _, port = (api.server.address or "").rpartition(":")
    return host, int(port)


class TestManyConnections:
    @pytest.mark.parametrize(
        "kind",
        # Five thousand answers are made for those that read none.
        [
            pytest.param(kind, marks=pytest.mark.slow if kind == "reads no answers" else ())
            for kind in KINDS
        ],
    )
    def test_the_service_answers_while_a_hundred_clients_are_there(
        self, api: Home, kind: str
    ) -> None:
        with crowd(address(api)) as clients:
            for _ in range(100):
                clients.open(KINDS[kind])
            clients.go_on()
            assert healthy(address(api)) == 200

    def test_the_service_answers_while_all_kinds_come_and_go(self, api: Home) -> None:
        with watched(address(api)) as watch:
            attack(address(api), 400, held=200)
        assert healthy(address(api)) == 200
        assert not watch.wrong

    def test_a_client_that_asks_keeps_its_place(self, api: Home) -> None:
        with api.client.stream("GET", "/api/v1/events", timeout=TIMEOUT_S) as events:
            lines = events.iter_lines()
            assert next(lines).startswith("retry")
            with crowd(address(api)) as clients:
                for _ in range(200):
                    clients.open(KINDS["idle"])
                api.known()
                assert any(line.startswith("event: track") for line in lines)

    def test_no_more_than_so_many_are_open(self, api: Home) -> None:
        with crowd(address(api)) as clients:
            for _ in range(3 * connections.AT_ONCE):
                clients.open(KINDS["idle"])
            healthy(address(api))
            assert clients.left_open() <= connections.AT_ONCE

    def test_a_low_limit_of_descriptors_leaves_most_for_songs(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def limit(soft: int) -> int:
            monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, soft))
            return most_connections()

        assert [limit(soft) for soft in (64, 256, 1024, -1)] == [16, 32, 64, 64]


class TestAConnection:
    def test_sends_each_answer_without_waiting_for_an_acknowledgement(
        self, api: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at_once = []
        made = Connection.connection_made

        def noted(self: Connection, transport: asyncio.Transport) -> None:
            accepted = transport.get_extra_info("socket")
            at_once.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            made(self, transport)

        monkeypatch.setattr(Connection, "connection_made", noted)
        assert healthy(address(api)) == 200
        assert at_once == [1]


class TestSlowClients:
    @pytest.mark.slow
    @pytest.mark.parametrize("kind", ["idle", "half a head", "a slow head", "a body nobody wants"])
    def test_one_without_a_request_is_closed_after_a_while(
        self, api: Home, monkeypatch: pytest.MonkeyPatch, kind: str
    ) -> None:
        monkeypatch.setattr(connections, "REQUEST_S", 1.0)
        with crowd(address(api)) as clients:
            clients.open(KINDS[kind])
            deadline = time.monotonic() + TIMEOUT_S
            while clients.left_open():
                assert time.monotonic() < deadline
                clients.go_on()
                time.sleep(0.1)

    @pytest.mark.slow
    def test_one_that_reads_no_answer_is_closed_after_a_while(
        self, api: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connections, "ANSWER_S", 1.0)
        for number in range(200):
            api.catalog.enqueue(
                api.song(f"{number}.mp3"), Priority.IMPORT, "test", library=api.music
            )
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            client.connect(address(api))
            asked = b"GET /api/v1/tracks?limit=1000 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            client.sendall(asked * 100)
            client.settimeout(TIMEOUT_S)
            time.sleep(4)
            received = 0
            with pytest.raises(ConnectionResetError):  # noqa: PT012 - which of them does not matter
                while piece := client.recv(65536):
                    received += len(piece)
                raise ConnectionResetError
            assert received < 100 * len(api.get("/api/v1/tracks", limit=1000).content)


@dataclass
class _Open:
    """A connection in so far as it matters here."""

    name: str
    address: str
    since: float
    waits: bool = True


class TestWhoMakesRoom:
    @staticmethod
    def chosen(*open_now: _Open) -> str | None:
        found = superseded(cast("list[Connection]", open_now))
        return None if found is None else cast("Any", found).name

    def test_the_one_that_waits_longest(self) -> None:
        assert (
            self.chosen(_Open("new", "a", 5), _Open("old", "a", 1), _Open("mid", "a", 3)) == "old"
        )

    def test_never_one_whose_request_is_in_work(self) -> None:
        assert self.chosen(_Open("old", "a", 1, waits=False), _Open("new", "a", 5)) == "new"
        assert self.chosen(_Open("old", "a", 1, waits=False)) is None

    def test_of_the_address_that_has_most(self) -> None:
        many = [_Open(f"a{at}", "a", 5 + at) for at in range(3)]
        assert self.chosen(_Open("b", "b", 1), *many) == "a0"


class TestListeners:
    def test_more_than_are_allowed_are_refused_though_they_come_at_once(self, api: Home) -> None:
        asked = b"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        clients = [
            socket.create_connection(address(api), timeout=TIMEOUT_S)
            for _ in range(2 * stream.CLIENTS)
        ]
        for client in clients:
            client.sendall(asked)
        answers = [client.recv(12) for client in clients]
        for client in clients:
            client.close()
        assert answers.count(b"HTTP/1.1 200") == stream.CLIENTS
        assert answers.count(b"HTTP/1.1 503") == stream.CLIENTS

    def test_those_that_left_before_it_began_count_no_more(self, api: Home) -> None:
        with crowd(address(api)) as clients:
            for _ in range(50):
                clients.open(KINDS["listens and leaves"])
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            with api.client.stream("GET", "/api/v1/events") as answer:
                if answer.status_code == 200:
                    return
            assert time.monotonic() < deadline
            time.sleep(0.1)


class TestLog:
    @staticmethod
    def record(message: str) -> logging.LogRecord:
        return logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, message, (), None)

    def test_what_clients_cause_is_logged_once_a_minute_with_its_number(self) -> None:
        clock = Clock()
        seldom = RateLimit(clock)
        assert seldom.filter(self.record("Invalid"))
        assert not any(seldom.filter(self.record("Invalid")) for _ in range(1000))
        assert seldom.filter(self.record("something else"))
        clock.now += 61
        again = self.record("Invalid")
        assert seldom.filter(again)
        assert again.getMessage() == "Invalid (1000 more of these since the last)"

    def test_rubbish_makes_a_line_and_no_flood(
        self, api: Home, caplog: pytest.LogCaptureFixture
    ) -> None:
        with crowd(address(api)) as clients:
            for _ in range(100):
                clients.open(KINDS["rubbish"])
            healthy(address(api))
        assert len(caplog.records) < 5


@pytest.mark.slow
@pytest.mark.daemon
def test_a_song_that_comes_during_an_attack_is_done_with_few_descriptors(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.configure(web={"listen": "127.0.0.1:0"}, daemon={"settle": 0.3, "rescan": None})
    try:
        service.start()
        assert service.process is not None
        resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE, (128, 128))
        service.until(lambda: "listening on" in service.said(), "it listens")
        port = int(service.said().partition("listening on http://127.0.0.1:")[2].split()[0])
        dropped: list[Path] = []

        def drop(_opened: int) -> None:
            if not dropped:
                dropped.append(service.drop())

        with watched(("127.0.0.1", port)) as watch:
            attack(("127.0.0.1", port), 1000, between=drop)
        service.until_counts(done=1)
        assert not watch.wrong
        assert len(service.said()) < 10_000
        assert service.stop() == 0
    finally:
        service.kill()
