"""The best walk through the trellis, exactly.

Time-synchronous dynamic programming (Viterbi 1967). One frame is a handful of operations on
contiguous slices of states, so plain numpy is enough; only the boundaries between words need
indexing, and there are few of them. Back-pointers take a byte a state and frame; a song whose
back-pointers would not fit the memory budget is walked in blocks, of which only the first column
is kept, and each block is done again on the way back (Grice, Hughey & Speck 1997).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.trellis import Band, Ranges, Trellis

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

# How a state was reached: back-pointers.
_STAYED, _CHAINED, _SKIPPED, _RESTED, _EXITED = range(5)
"""From `_EXITED` on: straight from the way ``pointer - _EXITED`` of the word before."""

_NEVER = np.float32(-np.inf)
_PAD = 2
"""Cells before the first state that are never reached, so that looking back needs no tests."""
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
    size = max(_SCORES_AT_ONCE, _POINTER_BUDGET // max(1, _widest(band)))
    columns = []
    column = step.start_column()
    pointers = None
    blocks = list(trellis.blocks(size))
    for block in blocks:
        columns.append(column)
        last = block is blocks[-1]
        column, pointers = step.block(block, column, keep_pointers=last)
    ends = [graph.rest[-1], *(e for e in graph.exits[:, -1] if e >= 0)]
    state = max(ends, key=lambda s: column[_PAD + s])
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


def _widest(band: Band) -> int:
    return int((band.end - band.first).max())


class _Step:
    """One frame forward, with everything that does not change from frame to frame at hand."""

    def __init__(self, trellis: Trellis, band: Band) -> None:
        graph = trellis.graph
        self._trellis, self._graph, self._band = trellis, graph, band
        self._ranges = Ranges.of(graph, band)
        self._chain_cost = np.where(graph.chained, np.float32(0), _NEVER)
        self._skip_cost = np.where(graph.skipping, np.float32(0), _NEVER)
        self._skips = bool(graph.skipping.any())
        self._rest_entry = trellis.rest_entry
        self._exits = graph.exits + _PAD
        self._rest = graph.rest + _PAD
        self._entries = graph.entries + _PAD

    def start_column(self) -> FloatArray:
        """Before the first frame: nothing has been reached."""
        return np.full(self._graph.n_states + _PAD, _NEVER, np.float32)

    def block(
        self, block: tuple[int, int], column: FloatArray, *, keep_pointers: bool
    ) -> tuple[FloatArray, npt.NDArray[np.uint8] | None]:
        """Walk some frames from a column of scores to the next one."""
        start, stop = block
        graph, band, ranges = self._graph, self._band, self._ranges
        width = int((band.end[start:stop] - band.first[start:stop]).max())
        pointers = np.zeros((stop - start, width), np.uint8) if keep_pointers else None
        was, now = column.copy(), self.start_column()
        candidate = np.empty(width, np.float32)
        better = np.empty(width, np.bool_)
        jumped = np.empty(width, np.uint8)
        left_behind = 0
        for t in range(start, stop):
            at = (t - start) % _SCORES_AT_ONCE
            if at == 0:
                until = min(t + _SCORES_AT_ONCE, stop)
                scores = self._trellis.scores(t, until)
                entry_costs = self._trellis.entry_costs(t, until)
            first, end = band.first[t], band.end[t]
            n = end - first
            now[left_behind + _PAD : first + _PAD] = _NEVER
            left_behind = band.first[t - 1] if t > start else 0
            live = now[first + _PAD : end + _PAD]
            pointer = pointers[t - start, :n] if pointers is not None else None

            # Along the words: stay, or come from the state before (or the one before that).
            way, wins = candidate[:n], better[:n]
            np.add(was[first + _PAD - 1 : end + _PAD - 1], self._chain_cost[first:end], out=way)
            stay = was[first + _PAD : end + _PAD]
            np.maximum(stay, way, out=live)
            if pointer is not None:
                np.greater(way, stay, out=wins)
                pointer[:] = wins
            if self._skips:
                np.add(was[first:end], self._skip_cost[first:end], out=way)
                np.greater(way, live, out=wins)
                np.maximum(live, way, out=live)
                if pointer is not None:
                    # Bytes, 0 or 1, times `_SKIPPED`: a mask would be ten times as slow.
                    skipped = np.multiply(wins.view(np.uint8), np.uint8(_SKIPPED), out=jumped[:n])
                    np.maximum(pointer, skipped, out=pointer)

            # Across the boundaries between words.
            j0, j1 = ranges.boundary_first[t], ranges.boundary_end[t]
            ended = was[self._exits[:, j0:j1]]
            if t == 0 and j0 == 0 and j1 > 0:
                ended[0, 0] = 0.0  # the song starts here
            exited = _EXITED + ended.argmax(axis=0)
            ended = ended.max(axis=0)

            r0, r1 = ranges.rest_first[t], ranges.rest_end[t]
            if r1 > r0:
                rest = self._rest[r0:r1]
                entering = ended[r0 - j0 : r1 - j0] - self._rest_entry[r0:r1]
                staying = now[rest]
                now[rest] = np.maximum(staying, entering)
                if pointer is not None:
                    cells = rest - _PAD - first
                    pointer[cells] = np.where(
                        entering > staying, exited[r0 - j0 : r1 - j0], pointer[cells]
                    )

            e0, e1 = ranges.entry_first[t], ranges.entry_end[t]
            if e1 > e0:
                boundary = graph.entered_from[e0:e1]
                straight = ended[boundary - j0]
                rested = was[self._rest[boundary]]
                entering = np.maximum(straight, rested)
                if entry_costs is not None:
                    entering = entering - entry_costs[at, e0:e1]
                entry = self._entries[e0:e1]
                staying = now[entry]
                now[entry] = np.maximum(staying, entering)
                if pointer is not None:
                    came = np.where(rested > straight, _RESTED, exited[boundary - j0])
                    cells = entry - _PAD - first
                    pointer[cells] = np.where(entering > staying, came, pointer[cells])

            live += scores[at].take(graph.unit[first:end])
            was, now = now, was
        # The buffers leave as they came: nothing but this frame's range is reachable.
        was[: band.first[stop - 1] + _PAD] = _NEVER
        return was, pointers


def _trace(
    trellis: Trellis,
    band: Band,
    pointers: npt.NDArray[np.uint8],
    block: tuple[int, int],
    state: int,
    states: IntArray,
) -> int:
    """Follow the back-pointers of a block from its last state; return the state before it."""
    graph = trellis.graph
    # The boundary on a state's left: of a rest its own, of a word's first state its word's.
    boundary = np.where(graph.resting, graph.word + 1, graph.word)
    start, stop = block
    for t in range(stop - 1, start - 1, -1):
        states[t] = state
        pointer = int(pointers[t - start, state - band.first[t]])
        if pointer == _CHAINED:
            state -= 1
        elif pointer == _SKIPPED:
            state -= 2
        elif pointer == _RESTED:
            state = int(graph.rest[boundary[state]])
        elif pointer >= _EXITED:
            state = int(graph.exits[pointer - _EXITED, boundary[state]])
    return state
