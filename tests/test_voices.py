"""Voices that sing at once: each has a chain of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import voices as voices_benchmark
from lyricsyncd.align import voices
from lyricsyncd.align.features import Alignment
from lyricsyncd.align.pins import Pins
from lyricsyncd.model import Line, Lyrics
from lyricsyncd.pipeline.voices_apart import with_backing
from tests import lite_models


def placed(onset: list[float], fit: float = -2.0, coverage: float = 0.4) -> Alignment:
    starts = np.array(onset)
    same = np.ones(len(starts))
    return Alignment(
        onset=starts,
        offset=starts + 0.5,
        fit=fit * same,
        near=same,
        spread=0.1 * same,
        activity=same,
        coverage=coverage * same,
        placed=np.ones(len(starts), np.bool_),
        acoustic_model="sphinx",
        vowels=tuple(starts[:, None]),
    )


class TestChains:
    def test_are_those_of_the_voices_the_lead_first(self) -> None:
        bg, lead = "bg", None
        found = voices.chains([bg, lead, bg], [1, 2, 1])
        assert [mask.tolist() for mask in found] == [
            [False, True, True, False],
            [True, False, False, True],
        ]

    def test_begin_with_the_voice_of_most_words_where_none_is_the_lead(self) -> None:
        found = voices.chains(["Ann", "Ben"], [1, 3])
        assert found[0].tolist() == [False, True, True, True]

    def test_are_none_for_one_voice(self) -> None:
        assert voices.chains([None, None], [2, 1]) == ()
        assert voices.chains([None, "bg"], [2, 0]) == ()
        assert voices.chains(["Ann", "Ann"], [2, 1]) == ()


class TestWindows:
    def test_reach_from_the_line_before_to_the_line_behind(self) -> None:
        # Lead lines at 10 and 20, a line of another voice between, and one behind them.
        line = np.array([0, 0, 1, 1, 2, 3])
        words = np.isin(line, (1, 3))
        lead = placed([10.0, 11.0, 11.1, 11.2, 20.0, 20.1])
        found = voices.windows(lead, words, line, 60.0)
        assert [number for number, _, _ in found] == [2, 3, 5]
        # The first word starts before the next line does, the last one after the line before.
        assert found[0][1:] == pytest.approx((9.7, 20.3))
        assert found[1][1:] == pytest.approx((10.7, 20.8))
        assert found[2][1:] == pytest.approx((19.7, 60.0))

    def test_of_an_echo_begin_behind_what_it_repeats(self) -> None:
        lines = [["all", "in", "the", "sky"], ["in", "the", "sky"], ["the", "sea"], ["so", "high"]]
        words = np.array([False] * 4 + [True] * 5 + [False] * 2)
        lead = placed([10.0, 11.0, 12.0, 13.0, *[14.0] * 5, 20.0, 21.0])
        found = [(at, 9.7, 12.5) for at in range(4, 9)]
        behind = voices.echo_windows(lead, found, words, lines)
        assert [first for _, first, _ in behind] == pytest.approx([11.3, 12.3, 13.3, 9.7, 9.7])
        assert all(first <= last for _, first, last in behind)

    def test_bound_the_search_in_order(self) -> None:
        bounds = Pins.between([(3, 9.0, 10.0), (1, 5.0, 12.0)], np.full(4, 0.5))
        assert bounds.word.tolist() == [1, 3]
        assert bounds.start.tolist() == [4.5, 8.5]
        assert bounds.until is not None
        assert bounds.until.tolist() == [11.5, 11.5]


class TestTheSide:
    def test_takes_a_panned_voice_out_of_the_vocals(self) -> None:
        random = np.random.default_rng(2)
        lead, other = (random.standard_normal(50_000).astype(np.float32) for _ in range(2))
        left, right = lead + 0.3 * other, lead + other
        alone = voices.without((left + right) / 2, (left - right) / 2)
        assert np.corrcoef(alone, lead)[0, 1] > 0.999

    def test_that_is_silent_takes_nothing(self) -> None:
        vocals = np.ones(100, np.float32)
        assert voices.without(vocals, np.zeros(90, np.float32)).tolist() == vocals.tolist()


@pytest.mark.slow
@pytest.mark.song
class TestTwoVoices:
    @pytest.mark.parametrize("song", ["duet", "brackets"])
    def test_have_nearly_all_words_of_both_in_place(self, tmp_path: Path, song: str) -> None:
        measured = voices_benchmark.measure(song, tmp_path, "spleeter", lite_models.installed())
        assert measured.lead > 0.9
        assert measured.other > 0.85


class TestThePlacement:
    def test_has_each_word_as_in_the_chain_of_its_voice(self) -> None:
        lead, other = np.array([True, False]), np.array([False, True])
        found = voices.merged([lead, other], [placed([1.0, 9.0]), placed([0.0, 0.5])])
        assert found.onset.tolist() == [1.0, 0.5]
        assert found.coverage.tolist() == [0.8, 0.8]
        assert [each.tolist() for each in found.vowels] == [[1.0], [0.5]]

    def test_gains_where_the_lead_fits_better_by_itself(self) -> None:
        lead, line = np.array([True, False]), np.array([0, 1])
        together, alone = placed([1.0, 2.0], -3.0), placed([1.0, 2.0], -2.0)
        assert voices.gain(together, alone, lead, line) == 1.0

    def test_gains_by_its_lines_beside_other_voices_of_which_one_that_is_lost_says_nothing(
        self,
    ) -> None:
        line = np.array([0, 1, 2, 3, 4, 5, 6])
        lead = ~np.isin(line, (1, 3))
        together, alone = placed([float(at) for at in line]), placed([float(at) for at in line])
        alone.fit[:] += [20.0, 0.0, 0.1, 0.0, 0.3, 9.0, 9.0]
        assert voices.gain(together, alone, lead, line) == pytest.approx(0.3)


class TestBrackets:
    def parts(self, *lines: str) -> list[tuple[str | None, str]]:
        lyrics = Lyrics(tuple(map(Line.from_text, lines)))
        return [(line.voice, line.text) for line in with_backing(lyrics)]

    def test_at_the_end_of_a_line_may_be_another_voice(self) -> None:
        assert self.parts(
            "All in the sky (in the sky)", "So high （ooh）", "(Ooh, ooh)", "Gone"
        ) == [
            (None, "All in the sky"),
            ("bg", "(in the sky)"),
            (None, "So high"),
            ("bg", "（ooh）"),
            ("bg", "(Ooh, ooh)"),
            (None, "Gone"),
        ]

    @pytest.mark.parametrize(
        "line", ["(All) in the sky", "In (the) sky", "In the sky)", "In (the sky", "(the) sky :)"]
    )
    def test_elsewhere_are_words_of_the_line(self, line: str) -> None:
        assert self.parts(line, "Gone") == [(None, line), (None, "Gone")]

    def test_keep_the_words_in_their_order_and_the_times_of_the_line(self) -> None:
        line = Line.from_text("So high (ooh)", 1.0, 3.0)
        parted = with_backing(Lyrics((line,)))
        assert parted.words == line.words
        assert [each.start for each in parted] == [1.0, None]

    def test_are_no_voice_of_lyrics_that_name_voices_or_are_all_in_brackets(self) -> None:
        named = Lyrics((Line.from_text("So high (ooh)"), Line.from_text("Gone", voice="Ann")))
        assert with_backing(named) is named
        whole = Lyrics((Line.from_text("(ooh)"),))
        assert with_backing(whole) is whole
