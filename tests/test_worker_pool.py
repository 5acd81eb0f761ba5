"""Several songs at once on one computer: how many, in which processes, with how much memory."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from lyricsyncd.config.reader import load
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import ConfigError, WorkerLost
from lyricsyncd.model import Lyrics, SongIdentification, Track
from lyricsyncd.pipeline.prepared import Prepared
from lyricsyncd.processes import memory
from lyricsyncd.processes.cores import available_cores
from lyricsyncd.processes.limits import ResourceLimits
from lyricsyncd.work import gpu, policy
from lyricsyncd.work.worker_pool import WorkerPool
from tests import worker_tasks as tasks
from tests.waiting import until

TIMEOUT_S = 60


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    pool = WorkerPool(2, limits=ResourceLimits(memory_bytes=2**31, nice=0))
    yield pool
    pool.shutdown(cancel_futures=True)


class TestAPool:
    def test_places_songs_at_once_in_processes_of_their_own(
        self, pool: WorkerPool, tmp_path: Path
    ) -> None:
        notes = [tmp_path / "first", tmp_path / "second"]
        first, second = (
            pool.submit_within(None, None, tasks.note_and_wait_for, str(note), str(tmp_path / "go"))
            for note in notes
        )
        until(lambda: all(note.exists() and note.read_text().strip() for note in notes), "all")
        assert len(pool.pids) == 2
        (tmp_path / "go").touch()
        assert {first.result(TIMEOUT_S), second.result(TIMEOUT_S)} == set(pool.pids)

    def test_needs_one_process_for_songs_that_come_one_by_one(self, pool: WorkerPool) -> None:
        pids = {pool.submit_within(None, None, os.getpid).result(TIMEOUT_S) for _ in range(3)}
        assert pids == set(pool.pids)
        assert len(pids) == 1

    @pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of other C libraries not known")
    def test_has_one_heap_a_process_for_all_of_its_threads(self, pool: WorkerPool) -> None:
        """With a heap each, threads keep from each other what they have freed."""
        found = pool.submit_within(None, None, tasks.heaps_of_eight_threads).result(TIMEOUT_S)
        assert found == 1

    def test_has_a_song_that_comes_back_with_more_words_placed_where_its_vocals_are(
        self, pool: WorkerPool
    ) -> None:
        song, other = prepared("a.mp3"), prepared("b.mp3")
        answer = pool.submit_within(None, None, tasks.want_more_words, song).result(TIMEOUT_S)
        (first,) = answer.stages.values()
        second = pool.submit_within(None, None, tasks.pid_for, other).result(TIMEOUT_S)
        third = pool.submit_within(None, None, tasks.pid_for, other).result(TIMEOUT_S)
        assert second == third != first, "the worker is kept for the song"
        assert pool.submit_within(None, None, tasks.pid_for, song).result(TIMEOUT_S) == first
        assert pool.submit_within(None, None, tasks.pid_for, other).result(TIMEOUT_S) == first

    def test_gives_up_one_song_and_no_other(self, pool: WorkerPool, tmp_path: Path) -> None:
        note = tmp_path / "other"
        given_up = pool.submit_within(None, None, tasks.note_and_wait_for, str(tmp_path / "a"), "-")
        other = pool.submit_within(
            None, None, tasks.note_and_wait_for, str(note), str(tmp_path / "go")
        )
        until(lambda: note.exists() and note.read_text().strip(), "the worker")
        pool.abandon(given_up)
        with pytest.raises(WorkerLost):
            given_up.result(TIMEOUT_S)
        (tmp_path / "go").touch()
        assert other.result(TIMEOUT_S) in pool.pids

    def test_shares_its_memory_and_ends_the_larger_song_where_that_is_not_enough(
        self, pool: WorkerPool, tmp_path: Path
    ) -> None:
        pool.configure(600.0, ResourceLimits(memory_bytes=400 * 2**20, nice=0))
        note, go = tmp_path / "small", tmp_path / "go"
        small = pool.submit_within(None, None, tasks.note_and_wait_for, str(note), str(go))
        until(lambda: note.exists() and note.read_text().strip(), "the worker")
        alone = pool.submit_within(None, None, tasks.take_memory, 200 * 2**20)
        assert alone.result(TIMEOUT_S) is None, "half of it and more is there for one"
        large = pool.submit_within(None, None, tasks.take_memory, 600 * 2**20)
        with pytest.raises(WorkerLost, match=r"of others, and 0\.4 GiB are allowed"):
            large.result(TIMEOUT_S)
        go.touch()
        assert small.result(TIMEOUT_S) in pool.pids


def prepared(name: str) -> Prepared:
    path = Path("/music") / name
    return Prepared(path, SongIdentification(Track(path)), Lyrics())


class TestHowManyWorkers:
    @pytest.mark.parametrize(
        ("settings", "expected"),
        [
            ({}, 4),
            ({"daemon": {"memory_limit": "2500M"}}, 2),
            ({"daemon": {"memory_limit": "500M"}}, 1),
            ({"daemon": {"workers": 3, "memory_limit": "500M"}}, 3),
            ({"profile": "full"}, 1),
            ({"models": {"separator": "htdemucs_ft"}}, 1),
            ({"models": {"aligner": "sphinx+ctc"}}, 1),
            ({"models": {"separator": "none", "aligner": "sphinx"}}, 4),
        ],
    )
    def test_is_one_for_each_core_as_far_as_memory_goes(
        self, settings: dict[str, object], expected: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(policy, "available_cores", lambda: 4)
        monkeypatch.setattr(memory, "default_limit", lambda: 2**34)
        monkeypatch.setattr(gpu, "cards", list)
        assert policy.workers(Config.model_validate(settings)) == expected

    def test_is_one_where_a_graphics_card_has_large_models_used(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(policy, "available_cores", lambda: 4)
        monkeypatch.setattr(gpu, "cards", lambda: ["a card"])
        assert policy.workers(Config()) == 1
        assert policy.workers(Config.model_validate({"models": {"device": "cuda"}})) == 1
        assert policy.workers(Config(profile="lite")) > 1

    @pytest.mark.parametrize("wrong", ["0", "65", "many", "1.5", "true"])
    def test_is_a_small_number_or_auto(self, wrong: str, tmp_path: Path) -> None:
        file = tmp_path / "config.yaml"
        file.write_text(f"daemon: {{workers: {wrong}}}\n")
        with pytest.raises(ConfigError, match="expected auto, or a number from 1 to 64"):
            load(file, {})

    def test_may_come_from_the_environment(self, tmp_path: Path) -> None:
        (tmp_path / "config.yaml").write_text("")
        config = load(tmp_path / "config.yaml", {"LYRICSYNCD_DAEMON__WORKERS": "2"})
        assert config.daemon.workers == 2

    def test_counts_no_cores_that_a_container_is_not_granted(self, tmp_path: Path) -> None:
        proc, group = tmp_path / "proc", tmp_path / "cgroup" / "box"
        (proc / "self").mkdir(parents=True)
        group.mkdir(parents=True)
        (proc / "self" / "cgroup").write_text("0::/box\n")
        everything = available_cores(proc, tmp_path / "cgroup")
        assert everything == len(os.sched_getaffinity(0))
        (group / "cpu.max").write_text("max 100000\n")
        assert available_cores(proc, tmp_path / "cgroup") == everything
        (group / "cpu.max").write_text("50000 100000\n")
        assert available_cores(proc, tmp_path / "cgroup") == 1
