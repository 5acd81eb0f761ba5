"""Measure whether line times of another release are recognised: moved, stretched and cut.

    python -m benchmarks.linetimes DIR [--stems CACHE]

Each song is placed from its plain words; then its true line times, and what would be in a file made
for another release, are compared with that (`lyricsyncd.align.linetimes`).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.aligner import align
from lyricsyncd.align.emissions.sphinx import PhoneStateModel
from lyricsyncd.align.linetimes import Fit, LineTimes, compare
from lyricsyncd.align.options import SearchOptions
from lyricsyncd.judging.references import Recording, read_all

DoubleArray = npt.NDArray[np.float64]


def _later_from(share: float, by: float) -> Callable[[DoubleArray], DoubleArray]:
    """A part of ``by`` seconds more (or less) after a share of the lines."""

    def moved(starts: DoubleArray) -> DoubleArray:
        return np.where(np.arange(len(starts)) >= share * len(starts), starts + by, starts)

    return moved


def _unsteady(starts: DoubleArray) -> DoubleArray:
    return starts + np.random.default_rng(0).normal(0.0, 0.2, len(starts))


CHANGES: dict[str, tuple[Callable[[DoubleArray], DoubleArray], Fit, float]] = {
    "true": (lambda s: s, Fit.GOOD, 0.0),
    "± 0.2 s at random": (_unsteady, Fit.GOOD, 0.0),
    "0.5 s early": (lambda s: s - 0.5, Fit.SHIFTED, -0.5),
    "1.3 s late": (lambda s: s + 1.3, Fit.SHIFTED, 1.3),
    "20 s late": (lambda s: s + 20.0, Fit.SHIFTED, 20.0),
    "4 % slower": (lambda s: s * 1.04, Fit.DRIFTING, 0.0),
    "4 % faster": (lambda s: s * 0.96, Fit.DRIFTING, 0.0),
    "1 % slower": (lambda s: s * 1.01, Fit.DRIFTING, 0.0),
    "15 s more in the middle": (_later_from(0.4, 15.0), Fit.JUMPING, 0.0),
    "a verse of 12 s less": (_later_from(0.6, -12.0), Fit.JUMPING, 0.0),
}
"""The change of the line times, the expected fit, and the offset they have."""


def compared(song: Recording, acoustic_model: PhoneStateModel) -> dict[str, LineTimes]:
    """Return the fit that is found for each change."""
    placed = align(
        song.observed,
        song.lines,
        song.language,
        acoustic_model,
        options=replace(SearchOptions(), adapt=False),
    )
    firsts = np.cumsum([0, *(len(line) for line in song.lines[:-1])])
    found = placed.onset[firsts].tolist()
    true = np.array(song.starts)
    return {name: compare(change(true).tolist(), found) for name, (change, *_) in CHANGES.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--stems", type=Path, help="keep stems here between runs")
    options = parser.parse_args()
    acoustic_model = PhoneStateModel.load()
    said = {
        song.name: compared(song, acoustic_model)
        for song in read_all(options.folder, options.stems)
    }
    for name, (_, expected, offset) in CHANGES.items():
        times = {song: row[name] for song, row in said.items()}
        right = [row for row in times.values() if row.fit is expected]
        off = max((abs(row.offset - offset) for row in right), default=0.0)
        measured = f", offset to {off:.2f} s at worst" if expected is Fit.SHIFTED else ""
        others = ", ".join(
            f"{song[:20]} {row.fit.value}" for song, row in times.items() if row.fit is not expected
        )
        print(f"{name:26s} {len(right):3d} of {len(times)}{measured}  {others}")


if __name__ == "__main__":
    main()
