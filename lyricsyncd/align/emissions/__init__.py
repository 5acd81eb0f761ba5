"""Acoustic models: how well each sound unit fits each frame of the audio.

The search (`lyricsyncd.align.viterbi`, `lyricsyncd.align.posterior`) knows nothing of phones,
characters or neural networks. An acoustic model hides them behind three methods::

    lyrics = model.compile(lines, language)     # words → sequences of the model's own sound units
    features = model.features(audio)            # audio → whatever the model computes once per song
    emissions = model.score(features, lyrics)   # → frames × units log-scores

A better model is a new module in this package; a better idea about songs goes into the search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.options import SearchOptions

SAMPLE_RATE = 16_000
"""Hz of the audio that every acoustic model takes."""

SCORE_FLOOR = -25.0
"""The least score of a unit at a frame, in nats below the best."""

Lines = Sequence[Sequence[str]]
"""Lines of words, as the lyrics have them."""


@dataclass(frozen=True, slots=True)
class PronunciationVariant:
    """One pronunciation of a word, as a sequence of sound units.

    ``optional`` marks units that may be skipped (the blanks of a CTC model); empty means none.
    ``vowels`` are the places of the units with which a vowel begins; empty where the model does not
    know vowels.
    """

    units: tuple[int, ...]
    optional: tuple[bool, ...] = ()
    vowels: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CompiledLyrics:
    """The lyrics in the units of an acoustic model.

    Attributes
    ----------
    lines : tuple of lines, each a tuple of words, each a tuple of `PronunciationVariant`
        A word without variants cannot be pronounced: it is placed between the words beside it.
    n_units : int
        Number of distinct units, U.
    short : ndarray of bool, shape (U,)
        Units that singers do not stretch (consonants): holding one is penalised.
    units : tuple
        What the unit numbers mean to the model that made them.
    onset_lag : ndarray of float64, shape (N,), or None
        Seconds to add to the onset of each word, besides the model's constant bias
        (`Traits.lag`): a model is late or early by what the word begins with.
    """

    lines: tuple[tuple[tuple[PronunciationVariant, ...], ...], ...]
    n_units: int
    short: npt.NDArray[np.bool_]
    units: tuple[Any, ...] = ()
    onset_lag: npt.NDArray[np.float64] | None = None

    def without(self, words: npt.NDArray[np.bool_]) -> CompiledLyrics:
        """Return the lyrics without the variants of some words, a mask of shape (N,): they will be
        placed as words are that cannot be pronounced."""
        left_out = iter(words.tolist())
        lines = tuple(tuple(() if next(left_out) else word for word in line) for line in self.lines)
        return replace(self, lines=lines)

    def restricted(self, units: npt.NDArray[np.int64]) -> CompiledLyrics:
        """Return the lyrics with some of the units only, for scores of no others."""
        return replace(self, units=tuple(self.units[i] for i in units), n_units=len(units))


@dataclass(frozen=True, slots=True)
class Emissions:
    """Log-scores of each unit in each frame.

    Attributes
    ----------
    scores : ndarray of float16, shape (T, U)
        Log-scores in nats, relative to the frame's best unit of the whole model: at most 0.
    silence : ndarray of float32, shape (T,)
        The same for "no words here": silence, breath, accompaniment.
    hop : float
        Seconds from frame to frame.
    """

    scores: npt.NDArray[np.float16]
    silence: npt.NDArray[np.float32]
    hop: float

    @property
    def n_frames(self) -> int:
        """Number of frames, T."""
        return len(self.silence)


class AcousticModel(Protocol):
    """Score frames of audio against the sound units of known words.

    A model may also have the attributes of `Traits`, each of which has a default. One with
    ``front_ends`` and ``adapted`` is an `AdaptableModel`.
    """

    @property
    def name(self) -> str:
        """The model's name in reports."""
        ...

    @property
    def hop(self) -> float:
        """Seconds from frame to frame."""
        ...

    def compile(self, lines: Lines, language: str | None) -> CompiledLyrics:
        """Turn words into sequences of this model's units."""
        ...

    def features(self, audio: npt.NDArray[np.float32]) -> Any:
        """Compute what is needed once per song from mono audio at `SAMPLE_RATE`."""
        ...

    def score(self, features: Any, lyrics: CompiledLyrics) -> Emissions:
        """Score every frame against the units of the lyrics, which may be some of those that
        `compile` numbered (`CompiledLyrics.restricted`)."""
        ...


@dataclass(frozen=True, slots=True)
class Traits:
    """The attributes that an acoustic model may have, with the defaults of those that it lacks."""

    lag: float = 0.0
    """Seconds to add to the onsets found with the model: its constant bias, measured on songs with
    human timings."""
    search_options: SearchOptions = field(default_factory=SearchOptions)
    """How the search is set for the model's frames and the scale of its scores."""
    calibration: Path | None = None
    """The file with the weights that turn the features of words into confidences. It need not
    exist yet (``lyricsyncd models calibrate`` writes it); without it nothing is written on the
    model's confidences alone."""
    languages: frozenset[str] | None = None
    """ISO 639 codes of the languages that the model can place; ``None``: any."""
    vowel_lag: float = 0.0
    """Seconds to add to the first frame of a vowel on the best path, as ``lag`` to onsets."""

    @classmethod
    def of(cls, model: AcousticModel) -> Traits:
        """Read the attributes of a model, with the default for each that it lacks."""
        names = [each.name for each in fields(cls) if hasattr(model, each.name)]
        return cls(**{name: getattr(model, name) for name in names})

    def supports(self, language: str | None) -> bool:
        """Return whether the model can place words of a language."""
        if self.languages is None or language is None:
            return True
        return language.partition("-")[0] in self.languages


@runtime_checkable
class AdaptableModel(AcousticModel, Protocol):
    """An acoustic model that can be adapted to a singer."""

    def front_ends(self) -> tuple[AdaptableModel, ...]:
        """Return this model with several front ends whose errors differ, or itself alone.

        All have the same units and frames, and their features are arrays with a row per frame, any
        stretch of which can be scored. Where a second aligner confirms the first pass of the first,
        that is enough. Else each makes its own first pass and is adapted by itself, so that no
        error of one is learnt by all; then their scores are averaged.
        """
        ...

    def adapted(
        self, features: Any, lyrics: CompiledLyrics, units: npt.NDArray[np.int64]
    ) -> AdaptableModel:
        """Return this model with its parameters moved towards the singer.

        Parameters
        ----------
        units : ndarray of int64, shape (T,)
            The unit that a first pass found at each frame; -1 for silence, -2 for frames that are
            left out.
        """
        ...
