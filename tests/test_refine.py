"""Refining moves onsets to where sound begins, a little, and never out of order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.align.refine import Options, refine, refine_timings
from lyricsyncd.model import Word

SR = 16_000


def bursts(*spans: tuple[float, float], seconds: float = 4.0) -> npt.NDArray[np.float32]:
    """Quiet noise with loud stretches."""
    rng = np.random.default_rng(0)
    audio = 1e-4 * rng.standard_normal(int(seconds * SR))
    for start, end in spans:
        a, b = int(start * SR), int(end * SR)
        audio[a:b] += 0.2 * rng.standard_normal(b - a)
    return audio.astype(np.float32)


def test_an_onset_moves_to_where_the_sound_begins() -> None:
    vocals = bursts((1.0, 1.5), (2.0, 2.6))
    words = [Word("row", 1.04, 1.6), Word("boat", 1.97, 2.6)]
    first, second = refine_timings(vocals, SR, words)
    assert first.start == pytest.approx(1.0, abs=0.025)
    assert second.start == pytest.approx(2.0, abs=0.025)


def test_a_word_ends_where_its_sound_dies_away() -> None:
    vocals = bursts((1.0, 1.5))
    (word,) = refine_timings(vocals, SR, [Word("row", 1.0, 2.8)])
    assert word.end == pytest.approx(1.5, abs=0.03)


def test_nothing_moves_further_than_allowed() -> None:
    vocals = bursts((1.0, 1.5))
    onset, _ = refine(np.array([1.3]), np.array([1.6]), vocals, SR)
    assert abs(onset[0] - 1.3) <= Options().max_shift + Options().backtrack + 0.005


def test_silence_moves_nothing() -> None:
    onset, _ = refine(np.array([1.3]), np.array([1.6]), np.zeros(4 * SR, np.float32), SR)
    assert onset[0] == pytest.approx(1.3, abs=Options().backtrack + 0.005)


def test_words_without_times_stay_as_they_are() -> None:
    words = [Word("row"), Word("boat", 1.04, 1.5), Word("ashore", 2.0)]
    refined = refine_timings(bursts((1.0, 1.5)), SR, words)
    assert refined[0] == words[0]
    assert refined[2].end is None


def test_no_words_are_no_words() -> None:
    assert refine_timings(bursts(), SR, []) == []


@given(st.lists(st.floats(0.0, 3.9), min_size=1, max_size=30).map(sorted))
def test_order_is_kept_and_every_word_lasts(starts: list[float]) -> None:
    vocals = bursts((0.5, 0.9), (1.0, 1.5), (2.0, 3.0))
    onset = np.array(starts)
    new_onset, new_offset = refine(onset, onset + 0.2, vocals, SR)
    assert (np.diff(new_onset) >= 0).all()
    assert (new_offset > new_onset).all()
    assert (new_onset >= 0).all()
