"""Server-Sent Events: what happens is told as it happens, and once more to who missed it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lyricsyncd.catalog.catalog import Outcome, State
from lyricsyncd.web import stream
from tests.web_house import Home, home

PATIENCE_S = 20


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Home]:
    with home(tmp_path) as made:
        yield made


class Listener:
    """Reads a stream."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def next(self, name: str) -> tuple[str, Any]:
        """Id and data of the next event of a name."""
        event: dict[str, str] = {}
        deadline = time.monotonic() + PATIENCE_S
        for line in self._lines:
            assert time.monotonic() < deadline
            if line:
                key, _, value = line.partition(": ")
                event[key] = value
                continue
            if event.get("event") == name:
                return event["id"], json.loads(event["data"])
            event = {}
        raise AssertionError("the stream ended")

    def until(self, **wanted: Any) -> dict[str, Any]:
        """The next song with these values."""
        while True:
            _, track = self.next("track")
            if wanted.items() <= track.items():
                found: dict[str, Any] = track
                return found


@contextmanager
def listening(house: Home, **headers: str) -> Iterator[Listener]:
    with house.client.stream(
        "GET", "/api/v1/events", headers=headers, timeout=PATIENCE_S
    ) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Listener(answer.iter_lines())


def test_a_song_is_followed_from_the_queue_to_its_end(house: Home) -> None:
    with listening(house) as listener:
        _, status = listener.next("status")
        assert (status["paused"], status["songs"]["pending"]) == (False, 0)
        id = house.known()
        listener.until(id=id, state="pending")
        house.catalog.claim("test", 60)
        house.catalog.progress(id, "test", "align", 0.5)
        listener.until(id=id, stage="align", progress=0.5)
        house.catalog.finish(id, "test", Outcome(State.DONE, "fine", quality=0.9))
        assert listener.until(id=id, state="done")["quality"] == 0.9


def test_a_pause_is_told(house: Home) -> None:
    with listening(house) as listener:
        assert listener.next("status")[1]["paused"] is False
        house.catalog.pause()
        assert listener.next("status")[1]["paused"] is True


def test_wrong_settings_are_reported(house: Home) -> None:
    with listening(house) as listener:
        assert listener.next("status")[1]["settings_error"] is None
        house.catalog.note_settings_error("there is no aligner 'sphynx'")
        assert "sphynx" in listener.next("status")[1]["settings_error"]


def test_who_comes_back_hears_what_happened_meanwhile(house: Home) -> None:
    with listening(house) as listener:
        moment, _ = listener.next("status")
    id = house.known()
    house.catalog.skip([id])
    house.catalog.clock = lambda: time.time() + 60
    with listening(house, **{"Last-Event-ID": moment}) as listener:
        assert listener.until(id=id)["state"] == "ignored"


@pytest.mark.parametrize("text", ["", "nan", "x", "-1", "1e400", "9999999999999"])
def test_a_strange_id_is_taken_for_none(house: Home, text: str) -> None:
    with listening(house, **{"Last-Event-ID": text}) as listener:
        assert listener.next("status")


def test_listeners_are_few_and_make_room(house: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CLIENTS", 1)
    with listening(house) as listener:
        listener.next("status")
        assert house.get("/api/v1/events").status_code == 503
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with house.client.stream("GET", "/api/v1/events") as answer:
            if answer.status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError("there is still no room")


def test_the_server_ends_with_a_listener_on_the_line(house: Home) -> None:
    with listening(house) as listener:
        listener.next("status")
        house.server.stop()
    assert house.server.address is None
