"""One real song from the command line to words in time and back, with the real models."""

from __future__ import annotations

import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import mutagen
import pytest

from demo import make_song
from tests.test_cli import surroundings

SONG = Path(make_song.SONGS_DIR) / "The_Star.mp3"
CACHE = Path(os.environ.get("LYRICSYNCD_TEST_CACHE") or "~/.cache/lyricsyncd-tests").expanduser()


def run(folder: Path, *arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "lyricsyncd", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=folder,
        env=surroundings(folder, LYRICSYNCD_MODELS__DIR=str(CACHE / "models")),
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def tags(song: Path) -> dict[str, str]:
    file = mutagen.File(song)
    assert file is not None
    return {key: str(value) for key, value in (file.tags or {}).items()}


@pytest.mark.slow
@pytest.mark.song
def test_the_demo_song_is_placed_embedded_and_given_back(tmp_path: Path) -> None:
    song, words = tmp_path / SONG.name, tmp_path / "words.txt"
    shutil.copy(SONG, song)
    shutil.copy(SONG.with_suffix(".txt"), words)

    run(tmp_path, "models", "install", "lite")
    run(tmp_path, "sync", song, "--lyrics", words, "--format", "json", "-o", "song.json")
    placed = [word["start"] for word in json.loads((tmp_path / "song.json").read_text())]
    with SONG.with_suffix(".words.csv").open(encoding="utf-8") as file:
        truth = [float(row["word_start"]) for row in csv.DictReader(file)]
    assert len(placed) == len(truth)
    errors = [abs(start - true) for start, true in zip(placed, truth, strict=True)]
    assert statistics.median(errors) < 0.08

    before = tags(song)
    run(tmp_path, "apply", "song.json", song, "--preset", "embed")
    assert "Twinkle" in "".join(tags(song).values())
    run(tmp_path, "undo", song)
    assert tags(song) == before
