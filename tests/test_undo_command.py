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

from lyricsyncd.catalog.catalog import FILE_NAME, Catalog, Fingerprint, Outcome, Priority, State
from lyricsyncd.tags.songfile import same_audio
from tests.noise_songs import encode

ROOT = Path(__file__).parent.parent
WORDS = "[00:01.00]<00:01.00>Row, <00:02.00>row<00:03.00>\n"
Run = Callable[..., subprocess.CompletedProcess[str]]
Files = dict[str, Any]


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


def state(music: Path) -> Files:
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


def scanned(run: Run, music: Path) -> dict[str, int]:
    """The numbers of all songs in the catalog, as the service would have left it."""
    with Catalog(music.parent / "state" / FILE_NAME) as catalog:
        for song in sorted(music.rglob("*")):
            if song.suffix not in (".mp3", ".flac"):
                continue
            catalog.enqueue(song, Priority.IMPORT, "scan", library=music)
            entry = catalog.by_path(song)
            leased = catalog.claim("test", 60)
            assert entry is not None
            assert leased is not None
            assert run("apply", music.parent / "words.elrc", song, "--preset", "generic")
            written = (song.with_suffix(".elrc"), song.with_suffix(".lrc"))
            done = Outcome(State.DONE, "sure", quality=0.9, source="lrclib", written=written)
            catalog.finish(leased.id, "test", done, Fingerprint.of(song))
        return {entry.path.relative_to(music).as_posix(): entry.id for entry in catalog.entries()}


def write_all(run: Run, music: Path, preset: str, *more: str) -> None:
    words = music.parent / "words.elrc"
    words.write_text(WORDS, encoding="utf-8")
    for song in sorted(music.rglob("*")):
        if song.suffix in (".mp3", ".flac"):
            done = run("apply", words, song, "--preset", preset, *more)
            assert "bug" not in done.stderr


