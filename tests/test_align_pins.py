"""Words that a person set are bounds of the search: each starts within its window."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.align.aligner import Alignment, align
from lyricsyncd.align.emissions import CompiledLyrics, Emissions, PronunciationVariant
from lyricsyncd.align.emissions.sphinx import PhoneStateModel
from lyricsyncd.align.features import path_posterior, spread_evenly, with_pins, word_frames
from lyricsyncd.align.graph import build
from lyricsyncd.align.onset_priors import OnsetPosteriors
from lyricsyncd.align.options import SearchOptions
from lyricsyncd.align.pins import REACH_S, Pins
from lyricsyncd.align.second_aligner import SearchingAligner
from lyricsyncd.align.trellis import Band, StartTimes, Trellis
from lyricsyncd.align.viterbi import best_path, best_score
from lyricsyncd.config.schema import Config
from lyricsyncd.model import Lyrics
from lyricsyncd.pipeline.finder import Finder
from lyricsyncd.pipeline.placer import Placer
from lyricsyncd.pipeline.prepared import Placement
from lyricsyncd.pipeline.settings import placing_settings
from lyricsyncd.separate import VocalSeparator
from tests.test_align_search import HOP, Dense, trellises
from tests.test_emissions_ctc import acoustic_model as written
from tests.test_emissions_ctc import numbered

SONG = Path(__file__).parent.parent / "demo" / "songs" / "The_Star.mp3"
LINES = [line.split() for line in SONG.with_suffix(".txt").read_text("utf-8").splitlines() if line]
FRAMES = round(REACH_S / HOP)


@dataclass(frozen=True)
class Outside:
    """The same bounds as a textbook has them: a cost without end for each frame outside."""

    frames: npt.NDArray[np.int64]

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        return self.frames >= 0

    def penalty(
        self, words: npt.NDArray[np.int64], times: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float32]:
        off = np.abs(np.rint(times / HOP)[:, None] - self.frames[words])
        return np.where(off <= FRAMES, 0.0, np.inf).astype(np.float32)


def pinned(trellis: Trellis, frames: dict[int, int]) -> Trellis:
    word = np.array(sorted(frames), np.int64)
    start = np.array([frames[each] for each in sorted(frames)]) * HOP
    return replace(trellis, pins=Pins(word, start))


@st.composite
def songs_with_pins(draw: st.DrawFn, *, timed: bool = False) -> tuple[Trellis, dict[int, int]]:
    """A song, and words of it that are set anywhere, in their order."""
    trellis = draw(trellises(timed=timed))
    words = draw(st.lists(st.integers(0, trellis.graph.n_words - 1), max_size=4, unique=True))
    frame = st.integers(0, trellis.n_frames - 1)
    frames = sorted(draw(st.lists(frame, min_size=len(words), max_size=len(words))))
    return trellis, dict(zip(sorted(words), frames, strict=True))


class TestTheSearch:
    @given(songs_with_pins() | songs_with_pins(timed=True))
    def test_finds_the_best_of_the_paths_with_each_pinned_word_in_its_window(
        self, given_: tuple[Trellis, dict[int, int]]
    ) -> None:
        trellis, frames = given_
        path = best_path(pinned(trellis, frames))
        wanted = np.full(trellis.graph.n_words, -1)
        wanted[list(frames)] = list(frames.values())
        dense = Dense.of(replace(trellis, anchors=(*trellis.anchors, Outside(wanted))))
        if path is None:
            assert dense.best() == -np.inf
            return
        onsets, _ = word_frames(trellis.graph, path.states)
        for word, frame in frames.items():
            assert abs(onsets[word] - frame) <= FRAMES
        assert path.score == pytest.approx(dense.best(), abs=1e-3)

    @given(songs_with_pins())
    def test_has_a_path_unless_words_do_not_fit_between_two_pins(
        self, given_: tuple[Trellis, dict[int, int]]
    ) -> None:
        trellis, frames = given_
        made = pinned(trellis, frames)
        assert made.pins is not None
        windows = made.pins.windows(trellis.graph, HOP, trellis.n_frames)
        assert (best_path(made) is None) == bool(windows.too_narrow.any())

    @given(songs_with_pins(), st.sampled_from([0.1, 1.0]))
    def test_has_the_median_onset_of_each_pinned_word_in_its_window(
        self, given_: tuple[Trellis, dict[int, int]], scale: float
    ) -> None:
        trellis, frames = given_
        made = pinned(trellis, frames)
        path = best_path(made)
        if path is None:
            return
        found = path_posterior(made, path.states, SearchOptions(scale=scale))
        assert (np.diff(found.onset) >= 0).all()
        for word, frame in frames.items():
            assert abs(found.onset[word] - frame) <= FRAMES + 0.5

    @given(trellises() | trellises(timed=True))
    def test_is_the_same_bit_for_bit_without_pins(self, trellis: Trellis) -> None:
        band = trellis.band()
        whole = Band.whole(trellis.graph, trellis.n_frames)
        np.testing.assert_array_equal(band.first, whole.first)
        np.testing.assert_array_equal(band.end, whole.end)
        none = replace(trellis, pins=Pins(np.zeros(0, np.int64), np.zeros(0)))
        path, free = best_path(none), best_path(trellis)
        assert path is not None
        assert free is not None
        assert path.score == free.score == best_score(trellis)
        np.testing.assert_array_equal(path.states, free.states)

    def test_is_not_pulled_out_of_a_window_by_anchors(self) -> None:
        trellis = pinned(trellis_of_one_word(), {0: 70})
        anchored = replace(trellis, anchors=(StartTimes(np.array([0.2]), step=1e4, most=1e6),))
        path = best_path(anchored)
        assert path is not None
        onsets, _ = word_frames(trellis.graph, path.states)
        assert abs(int(onsets[0]) - 70) <= FRAMES


def trellis_of_one_word() -> Trellis:
    song = CompiledLyrics((((PronunciationVariant((0,)),),),), 1, np.zeros(1, np.bool_))
    emissions = Emissions(np.zeros((100, 1), np.float16), np.zeros(100, np.float32), HOP)
    return Trellis(build(song), emissions, np.ones(100, np.float32), song.short)


class TestWordsAroundPins:
    """A model that finds these words at 0.6, 1.1, 3.0 and 3.4 s, whatever a person says."""

    WORDS = (("hello", "world"), ("yes", "sad"))
    STARTS = (60, 110, 300, 340)

    def placed(self, pins: list[tuple[int, float]]) -> Alignment:
        letters = {
            start + 3 * i: letter
            for start, word in zip(self.STARTS, sum(self.WORDS, ()), strict=True)
            for i, letter in enumerate(word)
        }
        return align(numbered(9.0), self.WORDS, "en", written(letters), pins=pins)

    def test_stay_where_they_are_beside_a_pin_that_agrees(self) -> None:
        free, set_ = self.placed([]), self.placed([(2, 6.0)])
        hop = 0.02
        np.testing.assert_allclose(set_.onset[:2], free.onset[:2], atol=hop)
        np.testing.assert_allclose(set_.onset[2:], free.onset[2:], atol=hop)

    def test_follow_one_that_does_not(self) -> None:
        set_ = self.placed([(1, 6.4)])
        assert abs(set_.onset[1] - 6.4) <= REACH_S + 0.02
        assert (np.diff(set_.onset) >= 0).all()
        # What was sung before the pin is not where these words are any more.
        assert (set_.onset[2:] > 6.4).all()
        assert set_.placed.all()

    def test_are_spread_between_pins_that_leave_no_room(self) -> None:
        pins = [(0, 5.0), (3, 5.08)]
        set_ = with_pins(self.placed(pins), pins)
        assert set_.onset[0] == 5.0
        assert set_.onset[3] == 5.08
        assert (np.diff(set_.onset) > 0).all()
        assert (set_.offset > set_.onset).all()

    def test_are_all_placed_where_every_word_is_set(self) -> None:
        pins = [(0, 1.0), (1, 2.0), (2, 3.0), (3, 4.0)]
        np.testing.assert_allclose(
            self.placed(pins).onset, [1.0, 2.0, 3.0, 4.0], atol=REACH_S + 0.02
        )

    def test_take_no_harm_from_a_pin_behind_the_end(self) -> None:
        set_ = self.placed([(3, 500.0)])
        assert (set_.onset <= 9.0).all()
        assert (np.diff(set_.onset) >= 0).all()


@st.composite
def placements_with_pins(draw: st.DrawFn) -> tuple[Alignment, list[tuple[int, float]]]:
    n = draw(st.integers(1, 8))
    seconds = st.lists(st.floats(0, 30), min_size=n, max_size=n).map(sorted)
    onset = np.array(draw(seconds))
    even = spread_evenly(n, 30.0, "none")
    placed = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    made = replace(even, onset=onset, offset=onset + 0.2, placed=placed)
    words = draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=n, unique=True))
    starts = sorted(draw(st.lists(st.floats(0, 30), min_size=len(words), max_size=len(words))))
    return made, list(zip(sorted(words), starts, strict=True))


@given(placements_with_pins())
def test_pinned_words_are_reported_exactly_where_a_person_set_them(
    given_: tuple[Alignment, list[tuple[int, float]]],
) -> None:
    placed, pins = given_
    exact = with_pins(placed, pins)
    for word, start in pins:
        assert exact.onset[word] == start
    assert (np.diff(exact.onset) >= 0).all()
    assert (exact.offset >= exact.onset).all()


class TestASong:
    """The demo song with the models that the smallest installation has."""

    @pytest.mark.slow
    def test_has_its_pinned_words_in_their_windows_and_a_second_aligner_cannot_move_them(
        self,
    ) -> None:
        vocals = VocalSeparator("mix").extract(SONG).vocals
        model = PhoneStateModel.load()
        free = align(vocals, LINES, "en", model)
        # One word where it is, and one a line too late.
        pins = [(3, float(free.onset[3])), (12, float(free.onset[18]))]
        second = SearchingAligner(model)

        def onsets(first: Alignment) -> OnsetPosteriors | None:
            return second.onset_posteriors(vocals, LINES, "en", first)

        set_ = align(vocals, LINES, "en", model, pins=pins, second_onsets=onsets)
        for word, start in pins:
            assert abs(set_.onset[word] - start) <= REACH_S + 0.005
        assert (np.diff(set_.onset) >= 0).all()
        # Away from the wrong pin, words are where they are without any.
        np.testing.assert_allclose(set_.onset[:4], free.onset[:4], atol=0.1)
        np.testing.assert_allclose(set_.onset[-4:], free.onset[-4:], atol=0.1)

    @pytest.mark.slow
    def test_is_reported_with_the_starts_that_a_person_set(self) -> None:
        config = Config.model_validate(
            {"models": {"separator": "mix", "aligner": "sphinx"}, "lyrics": {"order": ["local"]}}
        )
        found = Finder(config).find(SONG, lyrics=Lyrics.from_text("\n".join(map(" ".join, LINES))))
        prepared = replace(found, language="en", all_found=True, pins=((4, 8.125), (10, 14.5)))
        answer = Placer(placing_settings(config)).place(prepared)
        assert isinstance(answer, Placement)
        words = answer.lyrics.with_all_words().words
        assert words[4].start == 8.125
        assert words[10].start == 14.5
        assert words[4].confidence == words[10].confidence == 1.0
        starts = [word.start for word in words if word.start is not None]
        assert starts == sorted(starts)
