"""The service as a process, while its state folder is in trouble: full, or with a damaged file."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lyricsyncd.catalog.catalog import FILE_NAME, Catalog, Entry, Priority, State
from lyricsyncd.config.reader import load
from lyricsyncd.work.runner import Runner
from tests.service_home import Home

pytestmark = [pytest.mark.slow, pytest.mark.daemon]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs to mount")


@pytest.fixture
def state(home: Home) -> Iterator[Path]:
    """The state folder, on a small disk of its own."""
    folder = home.folder / "state"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("may not mount here")
    try:
        yield folder
    finally:
        home.kill()
        subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leave no room on a disk, not for a byte."""
    filler = folder / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return filler


def done(home: Home) -> set[str]:
    return {path.stem for path in home.music.rglob("*.lrc")}


@as_root
class TestAFullDisk:
    def test_forgets_no_song_that_comes_meanwhile(self, home: Home, state: Path) -> None:
        home.start()
        home.drop("before.mp3")
        home.until_counts(done=1)
        filler = fill(state)
        expected = {"before"}
        for number in range(10):
            home.drop(f"{number}.mp3")
            expected.add(str(number))
        for number in range(5):
            home.drop(f"new album/disc/{number}x.mp3")
            expected.add(f"{number}x")
        home.until(lambda: "cannot be used" in home.said(), "it is logged")
        time.sleep(3)
        assert done(home) == {"before"}
        filler.unlink()
        home.until(lambda: done(home) == expected, "all are done")
        home.until_counts(done=16)
        assert home.said().count("cannot be used") <= 3
        assert "Traceback" not in home.said()
        assert home.stop() == 0

    def test_keeps_the_result_of_the_song_in_work(
        self, home: Home, state: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("STATE_DIRECTORY", str(state))
        monkeypatch.setenv("CACHE_DIRECTORY", str(home.folder / "cache"))
        song = home.drop()
        os.utime(song, (1, 1))

        class FillsTheDisk(Runner):
            """Has the disk full from when a song is taken up until its result waits."""

            def _find(self, entry: Entry, *, look_up: bool) -> Any:
                filler = fill(state)
                threading.Timer(5.0, filler.unlink).start()
                return super()._find(entry, look_up=look_up)

        with Catalog(state / FILE_NAME) as catalog:
            catalog.enqueue(song, Priority.IMPORT, "test", library=home.music)
            runner = FillsTheDisk(catalog, load(home.config))
            runner.start()
            try:
                home.until(lambda: catalog.counts()[State.DONE] == 1, "it is done")
            finally:
                runner.stop(5)
            entry = catalog.by_path(song)
        assert entry is not None
        assert (entry.attempts, entry.retries, entry.error) == (0, 0, None)
        assert done(home) == {"song"}

    def test_lets_the_service_start_when_there_is_room(self, home: Home, state: Path) -> None:
        home.start()
        home.drop("before.mp3")
        home.until_counts(done=1)
        assert home.stop() == 0
        filler = fill(state)
        home.drop("after.mp3")
        home.start()
        home.until(lambda: "cannot be opened" in home.said(), "it is logged")
        filler.unlink()
        home.until(lambda: done(home) == {"before", "after"}, "all are done")
        assert home.stop() == 0


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for at in range(4096, len(content), 61):
        content[at] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        flipped,
        lambda path: os.truncate(path, 5000),
        lambda path: os.truncate(path, 0),
        lambda path: path.write_bytes(os.urandom(20_000)),
    ],
    ids=["flipped bits", "truncated", "empty", "garbage"],
)
def test_a_journal_that_is_damaged_under_it_stops_nothing(
    home: Home, damage: Callable[[Path], object]
) -> None:
    home.start()
    for number in range(3):
        home.drop(f"{number}.mp3")
    home.until_counts(done=3)
    damage(home.folder / "state" / "journal.db")
    home.drop("new.mp3")
    home.until_counts(done=4)
    assert "CRITICAL the journal was broken" in home.said()
    assert "has no undo" in home.said()
    (repair,) = home.asked("status")["repairs"]
    assert "the journal was broken" in repair["text"]
    assert "new.lrc" in home.call("undo", home.music / "new.mp3")
    assert home.stop() == 0


BUG = """
from lyricsyncd.library.rules import Rules
admits = Rules.admits
def trip(self, path, *arguments):
    if "bug" in path.name:
        raise TypeError("a bug")
    return admits(self, path, *arguments)
Rules.admits = trip
"""


def test_a_programming_error_costs_its_song_and_shows_in_the_log(home: Home) -> None:
    patched = home.folder / "patched"
    patched.mkdir()
    (patched / "sitecustomize.py").write_text(BUG, encoding="utf-8")
    home.start(PYTHONPATH=os.pathsep.join([str(patched), home.environment["PYTHONPATH"]]))
    for name in ("a.mp3", "bug.mp3", "bug 2.mp3", "c.mp3"):
        home.drop(name)
    home.until_counts(done=2)
    assert done(home) == {"a", "c"}
    assert "bug.mp3: unexpected TypeError" in home.said()
    assert home.said().count("Traceback") == 1
    assert home.stop() == 0
