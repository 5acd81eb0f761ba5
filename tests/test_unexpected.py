"""What a programming error, or trouble that passes, costs: one turn of a loop, or nothing."""

from __future__ import annotations

import errno
import pickle
from pathlib import Path

import pytest
from watchdog.events import FileClosedEvent

from lyricsyncd.catalog.catalog import FILE_NAME, Catalog, Request
from lyricsyncd.errors import JournalError, UsageError, WriteError, passes
from lyricsyncd.library import watch
from lyricsyncd.library.events import Event, EventHandler, Kind
from lyricsyncd.library.lookup import Lookup
from lyricsyncd.library.rules import Rules, is_song
from lyricsyncd.library.settle import Debouncer, StableFile
from lyricsyncd.library.walk import walk
from lyricsyncd.library.watch import FileEvent
from lyricsyncd.unexpected import Once, TransientErrors, UnexpectedErrors


def trip(what: object) -> None:
    raise TypeError(f"a bug, met on {what}")


class TestAnUnexpectedError:
    def test_costs_one_turn_and_is_counted(self) -> None:
        errors, done = UnexpectedErrors(), []
        for turn in range(4):
            with errors.contain(turn):
                if turn % 2:
                    trip(turn)
                done.append(turn)
        assert done == [0, 2]
        assert errors.count == 2

    def test_is_logged_with_its_traceback_once_and_each_file_once(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        errors = UnexpectedErrors()
        for turn in ("a.mp3", "b\n.mp3", "a.mp3"):
            with errors.contain(turn):
                trip(turn)
        assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
        assert [record.exc_info is not None for record in caplog.records] == [True, False]
        assert all(message.isprintable() for message in caplog.messages)
        assert "b\\n.mp3: unexpected TypeError" in caplog.messages[1]

    def test_does_not_hide_what_is_expected(self) -> None:
        with pytest.raises(OSError, match="gone"), UnexpectedErrors().contain("x", but=OSError):
            raise OSError("gone")

    def test_does_not_stop_a_person_who_does(self) -> None:
        with pytest.raises(KeyboardInterrupt), UnexpectedErrors().contain("x"):
            raise KeyboardInterrupt

    def test_in_one_folder_costs_a_scan_that_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        for name in ("a", "bug", "c"):
            (tmp_path / name).mkdir()
            (tmp_path / name / f"{name}.mp3").write_bytes(b"x")
        monkeypatch.setattr(
            "lyricsyncd.library.walk.is_song",
            lambda path: trip(path) if "bug" in path.name else is_song(path),
        )
        unreadable: list[Path] = []
        found = {path.name for seen in walk(Rules(tmp_path), unreadable=unreadable)
                 for path in seen.songs}  # fmt: skip
        assert found == {"a.mp3", "c.mp3"}
        # Its songs are not taken for gone.
        assert unreadable == [tmp_path / "bug"]
        assert "unexpected TypeError" in caplog.text

    def test_does_not_end_the_thread_that_recognises_of_changes(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        handler = watch._Handler(tmp_path, tmp_path, trip)
        handler.dispatch(FileClosedEvent(str(tmp_path / "a.mp3")))
        assert "a.mp3: unexpected TypeError" in caplog.text


class TestWhatIsLoggedOnce:
    def test_is_new_the_first_time(self) -> None:
        once = Once()
        assert [once.is_new(text) for text in "abab"] == [True, True, False, False]

    def test_takes_no_more_room_with_every_song(self) -> None:
        once = Once()
        for number in range(100_000):
            assert once.is_new(f"/music/{number}.mp3 has no fingerprint")
        assert len(pickle.dumps(once)) < 200_000


class TestPassingTrouble:
    def test_is_reported_from_what_stays(self) -> None:
        for number in (errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.ENOMEM):
            assert passes(OSError(number, "now"))
        assert passes(WriteError("a full disk", transient=True))
        assert not passes(OSError(errno.EACCES, "never"))
        assert not passes(UsageError("never"))
        assert not passes(TypeError("a bug"))

    def test_is_logged_once_for_a_while(self, caplog: pytest.LogCaptureFixture) -> None:
        transient = TransientErrors()
        for text in ("full", "full", "locked", "full"):
            transient.log(WriteError(text))
        assert caplog.messages == ["full", "locked"]

    def test_puts_a_file_back_among_those_that_are_waited_for(self) -> None:
        settling = Debouncer(60.0)
        settling.put_back(StableFile(Path("a"), None), now=100.0, after=5.0)
        assert settling.next_due() == 105.0
        assert settling.due(104.0, lambda _: None) == []
        assert settling.due(105.0, lambda _: None) == [StableFile(Path("a"), None)]

    def test_leaves_what_was_recognised_since_in_its_place(self) -> None:
        settling = Debouncer(60.0)
        settling.touch(Path("a"), None, now=100.0)
        settling.put_back(StableFile(Path("a"), None), now=100.0, after=5.0)
        assert settling.next_due() == 160.0

    @pytest.mark.parametrize(
        "error",
        [
            WriteError("a full disk", transient=True),
            JournalError("a full disk", transient=True),
            OSError(errno.EMFILE, "too many open files"),
        ],
    )
    def test_lets_no_event_be_forgotten(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        music = tmp_path / "music"
        (music / "album").mkdir(parents=True)
        (music / "a.mp3").write_bytes(b"x")
        hints: list[FileEvent] = []
        events = [
            Event(Kind.IMPORTED, str(music / "a.mp3")),
            Event(Kind.IMPORTED, "/elsewhere/b.mp3"),
            Event(Kind.IMPORTED, str(music / "album")),
            Event(Kind.MOVED, str(music / "d.mp3"), moved_from=str(music / "c.mp3")),
            Event(Kind.REMOVED, str(music / "e.mp3")),
        ]

        def full(_requests: list[Request]) -> None:
            raise error

        with Catalog(tmp_path / FILE_NAME) as catalog:
            handler = EventHandler(catalog, Lookup(catalog, [Rules(music)]), hints.append)
            monkeypatch.setattr(catalog, "enqueue_many", full)
            with pytest.raises(WriteError) as caught:
                handler.take(events)
        assert caught.value.transient
        recognised = {hint.path.name: hint for hint in hints}
        assert set(recognised) == {"a.mp3", "album", "c.mp3", "d.mp3", "e.mp3"}
        assert recognised["album"].folder
        assert recognised["d.mp3"].moved_from == music / "c.mp3"
