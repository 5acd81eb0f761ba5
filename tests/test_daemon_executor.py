"""The worker's process: warm, replaceable, and never able to take the service with it."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lyricsyncd.errors import AudioError, ModelError, WorkerLost
from lyricsyncd.processes.child import device_failed
from lyricsyncd.processes.executor import WorkerExecutor
from lyricsyncd.processes.limits import ResourceLimits
from tests import worker_tasks as tasks
from tests.waiting import until


@pytest.fixture
def executor() -> Iterator[WorkerExecutor]:
    executor = WorkerExecutor()
    yield executor
    executor.shutdown(cancel_futures=True)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until_gone(pid: int) -> None:
    until(lambda: not alive(pid), f"the end of the process {pid}")


def test_a_result_comes_back_from_another_process(executor: WorkerExecutor) -> None:
    assert executor.submit(tasks.double, 21).result() == 42
    assert executor.submit(tasks.pid).result() not in (None, os.getpid())


def test_the_process_stays_warm_between_songs(executor: WorkerExecutor) -> None:
    assert executor.submit(tasks.pid).result() == executor.submit(tasks.pid).result()


def test_an_error_keeps_its_kind_message_and_remedy(executor: WorkerExecutor) -> None:
    with pytest.raises(AudioError, match=r"song\.mp3 cannot be listened to") as raised:
        executor.submit(tasks.refuse, "song.mp3").result()
    assert raised.value.remedy == "Get another copy"
    assert executor.submit(tasks.double, 1).result() == 2


def test_an_error_that_cannot_travel_is_reported_in_words(executor: WorkerExecutor) -> None:
    with pytest.raises(RuntimeError, match="StubbornError: cannot travel"):
        executor.submit(tasks.raise_unpicklable).result()


def test_what_it_logs_is_logged_here_with_its_level_but_not_without_end(
    executor: WorkerExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        executor.submit(tasks.talk).result()
        executor.submit(tasks.talk).result()
    said = [(record.name, record.levelname, record.getMessage()) for record in caplog.records]
    assert said[:2] == [
        ("some.library", "ERROR", "a model is missing"),
        ("lyricsyncd.separate", "WARNING", "it goes on (ValueError: no such layer)"),
    ]
    assert said[2][:2] == ("py.warnings", "WARNING")
    assert "UserWarning: this will be removed" in said[2][2]
    chatter = [message for name, _, message in said if name == "chatter"]
    first, second = chatter[: len(chatter) // 2], chatter[len(chatter) // 2 :]
    assert 10 < len(first) < 200
    assert first == second[: len(first)], "each task may say as much"


def test_a_result_that_cannot_travel_is_an_error_and_not_a_death(executor: WorkerExecutor) -> None:
    with pytest.raises(Exception, match=r"(?i)pickle|local object"):
        executor.submit(tasks.unpicklable_result).result()
    assert executor.submit(tasks.double, 1).result() == 2


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_process_fails_its_song_only(executor: WorkerExecutor, by: int) -> None:
    with pytest.raises(WorkerLost, match=signal.Signals(by).name):
        executor.submit(tasks.die, by).result()
    assert executor.submit(tasks.double, 3).result() == 6


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_whole_group_leaves_its_song_to_the_service(
    executor: WorkerExecutor, sent: int, tmp_path: Path
) -> None:
    pid = executor.submit(tasks.pid).result()
    running = executor.submit(tasks.wait_for, tmp_path / "flag")
    until(running.running, "the song in work")
    os.kill(pid, sent)
    (tmp_path / "flag").touch()
    assert running.result(timeout=60) is None
    assert executor.submit(tasks.pid).result() == pid


def test_a_process_that_ends_fails_its_song_only(executor: WorkerExecutor) -> None:
    with pytest.raises(WorkerLost, match="status 7"):
        executor.submit(tasks.exit_quietly).result()
    assert executor.submit(tasks.double, 3).result() == 6


def test_a_process_out_of_memory_is_replaced(executor: WorkerExecutor) -> None:
    with pytest.raises(WorkerLost, match="SIGABRT"):
        executor.submit(tasks.out_of_memory).result()
    assert executor.submit(tasks.double, 3).result() == 6


def test_a_process_killed_while_idle_is_replaced_unnoticed(executor: WorkerExecutor) -> None:
    pid = executor.submit(tasks.pid).result()
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)
    assert executor.submit(tasks.pid).result() != pid


def test_a_hanging_song_is_ended_at_its_limit(executor: WorkerExecutor) -> None:
    with pytest.raises(WorkerLost, match="no result after 1 s"):
        executor.submit_within(1.0, None, tasks.hang).result()
    assert executor.submit(tasks.double, 3).result() == 6


def test_a_stopped_process_is_ended_at_the_limit_of_its_song(executor: WorkerExecutor) -> None:
    with pytest.raises(WorkerLost, match="no result after 1 s"):
        executor.submit_within(1.0, None, tasks.die, signal.SIGSTOP).result(timeout=30)
    assert executor.submit(tasks.double, 3).result(timeout=30) == 6


def test_one_stopped_while_idle_too(executor: WorkerExecutor) -> None:
    pid = executor.submit(tasks.pid).result()
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(WorkerLost, match="no result after 1 s"):
        executor.submit_within(1.0, None, tasks.double, 3).result(timeout=30)
    wait_until_gone(pid)
    assert executor.submit(tasks.double, 3).result(timeout=30) == 6


def test_one_that_was_killed_gets_no_further_call_though_it_may_take_a_moment_to_die(
    executor: WorkerExecutor,
) -> None:
    for _ in range(5):
        before = executor.submit(os.getpid).result()
        executor.kill()
        assert executor.submit(os.getpid).result() != before


def test_one_killed_again_and_again_costs_each_time_one_song(executor: WorkerExecutor) -> None:
    for number in range(5):
        with pytest.raises(WorkerLost, match="SIGKILL"):
            executor.submit(tasks.die).result(timeout=30)
        assert executor.submit(tasks.double, number).result(timeout=30) == 2 * number


def test_progress_is_reported(executor: WorkerExecutor) -> None:
    reported: list[str] = []
    done = executor.submit_within(
        None, lambda stage, _share: reported.append(stage), tasks.in_stages
    )
    assert done.result() == "done"
    assert reported == ["separate", "align"]


def test_an_idle_process_ends_and_gives_its_memory_back() -> None:
    executor = WorkerExecutor(keep_alive_s=0.2)
    pid = executor.submit(tasks.pid).result()
    wait_until_gone(pid)
    assert executor.submit(tasks.pid).result() != pid
    executor.shutdown()


def test_what_was_submitted_is_finished_at_an_orderly_end(executor: WorkerExecutor) -> None:
    results = [executor.submit(tasks.double, number) for number in range(3)]
    executor.shutdown()
    assert [result.result() for result in results] == [0, 2, 4]
    assert executor.pid is None


def test_shutting_down_at_once_ends_a_song_in_work(executor: WorkerExecutor) -> None:
    running = executor.submit(tasks.hang)
    until(lambda: executor.pid is not None, "the process")
    executor.shutdown(cancel_futures=True)
    with pytest.raises(WorkerLost):
        running.result(timeout=10)


def test_the_process_dies_with_the_service(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = (
        "from lyricsyncd.processes.executor import WorkerExecutor; from tests import worker_tasks;"
        f"WorkerExecutor().submit(worker_tasks.write_pid_and_hang, {str(note)!r}).result()"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    service = subprocess.Popen([sys.executable, "-c", script], env=environment)
    until(lambda: note.exists() and note.read_text(encoding="ascii"), "the worker")
    service.kill()
    service.wait()
    wait_until_gone(int(note.read_text(encoding="ascii")))


def test_a_process_that_takes_too_much_memory_is_ended() -> None:
    with_limit = WorkerExecutor(limits=ResourceLimits(memory_bytes=150 * 2**20))
    try:
        with pytest.raises(WorkerLost, match=r"it took 0\.\d GiB of memory"):
            with_limit.submit(tasks.hoard, 400).result(timeout=30)
        assert with_limit.submit(tasks.double, 4).result(timeout=30) == 8
    finally:
        with_limit.shutdown(cancel_futures=True)


def test_after_an_error_of_the_graphics_card_the_process_is_a_new_one(
    executor: WorkerExecutor,
) -> None:
    before = executor.submit(tasks.pid).result(timeout=30)
    with pytest.raises(WorkerLost, match="CUDA error: an illegal memory access"):
        executor.submit(tasks.break_the_card).result(timeout=30)
    assert executor.submit(tasks.pid).result(timeout=30) != before


@pytest.mark.skipif(shutil.which("ionice") is None, reason="ionice tells the class")
def test_the_process_stands_back_as_far_as_it_is_reported() -> None:
    gentle = WorkerExecutor(limits=ResourceLimits(nice=15, ionice="best-effort"))
    try:
        nice, io = gentle.submit(tasks.priority).result(timeout=30)
    finally:
        gentle.shutdown(cancel_futures=True)
    assert (nice, io) == (max(15, os.nice(0)), "best-effort: prio 7")


def test_an_idle_process_can_be_ended_at_once(executor: WorkerExecutor) -> None:
    before = executor.submit(tasks.pid).result(timeout=30)
    executor.end_if_idle()
    wait_until_gone(before)
    assert executor.submit(tasks.double, 1).result(timeout=30) == 2


def test_what_is_abandoned_ends(executor: WorkerExecutor) -> None:
    running = executor.submit(tasks.hang)
    waiting = executor.submit(tasks.double, 1)
    until(lambda: executor.pid is not None, "the process")
    executor.abandon(waiting)
    executor.abandon(running)
    with pytest.raises(WorkerLost):
        running.result(timeout=30)
    assert waiting.cancelled()


def test_errors_of_a_card_are_reported_from_others() -> None:
    assert device_failed(RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"))
    assert not device_failed(ValueError("CUDA error"))
    assert not device_failed(RuntimeError("no such file"))
    wrapped = ModelError("the model failed")
    wrapped.__cause__ = RuntimeError("cuBLAS error")
    assert device_failed(wrapped)
