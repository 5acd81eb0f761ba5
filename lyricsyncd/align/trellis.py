"""The decoding lattice: the graph unrolled over the frames, with the priors added to the scores.

The acoustic scores say what a frame sounds like; the priors say what songs are like. All are soft,
in nats per frame unless stated otherwise, and were chosen on real songs:

- there are no words where the vocals are silent, and hardly silence where they are loud (vocal
  activity);
- silence inside a line is unusual, between lines it is not: an instrumental break, an ad-lib or a
  vocalise that the lyrics leave out is absorbed there, because the silence between lines is a
  filler state whose score has a floor, however little the frame sounds like silence;
- singers stretch vowels, not consonants;
- where a source knows when a line starts, or a recogniser recognised a word, the word starts
  about there (`Anchors`).

Only the words that a person set are no prior: they bound what is searched at all (`Pins`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.emissions import Emissions
from lyricsyncd.align.graph import Graph
from lyricsyncd.align.options import Penalties
from lyricsyncd.align.pins import Pins

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


class Anchors(Protocol):
    """Penalties for starts of words that are off where another source of times has them."""

    @property
    def known(self) -> BoolArray:
        """Words of the graph that it has times for, shape (W,)."""
        ...

    def penalty(self, words: IntArray, times: npt.NDArray[np.float64]) -> FloatArray:
        """Return the nats for known words to start at some times, (len(times), len(words)).

        Parameters
        ----------
        times : ndarray of float64
            Seconds from the first frame of the trellis, increasing.
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
        Seconds off that are penalised by one `step`.
    step : float
        Nats.
    most : float
        The largest penalty of a word in nats, so that a wrong time can be overruled.
    """

    start: npt.NDArray[np.float64]
    spread: float = 0.1
    step: float = 20.0
    most: float = 600.0

    @property
    def known(self) -> BoolArray:
        """Words that have a time, shape (W,)."""
        return ~np.isnan(self.start)

    def of(self, words: IntArray) -> StartTimes:
        """Return the times of some of the words, for a graph that has these alone."""
        return replace(self, start=self.start[words])

    def penalty(self, words: IntArray, times: npt.NDArray[np.float64]) -> FloatArray:
        """Return the nats for known words to start at some times, (len(times), len(words))."""
        off = np.abs(times[:, None] - self.start[words]) / self.spread
        return np.minimum(self.step * off, self.most).astype(np.float32)


@dataclass(frozen=True)
class Band:
    """The states that are possible at each frame: ``first[t] <= s < end[t]``, non-decreasing.

    Attributes
    ----------
    first, end : ndarray of int64, shape (T,)
    """

    first: IntArray
    end: IntArray

    def __or__(self, other: Band) -> Band:
        """Return the band of the states that either has."""
        return Band(np.minimum(self.first, other.first), np.maximum(self.end, other.end))

    def __and__(self, other: Band) -> Band:
        """Return the band of the states that both have."""
        return Band(np.maximum(self.first, other.first), np.minimum(self.end, other.end))

    @property
    def gaps(self) -> bool:
        """Return whether no state at all is possible at some frame."""
        return bool((self.first >= self.end).any())

    @classmethod
    def whole(cls, graph: Graph, n_frames: int) -> Band:
        """Return the band that only time limits: words before and after need their frames."""
        before = np.append(0, np.cumsum(graph.least_frames))
        needed_before = np.where(graph.in_silence, before[graph.word + 1], before[graph.word])
        needed_after = before[-1] - before[graph.word + 1]
        frames = np.arange(n_frames)
        return cls(
            np.searchsorted(n_frames - 1 - needed_after, frames, side="left").astype(np.int64),
            np.searchsorted(needed_before, frames, side="right").astype(np.int64),
        )

    @classmethod
    def pinned(cls, graph: Graph, pins: Pins, hop: float, n_frames: int) -> Band:
        """Return the band in which each pinned word starts within its window."""
        windows = pins.windows(graph, hop, n_frames)
        earliest = np.append(0, windows.first)[graph.word + 1]
        latest = np.append(windows.last, n_frames)[graph.word + 1] - 1
        frames = np.arange(n_frames)
        return cls(
            np.searchsorted(latest, frames, side="left").astype(np.int64),
            np.searchsorted(earliest, frames, side="right").astype(np.int64),
        )

    @classmethod
    def around(
        cls, graph: Graph, onsets: IntArray, offsets: IntArray, n_frames: int, reach: int
    ) -> Band:
        """Return the band of all states whose word is within ``reach`` frames of an earlier path.

        Parameters
        ----------
        onsets, offsets : ndarray of int64, shape (W,)
            Frames of each word in an earlier pass.
        """
        onset = np.append(onsets, n_frames)
        offset = np.append(0, offsets)
        word = graph.word
        earliest = np.where(graph.in_silence, offset[word + 1], onset[word]) - reach
        latest = np.where(graph.in_silence, onset[word + 1], offset[word + 1]) + reach
        # Non-decreasing bounds, so that what is possible at a frame is one range of states.
        earliest = np.minimum.accumulate(earliest[::-1])[::-1]
        latest = np.maximum.accumulate(latest)
        frames = np.arange(n_frames)
        return cls(
            np.searchsorted(latest, frames, side="left").astype(np.int64),
            np.searchsorted(earliest, frames, side="right").astype(np.int64),
        )


@dataclass(frozen=True)
class Trellis:
    """Graph, scores and priors of one song.

    Attributes
    ----------
    activity : ndarray of float32, shape (T,)
        0 where the vocals are silent to 1 where they are loud.
    entry_scale : float
        What penalties of entering a state are multiplied by: below 1 where frames are left out, as
        those per frame are fewer then.
    pins : Pins or None
        Words that a person set, in a graph without words that may be skipped.
    """

    graph: Graph
    emissions: Emissions
    activity: FloatArray
    short: npt.NDArray[np.bool_]
    anchors: tuple[Anchors, ...] = ()
    penalties: Penalties = field(default_factory=Penalties)
    entry_scale: float = 1.0
    pins: Pins | None = None

    def band(self, within: Band | None = None) -> Band:
        """Return the states that are possible at each frame, of those of another band."""
        band = Band.whole(self.graph, self.n_frames) if within is None else within
        if self.pins is None:
            return band
        return band & Band.pinned(self.graph, self.pins, self.emissions.hop, self.n_frames)

    @property
    def n_frames(self) -> int:
        """Number of frames, T."""
        return self.emissions.n_frames

    def scores(self, start: int, stop: int) -> FloatArray:
        """Compute the log-score of every unit and of both kinds of silence at some frames.

        Returns
        -------
        ndarray of float32, shape (stop - start, units + 2)
            The last two columns are silence inside a line and between lines.
        """
        block = slice(start, stop)
        penalties, activity = self.penalties, self.activity[block]
        n_units = self.emissions.scores.shape[1]
        scores = np.empty((len(activity), n_units + 2), np.float32)
        scores[:, :n_units] = self.emissions.scores[block]
        scores[:, :n_units] -= (penalties.word_in_silence * (1.0 - activity))[:, None]
        if penalties.stretched_consonant:
            shorter = np.where(self.short, np.float32(penalties.stretched_consonant), 0)
            scores[:, :n_units] -= shorter
        silence = self.emissions.silence[block]
        inside = np.maximum(silence, penalties.floor_inside) * activity
        between = np.maximum(silence, penalties.floor_between) * activity
        scores[:, -2] = inside - penalties.silence_inside
        scores[:, -1] = between - penalties.silence_between
        return scores

    def entry_penalties(self, start: int, stop: int) -> FloatArray | None:
        """Compute the nats to enter each word at some frames; ``None`` without anchors."""
        if not self.anchors:
            return None
        times = np.arange(start, stop, dtype=np.float64) * self.emissions.hop
        words = self.graph.entered_from
        total = np.zeros((stop - start, len(words)), np.float32)
        for anchors in self.anchors:
            (anchored,) = np.nonzero(anchors.known[words])
            total[:, anchored] += anchors.penalty(words[anchored], times)
        total *= np.float32(self.entry_scale)
        return total

    @cached_property
    def anchored(self) -> IntArray:
        """Entries of the words that an anchor has times for: only they have entry penalties."""
        known = [anchors.known[self.graph.entered_from] for anchors in self.anchors]
        return np.flatnonzero(np.any(known, axis=0)) if known else np.empty(0, np.int64)

    @property
    def silence_entry(self) -> FloatArray:
        """Nats to enter the silence of each boundary, shape (W + 1,)."""
        inside = self.graph.unit[self.graph.silence] == self.emissions.scores.shape[1]
        enter = self.entry_scale * self.penalties.enter_silence_inside
        return np.where(inside, enter, 0.0).astype(np.float32)

    @property
    def skip_entry(self) -> FloatArray:
        """Nats to enter the silence in place of words, shape (K,)."""
        enter = self.entry_scale * self.penalties.skipped_word * self.graph.skipped_words
        return enter.astype(np.float32)

    def blocks(self, size: int) -> Iterator[tuple[int, int]]:
        """Yield the frames in blocks of at most ``size``."""
        for start in range(0, self.n_frames, size):
            yield start, min(start + size, self.n_frames)
