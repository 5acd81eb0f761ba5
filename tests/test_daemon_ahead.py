"""The next song is decoded early, and is never the worse for it."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lyricsyncd import audio
from lyricsyncd.catalog.catalog import Catalog, Priority
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import AudioError, WorkerLost
from lyricsyncd.processes.executor import WorkerExecutor
from lyricsyncd.processes.limits import ResourceLimits
from lyricsyncd.separate.spectrogram import Samples
from lyricsyncd.work import worker
from lyricsyncd.work.policy import decodes_in_advance
from lyricsyncd.work.prefetch import PrefetchingReader
from lyricsyncd.work.runner import Runner
from tests import worker_tasks as tasks
from tests.waiting import until

SONGS = Path(__file__).parents[1] / "demo" / "songs"
RATE = 22_050


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return Path(shutil.copy(SONGS / "Au_clair_de_la_lune.mp3", tmp_path / "first.mp3"))


@pytest.fixture
def second(tmp_path: Path) -> Path:
    return Path(shutil.copy(SONGS / "Au_clair_de_la_lune.mp3", tmp_path / "second.mp3"))


@pytest.fixture
def ahead() -> Iterator[PrefetchingReader]:
    ahead = PrefetchingReader()
    yield ahead
    ahead.close()


def whole(blocks: Iterator[Samples]) -> Samples:
    return np.concatenate(list(blocks))


def decoder_pid(ahead: PrefetchingReader) -> int:
    decoder = ahead._decoder
    assert decoder is not None
    until(lambda: decoder.pid is not None, "the decoder")
    assert decoder.pid is not None
    return decoder.pid


def test_a_song_decoded_early_is_the_same_song(
    ahead: PrefetchingReader, first: Path, second: Path
) -> None:
    ahead.prefetch(second)  # before the rate is known
    whole(ahead.blocks(first, RATE))
    assert np.array_equal(whole(ahead.blocks(second, RATE)), whole(audio.blocks(second, RATE)))
    assert ahead.hits == 1


def test_a_broken_next_song_disturbs_nobody_but_itself(
    ahead: PrefetchingReader, first: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"no music" * 1000)
    whole(ahead.blocks(first, RATE))
    ahead.prefetch(broken)
    assert len(whole(ahead.blocks(first, RATE)))
    ahead.prefetch(broken)
    with pytest.raises(AudioError, match=r"broken\.mp3 is not an audio file"):
        whole(ahead.blocks(broken, RATE))


def test_a_decoder_that_is_killed_costs_only_the_head_start(
    ahead: PrefetchingReader, first: Path, second: Path
) -> None:
    whole(ahead.blocks(first, RATE))
    ahead.prefetch(second)
    os.kill(decoder_pid(ahead), signal.SIGKILL)
    assert np.array_equal(whole(ahead.blocks(second, RATE)), whole(audio.blocks(second, RATE)))


def test_a_song_that_changed_meanwhile_is_decoded_anew(
    ahead: PrefetchingReader, first: Path, second: Path
) -> None:
    whole(ahead.blocks(first, RATE))
    ahead.prefetch(second)
    song = next(path for path in sorted(SONGS.glob("*.mp3")) if "clair" not in path.name)
    shutil.copy(song, second)
    assert np.array_equal(whole(ahead.blocks(second, RATE)), whole(audio.blocks(song, RATE)))
    assert ahead.hits == 0


def test_another_rate_is_decoded_anew(ahead: PrefetchingReader, first: Path, second: Path) -> None:
    whole(ahead.blocks(first, RATE))
    ahead.prefetch(second)
    assert np.array_equal(whole(ahead.blocks(second, 16_000)), whole(audio.blocks(second, 16_000)))
    assert ahead.hits == 0


def test_one_song_at_most_is_held(ahead: PrefetchingReader, first: Path, second: Path) -> None:
    whole(ahead.blocks(first, RATE))
    ahead.prefetch(first)
    ahead.prefetch(second)
    assert len(whole(ahead.blocks(second, RATE)))
    assert ahead.hits == 1


@pytest.fixture
def executor() -> Iterator[WorkerExecutor]:
    executor = WorkerExecutor()
    yield executor
    executor.shutdown(cancel_futures=True)


def test_the_worker_decodes_the_next_song_while_it_is_at_work(
    executor: WorkerExecutor, first: Path, second: Path, tmp_path: Path
) -> None:
    length, ready = executor.submit(tasks.read, first, RATE).result()
    assert ready == 0
    at_work = executor.submit(tasks.wait_for, tmp_path / "go")
    until(at_work.running, "the work")
    executor.call_out_of_band(worker.prefetch, second)
    until(lambda: executor._out_of_band is None, "its last call")
    (tmp_path / "go").touch()
    assert at_work.result() is None
    assert executor.submit(tasks.read, second, RATE).result() == (length, 1)


def test_a_failing_call_out_of_band_leaves_the_task_alone(
    executor: WorkerExecutor, tmp_path: Path
) -> None:
    at_work = executor.submit(tasks.wait_for, tmp_path / "go")
    until(at_work.running, "the work")
    executor.call_out_of_band(tasks.refuse, "song.mp3")
    until(lambda: executor._out_of_band is None, "its last call")
    executor.call_out_of_band(tasks.touch, tmp_path / "go")
    assert at_work.result() is None


def test_no_call_is_made_out_of_band_where_nothing_runs(
    executor: WorkerExecutor, tmp_path: Path
) -> None:
    executor.call_out_of_band(tasks.touch, tmp_path / "flag")
    assert executor.submit(tasks.double, 1).result() == 2
    assert not (tmp_path / "flag").exists()


class Waiting:
    """An executor whose songs take as long as the test wants, and which records its calls."""

    slots = 1

    def __init__(self) -> None:
        self.pids: tuple[int, ...] = ()
        self.placing: list[Future[Any]] = []
        self.reported: list[tuple[object, ...]] = []

    def submit_within(self, *_: Any, **__: Any) -> Future[Any]:
        self.placing.append(Future())
        return self.placing[-1]

    def call_out_of_band(self, fn: Callable[..., None], /, *args: Any) -> None:
        self.reported.append((fn, *args))

    def abandon(self, future: Future[Any]) -> None:
        """Nothing runs."""

    def configure(self, keep_alive_s: float, limits: ResourceLimits) -> None:
        """Nothing runs."""

    def end_if_idle(self) -> None:
        """Nothing runs."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        for future in self.placing:
            if not future.done():
                future.set_exception(WorkerLost("The test is over"))


