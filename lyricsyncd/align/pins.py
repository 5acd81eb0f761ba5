"""Limit the search to where a person set words: a pinned word starts within a window of frames.

Line times and transcripts are anchors, which the search may overrule at a price. A pin is a bound:
with the first frame ``e(w)`` and the last one ``l(w)`` at which word ``w`` may be entered, and the
least number of frames ``n(w)`` that it takes, the windows of the pins spread to all other words::

    e(w) = max(e(w), e(w − 1) + n(w − 1))        l(w) = min(l(w), l(w + 1) − n(w))

What lies outside is no state of the trellis (`lyricsyncd.align.trellis.Band`), so neither the best
path nor the posteriors know anything of it, and the words around follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.graph import Graph

BoolArray = npt.NDArray[np.bool_]
DoubleArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

REACH_S = 0.03
"""Seconds either way within which a pinned word starts, at least one frame: a person is not as
exact as a frame, and the frames of two models need not be the same."""


@dataclass(frozen=True)
class Windows:
    """The frames at which each word of a graph may be entered.

    Attributes
    ----------
    first, last : ndarray of int64, shape (W,)
        Both included; ``first > last`` for words that do not fit between two pins.
    """

    first: IntArray
    last: IntArray

    @property
    def too_narrow(self) -> BoolArray:
        """Words that no path can pass, shape (W,)."""
        return self.first > self.last


@dataclass(frozen=True)
class Pins:
    """Words that a person set.

    Attributes
    ----------
    word : ndarray of int64, shape (K,)
        Their numbers among all words of the lyrics, increasing.
    start : ndarray of float64, shape (K,)
        Seconds from the first frame, not decreasing.
    until : ndarray of float64, shape (K,), or None
        The same until which each may start, where nobody set the words but other voices bound them.
    """

    word: IntArray
    start: DoubleArray
    until: DoubleArray | None = None

    @classmethod
    def between(cls, windows: Sequence[tuple[int, float, float]], lag: DoubleArray) -> Pins:
        """Take words that start between two moments, which other voices tell.

        Parameters
        ----------
        windows : sequence of (int, float, float)
            Numbers of words, and the seconds between which they start.
        lag : ndarray of float64, shape (N,)
            See `of`.
        """
        rows = sorted(windows)
        word = np.array([number for number, _, _ in rows], np.int64)
        start = np.array([earliest for _, earliest, _ in rows], np.float64) - lag[word]
        until = np.array([latest for _, _, latest in rows], np.float64) - lag[word]
        return cls(word, np.maximum.accumulate(start), np.maximum.accumulate(until))

    @classmethod
    def of(cls, pins: Sequence[tuple[int, float]], lag: DoubleArray) -> Pins:
        """Take pins as a person set them.

        Parameters
        ----------
        pins : sequence of (int, float)
            Numbers of words, and the seconds at which they start.
        lag : ndarray of float64, shape (N,)
            Seconds that are added to the onset of each word after the search.
        """
        by_word = sorted(dict(pins).items())
        word = np.array([number for number, _ in by_word], np.int64)
        start = np.array([seconds for _, seconds in by_word], np.float64)
        return cls(word, np.maximum.accumulate(start - lag[word]))

    def windows(self, graph: Graph, hop: float, n_frames: int) -> Windows:
        """Return where the words of a graph may be entered.

        Of a pinned word that the graph lacks, the words beside it keep to its side.

        Parameters
        ----------
        hop : float
            Seconds from frame to frame.
        """
        n = graph.n_words
        reach = max(REACH_S, hop)
        # Edges that are frames but for the rounding of floats are these frames.
        earliest, latest = self.start - reach, self.start + reach
        if self.until is not None:
            earliest, latest = self.start, self.until
        from_, until = (
            np.clip(rounded(np.round(times / hop, 6)), 0, n_frames - 1).astype(np.int64)
            for rounded, times in ((np.ceil, earliest), (np.floor, latest))
        )
        at = np.searchsorted(graph.index, self.word)
        known = at < n
        known[known] = graph.index[at[known]] == self.word[known]
        first, last = np.zeros(n, np.int64), np.full(n, n_frames - 1, np.int64)
        after, before = at < n, np.where(known, at, at - 1)
        np.maximum.at(first, at[after], from_[after])
        np.minimum.at(last, before[before >= 0], until[before >= 0])
        taken = np.append(0, np.cumsum(graph.least_frames))
        first = np.maximum.accumulate(first - taken[:-1]) + taken[:-1]
        # The last word, too, needs its frames.
        last[-1] = min(last[-1], n_frames - int(graph.least_frames[-1]))
        last = np.minimum.accumulate((last - taken[:-1])[::-1])[::-1] + taken[:-1]
        return Windows(first, last)
