"""Measure what each idea is worth: songs placed with one of them switched off at a time.

    python -m benchmarks.ablations DIR [--stems CACHE] [--markdown]

One row per idea; the measures are those of `benchmarks.accuracy`, means over songs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from benchmarks.accuracy import Scores
from lyricsyncd.align import refine
from lyricsyncd.align.aligner import align
from lyricsyncd.align.emissions import SAMPLE_RATE, CompiledLyrics, Lines
from lyricsyncd.align.emissions.sphinx import PhoneStateModel
from lyricsyncd.align.options import Penalties, SearchOptions
from lyricsyncd.judging.references import Recording, read_all


class OnePronunciation(PhoneStateModel):
    """The phone states with one pronunciation per word: no other variants, no other phones."""

    def compile(self, lines: Lines, language: str | None) -> CompiledLyrics:
        """Take the likeliest pronunciation of each word, and the likeliest phone of each state."""
        song = super().compile(lines, language)
        likeliest = tuple(tuple(variants[:1] for variants in line) for line in song.lines)
        return replace(song, lines=likeliest, units=tuple(unit[:1] for unit in song.units))


class OneFrontEnd(PhoneStateModel):
    """The phone states with the filters that they were trained with, and no others."""

    def front_ends(self) -> tuple[PhoneStateModel, ...]:
        """Return the model itself."""
        return (self,)


@dataclass(frozen=True)
class Way:
    """How to place a song: the defaults with something changed."""

    name: str
    options: SearchOptions = field(default_factory=SearchOptions)
    audio: str = "vocals"
    line_times: bool = False
    refined: bool = True
    acoustic_model: Callable[[], PhoneStateModel] = PhoneStateModel.load

    def place(self, song: Recording) -> Scores:
        """Return the errors of one song placed this way."""
        audio = song.mix if self.audio == "mix" else song.observed
        placed = align(
            audio,
            song.lines,
            song.language,
            self.acoustic_model(),
            line_starts=song.starts if self.line_times else None,
            options=self.options,
        )
        onset, offset = placed.onset, placed.offset
        if self.refined:
            onset, offset = refine.refine(onset, offset, audio, SAMPLE_RATE)
        truth = list(zip(song.onsets.tolist(), song.ends.tolist(), strict=True))
        return Scores.of(onset.tolist(), offset.tolist(), truth)


def _with(**penalties: float) -> SearchOptions:
    """Return the options with some penalties of both passes set."""
    options = SearchOptions()
    return replace(
        options,
        first_penalties=replace(options.first_penalties, **penalties),
        penalties=replace(options.penalties, **penalties),
    )


def ways() -> tuple[Way, ...]:
    """List the full chain, each idea switched off, and what else songs can be placed with."""
    return (
        Way("everything"),
        Way("no filler between lines", _with(floor_between=Penalties().floor_inside)),
        Way("no vocal activity", replace(_with(word_in_silence=0.0), activity=False)),
        Way(
            "no penalty for silence inside lines",
            _with(enter_silence_inside=0.0, silence_inside=0.0),
        ),
        Way("no penalty for long consonants", _with(stretched_consonant=0.0)),
        Way("one pronunciation per word", acoustic_model=OnePronunciation.load),
        Way("one front end, not two", acoustic_model=OneFrontEnd.load),
        Way("no adaptation to the singer", replace(SearchOptions(), adapt=False)),
        Way("best path, not the median onset", replace(SearchOptions(), expected=False)),
        Way("no refinement", refined=False),
        Way("with line times", line_times=True),
        Way("the mix, not the vocals", audio="mix"),
        Way("the mix, with line times", audio="mix", line_times=True),
    )


def table(rows: list[tuple[str, Scores]], *, markdown: bool = False) -> str:
    """Format the results for a person."""
    if markdown:
        lines = ["| | mean error | median | within 0.3 s | within 0.1 s |", "|---|---|---|---|---|"]
        lines += [
            f"| {name} | {s.aae:.2f} s | {s.median:.3f} s | {s.within_300ms:.1f} % |"
            f" {s.within_100ms:.1f} % |"
            for name, s in rows
        ]
        return "\n".join(lines)
    lines = [f"{'':36s} {'AAE':>7s} {'median':>7s} {'≤.3':>6s} {'≤.1':>6s} {'≤.05':>6s}"]
    lines += [
        f"{name:36s} {s.aae:7.3f} {s.median:7.3f} {s.within_300ms:6.1f} {s.within_100ms:6.1f}"
        f" {s.within_50ms:6.1f}"
        for name, s in rows
    ]
    return "\n".join(lines)


def _place(way: str, song: Recording) -> Scores:
    """Place a song in a way given by name: a way cannot be pickled."""
    return next(w for w in ways() if w.name == way).place(song)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--stems", type=Path, help="store stems here between runs")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--markdown", action="store_true", help="a table for the documentation")
    options = parser.parse_args()
    songs = read_all(options.folder, options.stems)
    rows = []
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        for way in ways():
            scores = list(pool.map(partial(_place, way.name), songs))
            rows.append((way.name, Scores.mean(scores)))
            if not options.markdown:
                print(table(rows[-1:]).splitlines()[1], flush=True)
    if options.markdown:
        print(table(rows, markdown=True))


if __name__ == "__main__":
    main()
