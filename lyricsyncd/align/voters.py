"""Listeners that vote: an ear by a search of its own, or a model that cannot place words alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lyricsyncd.align import ears
from lyricsyncd.align.aligner import Alignment, align
from lyricsyncd.align.emissions import Ear, Lines
from lyricsyncd.align.votes import Votes


class Voter(Protocol):
    """Somebody who is asked once an ear has placed the words."""

    @property
    def name(self) -> str:
        """What it is called in reports."""
        ...

    def vote(
        self,
        audio: npt.NDArray[np.float32],
        lines: Lines,
        language: str | None,
        alone: Alignment,
        *,
        line_starts: Sequence[float | None] | None = None,
        heard_starts: Sequence[float | None] | None = None,
    ) -> Votes | None:
        """Where the words start, by this listener; ``None`` where it cannot say.

        Parameters
        ----------
        alone : Alignment
            Where the ear that asks has them. The rest is as in `lyricsyncd.align.aligner.align`.

        Raises
        ------
        ModelError
            The model stopped, for want of memory, say.
        """
        ...


@dataclass(frozen=True)
class EarVoter:
    """An ear that searches the song by itself, whatever another found."""

    ear: Ear

    @property
    def name(self) -> str:
        """The ear's."""
        return self.ear.name

    def vote(
        self,
        audio: npt.NDArray[np.float32],
        lines: Lines,
        language: str | None,
        alone: Alignment,  # noqa: ARG002 - it has its own
        *,
        line_starts: Sequence[float | None] | None = None,
        heard_starts: Sequence[float | None] | None = None,
    ) -> Votes | None:
        """See `Voter`."""
        return align(
            audio,
            lines,
            language,
            self.ear,
            line_starts=line_starts,
            heard_starts=heard_starts,
            options=ears.options_of(self.ear),
        ).votes