def test_the_worker_is_reported_of_the_song_that_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    songs = [tmp_path / f"{name}.mp3" for name in ("first", "second", "third")]
    for song in songs:
        shutil.copy(SONGS / "Au_clair_de_la_lune.mp3", song)
        shutil.copy(SONGS / "Au_clair_de_la_lune.txt", song.with_suffix(".txt"))
    daemon = {"settle": 0, "decode_ahead": "always", "workers": 1}
    config = Config.model_validate({"daemon": daemon, "lyrics": {"order": ["local"]}})
    with Catalog(tmp_path / "state" / "catalog.db") as catalog:
        catalog.enqueue(songs[0], Priority.BACKFILL, "test")
        runner, waiting = Runner(catalog, config), Waiting()
        runner.executor.shutdown()
        runner.executor = waiting
        runner.start()
        try:
            until(lambda: len(waiting.placing) == 1, "a song")
            for song in songs[1:]:
                catalog.enqueue(song, Priority.BACKFILL, "test")
            runner.wake()
            until(lambda: len(waiting.reported) == 1, "its report")
            held = [entry.path for entry in runner.at_work]
            assert len(waiting.placing) == 1
            assert waiting.reported == [(worker.prefetch, held[1])]
        finally:
            runner.stop(0.5)


def test_a_small_computer_decodes_one_song_at_a_time() -> None:
    def decodes(**daemon: str) -> bool:
        return decodes_in_advance(Config.model_validate({"daemon": daemon}))

    assert decodes(memory_limit="4G")
    assert not decodes(memory_limit="800M")
    assert decodes(memory_limit="800M", decode_ahead="always")
    assert not decodes(memory_limit="4G", decode_ahead="never")
