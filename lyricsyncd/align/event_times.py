"""Describe when an event of each word happens: its onset or offset, as probabilities over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DoubleArray = npt.NDArray[np.float64]
SingleArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

_TINY = 1e-300


@dataclass(frozen=True)
class Moments:
    """The distribution of one event of each word (its onset or offset) over time.

    Attributes
    ----------
    median, spread : ndarray of float64, shape (W,)
        Frames: the moment before and after which the event is equally likely, and the standard
        deviation. NaN where the posterior vanished.
    near : ndarray of float64, shape (W,)
        Probability that the event lies within some frames of where a first pass found it.
    """

    median: DoubleArray
    spread: DoubleArray
    near: DoubleArray


@dataclass(frozen=True)
class LogPosteriors:
    """Log-posteriors of one event of each word (its onset) at each frame, word after word.

    Attributes
    ----------
    logs : ndarray of float32, shape (n,)
        Nats below the word's likeliest frame.
    base : ndarray of int64, shape (W + 1,)
        The index of each word's first.
    first : ndarray of int64, shape (W,)
        The frame of each word's first; before it, and after the last, the probability is 0.
    """

    logs: SingleArray
    base: IntArray
    first: IntArray

    def near(self, frames: IntArray, reach: int) -> DoubleArray:
        """Return the probability that each event lies within some frames of others, shape (W,)."""
        weights = np.exp(self.logs.astype(np.float64))
        passed = np.append(0.0, np.cumsum(weights))
        begin, end = self.base[:-1], self.base[1:]
        at = begin + frames - self.first
        low, high = np.clip(at - reach, begin, end), np.clip(at + reach + 1, begin, end)
        mass = passed[end] - passed[begin]
        return np.asarray((passed[high] - passed[low]) / np.maximum(mass, _TINY), np.float64)


class Histogram:
    """Log-weights of one event per word over time.

    A word's event is only possible while its boundary is in the band: the frames of all words are
    stored one word after the other in one array.
    """

    def __init__(self, n_words: int, first_word: IntArray, end_word: IntArray) -> None:
        words = np.arange(n_words)
        self._first = np.searchsorted(end_word, words, side="right")
        # An event may be shifted to the frame after the last one in the band.
        self._end = np.searchsorted(first_word, words, side="right") + 1
        self._base = np.append(0, np.cumsum(self._end - self._first))
        self._logs = np.full(self._base[-1], -np.inf, np.float32)
        self._n_words = n_words

    def add(
        self,
        frames: IntArray,
        words: IntArray,
        flow: npt.NDArray[np.floating],
        level: DoubleArray,
        *,
        shift: int = 0,
    ) -> None:
        """Add the events of some words at some frames (plus ``shift``), as far as in the band.

        Parameters
        ----------
        flow : ndarray, shape (frames, words)
        level : ndarray of float64, shape (frames,)
            The logarithm that the flow is relative to.
        """
        some = (words >= 0) & (words < self._n_words)
        words, flow = words[some], flow[:, some]
        at = frames[:, None]
        known = (at >= self._first[words]) & (at < self._end[words] - 1)
        place = self._base[words] - self._first[words] + at + shift
        logs = np.log(flow[known].astype(np.float64) + _TINY)
        self._logs[place[known]] = logs + np.broadcast_to(level[:, None], known.shape)[known]

    def log_posteriors(self) -> LogPosteriors:
        """Return the log-weights relative to each word's greatest."""
        most = np.maximum.reduceat(self._logs, self._base[:-1])
        logs = self._logs - np.repeat(most, np.diff(self._base))
        return LogPosteriors(logs, self._base, self._first)

    def moments(self, found: IntArray, near: int) -> Moments:
        """Compute the moments relative to where a first pass found the event."""
        word = np.repeat(np.arange(self._n_words), np.diff(self._base))
        frame = np.arange(len(word)) - self._base[word] + self._first[word]
        most = np.maximum.reduceat(self._logs, self._base[:-1])
        weights = np.exp((self._logs - most[word]).astype(np.float64))
        off = (frame - found[word]).astype(np.float64)

        def total(values: DoubleArray) -> DoubleArray:
            sums: DoubleArray = np.add.reduceat(values, self._base[:-1])
            return sums

        mass = total(weights)
        mean = total(weights * off) / mass
        variance = total(weights * (off - mean[word]) ** 2) / mass
        close = total(weights * (np.abs(off) <= near)) / mass
        spread = np.sqrt(np.maximum(variance, 0.0))
        return Moments(self._median(weights, mass), spread, close)

    def _median(self, weights: DoubleArray, mass: DoubleArray) -> DoubleArray:
        """Return the frame, with its fraction, at which half of each word's mass has passed."""
        passed = np.append(0.0, np.cumsum(weights))
        half = passed[self._base[:-1]] + 0.5 * mass
        at = np.clip(np.searchsorted(passed, half) - 1, self._base[:-1], self._base[1:] - 1)
        fraction = (half - passed[at]) / np.maximum(weights[at], _TINY)
        frame = at - self._base[:-1] + self._first
        return np.asarray(frame + np.clip(fraction, 0.0, 1.0) - 0.5, np.float64)
