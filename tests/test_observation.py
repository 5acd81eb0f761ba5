"""Words are placed on separated vocals whose holes are filled with a little of the mix."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from lyricsyncd.separate.base import Stem
from lyricsyncd.separate.observation import SHARE, SIDE_SHARE, observed

RATE = 16_000
VOICE = np.sin(np.arange(3 * RATE) * 0.05).astype(np.float32)
BAND = np.sin(np.arange(3 * RATE) * 0.3).astype(np.float32)


def level(signal: npt.NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(signal))))


def seconds(start: float, end: float) -> slice:
    return slice(round(start * RATE), round(end * RATE))


class TestWhatIsAdded:
    @pytest.mark.parametrize("loudness", [0.01, 1.0, 10.0])
    def test_is_a_share_of_the_level_of_the_vocals(self, loudness: float) -> None:
        added = observed(VOICE, np.float32(loudness) * BAND, RATE) - VOICE
        assert level(added) == pytest.approx(SHARE * level(VOICE), rel=1e-3)

    def test_fills_holes_beside_what_is_sung_and_not_where_the_band_plays_alone(self) -> None:
        vocals = VOICE.copy()
        vocals[seconds(1.0, 1.3)] = 0.0
        vocals[seconds(1.8, 3.0)] = 0.0
        found = observed(vocals, VOICE + BAND, RATE)
        assert level(found[seconds(1.0, 1.3)]) > 0.02
        assert not found[seconds(2.2, 3.0)].any()

    def test_is_nothing_in_silence(self) -> None:
        silence = np.zeros(RATE, np.float32)
        assert not observed(silence, BAND[:RATE], RATE).any()
        assert observed(VOICE, np.zeros_like(VOICE), RATE) is VOICE
        assert len(observed(silence[:0], silence[:0], RATE)) == 0


class TestStem:
    def test_computes_it_once(self) -> None:
        stem = Stem(VOICE, VOICE + BAND, RATE, "spleeter")
        assert stem.observed is stem.observed
        assert stem.observed.dtype == np.float32

    def test_of_what_is_beside_the_middle_is_filled_with_more_of_the_mix(self) -> None:
        stem = Stem(VOICE, VOICE, RATE, "spleeter", side=0.1 * VOICE, side_mix=BAND)
        assert stem.aside is not None
        assert stem.aside is stem.aside
        added = stem.aside.observed - 0.1 * VOICE
        assert level(added) == pytest.approx(SIDE_SHARE * level(0.1 * VOICE), rel=1e-3)

    def test_has_nothing_beside_the_middle_where_nobody_requested_it(self) -> None:
        assert Stem(VOICE, VOICE + BAND, RATE, "spleeter").aside is None

    def test_of_a_song_that_was_not_separated_has_the_mix_alone(self) -> None:
        stem = Stem(BAND, BAND, RATE, "none")
        assert stem.observed is BAND
