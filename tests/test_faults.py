"""Whose fault an error is, and what follows for its song and for all others."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lyricsyncd import errors
from lyricsyncd.catalog.catalog import State
from lyricsyncd.errors import Fault, LyricsyncError
from lyricsyncd.work.outcomes import of_error

SONG = Path(__file__).parent.parent / "demo" / "songs" / "The_Star.mp3"
WITHOUT_TORCH = pytest.mark.skipif(
    importlib.util.find_spec("torch") is not None, reason="the extra models is installed"
)


class TestFaults:
    @pytest.mark.parametrize(
        ("error", "fault", "state"),
        [
            (errors.UsageError("x"), Fault.SETTINGS, State.PENDING),
            (errors.ConfigError("x"), Fault.SETTINGS, State.PENDING),
            (errors.ModelError("x"), Fault.SETTINGS, State.PENDING),
            (errors.NotFetched("x"), Fault.PASSING, State.PENDING),
            (errors.Unreachable("x"), Fault.PASSING, State.PENDING),
            (errors.Refused("x"), Fault.PASSING, State.PENDING),
            (errors.WriteError("x"), Fault.PASSING, State.PENDING),
            (errors.ModelError("x", transient=True), Fault.PASSING, State.PENDING),
            (errors.AudioError("x"), Fault.SONG, State.FAILED),
            (errors.FormatError("x"), Fault.SONG, State.FAILED),
            (errors.LyricsNotFound("x"), Fault.SONG, State.NO_LYRICS),
            (errors.NotASong("x"), Fault.SONG, State.IGNORED),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
    )
    def test_each_error_knows_whose_it_is(
        self, error: LyricsyncError, fault: Fault, state: State
    ) -> None:
        assert error.fault is fault
        assert of_error(error).state is state

    def test_trouble_of_the_disk_passes(self) -> None:
        assert of_error(OSError(5, "Input/output error")).state is State.PENDING

    def test_a_plugins_own_kind_of_error_is_counted_by_its_base(self) -> None:
        class Unlicensed(errors.ModelError):
            """A kind of another package."""

        assert "Unlicensed" in errors.errors_of(Fault.SETTINGS)
        assert "NotFetched" not in errors.errors_of(Fault.SETTINGS)


class Home:
    """A library of demo songs, a configuration, and the command line run for real."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.music = folder, folder / "music"
        self.music.mkdir()
        self.config = folder / "config.yaml"

    def song(self, name: str, words: str) -> None:
        shutil.copyfile(SONG, self.music / f"{name}.mp3")
        (self.music / f"{name}.txt").write_text(words, encoding="utf-8")

    def configure(self, **models: str) -> None:
        settings = {
            "libraries": [{"path": str(self.music)}],
            "lyrics": {"order": ["local"]},
            "models": {"separator": "mix", "aligner": "sphinx", "transcriber": "none", **models},
            "daemon": {"settle": 0},
            "web": {"listen": None},
        }
        self.config.write_text(json.dumps(settings), encoding="utf-8")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        folders = {name: str(self.folder / name) for name in ("STATE_DIRECTORY", "CACHE_DIRECTORY")}
        return subprocess.run(
            [sys.executable, "-m", "lyricsyncd", *words, "--config", str(self.config)],
            env={**os.environ, **folders},
            capture_output=True,
            text=True,
            timeout=300,
        )

    def states(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self.run("status", "--json").stdout)
        return status


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.mark.slow
class TestWrongSettings:
    @WITHOUT_TORCH
    def test_stop_all_songs_once_and_all_resume_when_they_are_mended(self, home: Home) -> None:
        for name in ("a", "b", "c"):
            home.song(name, SONG.with_suffix(".txt").read_text(encoding="utf-8"))
        home.configure(separator="htdemucs_ft")
        done = home.run("scan", "--now")
        assert done.returncode == 1
        assert done.stderr.count("htdemucs_ft") >= 1
        assert "Traceback" not in done.stderr
        status = home.states()
        assert status["songs"]["pending"] == 3
        assert "htdemucs_ft" in status["settings_error"]
        assert "FAILED" in home.run("doctor", "--offline").stdout.upper()
        home.configure(separator="mix")
        assert home.run("scan", "--now").returncode == 0
        status = home.states()
        assert status["songs"]["done"] == 3
        assert status["settings_error"] is None

    def test_a_misspelt_name_is_refused_before_any_song(self, home: Home) -> None:
        home.song("a", "la la la")
        home.configure(aligner="sphynx")
        done = home.run("scan", "--now")
        assert done.returncode == 2
        assert "Did you mean 'sphinx'?" in done.stderr


@pytest.mark.slow
class TestAHelperThatIsMissing:
    @WITHOUT_TORCH
    def test_costs_a_warning_and_not_the_result(self, home: Home) -> None:
        right = SONG.with_suffix(".txt").read_text(encoding="utf-8").splitlines()
        home.song(
            "a", "\n".join([*right[:-2], "Completely other words are here", "and also there"])
        )
        home.configure(transcriber="granite")
        done = home.run("scan", "--now")
        assert done.returncode == 0, done.stderr
        songs = home.states()["songs"]
        assert songs.get("pending", 0) == 0
        assert songs.get("failed", 0) == 0
