"""The lyrics as one graph of states that the audio walks through from left to right.

Every way a word can sound is a chain of states; between two words, and before and after the song,
lies a *boundary*: the walk may go straight on, or rest there for a while::

    boundary 0   word 0        boundary 1   word 1                      boundary W
    [ rest ] ──► ○─○─○─○─○ ──► [ rest ] ──► ○─○─○         ──► …  ──►  [ rest ]
       └──────►  (way 0)   ──►    └──────►  ○─○─○─○ (another way)

States are numbered in singing order, so whatever is possible at one moment is a contiguous range
of states: the search works on slices, and a time band costs nothing to enforce.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.emissions import CompiledLyrics, PronunciationVariant

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

START, NOWHERE = -1, -2
"""Where the first frame's states come from, and where none ever does."""
NEAR = 3
"""States that a near connection may reach back."""


@dataclass(frozen=True)
class Steps:
    """The graph's connections, by how far back they reach.

    Nearly all come from just before: along a word, over an optional unit, from the end of a word
    over the rest to the next one. They are sums of shifted slices to the search; the others (to and
    from a word's further ways) are listed one by one. All connections *into* a rest or a word are
    either near or far, and such a state is entered in no other way.

    Attributes
    ----------
    near : ndarray of bool, shape (R, S)
        Whether a state may be entered from 1, 2 … R ≤ `NEAR` states before.
    far : ndarray of int64, shape (F,)
        States that are entered from further away, in order.
    sources : ndarray of int64, shape (K, F)
        From where; filled up with `NOWHERE`.
    place : ndarray of int64, shape (S,)
        Where a state stands in ``far``.
    """

    near: BoolArray
    far: IntArray
    sources: IntArray
    place: IntArray


@dataclass(frozen=True)
class Graph:
    """States and their connections; S states, W pronounceable words, W + 1 boundaries.

    Attributes
    ----------
    unit : ndarray of int64, shape (S,)
        The sound unit of each state; ``n_units`` for a rest inside a line, ``n_units + 1`` for
        one between lines.
    word : ndarray of int64, shape (S,)
        The word a state belongs to (numbered over *pronounceable* words); a rest state carries
        the word before it, -1 at the very start.
    resting : ndarray of bool, shape (S,)
    chained : ndarray of bool, shape (S,)
        Whether the state may be entered from the one before it.
    skipping : ndarray of bool, shape (S,)
        Whether it may be entered from two before it (over an optional unit).
    rest : ndarray of int64, shape (W + 1,)
        The rest state of each boundary.
    exits : ndarray of int64, shape (V, W + 1)
        Last states of the ways of the word before a boundary, padded with -1 ("nowhere").
    entries, entered_from : ndarray of int64, shape (N,)
        First states of words, and the boundary each is entered from.
    line : ndarray of int64, shape (W,)
        The line of each word.
    first_of_line : ndarray of bool, shape (W,)
    index : ndarray of int64, shape (W,)
        Place of each word among all words of the song, pronounceable or not.
    least_frames : ndarray of int64, shape (W,)
        The least frames each word takes.
    """

    unit: IntArray
    word: IntArray
    resting: BoolArray
    chained: BoolArray
    skipping: BoolArray
    rest: IntArray
    exits: IntArray
    entries: IntArray
    entered_from: IntArray
    line: IntArray
    first_of_line: BoolArray
    index: IntArray
    least_frames: IntArray

    @property
    def n_states(self) -> int:
        """Number of states, S."""
        return len(self.unit)

    @property
    def n_words(self) -> int:
        """Number of pronounceable words, W."""
        return len(self.line)

    @property
    def shortest(self) -> int:
        """The least frames that a walk through all words takes."""
        return int(self.least_frames.sum())

    @cached_property
    def steps(self) -> Steps:
        """How each state is reached from others (and not from itself)."""
        targets = np.concatenate([self.rest, self.entries])
        boundary = np.concatenate([np.arange(self.n_words + 1), self.entered_from])
        ended = np.where(self.exits < 0, NOWHERE, self.exits)
        ended[0, 0] = START
        rested = np.where(self.resting[targets], NOWHERE, self.rest[boundary])
        sources = np.concatenate([ended[:, boundary], rested[None]])
        back = targets - sources
        known = sources != NOWHERE
        close = (~known | (back <= NEAR)).all(axis=0)
        near = np.zeros((NEAR, self.n_states), np.bool_)
        near[0] = self.chained
        near[1] = self.skipping
        of, which = np.nonzero(known & close)
        near[back[of, which] - 1, targets[which]] = True
        reach = int(np.flatnonzero(near.any(axis=1)).max(initial=0)) + 1
        order = np.flatnonzero(~close)[np.argsort(targets[~close])]
        place = np.zeros(self.n_states, np.int64)
        place[targets[order]] = np.arange(len(order))
        return Steps(near[:reach], targets[order], np.ascontiguousarray(sources[:, order]), place)


