"""The lyrics as one left-to-right graph of states.

Every pronunciation variant of a word is a chain of states; between two words, and before and after
the song, lies a *boundary*: the path goes straight on, or through a silence state::

    boundary 0      word 0           boundary 1      word 1                      boundary W
    [ silence ] ──► ○─○─○─○─○    ──► [ silence ] ──► ○─○─○        ──► …  ──►  [ silence ]
       └─────────►  (one variant) ──►   └─────────►  ○─○─○─○ (another variant)

States are numbered in singing order, so whatever is possible at one moment is a contiguous range
of states: the search works on slices, and a time band is enforced at no cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.emissions import CompiledLyrics, Lines, PronunciationVariant

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_OPENING, _CLOSING, _AFTER_BRACKET = ("(", "[", "（", "【"), (")", "]", "）", "】"), ".,!?;:…\"'"
START, NOWHERE = -1, -2
"""Stand for the source of the first frame's states, and for no source at all."""
NEAR = 3
"""How many states back a near connection may reach."""


@dataclass(frozen=True)
class Steps:
    """The graph's connections, by how far back they reach.

    Nearly all come from just before: along a word, over an optional unit, from the end of a word
    over the silence to the next one. To the search they are shifted slices; the others (to and
    from a word's further variants) are listed one by one. All connections *into* a silence or a
    word are either near or far, and such a state is entered in no other way.

    Attributes
    ----------
    near : ndarray of bool, shape (R, S)
        Whether a state may be entered from 1, 2 … R ≤ `NEAR` states before.
    far : ndarray of int64, shape (F,)
        States that are entered from further away, in order.
    sources : ndarray of int64, shape (K, F)
        Their sources; padded with `NOWHERE`.
    place : ndarray of int64, shape (S,)
        The position of a state in ``far``.
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
        The sound unit of each state; ``n_units`` for silence inside a line, ``n_units + 1`` for
        silence between lines.
    word : ndarray of int64, shape (S,)
        The word a state belongs to (numbered over *pronounceable* words); a silence state carries
        the word before it, -1 at the very start.
    in_silence : ndarray of bool, shape (S,)
    vowel : ndarray of bool, shape (S,)
        Whether a vowel begins with the state.
    chained : ndarray of bool, shape (S,)
        Whether the state may be entered from the one before it.
    skipping : ndarray of bool, shape (S,)
        Whether it may be entered from two before it (over an optional unit).
    silence : ndarray of int64, shape (W + 1,)
        The silence state of each boundary.
    exits : ndarray of int64, shape (V, W + 1)
        Last states of the variants of the word before a boundary, padded with -1.
    entries, entered_from : ndarray of int64, shape (N,)
        First states of words, and the boundary each is entered from.
    line : ndarray of int64, shape (W,)
        The line of each word.
    first_of_line : ndarray of bool, shape (W,)
    index : ndarray of int64, shape (W,)
        Place of each word among all words of the song, pronounceable or not.
    least_frames : ndarray of int64, shape (W,)
        The least frames each word takes; none where it may be skipped.
    skips : ndarray of int64, shape (K,)
        States that stand for words which are not sung, in order.
    skipped_from : ndarray of int64, shape (K,)
        The boundary that each of them is entered from.
    skipped_words : ndarray of int64, shape (K,)
        How many words each stands for.
    """

    unit: IntArray
    word: IntArray
    in_silence: BoolArray
    vowel: BoolArray
    chained: BoolArray
    skipping: BoolArray
    silence: IntArray
    exits: IntArray
    entries: IntArray
    entered_from: IntArray
    line: IntArray
    first_of_line: BoolArray
    index: IntArray
    least_frames: IntArray
    skips: IntArray
    skipped_from: IntArray
    skipped_words: IntArray

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
        """The least frames that a path through all words takes."""
        return int(self.least_frames.sum())

    @cached_property
    def steps(self) -> Steps:
        """List the states from which each state is reached (without itself)."""
        targets = np.concatenate([self.silence, self.entries, self.skips])
        boundaries = (np.arange(self.n_words + 1), self.entered_from, self.skipped_from)
        boundary = np.concatenate(boundaries)
        ended = np.where(self.exits < 0, NOWHERE, self.exits)
        ended[0, 0] = START
        silent = self.silence[boundary]
        silent[: self.n_words + 1] = NOWHERE
        sources = np.concatenate([ended[:, boundary], silent[None]])
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


