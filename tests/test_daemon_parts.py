"""The smaller parts: the schedule, what errors mean, talk to systemd."""

from __future__ import annotations

import datetime
import os
import pickle
import socket
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.catalog.catalog import RETRY_LYRICS, RETRY_SOON, State
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import (
    AlignmentError,
    AudioError,
    LyricsNotFound,
    LyricsyncError,
    ModelError,
    Refused,
    Unreachable,
    UsageError,
    WriteError,
)
from lyricsyncd.model import Decision, Line, Lyrics, SongIdentification, Track, Word
from lyricsyncd.pipeline.prepared import Prepared
from lyricsyncd.pipeline.result import SyncResult
from lyricsyncd.pipeline.settings import placing_settings
from lyricsyncd.service.lock import StateLock, running
from lyricsyncd.systemd import notify
from lyricsyncd.work import schedule, worker
from lyricsyncd.work.outcomes import SETTINGS_RETRY_S, of_error, of_result
from lyricsyncd.work.policy import LIMIT_FLOOR_S, LIMIT_UNKNOWN_S, time_limit

MONDAY = datetime.datetime(2026, 3, 2, 12, 0)


@pytest.fixture
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.mark.usefixtures("_utc")
class TestSchedule:
    @pytest.mark.parametrize(
        ("crontab", "due"),
        [
            ("0 4 * * *", "2026-03-03 04:00"),
            ("*/15 * * * *", "2026-03-02 12:15"),
            ("0 0 * * 0", "2026-03-08 00:00"),  # Sunday, as cron has it
            ("0 0 * * 7", "2026-03-08 00:00"),
            ("0 0 * * 1", "2026-03-09 00:00"),
            ("0 0 * * 5-7", "2026-03-06 00:00"),
            ("0 0 * * 2,4", "2026-03-03 00:00"),
            ("0 0 * * */2", "2026-03-03 00:00"),
            ("0 0 * * sun", "2026-03-08 00:00"),
            ("0 0 * * sun-tue", "2026-03-03 00:00"),
            ("0 0 * * wed/2", "2026-03-04 00:00"),
            ("0 0 1 * *", "2026-04-01 00:00"),
        ],
    )
    def test_is_that_of_cron(self, crontab: str, due: str) -> None:
        moment = MONDAY.replace(tzinfo=datetime.timezone.utc).timestamp()
        found = schedule.next_scan(crontab, moment)
        assert found is not None
        reported = datetime.datetime.fromtimestamp(found, datetime.timezone.utc)
        assert reported.strftime("%Y-%m-%d %H:%M") == due

    def test_what_is_due_now_is_next_due_the_next_time(self) -> None:
        moment = datetime.datetime(2026, 3, 2, 4, 0, tzinfo=datetime.timezone.utc).timestamp()
        found = schedule.next_scan("0 4 * * *", moment)
        assert found == moment + 86400


class TestQuietHours:
    @pytest.mark.parametrize(
        ("hours", "now", "quiet"),
        [
            (None, "03:00", False),
            ("22:00-07:00", "23:00", True),
            ("22:00-07:00", "06:59", True),
            ("22:00-07:00", "07:00", False),
            ("22:00-07:00", "12:00", False),
            ("09:00-17:00", "09:00", True),
            ("09:00-17:00", "17:00", False),
        ],
    )
    def test_may_go_over_midnight(self, hours: str | None, now: str, quiet: bool) -> None:
        assert schedule.quiet(hours, datetime.time.fromisoformat(now)) is quiet


