"""A song in pieces that a recogniser takes at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.transcribe.pieces import SAMPLE_RATE, pieces

LENGTHS = st.lists(st.tuples(st.booleans(), st.floats(0.05, 9.0)), max_size=8)


def sung(parts: list[tuple[bool, float]]) -> npt.NDArray[np.float32]:
    """Loud noise and silence, so many seconds each."""
    rng = np.random.default_rng(0)
    some = [
        rng.normal(0.0, 0.2 if loud else 1e-6, round(seconds * SAMPLE_RATE))
        for loud, seconds in parts
    ]
    return np.concatenate([*some, np.zeros(0)]).astype(np.float32)


@given(LENGTHS, st.sampled_from([1.0, 3.0, 29.5]))
def test_pieces_are_in_order_apart_and_short_enough(
    parts: list[tuple[bool, float]], longest: float
) -> None:
    audio = sung(parts)
    found = pieces(audio, longest)
    edges = [edge for piece in found for edge in piece]
    assert edges == sorted(edges)
    assert all(0 <= first < last <= len(audio) for first, last in found)
    assert all(last - first <= longest * SAMPLE_RATE for first, last in found)


@given(LENGTHS)
def test_what_is_left_out_is_silent(parts: list[tuple[bool, float]]) -> None:
    audio = sung(parts)
    left = audio.copy()
    for first, last in pieces(audio, 10.0):
        left[first:last] = 0.0
    # Frames of 20 ms: what is shorter than a piece may be, or does not fill one, is no word.
    frames = left[: len(left) // 320 * 320].reshape(-1, 320)
    loud = np.flatnonzero(np.sqrt(np.square(frames).mean(axis=1)) > 0.1)
    assert len(loud) <= 5 * len(parts)


def test_a_long_rest_is_left_out() -> None:
    first, second = pieces(sung([(True, 5.0), (False, 12.0), (True, 5.0)]), 30.0)
    assert (first[0], second[1]) == (0, 22 * SAMPLE_RATE)
    assert abs(first[1] / SAMPLE_RATE - 5.3) < 0.05
    assert abs(second[0] / SAMPLE_RATE - 16.7) < 0.05


def test_a_short_rest_is_where_a_long_song_is_cut() -> None:
    found = pieces(sung([(True, 22.0), (False, 0.5), (True, 22.0)]), 30.0)
    assert len(found) == 2
    assert 22.0 < found[0][1] / SAMPLE_RATE < 22.5
    assert found[0][1] == found[1][0]


def test_nothing_sung_nothing_recognised() -> None:
    assert pieces(np.zeros(0, np.float32), 30.0) == []
    assert pieces(np.zeros(80_000, np.float32), 30.0) == []
