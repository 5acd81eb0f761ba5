"""Two ears on one song: what one thinks of each word's start is a vote in the other's search.

Ears differ in their sound units and frames, so their scores cannot be added up. What they have in
common are the words: each ear's own search says how likely each word starts at each moment, and
these chances are costs for starting the word there in the search of the next. In that one's
posteriors the chances of both are multiplied, over whole walks through the song, so that the words
stay in order. (A product of experts: Hinton 2002. Log-linear pooling of the ears' posteriors by
themselves would do the same word by word.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.graph import Graph
from lyricsyncd.align.posterior import LogPosteriors

BoolArray = npt.NDArray[np.bool_]
DoubleArray = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


AGREED_S = 0.3
"""Seconds within which two ears mean the same place."""
_FEWEST_AGREED = 8
"""Words that must be in the same place before anything is said of an ear's constant bias."""


@dataclass(frozen=True)
class OnsetPosteriors:
    """Where an ear would have words start.

    Attributes
    ----------
    acoustic_model : str
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

    acoustic_model: str
    chances: LogPosteriors
    index: IntArray
    hop: float
    lag: float

    def debiased(self, onset: DoubleArray) -> OnsetPosteriors:
        """The votes with their constant bias against another ear's onsets taken off.

        Every acoustic model is early or late by something of its own: where both ears mean the
        same place, they differ by that.

        Parameters
        ----------
        onset : ndarray of float64, shape (N,)
            Seconds where the other ear has the words.
        """
        off = onset[self.index] - self.likeliest
        agreed = np.abs(off) <= AGREED_S
        if np.count_nonzero(agreed) < _FEWEST_AGREED:
            return self
        return replace(self, lag=self.lag + float(np.median(off[agreed])))

    @property
    def likeliest(self) -> DoubleArray:
        """Seconds at which each word is most likely to start, shape (V,)."""
        chances = self.chances
        edges = zip(chances.base, chances.base[1:], strict=False)
        frames = [int(np.argmax(chances.logs[begin:end])) for begin, end in edges]
        return np.asarray((chances.first + frames) * self.hop + self.lag, np.float64)

    def as_prior(self, graph: Graph, lag: float, weight: float, most: float) -> OnsetPrior:
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
        return OnsetPrior(self, row[graph.index], lag, weight, most)


@dataclass(frozen=True)
class OnsetPrior:
    """Anchors (`lyricsyncd.align.trellis.Anchors`) made of votes; see `OnsetPosteriors.as_prior`.

    Attributes
    ----------
    row : ndarray of int64, shape (W,)
        Which of the votes' words each word of the graph is; -1 for none.
    """

    onset_posteriors: OnsetPosteriors
    row: IntArray
    lag: float
    weight: float
    most: float

    @property
    def known(self) -> BoolArray:
        """Words that were voted about, shape (W,)."""
        return self.row >= 0

    def paid(self, times: DoubleArray) -> float:
        """Nats that words pay together for starting at these times, one a word of the graph."""
        return sum(
            float(self.cost(np.array([word]), times[word : word + 1])[0, 0])
            for word in np.flatnonzero(self.known)
        )

    def cost(self, words: IntArray, times: DoubleArray) -> FloatArray:
        """Nats for known words to start at some times, shape (len(times), len(words))."""
        chances, rows = self.onset_posteriors.chances, self.row[words]
        begin, length = chances.base[rows], np.diff(chances.base)[rows]
        frames = np.rint(
            (times + self.lag - self.onset_posteriors.lag) / self.onset_posteriors.hop
        ).astype(np.int64)
        cost = np.full((len(times), len(words)), self.most, np.float32)
        if len(frames) == 0:
            return cost
        first = chances.first[rows]
        (within,) = np.nonzero((first <= frames[-1]) & (first + length > frames[0]))
        at = frames[:, None] - first[within]
        inside = (at >= 0) & (at < length[within])
        logs = chances.logs[np.where(inside, begin[within] + at, 0)]
        prior_weight = np.minimum(-self.weight * logs, self.most)
        cost[:, within] = np.where(inside, prior_weight, self.most)
        return cost
