"""Ears: acoustic models that say, frame by frame, how much the audio sounds like each unit.

The search (`lyricsyncd.align.search`) knows nothing of phones, characters or neural networks. An
ear hides them behind three calls::

    song = ear.spell(lines, language)      # words → sequences of the ear's own sound units
    heard = ear.listen(audio)              # audio → whatever the ear computes once per song
    emissions = ear.score(heard, song)     # → frames × units log-scores

A better model is a new module in this package; a better idea about songs goes into the search.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000
"""Hz: what every ear listens to."""

Lines = Sequence[Sequence[str]]
"""Lines of words, as the lyrics have them."""


@dataclass(frozen=True, slots=True)
class PronunciationVariant:
    """One way a word can sound, as a sequence of sound units.

    ``optional`` marks units that may be stepped over (the blanks of a CTC model); empty means
    that none may.
    """

    units: tuple[int, ...]
    optional: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class CompiledLyrics:
    """The lyrics in an ear's units.

    Attributes
    ----------
    lines : tuple of lines, each a tuple of words, each a tuple of `PronunciationVariant`
        A word without spellings cannot be pronounced: it is placed between its neighbours.
    n_units : int
        Number of distinct units, U.
    short : ndarray of bool, shape (U,)
        Units that singers do not stretch (consonants): holding one costs extra.
    units : tuple
        What the unit numbers mean to the ear that made them.
    """

    lines: tuple[tuple[tuple[PronunciationVariant, ...], ...], ...]
    n_units: int
    short: npt.NDArray[np.bool_]
    units: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Emissions:
    """How well each unit fits each frame.

    Attributes
    ----------
    scores : ndarray of float16, shape (T, U)
        Log-scores in nats, relative to the frame's best unit of the whole model: at most 0.
    rest : ndarray of float32, shape (T,)
        The same for "no words here": silence, breath, accompaniment.
    hop : float
        Seconds from frame to frame.
    """

    scores: npt.NDArray[np.float16]
    rest: npt.NDArray[np.float32]
    hop: float

    @property
    def n_frames(self) -> int:
        """Number of frames, T."""
        return len(self.rest)

    def averaged(self, other: Emissions, weight: int) -> Emissions:
        """The mean of these scores, ``weight`` times, and another view's of the same units.

        Done in place: the scores of a long song are the largest thing there is.
        """
        for mine, its in ((self.scores, other.scores), (self.rest, other.rest)):
            mine *= weight / (weight + 1)
            its *= 1 / (weight + 1)
            mine += its
        return self


class AcousticModel(Protocol):
    """An acoustic model behind the search."""

    @property
    def name(self) -> str:
        """What the model is called in reports."""
        ...

    @property
    def hop(self) -> float:
        """Seconds from frame to frame."""
        ...

    @property
    def lag(self) -> float:
        """Seconds that onsets found with this ear are early, to be added: every model has a
        constant bias of its own, measured on songs."""
        ...

    def compile(self, lines: Lines, language: str | None) -> CompiledLyrics:
        """The words in this ear's units."""
        ...

    def features(self, audio: npt.NDArray[np.float32]) -> Any:
        """What this ear computes once per song from mono audio at `SAMPLE_RATE`."""
        ...

    def score(self, heard: Any, song: CompiledLyrics) -> Emissions:
        """Frame-wise scores of the song's units."""
        ...


@runtime_checkable
class AdaptableModel(AcousticModel, Protocol):
    """An ear that can get used to a voice."""

    def front_ends(self) -> tuple[AdaptableModel, ...]:
        """This ear in several ways that mishear differently (itself alone, where it has but one).

        All have the same units and frames, and what they hear is an array with a row a frame, any
        stretch of which can be scored. Each makes its own first pass and gets used to the
        singer by itself, so that no mistake of one is learnt by all; then they are averaged.
        """
        ...

    def adapted(
        self, heard: Any, song: CompiledLyrics, units: npt.NDArray[np.int64]
    ) -> AdaptableModel:
        """This ear, its model moved towards the singer.

        Parameters
        ----------
        units : ndarray of int64, shape (T,)
            The unit that a first pass found at each frame; -1 for rest, -2 for "do not learn
            from this frame".
        """
        ...
