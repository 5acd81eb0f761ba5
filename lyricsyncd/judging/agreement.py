"""What another ear thinks of a placement.

A recogniser that was never told the words writes down what it hears. Where it heard some of them
in a row at the very place where they were put, they are right; where it heard them somewhere else,
they are in the wrong place; and where it heard much, but nothing of these words, they are hardly
those of the recording. On twelve songs, a third or more of the words that could have been heard
were heard where they lay (a tenth in two songs), and with the words of other songs none at all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.aligner import Alignment
from lyricsyncd.align.anchors import transcript_starts
from lyricsyncd.judging.calibration import Calibration
from lyricsyncd.judging.quality import SPHINX, Thresholds, Verdict, judge, nearby
from lyricsyncd.model import Word

DoubleArray = npt.NDArray[np.float64]

AGREES_S = 0.5
"""Seconds within which a word was heard where it was placed."""
ELSEWHERE_S = 1.0
"""Seconds off from which it was heard somewhere else."""
FEWEST_HEARD = 20
"""Whoever heard fewer words than these has no opinion."""
_EXPECTED = 0.1
"""Share of the words that are heard at the least where all is well."""
_CONSTANT, _SONG, _NEARBY = -0.28, 0.56, 0.56
"""Nats: to begin with, for the agreement over the song, for that around the word. Fitted as
`lyricsyncd.judging.quality` is, on top of its weights
(``python -m benchmarks.second_recogniser``)."""

CLEARLY = 0.02
"""By how much a score must be higher before a placement is given up for another."""

UNSPACED = frozenset({"ja", "km", "lo", "my", "th", "yue", "zh"})
"""Languages written without spaces: where a word ends, the lyrics and a recogniser do not agree."""


def opinion(
    onset: DoubleArray, known: Sequence[Word], heard: Sequence[Word], language: str | None
) -> DoubleArray:
    """What was heard for and against each word's place.

    Parameters
    ----------
    onset : ndarray of float64, shape (N,)
        Seconds where the words were placed.
    known : sequence of Word
        The words.
    heard : sequence of Word
        A transcript with times.
    language : str or None
        ISO 639-1.

    Returns
    -------
    ndarray of float64, shape (N,)
        Nats, to add to the logits of `lyricsyncd.judging.quality.confidences`.
    """
    if len(heard) < FEWEST_HEARD or len(onset) == 0 or language in UNSPACED:
        return np.zeros(len(onset))
    weights = np.array([_CONSTANT, _SONG, _NEARBY])
    result: DoubleArray = evidence(onset, known, heard) @ weights
    return result


def evidence(onset: DoubleArray, known: Sequence[Word], heard: Sequence[Word]) -> DoubleArray:
    """What an opinion is made of, shape (N, 3): a one, and the agreement over the song and around
    each word, 0-1. The parameters are those of `opinion`."""
    agrees, elsewhere = onset_posteriors(onset, transcript_starts(heard, known))
    could_be = max(1, min(len(known), len(heard)))
    song = _agreement(agrees.sum() / could_be, elsewhere.sum() / could_be)
    around = _agreement(nearby(agrees), nearby(elsewhere))
    return np.stack([np.ones(len(onset)), np.full(len(onset), song), around], axis=1)


def better(
    first: Alignment,
    second: Alignment,
    known: Sequence[Word],
    heard: Sequence[Word],
    language: str | None,
    thresholds: Thresholds,
    calibration: Calibration | None = SPHINX,
) -> tuple[Alignment, Verdict]:
    """Which placement of the same words to keep once the other ear has spoken: the first, unless
    the second is clearly thought better of. The other parameters are those of `opinion` and
    `lyricsyncd.judging.quality.judge`."""
    one, other = (
        judge(each, thresholds, calibration, opinion(each.onset, known, heard, language))
        for each in (first, second)
    )
    return (second, other) if other.score >= one.score + CLEARLY else (first, one)


def prior_weight(
    placed: Alignment, thresholds: Thresholds, calibration: Calibration | None = SPHINX
) -> tuple[Alignment, Verdict]:
    """Whether the votes of another ear are followed: unless the first ear clearly thinks less of
    where they lead than of what it has by itself.

    Parameters
    ----------
    placed : Alignment
        With the votes; without them in ``placed.alone``.
    thresholds, calibration
        As in `lyricsyncd.judging.quality.judge`.
    """
    verdict = judge(placed, thresholds, calibration)
    if placed.without_prior is None:
        return placed, verdict
    without_prior = judge(placed.without_prior, thresholds, calibration)
    follow = verdict.score >= without_prior.score - CLEARLY
    return (placed, verdict) if follow else (placed.without_prior, without_prior)


def onset_posteriors(
    onset: DoubleArray, starts: Sequence[float | None]
) -> tuple[DoubleArray, DoubleArray]:
    """Which words were heard where they were placed, and which somewhere else: 1 or 0 each."""
    off = np.abs(onset - np.array([np.nan if s is None else s for s in starts], np.float64))
    return (off <= AGREES_S).astype(np.float64), (off > ELSEWHERE_S).astype(np.float64)


def _agreement(agrees: DoubleArray, elsewhere: DoubleArray) -> DoubleArray:
    """0-1: near 1 where far more than the least was heard in place and nothing elsewhere."""
    result: DoubleArray = agrees / (agrees + elsewhere + _EXPECTED)
    return result
