"""The parts of the service on their own, and what holds for all of them."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lyricsyncd.catalog.catalog import FILE_NAME, Catalog, Entry, Outcome, Priority, State
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import LyricsyncError
from lyricsyncd.service.background import Background
from lyricsyncd.service.clock import Clock
from lyricsyncd.service.component import Component, Interval, ThreadComponent
from lyricsyncd.service.libraries import Libraries
from lyricsyncd.service.scans import Scans
from lyricsyncd.service.service import Service, compose

SONG = Path(__file__).parent.parent / "demo" / "songs" / "The_Star.mp3"
DAY = 86400.0
NOON = time.mktime((2026, 6, 1, 12, 0, 0, 0, 0, -1))


class Home:
    """A library, a catalog, and a clock that the test sets."""

    def __init__(self, folder: Path, catalog: Catalog) -> None:
        self.music = folder / "music"
        self.music.mkdir()
        self.catalog = catalog
        self.now = NOON
        self.awake = 0.0
        catalog.clock = lambda: self.now
        self.scanned = threading.Event()
        self.background = Background()
        self.libraries = Libraries(lambda _event: None)
        self.scans = Scans(
            catalog, self.libraries, self.background, self.scanned.set, wall=lambda: self.now
        )

    def config(self, **daemon: object) -> Config:
        return Config.model_validate({"libraries": [{"path": str(self.music)}], "daemon": daemon})

    def start(self, **daemon: object) -> None:
        self.background.start(self.config())
        self.libraries.start(self.config())
        self.scans.start(self.config(**daemon))

    def wait(self) -> None:
        assert self.scanned.wait(30)
        self.scanned.clear()

    def pass_(self, clock: Clock, seconds: float) -> None:
        """Let time pass for all clocks."""
        self.now += seconds
        self.awake += seconds
        clock.tick(self.awake)

    def entry(self, id: int) -> Entry:
        entry = self.catalog.get(id)
        assert entry is not None
        return entry

    def songs(self) -> list[str]:
        return sorted(entry.path.name for entry in self.catalog.entries())


def clock_of(home: Home, called: list[int]) -> Clock:
    return Clock(
        home.catalog,
        lambda: called.append(1),
        wall=lambda: home.now,
        steady=lambda: home.awake,
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "cache"))
    with Catalog(tmp_path / FILE_NAME) as catalog:
        made = Home(tmp_path, catalog)
        yield made
        made.libraries.stop()
        if made.background.alive:
            made.background.stop()


class TestAScan:
    def test_is_made_of_a_library_that_is_there_at_the_start(self, home: Home) -> None:
        shutil.copyfile(SONG, home.music / "a.mp3")
        home.start()
        home.wait()
        assert home.songs() == ["a.mp3"]

    def test_is_repeated_at_the_times_of_the_configuration(self, home: Home) -> None:
        home.start(rescan="0 4 * * *")
        home.wait()
        shutil.copyfile(SONG, home.music / "a.mp3")
        home.scans.tick(time.monotonic())
        assert home.songs() == []
        home.now += DAY
        home.scans.tick(time.monotonic())
        home.wait()
        assert home.songs() == ["a.mp3"]
        (entry,) = home.catalog.entries()
        assert (entry.why, entry.priority) == ("scheduled scan", Priority.BACKFILL)

    def test_queues_songs_with_words_beside_them_first(self, home: Home) -> None:
        for name in ("a.mp3", "b.mp3", "c.mp3"):
            shutil.copyfile(SONG, home.music / name)
        for words in ("b.lrc", "c.mp3.txt"):
            (home.music / words).write_text("la\n", encoding="utf-8")
        home.start()
        home.wait()
        names = [entry.path.name for entry in home.catalog.queue()]
        assert names == ["b.mp3", "c.mp3", "a.mp3"]

    def test_is_due_once_for_each_of_the_times(self, home: Home) -> None:
        home.start(rescan="0 4 * * *")
        home.wait()
        home.now += 3 * DAY
        home.scans.tick(time.monotonic())
        home.wait()
        home.scans.tick(time.monotonic())
        assert not home.scanned.wait(0.5)

    def test_is_not_repeated_where_no_time_is_set(self, home: Home) -> None:
        home.start(rescan=None)
        home.wait()
        home.now += 30 * DAY
        home.scans.tick(time.monotonic())
        assert not home.scanned.wait(0.5)

    def test_follows_the_times_of_a_configuration_that_was_reloaded(self, home: Home) -> None:
        home.start(rescan=None)
        home.wait()
        home.scans.reload(home.config(rescan="30 12 * * *"))
        home.now += 3600
        home.scans.tick(time.monotonic())
        home.wait()


class TestTheClock:
    @pytest.mark.parametrize(("jump", "calls"), [(-3600.0, 1), (-30.0, 0), (3600.0, 0)])
    def test_that_is_set_back_is_noticed(self, home: Home, jump: float, calls: int) -> None:
        called: list[int] = []
        clock = clock_of(home, called)
        home.pass_(clock, 2.0)
        home.now += jump
        home.pass_(clock, 2.0)
        home.pass_(clock, 2.0)
        assert len(called) == calls

    def test_that_goes_slowly_wrong_is_noticed_as_well(self, home: Home) -> None:
        called: list[int] = []
        clock = clock_of(home, called)
        for _ in range(200):
            home.now -= 0.5
            home.pass_(clock, 1.0)
        assert called == [1]

    def waiting(self, home: Home, name: str, wait: float = 7 * DAY) -> int:
        """A song whose words are looked for again after a week."""
        song = home.music / name
        song.write_bytes(b"x")
        home.catalog.enqueue(song, Priority.BACKFILL, "test")
        entry = home.catalog.claim("me", 60.0)
        assert entry is not None
        home.catalog.finish(entry.id, "me", Outcome(State.NO_LYRICS, "none", (wait,)))
        return entry.id

    def wait_of(self, home: Home, id: int) -> float:
        due = home.entry(id).next_attempt_at
        assert due is not None
        return due - home.now

    @pytest.mark.parametrize("years", [1, 10, 50])
    def test_that_jumps_ahead_makes_nothing_due_and_lets_nothing_wait_when_it_returns(
        self, home: Home, years: int
    ) -> None:
        clock = clock_of(home, [])
        before = self.waiting(home, "before.mp3")
        home.pass_(clock, 2.0)
        home.now += years * 365 * DAY
        home.pass_(clock, 2.0)
        assert self.wait_of(home, before) == pytest.approx(7 * DAY, abs=10)
        meanwhile = self.waiting(home, "meanwhile.mp3")
        home.pass_(clock, 60.0)
        home.now -= years * 365 * DAY
        home.pass_(clock, 2.0)
        for id in (before, meanwhile):
            assert self.wait_of(home, id) == pytest.approx(7 * DAY, abs=100)

    @pytest.mark.parametrize("days", [2000.0, -2000.0])
    def test_what_comes_between_its_jump_and_its_notice_is_left_as_it_is(
        self, home: Home, days: float
    ) -> None:
        clock = clock_of(home, [])
        for way in (days, -days):
            home.pass_(clock, 2.0)
            home.now += way * DAY
            id = self.waiting(home, f"{way}.mp3")
            finished = home.entry(id).finished_at
            home.pass_(clock, 2.0)
            assert self.wait_of(home, id) == pytest.approx(7 * DAY, abs=10)
            assert home.entry(id).finished_at == finished

    def test_that_is_years_behind_until_the_network_is_there_changes_nothing(
        self, home: Home
    ) -> None:
        id = self.waiting(home, "song.mp3")
        finished = home.entry(id).finished_at
        home.now -= 6 * 365 * DAY
        clock = clock_of(home, [])
        clock.start(home.config())
        home.pass_(clock, 2.0)
        assert self.wait_of(home, id) == pytest.approx(7 * DAY, abs=20)
        home.now += 6 * 365 * DAY
        home.pass_(clock, 2.0)
        assert self.wait_of(home, id) == pytest.approx(7 * DAY, abs=20)
        assert home.entry(id).finished_at == pytest.approx(finished, abs=20)

    def test_that_jumped_while_the_service_was_off_lets_nothing_wait_for_years(
        self, home: Home
    ) -> None:
        clock = clock_of(home, [])
        id = self.waiting(home, "song.mp3")
        home.pass_(clock, 2.0)
        home.now += 20 * 365 * DAY
        home.pass_(clock, 2.0)
        # The service ends, and the next one starts after the clock was put right.
        home.now -= 20 * 365 * DAY
        clock_of(home, []).start(home.config())
        assert self.wait_of(home, id) <= 7 * DAY

    def test_that_jumps_ahead_forgets_no_song_that_is_missing(self, home: Home) -> None:
        id = self.waiting(home, "song.mp3")
        (home.music / "song.mp3").unlink()
        (home.music / "other.mp3").write_bytes(b"x")
        home.catalog.missing([id])
        clock = clock_of(home, [])
        home.pass_(clock, 2.0)
        home.now += 10 * 365 * DAY
        home.pass_(clock, 2.0)
        home.catalog.scanned(home.music)
        assert home.catalog.get(id) is not None

    def test_is_not_taken_for_wrong_after_the_computer_slept(self, home: Home) -> None:
        clock = clock_of(home, [])
        id = self.waiting(home, "song.mp3")
        home.pass_(clock, 2.0)
        home.pass_(clock, 8 * DAY)
        assert self.wait_of(home, id) < 0


class TestBackgroundJobs:
    def test_run_one_after_the_other_and_an_error_ends_its_job_only(
        self, home: Home, caplog: pytest.LogCaptureFixture
    ) -> None:
        done: list[str] = []
        end = threading.Event()
        home.background.submit("first", lambda: done.append("first"))
        home.background.submit("bad", lambda: done.append(str(1 / 0)))
        home.background.submit("last", end.set)
        home.background.start(home.config())
        assert end.wait(30)
        assert done == ["first"]
        assert "bad: unexpected ZeroDivisionError" in caplog.text
        assert home.background.alive


class TestAnInterval:
    def test_begins_anew_when_it_is_over(self) -> None:
        interval = Interval(10.0)
        assert [interval.due(now) for now in (0.0, 5.0, 10.0, 15.0)] == [True, False, True, False]

    def test_may_begin_with_a_wait(self) -> None:
        interval = Interval(10.0, first=3.0)
        assert [interval.due(now) for now in (0.0, 2.0, 3.0, 12.0)] == [False, False, True, False]


class TestAThread:
    def test_is_replaced_when_the_configuration_is_reloaded(self) -> None:
        running: set[int] = set()
        started: list[int] = []

        class Thread:
            def __init__(self) -> None:
                started.append(len(started))
                running.add(id(self))

            def stop(self) -> None:
                running.remove(id(self))

        component = ThreadComponent("thread", lambda _config: Thread())
        component.start(Config())
        component.reload(Config())
        assert (len(started), len(running)) == (2, 1)
        component.stop()
        component.stop()
        assert not running


class Recorder(Component):
    """A component that writes down what is done to it."""

    def __init__(self, name: str, log: list[str], fails: tuple[str, ...] = ()) -> None:
        self.name, self._log, self._fails = name, log, fails

    def _step(self, step: str) -> None:
        self._log.append(f"{self.name} {step}")
        if step in self._fails:
            raise LyricsyncError(f"{self.name} fails at {step}")

    def validate(self, config: Config) -> None:  # noqa: ARG002
        self._step("validate")

    def start(self, config: Config) -> None:  # noqa: ARG002
        self._step("start")

    def reload(self, config: Config) -> None:  # noqa: ARG002
        self._step("reload")

    def tick(self, now: float) -> None:  # noqa: ARG002
        self._step("tick")

    def stop(self) -> None:
        self._step("stop")


def service(tmp_path: Path, load: Callable[[], Config] = Config) -> Service:
    return Service(load, tmp_path)


class TestEveryComponent:
    def test_stops_in_the_reverse_order_though_one_fails(self, tmp_path: Path) -> None:
        log: list[str] = []
        service(tmp_path)._stop([Recorder(name, log, ("stop",)) for name in "abc"])
        assert log == ["c stop", "b stop", "a stop"]

    def test_reloads_though_one_fails(self, tmp_path: Path) -> None:
        log: list[str] = []
        service(tmp_path)._reload([Recorder("a", log, ("reload",)), Recorder("b", log)])
        assert log == ["a validate", "b validate", "a reload", "b reload"]

    def test_stays_as_it_was_where_one_cannot_use_a_configuration(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        log: list[str] = []
        service(tmp_path)._reload([Recorder("a", log), Recorder("b", log, ("validate",))])
        assert log == ["a validate", "b validate"]
        assert "stays as it was" in caplog.text

    def test_has_a_name_of_its_own(self, home: Home) -> None:
        components = compose(home.catalog, home.config, lambda: None)
        names = [component.name for component in components]
        assert all(names)
        assert len(set(names)) == len(names)


def test_what_is_not_essential_does_not_keep_the_service_from_starting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log: list[str] = []
    with caplog.at_level(logging.ERROR):
        service(tmp_path)._start(Recorder("a", log, ("start",)))
    assert "a fails at start" in caplog.text
    essential = Recorder("b", log, ("start",))
    essential.essential = True
    with pytest.raises(LyricsyncError):
        service(tmp_path)._start(essential)
