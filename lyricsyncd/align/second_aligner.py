"""Second aligners: an acoustic model with a search of its own, or a model that is nothing else."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.aligner import align, unsung_words
from lyricsyncd.align.emissions import AcousticModel, AdaptableModel, Lines, Traits
from lyricsyncd.align.features import Alignment
from lyricsyncd.align.onset_priors import OnsetPosteriors

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float32]


@runtime_checkable
class SecondAligner(Protocol):
    """Estimate where words start once an acoustic model has placed them."""

    @property
    def name(self) -> str:
        """The name in reports."""
        ...

    def onset_posteriors(
        self,
        audio: npt.NDArray[np.float32],
        lines: Lines,
        language: str | None,
        first: Alignment,
        *,
        line_starts: Sequence[float | None] | None = None,
        transcript_starts: Sequence[float | None] | None = None,
    ) -> OnsetPosteriors | None:
        """Return how likely each word starts at each moment; ``None`` where it cannot say.

        Parameters
        ----------
        first : Alignment
            Where the acoustic model has the words; those that are not ``placed`` are not sung, or
            cannot be pronounced. The other parameters are those of
            `lyricsyncd.align.aligner.align`.

        Raises
        ------
        ModelError
            The model failed, for lack of memory, say.
        """
        ...


@dataclass
class SearchingAligner:
    """An acoustic model that searches the song by itself, whatever the first one found.

    What the model computed of the last song is kept as long as its audio is.
    """

    acoustic_model: AcousticModel
    _song: weakref.ref[FloatArray] | None = field(default=None, init=False, repr=False)
    _frames: Future[Any] | None = field(default=None, init=False, repr=False)

    @property
    def name(self) -> str:
        """The acoustic model's."""
        return self.acoustic_model.name

    def onset_posteriors(
        self,
        audio: FloatArray,
        lines: Lines,
        language: str | None,
        first: Alignment,
        *,
        line_starts: Sequence[float | None] | None = None,
        transcript_starts: Sequence[float | None] | None = None,
    ) -> OnsetPosteriors | None:
        """Return the posteriors of its own search, as `SecondAligner` says."""
        return align(
            audio,
            lines,
            language,
            self.acoustic_model,
            line_starts=line_starts,
            transcript_starts=transcript_starts,
            unsung=None if first.placed.all() else ~first.placed,
            frames=self._features(audio),
            # Only its onsets are wanted: it is not judged.
            options=replace(Traits.of(self.acoustic_model).search_options, background=False),
        ).onset_posteriors

    def unsung(self, audio: FloatArray, lines: Lines, language: str | None) -> BoolArray:
        """Return the words that its search leaves out as not sung, shape (N,)."""
        frames = self._features(audio)
        return unsung_words(audio, lines, language, self.acoustic_model, frames=frames)

    def begin(self, audio: FloatArray) -> None:
        """Begin to compute what the model needs of a song, while the caller does something else.

        What fails is raised where it is needed.
        """
        if isinstance(self.acoustic_model, AdaptableModel):
            return
        if self._song is None or self._song() is not audio:
            thread = ThreadPoolExecutor(1)
            self._frames = thread.submit(self.acoustic_model.features, audio)
            thread.shutdown(wait=False)
            self._song = weakref.ref(audio, self._forget)

    def _features(self, audio: FloatArray) -> Any:
        self.begin(audio)
        return None if self._frames is None else self._frames.result()

    def _forget(self, song: weakref.ref[FloatArray]) -> None:
        if self._song is song:
            self._song = self._frames = None
