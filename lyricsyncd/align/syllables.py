"""Time the syllables of a word by its vowels.

The search knows when each sound of a word begins; a listener takes a syllable to begin with its
vowel, and so do the notes of karaoke songs. A word with one vowel is one syllable, however many
notes it is sung on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lyricsyncd.model import Syllable
from lyricsyncd.text.syllables import split

SHORTEST_S = 0.03
"""Seconds that a syllable lasts at least."""


def timed_syllables(
    text: str,
    start: float,
    end: float,
    vowels: npt.NDArray[np.float64] | Sequence[float],
    language: str | None,
) -> tuple[Syllable, ...]:
    """Return the syllables of a placed word; none for a word of one.

    Parameters
    ----------
    text : str
        The word, punctuation included.
    start, end : float
        Its seconds.
    vowels : sequence of float
        The seconds at which the vowels that are sung begin.
    language : str or None
        ISO 639-1.
    """
    parts = split(text, len(vowels), language)
    # The spelling of a word may show fewer places than it has vowels, and a character more.
    if len(parts) < 2 or len(parts) > len(vowels) or end - start < SHORTEST_S * len(parts):
        return ()
    latest = end - SHORTEST_S * np.arange(len(parts) - 1, 0, -1)
    starts = [start]
    for vowel, last in zip(_inner(vowels, len(parts)), latest, strict=True):
        starts.append(round(float(min(max(vowel, starts[-1] + SHORTEST_S), last)), 3))
    return tuple(
        Syllable(part, begin, until)
        for part, begin, until in zip(parts, starts, [*starts[1:], end], strict=True)
    )


def _inner(vowels: npt.NDArray[np.float64] | Sequence[float], count: int) -> Sequence[float]:
    """Return the vowels that the syllables behind the first begin with: where there are more than
    those, the ones that are held longest before the next."""
    inner = np.asarray(vowels, np.float64)[1:]
    held = np.append(np.diff(inner), np.inf)
    chosen = np.sort(np.argsort(-held, kind="stable")[: count - 1])
    return [float(vowel) for vowel in inner[chosen]]
