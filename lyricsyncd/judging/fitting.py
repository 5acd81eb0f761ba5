"""Fit the calibration of an acoustic model to songs with human timings.

Each song (`lyricsyncd.judging.references`) is placed on its vocals from plain words, from line
times and from words that lack a verse or have one of another song, on two parts of its vocals and
on the full mix. Then with words that are not its own, none of which count as in place: those of two
other songs, a quarter of one and two lines of one, and on the two parts as many words of two
others as the parts have. Two logistic regressions are fitted to the results: from the predictors of
a word to the probability that it is in place, and from the mean of these over a song to the share
that is. Where there is a second aligner, two more are fitted to where both have the words, with
predictors of its own.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lyricsyncd.align import acoustic_models, refine
from lyricsyncd.align.aligner import align
from lyricsyncd.align.emissions import SAMPLE_RATE, AcousticModel
from lyricsyncd.align.features import TOLERANCE_S, Alignment
from lyricsyncd.align.onset_priors import OnsetPosteriors
from lyricsyncd.align.second_aligner import SearchingAligner, SecondAligner
from lyricsyncd.errors import UsageError
from lyricsyncd.judging.calibration import Calibration, Regressions
from lyricsyncd.judging.predictors import WITH_SECOND, all_predictors, predictors
from lyricsyncd.judging.references import Recording

DoubleArray = npt.NDArray[np.float64]

LEAST_SONGS = 2
"""Every song is judged by weights that are fitted to others; a dozen are a good number."""
PARTS_S = (45.0, 20.0)
"""Short songs: there, wrong words find the rhythm of the right ones more easily."""
RIDGE = 1e-2
WRONG_WEIGHT = 0.5
"""Wrong words are rarer than right ones: such a case weighs half a right one."""
RIGHT_WAYS = ("words", "lines", "missing", "extra", "part", "mix")


@dataclass(frozen=True)
class Opener:
    """Opens the acoustic model by `lyricsyncd.align.acoustic_models.open_acoustic_model`."""

    aligner: str = "auto"
    device: str = "auto"
    models_dir: Path | None = None

    def open(self, language: str | None) -> Aligners:
        """Open the model for a language, and the second aligner, if there is one."""
        where = (self.device, self.models_dir, language)
        model = acoustic_models.open_acoustic_model(self.aligner, *where)
        _, second = acoustic_models.pair(self.aligner, *where)
        aligner = None if second is None else acoustic_models.open_second_aligner(second, *where)
        return Aligners(model, aligner)


@dataclass(frozen=True)
class Aligners:
    """An acoustic model, and a second aligner."""

    model: AcousticModel
    second: SecondAligner | None


@dataclass(frozen=True)
class Case:
    """One song placed one way: the predictors of its words, and which words are in place.

    Attributes
    ----------
    predictors : ndarray of float64, shape (N, len(PREDICTORS))
    in_place : ndarray of float64, shape (N,)
        1 or 0.
    weight : float
        Of the case in the fit, all its words together.
    second : str
        The second aligner whose predictors are among these; empty for none.
    with_second : Case or None
        The same where a second aligner had its say.
    """

    song: str
    way: str
    predictors: DoubleArray
    in_place: DoubleArray
    weight: float
    second: str = ""
    with_second: Case | None = None


def cases(songs: Sequence[Recording], opener: Opener, jobs: int = 1) -> Iterator[list[Case]]:
    """Place every song in every way; yield the cases song by song.

    Raises
    ------
    UsageError
        There are fewer than `LEAST_SONGS` songs.
    """
    if len(songs) < LEAST_SONGS:
        raise UsageError(
            f"A calibration needs {LEAST_SONGS} songs with human timings, and there are "
            f"{len(songs)}",
            remedy="Each song needs NAME.txt, NAME.words.csv, NAME.lines.csv and NAME.json",
        )
    tasks = [_with_two_others(songs, i) for i in range(len(songs))]
    if jobs == 1:
        yield from map(partial(_cases, opener), tasks)
        return
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(partial(_cases, opener), tasks)


def _with_two_others(songs: Sequence[Recording], i: int) -> tuple[Recording, Recording, Recording]:
    """Return a song and two others (with two songs in all, the same one twice)."""
    count = len(songs)
    second = (i + 5) % count
    return songs[i], songs[(i + 1) % count], songs[second if second != i else (i + 2) % count]


def _cases(opener: Opener, songs: tuple[Recording, Recording, Recording]) -> list[Case]:
    song, *others = songs
    model = opener.open(song.language)
    extra = _with_lines_of(song, others[1])
    n_lines = len(song.lines)
    middle = set(range(n_lines // 3, n_lines // 2))
    missing = song.with_lines([i for i in range(n_lines) if i not in middle])
    start = max(0.0, song.starts[n_lines // 3] - 2.0)
    parts = [song.part(start, start + length) for length in PARTS_S]
    few = others[-1].with_lines(range(len(others[-1].lines) // 4 + 1))
    two = others[0].with_lines(range(2, min(4, len(others[0].lines))))
    found = [
        _case("words", song, song.observed, song, model),
        _case("lines", song, song.observed, song, model, song.starts),
        _case("missing", song, song.observed, missing, model),
        _case("extra", song, song.observed, extra, model),
        *(_case("part", song, part.observed, part, model) for part in parts),
        _case("mix", song, song.mix, song, model),
        *(_case("wrong", song, song.observed, other, model) for other in others),
        _case("few wrong", song, song.observed, few, model),
        _case("two wrong", song, song.observed, two, model),
        *(
            _case("wrong part", song, part.observed, _as_many(part, other), model)
            for part in parts
            for other in others
            if len(part.onsets)
        ),
    ]
    return [case for case in found if len(case.in_place)]


def _as_many(part: Recording, other: Recording) -> Recording:
    """Return the first lines of another song, of about as many words as a part has."""
    ends = np.cumsum([len(line) for line in other.lines])
    return other.with_lines(range(min(len(ends), int(np.searchsorted(ends, len(part.onsets))) + 1)))


def _with_lines_of(song: Recording, other: Recording) -> Recording:
    """Put a sixth as many lines of another song into the middle; their words have no true time."""
    middle = len(song.lines) // 2
    some = other.with_lines(range(min(len(other.lines), len(song.lines) // 6)))
    at = sum(len(line) for line in song.lines[:middle])
    return replace(
        song,
        lines=[*song.lines[:middle], *some.lines, *song.lines[middle:]],
        starts=[*song.starts[:middle], *[np.nan for _ in some.lines], *song.starts[middle:]],
        onsets=np.insert(song.onsets, at, np.full(len(some.onsets), np.nan)),
        ends=np.insert(song.ends, at, np.full(len(some.onsets), np.nan)),
    )


def _case(
    way: str,
    song: Recording,
    audio: npt.NDArray[np.float32],
    text: Recording,
    aligners: Aligners,
    starts: list[float] | None = None,
) -> Case:
    second = aligners.second

    def second_onsets(first: Alignment) -> OnsetPosteriors | None:
        assert second is not None, "it is called only where there is one"
        return second.onset_posteriors(audio, text.lines, text.language, first, line_starts=starts)

    def second_unsung() -> npt.NDArray[np.bool_] | None:
        if not isinstance(second, SearchingAligner):
            return None
        return second.unsung(audio, text.lines, text.language)

    placed = align(
        audio,
        text.lines,
        text.language,
        aligners.model,
        line_starts=starts,
        second_onsets=None if second is None else second_onsets,
        second_unsung=second_unsung,
    )
    truth = text.onsets if text.name == song.name else np.full(len(text.onsets), np.nan)
    weight = 1.0 if text.name == song.name else WRONG_WEIGHT

    def measured(placed: Alignment, values: Callable[[Alignment], DoubleArray]) -> Case:
        onset, offset = refine.refine(placed.onset, placed.offset, audio, SAMPLE_RATE)
        placed = replace(placed, onset=onset, offset=offset)
        off = np.abs(onset - truth)
        in_place = (np.nan_to_num(off, nan=np.inf) <= TOLERANCE_S).astype(np.float64)
        return Case(song.name, way, values(placed), in_place, weight)

    case = measured(placed.without_prior or placed, predictors)
    if placed.second_near is None:
        return case
    both = replace(measured(placed, all_predictors), second=placed.second)
    return replace(case, with_second=both)


def calibrated(everything: Sequence[Case]) -> tuple[Calibration, list[Judged]]:
    """Fit all weights; return them with the judgements of the cases by those of other songs, with
    a second aligner where there is one."""
    judged = cross_validated(everything)
    alone = fit(everything, judged)
    both = [case.with_second for case in everything if case.with_second is not None]
    if len(both) < len(everything):
        return Calibration(alone), judged
    judged = cross_validated(both)
    return Calibration(alone, fit(both, judged), both[0].second), judged


def fit(everything: Sequence[Case], judged: Sequence[Judged]) -> Regressions:
    """Fit the weights to all cases, and the song's score to confidences that were not fitted to
    the song itself (`cross_validated`)."""
    weights = _word_weights(everything)
    song = _song_weights([row.case for row in judged], [row.confidence for row in judged])
    return Regressions(tuple(weights.tolist()), song)


@dataclass(frozen=True)
class Judged:
    """A case as judged by weights that were fitted to all other songs."""

    case: Case
    confidence: DoubleArray
    score: float

    @property
    def truth(self) -> float:
        """Share of words in place."""
        return float(self.case.in_place.mean())


def cross_validated(everything: Sequence[Case]) -> list[Judged]:
    """Judge every case by weights of both regressions that were fitted without its song."""
    names = list(dict.fromkeys(case.song for case in everything))
    confidence: dict[int, DoubleArray] = {}
    for name in names:
        weights = _word_weights([case for case in everything if case.song != name])
        for case in everything:
            if case.song == name:
                confidence[id(case)] = _sigmoid(case.predictors @ weights)
    found = []
    for case in everything:
        others = [other for other in everything if other.song != case.song]
        offset, slope = _song_weights(others, [confidence[id(other)] for other in others])
        mean = _logit(np.array([confidence[id(case)].mean()]))
        score = float(_sigmoid(offset + slope * mean)[0])
        found.append(Judged(case, confidence[id(case)], score))
    return found


def _word_weights(some: Sequence[Case]) -> DoubleArray:
    """Fit a logistic regression by Newton's method, each case weighing the same."""
    x = np.concatenate([case.predictors for case in some])
    y = np.concatenate([case.in_place for case in some])
    w = np.concatenate([np.full(len(c.in_place), c.weight / len(c.in_place)) for c in some])
    w /= w.mean()
    mean, spread = x.mean(axis=0), x.std(axis=0)
    mean[0], spread[0] = 0.0, 1.0
    # A predictor that is the same everywhere gets the weight 0.
    spread = np.where(spread > 0.0, spread, 1.0)
    z = (x - mean) / spread
    beta = np.zeros(z.shape[1])
    for _ in range(50):
        p = _sigmoid(z @ beta)
        gradient = z.T @ (w * (p - y)) / len(y) + RIDGE * beta
        curvature = (z * (w * p * (1.0 - p))[:, None]).T @ z / len(y)
        beta -= np.linalg.solve(curvature + RIDGE * np.eye(len(beta)), gradient)
    weights: DoubleArray = beta / spread
    weights[0] -= float((beta * mean / spread)[1:].sum())
    return weights


