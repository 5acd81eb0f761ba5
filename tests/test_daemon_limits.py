"""How the models stand back: from other programs on the card, from memory, from times of the day,
and from a song that was too much for them."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lyricsyncd.catalog.catalog import Catalog, Priority, State
from lyricsyncd.config.schema import Config
from lyricsyncd.config.values import size
from lyricsyncd.pipeline.settings import ModelSettings, PlacingSettings
from lyricsyncd.processes import memory
from lyricsyncd.work import gpu, schedule
from lyricsyncd.work.policy import memory_limit, reduced, resource_limits
from lyricsyncd.work.runner import Runner
from tests.waiting import until

TIMED = "[00:05.28]<00:05.28>Twinkle, <00:06.19>twinkle <00:07.09>\n"
SONG = Path(__file__).parent.parent / "demo" / "songs" / "The_Star.mp3"


class Card:
    """A graphics card, as a program in the place of ``nvidia-smi`` tells of it."""

    def __init__(self, folder: Path) -> None:
        self.computing, self.drawing = folder / "computing", folder / "drawing"
        program = folder / "nvidia-smi"
        program.write_text(
            "#!/bin/sh\n"
            f'case "$1" in --query-compute-apps=pid) cat {self.computing};;\n'
            f"pmon) cat {self.drawing};; *) exit 9;; esac\n",
            encoding="utf-8",
        )
        program.chmod(0o755)
        self.computes()
        self.draws()

    def computes(self, *pids: int) -> None:
        self.computing.write_text("".join(f"{pid}\n" for pid in pids), encoding="ascii")

    def draws(self, *uses: tuple[int, str]) -> None:
        head = "# gpu         pid   type     sm    mem    enc    dec    jpg    ofa    command\n"
        rows = "".join(
            f"    0    {pid:8}     G     {sm:>2}      1      -      -      -      -    some\n"
            for pid, sm in uses
        )
        self.drawing.write_text(head + rows, encoding="ascii")


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Card:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return Card(tmp_path)


@pytest.fixture
def stranger() -> Iterator[int]:
    process = subprocess.Popen(["sleep", "60"])
    yield process.pid
    process.kill()
    process.wait()


class TestTheCard:
    def test_is_free_where_nobody_is(self, card: Card) -> None:  # noqa: ARG002
        assert gpu.other_processes() == set()

    def test_is_free_without_its_program(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        assert gpu.other_processes() == set()

    def test_is_taken_by_who_computes_but_not_by_ourselves(self, card: Card, stranger: int) -> None:
        card.computes(stranger)
        assert gpu.other_processes() == {stranger}
        assert gpu.other_processes([stranger]) == set()

    def test_is_taken_by_a_game_but_not_by_a_desktop(self, card: Card, stranger: int) -> None:
        card.draws((stranger, "3"))
        assert gpu.other_processes() == set()
        card.draws((stranger, "-"))
        assert gpu.other_processes() == set()
        card.draws((stranger, "87"))
        assert gpu.other_processes() == {stranger}

    def test_in_a_container_one_unknown_number_may_be_our_own(self, card: Card) -> None:
        card.computes(2**30, 2**30 + 1)
        assert len(gpu.other_processes([os.getpid()])) == 1
        card.computes(2**30)
        assert gpu.other_processes([os.getpid()]) == set()
        assert gpu.other_processes() == {2**30}

    def test_is_not_asked_about_all_the_time(self, card: Card, stranger: int) -> None:
        others = gpu.OtherGpuPrograms(check_every_s=3600)
        assert not others.busy()
        card.computes(stranger)
        assert not others.busy()


def test_while_another_program_uses_the_card_only_a_person_is_served(
    card: Card, stranger: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    monkeypatch.setattr("lyricsyncd.work.runner._POLL_S", 0.1)
    music = tmp_path / "music"
    music.mkdir()
    for name in ("backfill", "asked"):
        (music / f"{name}.mp3").write_bytes(SONG.read_bytes())
        (music / f"{name}.elrc").write_text(TIMED, encoding="utf-8")
    config = Config.model_validate(
        {"daemon": {"gpu": {"share": "polite"}, "settle": 0}, "lyrics": {"order": ["local"]}}
    )
    card.computes(stranger)
    with Catalog(tmp_path / "state" / "catalog.db") as catalog:
        catalog.enqueue(music / "backfill.mp3", Priority.BACKFILL, "test")
        catalog.enqueue(music / "asked.mp3", Priority.PERSON, "test")
        runner = Runner(catalog, config)
        runner._holds.other_programs = gpu.OtherGpuPrograms(check_every_s=0.1)
        runner.start()
        try:
            until(lambda: catalog.counts()[State.DONE] == 1, "a song")
            (done,) = catalog.entries(states=[State.DONE])
            assert done.path.name == "asked.mp3"
            card.computes()
            until(lambda: catalog.counts()[State.DONE] == 2, "both songs")
        finally:
            runner.stop(5)


class TestASongThatWasTooMuch:
    def test_is_tried_again_with_smaller_models_and_then_on_the_processor(self) -> None:
        settings = PlacingSettings(ModelSettings(device="cuda:0"))
        assert reduced(settings, 0) == (settings, "")
        once, note = reduced(settings, 1)
        models = once.models
        assert (models.profile, models.device, models.recogniser) == ("lite", "cuda:0", "none")
        assert "smaller" in note
        twice, note = reduced(settings, 2)
        assert (twice.models.profile, twice.models.device) == ("lite", "cpu")
        assert "processor" in note


class TestMemory:
    @pytest.mark.parametrize(
        ("text", "bytes_"),
        [("4G", 4 * 2**30), ("800M", 800 * 2**20), ("1.5 GiB", 3 * 2**29), ("auto", None)],
    )
    def test_is_written_as_people_do(self, text: str, bytes_: int | None) -> None:
        assert size(text) == bytes_

    @pytest.mark.parametrize("text", ["", "4", "0G", "much", "-1G", "4X"])
    def test_nothing_else_is_taken_for_it(self, text: str) -> None:
        with pytest.raises(ValueError, match="expected auto"):
            size(text)

    def test_of_a_process_is_what_it_has_in_use(self) -> None:
        assert 2**20 < memory.resident(os.getpid()) < 2**40
        assert memory.resident(2**30) == 0

    def test_a_dead_process_is_a_zombie_until_it_is_reaped(self) -> None:
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
            assert not memory.is_zombie(child.pid)
            child.kill()
            os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
            assert memory.is_zombie(child.pid)
        assert not memory.is_zombie(child.pid)

    def test_a_process_whose_main_thread_has_ended_is_a_zombie(self, tmp_path: Path) -> None:
        (tmp_path / "7").mkdir()
        (tmp_path / "7" / "stat").write_text("7 (a (S) name) Z 1 7 7 0", encoding="ascii")
        assert memory.is_zombie(7, tmp_path)

    def test_a_large_block_goes_back_to_the_system_however_many_came_before(self) -> None:
        script = """if True:
            import ctypes
            from lyricsyncd.processes import memory

            class Heap(ctypes.Structure):
                _fields_ = [(f"field{n}", ctypes.c_size_t) for n in range(10)]

            mallinfo = getattr(ctypes.CDLL(None), "mallinfo2", None)
            if not memory.give_back_large_blocks() or mallinfo is None:
                raise SystemExit(77)
            mallinfo.restype = Heap
            before = mallinfo().field3  # blocks that are the system's own
            for _ in range(3):
                block = bytearray(8_000_000)
                assert mallinfo().field3 == before + 1, "it was taken from the heap"
                del block
        """
        done = subprocess.run([sys.executable, "-c", script], check=False)
        if done.returncode == 77:
            pytest.skip("not glibc, or an old one")
        assert done.returncode == 0

    def test_auto_leaves_some_to_others(self) -> None:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        allowed = memory_limit(Config())
        assert allowed is not None
        assert 0 < allowed < total
        assert resource_limits(Config()).memory_bytes == allowed


@pytest.mark.parametrize(
    ("quiet", "active", "now", "resting"),
    [
        (None, None, "12:00", False),
        (None, "01:00-06:00", "12:00", True),
        (None, "01:00-06:00", "01:00", False),
        (None, "22:00-06:00", "23:30", False),
        ("02:00-03:00", "01:00-06:00", "02:30", True),
        ("02:00-03:00", "01:00-06:00", "03:00", False),
    ],
)
def test_the_models_work_in_their_hours(
    quiet: str | None, active: str | None, now: str, resting: bool
) -> None:
    assert schedule.is_idle(quiet, active, datetime.time.fromisoformat(now)) is resting
