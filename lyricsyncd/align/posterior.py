"""How sure the search is: forward-backward over the trellis.

The best walk says where every word lies; the posteriors say where else it might. The median
onset under them is a better estimate than the best walk's (the walk snaps to single frames and
loses ties) and than the mean, which a far and unlikely place drags along; their spread is the base
of a word's confidence.

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
SingleArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

_FRAMES_AT_ONCE = 256
_PAD = 2
_TINY = 1e-300


@dataclass(frozen=True)
class Moments:
    """Where an event of each word (its onset, its offset) is expected.

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
    """Both directions over one trellis.

    Columns have two cells before the first state that are always zero, so that looking back needs
    no tests; one buffer each way is swept along the band, cleared where the band has left.
    """

    def __init__(self, trellis: Trellis, band: Band, scale: float) -> None:
        graph = trellis.graph
        self._trellis, self._graph, self._band, self._scale = trellis, graph, band, scale
        self._ranges = Ranges.of(graph, band)
        self._chained = graph.chained.astype(np.float64)
        self._skipping = graph.skipping.astype(np.float64)
        self._skips = bool(graph.skipping.any())
        self._rest_entry = np.exp(-scale * trellis.rest_entry.astype(np.float64))
        self._exits = graph.exits + _PAD
        self._rest = graph.rest + _PAD
        self._entries = graph.entries + _PAD

    def moments(self, onsets: IntArray, offsets: IntArray, near: int) -> Posterior:
        """Forward, then backward, gathering what crosses the boundaries of words."""
        entered, left, level_before = self._forward()
        n_frames, ranges = self._trellis.n_frames, self._ranges
        first, end = ranges.boundary_first, ranges.boundary_end
        onset = _Histogram(self._graph.n_words, first, end)
        offset = _Histogram(self._graph.n_words, first - 1, end)
        level_after = 0.0
        column = self._column()
        last = self._graph.exits[:, -1]
        column[self._rest[-1]] = 1.0
        column[self._exits[last >= 0, -1]] = 1.0
        # The last word may end with the audio.
        ends_now = first[-1] + np.arange(len(left[-1])) == self._graph.n_words
        offset.add(n_frames - 1, left[-1] * ends_now, level_before[-1], shift=1)
        for start, stop in reversed(list(self._trellis.blocks(_FRAMES_AT_ONCE))):
            weights, entry_weights = self._weights(start, stop)
            for t in range(stop - 1, start - 1, -1):
                e0, e1 = ranges.entry_first[t], ranges.entry_end[t]
                joint = self._by_boundary(t, entered[t] * column[self._entries[e0:e1]])
                onset.add(t, joint, level_before[t] + level_after)
                if t == 0:
                    break
                entry = None if entry_weights is None else entry_weights[t - start, e0:e1]
                onward = self._back(t, column, weights[t - start], entry)
                leaving = self._leaving(t, left[t - 1]) * onward
                offset.add(t, leaving, level_before[t - 1] + level_after)
                live = column[self._band.first[t - 1] + _PAD : self._band.end[t - 1] + _PAD]
                norm = live.max(initial=0.0)
                if norm > 0.0:
                    live /= norm
                    level_after += float(np.log(norm))
        return Posterior(onset.moments(onsets, near), offset.moments(offsets, near))

    def _column(self) -> DoubleArray:
        return np.zeros(self._graph.n_states + 2 * _PAD)

    def _weights(self, start: int, stop: int) -> tuple[DoubleArray, DoubleArray | None]:
        """Scores and entry costs of some frames as factors."""
        weights = np.exp(self._scale * self._trellis.scores(start, stop).astype(np.float64))
        costs = self._trellis.entry_costs(start, stop)
        return weights, None if costs is None else np.exp(-self._scale * costs.astype(np.float64))

    def _by_boundary(self, t: int, flow: DoubleArray) -> DoubleArray:
        """Sum what belongs to each entry in the band over the entries of each boundary."""
        ranges = self._ranges
        j0, j1 = ranges.boundary_first[t], ranges.boundary_end[t]
        boundary = self._graph.entered_from[ranges.entry_first[t] : ranges.entry_end[t]]
        sums = np.bincount(boundary - j0, weights=flow, minlength=j1 - j0)
        return sums.astype(np.float64)

    def _forward(self) -> tuple[list[SingleArray], list[SingleArray], DoubleArray]:
        """The way in, keeping only what crosses the boundaries of words.

        Returns
        -------
        entered : for each frame, the flow into each entry in the band
        left : for each frame, the flow at the last states before each boundary in range, and
            before the next one
        level : ndarray of float64, shape (T,)
            The running normalisation (a logarithm) that both are relative to.
        """
        graph, band, ranges = self._graph, self._band, self._ranges
        entered: list[SingleArray] = []
        left: list[SingleArray] = []
        levels = np.zeros(self._trellis.n_frames)
        was, now = self._column(), self._column()
        level, stale = 0.0, 0
        for start, stop in self._trellis.blocks(_FRAMES_AT_ONCE):
            weights, entry_weights = self._weights(start, stop)
            for t in range(start, stop):
                first, end = band.first[t], band.end[t]
                now[stale + _PAD : first + _PAD] = 0.0
                stale = band.first[t - 1] if t else 0
                live = now[first + _PAD : end + _PAD]
                np.multiply(was[first + 1 : end + 1], self._chained[first:end], out=live)
                live += was[first + _PAD : end + _PAD]
                if self._skips:
                    live += was[first:end] * self._skipping[first:end]
                j0, j1 = ranges.boundary_first[t], ranges.boundary_end[t]
                ended = was[self._exits[:, j0:j1]].sum(axis=0)
                if t == 0 and j0 == 0 and j1 > 0:
                    ended[0] = 1.0
                r0, r1 = ranges.rest_first[t], ranges.rest_end[t]
                now[self._rest[r0:r1]] += ended[r0 - j0 : r1 - j0] * self._rest_entry[r0:r1]
                e0, e1 = ranges.entry_first[t], ranges.entry_end[t]
                boundary = graph.entered_from[e0:e1]
                flow = ended[boundary - j0] + was[self._rest[boundary]]
                if entry_weights is not None:
                    flow = flow * entry_weights[t - start, e0:e1]
                now[self._entries[e0:e1]] += flow
                live *= weights[t - start].take(graph.unit[first:end])
                norm = live.max(initial=0.0) or 1.0
                live /= norm
                level += float(np.log(norm))
                levels[t] = level
                emitted = weights[t - start].take(graph.unit[graph.entries[e0:e1]])
                # Kept for every frame of the song: half the digits are plenty.
                entered.append((flow * emitted / norm).astype(np.float32))
                # One boundary more than in range: its rest may come into range a frame later.
                left.append(now[self._exits[:, j0 : j1 + 1]].sum(axis=0, dtype=np.float32))
                was, now = now, was
        return entered, left, levels

    def _leaving(self, t: int, left: SingleArray) -> DoubleArray:
        """What was at the last states a frame ago, on the boundaries in range now."""
        j0, j1 = self._ranges.boundary_first[t], self._ranges.boundary_end[t]
        i0 = self._ranges.boundary_first[t - 1]
        result = np.zeros(j1 - j0)
        known = left[max(0, j0 - i0) : j1 - i0]
        result[max(0, i0 - j0) : max(0, i0 - j0) + len(known)] = known
        return result

    def _back(
        self, t: int, column: DoubleArray, weights: DoubleArray, entry: DoubleArray | None
    ) -> DoubleArray:
        """Turn the column after frame t into the one before it, in place.

        Returns
        -------
        ndarray of float64
            What follows from standing at the end of a word, for each boundary in range.
        """
        graph, band, ranges = self._graph, self._band, self._ranges
        first, end = band.first[t], band.end[t]
        # What this frame and all after it say of each state.
        said = column[first + _PAD : end + _PAD] * weights.take(graph.unit[first:end])
        j0, j1 = ranges.boundary_first[t], ranges.boundary_end[t]
        r0, r1 = ranges.rest_first[t], ranges.rest_end[t]
        e0, e1 = ranges.entry_first[t], ranges.entry_end[t]
        flow = said[graph.entries[e0:e1] - first]
        if entry is not None:
            flow = flow * entry
        onward = self._by_boundary(t, flow)
        column[first + _PAD : end + _PAD] = said
        column[first + _PAD - 1 : end + _PAD - 1] += said * self._chained[first:end]
        if self._skips:
            column[first:end] += said * self._skipping[first:end]
        column[self._rest[j0:j1]] += onward
        onward[r0 - j0 : r1 - j0] += said[graph.rest[r0:r1] - first] * self._rest_entry[r0:r1]
        column[self._exits[:, j0:j1]] += onward
        # Nothing outside the earlier frame's band, and never before the first state.
        column[: band.first[t - 1] + _PAD] = 0.0
        column[band.end[t - 1] + _PAD : end + _PAD] = 0.0
        return onward


