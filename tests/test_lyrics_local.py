"""The words that songs bring along in their tags, as taggers of all kinds leave them."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from mutagen.id3 import ID3, SYLT, USLT
from mutagen.mp4 import MP4

from lyricsyncd.errors import FormatError, UsageError
from lyricsyncd.formats.text import MAX_BYTES
from lyricsyncd.lyrics import files
from lyricsyncd.lyrics.local import LocalSource
from lyricsyncd.model import Lyrics, Timing, Track
from tests.noise_songs import encode


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("songs")
    return {kind: encode(folder / f"song.{kind}", 1).read_bytes() for kind in ("mp3", "m4a")}


@pytest.fixture
def mp3(originals: dict[str, bytes], tmp_path: Path) -> Path:
    path = tmp_path / "song.mp3"
    path.write_bytes(originals["mp3"])
    return path


@pytest.fixture
def m4a(originals: dict[str, bytes], tmp_path: Path) -> Path:
    path = tmp_path / "song.m4a"
    path.write_bytes(originals["m4a"])
    return path


def found(song: Path) -> list[Lyrics]:
    return [candidate.lyrics for candidate in LocalSource().find(Track(song))]


def with_uslt(song: Path, text: str) -> Path:
    tags = ID3()
    tags.add(USLT(encoding=3, lang="eng", desc="", text=text))
    tags.save(song)
    return song


def with_sylt(song: Path, pieces: list[tuple[str, int]]) -> Path:
    tags = ID3()
    tags.add(SYLT(encoding=3, lang="eng", format=2, type=1, desc="", text=pieces))
    tags.save(song)
    return song


class TestBulletsBetweenLines:
    """iTunes shows lyrics on one line so, and what is copied from it stays so."""

    TEXT = "Row, row your boat • Gently down the stream • Merrily, merrily"
    LINES = "Row, row your boat\nGently down the stream\nMerrily, merrily"

    def test_part_lines_in_an_mp3(self, mp3: Path) -> None:
        assert [lyrics.text for lyrics in found(with_uslt(mp3, self.TEXT))] == [self.LINES]

    def test_part_lines_in_an_m4a(self, m4a: Path) -> None:
        file = MP4(m4a)
        file["\xa9lyr"] = [self.TEXT + "\r\n"]
        file.save()
        assert [lyrics.text for lyrics in found(m4a)] == [self.LINES]

    @pytest.mark.parametrize("text", ["Row • row\nGently down", "Row, row\r• Gently •\rdown"])
    def test_are_words_where_there_are_lines(self, mp3: Path, text: str) -> None:
        (lyrics,) = found(with_uslt(mp3, text))
        assert lyrics.text == text.replace("\r", "\n")

    def test_are_words_in_timed_lines(self, mp3: Path) -> None:
        (lyrics,) = found(with_uslt(mp3, "[00:01.00]Row • row"))
        assert lyrics.text == "Row • row"


class TestBrokenTags:
    def test_what_is_no_text_is_no_lyrics(
        self, m4a: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        file = MP4(m4a)
        file["\xa9lyr"] = ["\x01\x02\x03 stco \x06\x07\x08 moov"]
        file.save()
        assert found(m4a) == []
        assert "holds no text" in caplog.text

    def test_word_times_that_run_backwards_are_not_believed(self, mp3: Path) -> None:
        pieces = [("\nRow ", 65_000), ("row ", 500), ("boat", 1300), ("\nGently", 70_000)]
        (lyrics,) = found(with_sylt(mp3, pieces))
        assert lyrics.text == "Row row boat\nGently"
        assert [line.timed_words for line in lyrics] == [False, True]

    def test_times_that_no_song_has_are_reported(
        self, mp3: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING):
            assert found(with_sylt(mp3, [("Row", 4_000_000_000)])) == []
        assert "song.mp3, tag SYLT" in caplog.text

    def test_word_times_of_a_good_tagger_are_kept(self, mp3: Path) -> None:
        (lyrics,) = found(with_sylt(mp3, [("\nRow ", 500), ("row", 1300)]))
        assert lyrics.timing is Timing.WORD


@pytest.mark.parametrize(
    "text", ["? " * 60_000, "a\n" * 60_000, "你" * 60_000, "[00:01.00]" + "你" * 60_000]
)
def test_more_words_than_any_song_has_are_no_lyrics(text: str) -> None:
    with pytest.raises(FormatError, match="not the lyrics of one song"):
        files.from_bytes(text.encode(), Path("song.txt"), source="sidecar")


@pytest.mark.parametrize("control", ["\x1a", "\x07"])
def test_a_stray_control_character_is_no_word(control: str) -> None:
    data = f"Row, row{control}\n{control}\nyour boat\n".encode()
    lyrics = files.from_bytes(data, Path("song.txt"), source="sidecar")
    assert lyrics.text == "Row, row\nyour boat"


class TestFilesThatAreNone:
    def test_one_that_is_too_large_says_so(self, tmp_path: Path) -> None:
        file = tmp_path / "a.lrc"
        file.write_bytes(b"la " * (MAX_BYTES // 2))
        with pytest.raises(FormatError, match=r"too large for lyrics \(2 MB\)"):
            files.read_bytes(file)

    @pytest.mark.parametrize("name", ["a\0b.lrc", "\ud800.lrc"])
    def test_a_name_that_is_no_path_says_so(self, name: str) -> None:
        with pytest.raises(UsageError, match="not a path"):
            files.read_bytes(Path(name))
