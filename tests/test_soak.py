"""A service under faults, one after another: nothing is lost, and nothing is written twice.

The real service on real songs whose words bring their times (no model is needed); some go through
the model worker. Disk full and unmounted are a small tmpfs, where the tests may mount one.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lyricsyncd.daemon import backup
from tests.test_daemon_service import SONG, TEXT, TIMED, Home, worker_of

pytestmark = [pytest.mark.daemon, pytest.mark.slow]

SONGS = 24
WITH_MODELS = 2


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    if home.process is not None:
        home.process.kill()
        home.process.wait()


@contextlib.contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[None]:
    """A file system of its own on a folder; skips the test where that may not be."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def written(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """What lies beside the songs: content, inode and time. A second writing changes the inode."""
    return {
        path.name: (path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.glob("*.lrc")
    }


def rows(home: Home, query: str) -> list[tuple[object, ...]]:
    catalog = f"file:{home.folder}/state/catalog.db?mode=ro"
    with contextlib.closing(sqlite3.connect(catalog, uri=True)) as db:
        return db.execute(query).fetchall()


def drop_all(home: Home, first: int = 0, count: int = SONGS) -> None:
    for number in range(first, first + count):
        home.drop(f"{number}.mp3", TEXT if number < WITH_MODELS else TIMED)


def test_killed_restored_and_with_its_clock_astray_it_does_every_song_once(home: Home) -> None:
    drop_all(home)
    originals = SONG.read_bytes()
    catalog = home.folder / "state" / "catalog.db"
    chance = random.Random(11)
    first: dict[str, tuple[bytes, int, int]] = {}

    def note() -> None:
        """Whatever was written once must stay as it is."""
        now = written(home.music)
        assert {name: now[name] for name in first} == first
        first.update(now)

    for fault in ("kill", "worker", "kill", "corrupt", "clock", "kill"):
        home.start()
        assert home.process is not None
        time.sleep(chance.uniform(0.5, 2.0))
        if fault == "worker":
            worker = worker_of(home.process.pid)
            if worker is not None:
                os.kill(worker, signal.SIGKILL)
        home.process.kill()
        home.process.wait()
        home.log.unlink()
        note()
        if fault == "corrupt":
            # What is known so far is copied, and then the disk breaks.
            assert backup.back_up(catalog)
            with catalog.open("r+b") as pages:
                pages.seek(4096)
                pages.write(os.urandom(catalog.stat().st_size - 4096))
        elif fault == "clock":
            # The clock was a year ahead when songs were leased and failed.
            with contextlib.closing(sqlite3.connect(catalog)) as db:
                db.execute("UPDATE tracks SET leased_until = leased_until + 31536000")
                db.execute("UPDATE tracks SET started_at = started_at + 31536000")
                db.commit()
    home.start()
    home.until_counts(done=SONGS)
    note()
    assert home.stop() == 0
    assert len(first) == SONGS
    assert {path.read_bytes() for path in home.music.glob("*.mp3")} == {originals}
    assert rows(home, "SELECT COUNT(*), COUNT(DISTINCT path) FROM tracks") == [(SONGS, SONGS)]
    suffixes = {".mp3", ".lrc", ".elrc", ".txt"}
    assert {path.suffix for path in home.music.iterdir()} <= suffixes


def test_a_full_disk_and_one_that_is_unmounted_cost_no_song(home: Home) -> None:
    with small_disk(home.music, 4):
        number = 0
        with contextlib.suppress(OSError):
            while True:
                home.drop(f"{number}.mp3")
                number += 1
        # The last one is half a song: there was no more room, nor is there any for words.
        (home.music / f"{number}.mp3").unlink(missing_ok=True)
        (home.music / f"{number}.elrc").unlink(missing_ok=True)
        fill = home.music / "fill"
        with contextlib.suppress(OSError), fill.open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * 4096)
        home.start()
        home.until(lambda: home.said().count("no space left") >= number, "the disk is full")
        assert not [path for path in home.music.iterdir() if path.name.startswith(".")]
        fill.unlink()
        for song in home.music.glob("*.mp3"):
            home.call("retry", song)
        home.until_counts(done=number)
        before = written(home.music)
        # The disk is put aside, mounted and all; what is left is the empty mount point.
        aside = home.folder / "aside"
        aside.mkdir()
        subprocess.run(["mount", "--bind", str(home.music), str(aside)], check=True)
        subprocess.run(["umount", "--lazy", str(home.music)], check=True)
        try:
            home.call("scan")
            assert home.counts() == {"done": number}
        finally:
            subprocess.run(["mount", "--bind", str(aside), str(home.music)], check=True)
            subprocess.run(["umount", "--lazy", str(aside)], check=True)
        home.call("scan")
        time.sleep(2.0)
        assert home.counts() == {"done": number}
        assert written(home.music) == before
        assert home.stop() == 0
        shutil.rmtree(home.folder / "cache", ignore_errors=True)
