"""Listeners that vote: an ear by a search of its own, or a model that cannot place words alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lyricsyncd.align import acoustic_models
from lyricsyncd.align.aligner import Alignment, align
from lyricsyncd.align.emissions import AcousticModel, Lines
from lyricsyncd.align.onset_priors import OnsetPosteriors


class SecondAligner(Protocol):
    """Somebody who is asked once an ear has placed the words."""

    @property
    def name(self) -> str:
        """What it is called in reports."""
        ...

    def onset_posteriors_of(
        self,
        audio: npt.NDArray[np.float32],
        lines: Lines,
        language: str | None,
        without_prior: Alignment,
        *,
        line_starts: Sequence[float | None] | None = None,
        transcript_starts: Sequence[float | None] | None = None,
    ) -> OnsetPosteriors | None:
        """Where the words start, by this listener; ``None`` where it cannot say.

        Parameters
        ----------
        without_prior : Alignment
            Where the ear that asks has them. The rest is as in `lyricsyncd.align.aligner.align`.

        Raises
        ------
        ModelError
            The model stopped, for want of memory, say.
        """
        ...


@dataclass(frozen=True)
class SearchingAligner:
    """An ear that searches the song by itself, whatever another found."""

    acoustic_model: AcousticModel

    @property
    def name(self) -> str:
        """The ear's."""
        return self.acoustic_model.name

    def onset_posteriors_of(
        self,
        audio: npt.NDArray[np.float32],
        lines: Lines,
        language: str | None,
        without_prior: Alignment,  # noqa: ARG002 - it has its own
        *,
        line_starts: Sequence[float | None] | None = None,
        transcript_starts: Sequence[float | None] | None = None,
    ) -> OnsetPosteriors | None:
        """See `SecondAligner`."""
        return align(
            audio,
            lines,
            language,
            self.acoustic_model,
            line_starts=line_starts,
            transcript_starts=transcript_starts,
            options=acoustic_models.options_of(self.acoustic_model),
        ).onset_posteriors
