"""Judge the word times of a source by a placement that was made without them.

Word times of karaoke files and of rich sync are often better than any that are found, and as often
those of another release. Where the words that a model is sure of agree with them, they are all
believed, those of the other words, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.features import Alignment
from lyricsyncd.align.linetimes import LEAST_OFFSET_S
from lyricsyncd.judging.quality import Thresholds, Verdict, decide

DoubleArray = npt.NDArray[np.float64]

SURE = 0.7
"""Confidence from which a word counts as found."""
AGREES_S = 0.3
"""Seconds within which a source's word agrees with where it was found."""
LEAST_SHARE = 0.8
"""Share of the words that were found that must agree."""
LEAST_WORDS = 12
"""Fewer words than these, found and stated, decide nothing."""


@dataclass(frozen=True, slots=True)
class StatedTimes:
    """The word times of a source; N words, in the order of the lyrics.

    Attributes
    ----------
    start, end : ndarray of float64, shape (N,)
        Seconds; NaN where the source has none.
    source : str
        Its name, for reasons.
    """

    start: DoubleArray
    end: DoubleArray
    source: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The agreement of a source's word times with a placement.

    Attributes
    ----------
    late : float
        Seconds that the source is late, all words alike.
    share : float
        Share of the words found that agree once that is taken off, 0-1.
    """

    late: float
    share: float

    @property
    def agrees(self) -> bool:
        """Return whether the times are those of this recording."""
        return self.share >= LEAST_SHARE


def compare(
    stated: StatedTimes, onset: DoubleArray, confidence: Sequence[float]
) -> Comparison | None:
    """Compare a source's word times with a placement; ``None`` where too few words were found."""
    both = np.isfinite(stated.start) & (np.array(confidence, np.float64) >= SURE)
    if int(both.sum()) < LEAST_WORDS:
        return None
    late = stated.start[both] - onset[both]
    middle = float(np.median(late))
    if abs(middle) < LEAST_OFFSET_S:
        middle = 0.0
    return Comparison(middle, float((np.abs(late - middle) <= AGREES_S).mean()))


def with_stated(
    placed: Alignment, verdict: Verdict, stated: StatedTimes, thresholds: Thresholds
) -> tuple[Alignment, Verdict, str]:
    """Take a source's word times where the placement bears them out.

    Returns
    -------
    Alignment, Verdict
        With the source's times, and confidences that are at least the share of them that agrees; or
        as they were.
    str
        A sentence about what was done.
    """
    found = compare(stated, placed.onset, verdict.confidence)
    if found is None:
        return (
            placed,
            verdict,
            f"Too few words were found to judge the word times of {stated.source}",
        )
    if not found.agrees:
        return placed, verdict, f"The word times of {stated.source} do not fit what is sung"
    known = np.isfinite(stated.start)
    onset = np.maximum(np.where(known, stated.start - found.late, placed.onset), 0.0)
    offset = np.where(np.isfinite(stated.end), stated.end - found.late, placed.offset)
    if (np.diff(placed.onset) >= 0.0).all():
        # Not of voices that sing at once.
        onset = np.maximum.accumulate(onset)
        offset = np.minimum(offset, np.append(onset[1:], np.inf))
    offset = np.maximum(offset, onset)
    confidence = tuple(
        max(own, round(found.share, 3)) if stated_too else own
        for own, stated_too in zip(verdict.confidence, known, strict=True)
    )
    score = max(verdict.score, found.share)
    if verdict.calibrated:
        decision, reason = decide(score, thresholds)
        verdict = replace(verdict, decision=decision, reason=reason)
    moved = f", moved by {-found.late:+.1f} s" if found.late else ""
    said = f"The word times are those of {stated.source}{moved}: {found.share:.0%} are confirmed"
    near = np.abs(onset - placed.onset) <= AGREES_S
    vowels = tuple(
        each if close else each[:0] for each, close in zip(placed.vowels, near, strict=False)
    )
    return (
        replace(placed, onset=onset, offset=offset, vowels=vowels),
        replace(verdict, score=score, confidence=confidence),
        said,
    )
