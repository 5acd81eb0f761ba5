"""What is written of each line of a song, by how sure its words are."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd import formats
from lyricsyncd.judging.lines import (
    FEWEST,
    NEARLY_ALL,
    Activity,
    LineTiming,
    PlacedLine,
    decide_lines,
    explained,
    sure_lines,
)
from lyricsyncd.model import Decision, Line, Lyrics, Timing, Word

GATED = (Decision.REVIEW, Decision.NONE)


@st.composite
def placed_lines(draw: st.DrawFn) -> list[PlacedLine]:
    """Lines as a placement has them: onsets in order, any confidence, some times of a source."""
    at = draw(st.floats(0, 30))
    lines = []
    for count in draw(st.lists(st.integers(1, 6), min_size=1, max_size=12)):
        onset, offset = [], []
        for _ in range(count):
            at += draw(st.floats(0, 3))
            onset.append(at)
            offset.append(at + draw(st.floats(0.01, 2)))
        confidence = draw(st.lists(st.floats(0, 1), min_size=count, max_size=count))
        stated = draw(st.none() | st.floats(0, 200))
        lines.append(PlacedLine(tuple(onset), tuple(offset), tuple(confidence), stated))
    return lines


@st.composite
def activities(draw: st.DrawFn) -> Activity | None:
    frames = draw(st.none() | st.lists(st.sampled_from([0.0, 0.3, 1.0]), max_size=400))
    return None if frames is None else Activity(np.array(frames, np.float32), 0.1)


BARS = st.floats(0, 1)


class TestWhateverThePlacement:
    @given(lines=placed_lines(), low=BARS, high=BARS)
    def test_a_higher_bar_writes_no_other_words(
        self, lines: list[PlacedLine], low: float, high: float
    ) -> None:
        low, high = sorted((low, high))
        assert all(
            at_low or not at_high
            for at_low, at_high in zip(sure_lines(lines, low), sure_lines(lines, high), strict=True)
        )

    @given(lines=placed_lines(), bar=BARS, starts=BARS, activity=activities())
    def test_starts_of_lines_never_decrease(
        self, lines: list[PlacedLine], bar: float, starts: float, activity: Activity | None
    ) -> None:
        _, timed = decide_lines(Decision.WORDS, lines, words=bar, starts=starts, activity=activity)
        assert all(before.start <= after.start for before, after in pairwise(timed))

    @given(lines=placed_lines(), bar=BARS, activity=activities())
    def test_a_line_with_word_times_starts_with_its_first_word_and_none_begins_before_its_last(
        self, lines: list[PlacedLine], bar: float, activity: Activity | None
    ) -> None:
        _, timed = decide_lines(Decision.WORDS, lines, words=bar, activity=activity)
        for line, time, after in zip(lines, timed, [*timed[1:], None], strict=True):
            if time.timing is LineTiming.WORDS:
                assert line.sureness >= bar
                assert time.start == line.onset[0]
                assert after is None or after.start >= line.onset[-1]

    @given(lines=placed_lines(), bar=BARS, song=st.sampled_from(GATED))
    def test_no_line_has_word_times_where_the_song_is_not_to_be_written(
        self, lines: list[PlacedLine], bar: float, song: Decision
    ) -> None:
        decision, timed = decide_lines(song, lines, words=bar)
        assert decision is song
        assert all(time.timing is not LineTiming.WORDS for time in timed)

    @given(lines=placed_lines(), bar=BARS)
    def test_the_decision_says_how_much_of_the_song_has_word_times(
        self, lines: list[PlacedLine], bar: float
    ) -> None:
        decision, timed = decide_lines(Decision.WORDS, lines, words=bar)
        written = sum(
            len(line.onset)
            for line, time in zip(lines, timed, strict=True)
            if time.timing is LineTiming.WORDS
        )
        share = written / sum(len(line.onset) for line in lines)
        assert (decision is Decision.WORDS) == (share >= NEARLY_ALL)
        assert (decision is Decision.LINES) == (share == 0)
        assert share == 0 or share >= FEWEST


def line(at: float, confidence: float, *, n: int = 4, stated: float | None = None) -> PlacedLine:
    """A line of words half a second apart, all equally sure."""
    onset = tuple(at + word / 2 for word in range(n))
    return PlacedLine(onset, tuple(t + 0.4 for t in onset), (confidence,) * n, stated)


def timings(lines: list[PlacedLine], **more: object) -> list[tuple[str, float]]:
    _, timed = decide_lines(Decision.WORDS, lines, words=0.7, **more)  # type: ignore[arg-type]
    return [(time.timing.value, round(time.start, 2)) for time in timed]


class TestADoubtfulLine:
    def test_starts_where_the_source_has_it(self) -> None:
        lines = [line(0, 0.9), line(3, 0.2, stated=4.0), line(10, 0.9)]
        assert timings(lines)[1] == ("start", 4.0)

    def test_starts_with_its_first_word_where_that_is_sure(self) -> None:
        unsure = dataclasses.replace(line(3, 0.2), confidence=(0.9, 0.1, 0.1, 0.1))
        assert timings([line(0, 0.9), unsure, line(10, 0.9)])[1] == ("start", 3.0)

    @pytest.mark.parametrize("stated", [0.5, 11.0])
    def test_does_not_start_where_a_source_has_it_beyond_the_lines_beside_it(
        self, stated: float
    ) -> None:
        lines = [line(0, 0.9), line(3, 0.2, stated=stated), line(10, 0.9)]
        assert timings(lines)[1][0] == "estimated"

    def test_starts_otherwise_between_the_lines_beside_it_by_the_number_of_words(self) -> None:
        lines = [line(0, 0.9), line(9, 0.1, n=4), line(9.1, 0.1, n=2), line(13.9, 0.9)]
        assert timings(lines)[1:3] == [("estimated", 1.9), ("estimated", 9.9)]

    def test_is_spread_over_what_is_sung_and_not_over_a_break(self) -> None:
        sung = np.zeros(200, np.float32)
        sung[60:100] = 1.0  # 6 to 10 s
        lines = [line(0, 0.9), line(2, 0.1), line(3, 0.1), line(15, 0.9)]
        spread = timings(lines, activity=Activity(sung, 0.1))
        assert spread[1:3] == [("estimated", 6.0), ("estimated", 8.0)]

    def test_leaves_room_for_a_line_before_it_whose_end_is_not_known(self) -> None:
        lines = [line(0, 0.9), line(2, 0.1, stated=4.0), line(3, 0.1), line(10, 0.9)]
        assert timings(lines)[1:3] == [("start", 4.0), ("estimated", 7.0)]

    def test_at_the_edges_of_the_song_lies_within_what_was_placed(self) -> None:
        lines = [line(1, 0.1), line(5, 0.9), line(8, 0.9), line(11, 0.1)]
        assert [timing for timing, _ in timings(lines)] == [
            "estimated",
            "words",
            "words",
            "estimated",
        ]
        assert timings(lines)[0][1] == 1.0
        assert 9.5 <= timings(lines)[3][1] <= 13.0


class TestASong:
    def test_of_which_few_lines_seem_sure_has_none_with_word_times(self) -> None:
        lines = [line(0, 0.9), *(line(5 * at, 0.3) for at in range(1, 5))]
        decision, timed = decide_lines(Decision.LINES, lines, words=0.7)
        assert decision is Decision.LINES
        assert timed[0].timing is LineTiming.START

    def test_is_mixed_where_a_part_is_doubtful(self) -> None:
        lines = [line(0, 0.9), line(4, 0.9), line(8, 0.2)]
        decision, timed = decide_lines(Decision.WORDS, lines, words=0.7)
        assert decision is Decision.MIXED
        assert explained("About 80% of the words", decision, lines, timed) == (
            "About 80% of the words: 2 of 3 lines are sure enough for word times, others have one "
            "time each, 1 estimated"
        )


SURE = Line((Word("one", 1.0, 1.3, 0.9), Word("two", 1.5, 1.9, 0.95)), 1.0, 1.9)
UNSURE = Line(
    (Word("wrong", 2.0, 2.1, 0.2), Word("words", 2.2, 2.4, 0.3)),
    2.5,
    doubtful=True,
    estimated=True,
)
LATER = Line((Word("three", 4.0, 4.3, 0.9), Word("four", 4.5, 4.9, 0.8)), 4.0, 4.9)
MIXED = Lyrics((SURE, UNSURE, LATER))


class TestLyricsOfWhichALineIsDoubtful:
    def test_are_timed_partly(self) -> None:
        assert MIXED.timing is Timing.MIXED
        assert MIXED.without_word_times().timing is Timing.LINE
        assert MIXED.with_all_words().timing is Timing.WORD

    @pytest.mark.parametrize("name", [name for name in formats.names() if name != "json"])
    def test_show_no_time_of_its_words_in_any_format_for_players(self, name: str) -> None:
        read = formats.read(formats.write(MIXED, name).encode(), name)
        doubtful = read.lines[1]
        assert doubtful.text == "wrong words"
        assert all(word.start is None and word.confidence is None for word in doubtful.words)

    @pytest.mark.parametrize("name", ["lrc", "ttml", "ass", "vtt", "lyricsfile", "ultrastar"])
    def test_keep_the_times_of_the_other_words_and_of_the_line(self, name: str) -> None:
        read = formats.read(formats.write(MIXED, name).encode(), name)
        assert read.timing is Timing.MIXED
        assert [line.start for line in read if line.words] == [1.0, 2.5, 4.0]
        assert [word.start for word in read.words] == [1.0, 1.5, None, None, 4.0, 4.5]

    def test_are_no_loss_to_be_reported(self, caplog: pytest.LogCaptureFixture) -> None:
        for name in formats.names():
            formats.write(MIXED, name)
        assert not caplog.records

    def test_keep_every_time_and_confidence_in_json(self) -> None:
        read = formats.read(formats.write(MIXED, "json").encode(), "json")
        assert read.words == MIXED.words
        assert [line.doubtful for line in read] == [False, True, False]

    def test_are_the_same_after_json_in_a_format_for_players(self) -> None:
        read = formats.read(formats.write(MIXED, "json").encode(), "json")
        times = [word.start for word in formats.project(read, "lrc").words]
        assert times == [1.0, 1.5, None, None, 4.0, 4.5]

    def test_mark_an_estimated_start_in_a_lyricsfile(self) -> None:
        read = formats.read(formats.write(MIXED, "lyricsfile").encode(), "lyricsfile")
        assert [line.estimated for line in read] == [False, True, False]

    def test_cannot_be_sung_from_ultrastar_where_no_line_has_word_times(self) -> None:
        with pytest.raises(formats.FormatError, match="no word times"):
            formats.write(Lyrics((UNSURE,)), "ultrastar")
