"""Find singing that no words cover: a verse or a repeat that the lyrics lack.

Words that are all in place say nothing of what is missing between them. On twelve songs with human
timings, the vocals have hardly any voiced stretch of some seconds that is away from all words:
where there are several seconds, words are missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BEFORE_S, AFTER_S = 0.5, 1.5
"""Seconds around a word that belong to it: breaths, and ends that are drawn out."""
LONGEST_S = 4.0
"""Seconds of a word that count at most: words are stretched over what has none."""
PAUSE_S = 5.0
"""Seconds without a voice that part two stretches."""
SHORTEST_S = 5.0
"""Voiced seconds of a stretch that count at least."""
DENSEST = 0.4
"""Share of a stretch that must be voiced: what a separator leaves of a solo is sparser."""
LEAST_S = 8.0
"""Voiced seconds that a song must have in such stretches: humming at its end has fewer."""
_LISTED = 3


@dataclass(frozen=True, slots=True)
class Uncovered:
    """The singing that no words cover.

    Attributes
    ----------
    starts : tuple of float
        Seconds at which its stretches start.
    seconds : float
        Length of what is voiced in them.
    share : float
        The same as a share of all that is voiced in the song, 0-1.
    away : float
        The share of all that is voiced and away from words, in stretches of any length, 0-1.
    """

    starts: tuple[float, ...] = ()
    seconds: float = 0.0
    share: float = 0.0
    away: float = 0.0

    @property
    def reason(self) -> str:
        """A sentence about it; empty where there is none."""
        if not self.starts:
            return ""
        listed = [f"{int(start) // 60}:{int(start) % 60:02}" for start in self.starts[:_LISTED]]
        more = " and later" if len(self.starts) > _LISTED else ""
        return f"No words cover {self.seconds:.0f} s of singing, at {', '.join(listed)}{more}"


NOTHING = Uncovered()


def uncovered(
    voiced: npt.NDArray[np.bool_], hop: float, onset: Sequence[float], offset: Sequence[float]
) -> Uncovered:
    """Return the singing that is away from all words.

    Parameters
    ----------
    voiced : ndarray of bool, shape (T,)
        Frames with a voice.
    hop : float
        Seconds from frame to frame.
    onset, offset : sequence of float, length N
        Seconds; onsets never decrease.
    """
    alone = voiced.copy()
    for start, end in zip(onset, offset, strict=True):
        first, last = start - BEFORE_S, min(max(start, end), start + LONGEST_S) + AFTER_S
        alone[max(0, int(first / hop)) : max(0, int(last / hop) + 1)] = False
    frames = np.flatnonzero(alone)
    found: list[tuple[float, float]] = []
    for stretch in np.split(frames, np.flatnonzero(np.diff(frames) * hop > PAUSE_S) + 1):
        seconds = len(stretch) * hop
        if seconds >= SHORTEST_S and len(stretch) >= DENSEST * (stretch[-1] + 1 - stretch[0]):
            found.append((float(stretch[0]) * hop, seconds))
    total = sum(seconds for _, seconds in found)
    all_voiced = max(1, int(voiced.sum()))
    away = len(frames) / all_voiced
    if total < LEAST_S:
        return Uncovered(away=away)
    return Uncovered(tuple(start for start, _ in found), total, total / (all_voiced * hop), away)
