"""Messages: what they tell, when, and that a real Apprise delivers them to a real address."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lyricsyncd.catalog.catalog import FILE_NAME, Catalog, Outcome, Priority, State
from lyricsyncd.config.schema import Config, Notify
from lyricsyncd.notifications import Message
from lyricsyncd.notifications.apprise import send
from lyricsyncd.notifications.messages import (
    MessageThread,
    digest,
    open_notifiers,
    start_messages,
)
from tests.waiting import until

ALL = ("done", "mixed", "lines", "review", "no_lyrics", "instrumental", "failed")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog(tmp_path / FILE_NAME) as opened:
        yield opened


@pytest.fixture
def received() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address of Apprise, and what came there."""
    bodies: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"json://127.0.0.1:{server.server_port}/", bodies
    server.shutdown()
    server.server_close()


def finish(catalog: Catalog, folder: Path, name: str, state: State, error: str = "") -> None:
    song = folder / name
    song.write_bytes(b"x")
    catalog.enqueue(song, Priority.BACKFILL, "test")
    entry = catalog.claim("test", 60)
    assert entry is not None
    catalog.finish(entry.id, "test", Outcome(state, "why", error=error or None))


def test_one_message_tells_of_all_songs(catalog: Catalog, tmp_path: Path) -> None:
    finish(catalog, tmp_path, "a.mp3", State.DONE)
    finish(catalog, tmp_path, "b.mp3", State.DONE)
    finish(catalog, tmp_path, "c.mp3", State.REVIEW)
    finish(catalog, tmp_path, "d.mp3", State.FAILED, "it cannot be decoded")
    message = digest(catalog, ALL, 0.0, time.time())
    assert message == Message(
        "lyricsyncd: 4 songs",
        "2 with every word timed\n1 to be reviewed\n1 failed\n- d: it cannot be decoded",
    )


def test_songs_with_word_times_in_some_lines_are_counted_apart(
    catalog: Catalog, tmp_path: Path
) -> None:
    finish(catalog, tmp_path, "a.mp3", State.MIXED)
    message = digest(catalog, ALL, 0.0, time.time())
    assert message == Message("lyricsyncd: 1 song", "1 with words timed in some lines")


def test_many_failures_are_counted(catalog: Catalog, tmp_path: Path) -> None:
    for n in range(7):
        finish(catalog, tmp_path, f"{n}.mp3", State.FAILED, "no")
    message = digest(catalog, ("failed",), 0.0, time.time())
    assert message is not None
    assert message.body.splitlines()[-1] == "- and 2 more"


def test_nothing_new_and_nothing_wanted_is_no_message(catalog: Catalog, tmp_path: Path) -> None:
    assert digest(catalog, ALL, 0.0, time.time()) is None
    finish(catalog, tmp_path, "a.mp3", State.DONE)
    assert digest(catalog, ("failed",), 0.0, time.time()) is None
    assert digest(catalog, ALL, time.time(), time.time() + 1) is None


def test_apprise_delivers_it(received: tuple[str, list[dict[str, Any]]]) -> None:
    address, bodies = received
    assert send([address], Message("Títle", "a\nb"))
    assert [(body["title"], body["message"]) for body in bodies] == [("Títle", "a\nb")]


@pytest.mark.parametrize("address", ["json://127.0.0.1:9/", "nonsense"])
def test_what_cannot_be_delivered_is_known(address: str) -> None:
    assert not send([address], Message("t", "b"))


def test_it_waits_until_the_work_is_done(
    catalog: Catalog, tmp_path: Path, received: tuple[str, list[dict[str, Any]]]
) -> None:
    address, bodies = received
    settings = Config.model_validate({"notify": {"urls": [address]}}).notify
    waiting = tmp_path / "waiting.mp3"
    waiting.write_bytes(b"x")
    thread = MessageThread(settings, open_notifiers(settings), catalog, interval_s=0.05)
    try:
        catalog.enqueue(waiting, Priority.BACKFILL, "test")
        finish_first = catalog.claim("test", 60)
        assert finish_first is not None
        time.sleep(0.3)
        assert bodies == []
        catalog.finish(finish_first.id, "test", Outcome(State.DONE, "fine"))
        until(lambda: bodies, "the message")
        assert [body["title"] for body in bodies] == ["lyricsyncd: 1 song"]
    finally:
        thread.stop()


def test_without_an_address_there_is_no_thread(catalog: Catalog) -> None:
    assert start_messages(Notify(), catalog) is None


def test_addresses_are_secrets() -> None:
    notify = Config.model_validate({"notify": {"urls": ["ntfy://token@topic"]}}).notify
    assert "token" not in repr(notify)


class TestNotifiersOfOtherPackages:
    def test_one_is_opened_with_its_settings_and_sends(
        self, tmp_path: Path, plugin: Callable[..., None]
    ) -> None:
        plugin("lyricsyncd.notifiers", notebook="tests.notebook:open_notebook")
        config = Config.model_validate(
            {
                "notify": {"by": ["notebook"]},
                "plugins": {"notebook": {"file": str(tmp_path / "notes.txt")}},
            }
        )
        (notifier,) = open_notifiers(config.notify, config.plugins)
        assert notifier.send(Message("3 songs", "3 with every word timed"))
        assert (tmp_path / "notes.txt").read_text() == "3 songs\n3 with every word timed\n"

    def test_one_that_cannot_be_loaded_stops_no_other(
        self,
        catalog: Catalog,
        plugin: Callable[..., None],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        plugin("lyricsyncd.notifiers", broken="no.such:thing")
        notify = Notify(by=("broken", "apprise"))
        assert start_messages(notify, catalog) is None
        assert "package theirs" in caplog.text
