"""Decide by the sound whether repeats are sung that were written out from marks such as "(x2)".

Words that are not sung take the place of others: the confidences of both fall. Where a repeat is
sung and left out, the words around it are stretched over it, and fewer of them are sure.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

TOLERATED = 0.3
"""Words that may be in place less for a repeat that the lyrics state. On songs with human timings,
a line that is not sung twice costs 0.6 words and more, and one that is costs none."""
_DOUBTED = 0.08
"""By how much the mean confidence of a repeat must lie below that of the song for it to be tried
without this one."""


def doubted(repeat: Sequence[int], confidence: Sequence[float]) -> frozenset[int]:
    """Return the repeats that are less sure than the rest of the song.

    Parameters
    ----------
    repeat : sequence of int, length N
        The number of the repeat that each word belongs to; 0 for none.
    confidence : sequence of float, length N
        Of each word, 0-1.
    """
    numbers, values = np.array(repeat, np.int64), np.array(confidence, np.float64)
    usual = float(np.median(values)) if len(values) else 0.0
    return frozenset(
        int(number)
        for number in np.unique(numbers[numbers > 0])
        if float(values[numbers == number].mean()) < usual - _DOUBTED
    )


def worth(confidence: Sequence[float], covered: float, *, tolerated: float = 0.0) -> float:
    """Return a figure by which placements of a song with more or fewer repeats compare.

    Parameters
    ----------
    confidence : sequence of float, length N
        Of each word, 0-1.
    covered : float
        Share of the singing that words cover, 0-1.
    tolerated : float
        Words that may be in place less.
    """
    if not confidence:
        return 0.0
    return (sum(confidence) + tolerated) / len(confidence) * covered
