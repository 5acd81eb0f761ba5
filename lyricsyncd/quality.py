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

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.aligner import Alignment
from lyricsyncd.config import Quality
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
    "covered",
    "advantage",
)
WEIGHTS = (
    *(-5.476, 0.045, 0.699, 0.118, 0.313, -0.669),
    *(-0.912, 0.912, -0.573, -0.208, 0.385, 1.883),
)
"""One weight a feature, from ``benchmarks.calibrate``."""
SONG = (0.0, 1.247)
"""Offset and slope, on the logistic scale, from the mean confidence of a song's words to its score:
words of one song are right or wrong together, so many weak hints make a strong one. The offset is
a little below the fitted 0.104: rather doubted than wrong."""

_NEARBY_WORDS = 4.0
"""Standard deviation, in words, of the neighbourhood that counts as nearby."""
_FEW_WORDS = 40.0
"""Words whose advantage is believed by half: a dozen find a good place in most songs."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is thought of an alignment."""

    score: float
    """0-1: the predicted share of onsets within 0.3 s."""
    confidence: tuple[float, ...]
    """The same for each word."""
    decision: Decision
    reason: str


def judge(alignment: Alignment, thresholds: Quality, opinion: DoubleArray | None = None) -> Verdict:
    """Judge an alignment and decide what may be written.

    Parameters
    ----------
    thresholds : Quality
        Scores from which words, or lines, may be written.
    opinion : ndarray of float64, shape (N,), optional
        What another ear says for and against each word (`lyricsyncd.second_opinion`).
    """
    if len(alignment.onset) == 0:
        return Verdict(0.0, (), Decision.NONE, "There are no words to judge")
    confidence = confidences(alignment, opinion)
    score = song_score(float(confidence.mean()))
    decision, reason = decide(score, thresholds)
    return Verdict(score, tuple(round(float(c), 3) for c in confidence), decision, reason)


def decide(score: float, thresholds: Quality) -> tuple[Decision, str]:
    """What a score allows, and a sentence that says why."""
    percent = f"About {score:.0%} of the words are expected to be in place"
    if score >= thresholds.words:
        return Decision.WORDS, f"{percent}: at least the {thresholds.words:.0%} that words need"
    if score >= thresholds.lines:
        return (
            Decision.LINES,
            f"{percent}: enough for lines, not the {thresholds.words:.0%} for words",
        )
    if score >= thresholds.lines / 2:
        return Decision.REVIEW, (
            f"{percent}: below the {thresholds.lines:.0%} that lines need; a person should look"
        )
    return Decision.NONE, (f"{percent}: these are probably not the words of this recording")


def confidences(alignment: Alignment, opinion: DoubleArray | None = None) -> DoubleArray:
    """Probability that each word's onset is within 0.3 s, shape (N,)."""
    logits = features(alignment) @ np.array(WEIGHTS)
    if opinion is not None:
        logits = logits + opinion
    probability: DoubleArray = 1.0 / (1.0 + np.exp(-logits))
    return probability


def song_score(mean_confidence: float) -> float:
    """The predicted share of onsets within 0.3 s, from the mean confidence of the words."""
    mean = min(max(mean_confidence, 1e-6), 1.0 - 1e-6)
    offset, slope = SONG
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
            alignment.covered,
            np.full(len(near), _advantage(alignment)),
        ],
        axis=1,
    )


def _advantage(alignment: Alignment) -> float:
    """The advantage of these words over others, the less believed the fewer they are."""
    n = len(alignment.onset)
    return min(max(alignment.advantage, -1.0), 3.0) * n / (n + _FEW_WORDS)


def nearby(values: DoubleArray) -> DoubleArray:
    """A word's value together with its neighbours': words go wrong in stretches."""
    reach = round(3 * _NEARBY_WORDS)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _NEARBY_WORDS) ** 2)
    total = np.convolve(values, kernel, mode="full")[reach : reach + len(values)]
    weight = np.convolve(np.ones(len(values)), kernel, mode="full")[reach : reach + len(values)]
    result: DoubleArray = total / weight
    return result
