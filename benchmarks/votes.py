"""Two ears, one of which votes in the other's search: are they worth more than each alone?

    python -m benchmarks.votes DIR [--voter MODEL] [--jobs N] [--markdown]

Over a folder laid out as `benchmarks.songs` says, with the plain words and with line times. The
voter is any ear that `models.aligner` can name. By default it is one that everybody has: the same
phone states, but on the full mix, with a poor ear's faults: it loses songs that the first has. The
last row is what the service does: votes are not followed where the first ear clearly thinks less of
where they lead (`lyricsyncd.judging.agreement.voted`).
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
from benchmarks.recordings import FloatArray, Recording, read_all
from benchmarks.second_recogniser import table
from lyricsyncd.align import acoustic_models, refine
from lyricsyncd.align.aligner import Alignment, SecondOnsets, align
from lyricsyncd.align.emissions import SAMPLE_RATE, AcousticModel
from lyricsyncd.config.schema import Quality
from lyricsyncd.judging import agreement

WAYS = ("plain words", "line times")
ROWS = ("first ear", "second_aligner", "with its votes", "where they are followed")
MIX = "mix"


def measured(second_aligner: str, song: Recording) -> list[Scores]:
    """Errors of one song, way by way and row by row."""
    first = acoustic_models.open_acoustic_model("sphinx")
    second = (
        first
        if second_aligner == MIX
        else acoustic_models.open_acoustic_model(second_aligner, language=song.language)
    )
    hears = song.mix if second_aligner == MIX else song.vocals
    found = []
    for way in WAYS:
        starts = song.starts if way == "line times" else None
        prior_weight = _placed(song, second, hears, starts)
        found += _with_votes_of(prior_weight, song, first, starts)
    return found


def _with_votes_of(
    second_aligner: Alignment,
    song: Recording,
    acoustic_model: AcousticModel,
    starts: Sequence[float] | None,
) -> list[Scores]:
    both = _placed(
        song, acoustic_model, song.vocals, starts, lambda _: second_aligner.onset_posteriors
    )
    assert both.without_prior is not None, "there were votes"
    kept, _ = agreement.prior_weight(both, Quality())
    return [_scores(song, placed) for placed in (both.without_prior, second_aligner, both, kept)]


def _placed(
    song: Recording,
    acoustic_model: AcousticModel,
    audio: FloatArray,
    starts: Sequence[float] | None,
    onset_posteriors_of: SecondOnsets | None = None,
) -> Alignment:
    options = acoustic_models.options_of(acoustic_model)
    placed = align(
        audio,
        song.lines,
        song.language,
        acoustic_model,
        line_starts=starts,
        onset_posteriors_of=onset_posteriors_of,
        options=options,
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
    parser.add_argument("--voter", default=MIX, help="an ear, or mix: phone states on the full mix")
    parser.add_argument("--stems", type=Path, help="keep stems here between runs")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--markdown", action="store_true", help="a table for the documentation")
    options = parser.parse_args()
    songs = read_all(options.folder, options.stems)
    with ProcessPoolExecutor(options.jobs, get_context("spawn")) as pool:
        each = list(pool.map(partial(measured, options.second_aligner), songs))
    names = [f"{way}: {row}" for way in WAYS for row in ROWS]
    means = [Scores.mean(row) for row in zip(*each, strict=True)]
    print(table(zip(names, means, strict=True), markdown=options.markdown))
    for song, row in zip(songs, each, strict=True):
        print(f"{song.name[:32]:34s}" + "".join(f"{s.within_300ms:7.1f}" for s in row))


if __name__ == "__main__":
    main()
