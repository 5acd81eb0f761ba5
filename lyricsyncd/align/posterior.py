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

from lyricsyncd.align.graph import NEAR, START
from lyricsyncd.align.trellis import Band, Trellis

DoubleArray = npt.NDArray[np.float64]
SingleArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

_FRAMES_AT_ONCE = 128
_PAD = NEAR
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
class LogPosteriors:
    """How likely one event of each word (its onset) is at each frame, those of all words one after
    the other.

    Attributes
    ----------
    logs : ndarray of float32, shape (n,)
        Nats below the word's likeliest frame.
    base : ndarray of int64, shape (W + 1,)
        Where each word's begin.
    first : ndarray of int64, shape (W,)
        The frame that each word's begin with; before it, and after the last, there is no chance.
    """

    logs: SingleArray
    base: IntArray
    first: IntArray


@dataclass(frozen=True)
class Posterior:
    """Onsets and offsets of all words."""

    onset: Moments
    offset: Moments
    starts: LogPosteriors
    """How likely each word's onset is at each frame."""


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
    return _ForwardBackward(trellis, band, scale).moments(onsets, offsets, near)


@dataclass(frozen=True)
class _Block:
    """Some frames, and the states that any of them may reach.

    Attributes
    ----------
    low, high : int
        These states, ``low <= s < high``; the first frame's predecessors are among them.
    weights : ndarray of float64, shape (frames, high - low)
        The scores of the states as factors.
    paid : ndarray of float64, shape (frames, anchored entries), or None
        The same of what it costs to enter.
    """

    start: int
    stop: int
    low: int
    high: int
    weights: DoubleArray
    paid: DoubleArray | None

    @property
    def width(self) -> int:
        """Cells of a row over these states."""
        return _PAD + self.high - self.low

    def cells(self, states: IntArray) -> IntArray:
        """Where states stand in a row; those that are not in it, on a cell that is always zero."""
        cells = states - self.low + _PAD
        return np.where((cells >= 0) & (cells < self.width), cells, 0)

    def moved(self, row: DoubleArray, low: int) -> DoubleArray:
        """A row over other states, from ``low`` on, as one over these."""
        mine = np.zeros(self.width)
        first, end = max(low, self.low), min(low + len(row) - _PAD, self.high)
        if end > first:
            part = row[first - low + _PAD : end - low + _PAD]
            mine[first - self.low + _PAD : end - self.low + _PAD] = part
        return mine


@dataclass(frozen=True)
class _BoundaryMass:
    """What the way in has for the way back, for the frames of one block.

    Kept for every frame of the song: half the digits are plenty.

    Attributes
    ----------
    entries, boundaries : slice
        Those in range at any of the frames.
    entered : ndarray of float32, shape (frames, entries)
        The flow into each entry.
    left : ndarray of float32, shape (frames, boundaries)
        What was at the last states before each boundary a frame ago.
    """

    start: int
    stop: int
    entries: slice
    boundaries: slice
    entered: SingleArray
    left: SingleArray


