"""Fit the weights that turn what the search knows into confidences (`lyricsyncd.judging.quality`).

    python -m benchmarks.calibrate DIR [--stems CACHE] [--plot FILE.svg]
    python -m benchmarks.calibrate DIR --ear MODEL [--write]

Over a folder laid out as `benchmarks.songs` says, each song is placed on its vocals from plain
words, from line times and from words that lack a verse, on a part of its vocals and on the
unseparated mix; and on its vocals with the words of two other songs, with a quarter of one and with
two lines of one, none of which count as in place. The weights printed are fitted on all songs; the
table shows, for each song, scores predicted from all *other* songs against the truth.

The weights of a CTC model (its folder, or an exported ``.onnx``) are for that model alone: with
``--write`` they are kept beside it, where the service finds them.
"""

from __future__ import annotations

import argparse
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import plot
from benchmarks.recordings import Recording, read_all
from lyricsyncd.align import acoustic_models, refine
from lyricsyncd.align.aligner import align
from lyricsyncd.align.emissions import SAMPLE_RATE, AcousticModel
from lyricsyncd.judging import calibration, quality

DoubleArray = npt.NDArray[np.float64]

NEAR = 0.3
PART_S = 45.0
RIDGE = 1e-2
WRONG_WEIGHT = 0.5
"""Wrong texts are meant to be rare: each weighs half a right one."""


@dataclass(frozen=True)
class Case:
    """One song placed one way: features and whether each word came to lie in place."""

    song: str
    way: str
    features: DoubleArray
    in_place: DoubleArray
    weight: float


def cases(all_songs: list[Recording], jobs: int, acoustic_model: str = "sphinx") -> list[Case]:
    """Every song in every way, song by song in as many processes."""
    found: list[Case] = []
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        circled = [_circled(all_songs, i) for i in range(len(all_songs))]
        for each in pool.map(partial(_cases, acoustic_model), circled):
            found += each
            print(".", end="", flush=True)
    print()
    return found


def _circled(all_songs: list[Recording], i: int) -> tuple[Recording, Recording, Recording]:
    """A song and two others, whose words it does not have."""
    count = len(all_songs)
    return all_songs[i], all_songs[(i + 1) % count], all_songs[(i + 5) % count]


