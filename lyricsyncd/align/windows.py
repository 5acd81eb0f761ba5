"""Cut a song into windows of some lines each, for aligners that lose their way in a whole one.

The cuts are at the longest silences between lines that leave no window too long; where a line alone
is too long, between its words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DoubleArray = npt.NDArray[np.float64]

LONGEST_S = 30.0
_MOST_MARGIN_S, _LEAST_MARGIN_S = 2.0, 0.2
"""Seconds of the silence before and after its words that a window includes; where there is hardly
any it reaches a little into the words beside it, for the words may be a little elsewhere."""
_ALWAYS_CUT_S = 3.0
"""Longer silences are cut even where the window would not be too long."""


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive words, and the part of the song that they are in.

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
    """Divide the words of a song among windows, in order.

    Parameters
    ----------
    onset, offset : ndarray of float64, shape (N,)
        Approximate seconds of the words; onsets in order.
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
    silences = np.maximum(edges, 0.0)
    margins = np.clip(silences / 2.0, _LEAST_MARGIN_S, _MOST_MARGIN_S)
    start = np.maximum(onset - margins[:-1], 0.0)
    end = np.minimum(offset + margins[1:], duration)
    # The cost of a cut before each word: one within a line exceeds all others together.
    cost = _ALWAYS_CUT_S - silences[:-1]
    within = np.append(False, np.diff(np.asarray(line)) == 0)
    cost[within] += 2.0 * (duration + n * _ALWAYS_CUT_S)
    cost[0] = 0.0
    # The least total cost of cutting all words before each one, and where its last window begins.
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
