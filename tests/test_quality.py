"""The score predicts; the decision follows from it and says why."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.align.aligner import Alignment
from lyricsyncd.config import Quality
from lyricsyncd.model import Decision
from lyricsyncd.quality import FEATURES, WEIGHTS, confidences, decide, features, judge

THRESHOLDS = Quality(words=0.7, lines=0.4)


def alignment(n: int = 20, **values: float) -> Alignment:
    """Words half a second apart that all look the same."""
    onset = np.arange(n, dtype=np.float64) * 0.5

    def each(name: str, otherwise: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.full(n, values.get(name, otherwise))

    return Alignment(
        onset=onset,
        offset=onset + 0.3,
        fit=each("fit", -1.0),
        near=each("near", 0.99),
        spread=each("spread", 0.03),
        activity=each("activity", 1.0),
        covered=each("covered", 0.9),
        placed=np.ones(n, np.bool_),
        ear="test",
        advantage=values.get("advantage", 2.0),
    )


def test_a_weight_a_feature() -> None:
    assert len(WEIGHTS) == len(FEATURES) == features(alignment()).shape[1]


def test_a_good_fit_in_a_sure_place_may_be_written_as_words() -> None:
    verdict = judge(alignment(), THRESHOLDS)
    assert verdict.decision is Decision.WORDS
    assert verdict.score > 0.9


def test_words_that_fit_nowhere_are_not_written() -> None:
    verdict = judge(alignment(fit=-9.0, near=0.2, spread=3.0, advantage=0.1), THRESHOLDS)
    assert verdict.decision in (Decision.NONE, Decision.REVIEW)
    assert verdict.score < 0.3


def test_words_that_any_other_words_could_replace_are_not_written() -> None:
    own, anybodys = alignment(40, advantage=2.0), alignment(40, advantage=0.1)
    assert judge(anybodys, THRESHOLDS).score < judge(own, THRESHOLDS).score - 0.1


def test_few_words_are_believed_less_than_many() -> None:
    few, many = judge(alignment(6), THRESHOLDS), judge(alignment(60), THRESHOLDS)
    assert few.score < many.score


def test_a_bad_stretch_pulls_its_neighbours_down() -> None:
    good = alignment(40)
    spread, fit = good.spread.copy(), good.fit.copy()
    spread[15:25], fit[15:25] = 4.0, -9.0
    mixed = confidences(dataclasses.replace(good, spread=spread, fit=fit))
    assert mixed[13] < mixed[0]
    assert mixed[20] < mixed[13]


def test_no_words_no_verdict() -> None:
    assert judge(alignment(0), THRESHOLDS).decision is Decision.NONE


@pytest.mark.parametrize(
    ("score", "decision"),
    [
        (0.70, Decision.WORDS),
        (0.69, Decision.LINES),
        (0.40, Decision.LINES),
        (0.39, Decision.REVIEW),
        (0.20, Decision.REVIEW),
        (0.19, Decision.NONE),
    ],
)
def test_the_thresholds_decide(score: float, decision: Decision) -> None:
    decided, reason = decide(score, THRESHOLDS)
    assert decided is decision
    assert f"{score:.0%}" in reason


@given(st.floats(-25.0, 0.0), st.floats(0.0, 1.0), st.floats(0.0, 10.0), st.floats(0.0, 1.0))
def test_a_confidence_is_a_probability(
    fit: float, near: float, spread: float, activity: float
) -> None:
    confidence = confidences(alignment(fit=fit, near=near, spread=spread, activity=activity))
    assert ((confidence >= 0.0) & (confidence <= 1.0)).all()
