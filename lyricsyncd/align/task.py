"""Hold the words of a song in the units of an acoustic model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lyricsyncd.align import features
from lyricsyncd.align.emissions import AcousticModel, CompiledLyrics, Emissions, Lines, Traits
from lyricsyncd.align.features import Alignment
from lyricsyncd.align.graph import Graph, build
from lyricsyncd.align.options import SearchOptions
from lyricsyncd.align.pins import Pins
from lyricsyncd.align.trellis import Trellis
from lyricsyncd.align.viterbi import Path

BoolArray = npt.NDArray[np.bool_]
DoubleArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Task:
    """The words of a song in the units of a model, and how its times are reported.

    Attributes
    ----------
    lines : lines of words
    n_words : int
        Number of all words, N; the graph may lack some.
    lag : float
        The model's constant bias in seconds.
    onset_lag : ndarray of float64, shape (W,)
        Seconds to add to the onset of each word of the graph.
    pins : Pins or None
        Words that a person set.
    """

    model: AcousticModel
    lines: Lines
    lyrics: CompiledLyrics
    graph: Graph
    n_words: int
    lag: float
    onset_lag: DoubleArray
    options: SearchOptions
    pins: Pins | None = None

    @classmethod
    def of(
        cls,
        model: AcousticModel,
        lines: Lines,
        language: str | None,
        options: SearchOptions,
        unsung: BoolArray | None = None,
        pins: Sequence[tuple[int, float]] = (),
        windows: Sequence[tuple[int, float, float]] = (),
    ) -> Task:
        """Compile lyrics; see `lyricsyncd.align.aligner.align` for the parameters."""
        lyrics = model.compile(lines, language)
        if unsung is not None:
            lyrics = lyrics.without(unsung)
        n_words = sum(len(line) for line in lines)
        lag = Traits.of(model).lag
        each = np.full(n_words, lag) + (0.0 if lyrics.onset_lag is None else lyrics.onset_lag)
        bounds = Pins.of(pins, each) if pins else None
        if windows:
            bounds = Pins.between(windows, each)
        return cls._of(model, lines, lyrics, n_words, lag, options, bounds)

    @classmethod
    def _of(
        cls,
        model: AcousticModel,
        lines: Lines,
        lyrics: CompiledLyrics,
        n_words: int,
        lag: float,
        options: SearchOptions,
        pins: Pins | None,
    ) -> Task:
        graph = build(lyrics)
        onset_lag = np.full(graph.n_words, lag)
        if lyrics.onset_lag is not None:
            onset_lag += lyrics.onset_lag[graph.index]
        return cls(model, lines, lyrics, graph, n_words, lag, onset_lag, options, pins)

    def without(self, words: BoolArray) -> Task:
        """Return the task without some words, a mask of shape (N,)."""
        lyrics = self.lyrics.without(words)
        return self._of(
            self.model, self.lines, lyrics, self.n_words, self.lag, self.options, self.pins
        )

    def fitting(self, emissions: Emissions) -> Task:
        """Return the task without words that do not fit between two pins: they are spread there."""
        task = self
        while task.pins is not None and task.graph.n_words:
            windows = task.pins.windows(task.graph, emissions.hop, emissions.n_frames)
            if not windows.too_narrow.any():
                break
            left_out = np.zeros(task.n_words, np.bool_)
            left_out[task.graph.index[windows.too_narrow]] = True
            task = task.without(left_out)
        return task

    def rough(self, trellis: Trellis, path: Path) -> Alignment:
        """Return the times of a path as they are, for a second aligner to start from."""
        return features.rough_alignment(
            self.n_words, trellis, path.states, self.model.name, self.lag, self.onset_lag
        )

    def spread_evenly(self, duration: float) -> Alignment:
        """Return a placement that says of itself that it is none."""
        return features.spread_evenly(self.n_words, duration, self.model.name)
