"""Two ears on one song: what one thinks of each word's start counts in the other's search."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd import second_opinion
from lyricsyncd.align.aligner import Alignment, Options, align
from lyricsyncd.align.emissions.sphinx import SphinxEar
from lyricsyncd.align.posterior import Chances
from lyricsyncd.align.votes import VotedStarts, Votes
from lyricsyncd.config import Config, Quality
from lyricsyncd.pipeline import LyricSyncPipeline
from lyricsyncd.separate import VocalSeparator

SONG = Path(__file__).parent.parent / "demo" / "songs" / "The_Star.mp3"
DoubleArray = npt.NDArray[np.float64]


def about(starts: DoubleArray, spread: float = 0.1, hop: float = 0.02, lag: float = 0.0) -> Votes:
    """Votes of an ear that is sure of these starts but for some tenths of a second."""
    reach = round(1.0 / hop)
    off = np.arange(-reach, reach + 1) * hop
    logs = np.tile(-0.5 * (off / spread) ** 2, len(starts)).astype(np.float32)
    base = np.arange(len(starts) + 1) * len(off)
    first = np.rint((starts - lag) / hop).astype(np.int64) - reach
    return Votes("other", Chances(logs, base, first), np.arange(len(starts)), hop, lag)


class TestVotes:
    @given(
        st.lists(st.floats(1.5, 60.0), min_size=1, max_size=20),
        st.sampled_from([0.01, 0.02, 0.08]),
        st.floats(-0.2, 0.2),
    )
    def test_are_likeliest_where_the_ear_has_the_words(
        self, starts: list[float], hop: float, lag: float
    ) -> None:
        votes = about(np.array(starts), hop=hop, lag=lag)
        np.testing.assert_allclose(votes.likeliest, starts, atol=0.5 * hop + 1e-9)

    @given(st.floats(-0.25, 0.25))
    def test_lose_a_bias_that_is_the_same_for_all_words(self, bias: float) -> None:
        starts = np.linspace(2.0, 30.0, 20)
        votes = about(starts + bias, hop=0.01).beside(starts)
        np.testing.assert_allclose(votes.likeliest, starts, atol=0.011)

    def test_keep_a_bias_that_too_few_words_tell_of(self) -> None:
        starts = np.linspace(2.0, 30.0, 5)
        votes = about(starts + 0.2)
        assert votes.beside(starts) == votes

    @given(st.floats(0.0, 10.0), st.floats(0.1, 50.0), st.floats(1.0, 500.0))
    def test_cost_nothing_at_the_likeliest_place_and_never_more_than_allowed(
        self, off: float, weight: float, most: float
    ) -> None:
        votes = about(np.array([5.0]))
        start = VotedStarts(votes, np.array([0]), 0.0, weight, most)
        here, there = start.cost(np.array([0]), np.array([5.0, 5.0 + off]))[:, 0]
        assert here == 0.0
        assert 0.0 <= there <= np.float32(most)
        if off > 1.05:
            assert there == np.float32(most)

    def test_count_in_the_other_ears_time(self) -> None:
        votes = about(np.array([5.0]))
        late = VotedStarts(votes, np.array([0]), 0.05, 10.0, 100.0)
        times = np.arange(4.5, 5.5, 0.01)
        assert times[late.cost(np.array([0]), times)[:, 0].argmin()] == pytest.approx(
            4.95, abs=0.011
        )


@pytest.fixture(scope="module")
def mix() -> npt.NDArray[np.float32]:
    return VocalSeparator("mix").extract(SONG).mix


@pytest.fixture(scope="module")
def lines() -> list[list[str]]:
    text = SONG.with_suffix(".txt").read_text(encoding="utf-8")
    return [line.split() for line in text.splitlines() if line.split()]


@pytest.fixture(scope="module")
def truth() -> DoubleArray:
    table = np.genfromtxt(SONG.with_suffix(".words.csv"), delimiter=",", skip_header=1)
    return np.asarray(table[:, 0], np.float64)


@pytest.fixture(scope="module")
def ear() -> SphinxEar:
    return SphinxEar.load()


@pytest.fixture(scope="module")
def plain(ear: SphinxEar, mix: npt.NDArray[np.float32], lines: list[list[str]]) -> Alignment:
    return align(mix, lines, "en", ear)


def errors(placed: Alignment, truth: DoubleArray) -> DoubleArray:
    return np.abs(placed.onset - truth)


@pytest.mark.song
class TestASong:
    """On the full mix, quickly: one search, without getting used to the singer."""

    OPTIONS = Options(adapt=False)

    def placed(self, ear: SphinxEar, mix: npt.NDArray[np.float32], lines: list[list[str]],
               votes: Votes) -> Alignment:  # fmt: skip
        return align(mix, lines, "en", ear, vote=lambda _: votes, options=self.OPTIONS)

    def test_is_placed_better_with_the_votes_of_a_good_ear(
        self, ear: SphinxEar, mix: npt.NDArray[np.float32], lines: list[list[str]],
        truth: DoubleArray,
    ) -> None:  # fmt: skip
        both = self.placed(ear, mix, lines, about(truth))
        assert both.alone is not None
        assert both.ear == "sphinx+other"
        assert errors(both, truth).mean() < errors(both.alone, truth).mean()
        assert errors(both, truth).max() <= errors(both.alone, truth).max()

    def test_is_judged_by_what_the_first_ear_thinks_of_it(
        self, ear: SphinxEar, mix: npt.NDArray[np.float32], lines: list[list[str]],
        truth: DoubleArray,
    ) -> None:  # fmt: skip
        """Votes for another place make nobody surer of it, and are not followed."""
        astray = about(np.clip(truth[::-1][0] - truth + truth[0], 1.0, None)[::-1] + 7.0)
        options = replace(self.OPTIONS, voted=5.0, voted_most=5000.0)
        both = align(mix, lines, "en", ear, vote=lambda _: astray, options=options)
        assert both.alone is not None
        assert both.near.mean() < both.alone.near.mean()
        kept, _ = second_opinion.voted(both, Quality())
        assert kept is both.alone

    def test_comes_back_with_the_votes_it_would_cast_itself(self, plain: Alignment) -> None:
        votes = plain.votes
        assert votes is not None
        assert (np.abs(plain.onset - votes.likeliest) <= 0.3).mean() > 0.9


def test_without_the_second_ears_model_words_are_placed_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    models = {"separator": "mix", "transcriber": "none", "aligner": f"sphinx+{tmp_path}/no.onnx"}
    config = Config.model_validate({"models": models, "lyrics": {"order": ["local"]}})
    pipeline = LyricSyncPipeline(config=config)
    text = SONG.with_suffix(".txt").read_text(encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        result = pipeline.sync(SONG, lyrics=text, language="en")
    assert result.aligner == "sphinx"
    assert "without a second ear's votes" in caplog.text