def build(song: CompiledLyrics) -> Graph:
    """The graph of a spelled song. Words without spellings are left out (see `Graph.index`)."""
    unit: list[int] = []
    word: list[int] = []
    resting: list[bool] = []
    chained: list[bool] = []
    skipping: list[bool] = []
    rest: list[int] = []
    exits: list[list[int]] = [[-1]]
    entries: list[int] = []
    entered_from: list[int] = []
    line_of: list[int] = []
    first_of_line: list[bool] = []
    index: list[int] = []
    least_frames: list[int] = []

    def add(unit_: int, word_: int, *, rests: bool, chain: bool, skip: bool = False) -> int:
        unit.append(unit_)
        word.append(word_)
        resting.append(rests)
        chained.append(chain)
        skipping.append(skip)
        return len(unit) - 1

    inside, between = song.n_units, song.n_units + 1
    rest.append(add(between, -1, rests=True, chain=False))
    at = -1
    previous_line = -1
    words = [(at_line, ways) for at_line, line in enumerate(song.lines) for ways in line]
    pronounceable = [i for i, (_, ways) in enumerate(words) if ways]
    for number, at in enumerate(pronounceable):
        line, ways = words[at]
        line_of.append(line)
        first_of_line.append(line != previous_line)
        index.append(at)
        previous_line = line
        least_frames.append(min(map(_least_frames, ways)))
        ends = []
        for way in _begun(ways):
            optional = way.optional or (False,) * len(way.units)
            for i, unit_ in enumerate(way.units):
                skip = i > 0 and optional[i - 1]
                state = add(unit_, number, rests=False, chain=i > 0, skip=skip)
                if i == 0:
                    entries.append(state)
                    entered_from.append(number)
            ends.append(len(unit) - 1)
            if optional[-1] and len(way.units) > 1:
                ends.append(len(unit) - 2)
        following = pronounceable[number + 1] if number + 1 < len(pronounceable) else None
        line_ends = following is None or words[following][0] != line
        exits.append(ends)
        rest.append(add(between if line_ends else inside, number, rests=True, chain=False))
    most = max(map(len, exits))
    padded = np.array([ends + [-1] * (most - len(ends)) for ends in exits], dtype=np.int64).T
    return Graph(
        unit=np.array(unit, np.int64),
        word=np.array(word, np.int64),
        resting=np.array(resting, np.bool_),
        chained=np.array(chained, np.bool_),
        skipping=np.array(skipping, np.bool_),
        rest=np.array(rest, np.int64),
        exits=np.ascontiguousarray(padded),
        entries=np.array(entries, np.int64),
        entered_from=np.array(entered_from, np.int64),
        line=np.array(line_of, np.int64),
        first_of_line=np.array(first_of_line, np.bool_),
        index=np.array(index, np.int64),
        least_frames=np.array(least_frames, np.int64),
    )


def _begun(ways: Sequence[PronunciationVariant]) -> list[PronunciationVariant]:
    """The ways with no choice of where they begin: an optional first unit makes two ways of one."""
    begun: list[PronunciationVariant] = []
    for way in ways:
        units, optional = way.units, way.optional
        if len(units) == 1 or not optional or not optional[0]:
            begun.append(way)
            continue
        begun.append(PronunciationVariant(units, (False, *optional[1:])))
        begun.append(PronunciationVariant(units[1:], (False, *optional[2:])))
    return begun


def _least_frames(way: PronunciationVariant) -> int:
    """A frame for each unit that may not be stepped over (and one at the least)."""
    return max(1, len(way.units) - sum(way.optional))