def reported(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
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
        dry = reported(run("undo", "--all", "--dry-run", "--json"))
        written = state(music)
        assert reported(run("undo", "--all", "--dry-run", "--json")) == dry
        assert state(music) == written, "nothing was done"
        done = reported(run("undo", "--all", "--json"))
        assert {**done, "dry_run": True} == dry, "and what would be done was reported"
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
        report = reported(run("undo", "--since", moment, "--json"))
        assert report["removed"]
        assert state(music) == written

    def test_keeps_what_a_person_edited_since(self, run: Run, music: Path) -> None:
        write_all(run, music, "navidrome_web")
        edited = music / "B" / "1 - flac.lrc"
        edited.write_text(edited.read_text(encoding="utf-8") + "[00:09.00]more\n", encoding="utf-8")
        song = mutagen.File(music / "B" / "1 - flac.flac")
        song["LYRICS"] = ["a person's now"]
        song.save()
        report = reported(run("undo", "--all", "--json"))
        assert {Path(note["path"]).name for note in report["kept"]} == {
            "1 - flac.lrc",
            "1 - flac.flac",
        }
        assert edited.exists()
        assert mutagen.File(music / "B" / "1 - flac.flac")["LYRICS"] == ["a person's now"]
        assert not edited.with_suffix(".elrc").exists()


@pytest.mark.slow
class TestSongsAreNamedAsEverywhere:
    @pytest.fixture
    def numbers(self, run: Run, music: Path) -> dict[str, int]:
        (music.parent / "words.elrc").write_text(WORDS, encoding="utf-8")
        (music / "B" / "1 - mp3.mp3").rename(music / "B" / "Only one.mp3")
        return scanned(run, music)

    @pytest.mark.parametrize("named", ["path", "number", "part"])
    def test_by_path_number_or_part_of_the_name(
        self, named: str, run: Run, music: Path, numbers: dict[str, int]
    ) -> None:
        song = music / "B" / "Only one.mp3"
        before = state(music)
        text = {"path": song, "number": numbers["B/Only one.mp3"], "part": "only ON"}[named]
        done = run("undo", text)
        assert done.returncode == 0
        assert done.stderr == "The service leaves these songs alone until `lyricsyncd retry`\n"
        sidecars = {"B/Only one.elrc", "B/Only one.lrc"}
        assert set(done.stdout.splitlines()) == {f"removed {music / name}" for name in sidecars}
        assert set(before) - set(state(music)) == sidecars

    def test_what_was_taken_back_is_claimed_no_longer_and_left_alone(
        self, run: Run, music: Path, numbers: dict[str, int]
    ) -> None:
        number = numbers["B/Only one.mp3"]
        run("undo", number)
        shown = reported(run("show", number, "--json"))
        assert shown["state"] == "ignored"
        assert "taken back" in shown["reason"]
        assert (shown["quality"], shown["source"], shown["written"]) == (None, None, [])
        assert reported(run("status", "--json"))["songs"]["done"] == len(numbers) - 1
        # Neither a scan nor a change of the file has it done again; a person has.
        (music / "B" / "Only one.mp3").touch()
        run("scan", music / "B")
        assert reported(run("show", number, "--json"))["state"] == "ignored"
        run("retry", number)
        assert reported(run("show", number, "--json"))["state"] == "pending"

    def test_a_song_that_keeps_some_is_still_done(
        self, run: Run, music: Path, numbers: dict[str, int]
    ) -> None:
        run("undo", music / "B" / "Only one.lrc")
        shown = reported(run("show", numbers["B/Only one.mp3"], "--json"))
        assert shown["state"] == "done"
        assert shown["written"] == [str(music / "B" / "Only one.elrc")]

    def test_all_and_a_library_by_a_link_are_noted_too(
        self, run: Run, music: Path, numbers: dict[str, int]
    ) -> None:
        link = music.parent / "link"
        link.symlink_to(music)
        with Catalog(music.parent / "state" / FILE_NAME) as catalog:
            catalog.enqueue(link / "A" / "1 - mp3.mp3", Priority.IMPORT, "scan", library=link)
        assert run("undo", "--all").returncode == 0
        songs = reported(run("status", "--json"))["songs"]
        assert (songs["done"], songs["pending"]) == (0, 0)
        assert songs["ignored"] == len(numbers) + 1

    @pytest.mark.parametrize("name", ["no such song", "999", "", "/no/such/song.mp3"])
    def test_what_is_not_known_is_an_error_in_one_line(
        self, name: str, run: Run, music: Path, numbers: dict[str, int]
    ) -> None:
        del numbers
        before = state(music)
        done = run("undo", name)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert f"No song is known as '{name}'" in done.stderr
        assert state(music) == before

    def test_what_may_be_several_is_not_guessed(
        self, run: Run, music: Path, numbers: dict[str, int]
    ) -> None:
        del numbers
        before = state(music)
        done = run("undo", "1 - ")
        assert done.returncode == 2
        assert "may be" in done.stderr
        assert state(music) == before

    def test_one_that_is_not_known_among_others_costs_them_nothing(
        self, run: Run, music: Path, numbers: dict[str, int]
    ) -> None:
        del numbers
        before = state(music)
        assert run("undo", "Only one", "no such song").returncode == 2
        assert state(music) == before

    def test_a_dry_run_leaves_the_catalog(
        self, run: Run, music: Path, numbers: dict[str, int]
    ) -> None:
        number = numbers["B/Only one.mp3"]
        before = state(music)
        report = reported(run("undo", number, "--dry-run", "--json"))
        assert len(report["removed"]) == 2
        assert reported(run("show", number, "--json"))["state"] == "done"
        assert state(music) == before


@pytest.mark.slow
class TestWithoutACatalog:
    def test_songs_of_apply_are_known_by_a_part_of_their_name(self, run: Run, music: Path) -> None:
        song = music / "A" / "1 - flac.flac"
        before = state(music)
        words = music.parent / "words.elrc"
        words.write_text(WORDS, encoding="utf-8")
        run("apply", words, song, "--preset", "embed")
        done = run("undo", "FLAC.fl")
        assert done.stdout == f"took our lyrics out of {song}\n"
        assert state(music) == before
        assert not (music.parent / "state" / FILE_NAME).exists()

    def test_a_song_with_nothing_of_ours_is_no_error(self, run: Run, music: Path) -> None:
        done = run("undo", music / "A" / "1 - flac.flac")
        assert done.returncode == 0
        assert "nothing of ours" in done.stderr

    def test_a_song_that_stays_is_not_reported_as_removed(self, run: Run, music: Path) -> None:
        write_all(run, music, "embed")
        report = reported(run("undo", "--all", "--json"))
        assert report["removed"] == []
        assert report["cleared"]

    def test_a_file_that_cannot_be_written_fails_and_costs_no_other(
        self, run: Run, music: Path
    ) -> None:
        write_all(run, music, "embed")
        songs = [
            Path(path) for path in reported(run("undo", "--all", "--dry-run", "--json"))["cleared"]
        ]
        assert len(songs) > 1
        songs[0].chmod(0o444)
        done = run("undo", "--all", "--json")
        report = json.loads(done.stdout)
        assert str(songs[0]) in {note["path"] for note in report["kept"]}
        assert {*report["cleared"]} == {str(song) for song in songs[1:]}
        songs[0].chmod(0o644)
        assert reported(run("undo", songs[0], "--json"))["cleared"] == [str(songs[0])]
