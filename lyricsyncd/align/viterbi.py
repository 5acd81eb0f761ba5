"""The best path through the trellis, exactly.

Time-synchronous dynamic programming (Viterbi 1967). One frame is a few operations on contiguous
slices of states, compiled where that could be (`lyricsyncd.align.compiled`), else in plain numpy;
only the few connections that reach far back need indexing. Back-pointers take a byte per state and
frame; a song whose back-pointers would not fit the memory budget is searched in blocks, of which
only the first column is stored, and each block is searched again in the backtrace (checkpointing:
Grice, Hughey & Speck 1997).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lyricsyncd.align import compiled
from lyricsyncd.align.graph import NEAR, START, Graph
from lyricsyncd.align.trellis import Band, Trellis

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

# Back-pointers: how many states before this one the path came from (0: self-loop), or from `_FAR`
# on, the row of `Steps.sources`.
_FAR = NEAR + 1

_NEVER = np.float32(-np.inf)
_PAD = NEAR
"""Cells before the first state, so that reaching back needs no bounds checks."""
_POINTER_BUDGET = 80_000_000
"""Bytes of back-pointers held at once."""
_SCORES_AT_ONCE = 256


@dataclass(frozen=True)
class Path:
    """A path: one state per frame.

    Attributes
    ----------
    states : ndarray of int64, shape (T,)
    score : float
        Its log-score in nats, priors included.
    """

    states: IntArray
    score: float


def best_path(trellis: Trellis, band: Band | None = None) -> Path | None:
    """Find the path with the highest score; ``None`` where none fits the audio or the band."""
    graph = trellis.graph
    if trellis.n_frames < max(1, graph.shortest):
        return None
    band = trellis.band(band)
    if band.gaps:
        return None
    step = _Step(trellis, band)
    columns = []
    column = step.start_column()
    pointers = None
    blocks = list(_blocks(band))
    for block in blocks:
        columns.append(column)
        last = block is blocks[-1]
        column, pointers = step.block(block, column, keep_pointers=last)
    state = _last_state(graph, column)
    score = float(column[_PAD + state])
    if score == -np.inf:
        return None
    states = np.empty(trellis.n_frames, np.int64)
    for block, column in zip(reversed(blocks), reversed(columns), strict=True):
        if pointers is None:
            _, pointers = step.block(block, column, keep_pointers=True)
        assert pointers is not None
        state = step.trace(pointers, block, int(state), states)
        pointers = None
    return Path(states, score)


def best_score(trellis: Trellis) -> float | None:
    """Return the score of `best_path`, for little more than half of the work."""
    graph = trellis.graph
    if trellis.n_frames < max(1, graph.shortest):
        return None
    step = _Step(trellis, Band.whole(graph, trellis.n_frames))
    whole = (0, trellis.n_frames)
    column, _ = step.block(whole, step.start_column(), keep_pointers=False)
    score = float(column[_PAD + _last_state(graph, column)])
    return None if score == -np.inf else score


def _last_state(graph: Graph, column: FloatArray) -> int:
    """Return the best final state: the last silence, or an end of the last word."""
    ends = [graph.silence[-1], *(e for e in graph.exits[:, -1] if e >= 0)]
    return int(max(ends, key=lambda s: column[_PAD + s]))


def _blocks(band: Band) -> Iterator[tuple[int, int]]:
    """Yield the frames in blocks whose back-pointers fit the budget."""
    taken, start = np.append(0, np.cumsum(band.end - band.first)), 0
    while start < len(band.first):
        fitting = int(np.searchsorted(taken, taken[start] + _POINTER_BUDGET, side="right")) - 1
        stop = min(max(fitting, start + _SCORES_AT_ONCE), len(band.first))
        yield start, stop
        start = stop


@dataclass(frozen=True)
class _Pointers:
    """Back-pointers of a block of frames, one frame after the other.

    Attributes
    ----------
    codes : ndarray of uint8
    begin : ndarray of int64, shape (frames + 1,)
        The index of each frame's first, which is of the first state of its band.
    """

    codes: npt.NDArray[np.uint8]
    begin: IntArray

    @classmethod
    def empty(cls, band: Band, start: int, stop: int) -> _Pointers:
        begin = np.append(0, np.cumsum(band.end[start:stop] - band.first[start:stop]))
        return cls(np.empty(begin[-1], np.uint8), begin)

    def frame(self, at: int) -> npt.NDArray[np.uint8]:
        """Return those of frame number ``at`` of the block."""
        return self.codes[self.begin[at] : self.begin[at + 1]]


@dataclass(frozen=True)
class _Buffers:
    """Room for the states of a frame, so that none is allocated for every frame."""

    enter: FloatArray
    other: FloatArray
    emitted: FloatArray
    wins: npt.NDArray[np.bool_]
    code: npt.NDArray[np.uint8]
    other_code: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, width: int) -> _Buffers:
        enter, other, emitted = (np.empty(width, np.float32) for _ in range(3))
        code, other_code = (np.empty(width, np.uint8) for _ in range(2))
        return cls(enter, other, emitted, np.empty(width, np.bool_), code, other_code)


class _Step:
    """The recursion, with everything that does not change from frame to frame."""

    def __init__(self, trellis: Trellis, band: Band) -> None:
        graph = trellis.graph
        steps = graph.steps
        self._trellis, self._graph, self._band, self._steps = trellis, graph, band, steps
        entry = np.zeros(graph.n_states, np.float32)
        entry[graph.silence] = trellis.silence_entry
        entry[graph.skips] = trellis.skip_entry
        self._near_scores = np.where(steps.near, -entry, _NEVER)
        self._far_penalties = entry[steps.far]
        self._sources = steps.sources + _PAD
        self._far_first = np.searchsorted(steps.far, band.first)
        self._far_end = np.searchsorted(steps.far, band.end)
        self._anchored = trellis.anchored
        self._anchored_states = graph.entries[self._anchored]
        self._anchored_first = np.searchsorted(self._anchored_states, band.first)
        self._anchored_end = np.searchsorted(self._anchored_states, band.end)
        self._compiled = compiled.Steps(
            first=band.first,
            end=band.end,
            unit=graph.unit,
            near=self._near_scores,
            far=steps.far,
            sources=self._sources,
            far_weights=self._far_penalties,
            far_first=self._far_first,
            far_end=self._far_end,
            pad=_PAD,
        )
        self._compiled_entries = compiled.Entries(
            column=self._anchored,
            state=self._anchored_states,
            first=self._anchored_first,
            end=self._anchored_end,
            n_columns=len(graph.entries),
        )

    def start_column(self) -> FloatArray:
        """Return the column before the first frame: only the start has been reached."""
        column = self._blank_column()
        column[_PAD + START] = 0.0
        return column

    def _blank_column(self) -> FloatArray:
        return np.full(self._graph.n_states + _PAD, _NEVER, np.float32)

    def block(
        self, block: tuple[int, int], column: FloatArray, *, keep_pointers: bool
    ) -> tuple[FloatArray, _Pointers | None]:
        """Advance a column of scores over some frames; return it with the back-pointers.

        What it computes, state by state (``came`` has -inf for sources outside the band)::

            for t in range(start, stop):
                for s in range(band.first[t], band.end[t]):
                    came = max((was[r] for r in sources(s)), default=-inf)
                    enter = came - silence_entry(s) - entry_penalty(t, s)
                    now[s] = max(was[s], enter) + scores[t, unit[s]]
                was = now

        Below, a loop over states is one operation on a slice, and the buffers are reused.
        """
        start, stop = block
        band = self._band
        width = int((band.end[start:stop] - band.first[start:stop]).max())
        pointers = _Pointers.empty(band, start, stop) if keep_pointers else None
        was, now = column.copy(), self._blank_column()
        buffers = _Buffers.of(width)
        for begin in range(start, stop, _SCORES_AT_ONCE):
            frames = start, begin, min(begin + _SCORES_AT_ONCE, stop)
            scores = self._trellis.scores(*frames[1:])
            penalties = self._trellis.entry_penalties(*frames[1:])
            if compiled.LIBRARY is None:
                was, now = self._advanced(frames, scores, penalties, was, now, buffers, pointers)
                continue
            swapped = compiled.viterbi_frames(
                compiled.LIBRARY,
                frames,
                self._compiled,
                self._compiled_entries,
                scores,
                penalties,
                (was, now),
                buffers.enter,
                None if pointers is None else pointers.codes,
                None if pointers is None else pointers.begin,
            )
            was, now = (now, was) if swapped else (was, now)
        # Nothing outside this frame's range is reachable.
        was[: int(band.first[stop - 1]) + _PAD] = _NEVER
        return was, pointers

    def _advanced(
        self,
        frames: tuple[int, int, int],
        scores: FloatArray,
        penalties: FloatArray | None,
        was: FloatArray,
        now: FloatArray,
        buffers: _Buffers,
        pointers: _Pointers | None,
    ) -> tuple[FloatArray, FloatArray]:
        """Advance a column over some frames with numpy: what `compiled.viterbi_frames` does."""
        start, begin, until = frames
        graph, band, steps = self._graph, self._band, self._steps
        for t in range(begin, until):
            at = t - begin
            first, end = int(band.first[t]), int(band.end[t])
            n, low, high = end - first, first + _PAD, end + _PAD
            # What the column of two frames ago has below this one.
            now[(int(band.first[t - 2]) if t >= start + 2 else 0) + _PAD : low] = _NEVER
            enter, other, better = buffers.enter[:n], buffers.other[:n], buffers.wins[:n]
            pointer = pointers.frame(t - start) if pointers is not None else None

            # From just before: the best of a few slices.
            np.add(was[low - 1 : high - 1], self._near_scores[0][first:end], out=enter)
            if pointer is not None:
                code, other_code = buffers.code[:n], buffers.other_code[:n]
                code.fill(1)
            for back, score in enumerate(self._near_scores[1:], 2):
                np.add(was[low - back : high - back], score[first:end], out=other)
                if pointer is not None:
                    # Bytes, 0 or 1, times how far back: masked writes would be ten times as slow.
                    np.greater(other, enter, out=better)
                    np.multiply(better.view(np.uint8), np.uint8(back), out=other_code)
                    np.maximum(code, other_code, out=code)
                np.maximum(enter, other, out=enter)

            # From further away, one by one.
            f0, f1 = self._far_first[t], self._far_end[t]
            if f1 > f0:
                cells = steps.far[f0:f1] - first
                came = was[self._sources[0, f0:f1]]
                from_row = np.full(f1 - f0, _FAR, np.uint8)
                for row in range(1, len(self._sources)):
                    also = was[self._sources[row, f0:f1]]
                    if pointer is not None:
                        from_row[also > came] = _FAR + row
                    np.maximum(came, also, out=came)
                enter[cells] = came - self._far_penalties[f0:f1]
                if pointer is not None:
                    code[cells] = from_row

            if penalties is not None:
                p0, p1 = self._anchored_first[t], self._anchored_end[t]
                enter[self._anchored_states[p0:p1] - first] -= penalties[at, self._anchored[p0:p1]]

            # Or the self-loop.
            stay = was[low:high]
            if pointer is not None:
                np.greater(enter, stay, out=better)
                np.multiply(code, better.view(np.uint8), out=pointer)
            live = np.maximum(enter, stay, out=now[low:high])
            # Every unit is one of the trellis's: "clip" only avoids the bounds check.
            live += scores[at].take(graph.unit[first:end], out=buffers.emitted[:n], mode="clip")
            if t == 0:
                was[:_PAD] = _NEVER
            was, now = now, was
        return was, now

    def trace(
        self, pointers: _Pointers, block: tuple[int, int], state: int, states: IntArray
    ) -> int:
        """Follow the back-pointers of a block from its last state; return the state before it."""
        steps, band, (start, stop) = self._steps, self._band, block
        if compiled.LIBRARY is not None:
            codes = pointers.codes, pointers.begin
            return compiled.trace(
                compiled.LIBRARY, block, state, self._compiled, steps.place, *codes, states
            )
        for t in range(stop - 1, start - 1, -1):
            states[t] = state
            pointer = int(pointers.frame(t - start)[state - band.first[t]])
            if pointer < _FAR:
                state -= pointer
            else:
                state = int(steps.sources[pointer - _FAR, steps.place[state]])
        return state
