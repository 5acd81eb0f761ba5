"""How sure the search is: forward-backward over the trellis.

The best walk says where every word lies; the posteriors say where else it might. The expected
onset under them is a better estimate than the best walk's (the walk snaps to single frames and
loses ties), and their spread is the base of a word's confidence.

Acoustic scores of neighbouring frames are far from independent, so a full-scale posterior is much
too sure of itself: all scores are multiplied by a scale below 1 first (as in lattice rescoring,
Wessel et al. 2001). Computed in the linear domain with a running normalisation; within a band
around a first pass this is a few vector operations a frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.trellis import Band, Ranges, Trellis

DoubleArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_FRAMES_AT_ONCE = 256
_TINY = 1e-300


@dataclass(frozen=True)
class Moments:
    """Where an event of each word (its onset, its offset) is expected.

    Attributes
    ----------
    mean, spread : ndarray of float64, shape (W,)
        Frames: expectation and standard deviation. NaN where the posterior vanished.
    near : ndarray of float64, shape (W,)
        Probability that the event lies within some frames of where a first pass found it.
    """

    mean: DoubleArray
    spread: DoubleArray
    near: DoubleArray


@dataclass(frozen=True)
class Posterior:
    """Onsets and offsets of all words."""

    onset: Moments
    offset: Moments


def posterior(
    trellis: Trellis,
    band: Band,
    onsets: IntArray,
    offsets: IntArray,
    *,
    scale: float = 0.1,
    near: int = 30,
) -> Posterior:
    """Expected onsets and offsets in a band around a first pass.

    Parameters
    ----------
    onsets, offsets : ndarray of int64, shape (W,)
        Frames where the first pass found the words (an offset is the frame after the last).
    scale : float
        What all scores are multiplied by.
    near : int
        Frames that count as "where it was found" for `Moments.near`.
    """
    return _Walk(trellis, band, scale).moments(onsets, offsets, near)


class _Walk:
    """Both directions over one trellis."""

    def __init__(self, trellis: Trellis, band: Band, scale: float) -> None:
        graph = trellis.graph
        self._trellis, self._graph, self._band, self._scale = trellis, graph, band, scale
        self._ranges = Ranges.of(graph, band)
        self._chained = graph.chained.astype(np.float64)
        self._skipping = graph.skipping.astype(np.float64)
        self._skips = bool(graph.skipping.any())
        self._rest_entry = np.exp(-scale * trellis.rest_entry.astype(np.float64))
        # Two cells before the first state and two after the last are always zero.
        self._exits = graph.exits + 2
        self._rest = graph.rest + 2
        self._entries = graph.entries + 2

    def moments(self, onsets: IntArray, offsets: IntArray, near: int) -> Posterior:
        graph, n_frames = self._graph, self._trellis.n_frames
        entered, left, log_forward = self._forward()
        onset = _Histogram(graph.n_words, onsets, near)
        offset = _Histogram(graph.n_words, offsets, near)
        backward = np.zeros(graph.n_states + 4)
        backward[self._rest[-1]] = 1.0
        ends = graph.exits[:, -1]
        backward[self._exits[ends >= 0, -1]] = 1.0
        log_backward = 0.0
        band, ranges = self._band, self._ranges
        word_of_entry = graph.entered_from
        # A word that ends with the audio.
        last = left[-1]
        if last is not None:
            words, flow = last
            ending = words == graph.n_words - 1
            offset.add(n_frames, words[ending], np.log(flow[ending] + _TINY) + log_forward[-1])
        for block_start in range(
            (n_frames - 1) // _FRAMES_AT_ONCE * _FRAMES_AT_ONCE, -1, -_FRAMES_AT_ONCE
        ):
            stop = min(block_start + _FRAMES_AT_ONCE, n_frames)
            weights, entry_weights = self._weights(block_start, stop)
            for t in range(stop - 1, block_start - 1, -1):
                at = t - block_start
                first, end = band.first[t], band.end[t]
                e0, e1 = ranges.entry_first[t], ranges.entry_end[t]
                if e1 > e0:
                    level = log_forward[t] + log_backward
                    onward = backward[self._entries[e0:e1]]
                    joint = np.log(entered[t] * onward + _TINY) + level
                    onset.add(t, word_of_entry[e0:e1], joint)
                if t == 0:
                    break
                # g: what this frame and all after it say of each state.
                g = np.zeros_like(backward)
                g[first + 2 : end + 2] = backward[first + 2 : end + 2] * weights[at].take(
                    graph.unit[first:end]
                )
                now = g.copy()
                now[first + 1 : end + 1] += g[first + 2 : end + 2] * self._chained[first:end]
                if self._skips:
                    now[first:end] += g[first + 2 : end + 2] * self._skipping[first:end]
                j0, j1 = ranges.boundary_first[t], ranges.boundary_end[t]
                onward = np.zeros(j1 - j0)
                if e1 > e0:
                    flow = g[self._entries[e0:e1]]
                    if entry_weights is not None:
                        flow = flow * entry_weights[at, e0:e1]
                    onward += np.bincount(
                        graph.entered_from[e0:e1] - j0, weights=flow, minlength=j1 - j0
                    )
                now[self._rest[j0:j1]] += onward
                r0, r1 = ranges.rest_first[t], ranges.rest_end[t]
                onward[r0 - j0 : r1 - j0] += g[self._rest[r0:r1]] * self._rest_entry[r0:r1]
                now[self._exits[:, j0:j1]] += onward
                now[:2] = 0.0
                was = left[t - 1]
                if was is not None:
                    words, flow = was
                    inside = (words + 1 >= j0) & (words + 1 < j1)
                    words = words[inside]
                    joint = flow[inside] * onward[words + 1 - j0]
                    level = log_forward[t - 1] + log_backward
                    offset.add(t, words, np.log(joint + _TINY) + level)
                lo, hi = band.first[t - 1] + 2, band.end[t - 1] + 2
                now[:lo] = 0.0
                now[hi:] = 0.0
                norm = now.max()
                if norm > 0.0:
                    now /= norm
                    log_backward += float(np.log(norm))
                backward = now
        return Posterior(onset.moments(), offset.moments())

    def _weights(self, start: int, stop: int) -> tuple[DoubleArray, DoubleArray | None]:
        """Scores and entry costs of some frames as factors."""
        weights = np.exp(self._scale * self._trellis.scores(start, stop).astype(np.float64))
        costs = self._trellis.entry_costs(start, stop)
        return weights, None if costs is None else np.exp(-self._scale * costs.astype(np.float64))

    def _forward(
        self,
    ) -> tuple[list[DoubleArray], list[tuple[IntArray, DoubleArray] | None], DoubleArray]:
        """The way in, keeping only what crosses the boundaries of words.

        Returns
        -------
        entered : per frame, the flow into each entry in the band
        left : per frame, words and the flow at their last states
        log_forward : ndarray of float64, shape (T,)
            The running normalisation that both are relative to.
        """
        graph, band, ranges = self._graph, self._band, self._ranges
        n_frames = self._trellis.n_frames
        entered: list[DoubleArray] = []
        left: list[tuple[IntArray, DoubleArray] | None] = []
        log_forward = np.zeros(n_frames)
        was = np.zeros(graph.n_states + 4)
        level = 0.0
        nothing = np.zeros(0)
        for start, stop in self._trellis.blocks(_FRAMES_AT_ONCE):
            weights, entry_weights = self._weights(start, stop)
            for t in range(start, stop):
                at = t - start
                first, end = band.first[t], band.end[t]
                now = np.zeros_like(was)
                live = now[first + 2 : end + 2]
                live += was[first + 2 : end + 2]
                live += was[first + 1 : end + 1] * self._chained[first:end]
                if self._skips:
                    live += was[first:end] * self._skipping[first:end]
                j0, j1 = ranges.boundary_first[t], ranges.boundary_end[t]
                ended = was[self._exits[:, j0:j1]].sum(axis=0)
                if t == 0 and j0 == 0 and j1 > 0:
                    ended[0] = 1.0
                r0, r1 = ranges.rest_first[t], ranges.rest_end[t]
                now[self._rest[r0:r1]] += ended[r0 - j0 : r1 - j0] * self._rest_entry[r0:r1]
                e0, e1 = ranges.entry_first[t], ranges.entry_end[t]
                flow = nothing
                if e1 > e0:
                    boundary = graph.entered_from[e0:e1]
                    flow = ended[boundary - j0] + was[self._rest[boundary]]
                    if entry_weights is not None:
                        flow = flow * entry_weights[at, e0:e1]
                    now[self._entries[e0:e1]] += flow
                emitted = weights[at].take(graph.unit[first:end])
                live *= emitted
                norm = live.max() if end > first else 0.0
                if norm > 0.0:
                    live /= norm
                    level += float(np.log(norm))
                else:
                    norm = 1.0
                log_forward[t] = level
                entered.append(flow * weights[at].take(graph.unit[graph.entries[e0:e1]]) / norm)
                left.append(self._leaving(now, t))
                was = now
        return entered, left, log_forward

    def _leaving(self, now: DoubleArray, t: int) -> tuple[IntArray, DoubleArray] | None:
        """Words whose last state is in the band, and the flow there."""
        first, end = self._band.first[t], self._band.end[t]
        j0 = max(1, int(self._ranges.rest_first[t]))
        j1 = int(np.searchsorted(self._graph.rest, end + 1))
        if j1 <= j0 or end <= first:
            return None
        words = np.arange(j0 - 1, j1 - 1)
        return words, now[self._exits[:, j0:j1]].sum(axis=0)


class _Histogram:
    """Log-weights of one event a word over time, gathered in any order."""

    def __init__(self, n_words: int, found: IntArray, near: int) -> None:
        self._n_words, self._found, self._near = n_words, found, near
        self._frames: list[IntArray] = []
        self._words: list[IntArray] = []
        self._logs: list[DoubleArray] = []

    def add(self, t: int, words: IntArray, logs: DoubleArray) -> None:
        self._frames.append(np.full(len(words), t, np.int64))
        self._words.append(words)
        self._logs.append(logs)

    def moments(self) -> Moments:
        frames = np.concatenate(self._frames)
        words = np.concatenate(self._words)
        logs = np.concatenate(self._logs)
        most = np.full(self._n_words, -np.inf)
        np.maximum.at(most, words, logs)
        weights = np.exp(logs - most[words])
        off = frames - self._found[words]

        def total(values: DoubleArray) -> DoubleArray:
            sums: DoubleArray = np.bincount(words, weights=values, minlength=self._n_words).astype(
                np.float64
            )
            return sums

        mass = total(weights)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total(weights * off) / mass
            variance = total(weights * (off - mean[words]) ** 2) / mass
            close = total(weights * (np.abs(off) <= self._near)) / mass
        return Moments(mean + self._found, np.sqrt(variance), close)
