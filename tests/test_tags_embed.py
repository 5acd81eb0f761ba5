"""Lyrics in the tags of real files: what is written, what is kept, what is given back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import mutagen
import pytest
from mutagen.id3 import ID3, SYLT, TIT2, USLT

from lyricsyncd import formats
from lyricsyncd.config.schema import Output, OutputFile
from lyricsyncd.lyrics.local import LocalSource
from lyricsyncd.model import Line, Lyrics, Timing, Track
from lyricsyncd.tags import (
    Journal,
    atomic,
    carry_sidecars,
    clean_sidecars,
    songfile,
    undo,
    write_lyrics,
)
from lyricsyncd.tags.splice import Splice, copy_spliced
from tests.noise_songs import CODECS, encode

WORDS = formats.read(
    "[00:01.00]<00:01.00>Row, <00:02.00>röw<00:03.00>\n[00:04.00]<00:04.00>Böat<00:05.00>\n"
    .encode(),
    "lrc",
)  # fmt: skip
EMBED = Output(preset="embed")


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("songs")
    return {kind: encode(folder / f"song.{kind}") for kind in CODECS}


@pytest.fixture
def song_of(originals: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    def copy(kind: str) -> Path:
        folder = tmp_path / "music"
        folder.mkdir(exist_ok=True)
        path = folder / f"a song.{kind}"
        path.write_bytes(originals[kind].read_bytes())
        return path

    return copy


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "journal.db")


def held(song: Path) -> list[tuple[str, Lyrics]]:
    """The lyrics in a song's tags, as the source of local lyrics reads them."""
    found = LocalSource().find(Track(song))
    return [(c.id or "", c.lyrics) for c in found if c.source == "tag"]


@pytest.mark.parametrize("kind", CODECS)
class TestEveryKind:
    def test_lyrics_are_in_the_tags_and_the_audio_is_the_same(
        self, kind: str, song_of: Callable[[str], Path], originals: dict[str, Path],
        journal: Journal,
    ) -> None:  # fmt: skip
        song = song_of(kind)
        report = write_lyrics(song, WORDS, EMBED, journal=journal)
        assert report.written == (song,)
        assert not report.notes
        assert songfile.same_audio(originals[kind], song)
        assert {line.text for _, lyrics in held(song) for line in lyrics} == {"Row, röw", "Böat"}
        assert all(lyrics.timing is not Timing.NONE for _, lyrics in held(song))
        assert [path.name for path in song.parent.iterdir()] == [song.name]

    def test_the_same_lyrics_again_change_nothing(
        self, kind: str, song_of: Callable[[str], Path], journal: Journal
    ) -> None:
        song = song_of(kind)
        write_lyrics(song, WORDS, EMBED, journal=journal)
        before = song.stat()
        report = write_lyrics(song, WORDS, EMBED, journal=journal)
        assert report.unchanged == (song,)
        assert song.stat().st_mtime_ns == before.st_mtime_ns

    def test_better_lyrics_replace_ours(
        self, kind: str, song_of: Callable[[str], Path], journal: Journal
    ) -> None:
        song = song_of(kind)
        write_lyrics(song, WORDS.without_times(), EMBED, journal=journal)
        write_lyrics(song, WORDS, EMBED, journal=journal)
        assert all(lyrics.timing is not Timing.NONE for _, lyrics in held(song))
        # Without the journal our mark tells that they are ours.
        other = write_lyrics(song, WORDS.without_word_times(), EMBED, journal=Journal())
        assert not other.kept

    def test_undo_gives_back_the_same_bytes(
        self, kind: str, song_of: Callable[[str], Path], originals: dict[str, Path],
        journal: Journal,
    ) -> None:  # fmt: skip
        song = song_of(kind)
        write_lyrics(song, WORDS.without_times(), EMBED, journal=journal)
        write_lyrics(song, WORDS, EMBED, journal=journal)
        report = undo(journal, [song])
        assert (report.cleared, report.removed) == ((song,), ())
        assert song.read_bytes() == originals[kind].read_bytes()
        assert undo(journal, [song]).cleared == ()

    def test_a_persons_words_are_kept_unless_forced_and_come_back(
        self, kind: str, song_of: Callable[[str], Path], journal: Journal
    ) -> None:
        song = song_of(kind)
        mine = Lyrics((Line.from_text("Mine alone"),))
        write_lyrics(song, mine, EMBED, journal=Journal(journal.path.with_name("of another.db")))
        before = held(song)
        report = write_lyrics(song, WORDS, EMBED, journal=journal)
        assert report.kept
        assert "Mine alone" in {lyrics.text for _, lyrics in held(song)}
        write_lyrics(song, WORDS, EMBED, journal=journal, force=True)
        assert "Mine alone" not in {lyrics.text for _, lyrics in held(song)}
        assert undo(journal).restored == (song,)
        assert held(song) == before

    def test_an_empty_tag_is_nobodys_and_comes_back(
        self, kind: str, song_of: Callable[[str], Path], journal: Journal
    ) -> None:
        """beets leaves one in every song without lyrics."""
        song = song_of(kind)
        file = mutagen.File(song)
        if file.tags is None:
            file.add_tags()
        if kind in ("mp3", "wav", "aiff"):
            file.tags.add(USLT(encoding=3, lang="XXX", desc="", text=""))
        else:
            file.tags[{"m4a": "\xa9lyr", "wma": "WM/Lyrics"}.get(kind, "Lyrics")] = [""]
        file.save()
        report = write_lyrics(song, WORDS, EMBED, journal=journal)
        assert (report.written, report.notes) == ((song,), ())
        assert "Row, röw\nBöat" in {lyrics.text for _, lyrics in held(song)}
        undo(journal, [song])
        assert held(song) == []

    def test_a_file_with_two_names_gets_sidecars(
        self, kind: str, song_of: Callable[[str], Path], journal: Journal, tmp_path: Path
    ) -> None:
        song = song_of(kind)
        os.link(song, tmp_path / "seeding")
        before = song.read_bytes()
        report = write_lyrics(song, WORDS, EMBED, journal=journal)
        assert song.read_bytes() == before
        assert {path.suffix for path in report.written} == {".lrc", ".elrc"}
        assert "hard links" in str(report.kept[0])


