"""Two ears on one song: what one thinks of each word's start is a vote in the other's search.

Ears differ in their sound units and frames, so their scores cannot be added up. What they have in
common are the words: each ear's own search says how likely each word starts at each moment, and
these chances are costs for starting the word there in the search of the next. In that one's
posteriors the chances of both are multiplied, over whole walks through the song, so that the words
stay in order. (A product of experts: Hinton 2002. Log-linear pooling of the ears' posteriors by
themselves would do the same word by word.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.graph import Graph
from lyricsyncd.align.posterior import Chances

BoolArray = npt.NDArray[np.bool_]
DoubleArray = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Votes:
    """Where an ear would have words start.

    Attributes
    ----------
    ear : str
        Whose votes these are.
    chances : Chances
        Of the words that it could spell, in the order of the lyrics.
    index : ndarray of int64, shape (V,)
        Number of each of these words within the lyrics.
    hop : float
        Seconds from frame to frame of ``chances``.
    lag : float
        Seconds to add to its times.
    """

    ear: str
    chances: Chances
    index: IntArray
    hop: float
    lag: float

    def for_search(self, graph: Graph, lag: float, weight: float, most: float) -> VotedStarts:
        """The votes as costs in the search of another ear.

        Parameters
        ----------
        lag : float
            Seconds to add to the times of that ear.
        weight : float
            Nats of that search for a nat here.
        most : float
            Nats that a word costs at most, so that the votes can be overruled.
        """
        row = np.full(int(max(graph.index.max(), self.index.max())) + 1, -1, np.int64)
        row[self.index] = np.arange(len(self.index))
        return VotedStarts(self, row[graph.index], lag, weight, most)


@dataclass(frozen=True)
class VotedStarts:
    """Anchors (`lyricsyncd.align.trellis.Anchors`) made of votes; see `Votes.for_search`.

    Attributes
    ----------
    row : ndarray of int64, shape (W,)
        Which of the votes' words each word of the graph is; -1 for none.
    """

    votes: Votes
    row: IntArray
    lag: float
    weight: float
    most: float

    @property
    def known(self) -> BoolArray:
        """Words that were voted about, shape (W,)."""
        return self.row >= 0

    def cost(self, words: IntArray, times: DoubleArray) -> FloatArray:
        """Nats for known words to start at some times, shape (len(times), len(words))."""
        chances, rows = self.votes.chances, self.row[words]
        begin, length = chances.base[rows], np.diff(chances.base)[rows]
        frames = np.rint((times + self.lag - self.votes.lag) / self.votes.hop).astype(np.int64)
        cost = np.full((len(times), len(words)), self.most, np.float32)
        if len(frames) == 0:
            return cost
        first = chances.first[rows]
        (within,) = np.nonzero((first <= frames[-1]) & (first + length > frames[0]))
        at = frames[:, None] - first[within]
        inside = (at >= 0) & (at < length[within])
        logs = chances.logs[np.where(inside, begin[within] + at, 0)]
        voted = np.minimum(-self.weight * logs, self.most)
        cost[:, within] = np.where(inside, voted, self.most)
        return cost
