"""How well words are placed: onsets against human timings, over a folder of songs.

    python -m benchmarks.accuracy DIR [--json] [--jobs N] [--separator mix] [--plot FILE.svg]

The folder is laid out as `lyricsyncd.judging.references` says. Every song is placed twice: from its
plain words, and with its line times as anchors.

Measures are those of the MIREX lyrics-alignment task, a song at a time, then averaged over songs:
mean absolute onset error (AAE), median, share of onsets within 0.3, 0.1 and 0.05 s. What each idea
in the aligner is worth is measured by `benchmarks.ablations`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean, median
from typing import Any

from benchmarks import plot
from lyricsyncd.config.schema import Config
from lyricsyncd.judging import references

TASKS = ("whole song", "line times")


@dataclass(frozen=True)
class Scores:
    """Errors of one song, or their means over songs. Seconds and percentages."""

    aae: float
    median: float
    within_300ms: float
    within_100ms: float
    within_50ms: float
    bias: float
    """Median signed error: positive is late."""
    end_median: float
    """Median absolute error of word ends."""

    @classmethod
    def of(
        cls, onsets: Sequence[float], ends: Sequence[float], truth: Sequence[tuple[float, float]]
    ) -> Scores:
        signed = [found - start for found, (start, _) in zip(onsets, truth, strict=True)]
        errors = [abs(error) for error in signed]
        end_errors = [abs(found - end) for found, (_, end) in zip(ends, truth, strict=True)]

        def within(limit: float) -> float:
            return 100.0 * sum(error <= limit for error in errors) / len(errors)

        return cls(
            fmean(errors),
            median(errors),
            within(0.3),
            within(0.1),
            within(0.05),
            median(signed),
            median(end_errors),
        )

    @classmethod
    def mean(cls, scores: Iterable[Scores]) -> Scores:
        rows = [tuple(asdict(score).values()) for score in scores]
        return cls(*(fmean(column) for column in zip(*rows, strict=True)))


@dataclass(frozen=True)
class Measured:
    """One song placed in one way."""

    song: str
    task: str
    language: str
    scores: Scores
    quality_score: float
    decision: str
    minutes: float
    stages: dict[str, float]
    peak_mb: float
    errors: tuple[float, ...]
    """Absolute onset errors of the words, in seconds."""


_pipeline: Any = None


def _start(separator: str) -> None:
    from lyricsyncd.pipeline.pipeline import LyricSyncPipeline

    global _pipeline
    _pipeline = LyricSyncPipeline(
        config=Config.model_validate({"models": {"separator": separator}})
    )


def _measure(song: Path) -> list[Measured]:
    language, truth = references.language(song), references.word_times(song)
    measured = []
    for task in TASKS:
        result = _pipeline.sync(song, lyrics=references.lyrics(song, line_times=task == TASKS[1]))
        words = result.lyrics.words
        onsets = _known(w.start for w in words)
        measured.append(
            Measured(
                song=song.stem,
                task=task,
                language=language or "?",
                scores=Scores.of(onsets, _known(w.end for w in words), truth),
                quality_score=result.quality_score,
                decision=result.decision.value,
                minutes=(result.song.duration or 0.0) / 60.0,
                stages=dict(result.stages),
                peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
                errors=tuple(
                    abs(found - start) for found, (start, _) in zip(onsets, truth, strict=True)
                ),
            )
        )
    return measured


def _known(times: Iterable[float | None]) -> list[float]:
    """Return times of words that all have one."""
    return [time for time in times if time is not None]


def run(folder: Path, jobs: int, separator: str = "auto") -> list[Measured]:
    """Measure all songs of a folder, ``jobs`` at once."""
    if jobs == 1:
        _start(separator)
        return [one for song in references.find(folder) for one in _shown(_measure(song))]
    with ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=_start, initargs=(separator,)
    ) as pool:
        return [one for two in pool.map(_measure, references.find(folder)) for one in _shown(two)]


def _shown(measured: list[Measured]) -> list[Measured]:
    if sys.stderr.isatty():
        print(f"  {measured[0].song}", file=sys.stderr)
    return measured


def stage_seconds(measured: Iterable[Measured]) -> dict[str, float]:
    """Seconds each stage takes for a minute of audio, over all songs together."""
    rows = list(measured)
    minutes = sum(row.minutes for row in rows)
    names = dict.fromkeys(name for row in rows for name in row.stages)
    return {name: sum(row.stages.get(name, 0.0) for row in rows) / minutes for name in names}


def _without_errors(row: Measured) -> dict[str, Any]:
    return {name: value for name, value in asdict(row).items() if name != "errors"}


def table(measured: Sequence[Measured]) -> str:
    """Format the results for a person."""
    lines = []
    header = f"{'':42s} {'AAE':>7s} {'median':>7s} {'≤.3':>6s} {'≤.1':>6s} {'≤.05':>6s}"
    header += f" {'bias':>7s} {'ends':>6s} {'score':>6s}"
    for task in TASKS:
        rows = [row for row in measured if row.task == task]
        lines += [f"{task}\n{header}"]
        lines += [_row(row.song[:42], row.scores, row.quality_score) for row in rows]
        overall = Scores.mean(row.scores for row in rows)
        lines += [_row("mean over songs", overall, fmean(row.quality_score for row in rows)), ""]
    seconds = stage_seconds(measured)
    lines.append("seconds per minute of audio")
    lines += [f"  {name:12s} {value:6.2f}" for name, value in seconds.items()]
    lines.append(f"  {'total':12s} {sum(seconds.values()):6.2f}")
    lines.append(f"peak memory {max(row.peak_mb for row in measured):.0f} MB")
    return "\n".join(lines)


def _row(name: str, scores: Scores, quality: float) -> str:
    return (
        f"{name:42s} {scores.aae:7.3f} {scores.median:7.3f} {scores.within_300ms:6.1f}"
        f" {scores.within_100ms:6.1f} {scores.within_50ms:6.1f} {scores.bias:+7.3f}"
        f" {scores.end_median:6.3f} {quality:6.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    parser.add_argument("--separator", default="auto", help="spleeter, mix or auto")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the error by song")
    options = parser.parse_args()
    if not references.find(options.folder):
        parser.error(f"no songs with .words.csv in {options.folder}")
    measured = run(options.folder, options.jobs, options.separator)
    if options.plot:
        rows = [(row.song, row.errors) for row in measured if row.task == TASKS[0]]
        title = "How far words are from where people put them (plain words)"
        options.plot.write_text(plot.errors_by_song(rows, title), encoding="utf-8")
    if options.json:
        overall = {
            task: asdict(Scores.mean(row.scores for row in measured if row.task == task))
            for task in TASKS
        }
        report = {
            "songs": [_without_errors(row) for row in measured],
            "overall": overall,
            "stage_seconds_per_minute": stage_seconds(measured),
        }
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        print(table(measured))


if __name__ == "__main__":
    main()
