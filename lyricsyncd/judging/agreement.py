"""Judge a placement by its agreement with a second model.

A recogniser that does not know the words transcribes the song. Words that it recognised in a row
where they were placed are right; words that it recognised elsewhere are in the wrong place; and
where it recognised much, but none of these words, they are hardly those of the recording. On twelve
songs, a third or more of the words that could be recognised were recognised in place (a tenth in
two songs), and with the words of other songs none at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.features import Alignment
from lyricsyncd.judging.calibration import Calibration
from lyricsyncd.judging.predictors import nearby
from lyricsyncd.judging.quality import Thresholds, Verdict, judge

DoubleArray = npt.NDArray[np.float64]

AGREES_S = 0.5
"""Seconds within which a word was recognised where it was placed."""
ELSEWHERE_S = 1.0
"""Seconds off from which it was recognised elsewhere."""
FEWEST_RECOGNISED = 20
"""A transcript of fewer words than these says nothing."""
_EXPECTED = 0.1
"""Share of the words that are at least recognised where all is well."""
_CONSTANT, _SONG, _NEARBY = -0.28, 0.56, 0.56
"""Nats: the constant, the weight of the agreement over the song, and of that around the word.
Fitted as the calibration is, on top of its weights (``python -m benchmarks.second_recogniser``)."""

CLEARLY = 0.02
"""By how much a score must be higher before a placement is given up for another."""
LOST_WITH_PRIOR = 0.05
"""By how much the score may fall with the prior of a second aligner before it is rejected: on weak
vocals a second aligner may be lost in the whole song."""

UNSPACED = frozenset({"ja", "km", "lo", "my", "th", "yue", "zh"})
"""Languages written without spaces: the lyrics and a recogniser differ in where words end."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcript, matched with the words of the lyrics.

    Attributes
    ----------
    starts : sequence of float or None, length N
        Seconds at which words of the lyrics were recognised
        (`lyricsyncd.align.anchors.transcript_starts`).
    n_words : int
        Number of all words of the transcript.
    language : str or None
        ISO 639-1.
    """

    starts: Sequence[float | None]
    n_words: int
    language: str | None


def transcript_log_odds(onset: DoubleArray, transcript: Transcript) -> DoubleArray:
    """Return what a transcript adds to the log-odds of each word, shape (N,).

    Parameters
    ----------
    onset : ndarray of float64, shape (N,)
        Seconds where the words were placed.

    Returns
    -------
    ndarray of float64, shape (N,)
        Nats, for `lyricsyncd.judging.quality.confidences`.
    """
    too_few = transcript.n_words < FEWEST_RECOGNISED or len(onset) == 0
    if too_few or transcript.language in UNSPACED:
        return np.zeros(len(onset))
    weights = np.array([_CONSTANT, _SONG, _NEARBY])
    result: DoubleArray = transcript_predictors(onset, transcript) @ weights
    return result


def transcript_predictors(onset: DoubleArray, transcript: Transcript) -> DoubleArray:
    """Return the predictors of `transcript_log_odds`, shape (N, 3): a one, and the agreement over
    the song and around each word, 0-1."""
    agrees, elsewhere = agreement(onset, transcript.starts)
    possible = max(1, min(len(onset), transcript.n_words))
    song = _share(agrees.sum() / possible, elsewhere.sum() / possible)
    around = _share(nearby(agrees), nearby(elsewhere))
    return np.stack([np.ones(len(onset)), np.full(len(onset), song), around], axis=1)


def agreement(
    onset: DoubleArray, starts: Sequence[float | None]
) -> tuple[DoubleArray, DoubleArray]:
    """Return which words were recognised where they were placed, and which elsewhere: 1 or 0."""
    off = np.abs(onset - np.array([np.nan if s is None else s for s in starts], np.float64))
    return (off <= AGREES_S).astype(np.float64), (off > ELSEWHERE_S).astype(np.float64)


def better(
    first: Alignment,
    second: Alignment,
    transcript: Transcript,
    thresholds: Thresholds,
    calibration: Calibration | None,
) -> tuple[Alignment, Verdict]:
    """Choose between two placements of the same words: the first, unless the second is judged
    clearly better in the light of the transcript."""
    one, other = (
        judge(each, thresholds, calibration, transcript_log_odds(each.onset, transcript))
        for each in (first, second)
    )
    return (second, other) if other.score >= one.score + CLEARLY else (first, one)


def accept_prior(
    placed: Alignment, thresholds: Thresholds, calibration: Calibration | None
) -> tuple[Alignment, Verdict]:
    """Choose between a placement with a second aligner's prior and that without it.

    The prior is accepted unless the first model alone judges the result clearly worse than its own;
    what is chosen is judged in the light of both.

    Parameters
    ----------
    placed : Alignment
        With the prior; ``placed.without_prior`` is the other.
    """
    chosen = placed
    if placed.without_prior is not None:
        one, other = (
            judge(replace(each, second_near=None), thresholds, calibration)
            for each in (placed.without_prior, placed)
        )
        if other.score < one.score - LOST_WITH_PRIOR:
            chosen = placed.without_prior
    return chosen, judge(chosen, thresholds, calibration)


def _share(agrees: DoubleArray, elsewhere: DoubleArray) -> DoubleArray:
    """Return 0-1: near 1 where far more than `_EXPECTED` agrees and nothing is elsewhere."""
    result: DoubleArray = agrees / (agrees + elsewhere + _EXPECTED)
    return result