def build(lyrics: CompiledLyrics, skippable: Sequence[tuple[int, int]] = ()) -> Graph:
    """Build the graph of compiled lyrics; words without variants are left out (`Graph.index`).

    Parameters
    ----------
    skippable : sequence of pairs of int
        Runs of words, each as its first and the one after its last (numbered over all words of the
        lyrics), that may not be sung: a path may go through one silence in their place.
    """
    unit: list[int] = []
    word: list[int] = []
    in_silence: list[bool] = []
    vowels: list[int] = []
    chained: list[bool] = []
    skipping: list[bool] = []
    silence: list[int] = []
    exits: list[list[int]] = [[-1]]
    entries: list[int] = []
    entered_from: list[int] = []
    line_of: list[int] = []
    first_of_line: list[bool] = []
    index: list[int] = []
    least_frames: list[int] = []

    def add(unit_: int, word_: int, *, silent: bool, chain: bool, skip: bool = False) -> int:
        unit.append(unit_)
        word.append(word_)
        in_silence.append(silent)
        chained.append(chain)
        skipping.append(skip)
        return len(unit) - 1

    inside, between = lyrics.n_units, lyrics.n_units + 1
    silence.append(add(between, -1, silent=True, chain=False))
    at = -1
    previous_line = -1
    words = [(at_line, variants) for at_line, line in enumerate(lyrics.lines) for variants in line]
    pronounceable = [i for i, (_, variants) in enumerate(words) if variants]
    runs = {tuple(np.searchsorted(pronounceable, run).tolist()) for run in skippable}
    skips: dict[tuple[int, ...], int] = {}
    for number, at in enumerate(pronounceable):
        line, variants = words[at]
        for run in sorted(run for run in runs if number == run[0] < run[1]):
            skips[run] = add(between, number - 1, silent=True, chain=False)
        line_of.append(line)
        first_of_line.append(line != previous_line)
        index.append(at)
        previous_line = line
        skipped = any(begin <= number < end for begin, end in runs)
        least_frames.append(0 if skipped else min(map(_least_frames, variants)))
        ends = []
        for variant in _with_one_first_unit(variants):
            optional = variant.optional or (False,) * len(variant.units)
            vowels += [len(unit) + at for at in variant.vowels]
            for i, unit_ in enumerate(variant.units):
                skip = i > 0 and optional[i - 1]
                state = add(unit_, number, silent=False, chain=i > 0, skip=skip)
                if i == 0:
                    entries.append(state)
                    entered_from.append(number)
            ends.append(len(unit) - 1)
            if optional[-1] and len(variant.units) > 1:
                ends.append(len(unit) - 2)
        following = pronounceable[number + 1] if number + 1 < len(pronounceable) else None
        line_ends = following is None or words[following][0] != line
        exits.append([*ends, *(state for run, state in skips.items() if run[1] == number + 1)])
        kind = between if line_ends else inside
        silence.append(add(kind, number, silent=True, chain=False))
    most = max(map(len, exits))
    padded = np.array([ends + [-1] * (most - len(ends)) for ends in exits], dtype=np.int64).T
    return Graph(
        unit=np.array(unit, np.int64),
        word=np.array(word, np.int64),
        in_silence=np.array(in_silence, np.bool_),
        vowel=np.isin(np.arange(len(unit)), vowels),
        chained=np.array(chained, np.bool_),
        skipping=np.array(skipping, np.bool_),
        silence=np.array(silence, np.int64),
        exits=np.ascontiguousarray(padded),
        entries=np.array(entries, np.int64),
        entered_from=np.array(entered_from, np.int64),
        line=np.array(line_of, np.int64),
        first_of_line=np.array(first_of_line, np.bool_),
        index=np.array(index, np.int64),
        least_frames=np.array(least_frames, np.int64),
        skips=np.array(list(skips.values()), np.int64),
        skipped_from=np.array([begin for begin, _ in skips], np.int64),
        skipped_words=np.array([end - begin for begin, end in skips], np.int64),
    )


def skippable_runs(lines: Lines) -> list[tuple[int, int]]:
    """List the runs of words that may not be sung: every line, and words in brackets.

    Each is its first word and the one after its last, numbered over all words.
    """
    runs: list[tuple[int, int]] = []
    at = 0
    for line in lines:
        runs.append((at, at + len(line)))
        begin: int | None = None
        for i, word in enumerate(line, at):
            if word.startswith(_OPENING):
                begin = i
            if begin is not None and word.rstrip(_AFTER_BRACKET).endswith(_CLOSING):
                runs.append((begin, i + 1))
                begin = None
        at += len(line)
    return [run for run in dict.fromkeys(runs) if run[0] < run[1]]


def _with_one_first_unit(variants: Sequence[PronunciationVariant]) -> list[PronunciationVariant]:
    """Return the variants with no choice of their first unit: an optional one makes two of one."""
    result: list[PronunciationVariant] = []
    for variant in variants:
        units, optional = variant.units, variant.optional
        if len(units) == 1 or not optional or not optional[0]:
            result.append(variant)
            continue
        later = tuple(at - 1 for at in variant.vowels if at > 0)
        result.append(PronunciationVariant(units, (False, *optional[1:]), variant.vowels))
        result.append(PronunciationVariant(units[1:], (False, *optional[2:]), later))
    return result


def _least_frames(variant: PronunciationVariant) -> int:
    """Return a frame for each unit that may not be skipped, and at least one."""
    return max(1, len(variant.units) - sum(variant.optional))
