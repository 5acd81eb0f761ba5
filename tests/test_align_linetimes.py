"""Line times of a source are checked against where the lines were found, before they are used."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.align.linetimes import (
    Fit,
    LineTimes,
    compare,
    constant_offset,
    of_another_version,
)

Times = list[float | None]


def song(seed: int, n_lines: int = 30, lost: int = 2) -> tuple[Times, Times]:
    """Line starts as a person sets them, and as a search finds them that loses some of ten."""
    rng = np.random.default_rng(seed)
    true = 5.0 + np.cumsum(rng.uniform(2.0, 8.0, n_lines))
    found = true + rng.normal(0.0, 0.05, n_lines)
    wandered = np.arange(n_lines) % 10 < lost
    rng.shuffle(wandered.reshape(-1, 10).T)
    found[wandered] += rng.uniform(-6.0, 6.0, int(wandered.sum()))
    stated = true + rng.normal(0.0, 0.08, n_lines)
    return stated.tolist(), found.tolist()


def late(times: Times, by: float) -> Times:
    return [None if time is None else time + by for time in times]


seeds = st.integers(0, 10_000)


@given(seeds)
def test_true_line_times_are_left_alone(seed: int) -> None:
    stated, found = song(seed)
    times = compare(stated, found)
    assert times.fit is Fit.GOOD
    assert times.corrected(stated) == stated
    assert times.reason is None


@given(seeds, st.floats(0.3, 60.0) | st.floats(-4.0, -0.3))
def test_a_constant_offset_is_measured_to_a_tenth_of_a_second(seed: int, offset: float) -> None:
    stated, found = song(seed)
    shifted = late(stated, offset)
    assert constant_offset(shifted, found) == pytest.approx(offset, abs=0.1)
    assert not of_another_version(shifted, found)
    corrected = compare(shifted, found).corrected(shifted)
    assert corrected == pytest.approx(stated, abs=0.1)


@given(seeds, st.sampled_from([-0.04, -0.02, 0.02, 0.04]))
def test_another_speed_is_recognised(seed: int, stretch: float) -> None:
    stated, found = song(seed)
    times = compare([s * (1 + stretch) for s in stated if s is not None], found)
    assert times.fit is Fit.DRIFTING
    assert times.stretch == pytest.approx(stretch, abs=0.01)
    assert set(times.corrected(stated)) == {None}


@given(seeds, st.floats(8.0, 40.0), st.integers(8, 22))
def test_a_missing_verse_is_recognised(seed: int, missing: float, at: int) -> None:
    stated, found = song(seed)
    cut = stated[:at] + late(stated[at:], -missing)
    times = compare(cut, found)
    assert times.fit is Fit.JUMPING
    assert times.jump == pytest.approx(-missing, abs=0.2)
    assert of_another_version(cut, found)


def test_a_song_that_the_search_lost_tells_nothing() -> None:
    stated, found = song(1, lost=9)
    times = compare(stated, found)
    assert times.fit is Fit.UNCLEAR
    assert times.corrected(stated) == stated
    assert constant_offset(stated, found) is None


def test_a_few_lines_tell_nothing() -> None:
    assert compare([1.0, 5.0, None], [3.0, 9.0, 2.0]).fit is Fit.UNCLEAR


def test_lines_without_a_time_are_left_out() -> None:
    stated, found = song(2)
    stated[3] = found[7] = None
    assert constant_offset(late(stated, 2.0), found) == pytest.approx(2.0, abs=0.1)


def test_a_line_is_never_moved_before_the_song() -> None:
    assert LineTimes(Fit.SHIFTED, offset=3.0).corrected([1.0, 4.0, None]) == [0.0, 1.0, None]


@pytest.mark.parametrize(
    ("times", "says"),
    [
        (LineTimes(Fit.SHIFTED, offset=1.3), "1.3 s late"),
        (LineTimes(Fit.SHIFTED, offset=-0.5), "0.5 s early"),
        (LineTimes(Fit.DRIFTING, stretch=0.04), "4.0%"),
        (LineTimes(Fit.JUMPING, jump=-15.2), "15 s"),
        (LineTimes(Fit.DOUBTFUL), "do not fit"),
    ],
)
def test_what_was_done_is_reported(times: LineTimes, says: str) -> None:
    assert says in (times.reason or "")