class _ForwardBackward:
    """Both directions over one trellis.

    The columns of a block of frames are the rows of one array, so that what crosses the boundaries
    of words is gathered for all of them in one go; only the recursion itself goes frame by frame.
    """

    def __init__(self, trellis: Trellis, band: Band, scale: float) -> None:
        graph, steps = trellis.graph, trellis.graph.steps
        self._trellis, self._graph, self._band, self._scale = trellis, graph, band, scale
        self._to_rest = np.exp(-scale * trellis.rest_entry.astype(np.float64))
        into = np.ones(graph.n_states)
        into[graph.rest] = self._to_rest
        self._near = [np.where(near, into, 0.0) for near in steps.near]
        self._far, self._far_factors = steps.far, into[steps.far]
        self._sources = steps.sources + _PAD
        self._far_range = _in_band(steps.far, band)
        self._anchored = trellis.anchored
        self._paying = graph.entries[self._anchored]
        self._paying_range = _in_band(self._paying, band)
        self._entry_range = _in_band(graph.entries, band)
        self._boundary_range = self._boundaries()

    def moments(self, onsets: IntArray, offsets: IntArray, near: int) -> Posterior:
        """Forward, then backward, gathering what crosses the boundaries of words."""
        graph, n_frames = self._graph, self._trellis.n_frames
        first, end = self._boundary_range
        onset = _Histogram(graph.n_words, first, end)
        offset = _Histogram(graph.n_words, first - 1, end)
        crossings, before, at_end = self._forward()
        row, low, level = self._ending(), 0, 0.0
        for crossing in reversed(crossings):
            block = self._block(crossing.start, crossing.stop)
            rows, said, after = self._backward(block, block.moved(row, low), level)
            row, low, level = rows[0], block.low, float(after[0])
            frames = np.arange(block.start, block.stop)
            starting = crossing.entered * rows[1:, block.cells(graph.entries[crossing.entries])]
            words, joint = self._by_boundary(crossing, starting)
            onset.add(frames, words, joint, before[frames] + after[1:])
            # No word ends before the first frame.
            some = slice(1 if block.start == 0 else 0, None)
            joint = crossing.left * self._onward(block, crossing, said)
            words = np.arange(crossing.boundaries.start, crossing.boundaries.stop) - 1
            levels = before[frames - 1] + after[1:]
            offset.add(frames[some], words, joint[some], levels[some])
        # The last word may end with the audio.
        last, word = np.array([n_frames - 1]), np.array([graph.n_words - 1])
        offset.add(last, word, np.array([[at_end]]), before[-1:], shift=1)
        moments = onset.moments(onsets, near), offset.moments(offsets, near)
        return Posterior(*moments, onset.chances())

    def _boundaries(self) -> tuple[IntArray, IntArray]:
        """The boundaries that matter at each frame: whose rest or entries are in the band."""
        graph = self._graph
        rest_first, rest_end = _in_band(graph.rest, self._band)
        entry_first, entry_end = self._entry_range
        n = len(graph.entries)
        needed_first = np.append(graph.entered_from, graph.n_words)[np.minimum(entry_first, n)]
        needed_end = np.append(-1, graph.entered_from)[entry_end] + 1
        return np.minimum(rest_first, needed_first), np.maximum(rest_end, needed_end)

    def _block(self, start: int, stop: int) -> _Block:
        graph, trellis = self._graph, self._trellis
        low, high = int(self._band.first[max(start - 1, 0)]), int(self._band.end[stop - 1])
        factors = np.exp(self._scale * trellis.scores(start, stop).astype(np.float64))
        costs, paid = trellis.entry_penalties(start, stop), None
        if costs is not None:
            paid = np.exp(-self._scale * costs[:, self._anchored].astype(np.float64))
        return _Block(start, stop, low, high, factors.take(graph.unit[low:high], axis=1), paid)

    def _ending(self) -> DoubleArray:
        """The column after the last frame, over all states: where the song may end."""
        column = np.zeros(_PAD + self._graph.n_states)
        ends = self._graph.exits[:, -1]
        column[_PAD + ends[ends >= 0]] = 1.0
        column[_PAD + self._graph.rest[-1]] = 1.0
        return column

    def _by_boundary(
        self, crossing: _BoundaryMass, flow: DoubleArray
    ) -> tuple[IntArray, DoubleArray]:
        """Sum what belongs to each entry over the entries of each boundary, shape (frames, n)."""
        boundary = self._graph.entered_from[crossing.entries]
        if len(boundary) == 0:
            return boundary, flow
        (starts,) = np.nonzero(np.diff(boundary, prepend=-1))
        return boundary[starts], np.add.reduceat(flow, starts, axis=1)

    def _forward(self) -> tuple[list[_BoundaryMass], DoubleArray, float]:
        """The way in, keeping only what crosses the boundaries of words.

        Returns
        -------
        crossings : list of _BoundaryMass
        level : ndarray of float64, shape (T,)
            The running normalisation (a logarithm) that they are relative to.
        at_end : float
            What is at the last states of the last word after the last frame.
        """
        graph = self._graph
        crossings: list[_BoundaryMass] = []
        levels = np.zeros(self._trellis.n_frames)
        level, row, low = 0.0, np.zeros(_PAD), 0
        for start, stop in self._trellis.blocks(_FRAMES_AT_ONCE):
            block = self._block(start, stop)
            rows = np.zeros((stop - start + 1, block.width))
            rows[0] = block.moved(row, low)
            if start == 0:
                rows[0, _PAD + START] = 1.0
            entries = slice(int(self._entry_range[0][start]), int(self._entry_range[1][stop - 1]))
            entered = np.zeros((stop - start, entries.stop - entries.start))
            norms = np.ones(stop - start)
            for i in range(stop - start):
                norms[i] = self._onto(block, i, rows, entered, entries.start)
            levels[start:stop] = level + np.cumsum(np.log(norms))
            level, row, low = float(levels[stop - 1]), rows[-1], block.low
            emitted = block.weights[:, graph.entries[entries] - block.low]
            entered *= emitted / norms[:, None]
            first, end = self._boundary_range
            boundaries = slice(int(first[start]), int(end[stop - 1]))
            left = rows[:-1, block.cells(graph.exits[:, boundaries])].sum(axis=1)
            crossings.append(
                _BoundaryMass(
                    *(start, stop, entries, boundaries),
                    *(entered.astype(np.float32), left.astype(np.float32)),
                )
            )
        ends = graph.exits[:, -1]
        at_end = float(rows[-1, block.cells(ends[ends >= 0])].sum())
        return crossings, levels, at_end

    def _onto(
        self, block: _Block, i: int, rows: DoubleArray, entered: DoubleArray, first_entry: int
    ) -> float:
        """One frame forward: fill row ``i + 1`` from the one before; returns its norm."""
        t = block.start + i
        first, end = int(self._band.first[t]), int(self._band.end[t])
        a, b = first - block.low + _PAD, end - block.low + _PAD
        was, live = rows[i], rows[i + 1, a:b]
        np.multiply(was[a - 1 : b - 1], self._near[0][first:end], out=live)
        for back, factors in enumerate(self._near[1:], 2):
            live += was[a - back : b - back] * factors[first:end]
        f0, f1 = self._far_range[0][t], self._far_range[1][t]
        if f1 > f0:
            flow = was[np.maximum(self._sources[:, f0:f1] - block.low, 0)].sum(axis=0)
            live[self._far[f0:f1] - first] = flow * self._far_factors[f0:f1]
        if block.paid is not None:
            p0, p1 = self._paying_range[0][t], self._paying_range[1][t]
            live[self._paying[p0:p1] - first] *= block.paid[i, p0:p1]
        e0, e1 = self._entry_range[0][t], self._entry_range[1][t]
        entered[i, e0 - first_entry : e1 - first_entry] = live[self._graph.entries[e0:e1] - first]
        live += was[a:b]
        live *= block.weights[i, first - block.low : end - block.low]
        norm = float(live.max(initial=0.0)) or 1.0
        live /= norm
        return norm

    def _backward(
        self, block: _Block, row: DoubleArray, level: float
    ) -> tuple[DoubleArray, DoubleArray, DoubleArray]:
        """From the column after a block's last frame to the one before its first.

        Returns
        -------
        rows : shape (frames + 1, width)
            What follows from each state, before the first frame and after each.
        said : shape (frames, width)
            What each frame and all after it say of each state.
        levels : shape (frames + 1,)
            The running normalisation of ``rows``.
        """
        n = block.stop - block.start
        rows, said = np.zeros((n + 1, block.width)), np.zeros((n, block.width))
        rows[n] = row
        norms = np.ones(n + 1)
        for i in range(n - 1, -1, -1):
            t = block.start + i
            first, end = int(self._band.first[t]), int(self._band.end[t])
            a, b = first - block.low + _PAD, end - block.low + _PAD
            weights = block.weights[i, first - block.low : end - block.low]
            into = np.multiply(rows[i + 1, a:b], weights, out=said[i, a:b])
            if t == 0:
                break
            now = rows[i]
            now[a:b] = into
            if block.paid is not None:
                p0, p1 = self._paying_range[0][t], self._paying_range[1][t]
                into = into.copy()
                into[self._paying[p0:p1] - first] *= block.paid[i, p0:p1]
            for back, factors in enumerate(self._near, 1):
                now[a - back : b - back] += into * factors[first:end]
            f0, f1 = self._far_range[0][t], self._far_range[1][t]
            if f1 > f0:
                flow = into[self._far[f0:f1] - first] * self._far_factors[f0:f1]
                for sources in np.maximum(self._sources[:, f0:f1] - block.low, 0):
                    np.add.at(now, sources, flow)
            # Nothing outside the earlier frame's band, and never before the first state.
            low, high = int(self._band.first[t - 1]), int(self._band.end[t - 1])
            now[: low - block.low + _PAD] = 0.0
            now[high - block.low + _PAD :] = 0.0
            norms[i] = float(now.max(initial=0.0)) or 1.0
            now /= norms[i]
        return rows, said, level + np.cumsum(np.log(norms)[::-1])[::-1]

    def _onward(self, block: _Block, crossing: _BoundaryMass, said: DoubleArray) -> DoubleArray:
        """What follows from standing at the end of a word a frame ago, (frames, boundaries)."""
        graph, boundaries, entries = self._graph, crossing.boundaries, crossing.entries
        onward: DoubleArray = said[:, block.cells(graph.rest[boundaries])]
        onward *= self._to_rest[boundaries]
        entering = said[:, block.cells(graph.entries[entries])]
        if block.paid is not None:
            p0, p1 = np.searchsorted(self._anchored, [entries.start, entries.stop])
            entering[:, self._anchored[p0:p1] - entries.start] *= block.paid[:, p0:p1]
        entered, flow = self._by_boundary(crossing, entering)
        onward[:, entered - boundaries.start] += flow
        return onward


def _in_band(states: IntArray, band: Band) -> tuple[IntArray, IntArray]:
    """The part of some growing states that is in the band at each frame, as first and end."""
    return np.searchsorted(states, band.first), np.searchsorted(states, band.end)


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
        """Add what happens at some frames (and ``shift``) to some words, as far as in range.

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

    def chances(self) -> LogPosteriors:
        """The log-weights, relative to each word's greatest."""
        most = np.maximum.reduceat(self._logs, self._base[:-1])
        logs = self._logs - np.repeat(most, np.diff(self._base))
        return LogPosteriors(logs, self._base, self._first)

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