class _Histogram:
    """Log-weights of one event a word over time.

    A word's event can only happen while its boundary is in range: the frames of all words are
    kept one word after the other in one long array.
    """

    def __init__(self, n_words: int, first_word: IntArray, end_word: IntArray) -> None:
        words = np.arange(n_words)
        self._first = np.searchsorted(end_word, words, side="right")
        # An event may be put a frame after the last one in range.
        self._end = np.searchsorted(first_word, words, side="right") + 1
        self._base = np.append(0, np.cumsum(self._end - self._first))
        self._logs = np.full(self._base[-1], -np.inf, np.float32)
        self._first_word = first_word
        self._n_words = n_words

    def add(self, t: int, flow: DoubleArray, level: float, *, shift: int = 0) -> None:
        """Add what happens at frame ``t + shift`` to the words from the first in range on."""
        first = int(self._first_word[t])
        low, high = max(0, first), min(self._n_words, first + len(flow))
        if high > low:
            at = self._base[low:high] + t + shift - self._first[low:high]
            own = flow[low - first : high - first].astype(np.float64)
            self._logs[at] = np.log(own + _TINY) + level

    def moments(self, found: IntArray, near: int) -> Moments:
        """Moments relative to where a first pass found the event."""
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
        """The frame, with its fraction, at which half of each word's mass has passed."""
        passed = np.append(0.0, np.cumsum(weights))
        half = passed[self._base[:-1]] + 0.5 * mass
        at = np.clip(np.searchsorted(passed, half) - 1, self._base[:-1], self._base[1:] - 1)
        fraction = (half - passed[at]) / np.maximum(weights[at], _TINY)
        frame = at - self._base[:-1] + self._first
        return np.asarray(frame + np.clip(fraction, 0.0, 1.0) - 0.5, np.float64)
