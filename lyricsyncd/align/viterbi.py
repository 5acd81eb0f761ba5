"""The best walk through the trellis, exactly.

Time-synchronous dynamic programming (Viterbi 1967). One frame is a handful of operations on
contiguous slices of states, so plain numpy is enough; only the few connections that reach far back
need indexing. Back-pointers take a byte a state and frame; a song whose
back-pointers would not fit the memory budget is walked in blocks, of which only the first column
is kept, and each block is done again on the way back (Grice, Hughey & Speck 1997).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.graph import NEAR, START, Graph
from lyricsyncd.align.trellis import Band, Trellis

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

# Back-pointers: how many states before this one the walk came from (0: it stayed), or from `_FAR`
# on the row of `Steps.sources`.
_FAR = NEAR + 1

_NEVER = np.float32(-np.inf)
_PAD = NEAR
"""Cells before the first state, so that looking back needs no tests."""
_POINTER_BUDGET = 80_000_000
"""Bytes of back-pointers held at once."""
_SCORES_AT_ONCE = 256


@dataclass(frozen=True)
class Path:
    """The best walk.

    Attributes
    ----------
    states : ndarray of int64, shape (T,)
    score : float
        Its log-score in nats, priors included.
    """

    states: IntArray
    score: float


def best_path(trellis: Trellis, band: Band | None = None) -> Path | None:
    """The walk with the highest score, or ``None`` where no walk fits the audio or the band."""
    graph = trellis.graph
    if trellis.n_frames < max(1, graph.shortest):
        return None
    band = band or Band.whole(graph, trellis.n_frames)
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
        state = _trace(trellis, band, pointers, block, int(state), states)
        pointers = None
    return Path(states, score)


def best_score(trellis: Trellis) -> float | None:
    """The score of `best_path`, for little more than half of the work."""
    graph = trellis.graph
    if trellis.n_frames < max(1, graph.shortest):
        return None
    step = _Step(trellis, Band.whole(graph, trellis.n_frames))
    whole = (0, trellis.n_frames)
    column, _ = step.block(whole, step.start_column(), keep_pointers=False)
    score = float(column[_PAD + _last_state(graph, column)])
    return None if score == -np.inf else score


def _last_state(graph: Graph, column: FloatArray) -> int:
    """Where the song ends best: in the last rest, or at the end of the last word."""
    ends = [graph.rest[-1], *(e for e in graph.exits[:, -1] if e >= 0)]
    return int(max(ends, key=lambda s: column[_PAD + s]))


def _blocks(band: Band) -> Iterator[tuple[int, int]]:
    """The frames in blocks whose back-pointers fit the budget."""
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
        Where each frame's begin, for the first state of its band.
    """

    codes: npt.NDArray[np.uint8]
    begin: IntArray

    @classmethod
    def blank(cls, band: Band, start: int, stop: int) -> _Pointers:
        begin = np.append(0, np.cumsum(band.end[start:stop] - band.first[start:stop]))
        return cls(np.empty(begin[-1], np.uint8), begin)

    def frame(self, at: int) -> npt.NDArray[np.uint8]:
        """Those of the frame that is number ``at`` of the block."""
        return self.codes[self.begin[at] : self.begin[at + 1]]