class TestId3:
    def test_each_word_has_its_milliseconds_in_sylt(
        self, song_of: Callable[[str], Path], journal: Journal
    ) -> None:
        song = song_of("mp3")
        write_lyrics(song, WORDS, EMBED, journal=journal)
        (frame,) = ID3(song).getall("SYLT")
        assert frame.format == 2
        assert frame.type == 1
        words = [(text, time) for text, time in frame.text if text.strip()]
        assert words == [("\nRow, ", 1000), ("röw", 2000), ("\nBöat", 4000)]

    @pytest.mark.parametrize("version", [3, 4])
    def test_the_version_and_all_else_stay(
        self, version: int, song_of: Callable[[str], Path], journal: Journal
    ) -> None:
        song = song_of("mp3")
        tags = ID3()
        tags.add(TIT2(encoding=1, text=["Tïtle"]))
        tags.save(song, v2_version=version)
        write_lyrics(song, WORDS, EMBED, journal=journal)
        again = ID3(song, translate=False)
        assert again.version[:2] == (2, version)
        assert again["TIT2"].text == ["Tïtle"]
        assert again.getall("USLT")[0].text.startswith("[")

    def test_times_are_added_where_a_person_keeps_plain_words(
        self, song_of: Callable[[str], Path], journal: Journal
    ) -> None:
        song = song_of("mp3")
        tags = ID3()
        tags.add(USLT(encoding=3, lang="eng", desc="", text="my own words"))
        tags.save(song)
        report = write_lyrics(song, WORDS, EMBED, journal=journal)
        assert report.written == (song,)
        assert "USLT" in str(report.kept[0])
        assert ID3(song).getall("USLT")[0].text == "my own words"
        assert ID3(song).getall("SYLT")
        undo(journal)
        assert not ID3(song).getall("SYLT")
        assert ID3(song).getall("USLT")[0].text == "my own words"

    def test_a_persons_times_are_kept(
        self, song_of: Callable[[str], Path], journal: Journal
    ) -> None:
        song = song_of("mp3")
        tags = ID3()
        tags.add(SYLT(encoding=3, lang="eng", format=2, type=1, desc="", text=[("mine", 5)]))
        tags.save(song)
        write_lyrics(song, WORDS, EMBED, journal=journal)
        assert ID3(song).getall("SYLT")[0].text == [("mine", 5)]

    def test_our_own_tags_are_known_as_ours(
        self, song_of: Callable[[str], Path], journal: Journal
    ) -> None:
        song = song_of("mp3")
        write_lyrics(song, WORDS, EMBED, journal=journal)
        assert all(candidate.ours for candidate in LocalSource().find(Track(song)))
        tags = ID3(song)
        frame = tags.getall("SYLT")[0]
        frame.text[0] = ("\nEdited ", 900)
        tags.save(song)
        edited = {c.id: c.ours for c in LocalSource().find(Track(song))}
        assert edited == {"SYLT": False, "USLT": True}


