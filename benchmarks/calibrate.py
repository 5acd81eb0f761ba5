"""Fit the weights that turn what the search knows into confidences (`lyricsyncd.quality`).

    python -m benchmarks.calibrate DIR [--stems CACHE]

Over a folder laid out as `benchmarks.songs` says, each song is placed on its vocals from plain
words and from line times, and on the unseparated mix; and on its vocals with the words of two
other songs and with a few words of one, none of which count as in place. The weights printed are
fitted on all songs; the table shows, for each song, scores predicted from all *other* songs
against the truth.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import songs
from lyricsyncd import quality, refine
from lyricsyncd.align.aligner import align
from lyricsyncd.align.emissions import SAMPLE_RATE
from lyricsyncd.align.emissions.sphinx import SphinxEar
from lyricsyncd.separate import VocalSeparator

DoubleArray = npt.NDArray[np.float64]

NEAR = 0.3
RIDGE = 1e-3
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


@dataclass(frozen=True)
class Song:
    """What a folder knows of a song."""

    name: str
    vocals: npt.NDArray[np.float32]
    mix: npt.NDArray[np.float32]
    lines: list[list[str]]
    language: str | None
    starts: list[float]
    onsets: DoubleArray

    @classmethod
    def read(cls, path: Path, separator: VocalSeparator, cache: Path | None) -> Song:
        vocals, mix = _stem(path, separator, cache)
        return cls(
            name=path.stem,
            vocals=vocals,
            mix=mix,
            lines=[
                [word.text for word in line.words] for line in songs.lyrics(path, line_times=False)
            ],
            language=songs.language(path),
            starts=songs.line_starts(path),
            onsets=np.array([start for start, _ in songs.word_times(path)]),
        )


def _stem(
    path: Path, separator: VocalSeparator, cache: Path | None
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Vocals and mix, kept in a folder so that a second run is quick."""
    kept = cache / f"{path.stem}.npz" if cache else None
    if kept is not None and kept.exists():
        with np.load(kept) as arrays:
            return arrays["vocals"], arrays["mix"]
    stem = separator.extract(path)
    if kept is not None:
        np.savez(kept, vocals=stem.vocals, mix=stem.mix)
    return stem.vocals, stem.mix


def cases(all_songs: list[Song], ear: SphinxEar) -> list[Case]:
    """Every song in every way."""
    found = []
    for i, song in enumerate(all_songs):
        found.append(_case(song, "words", song.vocals, song, ear))
        found.append(_case(song, "lines", song.vocals, song, ear, song.starts))
        found.append(_case(song, "mix", song.mix, song, ear))
        for step in (1, 5):
            other = all_songs[(i + step) % len(all_songs)]
            found.append(_case(song, "wrong", song.vocals, other, ear))
        few = replace(other, lines=other.lines[: len(other.lines) // 4 + 1])
        found.append(_case(song, "few wrong", song.vocals, few, ear))
        print(".", end="", flush=True)
    print()
    return found


def _case(
    song: Song,
    way: str,
    audio: npt.NDArray[np.float32],
    text: Song,
    ear: SphinxEar,
    starts: list[float] | None = None,
) -> Case:
    placed = align(audio, text.lines, text.language, ear, line_starts=starts)
    onset, offset = refine.refine(placed.onset, placed.offset, audio, SAMPLE_RATE)
    placed = replace(placed, onset=onset, offset=offset)
    if text is song:
        in_place = (np.abs(onset - song.onsets) <= NEAR).astype(np.float64)
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


def _score(case: Case, weights: DoubleArray) -> float:
    return float((1.0 / (1.0 + np.exp(-case.features @ weights))).mean())


def _logit(p: DoubleArray) -> DoubleArray:
    p = np.clip(p, 0.01, 0.99)
    return np.log(p / (1.0 - p))


def _error(scores: list[float], truths: list[float]) -> float:
    return float(np.mean(np.abs(np.array(scores) - np.array(truths))))


def _song_level(
    scores: DoubleArray, truths: DoubleArray, weights: DoubleArray
) -> tuple[float, float]:
    """Offset and slope from a mean confidence to a share of words in place."""
    x = np.stack([np.ones(len(scores)), _logit(scores)], axis=1)
    beta = np.zeros(2)
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-x @ beta))
        curvature = (x * (weights * p * (1.0 - p))[:, None]).T @ x + RIDGE * np.eye(2)
        beta -= np.linalg.solve(curvature, x.T @ (weights * (p - truths)) + RIDGE * beta)
    return float(beta[0]), float(beta[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--stems", type=Path, help="keep stems here between runs")
    options = parser.parse_args()
    separator = VocalSeparator("spleeter")
    paths = songs.find(options.folder)
    if options.stems:
        options.stems.mkdir(parents=True, exist_ok=True)
    everything = cases(
        [Song.read(path, separator, options.stems) for path in paths], SphinxEar.load()
    )
    print(f"{'predicted from the other songs / true':44s}")
    scores, truths, weigh = [], [], []
    for name in dict.fromkeys(case.song for case in everything):
        weights = fitted([case for case in everything if case.song != name])
        row = []
        for case in (case for case in everything if case.song == name):
            score, truth = _score(case, weights), float(case.in_place.mean())
            row.append(f"{case.way} {score:.2f}/{truth:.2f}")
            scores.append(score)
            truths.append(truth)
            weigh.append(case.weight)
        print(f"{name[:32]:32s} {'  '.join(row)}")
    offset, slope = _song_level(np.array(scores), np.array(truths), np.array(weigh))
    print(f"mean absolute error of the mean confidence: {_error(scores, truths):.3f}")
    scored = 1.0 / (1.0 + np.exp(-offset - slope * _logit(np.array(scores))))
    print(f"mean absolute error of the score: {_error(scored.tolist(), truths):.3f}")
    print(f"SONG = ({offset:.3f}, {slope:.3f})")
    weights = fitted(everything)
    print("WEIGHTS = (" + ", ".join(f"{weight:.3f}" for weight in weights) + ")")
    for name, weight in zip(quality.FEATURES, weights, strict=True):
        print(f"  {name:16s} {weight:8.3f}")


if __name__ == "__main__":
    main()
