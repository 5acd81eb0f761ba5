"""Breaks: what players are given where nobody sings."""

from __future__ import annotations

import pytest

from lyricsyncd import formats
from lyricsyncd.model import Line, Lyrics, Word

SONG = Lyrics(
    (
        Line((Word("one", 8.0, 9.0),), 8.0, 9.0),
        Line((Word("two", 30.0, 31.0),), 30.0, 31.0),
        Line((Word("three", 32.0, 33.0),), 32.0, 33.0),
    )
)


@pytest.mark.parametrize("name", ["lrc", "lrc_standard"])
class TestABreak:
    def test_is_an_empty_line_where_the_one_before_ends(self, name: str) -> None:
        rows = formats.write(SONG, name).splitlines()
        assert any(row.startswith("[00:09.00") and row.endswith("]") for row in rows)
        assert "♪" not in "".join(rows)

    def test_is_a_note_on_request_and_so_is_a_long_beginning(self, name: str) -> None:
        rows = formats.write(SONG, name, notes=True).splitlines()
        notes = [row[: len("[00:00.00")] for row in rows if row.endswith("]♪")]
        assert notes == ["[00:00.00", "[00:09.00"]
        assert rows[-1].endswith("]")

    def test_is_read_as_one_again(self, name: str) -> None:
        text = formats.write(SONG, name, notes=True)
        read = formats.read(text.encode(), name)
        assert read.text == "one\ntwo\nthree"
        assert read == formats.project(SONG, name, notes=True)
        assert formats.write(read, name, notes=True) == text

    def test_of_other_programs_is_no_word(self, name: str) -> None:
        read = formats.read("[00:01.00]tea\n[00:05.00]♪ ♫ ♪\n[00:20.00]♪ cup ♪\n".encode(), name)
        assert [line.text for line in read] == ["tea", "", "♪ cup ♪"]


class TestEveryOtherFormat:
    @pytest.mark.parametrize("name", ["srt", "vtt", "ass", "ttml", "lyricsfile"])
    def test_ends_its_lines_where_they_end(self, name: str) -> None:
        read = formats.read(formats.write(SONG, name).encode(), name)
        ends = [line.end for line in read if line.words]
        assert ends == pytest.approx([9.0, 31.0, 33.0], abs=0.002)
