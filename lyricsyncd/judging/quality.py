"""Confidences, the quality score, and the decision that follows from it.

A word's confidence is the probability that its onset lies within 0.3 s of where a person would put
it; a song's quality score is the predicted share of such onsets. Both come from the features of the
words (how well the sounds fit, the posterior of the place, the words beside it, how much of the
singing words account for, the log-likelihood ratio to the same words in another order) through
logistic regressions whose weights were fitted on real songs with human timings: on good stems and
on the full mix, with the right words and with those of other songs, with many words and few
(`lyricsyncd.judging.fitting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.features import Alignment
from lyricsyncd.align.linetimes import Fit
from lyricsyncd.judging.calibration import Calibration, Regressions, phone_states
from lyricsyncd.judging.predictors import all_predictors, predictors
from lyricsyncd.model import Decision

DoubleArray = npt.NDArray[np.float64]


class Thresholds(Protocol):
    """The shares of words in place from which words, or lines, may be written with their times."""

    @property
    def words(self) -> float:
        """The words of a line, from this mean confidence on (`lyricsyncd.judging.lines`); those of
        a song are good enough to look for no others, from this score on."""
        ...

    @property
    def lines(self) -> float:
        """The lines of a song, from this score on; nothing below it."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of an alignment."""

    score: float
    """0-1: the predicted share of onsets within 0.3 s."""
    confidence: tuple[float, ...]
    """The same for each word."""
    decision: Decision
    """What the score of the song allows; `lyricsyncd.judging.lines` decides line by line."""
    reason: str
    calibrated: bool = True
    """Whether the confidences are those of a calibrated acoustic model: without, no word times."""


def judge(
    alignment: Alignment,
    thresholds: Thresholds,
    calibration: Calibration | None,
    log_odds: DoubleArray | None = None,
) -> Verdict:
    """Judge an alignment and decide what may be written.

    Parameters
    ----------
    thresholds : Thresholds
    calibration : Calibration or None
        That of the acoustic model. Without one the score is only good for comparing placements:
        nothing is written because of it, but lines whose times a source had and the model
        confirmed.
    log_odds : ndarray of float64, shape (N,), optional
        What a transcript adds to the log-odds of each word (`lyricsyncd.judging.agreement`).
    """
    if len(alignment.onset) == 0:
        return Verdict(0.0, (), Decision.NONE, "There are no words to judge")
    weights = calibration or phone_states()
    confidence = confidences(alignment, weights, log_odds)
    score = song_score(float(confidence.mean()), _regressions(alignment, weights))
    decision, reason = decide(score, thresholds)
    if calibration is None:
        decision, reason = _without_calibration(decision, reason, alignment)
    rounded = tuple(round(float(c), 3) for c in confidence)
    return Verdict(score, rounded, decision, reason, calibrated=calibration is not None)


def with_missing_words(verdict: Verdict, share: float, thresholds: Thresholds) -> Verdict:
    """Lower the score of words that leave a share of the singing, 0-1, without any.

    The words that there are may all be in place, hence by half of that share.
    """
    if share <= 0.0 or not verdict.confidence:
        return verdict
    score = verdict.score * (1.0 - share / 2.0)
    if not verdict.calibrated:
        return replace(verdict, score=score)
    decision, reason = decide(score, thresholds)
    return replace(verdict, score=score, decision=decision, reason=reason)


def decide(score: float, thresholds: Thresholds) -> tuple[Decision, str]:
    """Return what a score allows, and a sentence with the reason."""
    percent = expected(score, thresholds)
    words, lines = f"{100 * thresholds.words:g}%", f"{100 * thresholds.lines:g}%"
    if score >= thresholds.words:
        return Decision.WORDS, f"{percent}: at least the {words} that words need"
    if score >= thresholds.lines:
        return Decision.LINES, f"{percent}: enough for lines, not the {words} for words"
    if score >= thresholds.lines / 2:
        return Decision.REVIEW, (
            f"{percent}: below the {lines} that lines need; a person should look"
        )
    return Decision.NONE, (f"{percent}: these are probably not the words of this recording")


def expected(score: float, thresholds: Thresholds) -> str:
    """Return a score as a clause."""
    bars = thresholds.words, thresholds.lines, thresholds.lines / 2
    return f"About {_percent(score, bars)} of the words are expected to be in place"


def _without_calibration(
    decision: Decision, reason: str, alignment: Alignment
) -> tuple[Decision, str]:
    """Limit a decision to what an acoustic model without calibration may lead to."""
    if decision not in (Decision.WORDS, Decision.LINES):
        return decision, reason
    times = alignment.line_times
    if times is not None and times.fit in (Fit.GOOD, Fit.SHIFTED):
        return Decision.LINES, (
            "The source's line times are confirmed by the acoustic model "
            f"{alignment.acoustic_model}, which is not calibrated: enough for lines, not for words"
        )
    return Decision.REVIEW, (
        f"The acoustic model {alignment.acoustic_model} is not calibrated: its confidences have "
        "not been measured, so a person should look"
    )


def _percent(share: float, bars: Sequence[float]) -> str:
    """Write a share in percent, in whole ones unless that would cross one of the bars."""
    for digits in range(6):
        percent = round(100 * share, digits)
        if all((percent >= 100 * bar) == (share >= bar) for bar in bars):
            return f"{percent:.{digits}f}%"
    return f"{100 * share}%"


def confidences(
    alignment: Alignment, calibration: Calibration, log_odds: DoubleArray | None = None
) -> DoubleArray:
    """Return the probability that each word's onset is within 0.3 s, shape (N,)."""
    regressions = _regressions(alignment, calibration)
    alone = regressions is calibration.alone
    values = predictors(alignment) if alone else all_predictors(alignment)
    logits = values @ np.array(regressions.weights)
    if log_odds is not None:
        logits = logits + log_odds
    probability: DoubleArray = 1.0 / (1.0 + np.exp(-logits))
    return probability


def song_score(mean_confidence: float, regressions: Regressions) -> float:
    """Return the predicted share of onsets within 0.3 s, from the words' mean confidence.

    The words of one song are right or wrong together, so many weak signs make a strong one: hence
    a second regression.
    """
    mean = min(max(mean_confidence, 1e-6), 1.0 - 1e-6)
    offset, slope = regressions.song
    return float(1.0 / (1.0 + np.exp(-offset - slope * np.log(mean / (1.0 - mean)))))


def _regressions(alignment: Alignment, calibration: Calibration) -> Regressions:
    """Return those with a second aligner where it was the one that they were fitted with."""
    both = calibration.with_second
    if both is None or alignment.second_near is None or alignment.second != calibration.second:
        return calibration.alone
    return both
