"""Combine two acoustic models: the onset posteriors of one are a prior in the search of the other.

Acoustic models differ in their sound units and frames, so their scores cannot be added up. What
they have in common are the words: the search with one gives the posterior of each word's onset,
and its negative logarithm is a penalty for starting the word there in the search with the other.
In the posteriors of that search the probabilities of both are multiplied over whole paths through
the song, so that the words stay in order. (A product of experts: Hinton 2002. Log-linear pooling
of the posteriors by themselves would do the same word by word.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.event_times import LogPosteriors
from lyricsyncd.align.graph import Graph

BoolArray = npt.NDArray[np.bool_]
DoubleArray = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


AGREED_S = 0.3
"""Seconds within which two models agree on a word's onset."""
_FEWEST_AGREED = 8
"""Words that must agree before a constant bias is estimated from them."""


@dataclass(frozen=True)
class OnsetPosteriors:
    """Posteriors of word onsets at each moment, by one model.

    Attributes
    ----------
    acoustic_model : str
        The name of the model.
    posteriors : LogPosteriors
        Those of the words that it could pronounce, in the order of the lyrics.
    index : ndarray of int64, shape (V,)
        Number of each of these words within the lyrics.
    hop : float
        Seconds from frame to frame of ``posteriors``.
    lag : ndarray of float64, shape (V,)
        Seconds to add to the times of each word.
    """

    acoustic_model: str
    posteriors: LogPosteriors
    index: IntArray
    hop: float
    lag: DoubleArray

    def debiased(self, onset: DoubleArray) -> OnsetPosteriors:
        """Remove the constant bias against the onsets of another model.

        Every acoustic model is early or late by a constant of its own: where two models agree on
        the place, they differ by that.

        Parameters
        ----------
        onset : ndarray of float64, shape (N,)
            Seconds where the other model has the words.
        """
        off = onset[self.index] - self.likeliest
        agreed = np.abs(off) <= AGREED_S
        if np.count_nonzero(agreed) < _FEWEST_AGREED:
            return self
        return replace(self, lag=self.lag + float(np.median(off[agreed])))

    def agreed(self, onset: DoubleArray, placed: BoolArray) -> int:
        """Return how many words that another model placed are likeliest within `AGREED_S` of there.

        Parameters
        ----------
        onset : ndarray of float64, shape (N,)
            Seconds where the other model has the words.
        placed : ndarray of bool, shape (N,)
        """
        off = np.abs(onset[self.index] - self.likeliest)
        return int(np.count_nonzero((off <= AGREED_S) & placed[self.index]))

    def near(self, onset: DoubleArray, reach: float) -> DoubleArray:
        """Return the probability that each word starts within ``reach`` seconds of an onset.

        Parameters
        ----------
        onset : ndarray of float64, shape (N,)
            Seconds of all words of the lyrics.

        Returns
        -------
        ndarray of float64, shape (N,)
            NaN for words that there are no posteriors of.
        """
        frames = np.rint((onset[self.index] - self.lag) / self.hop).astype(np.int64)
        near = np.full(len(onset), np.nan)
        near[self.index] = self.posteriors.near(frames, round(reach / self.hop))
        return near

    @property
    def likeliest(self) -> DoubleArray:
        """Seconds at which each word is most likely to start, shape (V,)."""
        posteriors = self.posteriors
        edges = zip(posteriors.base, posteriors.base[1:], strict=False)
        frames = [int(np.argmax(posteriors.logs[begin:end])) for begin, end in edges]
        return np.asarray((posteriors.first + frames) * self.hop + self.lag, np.float64)

    def as_prior(self, graph: Graph, lag: DoubleArray, weight: float, most: float) -> OnsetPrior:
        """Return the posteriors as penalties in the search with another model.

        Parameters
        ----------
        lag : ndarray of float64, shape (W,)
            Seconds to add to the times of each word by that model.
        weight : float
            Nats of that search for a nat here.
        most : float
            The largest penalty of a word in nats, so that the prior can be overruled.
        """
        row = np.full(int(max(graph.index.max(), self.index.max())) + 1, -1, np.int64)
        row[self.index] = np.arange(len(self.index))
        return OnsetPrior(self, row[graph.index], lag, weight, most)


@dataclass(frozen=True)
class OnsetPrior:
    """`lyricsyncd.align.trellis.Anchors` made of posteriors; see `OnsetPosteriors.as_prior`.

    Attributes
    ----------
    row : ndarray of int64, shape (W,)
        The number, within the posteriors, of each word of the graph; -1 for none.
    lag : ndarray of float64, shape (W,)
        Seconds to add to the times of each word of the graph.
    """

    onset_posteriors: OnsetPosteriors
    row: IntArray
    lag: DoubleArray
    weight: float
    most: float

    @property
    def known(self) -> BoolArray:
        """Words that there are posteriors of, shape (W,)."""
        return self.row >= 0

    def total(self, times: DoubleArray) -> float:
        """Return the sum of the penalties for words that start at these times, shape (W,)."""
        return sum(
            float(self.penalty(np.array([word]), times[word : word + 1])[0, 0])
            for word in np.flatnonzero(self.known)
        )

    def penalty(self, words: IntArray, times: DoubleArray) -> FloatArray:
        """Return the nats for known words to start at some times, (len(times), len(words))."""
        posteriors, rows = self.onset_posteriors.posteriors, self.row[words]
        begin, length = posteriors.base[rows], np.diff(posteriors.base)[rows]
        penalty = np.full((len(times), len(words)), self.most, np.float32)
        if len(times) == 0:
            return penalty
        # Frames of the posteriors, counted from each word's first
        hop = self.onset_posteriors.hop
        ahead = (self.lag[words] - self.onset_posteriors.lag[rows]) / hop - posteriors.first[rows]
        (within,) = np.nonzero((times[-1] / hop + ahead > -1) & (times[0] / hop + ahead < length))
        at = np.rint(times[:, None] / hop + ahead[within]).astype(np.int64)
        inside = (at >= 0) & (at < length[within])
        nats = -self.weight * posteriors.logs[np.where(inside, begin[within] + at, 0)]
        penalty[:, within] = np.where(inside, np.minimum(nats, self.most), self.most)
        return penalty
