"""The score predicts; the decision follows from it and says why."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.align.acoustic_models import calibration_path
from lyricsyncd.align.emissions.ctc import Alphabet, CtcModel
from lyricsyncd.align.emissions.sphinx import PhoneStateModel
from lyricsyncd.align.features import Alignment
from lyricsyncd.align.linetimes import Fit, LineTimes
from lyricsyncd.config.schema import Quality
from lyricsyncd.errors import ModelError
from lyricsyncd.judging.calibration import Calibration, Regressions, phone_states
from lyricsyncd.judging.predictors import PREDICTORS, predictors
from lyricsyncd.judging.quality import confidences, decide, judge
from lyricsyncd.model import Decision

THRESHOLDS = Quality(words=0.7, lines=0.4)
OURS = phone_states()


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
        coverage=each("coverage", 0.9),
        placed=np.ones(n, np.bool_),
        acoustic_model="test",
        likelihood_ratio=values.get("likelihood_ratio", 2.0),
    )


def test_each_feature_has_a_weight() -> None:
    assert len(phone_states().alone.weights) == len(PREDICTORS) == predictors(alignment()).shape[1]


def test_a_good_fit_in_a_sure_place_may_be_written_as_words() -> None:
    verdict = judge(alignment(), THRESHOLDS, OURS)
    assert verdict.decision is Decision.WORDS
    assert verdict.score > 0.9


def test_words_that_fit_nowhere_are_not_written() -> None:
    verdict = judge(
        alignment(fit=-9.0, near=0.2, spread=3.0, likelihood_ratio=0.1), THRESHOLDS, phone_states()
    )
    assert verdict.decision in (Decision.NONE, Decision.REVIEW)
    assert verdict.score < 0.3


def test_words_that_any_other_words_could_replace_are_not_written() -> None:
    own, others = alignment(40, likelihood_ratio=2.0), alignment(40, likelihood_ratio=0.1)
    assert judge(others, THRESHOLDS, OURS).score < judge(own, THRESHOLDS, OURS).score - 0.1


@pytest.mark.parametrize("with_second", [False, True])
def test_vocalises_are_believed_less_than_words(with_second: bool) -> None:
    near = np.full(20, 0.9) if with_second else None
    words = dataclasses.replace(
        alignment(), second="phonemes" if with_second else "", second_near=near
    )
    half = np.arange(20) < 10
    found = confidences(dataclasses.replace(words, wordless=half), OURS)
    assert (found[half] < confidences(words, OURS)[half]).all()
    assert found[~half] == pytest.approx(confidences(words, OURS)[~half])


def test_of_some_words_those_stay_vocalises() -> None:
    half = np.arange(20) < 10
    some = dataclasses.replace(alignment(), wordless=half).of(np.arange(20) % 2 == 0)
    assert some.wordless is not None
    assert some.wordless.tolist() == half[::2].tolist()


def test_few_words_are_believed_less_than_many() -> None:
    few, many = (
        judge(alignment(6), THRESHOLDS, OURS),
        judge(alignment(60), THRESHOLDS, OURS),
    )
    assert few.score < many.score


def test_a_bad_stretch_pulls_its_other_programs_down() -> None:
    good = alignment(40)
    spread, fit = good.spread.copy(), good.fit.copy()
    spread[15:25], fit[15:25] = 4.0, -9.0
    mixed = confidences(dataclasses.replace(good, spread=spread, fit=fit), OURS)
    assert mixed[13] < mixed[0]
    assert mixed[20] < mixed[13]


def test_no_words_no_verdict() -> None:
    assert judge(alignment(0), THRESHOLDS, OURS).decision is Decision.NONE


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


@pytest.mark.parametrize(
    ("score", "bar", "expected"),
    [(0.696, 0.7, "About 69.6% "), (0.6999, 0.7, "About 69.99% "), (0.7, 0.7, "About 70% "),
     (0.676, 0.675, "at least the 67.5% "), (0.674, 0.675, "not the 67.5% ")],
)  # fmt: skip
def test_the_reason_never_names_the_bar_that_was_missed(
    score: float, bar: float, expected: str
) -> None:
    assert expected in decide(score, Quality(words=bar, lines=0.4))[1]


@given(st.floats(-25.0, 0.0), st.floats(0.0, 1.0), st.floats(0.0, 10.0), st.floats(0.0, 1.0))
def test_a_confidence_is_a_probability(
    fit: float, near: float, spread: float, activity: float
) -> None:
    confidence = confidences(
        alignment(fit=fit, near=near, spread=spread, activity=activity), phone_states()
    )
    assert ((confidence >= 0.0) & (confidence <= 1.0)).all()


# --- acoustic models without calibration ----------------------------------------------------


def test_a_model_that_is_not_calibrated_is_no_reason_to_write_anything() -> None:
    verdict = judge(alignment(), THRESHOLDS, None)
    assert verdict.decision is Decision.REVIEW
    assert "the acoustic model test is not calibrated" in verdict.reason.lower()


def test_it_may_confirm_the_line_times_of_a_source() -> None:
    for fit, decision in (
        (Fit.GOOD, Decision.LINES),
        (Fit.SHIFTED, Decision.LINES),
        (Fit.UNCLEAR, Decision.REVIEW),
        (Fit.JUMPING, Decision.REVIEW),
    ):
        with_times = dataclasses.replace(alignment(), line_times=LineTimes(fit))
        assert judge(with_times, THRESHOLDS, None).decision is decision


def test_what_it_doubts_itself_stays_doubtful() -> None:
    doubtful = alignment(fit=-9.0, near=0.2, spread=3.0)
    judged = judge(doubtful, THRESHOLDS, OURS)
    assert judge(doubtful, THRESHOLDS, None).decision is judged.decision


@given(st.floats(0, 20), st.floats(0, 1), st.floats(0, 5), st.sampled_from(list(Fit)))
def test_it_never_leads_to_words(fit: float, near: float, spread: float, times: Fit) -> None:
    any_way = alignment(fit=-fit, near=near, spread=spread)
    any_way = dataclasses.replace(any_way, line_times=LineTimes(times))
    assert judge(any_way, THRESHOLDS, None).decision is not Decision.WORDS


def acoustic_model(calibration: Path | None) -> CtcModel:
    alphabet = Alphabet.of({"-": 0, "a": 1}, "-", None)
    return CtcModel(Mock(), alphabet, calibration=calibration)


def test_a_file_beside_a_model_calibrates_it(tmp_path: Path) -> None:
    path = calibration_path(tmp_path)
    assert Calibration.of(acoustic_model(None)) is None
    assert Calibration.of(acoustic_model(path)) is None
    own = Calibration(Regressions(tuple(0.1 * i for i in range(len(PREDICTORS))), (0.0, 1.0)))
    own.write(path)
    assert Calibration.of(acoustic_model(path)) == own
    assert judge(alignment(), THRESHOLDS, own).score != judge(alignment(), THRESHOLDS, OURS).score
    assert calibration_path(tmp_path / "fr.onnx") == tmp_path / "fr.calibration.json"


def test_a_file_that_knows_nothing_of_vocalises_counts_them_as_words(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    OURS.write(path)
    older = json.loads(path.read_text())
    del older["weights"]["vocalises"], older["with_second"]["weights"]["vocalises"]
    path.write_text(json.dumps(older))
    assert Calibration.read(path).alone.weights[PREDICTORS.index("vocalises")] == 0.0


def test_a_calibration_with_a_second_aligner_is_for_that_one_alone(tmp_path: Path) -> None:
    alone = Regressions(tuple(0.1 for _ in PREDICTORS), (0.0, 1.0))
    both = Regressions((*alone.weights[:-1], 0.1, 9.0, *(0.0,) * 4), (0.0, 1.0))
    own = Calibration(alone, both, "phonemes")
    own.write(tmp_path / "calibration.json")
    assert Calibration.read(tmp_path / "calibration.json") == own
    without = alignment()
    near = np.full(len(without.onset), 0.02)
    doubted = dataclasses.replace(without, second="phonemes", second_near=near)
    of_another = dataclasses.replace(doubted, second="whisper")
    score = judge(without, THRESHOLDS, own).score
    assert judge(of_another, THRESHOLDS, own).score == score
    assert judge(doubted, THRESHOLDS, own).score < score


def test_a_word_that_the_second_aligner_lacks_is_judged_as_the_song_is() -> None:
    both = (0.0,) * len(PREDICTORS) + (3.0, 0.0, 0.0, 0.0, 0.0)
    own = Calibration(
        Regressions((0.0,) * len(PREDICTORS), (0.0, 1.0)), Regressions(both, (0.0, 1.0)), "phonemes"
    )
    near = np.where(np.arange(len(alignment().onset)) % 2, 0.9, np.nan)
    placed = dataclasses.replace(alignment(), second="phonemes", second_near=near)
    confidence = judge(placed, THRESHOLDS, own).confidence
    assert len(set(confidence)) == 1
    assert confidence[0] > 0.5


def test_words_that_two_models_agree_on_need_an_order_that_matters() -> None:
    """Lines of another song may have the rhythm of this one, and the models agree on it."""
    own = dataclasses.replace(alignment(), second="phonemes", second_near=np.full(20, 0.9))
    others = dataclasses.replace(own, likelihood_ratio=0.15)
    assert judge(own, THRESHOLDS, OURS).decision is Decision.WORDS
    assert judge(others, THRESHOLDS, OURS).score < judge(own, THRESHOLDS, OURS).score - 0.3


def test_the_model_of_the_base_install_is_calibrated() -> None:
    assert Calibration.of(PhoneStateModel.load()) == phone_states()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"weights": {"fit": 1}, "song": [0, 1]}',
        '{"weights": {"fit": "much"}, "song": [0, 1]}',
        '{"weights": [1, 2], "song": [0, 1]}',
    ],
)
def test_a_file_that_is_no_calibration_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(text)
    with pytest.raises(ModelError, match=r"The calibration .* (cannot be read|is of another)"):
        Calibration.of(acoustic_model(path))
