"""Posteriors of word onsets and offsets, by forward-backward over the trellis.

The best path has one place for every word; the posteriors have all others with their
probabilities. The median onset under them is a better estimate than the best path's (which snaps to
single frames and breaks ties arbitrarily) and than the mean, which a far and improbable place drags
along; their spread is the base of a word's confidence.

With the transition factor a(r, s), the factor p_t(s) of entering an anchored word, the emission
b_t(s) = exp(scale · score) and the self-loop of factor 1::

    alpha_t(s) = (alpha_{t-1}(s) + p_t(s) Σ_r alpha_{t-1}(r) a(r, s)) b_t(s)
    beta_{t-1}(r) = beta_t(r) b_t(r) + Σ_s a(r, s) p_t(s) b_t(s) beta_t(s)
    P(word w starts at t) ∝ Σ_{s first of w} p_t(s) Σ_r alpha_{t-1}(r) a(r, s) b_t(s) beta_t(s)

Acoustic scores of adjacent frames are far from independent, so a full-scale posterior is
overconfident: all scores are multiplied by an acoustic scale below 1 first (as in lattice
rescoring, Wessel et al. 2001). Computed in the linear domain with a running normalisation; within a
band around a first pass this is a few vector operations per frame, compiled where that could be
(`lyricsyncd.align.compiled`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lyricsyncd.align import compiled
from lyricsyncd.align.event_times import Histogram, LogPosteriors, Moments
from lyricsyncd.align.graph import NEAR, START
from lyricsyncd.align.trellis import Band, Trellis

DoubleArray = npt.NDArray[np.float64]
SingleArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

_FRAMES_AT_ONCE = 128
_PAD = NEAR


@dataclass(frozen=True)
class Posterior:
    """Onsets and offsets of all words."""

    onset: Moments
    offset: Moments
    starts: LogPosteriors
    """Each word's onset over time."""


def posterior(
    trellis: Trellis,
    band: Band,
    onsets: IntArray,
    offsets: IntArray,
    *,
    scale: float = 0.1,
    near: int = 30,
) -> Posterior:
    """Compute the posteriors of onsets and offsets in a band around a first pass.

    Parameters
    ----------
    onsets, offsets : ndarray of int64, shape (W,)
        Frames where the first pass found the words (an offset is the frame after the last).
    scale : float
        The acoustic scale: what all scores are multiplied by.
    near : int
        Frames off within which an event counts for `Moments.near`.
    """
    return _ForwardBackward(trellis, band, scale).moments(onsets, offsets, near)


@dataclass(frozen=True)
class _Block:
    """A block of frames, and the states that any of them may be in.

    Attributes
    ----------
    low, high : int
        These states, ``low <= s < high``; the first frame's predecessors are among them.
    emission : ndarray of float64, shape (frames, high - low)
        The scores of the states as factors, b.
    entry_factors : ndarray of float64, shape (frames, anchored entries), or None
        The entry penalties as factors, p.
    """

    start: int
    stop: int
    low: int
    high: int
    emission: DoubleArray
    entry_factors: DoubleArray | None

    @property
    def width(self) -> int:
        """Cells of a row over these states."""
        return _PAD + self.high - self.low

    def cells(self, states: IntArray) -> IntArray:
        """Return the cells of states in a row; a cell that is always zero for those outside."""
        cells = states - self.low + _PAD
        return np.where((cells >= 0) & (cells < self.width), cells, 0)

    def reindexed(self, row: DoubleArray, low: int) -> DoubleArray:
        """Return a row over the states from ``low`` on as one over these."""
        result = np.zeros(self.width)
        first, end = max(low, self.low), min(low + len(row) - _PAD, self.high)
        if end > first:
            part = row[first - low + _PAD : end - low + _PAD]
            result[first - self.low + _PAD : end - self.low + _PAD] = part
        return result


@dataclass(frozen=True)
class _BoundaryMass:
    """The forward mass at the word boundaries of one block, which the backward pass needs.

    Stored for every frame of the song, therefore in single precision.

    Attributes
    ----------
    entries, boundaries : slice
        Those in the band at any of the frames.
    entered : ndarray of float32, shape (frames, entries)
        The mass that enters the first state of a word.
    exited : ndarray of float32, shape (frames, boundaries)
        The mass at the last states before each boundary in the frame before.
    """

    start: int
    stop: int
    entries: slice
    boundaries: slice
    entered: SingleArray
    exited: SingleArray


