"""Second aligners: an acoustic model with a search of its own, or a model that is nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.aligner import align
from lyricsyncd.align.emissions import AcousticModel, Lines
from lyricsyncd.align.features import Alignment
from lyricsyncd.align.onset_priors import OnsetPosteriors


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
            Where the acoustic model has the words. The other parameters are those of
            `lyricsyncd.align.aligner.align`.

        Raises
        ------
        ModelError
            The model failed, for lack of memory, say.
        """
        ...


@dataclass(frozen=True)
class SearchingAligner:
    """An acoustic model that searches the song by itself, whatever the first one found."""

    acoustic_model: AcousticModel

    @property
    def name(self) -> str:
        """The acoustic model's."""
        return self.acoustic_model.name

    def onset_posteriors(
        self,
        audio: npt.NDArray[np.float32],
        lines: Lines,
        language: str | None,
        first: Alignment,  # noqa: ARG002 - its search is independent
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
        ).onset_posteriors
