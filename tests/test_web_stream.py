"""Server-Sent Events: events are sent as they happen, and again to clients that missed them."""

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
from tests.web_api import Home, home

TIMEOUT_S = 20


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Home]:
    with home(tmp_path) as made:
        yield made


class Listener:
    """Reads a stream."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def next(self, name: str) -> tuple[str, Any]:
        """Id and data of the next event of a name."""
        event: dict[str, str] = {}
        deadline = time.monotonic() + TIMEOUT_S
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
def listening(api: Home, **headers: str) -> Iterator[Listener]:
    with api.client.stream("GET", "/api/v1/events", headers=headers, timeout=TIMEOUT_S) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield Listener(answer.iter_lines())


def test_a_song_is_followed_from_the_queue_to_its_end(api: Home) -> None:
    with listening(api) as listener:
        _, status = listener.next("status")
        assert (status["paused"], status["songs"]["pending"]) == (False, 0)
        id = api.known()
        listener.until(id=id, state="pending")
        api.catalog.claim("test", 60)
        api.catalog.progress(id, "test", "align", 0.5)
        listener.until(id=id, stage="align", progress=0.5)
        api.catalog.finish(id, "test", Outcome(State.DONE, "fine", quality=0.9))
        assert listener.until(id=id, state="done")["quality"] == 0.9


def test_a_pause_is_reported(api: Home) -> None:
    with listening(api) as listener:
        assert listener.next("status")[1]["paused"] is False
        api.catalog.pause()
        assert listener.next("status")[1]["paused"] is True


def test_wrong_settings_are_reported(api: Home) -> None:
    with listening(api) as listener:
        assert listener.next("status")[1]["settings_error"] is None
        api.catalog.note_settings_error("there is no aligner 'sphynx'")
        assert "sphynx" in listener.next("status")[1]["settings_error"]


def test_who_comes_back_recognises_what_happened_meanwhile(api: Home) -> None:
    with listening(api) as listener:
        moment, _ = listener.next("status")
    id = api.known()
    api.catalog.skip([id])
    api.catalog.clock = lambda: time.time() + 60
    with listening(api, **{"Last-Event-ID": moment}) as listener:
        assert listener.until(id=id)["state"] == "ignored"


@pytest.mark.parametrize("text", ["", "nan", "x", "-1", "1e400", "9999999999999"])
def test_a_strange_id_is_taken_for_none(api: Home, text: str) -> None:
    with listening(api, **{"Last-Event-ID": text}) as listener:
        assert listener.next("status")


def test_listeners_are_few_and_make_room(api: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CLIENTS", 1)
    with listening(api) as listener:
        listener.next("status")
        assert api.get("/api/v1/events").status_code == 503
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        with api.client.stream("GET", "/api/v1/events") as answer:
            if answer.status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError("there is still no room")


def test_the_server_ends_with_a_listener_on_the_line(api: Home) -> None:
    with listening(api) as listener:
        listener.next("status")
        api.server.stop()
    assert api.server.address is None