class _Step:
    """One frame forward, with everything that does not change from frame to frame at hand."""

    def __init__(self, trellis: Trellis, band: Band) -> None:
        graph = trellis.graph
        steps = graph.steps
        self._trellis, self._graph, self._band, self._steps = trellis, graph, band, steps
        to_rest = np.zeros(graph.n_states, np.float32)
        to_rest[graph.rest] = trellis.rest_entry
        self._near_costs = [np.where(near, -to_rest, _NEVER) for near in steps.near]
        self._far_costs = to_rest[steps.far]
        self._sources = steps.sources + _PAD
        self._far_first = np.searchsorted(steps.far, band.first)
        self._far_end = np.searchsorted(steps.far, band.end)
        self._anchored = trellis.anchored
        self._paying = graph.entries[self._anchored]
        self._paying_first = np.searchsorted(self._paying, band.first)
        self._paying_end = np.searchsorted(self._paying, band.end)

    def start_column(self) -> FloatArray:
        """Before the first frame: nothing has been reached but the start."""
        column = self._blank_column()
        column[_PAD + START] = 0.0
        return column

    def _blank_column(self) -> FloatArray:
        return np.full(self._graph.n_states + _PAD, _NEVER, np.float32)

    def block(
        self, block: tuple[int, int], column: FloatArray, *, keep_pointers: bool
    ) -> tuple[FloatArray, _Pointers | None]:
        """Walk some frames from a column of scores to the next one."""
        start, stop = block
        graph, band, steps = self._graph, self._band, self._steps
        width = int((band.end[start:stop] - band.first[start:stop]).max())
        pointers = _Pointers.blank(band, start, stop) if keep_pointers else None
        was, now = column.copy(), self._blank_column()
        ways, others, emitted = (np.empty(width, np.float32) for _ in range(3))
        wins = np.empty(width, np.bool_)
        codes, others_codes = np.empty(width, np.uint8), np.empty(width, np.uint8)
        left_behind = 0
        for t in range(start, stop):
            at = (t - start) % _SCORES_AT_ONCE
            if at == 0:
                until = min(t + _SCORES_AT_ONCE, stop)
                scores = self._trellis.scores(t, until)
                entry_penalties = self._trellis.entry_penalties(t, until)
            first, end = int(band.first[t]), int(band.end[t])
            n, low, high = end - first, first + _PAD, end + _PAD
            now[left_behind + _PAD : low] = _NEVER
            left_behind = int(band.first[t - 1]) if t > start else 0
            way, other, better = ways[:n], others[:n], wins[:n]
            pointer = pointers.frame(t - start) if pointers is not None else None

            # From just before: the best of a few slices.
            np.add(was[low - 1 : high - 1], self._near_costs[0][first:end], out=way)
            if pointer is not None:
                code, other_code = codes[:n], others_codes[:n]
                code.fill(1)
            for back, cost in enumerate(self._near_costs[1:], 2):
                np.add(was[low - back : high - back], cost[first:end], out=other)
                if pointer is not None:
                    # Bytes, 0 or 1, times how far back: a mask would be ten times as slow.
                    np.greater(other, way, out=better)
                    np.multiply(better.view(np.uint8), np.uint8(back), out=other_code)
                    np.maximum(code, other_code, out=code)
                np.maximum(way, other, out=way)

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
                way[cells] = came - self._far_costs[f0:f1]
                if pointer is not None:
                    code[cells] = from_row

            if entry_penalties is not None:
                p0, p1 = self._paying_first[t], self._paying_end[t]
                way[self._paying[p0:p1] - first] -= entry_penalties[at, self._anchored[p0:p1]]

            # Or stayed.
            stay = was[low:high]
            if pointer is not None:
                np.greater(way, stay, out=better)
                np.multiply(code, better.view(np.uint8), out=pointer)
            live = np.maximum(way, stay, out=now[low:high])
            # Every unit is one of the trellis's: "clip" only spares the test.
            live += scores[at].take(graph.unit[first:end], out=emitted[:n], mode="clip")
            if t == 0:
                was[:_PAD] = _NEVER
            was, now = now, was
        # The buffers leave as they came: nothing but this frame's range is reachable.
        was[: int(band.first[stop - 1]) + _PAD] = _NEVER
        return was, pointers


def _trace(
    trellis: Trellis,
    band: Band,
    pointers: _Pointers,
    block: tuple[int, int],
    state: int,
    states: IntArray,
) -> int:
    """Follow the back-pointers of a block from its last state; return the state before it."""
    steps = trellis.graph.steps
    start, stop = block
    for t in range(stop - 1, start - 1, -1):
        states[t] = state
        pointer = int(pointers.frame(t - start)[state - band.first[t]])
        if pointer < _FAR:
            state -= pointer
        else:
            state = int(steps.sources[pointer - _FAR, steps.place[state]])
    return state
