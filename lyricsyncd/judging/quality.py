"""Is it right? Confidences that mean something, and the decision they lead to.

A word's confidence is the probability that its onset lies within 0.3 s of where a person would put
it; a song's quality score is the predicted share of such onsets. Both come from what the search
knows (how well the sounds fit, how sure it is of the place, how the neighbours do, how much of the
singing is accounted for, how much better these words do than the same in another order) through
logistic regressions whose weights were fitted on real songs with human timings, on good stems and
on bare mixes, with the right words and with those of other songs, many words and few
(``python -m benchmarks.calibrate``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.aligner import Alignment
from lyricsyncd.align.linetimes import Fit
from lyricsyncd.judging.calibration import Calibration
from lyricsyncd.model import Decision

DoubleArray = npt.NDArray[np.float64]

FEATURES = (
    "constant",
    "fit",
    "fit nearby",
    "sureness",
    "sureness nearby",
    "spread",
    "spread nearby",
    "activity",
    "length",
    "length squared",
    "coverage",
    "likelihood_ratio",
)
WEIGHTS = (
    *(-5.167, 0.043, 0.696, 0.104, 0.331, -0.648),
    *(-0.924, 0.563, -0.588, -0.219, 0.557, 1.850),
)
"""One weight a feature, from ``benchmarks.calibrate``."""
SONG = (0.0, 1.252)
"""Offset and slope, on the logistic scale, from the mean confidence of a song's words to its score:
words of one song are right or wrong together, so many weak hints make a strong one. The offset is
a little below the fitted 0.113: rather doubted than wrong."""

SPHINX = Calibration(WEIGHTS, SONG)

_NEARBY_WORDS = 4.0
"""Standard deviation, in words, of the neighbourhood that counts as nearby."""
_FEW_WORDS = 40.0
"""Words whose advantage is believed by half: a dozen find a good place in most songs."""


class Thresholds(Protocol):
    """Scores from which words, or lines, may be written with their times."""

    @property
    def words(self) -> float:
        """Every word, from this score on."""

    @property
    def lines(self) -> float:
        """Every line, from this score on; nothing below it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is thought of an alignment."""

    score: float
    """0-1: the predicted share of onsets within 0.3 s."""
    confidence: tuple[float, ...]
    """The same for each word."""
    decision: Decision
    reason: str


def judge(
    alignment: Alignment,
    thresholds: Thresholds,
    calibration: Calibration | None = SPHINX,
    opinion: DoubleArray | None = None,
) -> Verdict:
    """Judge an alignment and decide what may be written.

    Parameters
    ----------
    thresholds : Thresholds
        Scores from which words, or lines, may be written.
    calibration : Calibration or None
        That of the ear which heard it. Without one the score is only good for comparing: nothing
        is written on its word, but lines whose times a source knew and the ear found again.
    opinion : ndarray of float64, shape (N,), optional
        What another ear says for and against each word (`lyricsyncd.judging.agreement`).
    """
    if len(alignment.onset) == 0:
        return Verdict(0.0, (), Decision.NONE, "There are no words to judge")
    confidence = confidences(alignment, calibration or SPHINX, opinion)
    score = song_score(float(confidence.mean()), calibration or SPHINX)
    decision, reason = decide(score, thresholds)
    if calibration is None:
        decision, reason = _without_calibration(decision, reason, alignment)
    return Verdict(score, tuple(round(float(c), 3) for c in confidence), decision, reason)


def decide(score: float, thresholds: Thresholds) -> tuple[Decision, str]:
    """What a score allows, and a sentence that says why."""
    told = _percent(score, (thresholds.words, thresholds.lines, thresholds.lines / 2))
    percent = f"About {told} of the words are expected to be in place"
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


def _without_calibration(
    decision: Decision, reason: str, alignment: Alignment
) -> tuple[Decision, str]:
    """What may be written where nobody knows what the ear's word is worth."""
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
    """A share in percent, in whole ones unless that would put it on the other side of a bar."""
    for digits in range(6):
        told = round(100 * share, digits)
        if all((told >= 100 * bar) == (share >= bar) for bar in bars):
            return f"{told:.{digits}f}%"
    return f"{100 * share}%"


def confidences(
    alignment: Alignment, calibration: Calibration = SPHINX, opinion: DoubleArray | None = None
) -> DoubleArray:
    """Probability that each word's onset is within 0.3 s, shape (N,)."""
    logits = features(alignment) @ np.array(calibration.weights)
    if opinion is not None:
        logits = logits + opinion
    probability: DoubleArray = 1.0 / (1.0 + np.exp(-logits))
    return probability


def song_score(mean_confidence: float, calibration: Calibration = SPHINX) -> float:
    """The predicted share of onsets within 0.3 s, from the mean confidence of the words."""
    mean = min(max(mean_confidence, 1e-6), 1.0 - 1e-6)
    offset, slope = calibration.song
    return float(1.0 / (1.0 + np.exp(-offset - slope * np.log(mean / (1.0 - mean)))))


def features(alignment: Alignment) -> DoubleArray:
    """What the regression looks at, shape (N, len(FEATURES))."""
    near = np.clip(alignment.near, 1e-3, 1.0 - 1e-3)
    sureness = np.log(near / (1.0 - near)) / 3.0
    spread = np.log(alignment.spread + 0.02)
    length = np.log(np.clip(alignment.offset - alignment.onset, 0.03, 10.0))
    return np.stack(
        [
            np.ones(len(near)),
            alignment.fit,
            nearby(alignment.fit),
            sureness,
            nearby(sureness),
            spread,
            nearby(spread),
            alignment.activity,
            length,
            length**2,
            alignment.coverage,
            np.full(len(near), _shrunk_likelihood_ratio(alignment)),
        ],
        axis=1,
    )


def _shrunk_likelihood_ratio(alignment: Alignment) -> float:
    """The advantage of these words over others, the less believed the fewer they are."""
    n = len(alignment.onset)
    return min(max(alignment.likelihood_ratio, -1.0), 3.0) * n / (n + _FEW_WORDS)


def nearby(values: DoubleArray) -> DoubleArray:
    """A word's value together with its neighbours': words go wrong in stretches."""
    reach = round(3 * _NEARBY_WORDS)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _NEARBY_WORDS) ** 2)
    total = np.convolve(values, kernel, mode="full")[reach : reach + len(values)]
    weight = np.convolve(np.ones(len(values)), kernel, mode="full")[reach : reach + len(values)]
    result: DoubleArray = total / weight
    return result