class TestLists:
    @pytest.mark.parametrize(
        ("name", "timing"),
        [("lrc", Timing.WORD), ("lrc_standard", Timing.LINE), ("txt", Timing.NONE)],
    )
    def test_the_list_says_how_fine_the_tag_is(
        self, name: str, timing: Timing, song_of: Callable[[str], Path], journal: Journal
    ) -> None:
        song = song_of("flac")
        write_lyrics(song, WORDS, (OutputFile(format=name, to="tag"),), journal=journal)
        ((_, lyrics),) = held(song)
        assert lyrics.timing is timing


class TestNavidromesWebPage:
    """It shows all timed lyrics of the tags, one below the other, and none beside the song."""

    @pytest.mark.parametrize("kind", CODECS)
    def test_finds_each_line_once_and_clients_find_the_words(
        self, kind: str, song_of: Callable[[str], Path], journal: Journal
    ) -> None:
        song = song_of(kind)
        report = write_lyrics(song, WORDS, Output(preset="navidrome_web"), journal=journal)
        sidecars = {song.with_suffix(".lrc"), song.with_suffix(".elrc")}
        assert set(report.written) == {song, *sidecars}
        ((_, lyrics),) = held(song)
        assert lyrics.timing is Timing.LINE
        assert formats.read(song.with_suffix(".elrc").read_bytes(), "lrc").words == WORDS.words
        undone = undo(journal, [song])
        assert set(undone.removed) == sidecars
        assert undone.cleared == (song,)

    def test_has_no_word_times_left_of_another_preset(
        self, song_of: Callable[[str], Path], journal: Journal
    ) -> None:
        song = song_of("mp3")
        write_lyrics(song, WORDS, EMBED, journal=journal)
        assert ID3(song).getall("SYLT")
        write_lyrics(song, WORDS, Output(preset="navidrome_web"), journal=journal)
        assert not ID3(song).getall("SYLT")

    def test_goes_without_where_the_file_is_not_to_be_changed(
        self, song_of: Callable[[str], Path], journal: Journal, tmp_path: Path
    ) -> None:
        song = song_of("flac")
        os.link(song, tmp_path / "seeding")
        report = write_lyrics(song, WORDS, Output(preset="navidrome_web"), journal=journal)
        assert {path.suffix for path in report.written} == {".lrc", ".elrc"}
        assert "hard links" in str(report.kept[0])


