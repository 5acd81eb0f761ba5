"""Find lines that are sung again though the lyrics write them once.

Lyrics often have a chorus only where it comes first. The words around it are then stretched over
what is sung again, or lost entirely. So the song is searched with jumps: after any line, any other
may begin, at a cost, while the one that follows in the lyrics costs nothing (as scores are followed
through repeats and jumps: Fremerey, Müller & Clausen 2010). Of the lines on that path, those that
are in the order of the lyrics are the lines as written, the others are repeats.

Where the path has not all lines, it does not tell on which side of a repeat a missing one belongs.
There, the repeats are tried before and after it, in a second search of a graph that may leave each
of them out.

A line that is nowhere on the path may be none of this song: it costs more than a jump over it.

The repeats are found to place the lines as written: they stand for singing that would attract those
otherwise. So it does little harm if one of them is sung with other words, those of a verse that the
lyrics lack.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from lyricsyncd.align.activity import vocal_activity
from lyricsyncd.align.emissions import (
    SAMPLE_RATE,
    AcousticModel,
    AdaptableModel,
    CompiledLyrics,
    Lines,
    Traits,
)
from lyricsyncd.align.features import word_frames
from lyricsyncd.align.graph import Graph, build
from lyricsyncd.align.trellis import Trellis
from lyricsyncd.align.viterbi import best_path

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

JUMP = 80.0
"""Nats that a jump costs."""
_FLOOR = -12.0
"""`Penalties.floor_between` here: where lines are free to be sung again, singing is hardly ever
without words."""
_POINTER_BUDGET = 64_000_000
"""Bytes of back-pointers; longer songs are searched at fewer frames."""
_MOST_FRAMES_APART = 6
_CONTINUED = 1.5
"""The worth of a line that follows the one before it on the path as in the lyrics."""
_EARLIER = 1e-4
"""Of equal lines, the earlier is the one as written: so much less the later is worth."""
_MOST_TRIED = 8
"""Times the lines of the lyrics that the second search may have."""
_BY_JUMP, _BY_FAR = 254, 255
_NEVER = np.float32(-np.inf)


@dataclass(frozen=True, slots=True)
class SungLine:
    """A line as it is sung.

    Attributes
    ----------
    line : int
        Its number in the lyrics.
    written : bool
        Whether this is where the lyrics have it; else it is sung again.
    """

    line: int
    written: bool


@dataclass(frozen=True, slots=True)
class SungOrder:
    """The lines in the order in which they are sung, with those that are sung again.

    Attributes
    ----------
    lines : tuple of SungLine
        Every line of the lyrics is ``written`` once, in their order; without repeats there is
        nothing else. Lines that cannot be pronounced are left out.
    absent : frozenset of int
        The numbers of lines that are nowhere on the path with jumps, nor any that is alike.
    """

    lines: tuple[SungLine, ...]
    absent: frozenset[int] = frozenset()

    @property
    def as_written(self) -> bool:
        """Return whether no line is sung again."""
        return all(each.written for each in self.lines)


def sung_order(
    audio: FloatArray, lines: Lines, language: str | None, acoustic_model: AcousticModel
) -> SungOrder:
    """Find lines that are sung again, and lines that are not sung.

    Parameters
    ----------
    audio : ndarray of float32, shape (n,)
        Mono vocals at 16 kHz.
    """
    with threadpool_limits(1, user_api="blas"):
        model = acoustic_model
        if isinstance(model, AdaptableModel):
            model = model.front_ends()[0]
        lyrics = model.compile(lines, language)
        known = [i for i, line in enumerate(lyrics.lines) if any(line)]
        lyrics = replace(lyrics, lines=tuple(lyrics.lines[i] for i in known), onset_lag=None)
        found = [SungLine(line, True) for line in range(len(known))]
        absent: frozenset[int] = frozenset()
        trellis = _trellis(audio, lyrics, model) if known else None
        path = None if trellis is None else path_with_jumps(trellis)
        if trellis is not None and path is not None:
            on_path = {lyrics.lines[line] for line in path.lines}
            absent = frozenset(
                i for i, line in zip(known, lyrics.lines, strict=True) if line not in on_path
            )
            tried = _tried(lyrics.lines, path.lines)
            if len(tried) > len(found):
                found = _without_unsung(trellis, lyrics, tried)
        return SungOrder(tuple(SungLine(known[each.line], each.written) for each in found), absent)


def _trellis(audio: FloatArray, lyrics: CompiledLyrics, model: AcousticModel) -> Trellis | None:
    """Return the song as the first pass has it, at fewer frames, with little room between lines."""
    options, graph = Traits.of(model).search_options, build(lyrics)
    n_frames = round(len(audio) / SAMPLE_RATE / model.hop)
    step = options.first_step if isinstance(model, AdaptableModel) else 1
    while n_frames // step * graph.n_states > _POINTER_BUDGET:
        step += 1
    if step > _MOST_FRAMES_APART or (step > 1 and not isinstance(model, AdaptableModel)):
        return None
    frames = model.features(audio)
    emissions = model.score(frames[::step] if step > 1 else frames, lyrics)
    emissions = replace(emissions, hop=model.hop * step)
    activity = vocal_activity(audio, emissions.n_frames, round(emissions.hop * SAMPLE_RATE))
    penalties = replace(options.first_penalties, floor_between=_FLOOR, skipped_word=0.0)
    return Trellis(
        graph, emissions, activity, lyrics.short, penalties=penalties, entry_scale=1.0 / step
    )


@dataclass(frozen=True, slots=True)
class JumpPath:
    """The lines on a path that may jump, by their numbers, and its log-score in nats."""

    lines: list[int]
    score: float


def path_with_jumps(trellis: Trellis, jump: float = JUMP) -> JumpPath | None:
    """Find the best path that may jump from the end of any line to any other.

    ``None`` where the song is too short for any path.
    """
    search = _JumpSearch.of(trellis.graph, jump)
    column = np.full(trellis.graph.n_states, _NEVER, np.float32)
    column[0] = column[search.entries] = 0.0
    pointers = np.zeros((trellis.n_frames, trellis.graph.n_states), np.uint8)
    far = np.zeros((trellis.n_frames, len(search.far)), np.uint16)
    jumps = np.zeros(trellis.n_frames, np.int64)
    weights = np.zeros(trellis.graph.n_states, np.float32)
    weights[trellis.graph.silence] = trellis.silence_entry
    for start, stop in trellis.blocks(256):
        scores = trellis.scores(start, stop)[:, trellis.graph.unit]
        for t in range(start, stop):
            if t > 0:
                column, jumps[t] = search.step(column, weights, pointers[t], far[t])
            column += scores[t - start]
    state = int(search.ends[column[search.ends].argmax()])
    if column[state] == _NEVER:
        return None
    return JumpPath(search.traced(state, pointers, far, jumps), float(column[state]))


@dataclass(frozen=True)
class _JumpSearch:
    """The steps of a search (Viterbi 1967) through a graph with jumps between its lines.

    Attributes
    ----------
    near : ndarray of bool, shape (R, S)
    far : ndarray of int64, shape (F,)
    sources : ndarray of int64, shape (K, F)
        Those of the graph (`Steps`), S for no source.
    entries, line : ndarray of int64
        The states that a line begins with, and which line it is.
    ends : ndarray of int64
        The states from which a jump may start: ends of lines, and the silences after them.
    """

    near: BoolArray
    far: IntArray
    sources: IntArray
    entries: IntArray
    line: IntArray
    ends: IntArray
    cost: np.float32

    @classmethod
    def of(cls, graph: Graph, cost: float) -> _JumpSearch:
        begin = graph.first_of_line[graph.entered_from]
        last = np.append(graph.first_of_line[1:], True)
        ends = graph.exits[:, 1:][:, last].ravel()
        silences = graph.silence[np.append(True, last)]
        steps = graph.steps
        return cls(
            near=steps.near,
            far=steps.far,
            sources=np.where(steps.sources < 0, graph.n_states, steps.sources),
            entries=graph.entries[begin],
            line=graph.line[graph.entered_from[begin]],
            ends=np.unique(np.concatenate([ends[ends >= 0], silences])),
            cost=np.float32(cost),
        )

    def step(
        self,
        column: FloatArray,
        weights: FloatArray,
        pointers: npt.NDArray[np.uint8],
        far: npt.NDArray[np.uint16],
    ) -> tuple[FloatArray, int]:
        """Return the best score of each state one frame later, and the state that jumps come from.

        Parameters
        ----------
        column : ndarray of float32, shape (S,)
        weights : ndarray of float32, shape (S,)
            Nats to enter each state.
        pointers : ndarray of uint8, shape (S,)
            Filled in with how many states back the path came from; `_BY_FAR` and `_BY_JUMP`.
        far : ndarray of uint16, shape (F,)
            Filled in with the row of ``sources``.
        """
        later = column.copy()
        for back, reached in enumerate(self.near, 1):
            moved = np.full(len(column), _NEVER)
            moved[back:] = np.where(reached[back:], column[:-back] - weights[back:], _NEVER)
            better = moved > later
            later[better] = moved[better]
            pointers[better] = back
        if len(self.far):
            reaching = np.append(column, _NEVER)[self.sources]
            far[:] = row = reaching.argmax(axis=0)
            moved = reaching[row, np.arange(len(row))] - weights[self.far]
            better = moved > later[self.far]
            later[self.far[better]] = moved[better]
            pointers[self.far[better]] = _BY_FAR
        end = int(self.ends[column[self.ends].argmax()])
        jumped = column[end] - self.cost
        better = jumped > later[self.entries]
        later[self.entries[better]] = jumped
        pointers[self.entries[better]] = _BY_JUMP
        return later, end

    def traced(
        self,
        state: int,
        pointers: npt.NDArray[np.uint8],
        far: npt.NDArray[np.uint16],
        jumps: IntArray,
    ) -> list[int]:
        """Return the lines that the path to a final state enters."""
        line_of = dict(zip(self.entries.tolist(), self.line.tolist(), strict=True))
        place = {state: at for at, state in enumerate(self.far.tolist())}
        lines = []
        for t in range(len(pointers) - 1, 0, -1):
            pointer = int(pointers[t, state])
            if pointer == 0:
                continue
            if state in line_of:
                lines.append(line_of[state])
            if pointer == _BY_JUMP:
                state = int(jumps[t])
            elif pointer == _BY_FAR:
                state = int(self.sources[far[t, place[state]], place[state]])
            else:
                state -= pointer
        if state in line_of:
            lines.append(line_of[state])
        return lines[::-1]


def matched(lines: Sequence[Hashable], path: Sequence[int], words: Sequence[int]) -> list[int]:
    """Return the place on a path of each line as written, -1 for those that it lacks.

    As many words as possible are matched in the order of the lyrics, in runs as long as possible,
    as early as possible. Lines that are alike match each other.

    Parameters
    ----------
    lines : sequence of hashable
        The lines; equal for those that are sung alike.
    path : sequence of int
        Numbers of lines, in the order of a path.
    words : sequence of int
        The number of words of each line.
    """
    n, m = len(lines), len(path)
    best = np.zeros((n + 1, m + 1))
    ending = np.full((n + 1, m + 1), -np.inf)
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            if lines[i - 1] == lines[path[j - 1]]:
                worth = words[i - 1] * (1.0 - _EARLIER * j)
                ending[i, j] = max(
                    best[i - 1, j - 1] + worth, ending[i - 1, j - 1] + _CONTINUED * worth
                )
            best[i, j] = max(best[i - 1, j], best[i, j - 1], ending[i, j])
    places = [-1] * n
    i, j, continued = n, m, False
    while i > 0 and j > 0:
        if continued or best[i, j] == ending[i, j]:
            places[i - 1] = j - 1
            worth = words[i - 1] * (1.0 - _EARLIER * j)
            continued = ending[i, j] == ending[i - 1, j - 1] + _CONTINUED * worth
            i, j = i - 1, j - 1
        elif best[i, j] == best[i - 1, j]:
            i -= 1
        else:
            j -= 1
    return places


def _tried(lines: Sequence[Sequence[Hashable]], path: Sequence[int]) -> list[SungLine]:
    """Return the lines as written with all places at which one may be sung again."""
    places = matched(lines, path, [len(line) for line in lines])
    found = [-1, *(i for i, place in enumerate(places) if place >= 0), len(lines)]
    ends = [-1, *(place for place in places if place >= 0), len(path)]
    tried: list[SungLine] = []
    for number, (before, after) in enumerate(pairwise(found)):
        again = [SungLine(line, False) for line in path[ends[number] + 1 : ends[number + 1]]]
        for missing in range(before + 1, after):
            tried += [*again, SungLine(missing, True)]
        tried += again
        if after < len(lines):
            tried.append(SungLine(after, True))
    if len(tried) > _MOST_TRIED * len(lines):
        return [each for each in tried if each.written]
    return tried


def _without_unsung(
    trellis: Trellis, lyrics: CompiledLyrics, tried: Sequence[SungLine]
) -> list[SungLine]:
    """Search with all lines as written, and leave out the repeats that the best path leaves out."""
    lengths = [len(lyrics.lines[each.line]) for each in tried]
    begin = np.append(0, np.cumsum(lengths))
    several = replace(lyrics, lines=tuple(lyrics.lines[each.line] for each in tried))
    runs = zip(begin[:-1].tolist(), begin[1:].tolist(), strict=True)
    graph = build(several, [run for run, each in zip(runs, tried, strict=True) if not each.written])
    path = best_path(replace(trellis, graph=graph))
    if path is None:
        return [each for each in tried if each.written]
    _, offsets = word_frames(graph, path.states)
    sung = np.zeros(begin[-1], np.bool_)
    sung[graph.index[offsets > 0]] = True
    return [
        each
        for each, first, end in zip(tried, begin[:-1], begin[1:], strict=True)
        if each.written or sung[first:end].any()
    ]