def _cases(ear_name: str, songs: tuple[Recording, Recording, Recording]) -> list[Case]:
    song, *others = songs
    acoustic_model = acoustic_models.open_acoustic_model(ear_name, language=song.language)
    n_lines = len(song.lines)
    middle = set(range(n_lines // 3, n_lines // 2))
    missing = song.with_lines([i for i in range(n_lines) if i not in middle])
    start = max(0.0, song.starts[n_lines // 3] - 2.0)
    part = song.part(start, start + PART_S)
    few = others[-1].with_lines(range(len(others[-1].lines) // 4 + 1))
    two = others[0].with_lines(range(2, 4))
    return [
        _case("words", song, song.vocals, song, acoustic_model),
        _case("lines", song, song.vocals, song, acoustic_model, song.starts),
        _case("missing", song, song.vocals, missing, acoustic_model),
        _case("part", song, part.vocals, part, acoustic_model),
        _case("mix", song, song.mix, song, acoustic_model),
        *(_case("wrong", song, song.vocals, other, acoustic_model) for other in others),
        _case("few wrong", song, song.vocals, few, acoustic_model),
        _case("two wrong", song, song.vocals, two, acoustic_model),
    ]


def _case(
    way: str,
    song: Recording,
    audio: npt.NDArray[np.float32],
    text: Recording,
    acoustic_model: AcousticModel,
    starts: list[float] | None = None,
) -> Case:
    options = acoustic_models.options_of(acoustic_model)
    placed = align(
        audio, text.lines, text.language, acoustic_model, line_starts=starts, options=options
    )
    onset, offset = refine.refine(placed.onset, placed.offset, audio, SAMPLE_RATE)
    placed = replace(placed, onset=onset, offset=offset)
    if text.name == song.name:
        in_place = (np.abs(onset - text.onsets) <= NEAR).astype(np.float64)
        return Case(song.name, way, quality.features(placed), in_place, 1.0)
    nowhere = np.zeros(len(onset))
    return Case(song.name, way, quality.features(placed), nowhere, WRONG_WEIGHT)


def fitted(some: list[Case]) -> DoubleArray:
    """Weights of a logistic regression by Newton's method, each case weighing the same."""
    x = np.concatenate([case.features for case in some])
    y = np.concatenate([case.in_place for case in some])
    w = np.concatenate([np.full(len(c.in_place), c.weight / len(c.in_place)) for c in some])
    w /= w.mean()
    mean, spread = x.mean(axis=0), x.std(axis=0)
    mean[0], spread[0] = 0.0, 1.0
    z = (x - mean) / spread
    beta = np.zeros(z.shape[1])
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-z @ beta))
        gradient = z.T @ (w * (p - y)) / len(y) + RIDGE * beta
        curvature = (z * (w * p * (1.0 - p))[:, None]).T @ z / len(y)
        beta -= np.linalg.solve(curvature + RIDGE * np.eye(len(beta)), gradient)
    weights: DoubleArray = beta / spread
    weights[0] -= float((beta * mean / spread)[1:].sum())
    return weights


def _confidence(case: Case, weights: DoubleArray) -> DoubleArray:
    result: DoubleArray = 1.0 / (1.0 + np.exp(-case.features @ weights))
    return result


def _logit(p: DoubleArray) -> DoubleArray:
    p = np.clip(p, 0.01, 0.99)
    return np.log(p / (1.0 - p))


def _song_level(
    means: DoubleArray, truths: DoubleArray, weights: DoubleArray
) -> tuple[float, float]:
    """Offset and slope from a mean confidence to a share of words in place."""
    x = np.stack([np.ones(len(means)), _logit(means)], axis=1)
    beta = np.zeros(2)
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-x @ beta))
        curvature = (x * (weights * p * (1.0 - p))[:, None]).T @ x + RIDGE * np.eye(2)
        beta -= np.linalg.solve(curvature, x.T @ (weights * (p - truths)) + RIDGE * beta)
    return float(beta[0]), float(beta[1])


@dataclass(frozen=True)
class Judged:
    """A case as judged by weights that were fitted on all other songs."""

    case: Case
    confidence: DoubleArray
    score: float

    @property
    def truth(self) -> float:
        """Share of words in place."""
        return float(self.case.in_place.mean())


def judged(everything: list[Case]) -> list[Judged]:
    """Every case judged without its own song, at both levels."""
    confidence = {
        id(case): _confidence(case, weights)
        for name in dict.fromkeys(case.song for case in everything)
        for weights in [fitted([case for case in everything if case.song != name])]
        for case in everything
        if case.song == name
    }
    found = []
    for case in everything:
        others = [other for other in everything if other.song != case.song]
        offset, slope = _song_level(*_summed_up(others, confidence))
        mean = _logit(np.array([confidence[id(case)].mean()]))
        score = float((1.0 / (1.0 + np.exp(-offset - slope * mean)))[0])
        found.append(Judged(case, confidence[id(case)], score))
    return found


def _summed_up(
    some: list[Case], confidence: dict[int, DoubleArray]
) -> tuple[DoubleArray, DoubleArray, DoubleArray]:
    """Mean confidence, share in place and weight of cases."""
    return (
        np.array([confidence[id(case)].mean() for case in some]),
        np.array([case.in_place.mean() for case in some]),
        np.array([case.weight for case in some]),
    )


def _rank_correlation(a: list[float], b: list[float]) -> float:
    """Spearman's; equal values share their rank."""

    def ranks(values: list[float]) -> DoubleArray:
        v = np.array(values)
        below = (v[:, None] > v).sum(axis=1)
        result: DoubleArray = below + 0.5 * ((v[:, None] == v).sum(axis=1) - 1)
        return result

    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def report(rows: list[Judged]) -> str:
    """How well the score does on songs that it was not fitted on."""
    lines = [f"{'predicted from the other songs / true':44s}"]
    for name in dict.fromkeys(row.case.song for row in rows):
        cells = [
            f"{row.case.way} {row.score:.2f}/{row.truth:.2f}"
            for row in rows
            if row.case.song == name
        ]
        lines.append(f"{name[:32]:32s} {'  '.join(cells)}")
    right = [row for row in rows if "wrong" not in row.case.way]
    wrong = [row for row in rows if "wrong" in row.case.way]
    off = float(np.mean([abs(row.score - row.truth) for row in rows]))
    lines.append(f"mean absolute error of the score: {off:.3f}")
    for way in ("words", "lines", "missing", "part", "mix"):
        own = [row for row in right if row.case.way == way]
        rho = _rank_correlation([row.score for row in own], [row.truth for row in own])
        passed = float(np.mean([row.score >= 0.5 for row in own]))
        lines.append(f"{way:7s} Spearman {rho:.2f}; right words that score ≥ 0.5: {passed:.0%}")
    rho = _rank_correlation([row.score for row in right], [row.truth for row in right])
    lines.append(f"all     Spearman {rho:.2f}")
    caught = float(np.mean([row.score < 0.4 for row in wrong]))
    lines.append(f"wrong words that score < 0.4: {caught:.0%}")
    confidence = np.concatenate([row.confidence for row in right])
    in_place = np.concatenate([row.case.in_place for row in right])
    lines.append("confidence → share in place, a tenth of the words a column")
    tenths = np.array_split(np.argsort(confidence, kind="stable"), 10)
    lines.append("  " + " ".join(f"{confidence[part].mean():5.2f}" for part in tenths))
    lines.append("  " + " ".join(f"{in_place[part].mean():5.2f}" for part in tenths))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--stems", type=Path, help="keep stems here between runs")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the calibration curve")
    parser.add_argument("--ear", default="sphinx", help="sphinx, a folder or an .onnx file")
    parser.add_argument("--write", action="store_true", help="keep the weights beside the model")
    options = parser.parse_args()
    if options.write and not Path(options.acoustic_model).exists():
        parser.error("--write needs --ear with the folder or file of a model")
    everything = cases(
        read_all(options.folder, options.stems), options.jobs, options.acoustic_model
    )
    rows = judged(everything)
    print(report(rows))
    if options.plot:
        right = [row for row in rows if "wrong" not in row.case.way]
        said = np.concatenate([row.confidence for row in right]).tolist()
        true = np.concatenate([row.case.in_place for row in right]).tolist()
        drawn = plot.reliability(said, true, "Confidence of words")
        options.plot.write_text(drawn, encoding="utf-8")
    confidence = {id(row.case): row.confidence for row in rows}
    offset, slope = _song_level(*_summed_up(everything, confidence))
    print(f"SONG = ({offset:.3f}, {slope:.3f})")
    weights = fitted(everything)
    print("WEIGHTS = (" + ", ".join(f"{weight:.3f}" for weight in weights) + ")")
    if options.write:
        found = calibration.Calibration(tuple(weights.tolist()), (offset, slope))
        found.write(calibration.path_for(options.acoustic_model), quality.FEATURES)
    for name, weight in zip(quality.FEATURES, weights, strict=True):
        print(f"  {name:16s} {weight:8.3f}")


if __name__ == "__main__":
    main()