class TestSafety:
    def test_the_time_of_change_moves_forward_even_from_the_future(
        self, song_of: Callable[[str], Path], journal: Journal
    ) -> None:
        song = song_of("flac")
        future = 4_000_000_000_000_000_000
        os.utime(song, ns=(future, future))
        write_lyrics(song, WORDS, EMBED, journal=journal)
        assert song.stat().st_mtime_ns > future

    def test_owner_mode_and_attributes_stay(
        self, song_of: Callable[[str], Path], journal: Journal
    ) -> None:
        song = song_of("flac")
        song.chmod(0o640)
        os.setxattr(song, "user.note", b"mine")
        if os.geteuid() == 0:
            os.chown(song, 1234, 5678)
        before = song.stat()
        write_lyrics(song, WORDS, EMBED, journal=journal)
        after = song.stat()
        assert after.st_ino != before.st_ino
        assert after.st_mode & 0o777 == 0o640
        assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
        assert os.getxattr(song, "user.note") == b"mine"

    def test_a_read_only_song_and_a_link_get_sidecars(
        self, song_of: Callable[[str], Path], journal: Journal, tmp_path: Path
    ) -> None:
        song = song_of("flac")
        song.chmod(0o444)
        report = write_lyrics(song, WORDS, EMBED, journal=journal)
        assert "read-only" in str(report.kept[0])
        assert {path.suffix for path in report.written} == {".lrc", ".elrc"}
        link = tmp_path / "link.flac"
        link.symlink_to(song)
        assert "link" in str(write_lyrics(link, WORDS, EMBED, journal=journal).kept[0])

    def test_a_song_replaced_midway_stays_the_new_one(
        self, song_of: Callable[[str], Path], journal: Journal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        song = song_of("flac")
        same_audio = songfile.same_audio
        again: list[bool] = []

        def replaced(one: Path, other: Path, same_until: int) -> bool:
            if not again:
                again.append(True)
                tags = mutagen.File(one)
                tags["TITLE"] = "changed by another"
                tags.save()
            return same_audio(one, other, same_until)

        monkeypatch.setattr(songfile, "same_audio", replaced)
        write_lyrics(song, WORDS, EMBED, journal=journal)
        assert mutagen.File(song)["TITLE"] == ["changed by another"]
        assert held(song)

    def test_audio_that_would_change_keeps_the_song_and_takes_sidecars(
        self, song_of: Callable[[str], Path], journal: Journal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        song = song_of("flac")
        before = song.read_bytes()

        def spoilt(source: Path, copy: Path, splices: Iterable[Splice]) -> None:
            copy_spliced(source, copy, splices)
            data = bytearray(copy.read_bytes())
            data[-100] ^= 0xFF
            copy.write_bytes(data)

        monkeypatch.setattr(songfile, "copy_spliced", spoilt)
        report = write_lyrics(song, WORDS, EMBED, journal=journal)
        assert "something else of it would have changed" in str(report.kept[0])
        assert {path.suffix for path in report.written} == {".lrc", ".elrc"}
        assert song.read_bytes() == before
        assert {entry.kind for entry in journal.entries()} == {"sidecar"}

    def test_broken_tags_are_left_alone(self, tmp_path: Path, journal: Journal) -> None:
        song = tmp_path / "broken.flac"
        song.write_bytes(b"fLaC\x00\x00\x00\x22" + bytes(30) + b"\xff" * 99)
        before = song.read_bytes()
        report = write_lyrics(song, WORDS, EMBED, journal=journal)
        assert "damaged" in str(report.kept[0])
        assert song.read_bytes() == before

    def test_a_dry_run_writes_nothing(
        self, song_of: Callable[[str], Path], journal: Journal
    ) -> None:
        song = song_of("flac")
        before = song.read_bytes()
        assert write_lyrics(song, WORDS, EMBED, journal=journal, dry_run=True).written == (song,)
        assert song.read_bytes() == before
        assert journal.entries() == ()

    def test_no_temporary_file_is_left(
        self, song_of: Callable[[str], Path], journal: Journal
    ) -> None:
        song = song_of("flac")
        left = song.parent / ".lyricsyncd-0123456789abcdef.part"
        left.write_bytes(b"of a crash")
        write_lyrics(song, WORDS, EMBED, journal=journal)
        assert not left.exists()
        atomic.clear_abandoned(song.parent)
        assert list(song.parent.iterdir()) == [song]


class TestMoving:
    def test_our_sidecars_follow_a_song_and_a_persons_stay(
        self, song_of: Callable[[str], Path], journal: Journal
    ) -> None:
        song = song_of("flac")
        write_lyrics(song, WORDS, Output(preset="generic"), journal=journal)
        song.with_suffix(".lrc").write_text("edited", encoding="utf-8")
        new = song.parent / "elsewhere" / "new name.flac"
        new.parent.mkdir()
        song.rename(new)
        report = carry_sidecars(song, new, journal)
        assert report.written == (new.with_suffix(".elrc"),)
        assert song.with_suffix(".lrc").exists()
        assert undo(journal, [new]).removed == (new.with_suffix(".elrc"),)

    def test_a_deleted_song_leaves_only_what_is_not_ours(
        self, song_of: Callable[[str], Path], journal: Journal
    ) -> None:
        song = song_of("flac")
        write_lyrics(song, WORDS, Output(preset="generic"), journal=journal)
        song.with_suffix(".elrc").write_text("edited", encoding="utf-8")
        assert clean_sidecars(song, journal).removed == ()
        song.unlink()
        assert clean_sidecars(song, journal).removed == (song.with_suffix(".lrc"),)
        assert song.with_suffix(".elrc").exists()