def _song_weights(some: Sequence[Case], confidence: Sequence[DoubleArray]) -> tuple[float, float]:
    """Fit offset and slope from a mean confidence to the share of words in place."""
    means = np.array([each.mean() for each in confidence])
    truths = np.array([case.in_place.mean() for case in some])
    weights = np.array([case.weight for case in some])
    x = np.stack([np.ones(len(means)), _logit(means)], axis=1)
    beta = np.zeros(2)
    for _ in range(50):
        p = _sigmoid(x @ beta)
        curvature = (x * (weights * p * (1.0 - p))[:, None]).T @ x + RIDGE * np.eye(2)
        beta -= np.linalg.solve(curvature, x.T @ (weights * (p - truths)) + RIDGE * beta)
    return float(beta[0]), float(beta[1])


def _sigmoid(x: DoubleArray) -> DoubleArray:
    result: DoubleArray = 1.0 / (1.0 + np.exp(-x))
    return result


def _logit(p: DoubleArray) -> DoubleArray:
    p = np.clip(p, 0.01, 0.99)
    return np.log(p / (1.0 - p))


def error(rows: Sequence[Judged]) -> float:
    """Return the mean absolute error of the score on songs that it was not fitted to."""
    return float(np.mean([abs(row.score - row.truth) for row in rows]))


