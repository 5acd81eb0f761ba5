"""The lag of a word by the sound that it begins with."""

from __future__ import annotations

import numpy as np
import pytest

from lyricsyncd.align.aligner import align
from lyricsyncd.align.emissions.sphinx import FIRST_SOUND_LAGS, PhoneStateModel
from lyricsyncd.align.lexicon import pronounce
from lyricsyncd.align.lexicon.first_sounds import FirstSoundLags
from lyricsyncd.align.lexicon.phones import CONSONANTS, FRICATIVES, SONORANTS

LAGS = FirstSoundLags(vowel=-1.0, fricative=2.0, sonorant=3.0, stop=4.0)


@pytest.mark.parametrize(
    ("word", "lag"),
    [("only", -1.0), ("see", 2.0), ("jump", 2.0), ("my", 3.0), ("the", 3.0), ("two", 4.0)],
)
def test_is_by_the_class_of_the_first_phone(word: str, lag: float) -> None:
    (((variant, *others),),) = pronounce([[word]], "en")
    assert LAGS.of((variant, *others)) == lag


def test_is_nothing_for_what_cannot_be_pronounced() -> None:
    assert LAGS.of_all(pronounce([["♪", "see"]], "en")).tolist() == [0.0, 2.0]
    assert LAGS.of_all([]).shape == (0,)


def test_classes_are_distinct() -> None:
    assert not FRICATIVES & SONORANTS
    assert FRICATIVES | SONORANTS <= CONSONANTS


def test_moves_the_onsets_that_are_reported() -> None:
    audio = np.random.default_rng(0).normal(0.0, 0.1, 3 * 16_000).astype(np.float32)
    model = PhoneStateModel.load()
    lyrics = model.compile([["see", "only"]], "en")
    assert lyrics.onset_lag is not None
    assert lyrics.onset_lag.tolist() == [FIRST_SOUND_LAGS.fricative, FIRST_SOUND_LAGS.vowel]
    placed = align(audio, [["see", "only"]], "en", model)
    assert (np.diff(placed.onset) >= 0.0).all()
    assert (placed.offset > placed.onset).all()
