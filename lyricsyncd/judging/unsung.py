"""Choose the lines that may not be sung: those of another version, or of another song."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np

UNSURE = 0.5
"""Mean confidence below which lines may be such that are not sung."""
FEWEST = 2
"""Lines in a row at least: a verse has more, and one line is easily missed by a search."""


def unsung_runs(
    lengths: Sequence[int], confidence: Sequence[float], absent: frozenset[int]
) -> frozenset[int]:
    """Choose, of the lines that a search with jumps passed over, those that fit nowhere else.

    Runs of such lines are taken whole, but for sure lines at their ends: between wrong lines, one
    may look right by chance.

    Parameters
    ----------
    lengths : sequence of int
        The number of words of each line.
    confidence : sequence of float
        That of each word, 0-1.
    absent : frozenset of int
        Numbers of lines (`lyricsyncd.align.repeated_lines.SungOrder.absent`).

    Returns
    -------
    frozenset of int
        Numbers of lines, of ``absent``.
    """
    ends = np.cumsum(lengths).tolist()
    sums = [sum(confidence[end - n : end]) for n, end in zip(lengths, ends, strict=True)]

    def unsure(lines: Sequence[int]) -> bool:
        return sum(sums[i] for i in lines) < UNSURE * sum(lengths[i] for i in lines)

    found: set[int] = set()
    for passed_over, numbers in groupby(range(len(lengths)), absent.__contains__):
        doubted = [number for number in numbers if passed_over and unsure([number])]
        run = range(doubted[0], doubted[-1] + 1) if doubted else range(0)
        if len(run) >= FEWEST and unsure(run):
            found.update(run)
    return frozenset(found)
