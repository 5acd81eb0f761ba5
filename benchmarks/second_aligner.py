"""Measure a second aligner: is its prior worth having in the search of the phone states?

    python -m benchmarks.second_aligner DIR [--second MODEL] [--jobs N] [--markdown]

Over a folder laid out as `lyricsyncd.judging.references` says, with the plain words and with line
times. The second aligner is any acoustic model that `models.aligner` can name. By default it is one
that needs no installation: the same phone states, but on the full mix, with the faults of a poor
model: it loses songs that the first places. The last row is what the service does: a prior is not
accepted where the first model judges the result clearly worse than its own
(`lyricsyncd.judging.agreement.accept_prior`).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from benchmarks.accuracy import Scores
from benchmarks.second_recogniser import table
from lyricsyncd.align import acoustic_models, refine
from lyricsyncd.align.aligner import Alignment, SecondOnsets, align
from lyricsyncd.align.emissions import SAMPLE_RATE, AcousticModel
from lyricsyncd.config.schema import Quality
from lyricsyncd.judging import agreement
from lyricsyncd.judging.calibration import phone_states
from lyricsyncd.judging.references import FloatArray, Recording, read_all

WAYS = ("plain words", "line times")
ROWS = ("first", "second aligner", "with its prior", "where it is accepted")
MIX = "mix"


def measured(name: str, song: Recording) -> list[Scores]:
    """Return the errors of one song, way by way and row by row."""
    first = acoustic_models.open_acoustic_model("sphinx")
    second = (
        first if name == MIX else acoustic_models.open_acoustic_model(name, language=song.language)
    )
    audio = song.mix if name == MIX else song.observed
    found = []
    for way in WAYS:
        starts = song.starts if way == "line times" else None
        found += _with_prior(_placed(song, second, audio, starts), song, first, starts)
    return found


def _with_prior(
    second: Alignment,
    song: Recording,
    acoustic_model: AcousticModel,
    starts: Sequence[float] | None,
) -> list[Scores]:
    both = _placed(song, acoustic_model, song.observed, starts, lambda _: second.onset_posteriors)
    assert both.without_prior is not None, "there was a prior"
    accepted, _ = agreement.accept_prior(both, Quality(), phone_states())
    return [_scores(song, placed) for placed in (both.without_prior, second, both, accepted)]


def _placed(
    song: Recording,
    acoustic_model: AcousticModel,
    audio: FloatArray,
    starts: Sequence[float] | None,
    second_onsets: SecondOnsets | None = None,
) -> Alignment:
    placed = align(
        audio,
        song.lines,
        song.language,
        acoustic_model,
        line_starts=starts,
        second_onsets=second_onsets,
    )
    return _refined(placed, audio)


def _refined(placed: Alignment, audio: FloatArray) -> Alignment:
    onset, offset = refine.refine(placed.onset, placed.offset, audio, SAMPLE_RATE)
    without_prior = None if placed.without_prior is None else _refined(placed.without_prior, audio)
    return replace(placed, onset=onset, offset=offset, without_prior=without_prior)


def _scores(song: Recording, placed: Alignment) -> Scores:
    truth = list(zip(song.onsets.tolist(), song.ends.tolist(), strict=True))
    return Scores.of(placed.onset.tolist(), placed.offset.tolist(), truth)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--second", default=MIX, help="a model, or mix: phone states on the full mix"
    )
    parser.add_argument("--stems", type=Path, help="keep stems here between runs")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--markdown", action="store_true", help="a table for the documentation")
    options = parser.parse_args()
    songs = read_all(options.folder, options.stems)
    with ProcessPoolExecutor(options.jobs, get_context("spawn")) as pool:
        each = list(pool.map(partial(measured, options.second), songs))
    names = [f"{way}: {row}" for way in WAYS for row in ROWS]
    means = [Scores.mean(row) for row in zip(*each, strict=True)]
    print(table(zip(names, means, strict=True), markdown=options.markdown))
    for song, row in zip(songs, each, strict=True):
        print(f"{song.name[:32]:34s}" + "".join(f"{s.within_300ms:7.1f}" for s in row))


if __name__ == "__main__":
    main()
