"""Two ears, one of which votes in the other's search: are they worth more than each alone?

    python -m benchmarks.votes DIR [--voter MODEL] [--jobs N] [--markdown]

Over a folder laid out as `benchmarks.songs` says, with the plain words and with line times. The
voter is any ear that `models.aligner` can name. By default it is one that everybody has: the same
phone states, but on the full mix, with a poor ear's faults: it loses songs that the first has. The
last row is what the service does: votes are not followed where the first ear clearly thinks less of
where they lead (`lyricsyncd.second_opinion.voted`).
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
from benchmarks.second_ear import table
from lyricsyncd import refine, second_opinion
from lyricsyncd.align import ears
from lyricsyncd.align.aligner import Alignment, Vote, align
from lyricsyncd.align.emissions import SAMPLE_RATE, Ear
from lyricsyncd.config import Quality

WAYS = ("plain words", "line times")
ROWS = ("first ear", "voter", "with its votes", "where they are followed")
MIX = "mix"


def measured(voter: str, song: Recording) -> list[Scores]:
    """Errors of one song, way by way and row by row."""
    first = ears.open_ear("sphinx")
    second = first if voter == MIX else ears.open_ear(voter, language=song.language)
    hears = song.mix if voter == MIX else song.vocals
    found = []
    for way in WAYS:
        starts = song.starts if way == "line times" else None
        voted = _placed(song, second, hears, starts)
        found += _with_votes_of(voted, song, first, starts)
    return found


def _with_votes_of(
    voter: Alignment, song: Recording, ear: Ear, starts: Sequence[float] | None
) -> list[Scores]:
    both = _placed(song, ear, song.vocals, starts, lambda _: voter.votes)
    assert both.alone is not None, "there were votes"
    kept, _ = second_opinion.voted(both, Quality())
    return [_scores(song, placed) for placed in (both.alone, voter, both, kept)]


def _placed(
    song: Recording,
    ear: Ear,
    audio: FloatArray,
    starts: Sequence[float] | None,
    vote: Vote | None = None,
) -> Alignment:
    options = ears.options_of(ear)
    placed = align(
        audio, song.lines, song.language, ear, line_starts=starts, vote=vote, options=options
    )
    return _refined(placed, audio)


def _refined(placed: Alignment, audio: FloatArray) -> Alignment:
    onset, offset = refine.refine(placed.onset, placed.offset, audio, SAMPLE_RATE)
    alone = None if placed.alone is None else _refined(placed.alone, audio)
    return replace(placed, onset=onset, offset=offset, alone=alone)


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
        each = list(pool.map(partial(measured, options.voter), songs))
    names = [f"{way}: {row}" for way in WAYS for row in ROWS]
    means = [Scores.mean(row) for row in zip(*each, strict=True)]
    print(table(zip(names, means, strict=True), markdown=options.markdown))
    for song, row in zip(songs, each, strict=True):
        print(f"{song.name[:32]:34s}" + "".join(f"{s.within_300ms:7.1f}" for s in row))


if __name__ == "__main__":
    main()
