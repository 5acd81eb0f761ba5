"""Windows of lines, and the units of their words, for a second aligner."""

from __future__ import annotations

import importlib.util
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.align import acoustic_models
from lyricsyncd.align.qwen3 import LANGUAGES, joined, plain, supports, units_of
from lyricsyncd.align.windows import LONGEST_S, Window, windows
from lyricsyncd.errors import ModelError, UsageError
from lyricsyncd.text.words import split

DoubleArray = npt.NDArray[np.float64]


@st.composite
def songs(draw: st.DrawFn) -> tuple[DoubleArray, DoubleArray, list[int], float]:
    """Onsets, offsets and lines of words, and how long the song is."""
    lengths = draw(st.lists(st.integers(1, 12), min_size=1, max_size=12))
    seconds = st.sampled_from([0.0, 0.1, 0.4, 1.0, 5.0, 14.0, 40.0])
    at, onset, offset, line = draw(seconds), [], [], []
    for number, length in enumerate(lengths):
        for _ in range(length):
            held = max(0.05, draw(seconds) / 8)
            onset.append(at)
            offset.append(at + held)
            line.append(number)
            at += held + draw(st.sampled_from([0.0, 0.0, 0.1, 0.5]))
        at += draw(seconds)
    return np.array(onset), np.array(offset), line, at + draw(seconds)


class TestWindows:
    @given(songs())
    def test_have_every_word_once_and_in_order(
        self, song: tuple[DoubleArray, DoubleArray, list[int], float]
    ) -> None:
        found = windows(*song)
        assert [w for window in found for w in range(window.first, window.stop)] == list(
            range(len(song[0]))
        )

    @given(songs())
    def test_are_not_longer_than_allowed_but_for_a_single_word(
        self, song: tuple[DoubleArray, DoubleArray, list[int], float]
    ) -> None:
        for window in windows(*song):
            assert window.end - window.start <= LONGEST_S or window.stop - window.first == 1

    @given(songs())
    def test_hold_their_words_whole(
        self, song: tuple[DoubleArray, DoubleArray, list[int], float]
    ) -> None:
        onset, offset, _, duration = song
        for window in windows(*song):
            assert 0.0 <= window.start <= onset[window.first]
            assert offset[window.stop - 1] <= window.end <= duration

    @given(songs())
    def test_cut_only_lines_that_are_too_long_for_one(
        self, song: tuple[DoubleArray, DoubleArray, list[int], float]
    ) -> None:
        onset, offset, line, _ = song
        for before, after in pairwise(windows(*song)):
            if line[before.stop - 1] == line[after.first]:
                (words,) = np.nonzero(np.array(line) == line[after.first])
                # The margins of a line alone are two seconds at most.
                assert offset[words[-1]] - onset[words[0]] + 4.0 > LONGEST_S

    def test_are_cut_at_the_longest_rests(self) -> None:
        onset = np.array([1.0, 6.0, 12.5, 17.0, 22.0, 28.0, 33.0])
        found = windows(onset, onset + 4.5, range(7), 40.0)
        assert [(window.first, window.stop) for window in found] == [(0, 2), (2, 7)]

    def test_leave_out_interludes(self) -> None:
        onset = np.array([1.0, 5.0, 20.0])
        assert windows(onset, onset + 3.0, range(3), 23.5) == [
            Window(0, 2, 0.5, 10.0),
            Window(2, 3, 18.0, 23.25),
        ]

    def test_of_a_song_without_words_there_are_none(self) -> None:
        assert windows(np.empty(0), np.empty(0), [], 10.0) == []


class TestUnits:
    def test_words_are_their_own_units_where_spaces_part_them(self) -> None:
        assert units_of(["Don't,", "-", "stop!"], ["Don't", "stop"]) == [0, None, 1]

    def test_a_word_of_several_starts_with_its_first(self) -> None:
        assert units_of(["你好", "吗？"], ["你", "好", "吗"]) == [0, 2]

    def test_a_word_within_a_unit_has_none(self) -> None:
        assert units_of(["走", "っ", "て"], ["走っ", "て"]) == [0, None, 1]

    def test_units_of_other_words_are_nobodys(self) -> None:
        assert units_of(["one", "two"], ["one", "three"]) == [None, None]
        assert units_of(["one", "two"], []) == [None, None]

    @given(st.lists(st.text(st.sampled_from("abé'"), min_size=1, max_size=6), min_size=1))
    def test_marks_around_words_are_not_spoken(self, spoken: list[str]) -> None:
        written = [f"“{word}…”" for word in spoken]
        assert units_of(written, spoken) == list(range(len(spoken)))

    def test_words_are_joined_as_people_write_them(self) -> None:
        for text in ("我 love你", "走って baby go", "hold me tight"):
            words = [word.text for word in split(text)]
            assert joined(words).replace(" ", "") == text.replace(" ", "")
        assert joined(["走っ", "て", "baby", "go"]) == "走って baby go"
        assert joined([]) == ""

    def test_letters_are_those_that_the_model_keeps(self) -> None:
        assert plain("don\u2019t") == "don't"
        assert plain("e\u0301te\u0301") == "été"
        assert plain("Ａ\u3000ｂ") == "Ab"


class TestNames:
    def test_it_is_used_in_the_languages_that_it_supports(self) -> None:
        for language in ("en", "pt-BR", "ZH"):
            assert acoustic_models.pair("sphinx+qwen3", "cpu", None, language) == (
                "sphinx",
                "qwen3",
            )
        for other in ("fi", None):
            assert acoustic_models.pair("sphinx+qwen3", "cpu", None, other) == ("sphinx", None)
        assert len(LANGUAGES) == 11
        assert supports("yue")

    @pytest.mark.parametrize("name", ["qwen3", "qwen3+sphinx"])
    def test_it_places_nothing_by_itself(self, name: str) -> None:
        with pytest.raises(UsageError, match=r"sphinx\+qwen3"):
            acoustic_models.open_acoustic_model(name)

    @pytest.mark.skipif(
        importlib.util.find_spec("torch") is not None, reason="the extra qwen3 is installed"
    )
    def test_without_its_extra_it_says_how_to_get_it(self) -> None:
        with pytest.raises(ModelError, match=r'pip install "lyricsyncd\[qwen3\]"'):
            acoustic_models.open_second_aligner("qwen3", "cpu")