class TestWhatAnErrorMeans:
    @pytest.mark.parametrize(
        ("error", "state", "retry"),
        [
            (LyricsNotFound("none"), State.NO_LYRICS, RETRY_LYRICS),
            (Unreachable("no network"), State.PENDING, RETRY_SOON),
            (Refused("bad key"), State.PENDING, RETRY_SOON),
            (Refused("later", retry_after=7200.0), State.PENDING, (7200.0, 7200.0, 86400.0)),
            (ModelError("missing"), State.PENDING, (SETTINGS_RETRY_S,)),
            (WriteError("disk full"), State.PENDING, RETRY_SOON),
            (OSError(5, "input/output error"), State.PENDING, RETRY_SOON),
            (AudioError("broken"), State.FAILED, None),
            (AlignmentError("no place"), State.FAILED, None),
            (LyricsyncError("later", transient=True), State.PENDING, RETRY_SOON),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_for_its_song(
        self, error: LyricsyncError | OSError, state: State, retry: tuple[float, ...] | None
    ) -> None:
        outcome = of_error(error)
        assert (outcome.state, outcome.retry) == (state, retry)
        assert outcome.error == str(error)


class TestWhatAResultMeans:
    @pytest.mark.parametrize(
        ("decision", "instrumental", "state"),
        [
            (Decision.WORDS, False, State.DONE),
            (Decision.MIXED, False, State.MIXED),
            (Decision.LINES, False, State.LINES),
            (Decision.REVIEW, False, State.REVIEW),
            (Decision.NONE, False, State.REVIEW),
            (Decision.NONE, True, State.INSTRUMENTAL),
        ],
    )
    def test_for_its_song(self, decision: Decision, instrumental: bool, state: State) -> None:
        lyrics = Lyrics((Line.from_text("la la"),), instrumental=instrumental)
        outcome = of_result(
            SyncResult(SongIdentification(Track()), lyrics, 0.5, decision, "why"), None
        )
        assert outcome.state is state
        assert outcome.words == 2

    def test_counts_the_lines_and_words_that_have_times(self) -> None:
        words = (Word("la", 1.0, 1.2), Word("la", 1.5, 1.7))
        lyrics = Lyrics((Line(words, 1.0), Line(words, 1.0, doubtful=True)))
        outcome = of_result(
            SyncResult(SongIdentification(Track()), lyrics, 0.5, Decision.MIXED, "why"), None
        )
        assert (outcome.lines, outcome.lines_with_words) == (2, 1)
        assert (outcome.words, outcome.words_timed) == (4, 2)

    @given(st.floats(0, 1e5))
    def test_a_longer_song_may_take_longer(self, duration: float) -> None:
        assert time_limit(duration) >= LIMIT_FLOOR_S
        assert (
            time_limit(duration + 1000) > time_limit(duration)
            or time_limit(duration) == LIMIT_FLOOR_S
        )
        assert time_limit(None) == LIMIT_UNKNOWN_S


def test_what_goes_to_the_worker_can_travel() -> None:
    settings = placing_settings(Config.model_validate({"identify": {"acoustid_key": "secret"}}))
    lyrics = Lyrics((Line.from_text("la la"),), metadata={"title": "La"})
    song, path = SongIdentification(Track(Path("a.mp3"))), Path("a.mp3")
    sent = (worker.place, (settings, Prepared(path, song, lyrics)))
    function, (back, prepared) = pickle.loads(pickle.dumps(sent))
    assert function is worker.place
    assert back == settings
    assert b"secret" not in pickle.dumps(sent)
    assert prepared.lyrics == lyrics


class TestSystemd:
    @pytest.mark.parametrize("abstract", [False, True])
    def test_recognises_what_is_reported(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool
    ) -> None:
        address = f"@lyricsyncd-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
            receiver.bind("\0" + address[1:] if abstract else address)
            monkeypatch.setenv("NOTIFY_SOCKET", address)
            notify.sd_notify("READY=1", "STATUS=Été")
            assert receiver.recv(100).decode() == "READY=1\nSTATUS=Été"

    @pytest.mark.parametrize("address", ["", "nonsense", "/nowhere/notify"])
    def test_that_does_not_listen_is_no_trouble(
        self, monkeypatch: pytest.MonkeyPatch, address: str
    ) -> None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        notify.sd_notify("READY=1")

    def test_says_how_often_it_wants_a_sign_of_life(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WATCHDOG_USEC", "3000000")
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
        assert notify.watchdog_interval() == 3.0
        monkeypatch.setenv("WATCHDOG_PID", "1")
        assert notify.watchdog_interval() is None


class TestTheLock:
    def test_lets_one_in(self, tmp_path: Path) -> None:
        assert not running(tmp_path)
        with StateLock(tmp_path):
            assert running(tmp_path)
            with pytest.raises(UsageError, match=rf"at work on .* \(process {os.getpid()}\)"):
                StateLock(tmp_path).acquire()
        assert not running(tmp_path)
        with StateLock(tmp_path):
            pass
