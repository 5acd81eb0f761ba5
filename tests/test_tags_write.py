"""What each preset and list puts beside a song, what it reports, and the commands for it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lyricsyncd import formats
from lyricsyncd.config.schema import Output, OutputFile
from lyricsyncd.errors import ConfigError, WriteError
from lyricsyncd.model import Lyrics, Timing
from lyricsyncd.tags import Journal, made_by_us, undo, write_lyrics

WORDS = formats.read(
    b"[00:01.00]<00:01.00>Row, <00:02.00>row<00:03.00>\n[00:04.00]<00:04.00>Boat<00:05.00>\n",
    "lrc",
)
LINES = WORDS.without_word_times()
PLAIN = WORDS.without_times()
BY_PRESET = {
    "generic": ({".lrc", ".elrc"}, {".lrc"}, {".txt"}),
    "navidrome": ({".lrc", ".elrc"}, {".lrc"}, {".txt"}),
    "jellyfin": ({".elrc"}, {".lrc"}, {".txt"}),
    "plex": ({".lrc"}, {".lrc"}, {".txt"}),
    "kodi": ({".lrc"}, {".lrc"}, {".txt"}),
}
"""Preset → what is written of lyrics with word times, with line times, without times."""


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "music" / "a.b song.mp3"
    path.parent.mkdir()
    path.write_bytes(b"not listened to")
    return path


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.db")


def suffixes(song: Path) -> set[str]:
    return {path.name.removeprefix(song.stem) for path in song.parent.iterdir()} - {".mp3"}


def preset(name: str) -> Output:
    return Output.model_validate({"preset": name})


class TestPresets:
    @pytest.mark.parametrize("name", BY_PRESET)
    def test_each_timing_has_its_files(self, name: str, song: Path, journal: Journal) -> None:
        for lyrics, expected in zip((WORDS, LINES, PLAIN), BY_PRESET[name], strict=True):
            report = write_lyrics(song, lyrics, preset(name), journal=journal)
            assert suffixes(song) == expected
            assert {path.suffix for path in (*report.written, *report.unchanged)} == expected
            assert report.notes == ()
        for lyrics, expected in zip((WORDS, LINES, PLAIN), BY_PRESET[name], strict=True):
            write_lyrics(song, lyrics, preset(name), journal=journal)
            assert suffixes(song) == expected

    @pytest.mark.parametrize("name", BY_PRESET)
    def test_undo_leaves_the_folder_as_it_was(
        self, name: str, song: Path, journal: Journal
    ) -> None:
        for lyrics in (WORDS, LINES, PLAIN, WORDS):
            write_lyrics(song, lyrics, preset(name), journal=journal)
        assert undo(journal).kept == ()
        assert suffixes(song) == set()
        assert journal.entries() == ()

    @pytest.mark.parametrize("name", BY_PRESET)
    def test_no_lrc_of_a_preset_has_word_marks(
        self, name: str, song: Path, journal: Journal
    ) -> None:
        write_lyrics(song, WORDS, preset(name), journal=journal)
        for path in song.parent.glob("*.lrc"):
            assert b"<" not in path.read_bytes()

    def test_what_is_written_reads_back_and_is_known_as_ours(
        self, song: Path, journal: Journal
    ) -> None:
        report = write_lyrics(song, WORDS, Output(), journal=journal)
        assert [path.name for path in report.written] == ["a.b song.lrc", "a.b song.elrc"]
        lines, words = (path.read_bytes() for path in report.written)
        assert made_by_us(lines)
        assert made_by_us(words)
        assert formats.read(lines, "lrc").timing is Timing.LINE
        assert formats.read(words, "lrc").words == WORDS.words

    def test_lyrics_without_words_write_nothing(self, song: Path, journal: Journal) -> None:
        report = write_lyrics(song, Lyrics(instrumental=True), Output(), journal=journal)
        assert report.written == ()
        assert suffixes(song) == set()

    def test_a_second_time_nothing_moves(self, song: Path, journal: Journal) -> None:
        first = write_lyrics(song, WORDS, Output(), journal=journal)
        before = [path.stat().st_mtime_ns for path in first.written]
        second = write_lyrics(song, WORDS, Output(), journal=journal)
        assert second.written == ()
        assert second.unchanged == first.written
        assert [path.stat().st_mtime_ns for path in first.written] == before

    def test_a_dry_run_tells_and_does_not(self, song: Path, journal: Journal) -> None:
        report = write_lyrics(song, WORDS, Output(), journal=journal, dry_run=True)
        assert len(report.written) == 2
        assert suffixes(song) == set()

    def test_beside_a_link_not_beside_its_target(self, tmp_path: Path, journal: Journal) -> None:
        real = tmp_path / "store" / "0f3a.mp3"
        real.parent.mkdir()
        real.write_bytes(b"x")
        link = tmp_path / "library" / "Song.mp3"
        link.parent.mkdir()
        link.symlink_to(real)
        report = write_lyrics(link, WORDS, Output(), journal=journal)
        assert {path.parent for path in report.written} == {link.parent}
        assert list(real.parent.iterdir()) == [real]


class TestWhatIsReported:
    def test_a_persons_file_is_kept_and_reported(self, song: Path, journal: Journal) -> None:
        theirs = song.with_name("a.b song.lrc")
        theirs.write_bytes(b"[00:01.00]mine\n")
        report = write_lyrics(song, WORDS, Output(), journal=journal)
        assert theirs.read_bytes() == b"[00:01.00]mine\n"
        assert [note.path for note in report.kept] == [theirs]
        assert [path.suffix for path in report.written] == [".elrc"]

    @pytest.mark.parametrize("suffix", [".ttml", ".yaml", ".yml"])
    def test_what_hides_ours_in_navidrome_is_reported(
        self, suffix: str, song: Path, journal: Journal
    ) -> None:
        other = song.with_name(song.stem + suffix)
        other.write_bytes(b"x")
        report = write_lyrics(song, WORDS, Output(), journal=journal)
        assert [note.path for note in report.hidden] == [other]
        assert "Navidrome" in report.hidden[0].why
        assert other.read_bytes() == b"x"

    @pytest.mark.parametrize("suffix", [".srt", ".txt"])
    def test_what_comes_later_hides_nothing(
        self, suffix: str, song: Path, journal: Journal
    ) -> None:
        song.with_name(song.stem + suffix).write_bytes(b"x")
        assert write_lyrics(song, WORDS, Output(), journal=journal).hidden == ()

    def test_a_name_that_does_not_fit_is_reported_and_the_rest_is_written(
        self, tmp_path: Path, journal: Journal
    ) -> None:
        song = tmp_path / ("é" * 125 + "a.mp3")
        song.write_bytes(b"x")
        report = write_lyrics(song, WORDS, Output(), journal=journal)
        assert [path.suffix for path in report.written] == [".lrc"]
        assert "too long" in report.kept[0].why

    def test_a_song_that_is_not_there_is_an_error(self, song: Path, journal: Journal) -> None:
        song.unlink()
        with pytest.raises(WriteError, match="Scan"):
            write_lyrics(song, WORDS, Output(), journal=journal)


class TestLists:
    def write(self, song: Path, journal: Journal, *items: dict[str, Any]) -> set[str]:
        output = tuple(OutputFile.model_validate(item) for item in items)
        write_lyrics(song, WORDS, output, journal=journal)
        return suffixes(song)

    def test_each_format_has_its_suffix(self, song: Path, journal: Journal) -> None:
        found = self.write(song, journal, *({"format": name} for name in formats.names()))
        assert found == {
            *(".lrc", ".elrc", ".json", ".srt", ".ass", ".yaml", ".ttml", ".vtt"),
            *(".ultrastar.txt", ".txt"),
        }
        for path in song.parent.iterdir():
            if path.suffix != ".mp3":
                assert path.read_bytes()

    def test_a_song_for_games_names_its_audio_and_itself(
        self, song: Path, journal: Journal
    ) -> None:
        named = song.rename(song.with_name("The Choir - Sky.mp3"))
        self.write(named, journal, {"format": "ultrastar"})
        text = named.with_suffix(".ultrastar.txt").read_text()
        assert "#MP3:The Choir - Sky.mp3\n#TITLE:Sky\n#ARTIST:The Choir\n" in text

    def test_anyone_asks_for_words_in_lrc_gets_them(self, song: Path, journal: Journal) -> None:
        assert self.write(song, journal, {"format": "lrc"}) == {".lrc"}
        assert b"<00:02.000>" in song.with_name("a.b song.lrc").read_bytes()

    def test_a_name_may_hold_the_songs(self, song: Path, journal: Journal) -> None:
        found = self.write(
            song,
            journal,
            {"format": "lrc", "name": "{stem}.words.lrc"},
            {"format": "srt", "name": ".en.srt"},
        )
        assert found == {".words.lrc", ".en.srt"}

    def test_two_files_of_one_name_are_a_mistake(self, song: Path, journal: Journal) -> None:
        with pytest.raises(ConfigError, match="taken"):
            self.write(song, journal, {"format": "srt"}, {"format": "ass", "name": ".srt"})
        assert suffixes(song) == set()

    def test_nothing_has_the_name_of_the_song(self, song: Path, journal: Journal) -> None:
        with pytest.raises(ConfigError, match="taken"):
            self.write(song, journal, {"format": "lrc", "name": "{stem}.mp3"})
        assert song.read_bytes() == b"not listened to"

    def test_a_name_that_songs_share_stays_with_the_first(
        self, song: Path, journal: Journal
    ) -> None:
        output = (OutputFile(format="lrc", name="lyrics.lrc"),)
        write_lyrics(song, WORDS, output, journal=journal)
        other = song.with_name("other.mp3")
        other.write_bytes(b"x")
        report = write_lyrics(other, LINES, output, journal=journal)
        assert report.written == ()
        assert "a.b song.mp3" in report.kept[0].why

    def test_what_needs_times_is_not_written_without(self, song: Path, journal: Journal) -> None:
        output = (OutputFile(format="srt"), OutputFile(format="txt"))
        report = write_lyrics(song, PLAIN, output, journal=journal)
        assert [path.suffix for path in report.written] == [".txt"]
        assert [note.path.suffix for note in report.kept] == [".srt"]


class TestUndo:
    def test_only_the_songs_named(self, song: Path, journal: Journal) -> None:
        other = song.with_name("other.mp3")
        other.write_bytes(b"x")
        for one in (song, other):
            write_lyrics(one, WORDS, preset("plex"), journal=journal)
        assert undo(journal, [other]).removed == (other.with_suffix(".lrc"),)
        assert song.with_name("a.b song.lrc").exists()
        assert journal.undone(other)
        assert not journal.undone(song)
        assert undo(journal, [song.parent]).removed == (song.with_name("a.b song.lrc"),)

    def test_what_was_written_before_stays(self, song: Path, journal: Journal) -> None:
        write_lyrics(song, LINES, preset("plex"), journal=journal)
        path = song.with_name("a.b song.lrc")
        first, moment = path.read_bytes(), journal.entries()[-1].at + 1e-6
        later = LINES.with_lines(LINES.lines[:1])
        write_lyrics(song, later, preset("plex"), journal=journal)
        assert undo(journal, since=moment).restored == (path,)
        assert path.read_bytes() == first
        assert undo(journal).removed == (path,)

    def test_what_was_edited_since_is_kept(self, song: Path, journal: Journal) -> None:
        write_lyrics(song, LINES, preset("plex"), journal=journal)
        path = song.with_name("a.b song.lrc")
        path.write_bytes(path.read_bytes() + b"[00:09.00]and more\n")
        report = undo(journal)
        assert report.removed == ()
        assert report.kept[0].path == path
        assert path.exists()

    def test_what_another_deleted_is_not_missed(self, song: Path, journal: Journal) -> None:
        write_lyrics(song, LINES, preset("plex"), journal=journal)
        song.with_name("a.b song.lrc").unlink()
        assert undo(journal).kept == ()
        assert journal.entries() == ()

    def test_a_folder_that_went_away_is_no_error(self, song: Path, journal: Journal) -> None:
        write_lyrics(song, LINES, preset("plex"), journal=journal)
        for path in song.parent.iterdir():
            path.unlink()
        song.parent.rmdir()
        assert undo(journal).removed == ()

    def test_a_dry_run_tells_and_does_not(self, song: Path, journal: Journal) -> None:
        write_lyrics(song, LINES, preset("plex"), journal=journal)
        assert len(undo(journal, dry_run=True).removed) == 1
        assert song.with_name("a.b song.lrc").exists()
        assert len(journal.entries()) == 1


class TestRealDisks:
    @pytest.fixture
    def small(self, tmp_path: Path) -> Any:
        """A file system of 64 KiB."""
        folder = tmp_path / "small"
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(folder)]
        if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("may not mount here")
        yield folder
        subprocess.run(["umount", str(folder)], check=True)

    def test_a_full_disk_leaves_what_was_there(self, small: Path, journal: Journal) -> None:
        song = small / "song.mp3"
        song.write_bytes(b"x")
        write_lyrics(song, LINES, preset("plex"), journal=journal)
        before = song.with_suffix(".lrc").read_bytes()
        fill(small / "filler")
        with pytest.raises(WriteError, match="Free some space") as caught:
            write_lyrics(song, WORDS.with_lines(WORDS.lines * 50), Output(), journal=journal)
        assert caught.value.transient
        assert song.with_suffix(".lrc").read_bytes() == before
        assert sorted(path.name for path in small.iterdir()) == ["filler", "song.lrc", "song.mp3"]
        (small / "filler").unlink()
        assert len(write_lyrics(song, WORDS, Output(), journal=journal).written) == 1

    def test_a_read_only_mount_says_so(self, small: Path, journal: Journal) -> None:
        song = small / "song.mp3"
        song.write_bytes(b"x")
        subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
        with pytest.raises(WriteError, match="Mount the file system"):
            write_lyrics(song, WORDS, Output(), journal=journal)
        assert journal.entries() == ()


def fill(path: Path) -> None:
    """Leave no room on a disk."""
    with path.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(b"x" * 4096)


class TestCommands:
    @pytest.fixture
    def run(self, tmp_path: Path) -> Any:
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parent.parent),
            "STATE_DIRECTORY": str(tmp_path / "state"),
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
        }

        def run(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
            command = [sys.executable, "-m", "lyricsyncd", *map(str, arguments)]
            return subprocess.run(
                command, capture_output=True, env=environment, input=stdin, cwd=tmp_path
            )

        return run

    def test_apply_then_undo(self, run: Any, song: Path, tmp_path: Path) -> None:
        words = tmp_path / "words.elrc"
        words.write_text(formats.write(WORDS, "lrc"))
        reported = json.loads(run("apply", words, song, "--dry-run", "--json").stdout)
        assert len(reported["written"]) == 2
        assert suffixes(song) == set()
        assert run("apply", words, song).returncode == 0
        assert suffixes(song) == {".lrc", ".elrc"}
        journal = Journal(tmp_path / "state" / "journal.db")
        kept = write_lyrics(song, LINES.with_lines(LINES.lines[:1]), Output(), journal=journal).kept
        assert "a person chose" in kept[0].why
        reported = json.loads(run("undo", song, "--json").stdout)
        assert len(reported["removed"]) == 2
        assert suffixes(song) == set()

    def test_apply_heads_the_lyrics_with_the_names_of_the_song(
        self, run: Any, tmp_path: Path
    ) -> None:
        demo = Path(__file__).parent.parent / "demo" / "songs" / "The_Star.mp3"
        song = tmp_path / "song.mp3"
        song.write_bytes(demo.read_bytes())
        words = tmp_path / "words.lrc"
        words.write_text("[ti:As I call it]\n[00:01.00]Row, row\n")
        assert run("apply", words, song).returncode == 0
        written = song.with_suffix(".lrc").read_text()
        assert "[ti:As I call it]" in written
        assert "[ar:" in written
        assert "[length:00:44]" in written

    def test_apply_keeps_what_is_there_unless_forced(
        self, run: Any, song: Path, tmp_path: Path
    ) -> None:
        words = tmp_path / "words.txt"
        words.write_text("Row, row\n")
        theirs = song.with_name("a.b song.txt")
        theirs.write_text("mine\n")
        done = run("apply", words, song)
        assert done.returncode == 1
        assert b"not ours" in done.stderr
        assert theirs.read_text() == "mine\n"
        assert run("apply", words, song, "--force").returncode == 0
        assert theirs.read_text() == "Row, row\n"
        assert run("undo", "--all").returncode == 0
        assert theirs.read_text() == "mine\n"

    @pytest.mark.parametrize(
        ("arguments", "status", "said"),
        [
            (["apply", "missing.lrc", "SONG"], 2, "missing.lrc"),
            (["apply", "SONG", "missing.mp3"], 2, "missing.mp3"),
            (["apply", "SONG", "SONG", "--preset", "winamp"], 2, "winamp"),
            (["convert", "SONG", "--from", "docx"], 2, "docx"),
            (["convert", "missing.lrc"], 2, "missing.lrc"),
            (["convert", "SONG", "out.xyz"], 2, "--to"),
            (["convert", "SONG", "--offset", "nan"], 2, "seconds"),
            (["undo"], 2, "--since"),
            (["undo", "--since", "yesterday"], 2, "2h"),
            (["undo", "--all", "SONG"], 2, "--all"),
        ],
    )
    def test_every_mistake_is_one_line(
        self, run: Any, song: Path, arguments: list[str], status: int, said: str
    ) -> None:
        song.write_bytes(b"\0\1\2\3")
        done = run(*(str(song) if argument == "SONG" else argument for argument in arguments))
        assert done.returncode == status, done.stderr
        assert said in done.stderr.decode()
        assert done.stderr.count(b"\n") == 1
        assert b"bug" not in done.stderr

    def test_convert_moves_every_time(self, run: Any, tmp_path: Path) -> None:
        source = tmp_path / "in.elrc"
        source.write_text(formats.write(WORDS, "lrc"))
        done = run("convert", source, "-", "--to", "json", "--offset", "-1.5")
        starts = [word["start"] for word in json.loads(done.stdout)]
        assert starts == [0.0, 0.5, 2.5]

    def test_convert_by_pipe_and_by_suffix(self, run: Any, tmp_path: Path) -> None:
        out = tmp_path / "out.srt"
        done = run("convert", "-", out, stdin=formats.write(WORDS, "lrc").encode())
        assert done.returncode == 0, done.stderr
        assert "00:00:01,000 -->" in out.read_text()

    def test_what_is_converted_is_the_persons(self, run: Any, song: Path, journal: Journal) -> None:
        write_lyrics(song, WORDS, Output(), journal=journal)
        copy = song.with_name("copy.lrc")
        assert run("convert", song.with_name("a.b song.elrc"), copy).returncode == 0
        assert b"sha=" not in copy.read_bytes()

    def test_undo_since_takes_back_only_what_came_later(
        self, run: Any, song: Path, journal: Journal
    ) -> None:
        write_lyrics(song, WORDS, Output(), journal=journal)
        assert b"nothing of ours" in run("undo", "--since", "2099-01-01").stderr
        assert run("undo", "--since", "1h").stdout.count(b"removed") == 2
