"""UltraStar as its specification has it (usdx.eu/format, version 1), read strictly."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

import pytest
from hypothesis import given

from lyricsyncd import formats
from lyricsyncd.errors import FormatError
from lyricsyncd.formats.ultrastar import Ultrastar
from lyricsyncd.model import Line, Lyrics, Syllable, Word
from tests.test_formats_properties import LYRICS, with_all_times

_NOTE = re.compile(r"[:*FRG] (\d+) ([1-9]\d*) -?\d+ ([^\r\n]+)")
_BREAK = re.compile(r"- (\d+)")


def players(text: str) -> dict[str, list[str]]:
    """Read a file as the specification says, and return the lines of each player.

    Headers are those of version 1 and stand once each. Of each player notes begin in order, none is
    empty, none lies over another; a line ends behind its last note and before the next one's first.
    """
    rows = text.split("\n")
    assert rows[-2:] == ["E", ""]
    assert rows[0].startswith("#VERSION:1.")
    head = [row for row in rows if row.startswith("#") and ":" in row.split(" ")[0]]
    assert rows[: len(head)] == head
    names = [row[1:].partition(":")[0] for row in head]
    assert len(names) == len(set(names))
    assert {"TITLE", "ARTIST", "BPM", "GAP"} <= set(names)
    found: dict[str, list[str]] = {}
    player, latest, ended = "P1", 0, True
    for row in rows[len(head) : -2]:
        if row in ("P1", "P2"):
            assert row not in found
            assert row in names
            player, latest, ended = row, 0, True
            found[row] = []
        elif note := _NOTE.fullmatch(row):
            assert int(note[1]) >= latest, row
            latest = int(note[1]) + int(note[2])
            lines = found.setdefault(player, [])
            lines[len(lines) - (not ended) :] = ["".join(lines[-1:] if not ended else []) + note[3]]
            ended = False
        else:
            line_break = _BREAK.fullmatch(row)
            assert line_break is not None, row
            assert not ended
            assert int(line_break[1]) >= latest
            latest, ended = int(line_break[1]), True
    assert not ended or not found
    return found


def song(*lines: Line) -> Lyrics:
    return Lyrics(lines, "en", metadata={"title": "Sky", "artist": "The Sampled Choir"})


def sung(text: str, start: float, voice: str | None = None, step: float = 0.5) -> Line:
    """A line whose words are half a second each."""
    words = [
        Word(word, start + at * step, start + (at + 1) * step)
        for at, word in enumerate(text.split())
    ]
    return Line(tuple(words), start, words[-1].end, voice)


LEAD = (sung("All in the sky", 1.0), sung("So high", 3.0), sung("Gone", 5.0))


class TestADuet:
    @pytest.mark.parametrize("writer", [Ultrastar(), Ultrastar(bpm=410.25, gap=0.87)])
    def test_has_its_voices_one_after_the_other(self, writer: Ultrastar) -> None:
        lyrics = song(LEAD[0], sung("Mary had a", 2.2, "Ann"), LEAD[1], sung("lamb", 3.4, "Ann"))
        text = writer.write(lyrics)
        assert players(text) == {
            "P1": ["All in the sky", "So high"],
            "P2": ["Mary had a", "lamb"],
        }
        assert "#P1:The Sampled Choir\n#P2:Ann\n" in text

    def test_is_read_in_the_order_in_which_lines_begin(self) -> None:
        lyrics = song(LEAD[0], sung("Mary had a", 2.2, "Ann"), *LEAD[1:])
        found = formats.read(formats.write(lyrics, "ultrastar").encode(), "ultrastar")
        assert [(line.text, line.voice) for line in found] == [
            ("All in the sky", None),
            ("Mary had a", "Ann"),
            ("So high", None),
            ("Gone", None),
        ]

    def test_has_all_other_voices_as_its_second_player(self) -> None:
        lyrics = song(LEAD[0], sung("oh", 2.6, "bg"), sung("Mary", 4.0, "Ann"), LEAD[2])
        text = formats.write(lyrics, "ultrastar")
        assert players(text)["P2"] == ["oh", "Mary"]
        assert "#P2:bg, Ann\n" in text

    def test_has_the_voice_of_most_words_as_its_lead_where_none_is(self) -> None:
        lyrics = song(sung("oh", 1.0, "Ben"), sung("Mary had a", 2.0, "Ann"))
        assert players(formats.write(lyrics, "ultrastar")) == {"P1": ["Mary had a"], "P2": ["oh"]}

    def test_has_pitches_in_the_order_of_its_notes(self) -> None:
        lyrics = song(LEAD[0], sung("Mary had", 2.2, "Ann"), LEAD[1])
        notes = Ultrastar().notes(lyrics)
        assert [start for start, _ in notes] == pytest.approx([1, 1.5, 2, 2.5, 3, 3.5, 2.2, 2.7])
        text = dataclasses.replace(Ultrastar(), pitches=tuple(range(8))).write(lyrics)
        pitches = [int(row.split()[3]) for row in text.splitlines() if row.startswith(":")]
        assert pitches == list(range(8))


class TestNames:
    def test_that_are_not_known_are_there_all_the_same_and_read_as_unknown(self) -> None:
        text = formats.write(Lyrics(LEAD), "ultrastar")
        assert "#TITLE:Unknown\n#ARTIST:Unknown\n" in text
        assert formats.read(text.encode(), "ultrastar").metadata == {}


class TestLines:
    @pytest.mark.parametrize(
        "lines",
        [
            (*LEAD, sung("late by a line", 4.0)),
            (sung("All in the sky", 1.0), sung("So high", 1.2), sung("Gone", 1.21)),
            (LEAD[0], Line.from_text("not sure of it", 2.0, 3.4), LEAD[1], LEAD[2]),
            (Line.from_text("not sure", 1.0, 3.4), Line.from_text("nor here", 1.1, 2.0), LEAD[1]),
        ],
        ids=["in disorder", "over each other", "without word times", "of doubt over each other"],
    )
    def test_of_one_voice_never_lie_over_each_other(self, lines: Sequence[Line]) -> None:
        found = players(formats.write(song(*lines), "ultrastar"))
        assert sorted(found["P1"]) == sorted(line.text for line in lines)

    def test_have_words_in_any_script_and_in_syllables(self) -> None:
        code = Word(
            "Monkey", 3.0, 4.0, syllables=(Syllable("Mon", 3.0, 3.4), Syllable("key", 3.4, 4.0))
        )
        lines = (sung("Моя ночь", 1.0), sung("さくら", 2.0), Line((code,), 3.0, 4.0))
        text = formats.write(song(*lines), "ultrastar")
        assert players(text) == {"P1": ["Моя ночь", "さくら", "Monkey"]}
        assert ": 300 40 0 Mon\n: 340 60 0 key\n" in text


@given(lyrics=LYRICS)
def test_whatever_is_written_keeps_to_the_specification(lyrics: Lyrics) -> None:
    try:
        text = formats.write(with_all_times(lyrics), "ultrastar")
    except FormatError:
        return
    assert set(players(text)) <= {"P1", "P2"}
