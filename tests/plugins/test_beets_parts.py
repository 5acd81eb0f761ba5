"""The parts of the plugin for beets that need no beets."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("beetsplug.lyricsync", reason="beets is not installed: make test-plugins")

from beetsplug.lyricsync.guard import NO_WORDS, Keep, decide, fingerprint
from beetsplug.lyricsync.outbox import Outbox
from beetsplug.lyricsync.service import Service, Trouble, Unreachable

pytestmark = pytest.mark.plugins
OURS = "[re:lyricsyncd 0.1.0 sha=0123456789abcdef]\n[00:01.00]<00:01.00>star"
OURS_BEFORE = OURS.replace("star", "stat")


@pytest.mark.parametrize(
    ("database", "file", "changed_now", "seen", "kept"),
    [
        # beets' copy is from before the service wrote.
        ("", OURS, False, fingerprint(""), Keep.YES),
        ("old", OURS, False, fingerprint("old"), Keep.YES),
        ("old", "ours without a mark", False, fingerprint("old"), Keep.YES),
        (OURS_BEFORE, OURS, False, None, Keep.YES),
        # A person has changed it in beets: now, or without writing it then.
        ("mine", OURS, True, fingerprint("old"), Keep.NO),
        ("", OURS, True, fingerprint("old"), Keep.NO),
        ("mine", OURS, False, fingerprint("old"), Keep.NO),
        ("", OURS, False, fingerprint("old"), Keep.NO),
        # Songs that were in the library before the plugin was.
        ("", OURS, False, None, Keep.YES),
        ("", "a person's", False, None, Keep.YES),
        ("old or a person's", OURS, False, None, Keep.BESIDE),
        ("beets'", "from another tool", False, None, Keep.NO),
        # Nothing to lose.
        ("beets'", "", False, None, Keep.NO),
        ("same", "same", False, fingerprint("old"), Keep.NO),
    ],
)
def test_it_is_decided_by_both_copies_whose_words_stay(
    database: str, file: str, changed_now: bool, seen: str | None, kept: Keep
) -> None:
    assert decide(database, file, changed_now=changed_now, seen=seen) is kept


def test_no_words_are_known_by_their_fingerprint() -> None:
    assert fingerprint("") == NO_WORDS


@given(st.text(), st.text(), st.none() | st.text())
def test_what_a_person_changes_always_goes_in(database: str, file: str, seen: str | None) -> None:
    assert decide(database, file, changed_now=True, seen=seen) is Keep.NO


@given(st.text(min_size=1), st.none())
def test_an_empty_copy_never_wipes_out_words_unasked(file: str, seen: str | None) -> None:
    assert decide("", file, changed_now=False, seen=seen) is Keep.YES


def test_a_song_is_reported_of_once() -> None:
    box = Outbox()
    box.moved("/in/a", "/music/a")
    box.imported("/music/a")
    box.moved("/music/b", "/music/c")
    box.moved("/music/c", "/music/d")
    box.imported("/music/e")
    box.moved("/music/e", "/music/f")
    box.removed("/music/g")
    assert box.take() == [
        {"event": "imported", "path": "/music/a"},
        {"event": "moved", "path": "/music/d", "from": "/music/b"},
        {"event": "imported", "path": "/music/f"},
        {"event": "removed", "path": "/music/g"},
    ]
    assert box.take() == []


def test_a_song_that_is_imported_anew_is_not_removed() -> None:
    box = Outbox()
    box.removed("/music/a")
    box.imported("/music/a")
    assert box.take() == [{"event": "imported", "path": "/music/a"}]


@pytest.mark.parametrize("url", ["", "localhost:8786", "ftp://host", "http://", "http://host:port"])
def test_what_is_no_address_is_reported(url: str) -> None:
    with pytest.raises(Trouble, match="is not an address"):
        Service(url)


@pytest.fixture
def stranger() -> Iterator[str]:
    """A web server that is not the service."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_another_program_at_the_address_is_reported(stranger: str) -> None:
    with pytest.raises(Trouble, match="is not lyricsyncd") as raised:
        list(Service(stranger).songs())
    assert not isinstance(raised.value, Unreachable)


def test_nobody_at_the_address_is_reported() -> None:
    with pytest.raises(Unreachable, match="no lyricsyncd answers"):
        Service("http://127.0.0.1:9").report([{"event": "imported", "path": "/a"}])