def report(rows: Sequence[Judged]) -> str:
    """Describe how well the score does on songs that it was not fitted to."""
    lines = ["predicted from the other songs / true"]
    for name in dict.fromkeys(row.case.song for row in rows):
        cells = [
            f"{row.case.way} {row.score:.2f}/{row.truth:.2f}"
            for row in rows
            if row.case.song == name
        ]
        lines.append(f"{name[:32]:32s} {'  '.join(cells)}")
    right = [row for row in rows if "wrong" not in row.case.way]
    wrong = [row for row in rows if "wrong" in row.case.way]
    lines.append(f"mean absolute error of the score: {error(rows):.3f}")
    for way in RIGHT_WAYS:
        own = [row for row in right if row.case.way == way]
        if own:
            passed = float(np.mean([row.score >= 0.5 for row in own]))
            rho = _rank_correlation(own)
            lines.append(f"{way:7s} Spearman {rho}; right words that score ≥ 0.5: {passed:.0%}")
    lines.append(f"all     Spearman {_rank_correlation(right)}")
    caught = float(np.mean([row.score < 0.4 for row in wrong]))
    lines.append(f"wrong words that score < 0.4: {caught:.0%}")
    confidence = np.concatenate([row.confidence for row in right])
    in_place = np.concatenate([row.case.in_place for row in right])
    lines.append("confidence → share in place, a tenth of the words per column")
    tenths = np.array_split(np.argsort(confidence, kind="stable"), 10)
    lines.append("  " + " ".join(f"{confidence[part].mean():5.2f}" for part in tenths))
    lines.append("  " + " ".join(f"{in_place[part].mean():5.2f}" for part in tenths))
    return "\n".join(lines)


def table(regressions: Regressions) -> str:
    """List the weights, one line each."""
    offset, slope = regressions.song
    named = zip(WITH_SECOND, regressions.weights, strict=False)
    lines = [f"  {name:18s} {weight:8.3f}" for name, weight in named]
    return "\n".join([*lines, f"  song: offset {offset:.3f}, slope {slope:.3f}"])


def _rank_correlation(rows: Iterable[Judged]) -> str:
    """Write Spearman's coefficient of scores and truths; equal values share their rank."""

    def ranks(values: DoubleArray) -> DoubleArray:
        below = (values[:, None] > values).sum(axis=1)
        result: DoubleArray = below + 0.5 * ((values[:, None] == values).sum(axis=1) - 1)
        return result

    both = np.array([(row.score, row.truth) for row in rows])
    scores, truths = ranks(both[:, 0]), ranks(both[:, 1])
    if scores.std() == 0.0 or truths.std() == 0.0:
        return "-"
    return f"{np.corrcoef(scores, truths)[0, 1]:.2f}"
