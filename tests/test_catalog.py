"""The catalog: what is queued, in which order, and what survives."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import threading
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lyricsyncd.catalog import migrations, mounts
from lyricsyncd.catalog.catalog import (
    FORGET_AFTER,
    MAX_ATTEMPTS,
    MAX_CRASHES,
    RETRY_LYRICS,
    RETRY_SOON,
    Catalog,
    Entry,
    Fingerprint,
    Outcome,
    Priority,
    Queued,
    Request,
    State,
)
from lyricsyncd.errors import LyricsyncError, UsageError, WorkerLost, WriteError
from lyricsyncd.model import Track
from tests.clock import Clock

DONE = Outcome(State.DONE, "all is well")
LOST = WorkerLost("The model worker was killed by SIGKILL")
A, B = Path("/music/a"), Path("/music/b")


def queue(
    catalog: Catalog,
    name: str,
    priority: Priority = Priority.BACKFILL,
    library: Path = A,
    looks: Fingerprint | None = None,
    *,
    force: bool = False,
) -> Queued:
    looks = looks or Fingerprint(1, 1)
    return catalog.enqueue(
        library / name, priority, "test", library=library, fingerprint=looks, force=force
    )


def claim(catalog: Catalog, owner: str = "me") -> Entry:
    entry = catalog.claim(owner, 60)
    assert entry is not None
    return entry


def do(catalog: Catalog, outcome: Outcome = DONE) -> Entry:
    entry = claim(catalog)
    assert catalog.finish(entry.id, "me", outcome)
    after = catalog.get(entry.id)
    assert after is not None
    return after


class TestSongsThatNeedALookUp:
    def test_are_looked_at_in_the_api_first(self, catalog: Catalog) -> None:
        queue(catalog, "a.mp3")
        assert catalog.claim("me", 60, look_ups=True) is None
        entry = catalog.claim("me", 60, look_ups=False)
        assert entry is not None
        assert catalog.needs_look_up(entry.id, "me")
        assert catalog.claim("me", 60, look_ups=False) is None
        again = catalog.claim("me", 60, look_ups=True)
        assert again is not None
        assert (again.waits_for, again.attempts) == ("", 1)

    def test_wait_for_their_host_alone(self, catalog: Catalog) -> None:
        for name, host in (("a.mp3", "one.host"), ("b.mp3", "two.host")):
            queue(catalog, name)
            entry = catalog.claim("me", 60, resting=["one.host"])
            assert entry is not None
            away = Outcome(State.PENDING, "away", (0.0,), "Unreachable", "?", host)
            assert catalog.finish(entry.id, "me", away)
        assert catalog.waiting() == {"one.host": 1, "two.host": 1}
        entry = catalog.claim("me", 60, resting=["one.host"])
        assert entry is not None
        assert entry.waits_for == "two.host"
        assert catalog.claim("me", 60, resting=["one.host"]) is None
        assert catalog.claim("me", 60) is not None

    def test_begin_anew_where_a_person_asks(self, catalog: Catalog) -> None:
        queue(catalog, "a.mp3")
        entry = do(catalog, Outcome(State.PENDING, "away", (0.0,), "Unreachable", "?", "host"))
        catalog.retry([entry.id])
        assert catalog.waiting() == {}
        assert catalog.claim("me", 60, look_ups=False, resting=["host"]) is not None


class TestOrder:
    def test_who_waits_decides(self, catalog: Catalog) -> None:
        for priority in (Priority.IMPORT, Priority.PLAYING, Priority.BACKFILL, Priority.PERSON):
            queue(catalog, f"{priority.name}.mp3", priority)
        names = [claim(catalog).path.stem for _ in range(4)]
        assert names == ["PLAYING", "PERSON", "IMPORT", "BACKFILL"]

    def test_of_equals_the_first_goes_first(self, catalog: Catalog, clock: Clock) -> None:
        for name in ("3", "1", "2"):
            queue(catalog, name)
            clock.now += 1
        assert [claim(catalog).path.name for _ in range(3)] == ["3", "1", "2"]

    def test_who_is_at_work_on_a_song_is_not_given_it_again(
        self, catalog: Catalog, clock: Clock
    ) -> None:
        queue(catalog, "song")
        held = claim(catalog)
        clock.now += 61
        assert catalog.claim("you", 60, at_least=Priority.PLAYING) is None
        assert catalog.claim("me", 60, holding=[held.id]) is None
        assert catalog.claim("you", 60) is not None

    def test_libraries_take_turns(self, catalog: Catalog, clock: Clock) -> None:
        for number in range(3):
            queue(catalog, f"{number}", library=A)
        queue(catalog, "0", library=B)
        taken = []
        for _ in range(4):
            clock.now += 1
            taken.append(claim(catalog).library)
        assert taken[:2] in ([A, B], [B, A])

    def test_is_that_of_the_queue_which_people_see(self, catalog: Catalog, clock: Clock) -> None:
        for name, priority, library in (
            ("a1", Priority.BACKFILL, A),
            ("a2", Priority.BACKFILL, A),
            ("a3", Priority.BACKFILL, A),
            ("b1", Priority.BACKFILL, B),
            ("b2", Priority.PERSON, B),
            ("a4", Priority.PERSON, A),
            ("b3", Priority.BACKFILL, B),
        ):
            queue(catalog, name, priority, library=library)
            clock.now += 1
        claim(catalog)
        coming = [entry.path.name for entry in catalog.queue() if entry.state is State.PENDING]
        claimed = []
        while (entry := catalog.claim("me", 600)) is not None:
            clock.now += 1
            claimed.append(entry.path.name)
        assert coming == claimed
        assert len(coming) == 6

    def test_a_higher_priority_brings_a_queued_song_forward(self, catalog: Catalog) -> None:
        queue(catalog, "first")
        queue(catalog, "second")
        assert queue(catalog, "second", Priority.PLAYING) is Queued.WAITING
        assert claim(catalog).path.name == "second"

    def test_a_lower_one_does_not_set_it_back(self, catalog: Catalog) -> None:
        queue(catalog, "song", Priority.PLAYING)
        queue(catalog, "song", Priority.BACKFILL)
        assert claim(catalog).priority == Priority.PLAYING

    def test_only_some_songs_may_be_asked_for(self, catalog: Catalog) -> None:
        queue(catalog, "import", Priority.IMPORT)
        assert catalog.claim("me", 60, at_least=Priority.PERSON) is None
        assert catalog.claim("me", 60, only=[]) is None

    def test_the_list_of_the_queue_is_that_order(self, catalog: Catalog) -> None:
        for name, priority in (("b", Priority.BACKFILL), ("p", Priority.PERSON)):
            queue(catalog, name, priority)
        at_work = claim(catalog)
        queue(catalog, "i", Priority.IMPORT)
        assert [entry.path.name for entry in catalog.queue()] == [at_work.path.name, "i", "b"]


class TestQueueing:
    def test_a_song_is_queued_once(self, catalog: Catalog) -> None:
        assert queue(catalog, "song") is Queued.NEW
        assert queue(catalog, "song") is Queued.WAITING
        assert len(catalog.entries()) == 1

    def test_a_song_that_is_done_is_not_done_again(self, catalog: Catalog) -> None:
        queue(catalog, "song")
        do(catalog)
        assert queue(catalog, "song") is Queued.UNCHANGED
        assert catalog.claim("me", 60) is None

    @pytest.mark.parametrize("looks", [Fingerprint(2, 1), Fingerprint(1, 2)])
    def test_unless_its_file_changed(self, catalog: Catalog, looks: Fingerprint) -> None:
        queue(catalog, "song")
        do(catalog)
        assert queue(catalog, "song", looks=looks) is Queued.AGAIN
        assert claim(catalog).fingerprint == looks

    def test_or_the_user_insists(self, catalog: Catalog) -> None:
        queue(catalog, "song")
        do(catalog)
        assert queue(catalog, "song", force=True) is Queued.AGAIN

    def test_our_own_writing_into_the_song_is_no_change(self, catalog: Catalog) -> None:
        queue(catalog, "song")
        entry = claim(catalog)
        written = Fingerprint(5, 5)
        queue(catalog, "song", looks=written)  # the watcher is quicker than we are
        assert catalog.finish(entry.id, "me", DONE, written)
        after = catalog.get(entry.id)
        assert after is not None
        assert after.state is State.DONE
        assert queue(catalog, "song", looks=written) is Queued.UNCHANGED

    def test_a_change_while_the_song_is_in_work_is_not_lost(self, catalog: Catalog) -> None:
        queue(catalog, "song")
        entry = claim(catalog)
        assert queue(catalog, "song", looks=Fingerprint(9, 9)) is Queued.WORKING
        catalog.finish(entry.id, "me", DONE)
        assert claim(catalog).fingerprint == Fingerprint(9, 9)

    def test_what_a_person_skips_stays_skipped_until_they_retry(self, catalog: Catalog) -> None:
        queue(catalog, "song")
        (entry,) = catalog.entries()
        assert catalog.skip([entry.id]) == 1
        assert queue(catalog, "song", looks=Fingerprint(9, 9)) is Queued.IGNORED
        assert catalog.claim("me", 60) is None
        assert catalog.retry([entry.id]) == 1
        assert claim(catalog).priority == Priority.PERSON

    def test_a_skipped_song_in_work_is_lost_to_who_works_on_it(self, catalog: Catalog) -> None:
        queue(catalog, "song")
        entry = claim(catalog)
        catalog.skip([entry.id])
        assert not catalog.progress(entry.id, "me", "write", 0.0)
        assert not catalog.finish(entry.id, "me", DONE)
        assert catalog.counts()[State.IGNORED] == 1

    def test_a_file_that_is_not_there_cannot_be_queued(self, catalog: Catalog) -> None:
        with pytest.raises(UsageError, match="cannot be queued"):
            catalog.enqueue(Path("/nowhere/song.mp3"), Priority.PERSON, "test")

    def test_a_name_need_not_be_text(self, catalog: Catalog, tmp_path: Path) -> None:
        song = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 \xff.mp3"))
        song.write_bytes(b"music")
        catalog.enqueue(song, Priority.PERSON, "test")
        assert claim(catalog).path == song
        assert catalog.by_path(song) is not None

    def test_many_are_queued_in_one_go_or_not_at_all(self, catalog: Catalog) -> None:
        good = Request(A / "good", Priority.IMPORT, "test", A, Fingerprint(1, 1))
        bad = Request(Path("/nowhere"), Priority.IMPORT, "test")
        with pytest.raises(UsageError):
            catalog.enqueue_many([good, bad])
        assert catalog.entries() == []


class TestMovedSongs:
    def test_keep_what_is_known_of_them(self, catalog: Catalog, tmp_path: Path) -> None:
        old, new = tmp_path / "old.mp3", tmp_path / "sub" / "new.mp3"
        new.parent.mkdir()
        old.write_bytes(b"music")
        catalog.enqueue(old, Priority.IMPORT, "test")
        sidecar = tmp_path / "old.lrc"
        sidecar.write_text("la", encoding="utf-8")
        entry = do(catalog, Outcome(State.DONE, "well", written=(sidecar,)))
        old.rename(new)
        sidecar.rename(new.with_suffix(".lrc"))
        assert catalog.enqueue(new, Priority.IMPORT, "test") is Queued.UNCHANGED
        after = catalog.by_path(new)
        assert after is not None
        assert after.id == entry.id
        assert after.written == (new.with_suffix(".lrc"),)

    def test_are_done_anew_if_their_lyrics_stayed_behind(
        self, catalog: Catalog, tmp_path: Path
    ) -> None:
        old, new = tmp_path / "old.mp3", tmp_path / "new.mp3"
        old.write_bytes(b"music")
        catalog.enqueue(old, Priority.IMPORT, "test")
        do(catalog, Outcome(State.DONE, "well", written=(tmp_path / "old.lrc",)))
        old.rename(new)
        assert catalog.enqueue(new, Priority.IMPORT, "test") is Queued.AGAIN

    def test_a_copy_is_another_song(self, catalog: Catalog, tmp_path: Path) -> None:
        old, link = tmp_path / "old.mp3", tmp_path / "link.mp3"
        old.write_bytes(b"music")
        catalog.enqueue(old, Priority.IMPORT, "test")
        do(catalog)
        os.link(old, link)
        assert catalog.enqueue(link, Priority.IMPORT, "test") is Queued.NEW


class TestLeases:
    def test_nobody_else_gets_a_leased_song(self, catalog: Catalog) -> None:
        queue(catalog, "song")
        claim(catalog)
        assert catalog.claim("another", 60) is None

    def test_a_lease_without_heartbeat_runs_out(self, catalog: Catalog, clock: Clock) -> None:
        queue(catalog, "song")
        first = claim(catalog)
        clock.now += 61
        assert claim(catalog, "another").id == first.id
        assert not catalog.finish(first.id, "me", DONE)

    def test_a_heartbeat_keeps_it(self, catalog: Catalog, clock: Clock) -> None:
        queue(catalog, "song")
        entry = claim(catalog)
        clock.now += 50
        assert catalog.heartbeat("me", 60, [entry.id]) == {entry.id}
        clock.now += 50
        assert catalog.claim("another", 60) is None

    def test_a_computer_that_slept_does_not_take_a_song_from_itself(
        self, catalog: Catalog, clock: Clock
    ) -> None:
        queue(catalog, "song")
        entry = claim(catalog)
        clock.now += 8 * 3600
        assert catalog.claim("me", 60, holding=[entry.id]) is None
        assert catalog.finish(entry.id, "me", DONE)

    def test_what_was_in_flight_at_a_crash_is_taken_up_again(
        self, catalog: Catalog, tmp_path: Path
    ) -> None:
        queue(catalog, "song")
        entry = claim(catalog)
        with Catalog(tmp_path / "catalog.db", clock=catalog.clock) as after_restart:
            assert after_restart.take_up() == 1
            assert claim(after_restart).id == entry.id

    def test_a_song_that_kills_the_worker_is_set_aside(self, catalog: Catalog) -> None:
        queue(catalog, "song")
        states = []
        for _ in range(MAX_CRASHES):
            states.append(catalog.crashed(claim(catalog).id, "me", LOST))
        assert states == [*[State.PENDING] * (MAX_CRASHES - 1), State.FAILED]
        (entry,) = catalog.entries()
        assert entry.reason == "the model worker was lost on this song 3 times"
        assert entry.error == str(LOST)

    def test_after_the_others_have_had_their_turn(self, catalog: Catalog, clock: Clock) -> None:
        queue(catalog, "killer")
        queue(catalog, "harmless")
        clock.now += 1
        catalog.crashed(claim(catalog).id, "me", LOST)
        assert claim(catalog).path.name == "harmless"

    def test_a_song_that_kills_the_service_is_set_aside_as_well(self, catalog: Catalog) -> None:
        queue(catalog, "song")
        for _ in range(MAX_ATTEMPTS):
            claim(catalog)
            catalog.take_up()
        (entry,) = catalog.entries()
        assert entry.state is State.FAILED
        assert "the service ended during this song" in str(entry.reason)

    def test_before_systemd_gives_the_service_up(self) -> None:
        for unit in ("system", "user"):
            text = resources.files("lyricsyncd.systemd").joinpath(f"{unit}.service").read_text()
            (starts,) = re.findall(r"^StartLimitBurst=(\d+)$", text, re.MULTILINE)
            # Two such songs, one after the other.
            assert int(starts) > 2 * MAX_ATTEMPTS

    def test_and_is_worked_on_alone_so_that_no_other_is_blamed(self, catalog: Catalog) -> None:
        for name in ("killer", "harmless", "new"):
            queue(catalog, name)
        assert claim(catalog).path.name == "killer"
        harmless = claim(catalog)
        catalog.take_up()
        killer = claim(catalog)
        assert killer.path.name == "killer"
        assert catalog.claim("me", 60) is None
        catalog.take_up()
        assert do(catalog).path.name == "killer"
        again = claim(catalog)
        assert (again.path.name, again.attempts) == ("harmless", harmless.attempts + 1)
        assert catalog.finish(again.id, "me", DONE)
        assert claim(catalog).path.name == "new"

    def test_a_suspect_waits_until_the_songs_in_work_are_done(self, catalog: Catalog) -> None:
        queue(catalog, "suspect")
        claim(catalog)
        catalog.take_up()
        queue(catalog, "first", priority=Priority.PERSON)
        first = claim(catalog)
        assert first.path.name == "first"
        assert catalog.claim("me", 60) is None
        assert catalog.finish(first.id, "me", DONE)
        assert claim(catalog).path.name == "suspect"

    def test_a_service_that_stops_in_order_counts_nothing(self, catalog: Catalog) -> None:
        queue(catalog, "song")
        for _ in range(MAX_ATTEMPTS + 1):
            assert catalog.release(claim(catalog).id, "me")
        assert claim(catalog).attempts == 1

    def test_a_file_still_being_copied_waits(self, catalog: Catalog, clock: Clock) -> None:
        queue(catalog, "song")
        entry = claim(catalog)
        catalog.postpone(entry.id, "me", clock.now + 5, Fingerprint(7, 7))
        assert catalog.claim("me", 60) is None
        clock.now += 5
        assert claim(catalog).fingerprint == Fingerprint(7, 7)

    def test_a_pause_outlives_a_restart(self, catalog: Catalog, tmp_path: Path) -> None:
        queue(catalog, "song")
        catalog.pause()
        with Catalog(tmp_path / "catalog.db", clock=catalog.clock) as again:
            assert again.paused
            assert again.claim("me", 60) is None
            again.resume()
        claim(catalog)

    def test_one_song_goes_to_one_of_many_that_ask_at_once(self, catalog: Catalog) -> None:
        for number in range(20):
            queue(catalog, f"{number}")
        taken: list[int] = []

        def take(owner: str) -> None:
            while (entry := catalog.claim(owner, 60)) is not None:
                taken.append(entry.id)

        threads = [threading.Thread(target=take, args=(f"{n}",)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(taken) == sorted({*taken})
        assert len(taken) == 20


class TestRetries:
    @pytest.mark.parametrize(
        ("outcome", "waits"),
        [
            (Outcome(State.PENDING, "no network", RETRY_SOON, "Unreachable"), RETRY_SOON),
            (
                Outcome(State.NO_LYRICS, "nobody knows", RETRY_LYRICS, "LyricsNotFound"),
                RETRY_LYRICS,
            ),
        ],
    )
    def test_waits_grow_and_the_last_repeats(
        self, catalog: Catalog, clock: Clock, outcome: Outcome, waits: tuple[float, ...]
    ) -> None:
        queue(catalog, "song")
        for wait in (*waits, waits[-1]):
            entry = do(catalog, outcome)
            assert entry.state is outcome.state
            assert entry.next_attempt_at == clock.now + wait
            clock.now += wait - 1
            assert catalog.claim("me", 60) is None
            clock.now += 1

    def test_another_kind_of_trouble_starts_from_the_first_wait(
        self, catalog: Catalog, clock: Clock
    ) -> None:
        queue(catalog, "song")
        do(catalog, Outcome(State.PENDING, "", RETRY_SOON, "Unreachable"))
        clock.now += RETRY_SOON[0]
        entry = do(catalog, Outcome(State.PENDING, "", RETRY_SOON, "WriteError"))
        assert entry.next_attempt_at == clock.now + RETRY_SOON[0]

    def test_a_person_does_not_wait(self, catalog: Catalog) -> None:
        queue(catalog, "song")
        do(catalog, Outcome(State.PENDING, "no network", RETRY_SOON, "Unreachable"))
        assert queue(catalog, "song", Priority.IMPORT) is Queued.WAITING
        assert catalog.claim("me", 60) is None
        queue(catalog, "song", Priority.PERSON)
        claim(catalog)


class TestMissingSongs:
    def test_are_not_taken_up_and_not_counted(self, catalog: Catalog) -> None:
        queue(catalog, "song")
        entry = claim(catalog)
        assert catalog.gone(entry.id, "me")
        assert catalog.claim("me", 60) is None
        assert sum(catalog.counts().values()) == 0

    def test_come_back_as_they_were(self, catalog: Catalog) -> None:
        queue(catalog, "song")
        entry = do(catalog)
        catalog.missing([entry.id])
        assert queue(catalog, "song") is Queued.UNCHANGED
        assert catalog.counts()[State.DONE] == 1

    def test_are_forgotten_after_a_month(self, catalog: Catalog, clock: Clock) -> None:
        queue(catalog, "song")
        entry = do(catalog)
        catalog.missing([entry.id])
        clock.now += FORGET_AFTER - 1
        catalog.scanned(A)
        assert catalog.get(entry.id) is not None
        clock.now += 2
        catalog.scanned(A)
        assert catalog.get(entry.id) is None


class TestTheFile:
    def test_is_refused_on_a_network_mount(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        info = tmp_path / "mountinfo"
        info.write_text(
            "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
            f"99 21 0:50 / {tmp_path} rw shared:3 master:1 - nfs4 nas:/x rw\n",
            encoding="utf-8",
        )
        real = mounts.filesystem
        monkeypatch.setattr(mounts, "filesystem", lambda path: real(path, info))
        with pytest.raises(LyricsyncError, match=r"network mount \(nfs4\).*local disk"):
            Catalog(tmp_path / "catalog.db")

    def test_that_is_no_catalog_is_reported_and_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "catalog.db"
        path.write_bytes(b"this is not a database" * 100)
        with pytest.raises(LyricsyncError, match="is broken"):
            Catalog(path)
        assert path.read_bytes().startswith(b"this is not")

    def test_of_a_newer_version_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "catalog.db"
        Catalog(path).close()
        with sqlite3.connect(path) as db:
            db.execute("INSERT INTO migrations VALUES ('future_9999', 0)")
        with pytest.raises(LyricsyncError, match=r"newer version \(it has future_9999\)"):
            Catalog(path)

    def test_a_folder_that_cannot_be_made_is_reported(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("", encoding="ascii")
        with pytest.raises(WriteError, match="cannot be opened"):
            Catalog(tmp_path / "file" / "catalog.db")

    def test_songs_that_are_queued_together_are_taken_in_their_order(
        self, catalog: Catalog
    ) -> None:
        queue(catalog, "known", looks=Fingerprint(3, 3, inode=3))
        # No file is at any of these paths: one that looks the same can only have moved.
        reported = [
            ("new", Fingerprint(1, 1, inode=1), Queued.NEW),
            ("known", Fingerprint(3, 3, inode=3), Queued.WAITING),
            ("new", Fingerprint(2, 2, inode=1), Queued.WAITING),
            ("newer", Fingerprint(4, 4), Queued.NEW),
            ("renamed", Fingerprint(2, 2, inode=1), Queued.WAITING),
        ]
        queued = catalog.enqueue_many(
            Request(A / name, Priority.IMPORT, "test", A, looks) for name, looks, _ in reported
        )
        assert queued == [expected for _, _, expected in reported]
        assert [entry.path.name for entry in catalog.entries()] == ["known", "renamed", "newer"]

    def test_a_full_disk_fails_the_write_and_nothing_else(self, catalog: Catalog) -> None:
        queue(catalog, "song")
        pages = catalog.write(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
        catalog._writer.execute(f"PRAGMA max_page_count = {pages}")
        many = [
            Request(A / f"{number}", Priority.IMPORT, "test", A, Fingerprint(1, 1))
            for number in range(1000)
        ]
        with pytest.raises(WriteError, match="full"):
            catalog.enqueue_many(many)
        catalog._writer.execute("PRAGMA max_page_count = 1000000")
        queue(catalog, "another")
        assert {entry.path.name for entry in catalog.entries()} == {"song", "another"}

    def test_an_error_in_a_write_takes_all_of_it_back(self, catalog: Catalog) -> None:
        def half(db: sqlite3.Connection) -> None:
            db.execute("INSERT INTO settings VALUES ('half', '1')")
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            catalog.write(half)
        assert catalog.read(lambda db: db.execute("SELECT * FROM settings").fetchall()) == []

    def test_a_write_by_another_process_is_noticed(self, catalog: Catalog, tmp_path: Path) -> None:
        before = catalog.version()
        script = (
            "import sys; from pathlib import Path; from lyricsyncd.catalog.catalog import Catalog\n"
            "with Catalog(Path(sys.argv[1])) as c: c.pause()"
        )
        subprocess.run([sys.executable, "-c", script, tmp_path / "catalog.db"], check=True)
        assert catalog.version() != before
        assert catalog.paused

    def test_two_that_open_a_new_one_at_once_both_can(self, tmp_path: Path) -> None:
        script = (
            "import sys; from pathlib import Path; from lyricsyncd.catalog.catalog import Catalog\n"
            "Catalog(Path(sys.argv[1])).close()"
        )
        both = [
            subprocess.Popen([sys.executable, "-c", script, tmp_path / "new.db"]) for _ in range(3)
        ]
        assert [process.wait() for process in both] == [0, 0, 0]


class TestAClockThatGoesBack:
    def test_makes_nothing_wait_longer(self, catalog: Catalog, clock: Clock) -> None:
        queue(catalog, "song")
        entry = do(catalog, Outcome(State.PENDING, "no network", (300.0,), "Unreachable", "x"))
        queue(catalog, "new")
        clock.now -= 86400.0 * 365
        assert catalog.ahead() == 86400.0 * 365
        catalog.clock_went_back(catalog.ahead())
        assert catalog.ahead() == 0.0
        assert claim(catalog).path.name == "new"
        assert catalog.claim("me", 60) is None
        clock.now += 301.0
        assert claim(catalog).id == entry.id

    def test_leaves_the_waits_from_before_it_was_wrong(
        self, catalog: Catalog, clock: Clock
    ) -> None:
        queue(catalog, "song")
        entry = do(catalog, Outcome(State.NO_LYRICS, "nobody has them", (86400.0,)))
        clock.now += 1.0
        catalog.clock_went_back(86400.0 * 365)
        after = catalog.get(entry.id)
        assert after is not None
        assert after.next_attempt_at == entry.next_attempt_at

    def test_is_not_seen_where_there_is_none(self, catalog: Catalog, clock: Clock) -> None:
        assert catalog.ahead() == 0.0
        queue(catalog, "song")
        clock.now += 5.0
        assert catalog.ahead() == 0.0


class TestTheOrderThatThePageOpensWith:
    """A sort of a hundred thousand songs would keep its first rows waiting."""

    def plans(self, catalog: Catalog, text: str) -> str:
        """Return how SQLite finds the songs of `Catalog.order`."""
        queries: list[str] = []
        catalog.read(lambda db: db.set_trace_callback(queries.append))
        catalog.order([], text, "artist", 200)
        catalog.read(lambda db: db.set_trace_callback(None))
        (query,) = queries
        plan = catalog.read(lambda db: db.execute(f"EXPLAIN QUERY PLAN {query}").fetchall())
        return " ".join(row[3] for row in plan)

    def test_is_that_of_an_index(self, catalog: Catalog) -> None:
        plan = self.plans(catalog, "")
        assert "COVERING INDEX" in plan
        assert "TEMP B-TREE" not in plan

    def test_is_made_of_what_is_found_where_a_text_is_looked_for(self, catalog: Catalog) -> None:
        assert "INDEX" not in self.plans(catalog, "song")


class TestMigrations:
    def test_run_once_each_in_order(self, tmp_path: Path) -> None:
        ran: list[str] = []

        def step(name: str) -> migrations.Step:
            def run(db: sqlite3.Connection) -> None:
                db.execute(f"CREATE TABLE {name} (x)")
                ran.append(name)

            run.__name__ = name
            return run

        db = sqlite3.connect(tmp_path / "db", isolation_level=None)
        migrations.migrate(db, [step("one")])
        migrations.migrate(db, [step("one"), step("two")])
        assert ran == ["one", "two"]

    def test_to_mixed_songs_keep_every_song_and_index(self, tmp_path: Path) -> None:
        at = [step.__name__ for step in migrations.STEPS].index("mixed_0006")
        db = sqlite3.connect(tmp_path / "db", isolation_level=None)
        db.row_factory = sqlite3.Row
        migrations.migrate(db, migrations.STEPS[:at])
        for number in range(3):
            db.execute(
                "INSERT INTO tracks (path, folder, library, size, mtime_ns, inode, state, priority,"
                " why, enqueued_at, waits_for)"
                " VALUES (?, 'f', 'l', 1, 2, 3, 'lines', 0, 'w', 4, ?)",
                (f"{number}".encode(), f"host {number}"),
            )
        before = [dict(row) for row in db.execute("SELECT * FROM tracks ORDER BY id")]
        listed = "SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name"
        indexes = [tuple(row) for row in db.execute(listed)]
        migrations.migrate(db, migrations.STEPS[: at + 1])
        after = [dict(row) for row in db.execute("SELECT * FROM tracks ORDER BY id")]
        assert after == [{**row, "lines_with_words": None, "words_timed": None} for row in before]
        assert [tuple(row) for row in db.execute(listed)] == indexes
        db.execute("UPDATE tracks SET state = 'mixed'")
        with pytest.raises(sqlite3.IntegrityError):
            db.execute("UPDATE tracks SET state = 'whole'")

    def test_a_step_that_fails_leaves_no_trace(self, tmp_path: Path) -> None:
        def broken(db: sqlite3.Connection) -> None:
            db.execute("CREATE TABLE half (x)")
            raise ZeroDivisionError

        db = sqlite3.connect(tmp_path / "db", isolation_level=None)
        with pytest.raises(ZeroDivisionError):
            migrations.migrate(db, [broken])
        assert db.execute("SELECT name FROM sqlite_master WHERE name = 'half'").fetchall() == []
        assert db.execute("SELECT * FROM migrations").fetchall() == []


class TestTheStatus:
    @pytest.mark.parametrize(("state", "finished"), [("pending", "NULL"), ("done", "n")])
    def test_is_had_without_going_through_all_songs(
        self, catalog: Catalog, state: str, finished: str
    ) -> None:
        queue(catalog, "song.mp3")
        many = (
            "WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted"
            " WHERE n < 2000) INSERT INTO tracks (path, library, folder, state, enqueued_at,"
            " priority, why, size, mtime_ns, inode, finished_at) SELECT path || n, library, folder,"
            f" ?, enqueued_at, priority, why, size, mtime_ns, inode, {finished}"
            " FROM tracks, counted"
        )
        catalog.write(lambda db: db.execute(many, (state,)))
        steps = 0

        def step() -> int:
            nonlocal steps
            steps += 1
            return 0

        catalog.read(lambda db: db.set_progress_handler(step, 1))
        catalog.waiting()
        catalog.due_later()
        assert len(catalog.latest(5)) == (5 if state == "done" else 0)
        catalog.songs_per_hour(3600, 3)
        assert steps < 1000


class TestFinding:
    def test_by_a_part_of_the_name(self, catalog: Catalog) -> None:
        queue(catalog, "100% Pure_Love.mp3")
        queue(catalog, "Other.mp3")
        assert [e.path.name for e in catalog.entries(text="0% pure_")] == ["100% Pure_Love.mp3"]
        assert catalog.entries(text="_") == catalog.entries(text="pure_l")

    def test_by_artist_and_title(self, catalog: Catalog) -> None:
        queue(catalog, "1.mp3")
        entry = claim(catalog)
        catalog.found(
            entry.id, "me", Track(artist="Nina Simone", title="Sinnerman", duration=622.0)
        )
        assert catalog.entries(text="simone - sinn")[0].duration == 622.0

    def test_page_by_page(self, catalog: Catalog) -> None:
        for number in range(5):
            queue(catalog, f"{number}")
        first = catalog.entries(limit=3)
        second = catalog.entries(limit=3, after=first[-1].id)
        assert [e.path.name for e in [*first, *second]] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("kind", "network", "silent"),
    [
        ("ext4", False, False),
        ("btrfs", False, False),
        ("nfs4", True, True),
        ("cifs", True, True),
        ("fuse.sshfs", True, True),
        ("fuse.mergerfs", False, True),
        ("fuseblk", False, True),
        ("", False, False),
    ],
)
def test_file_systems_are_reported_apart(kind: str, network: bool, silent: bool) -> None:
    assert (mounts.on_network(kind), mounts.silent(kind)) == (network, silent)


def test_the_innermost_mount_counts_and_its_name_may_have_spaces(tmp_path: Path) -> None:
    info = tmp_path / "mountinfo"
    info.write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "2 1 0:50 / /mnt/my\\040music rw shared:3 - cifs //nas/m rw\n"
        "3 2 8:2 / /mnt/my\\040music/local rw - xfs /dev/sdb1 rw\n",
        encoding="utf-8",
    )
    kinds = [
        mounts.filesystem(Path(path), info)
        for path in ("/home", "/mnt/my music/a", "/mnt/my music/local/b", "/mnt/my musicals")
    ]
    assert kinds == ["ext4", "cifs", "xfs", "ext4"]


class AnyHistory(RuleBasedStateMachine):
    """Whatever happens in whatever order, no song is lost and none is worked on twice."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.catalog = Catalog(Path(self.folder.name) / "catalog.db", clock=self.clock)
        self.looks = 1
        self.songs: set[str] = set()
        self.held: dict[int, str] = {}

    def teardown(self) -> None:
        self.catalog.close()
        self.folder.cleanup()

    @rule(name=st.sampled_from("abc"), priority=st.sampled_from(Priority), force=st.booleans())
    def enqueue(self, name: str, priority: Priority, force: bool) -> None:
        queue(self.catalog, name, priority, looks=Fingerprint(1, self.looks), force=force)
        self.songs.add(name)

    @rule()
    def change_files(self) -> None:
        self.looks += 1

    @rule(seconds=st.sampled_from([1.0, 100.0, 1e5]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(owner=st.sampled_from(["me", "you"]))
    def claim(self, owner: str) -> None:
        mine = [id for id, holder in self.held.items() if holder == owner]
        entry = self.catalog.claim(owner, 60, holding=mine)
        if entry is not None:
            assert self.held.get(entry.id) != owner
            self.held[entry.id] = owner

    @precondition(lambda self: self.held)
    @rule(
        outcome=st.sampled_from(
            [
                DONE,
                Outcome(State.PENDING, "", RETRY_SOON, "Unreachable"),
                Outcome(State.NO_LYRICS, "", RETRY_LYRICS, "LyricsNotFound"),
                Outcome(State.FAILED, "broken"),
            ]
        )
    )
    def finish(self, outcome: Outcome) -> None:
        id, owner = self.held.popitem()
        self.catalog.finish(id, owner, outcome)

    @precondition(lambda self: self.held)
    @rule()
    def crash(self) -> None:
        id, owner = self.held.popitem()
        self.catalog.crashed(id, owner, LOST)

    @precondition(lambda self: self.held)
    @rule()
    def release(self) -> None:
        self.catalog.release(*self.held.popitem())

    @rule()
    def restart(self) -> None:
        self.held.clear()
        self.catalog.close()
        self.catalog = Catalog(Path(self.folder.name) / "catalog.db", clock=self.clock)
        self.catalog.take_up()

    @rule(data=st.data())
    def skip_or_retry(self, data: st.DataObject) -> None:
        entries = self.catalog.entries()
        if entries:
            entry = data.draw(st.sampled_from(entries))
            data.draw(st.sampled_from([self.catalog.skip, self.catalog.retry]))([entry.id])

    @invariant()
    def no_song_is_lost(self) -> None:
        assert {entry.path.name for entry in self.catalog.entries()} == self.songs

    @invariant()
    def what_waits_has_a_time_and_what_works_has_an_owner(self) -> None:
        for entry in self.catalog.entries():
            if entry.state in (State.PENDING, State.NO_LYRICS):
                assert entry.next_attempt_at is not None
            if entry.state is State.WORKING:
                assert entry.lease_owner
                assert entry.leased_until
            else:
                assert entry.lease_owner is None
            assert 0 <= entry.attempts <= MAX_ATTEMPTS
            assert 0 <= entry.crashes <= MAX_CRASHES


AnyHistory.TestCase.settings = settings(
    max_examples=40, stateful_step_count=20, suppress_health_check=list(HealthCheck), deadline=None
)
TestAnyHistory = AnyHistory.TestCase
