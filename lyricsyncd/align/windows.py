"""A song in windows of some lines each, for listeners that get lost in a whole one.

The cuts are where they part the least that belongs together: the longest rests between lines that
leave no window too long; where a line alone is too long for one, between its words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DoubleArray = npt.NDArray[np.float64]

LONGEST_S = 30.0
_MOST_MARGIN_S, _LEAST_MARGIN_S = 2.0, 0.2
"""Seconds of the rest before and after its words that a window takes in; where there is hardly any
rest it reaches a little into the words beside it, for the words may lie a little elsewhere."""
_ALWAYS_CUT_S = 3.0
"""Longer rests are cut at even where the window would not be too long: there is nothing in them."""


@dataclass(frozen=True, slots=True)
class Window:
    """Some words in a row, and the stretch of the song they lie in.

    Attributes
    ----------
    first, stop : int
        The words ``first <= w < stop`` of the song.
    start, end : float
        Seconds.
    """

    first: int
    stop: int
    start: float
    end: float


def windows(
    onset: DoubleArray,
    offset: DoubleArray,
    line: Sequence[int],
    duration: float,
    longest: float = LONGEST_S,
) -> list[Window]:
    """Every word of a song in one window each, in order.

    Parameters
    ----------
    onset, offset : ndarray of float64, shape (N,)
        Seconds where the words are about; onsets in order.
    line : sequence of int, length N
        The line of each word.
    duration : float
        Seconds of the song.
    longest : float
        Seconds that no window exceeds which has more than one word.

    Returns
    -------
    list of Window
        Cut within a line only where the line alone would be too long.
    """
    n = len(onset)
    if n == 0:
        return []
    edges = np.append(onset, duration) - np.append(0.0, offset)
    rests = np.maximum(edges, 0.0)
    margins = np.clip(rests / 2.0, _LEAST_MARGIN_S, _MOST_MARGIN_S)
    start = np.maximum(onset - margins[:-1], 0.0)
    end = np.minimum(offset + margins[1:], duration)
    # What a cut before each word costs: one within a line more than all others together.
    cost = _ALWAYS_CUT_S - rests[:-1]
    within = np.append(False, np.diff(np.asarray(line)) == 0)
    cost[within] += 2.0 * (duration + n * _ALWAYS_CUT_S)
    cost[0] = 0.0
    # The cheapest way to have cut all words before each one, and where its last window begins.
    cheapest = np.zeros(n + 1)
    last = np.zeros(n + 1, np.int64)
    for stop in range(1, n + 1):
        first = stop - 1
        best = np.inf
        while first >= 0 and (first == stop - 1 or end[stop - 1] - start[first] <= longest):
            total = cheapest[first] + cost[first]
            if total < best:
                best, last[stop] = total, first
            first -= 1
        cheapest[stop] = best
    found: list[Window] = []
    stop = n
    while stop > 0:
        first = int(last[stop])
        found.append(Window(first, stop, float(start[first]), float(end[stop - 1])))
        stop = first
    return found[::-1]
