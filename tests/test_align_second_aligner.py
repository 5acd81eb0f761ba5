"""Two acoustic models on one song: the posteriors of one are a prior in the search of the other."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.align.aligner import Alignment, align
from lyricsyncd.align.emissions import sphinx
from lyricsyncd.align.emissions.sphinx import PhoneStateModel
from lyricsyncd.align.event_times import LogPosteriors
from lyricsyncd.align.onset_priors import OnsetPosteriors, OnsetPrior
from lyricsyncd.align.options import SearchOptions
from lyricsyncd.align.second_aligner import SearchingAligner
from lyricsyncd.config.schema import Config, Quality
from lyricsyncd.errors import ModelError
from lyricsyncd.judging import agreement
from lyricsyncd.judging.calibration import phone_states
from lyricsyncd.pipeline.pipeline import LyricSyncPipeline
from lyricsyncd.separate import VocalSeparator
from tests.test_emissions_ctc import Written, numbered
from tests.test_emissions_ctc import acoustic_model as written

SONG = Path(__file__).parent.parent / "demo" / "songs" / "The_Star.mp3"
DoubleArray = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]


def about(
    starts: DoubleArray, spread: float = 0.1, hop: float = 0.02, lag: float = 0.0
) -> OnsetPosteriors:
    """Posteriors of a model around these starts, some tenths of a second wide."""
    reach = round(1.0 / hop)
    off = np.arange(-reach, reach + 1) * hop
    logs = np.tile(-0.5 * (off / spread) ** 2, len(starts)).astype(np.float32)
    base = np.arange(len(starts) + 1) * len(off)
    first = np.rint((starts - lag) / hop).astype(np.int64) - reach
    lags = np.full(len(starts), lag)
    return OnsetPosteriors(
        "other", LogPosteriors(logs, base, first), np.arange(len(starts)), hop, lags
    )


class TestOnsetPosteriors:
    @given(
        st.lists(st.floats(1.5, 60.0), min_size=1, max_size=20),
        st.sampled_from([0.01, 0.02, 0.08]),
        st.floats(-0.2, 0.2),
    )
    def test_are_likeliest_where_the_model_has_the_words(
        self, starts: list[float], hop: float, lag: float
    ) -> None:
        onset_posteriors = about(np.array(starts), hop=hop, lag=lag)
        np.testing.assert_allclose(onset_posteriors.likeliest, starts, atol=0.5 * hop + 1e-9)

    @given(st.floats(-0.25, 0.25))
    def test_lose_a_bias_that_is_the_same_for_all_words(self, bias: float) -> None:
        starts = np.linspace(2.0, 30.0, 20)
        onset_posteriors = about(starts + bias, hop=0.01).debiased(starts)
        np.testing.assert_allclose(onset_posteriors.likeliest, starts, atol=0.011)

    def test_keep_a_bias_that_too_few_words_show(self) -> None:
        starts = np.linspace(2.0, 30.0, 5)
        onset_posteriors = about(starts + 0.2)
        assert onset_posteriors.debiased(starts) is onset_posteriors

    def test_say_how_likely_a_word_starts_near_an_onset(self) -> None:
        starts = np.array([5.0, 9.0, 20.0])
        near = about(starts, spread=0.1).near(np.array([5.0, 9.3, 11.0]), 0.3)
        assert near[0] > 0.99
        assert near[1] == pytest.approx(0.5, abs=0.05)
        assert near[2] == 0.0

    def test_say_nothing_of_words_that_the_model_cannot_pronounce(self) -> None:
        some = replace(about(np.array([5.0, 9.0])), index=np.array([0, 2]))
        near = some.near(np.array([5.0, 7.0, 9.0]), 0.3)
        assert np.isnan(near).tolist() == [False, True, False]

    def test_agree_on_the_words_that_another_model_placed_near(self) -> None:
        starts = np.array([5.0, 9.0, 20.0, 30.0])
        there = starts + np.array([0.0, 0.2, 1.0, -8.0])
        assert about(starts).agreed(there, np.array([True, True, True, True])) == 2
        assert about(starts).agreed(there, np.array([True, False, True, True])) == 1

    @given(st.floats(0.0, 10.0), st.floats(0.1, 50.0), st.floats(1.0, 500.0))
    def test_cost_nothing_at_the_likeliest_place_and_never_more_than_allowed(
        self, off: float, weight: float, most: float
    ) -> None:
        onset_posteriors = about(np.array([5.0]))
        start = OnsetPrior(onset_posteriors, np.array([0]), np.zeros(1), weight, most)
        here, there = start.penalty(np.array([0]), np.array([5.0, 5.0 + off]))[:, 0]
        assert here == 0.0
        assert 0.0 <= there <= np.float32(most)
        if off > 1.05:
            assert there == np.float32(most)

    def test_count_in_the_other_models_time(self) -> None:
        onset_posteriors = about(np.array([5.0]))
        late = OnsetPrior(onset_posteriors, np.array([0]), np.array([0.05]), 10.0, 100.0)
        times = np.arange(4.5, 5.5, 0.01)
        assert times[late.penalty(np.array([0]), times)[:, 0].argmin()] == pytest.approx(
            4.95, abs=0.011
        )


class TestWordsThatAreNotSung:
    """Lyrics with a line of another song; two models that both find the others alone."""

    LINES = (("hello", "world"), ("bold", "roads", "shed", "tears"), ("yes", "sad"))
    STARTS = (60, 110, 200, 240)
    SUNG = ("hello", "world", "yes", "sad")

    def letters(self) -> dict[int, str]:
        return {
            start + 3 * i: letter
            for start, word in zip(self.STARTS, self.SUNG, strict=True)
            for i, letter in enumerate(word)
        }

    def placed(
        self, second: SearchingAligner, transcript: list[float | None] | None = None
    ) -> Alignment:
        audio = numbered(9.0)
        return align(
            audio,
            self.LINES,
            "en",
            acoustic_model=written(self.letters()),
            second_onsets=lambda first: second.onset_posteriors(audio, self.LINES, "en", first),
            second_unsung=lambda: second.unsung(audio, self.LINES, "en"),
            transcript_starts=transcript,
        )

    def test_are_left_out_where_both_models_miss_them(self) -> None:
        found = self.placed(SearchingAligner(written(self.letters())))
        assert found.placed.tolist() == [True] * 2 + [False] * 4 + [True] * 2
        sung = found.onset[found.placed]
        np.testing.assert_allclose(sung, np.array(self.STARTS) * 0.02, atol=0.05)
        assert (np.diff(found.onset) >= 0.0).all()

    def test_take_their_anchors_with_them(self) -> None:
        """The anchor of a word that is left out is not that of the word in its place."""
        second = SearchingAligner(written(self.letters()))
        wrong = self.placed(second, [None, None, 2.6, 2.7, None, None, None, None])
        assert wrong.placed.tolist() == [True] * 2 + [False] * 4 + [True] * 2
        sung = wrong.onset[wrong.placed]
        np.testing.assert_allclose(sung, np.array(self.STARTS) * 0.02, atol=0.05)

    def test_stay_where_one_of_them_finds_them(self) -> None:
        letters = self.letters()
        for start, word in zip((150, 165, 175, 185), self.LINES[1], strict=True):
            letters |= {start + 2 * i: letter for i, letter in enumerate(word)}
        found = self.placed(SearchingAligner(written(letters)))
        assert found.placed.all()


class TestASearchingAligner:
    def test_computes_the_features_of_a_song_once(self) -> None:
        calls = []

        class Counting(Written):
            def __call__(self, windows: FloatArray, *, last: bool = False) -> FloatArray:
                calls.append(len(windows))
                return super().__call__(windows, last=last)

        second = SearchingAligner(replace(written({}), network=Counting({})))
        audio, lines = numbered(5.0), [["hello"]]
        first = align(audio, lines, "en", written({}))
        second.onset_posteriors(audio, lines, "en", first)
        second.unsung(audio, lines, "en")
        assert len(calls) == 1
        second.unsung(numbered(5.0), lines, "en")
        assert len(calls) == 2

    def test_computes_beside_its_caller(self) -> None:
        begun, done = threading.Event(), threading.Event()

        class Waiting(Written):
            def __call__(self, windows: FloatArray, *, last: bool = False) -> FloatArray:
                begun.set()
                assert done.wait(20.0)
                return super().__call__(windows, last=last)

        second = SearchingAligner(replace(written({}), network=Waiting({})))
        audio = numbered(5.0)
        second.begin(audio)
        assert begun.wait(20.0), "nothing has asked for an answer yet"
        done.set()
        assert second.unsung(audio, [["hello"]], "en").shape == (1,)

    def test_fails_where_its_answer_is_needed(self) -> None:
        network = Mock(side_effect=ModelError("no memory"))
        second = SearchingAligner(replace(written({}), network=network))
        audio = numbered(5.0)
        second.begin(audio)
        with pytest.raises(ModelError, match="no memory"):
            second.unsung(audio, [["hello"]], "en")

    def test_forgets_a_song_with_its_audio(self) -> None:
        second = SearchingAligner(written({}))
        audio = numbered(5.0)
        second.unsung(audio, [["hello"]], "en")
        assert second._frames is not None
        del audio
        assert second._frames is None


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
def acoustic_model() -> PhoneStateModel:
    return PhoneStateModel.load()


@pytest.fixture(scope="module")
def plain(
    acoustic_model: PhoneStateModel, mix: npt.NDArray[np.float32], lines: list[list[str]]
) -> Alignment:
    return align(mix, lines, "en", acoustic_model)


def errors(placed: Alignment, truth: DoubleArray) -> DoubleArray:
    return np.abs(placed.onset - truth)


@pytest.mark.song
class TestASong:
    """On the full mix, quickly: one search, without adaptation."""

    OPTIONS = SearchOptions(adapt=False)

    def placed(
        self,
        acoustic_model: PhoneStateModel,
        mix: npt.NDArray[np.float32],
        lines: list[list[str]],
        onset_posteriors: OnsetPosteriors,
    ) -> Alignment:
        return align(
            mix,
            lines,
            "en",
            acoustic_model,
            second_onsets=lambda _: onset_posteriors,
            options=self.OPTIONS,
        )

    def test_is_placed_better_with_the_prior_of_a_good_model(
        self, acoustic_model: PhoneStateModel, mix: npt.NDArray[np.float32], lines: list[list[str]],
        truth: DoubleArray,
    ) -> None:  # fmt: skip
        both = self.placed(acoustic_model, mix, lines, about(truth))
        assert both.without_prior is not None
        assert both.acoustic_model == "sphinx+other"
        assert errors(both, truth).mean() < errors(both.without_prior, truth).mean()
        assert errors(both, truth).max() <= errors(both.without_prior, truth).max()

    def test_is_judged_by_the_posteriors_of_the_first_model(
        self, acoustic_model: PhoneStateModel, mix: npt.NDArray[np.float32], lines: list[list[str]],
        truth: DoubleArray,
    ) -> None:  # fmt: skip
        """A prior for another place lowers the confidence, and is not accepted."""
        astray = about(np.clip(truth[::-1][0] - truth + truth[0], 1.0, None)[::-1] + 7.0)
        options = replace(self.OPTIONS, prior_weight=5.0, prior_cap=5000.0)
        both = align(
            mix, lines, "en", acoustic_model, second_onsets=lambda _: astray, options=options
        )
        assert both.without_prior is not None
        assert both.near.mean() < both.without_prior.near.mean()
        kept, _ = agreement.accept_prior(both, Quality(), phone_states())
        assert kept is both.without_prior

    def test_has_onset_posteriors_around_its_own_onsets(self, plain: Alignment) -> None:
        onset_posteriors = plain.onset_posteriors
        assert onset_posteriors is not None
        assert (np.abs(plain.onset - onset_posteriors.likeliest) <= 0.3).mean() > 0.9


def test_without_the_second_aligners_model_words_are_placed_all_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    models = {"separator": "mix", "transcriber": "none", "aligner": f"sphinx+{tmp_path}/no.onnx"}
    config = Config.model_validate({"models": models, "lyrics": {"order": ["local"]}})
    pipeline = LyricSyncPipeline(config=config)
    text = SONG.with_suffix(".txt").read_text(encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        result = pipeline.sync(SONG, lyrics=text, language="en")
    assert result.aligner == "sphinx"
    assert "without a second aligner" in caplog.text


class TestTheFrontEnds:
    """Several at other lengths of the vocal tract, which are to find singers unlike speakers."""

    def adapted(
        self,
        onset_posteriors: OnsetPosteriors,
        acoustic_model: PhoneStateModel,
        song: tuple[npt.NDArray[np.float32], list[list[str]]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> list[float]:
        seen: list[float] = []
        adapt = PhoneStateModel.adapted

        def noted(self: PhoneStateModel, *parts: Any) -> PhoneStateModel:
            seen.append(self.vtln_factor)
            return adapt(self, *parts)

        monkeypatch.setattr(PhoneStateModel, "adapted", noted)
        mix, lines = song
        align(mix, lines, "en", acoustic_model, second_onsets=lambda _: onset_posteriors)
        return seen

    def test_are_one_where_the_second_aligner_confirms_the_words(
        self, acoustic_model: PhoneStateModel, mix: npt.NDArray[np.float32], lines: list[list[str]],
        truth: DoubleArray, monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        assert self.adapted(about(truth), acoustic_model, (mix, lines), monkeypatch) == [1.0]

    def test_are_several_where_it_has_the_words_elsewhere(
        self, acoustic_model: PhoneStateModel, mix: npt.NDArray[np.float32], lines: list[list[str]],
        truth: DoubleArray, monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        elsewhere = about(truth + 7.0)
        used = self.adapted(elsewhere, acoustic_model, (mix, lines), monkeypatch)
        assert used == list(sphinx.VTLN_FACTORS)
        assert len(used) > 1
