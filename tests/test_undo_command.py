"""``lyricsyncd undo`` in a library where a person's own lyrics lie among ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen
import pytest
from mutagen.id3 import ID3, USLT

from lyricsyncd.tags.songfile import same_audio
from tests.noise_songs import encode

ROOT = Path(__file__).parent.parent
WORDS = "[00:01.00]<00:01.00>Row, <00:02.00>row<00:03.00>\n"
Run = Callable[..., subprocess.CompletedProcess[str]]
State = dict[str, Any]


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("songs")
    return {kind: encode(folder / f"song.{kind}", 1) for kind in ("mp3", "flac")}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "STATE_DIRECTORY": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lyricsyncd", *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=tmp_path
        )

    return run


@pytest.fixture
def music(originals: dict[str, Path], tmp_path: Path) -> Path:
    """Two albums; a song has a person's .lrc, another a person's words in its tags."""
    folder = tmp_path / "music"
    for album in ("A", "B"):
        (folder / album).mkdir(parents=True)
        for kind, song in originals.items():
            shutil.copyfile(song, folder / album / f"1 - {kind}.{kind}")
    (folder / "A" / "1 - flac.lrc").write_text("[00:01.00]a person's\n", encoding="utf-8")
    (folder / "A" / "cover.txt").write_text("a person's\n", encoding="utf-8")
    tags = ID3()
    tags.add(USLT(encoding=3, lang="eng", desc="", text="a person's"))
    tags.save(folder / "B" / "1 - mp3.mp3")
    return folder


def state(music: Path) -> State:
    """All files: the tags of songs, the text of others."""
    return {
        path.relative_to(music).as_posix(): (
            sorted((key, str(value)) for key, value in (mutagen.File(path).tags or {}).items())
            if path.suffix in (".mp3", ".flac")
            else path.read_text(encoding="utf-8")
        )
        for path in sorted(music.rglob("*"))
        if path.is_file()
    }


def write_all(run: Run, music: Path, preset: str, *more: str) -> None:
    words = music.parent / "words.elrc"
    words.write_text(WORDS, encoding="utf-8")
    for song in sorted(music.rglob("*")):
        if song.suffix in (".mp3", ".flac"):
            done = run("apply", words, song, "--preset", preset, *more)
            assert "bug" not in done.stderr


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.mark.slow
class TestUndo:
    @pytest.mark.parametrize("more", [(), ("--force",)])
    def test_all_gives_back_every_file_and_tag(
        self, more: tuple[str, ...], run: Run, music: Path, originals: dict[str, Path]
    ) -> None:
        before = state(music)
        for preset in ("generic", "embed", "navidrome_web"):
            write_all(run, music, preset, *more)
        assert state(music) != before
        dry = told(run("undo", "--all", "--dry-run", "--json"))
        written = state(music)
        assert told(run("undo", "--all", "--dry-run", "--json")) == dry
        assert state(music) == written, "nothing was done"
        done = told(run("undo", "--all", "--json"))
        assert {**done, "dry_run": True} == dry, "and it was told what would be"
        assert state(music) == before
        for kind, song in originals.items():
            assert same_audio(song, music / "A" / f"1 - {kind}.{kind}")
        assert "nothing of ours" in run("undo", "--all").stderr

    def test_of_a_folder_leaves_the_others(self, run: Run, music: Path) -> None:
        before = state(music)
        write_all(run, music, "navidrome_web")
        written = state(music)
        assert run("undo", music / "A").returncode == 0
        after = state(music)
        assert {key: value for key, value in after.items() if key[0] == "A"} == {
            key: value for key, value in before.items() if key[0] == "A"
        }
        assert {key: value for key, value in after.items() if key[0] == "B"} == {
            key: value for key, value in written.items() if key[0] == "B"
        }

    def test_of_one_song_or_one_sidecar_takes_that_alone(self, run: Run, music: Path) -> None:
        write_all(run, music, "generic")
        written = state(music)
        run("undo", music / "B" / "1 - flac.elrc")
        assert set(written) - set(state(music)) == {"B/1 - flac.elrc"}
        run("undo", music / "B" / "1 - flac.flac")
        assert set(written) - set(state(music)) == {"B/1 - flac.elrc", "B/1 - flac.lrc"}

    def test_since_a_moment_leaves_what_was_written_before(self, run: Run, music: Path) -> None:
        write_all(run, music, "plex")
        written = state(music)
        time.sleep(0.05)
        moment = time.strftime("%Y-%m-%dT%H:%M:%S") + f".{time.time_ns() // 1000 % 10**6:06}"
        write_all(run, music, "generic")
        assert state(music) != written
        report = told(run("undo", "--since", moment, "--json"))
        assert report["removed"]
        assert state(music) == written

    def test_keeps_what_a_person_edited_since(self, run: Run, music: Path) -> None:
        write_all(run, music, "navidrome_web")
        edited = music / "B" / "1 - flac.lrc"
        edited.write_text(edited.read_text(encoding="utf-8") + "[00:09.00]more\n", encoding="utf-8")
        song = mutagen.File(music / "B" / "1 - flac.flac")
        song["LYRICS"] = ["a person's now"]
        song.save()
        report = told(run("undo", "--all", "--json"))
        assert {Path(note["path"]).name for note in report["kept"]} == {
            "1 - flac.lrc",
            "1 - flac.flac",
        }
        assert edited.exists()
        assert mutagen.File(music / "B" / "1 - flac.flac")["LYRICS"] == ["a person's now"]
        assert not edited.with_suffix(".elrc").exists()
