"""What the search walks over: the graph unrolled over the frames, with the priors on top.

The acoustic scores say what a frame sounds like; the priors say what songs are like. All are soft,
in nats per frame unless said otherwise, and were chosen on real songs:

- nobody sings where the stem is silent, and a loud stem is hardly a rest (`vocal activity`);
- a rest inside a line is unusual, one between lines is not: an instrumental break, an ad-lib or a
  vocalise that the lyrics leave out is absorbed there, because a rest between lines never costs
  more than a little, however little the frame sounds like silence;
- singers stretch vowels, not consonants;
- where a source knows when a line starts, or another ear heard a word, the word starts about
  there (`Anchors`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.emissions import Emissions
from lyricsyncd.align.graph import Graph

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Penalties:
    """What songs are like, in nats (per frame, but for the entry cost)."""

    word_in_silence: float = 3.0
    """A word in a frame without vocal activity."""
    stretched_consonant: float = 2.0
    silence_inside: float = 1.0
    """A rest inside a line."""
    enter_silence_inside: float = 8.0
    """Once, for every rest inside a line."""
    silence_between: float = 0.0
    """A rest between lines."""
    floor_inside: float = -25.0
    """The least a rest inside a line can score, however loud the frame."""
    floor_between: float = -6.0
    """The same between lines: this is the filler that absorbs instrumentals and ad-libs."""


class Anchors(Protocol):
    """About when some words start, as somebody else has it, and how far to trust that."""

    @property
    def known(self) -> BoolArray:
        """Words of the graph that something is known about, shape (W,)."""
        ...

    def cost(self, words: IntArray, times: npt.NDArray[np.float64]) -> FloatArray:
        """Nats for known words to start at some times, shape (len(times), len(words)).

        Parameters
        ----------
        times : ndarray of float64
            Seconds from the first frame of the trellis, growing.
        """
        ...


@dataclass(frozen=True, slots=True)
class StartTimes:
    """Anchors that are one time a word.

    Attributes
    ----------
    start : ndarray of float64, shape (W,)
        Seconds, one a word of the graph; NaN where nothing is known.
    spread : float
        Seconds off that cost one `step`.
    step : float
        Nats.
    most : float
        Nats: what one word costs at most, however far off, so that a wrong time can be overruled.
    """

    start: npt.NDArray[np.float64]
    spread: float = 0.1
    step: float = 20.0
    most: float = 600.0

    @property
    def known(self) -> BoolArray:
        """Words that have a time, shape (W,)."""
        return ~np.isnan(self.start)

    def cost(self, words: IntArray, times: npt.NDArray[np.float64]) -> FloatArray:
        """Nats for known words to start at some times, shape (len(times), len(words))."""
        off = np.abs(times[:, None] - self.start[words]) / self.spread
        return np.minimum(self.step * off, self.most).astype(np.float32)


@dataclass(frozen=True)
class Band:
    """The states that are possible at each frame: ``first[t] <= s < end[t]``, both growing.

    Attributes
    ----------
    first, end : ndarray of int64, shape (T,)
    """

    first: IntArray
    end: IntArray

    @classmethod
    def whole(cls, graph: Graph, n_frames: int) -> Band:
        """No limit but time itself: a word needs the frames of all words before and after it."""
        before = np.append(0, np.cumsum(graph.least_frames))
        to_get_here = np.where(graph.resting, before[graph.word + 1], before[graph.word])
        still_to_come = before[-1] - before[graph.word + 1]
        frames = np.arange(n_frames)
        return cls(
            np.searchsorted(n_frames - 1 - still_to_come, frames, side="left").astype(np.int64),
            np.searchsorted(to_get_here, frames, side="right").astype(np.int64),
        )

    @classmethod
    def around(
        cls, graph: Graph, onsets: IntArray, offsets: IntArray, n_frames: int, reach: int
    ) -> Band:
        """All states whose word may lie up to ``reach`` frames from where it was found.

        Parameters
        ----------
        onsets, offsets : ndarray of int64, shape (W,)
            Frames of each word in an earlier pass.
        """
        onset = np.append(onsets, n_frames)
        offset = np.append(0, offsets)
        word = graph.word
        earliest = np.where(graph.resting, offset[word + 1], onset[word]) - reach
        latest = np.where(graph.resting, onset[word + 1], offset[word + 1]) + reach
        # Growing bounds, so that what is possible at a frame is one range of states.
        earliest = np.minimum.accumulate(earliest[::-1])[::-1]
        latest = np.maximum.accumulate(latest)
        frames = np.arange(n_frames)
        return cls(
            np.searchsorted(latest, frames, side="left").astype(np.int64),
            np.searchsorted(earliest, frames, side="right").astype(np.int64),
        )


@dataclass(frozen=True)
class Trellis:
    """Graph, scores and priors of one song, ready to be searched.

    Attributes
    ----------
    activity : ndarray of float32, shape (T,)
        0 where the stem is silent to 1 where it is loud.
    """

    graph: Graph
    emissions: Emissions
    activity: FloatArray
    short: npt.NDArray[np.bool_]
    anchors: tuple[Anchors, ...] = ()
    costs: Penalties = field(default_factory=Penalties)

    @property
    def n_frames(self) -> int:
        """Number of frames, T."""
        return self.emissions.n_frames

    def scores(self, start: int, stop: int) -> FloatArray:
        """Log-score of every unit and the two kinds of rest at some frames.

        Returns
        -------
        ndarray of float32, shape (stop - start, units + 2)
            The last two columns are a rest inside a line and one between lines.
        """
        block = slice(start, stop)
        costs, activity = self.costs, self.activity[block]
        n_units = self.emissions.scores.shape[1]
        scores = np.empty((len(activity), n_units + 2), np.float32)
        scores[:, :n_units] = self.emissions.scores[block]
        scores[:, :n_units] -= (costs.word_in_silence * (1.0 - activity))[:, None]
        scores[:, :n_units] -= np.where(self.short, np.float32(costs.stretched_consonant), 0)
        rest = self.emissions.rest[block]
        scores[:, -2] = np.maximum(rest, costs.floor_inside) * activity - costs.silence_inside
        scores[:, -1] = np.maximum(rest, costs.floor_between) * activity - costs.silence_between
        return scores

    def entry_penalties(self, start: int, stop: int) -> FloatArray | None:
        """Nats for each of the graph's entries at some frames; ``None`` without anchors."""
        if not self.anchors:
            return None
        times = np.arange(start, stop, dtype=np.float64) * self.emissions.hop
        words = self.graph.entered_from
        total = np.zeros((stop - start, len(words)), np.float32)
        for anchors in self.anchors:
            (anchored,) = np.nonzero(anchors.known[words])
            total[:, anchored] += anchors.cost(words[anchored], times)
        return total

    @cached_property
    def anchored(self) -> IntArray:
        """Entries whose word an anchor knows about: only they have entry costs."""
        known = [anchors.known[self.graph.entered_from] for anchors in self.anchors]
        return np.flatnonzero(np.any(known, axis=0)) if known else np.empty(0, np.int64)

    @property
    def rest_entry(self) -> FloatArray:
        """Nats to enter the rest of each boundary, shape (W + 1,)."""
        inside = self.graph.unit[self.graph.rest] == self.emissions.scores.shape[1]
        return np.where(inside, self.costs.enter_silence_inside, 0.0).astype(np.float32)

    def blocks(self, size: int) -> Iterator[tuple[int, int]]:
        """The frames in blocks of at most ``size``."""
        for start in range(0, self.n_frames, size):
            yield start, min(start + size, self.n_frames)