class _ForwardBackward:
    """The forward and the backward pass over one trellis.

    The columns of a block of frames are the rows of one array, so that the mass at word boundaries
    is gathered for all frames at once; only the recursion itself goes frame by frame.
    """

    def __init__(self, trellis: Trellis, band: Band, scale: float) -> None:
        graph, steps = trellis.graph, trellis.graph.steps
        self._trellis, self._graph, self._band, self._scale = trellis, graph, band, scale
        self._silence_factors = np.exp(-scale * trellis.silence_entry.astype(np.float64))
        entry = np.ones(graph.n_states)
        entry[graph.silence] = self._silence_factors
        self._near = np.where(steps.near, entry, 0.0)
        self._far, self._far_factors = steps.far, entry[steps.far]
        self._sources = steps.sources + _PAD
        self._far_range = _in_band(steps.far, band)
        self._anchored = trellis.anchored
        self._anchored_states = graph.entries[self._anchored]
        self._anchored_range = _in_band(self._anchored_states, band)
        self._entry_range = _in_band(graph.entries, band)
        self._boundary_range = self._boundaries()
        self._compiled = compiled.Steps(
            first=band.first,
            end=band.end,
            unit=graph.unit,
            near=self._near,
            far=self._far,
            sources=self._sources,
            far_weights=self._far_factors,
            far_first=self._far_range[0],
            far_end=self._far_range[1],
            pad=_PAD,
        )
        self._compiled_anchored = compiled.Entries(
            column=self._anchored,
            state=self._anchored_states,
            first=self._anchored_range[0],
            end=self._anchored_range[1],
            n_columns=len(self._anchored),
        )
        self._compiled_entries = compiled.Entries(
            column=graph.entries,
            state=graph.entries,
            first=self._entry_range[0],
            end=self._entry_range[1],
            n_columns=0,
        )

    def moments(self, onsets: IntArray, offsets: IntArray, near: int) -> Posterior:
        """Run forward, then backward, and collect the mass at the word boundaries."""
        graph, n_frames = self._graph, self._trellis.n_frames
        first, end = self._boundary_range
        onset = Histogram(graph.n_words, first, end)
        offset = Histogram(graph.n_words, first - 1, end)
        masses, before, final = self._forward()
        row, low, level = self._ending(), 0, 0.0
        for mass in reversed(masses):
            block = self._block(mass.start, mass.stop)
            rows, beta_emission, after = self._backward(block, block.reindexed(row, low), level)
            row, low, level = rows[0], block.low, float(after[0])
            frames = np.arange(block.start, block.stop)
            starting = mass.entered * rows[1:, block.cells(graph.entries[mass.entries])]
            words, joint = self._by_boundary(mass, starting)
            onset.add(frames, words, joint, before[frames] + after[1:])
            # No word ends before the first frame.
            some = slice(1 if block.start == 0 else 0, None)
            joint = mass.exited * self._after_word_end(block, mass, beta_emission)
            words = np.arange(mass.boundaries.start, mass.boundaries.stop) - 1
            levels = before[frames - 1] + after[1:]
            offset.add(frames[some], words, joint[some], levels[some])
        # The last word may end with the audio.
        last, word = np.array([n_frames - 1]), np.array([graph.n_words - 1])
        offset.add(last, word, np.array([[final]]), before[-1:], shift=1)
        moments = onset.moments(onsets, near), offset.moments(offsets, near)
        return Posterior(*moments, onset.log_posteriors())

    def _boundaries(self) -> tuple[IntArray, IntArray]:
        """Return the boundaries whose silence or entries are in the band, as first and end."""
        graph = self._graph
        silence_first, silence_end = _in_band(graph.silence, self._band)
        entry_first, entry_end = self._entry_range
        n = len(graph.entries)
        needed_first = np.append(graph.entered_from, graph.n_words)[np.minimum(entry_first, n)]
        needed_end = np.append(-1, graph.entered_from)[entry_end] + 1
        return np.minimum(silence_first, needed_first), np.maximum(silence_end, needed_end)

    def _block(self, start: int, stop: int) -> _Block:
        graph, trellis = self._graph, self._trellis
        low, high = int(self._band.first[max(start - 1, 0)]), int(self._band.end[stop - 1])
        factors = np.exp(self._scale * trellis.scores(start, stop).astype(np.float64))
        penalties, entry = trellis.entry_penalties(start, stop), None
        if penalties is not None:
            anchored = np.ascontiguousarray(penalties[:, self._anchored], np.float64)
            entry = np.exp(-self._scale * anchored)
        return _Block(start, stop, low, high, factors.take(graph.unit[low:high], axis=1), entry)

    def _ending(self) -> DoubleArray:
        """Return beta after the last frame, over all states: 1 where the song may end."""
        column = np.zeros(_PAD + self._graph.n_states)
        ends = self._graph.exits[:, -1]
        column[_PAD + ends[ends >= 0]] = 1.0
        column[_PAD + self._graph.silence[-1]] = 1.0
        return column

    def _by_boundary(self, mass: _BoundaryMass, flow: DoubleArray) -> tuple[IntArray, DoubleArray]:
        """Sum the flow of the entries of each boundary, shape (frames, boundaries)."""
        boundary = self._graph.entered_from[mass.entries]
        if len(boundary) == 0:
            return boundary, flow
        (starts,) = np.nonzero(np.diff(boundary, prepend=-1))
        return boundary[starts], np.add.reduceat(flow, starts, axis=1)

    def _forward(self) -> tuple[list[_BoundaryMass], DoubleArray, float]:
        """Run forward, keeping only the mass at word boundaries.

        Returns
        -------
        masses : list of _BoundaryMass
        level : ndarray of float64, shape (T,)
            The running normalisation (a logarithm) that they are relative to.
        final : float
            The mass at the last states of the last word after the last frame.
        """
        graph = self._graph
        masses: list[_BoundaryMass] = []
        levels = np.zeros(self._trellis.n_frames)
        level, row, low = 0.0, np.zeros(_PAD), 0
        for start, stop in self._trellis.blocks(_FRAMES_AT_ONCE):
            block = self._block(start, stop)
            rows = np.zeros((stop - start + 1, block.width))
            rows[0] = block.reindexed(row, low)
            if start == 0:
                rows[0, _PAD + START] = 1.0
            entries = slice(int(self._entry_range[0][start]), int(self._entry_range[1][stop - 1]))
            entered = np.zeros((stop - start, entries.stop - entries.start))
            norms = np.ones(stop - start)
            if compiled.LIBRARY is not None:
                compiled.forward_frames(
                    compiled.LIBRARY,
                    (start, stop),
                    block.low,
                    self._compiled,
                    self._compiled_anchored,
                    self._compiled_entries,
                    entries.start,
                    block.emission,
                    block.entry_factors,
                    rows,
                    entered,
                    norms,
                )
            else:
                for i in range(stop - start):
                    norms[i] = self._forward_frame(block, i, rows, entered, entries.start)
            levels[start:stop] = level + np.cumsum(np.log(norms))
            level, row, low = float(levels[stop - 1]), rows[-1], block.low
            emitted = block.emission[:, graph.entries[entries] - block.low]
            entered *= emitted / norms[:, None]
            first, end = self._boundary_range
            boundaries = slice(int(first[start]), int(end[stop - 1]))
            exited = rows[:-1, block.cells(graph.exits[:, boundaries])].sum(axis=1)
            masses.append(
                _BoundaryMass(
                    *(start, stop, entries, boundaries),
                    *(entered.astype(np.float32), exited.astype(np.float32)),
                )
            )
        ends = graph.exits[:, -1]
        final = float(rows[-1, block.cells(ends[ends >= 0])].sum())
        return masses, levels, final

    def _forward_frame(
        self, block: _Block, i: int, rows: DoubleArray, entered: DoubleArray, first_entry: int
    ) -> float:
        """Compute alpha of one frame into row ``i + 1``; return its norm."""
        t = block.start + i
        first, end = int(self._band.first[t]), int(self._band.end[t])
        a, b = first - block.low + _PAD, end - block.low + _PAD
        previous, current = rows[i], rows[i + 1, a:b]
        np.multiply(previous[a - 1 : b - 1], self._near[0][first:end], out=current)
        for back, factors in enumerate(self._near[1:], 2):
            current += previous[a - back : b - back] * factors[first:end]
        f0, f1 = self._far_range[0][t], self._far_range[1][t]
        if f1 > f0:
            flow = previous[np.maximum(self._sources[:, f0:f1] - block.low, 0)].sum(axis=0)
            current[self._far[f0:f1] - first] = flow * self._far_factors[f0:f1]
        if block.entry_factors is not None:
            p0, p1 = self._anchored_range[0][t], self._anchored_range[1][t]
            current[self._anchored_states[p0:p1] - first] *= block.entry_factors[i, p0:p1]
        e0, e1 = self._entry_range[0][t], self._entry_range[1][t]
        entered[i, e0 - first_entry : e1 - first_entry] = current[
            self._graph.entries[e0:e1] - first
        ]
        current += previous[a:b]
        current *= block.emission[i, first - block.low : end - block.low]
        norm = float(current.max(initial=0.0)) or 1.0
        current /= norm
        return norm

    def _backward(
        self, block: _Block, row: DoubleArray, level: float
    ) -> tuple[DoubleArray, DoubleArray, DoubleArray]:
        """Run from the column after a block's last frame to the one before its first.

        Returns
        -------
        rows : shape (frames + 1, width)
            Beta of each state, before the first frame and after each.
        beta_emission : shape (frames, width)
            b_t · beta_t of each state: the likelihood of this frame and all after it.
        levels : shape (frames + 1,)
            The running normalisation of ``rows``.
        """
        n = block.stop - block.start
        rows, beta_emission = np.zeros((n + 1, block.width)), np.zeros((n, block.width))
        rows[n] = row
        norms = np.ones(n + 1)
        if compiled.LIBRARY is not None:
            compiled.backward_frames(
                compiled.LIBRARY,
                (block.start, block.stop),
                block.low,
                self._compiled,
                self._compiled_anchored,
                block.emission,
                block.entry_factors,
                rows,
                beta_emission,
                norms,
            )
        else:
            self._backward_frames(block, rows, beta_emission, norms)
        return rows, beta_emission, level + np.cumsum(np.log(norms)[::-1])[::-1]

    def _backward_frames(
        self, block: _Block, rows: DoubleArray, beta_emission: DoubleArray, norms: DoubleArray
    ) -> None:
        """Fill in the rows but the last with numpy: what `compiled.backward_frames` does."""
        for i in range(block.stop - block.start - 1, -1, -1):
            t = block.start + i
            first, end = int(self._band.first[t]), int(self._band.end[t])
            a, b = first - block.low + _PAD, end - block.low + _PAD
            emission = block.emission[i, first - block.low : end - block.low]
            entering = np.multiply(rows[i + 1, a:b], emission, out=beta_emission[i, a:b])
            if t == 0:
                break
            now = rows[i]
            now[a:b] = entering
            if block.entry_factors is not None:
                p0, p1 = self._anchored_range[0][t], self._anchored_range[1][t]
                entering = entering.copy()
                entering[self._anchored_states[p0:p1] - first] *= block.entry_factors[i, p0:p1]
            for back, factors in enumerate(self._near, 1):
                now[a - back : b - back] += entering * factors[first:end]
            f0, f1 = self._far_range[0][t], self._far_range[1][t]
            if f1 > f0:
                flow = entering[self._far[f0:f1] - first] * self._far_factors[f0:f1]
                for sources in np.maximum(self._sources[:, f0:f1] - block.low, 0):
                    np.add.at(now, sources, flow)
            # Nothing outside the earlier frame's band, and never before the first state.
            low, high = int(self._band.first[t - 1]), int(self._band.end[t - 1])
            now[: low - block.low + _PAD] = 0.0
            now[high - block.low + _PAD :] = 0.0
            norms[i] = float(now.max(initial=0.0)) or 1.0
            now /= norms[i]

    def _after_word_end(
        self, block: _Block, mass: _BoundaryMass, beta_emission: DoubleArray
    ) -> DoubleArray:
        """Return beta of the word ends in the frame before, shape (frames, boundaries)."""
        graph, boundaries, entries = self._graph, mass.boundaries, mass.entries
        following: DoubleArray = beta_emission[:, block.cells(graph.silence[boundaries])]
        following *= self._silence_factors[boundaries]
        entering = beta_emission[:, block.cells(graph.entries[entries])]
        if block.entry_factors is not None:
            p0, p1 = np.searchsorted(self._anchored, [entries.start, entries.stop])
            entering[:, self._anchored[p0:p1] - entries.start] *= block.entry_factors[:, p0:p1]
        entered, flow = self._by_boundary(mass, entering)
        following[:, entered - boundaries.start] += flow
        return following


def _in_band(states: IntArray, band: Band) -> tuple[IntArray, IntArray]:
    """Return which of some increasing states are in the band at each frame, as first and end."""
    return np.searchsorted(states, band.first), np.searchsorted(states, band.end)
