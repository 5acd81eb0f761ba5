"""Correct the onsets of words by the sound that they begin with.

The units of vowels win some frames after the voice has begun, those of fricatives at the first
noise, before the word is perceived to begin. The difference is the same in two collections of human
timings, and constant for a model; each model brings a table of its own, in which the mean over
all words is left to its constant bias (`lyricsyncd.align.emissions.Traits.lag`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.lexicon.phones import FRICATIVES, SONORANTS, VOWELS
from lyricsyncd.align.lexicon.words import Pronunciation


@dataclass(frozen=True, slots=True)
class FirstSoundLags:
    """Seconds to add to the onset of a word that begins with one of these sounds."""

    vowel: float
    fricative: float
    sonorant: float
    stop: float

    def of(self, variants: Sequence[Pronunciation]) -> float:
        """Return the seconds for a word; 0 where it has no sounds."""
        if not variants or not variants[0].slots:
            return 0.0
        phone = variants[0].slots[0][0]
        if phone in VOWELS:
            return self.vowel
        if phone in FRICATIVES:
            return self.fricative
        return self.sonorant if phone in SONORANTS else self.stop

    def of_all(self, lines: Sequence[Sequence[Sequence[Pronunciation]]]) -> npt.NDArray[np.float64]:
        """Return the seconds for every word of the lyrics, shape (N,)."""
        return np.array([self.of(word) for line in lines for word in line], np.float64)
