"""Songs whose files change while they are worked on: the real service, with its real models.

The model worker is stopped (SIGSTOP) as soon as a song is with it, the file is changed, and the
worker goes on: so the change always comes in the middle of the work.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.service_home import TEXT, TIMEOUT_S, Home, worker_of

pytestmark = [pytest.mark.slow, pytest.mark.daemon]

SONGS = Path(__file__).parent.parent / "demo" / "songs"
OTHER = SONGS / "Au_clair_de_la_lune.mp3"
OTHER_TEXT = OTHER.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Home(tmp_path) as home:
        home.configure(daemon={"settle": 0.3, "nice": 0})
        yield home


def rows(home: Home) -> list[dict[str, Any]]:
    with contextlib.closing(
        sqlite3.connect(f"file:{home.folder}/state/catalog.db?mode=ro", uri=True)
    ) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute("SELECT * FROM tracks ORDER BY id")]


@contextmanager
def in_the_middle_of(home: Home, name: str) -> Iterator[None]:
    """Hold the worker while it separates or places a song."""
    assert home.process is not None

    def is_placed() -> bool:
        stages = [row["stage"] for row in rows(home) if row["path"].endswith(name.encode())]
        return stages[:1] in (["separate"], ["align"])

    deadline = time.monotonic() + TIMEOUT_S
    while not is_placed():
        assert time.monotonic() < deadline, f"{name} was not worked on\n{home.said()}"
        time.sleep(0.005)
    worker = worker_of(home.process.pid)
    assert worker is not None
    os.kill(worker, signal.SIGSTOP)
    try:
        assert is_placed(), "held in time"
        yield
        # The change is seen, and has settled.
        time.sleep(1.0)
    finally:
        os.kill(worker, signal.SIGCONT)


def states(home: Home) -> dict[str, str]:
    """The state of each song that is there."""
    return {
        Path(os.fsdecode(row["path"])).name: row["state"]
        for row in rows(home)
        if row["missing_since"] is None
    }


def settled(home: Home, **expected: str) -> None:
    names = {f"{name}.mp3": state for name, state in expected.items()}
    home.until(lambda: states(home) == names, f"{names}, not {states(home)}")
    # It stays so: nothing is done over and over.
    time.sleep(1.5)  # that the old file is gone may be found last
    said = home.said().splitlines()
    time.sleep(1.5)
    assert states(home) == names
    assert home.said().splitlines() == said


class TestASongThatChangesInTheMiddleOfItsWork:
    def test_edited_is_done_anew(self, home: Home) -> None:
        home.start()
        song = home.drop(words=TEXT)
        with in_the_middle_of(home, "song.mp3"), song.open("ab") as file:
            file.write(bytes(2000))
        settled(home, song="done")
        assert "song.mp3 changed meanwhile" in home.said()
        assert home.said().count("song.mp3: done") == 1
        (row,) = (row for row in rows(home) if row["path"].endswith(b"song.mp3"))
        assert row["size"] == song.stat().st_size

    def test_replaced_by_another_song_gets_the_words_of_that(self, home: Home) -> None:
        home.start()
        song = home.drop(words=TEXT)
        with in_the_middle_of(home, "song.mp3"):
            song.with_suffix(".txt").write_text(OTHER_TEXT, encoding="utf-8")
            shutil.copyfile(OTHER, home.folder / "other.mp3")
            (home.folder / "other.mp3").replace(song)
            assert not song.with_suffix(".lrc").exists()
        settled(home, song="done")
        written = song.with_suffix(".lrc").read_text(encoding="utf-8")
        assert "clair de la lune" in written
        assert "Twinkle" not in written

    def test_moved_gets_its_words_at_its_new_place(self, home: Home) -> None:
        home.start()
        song = home.drop(words=TEXT)
        folder = home.music / "album"
        with in_the_middle_of(home, "song.mp3"):
            folder.mkdir()
            song.with_suffix(".txt").rename(folder / "new.txt")
            song.rename(folder / "new.mp3")
        settled(home, new="done")
        assert "Twinkle" in (folder / "new.lrc").read_text(encoding="utf-8")
        assert not song.with_suffix(".lrc").exists()

    def test_in_a_folder_that_is_renamed(self, home: Home) -> None:
        home.start()
        song = home.drop("old/song.mp3", TEXT)
        with in_the_middle_of(home, "song.mp3"):
            song.parent.rename(home.music / "new")
        settled(home, song="done")
        assert "Twinkle" in (home.music / "new" / "song.lrc").read_text(encoding="utf-8")
        assert not song.parent.exists()

    def test_deleted_leaves_nothing_behind(self, home: Home) -> None:
        home.start()
        song = home.drop(words=TEXT)
        with in_the_middle_of(home, "song.mp3"):
            song.unlink()
        settled(home)
        assert sorted(path.name for path in home.music.glob("song*")) == ["song.txt"]

    def test_deleted_and_put_back_is_done(self, home: Home) -> None:
        home.start()
        song = home.drop(words=TEXT)
        with in_the_middle_of(home, "song.mp3"):
            song.rename(home.folder / "away.mp3")
        home.until(lambda: "song.mp3" not in states(home), "it is missed")
        (home.folder / "away.mp3").rename(song)
        settled(home, song="done")

    def test_words_that_are_replaced_are_those_that_are_placed(self, home: Home) -> None:
        home.start()
        song = home.drop(words=TEXT)
        with in_the_middle_of(home, "song.mp3"):
            changed = TEXT.replace("Twinkle", "Glitter").replace("twinkle", "glitter")
            song.with_suffix(".txt").write_text(changed, encoding="utf-8")
        home.until(
            lambda: (
                "Glitter" in song.with_suffix(".lrc").read_text(encoding="utf-8")
                if song.with_suffix(".lrc").exists()
                else False
            ),
            "the new words are placed",
        )

    def test_a_broken_file_that_becomes_whole_does_not_stay_failed(self, home: Home) -> None:
        home.start()
        song = home.music / "song.mp3"
        song.with_suffix(".txt").write_text(TEXT, encoding="utf-8")
        whole = OTHER.read_bytes()
        song.write_bytes(whole[: len(whole) // 2])
        with in_the_middle_of(home, "song.mp3"):
            shutil.copyfile(SONGS / "The_Star.mp3", song)
        settled(home, song="done")
