"""How well words are placed in many languages, on songs that are made on the spot.

    python -m benchmarks.languages [--language L,...] [--aligner A,...] [--json]

A verse of each language (``verses.yaml``) is sung over a band by a synthetic singer, from a reading
that was written by hand; its words are then placed as `lyricsyncd sync` does with plain words and
no line times. The songs are kept in a folder of the cache.

The singer pronounces clearly and in time: a bad figure shows that a language is misread, and a good
one does not show that a person's song would be placed as well.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median

from benchmarks.languages import singing
from benchmarks.languages.verses import Verse, verses
from lyricsyncd import readings
from lyricsyncd.config import paths
from lyricsyncd.config.schema import Config
from lyricsyncd.model import Lyrics
from lyricsyncd.pipeline.pipeline import LyricSyncPipeline


@dataclass(frozen=True)
class Measured:
    """A language's song, placed in one way."""

    language: str
    name: str
    aligner: str
    separator: str
    detected: str | None
    extra: str
    """The extra that reads the language; ``""`` if it needs none."""
    words: int
    """Words that were placed by themselves, which are those that count."""
    joined: int
    """Words that were placed as the end of a longer one: Thai may be divided in several ways."""
    within_300ms: float
    """Percent of word starts."""
    within_100ms: float
    median: float
    """Of the absolute errors of word starts, in seconds."""
    quality_score: float
    decision: str
    seconds: float
    """That placing took, separation and all."""
    errors: tuple[float | None, ...]
    """Seconds by which each word starts late; None: it was joined to the one before."""


def measure(
    pipeline: LyricSyncPipeline, verse: Verse, folder: Path, language: str | None = None
) -> Measured:
    """Make the song of a verse in a folder, place its words, and compare.

    ``language`` is given as with ``--language``; without it, it is detected.
    """
    song, truth = singing.make(verse, folder)
    result = pipeline.sync(song, lyrics=verse.text, language=language)
    errors = tuple(
        None if found is None else round(found - true, 3)
        for found, true in zip(starts(verse, result.lyrics), truth, strict=True)
    )
    known = [abs(error) for error in errors if error is not None]

    def within(limit: float) -> float:
        return 100.0 * sum(error <= limit for error in known) / len(known)

    return Measured(
        language=verse.language,
        name=verse.name,
        aligner=result.aligner,
        separator=result.separator,
        detected=result.language,
        extra=_extra(verse.language),
        words=len(known),
        joined=len(errors) - len(known),
        within_300ms=within(0.3),
        within_100ms=within(0.1),
        median=median(known),
        quality_score=result.quality_score,
        decision=result.decision.value,
        seconds=round(sum(result.stages.values()), 1),
        errors=errors,
    )


def starts(verse: Verse, lyrics: Lyrics) -> list[float | None]:
    """Return when each word of a verse was placed, by the letters before it in its line.

    Lyrics may be divided otherwise than the verse is: there is None for a word within a longer one.
    """
    found: list[float | None] = []
    for line, placed in zip(verse.lines, lyrics, strict=True):
        at, by_place = 0, {}
        for word in placed.words:
            # Without a time it is as far off as can be.
            by_place[at] = math.inf if word.start is None else word.start
            at += len(word.text)
        at = 0
        for sung in line:
            found.append(by_place.get(at))
            at += len(sung.text)
    return found


def _extra(language: str) -> str:
    extra = readings.EXTRAS.get(language)
    if extra is None:
        return ""
    return extra.name if readings.missing(language) is None else f"{extra.name} (missing)"


def table(measured: Sequence[Measured]) -> str:
    """Format the results for a person, a row a language."""
    width = max(len(row.name) for row in measured)
    lines = [
        f"{'':{width}s} {'words':>5s} {'joined':>6s} {'≤.3':>6s} {'≤.1':>6s}"
        f" {'median':>7s} {'score':>6s}  {'extra':6s} {'detected':8s} {'separator':10s} aligner"
    ]
    lines += [
        f"{row.name:{width}s} {row.words:5d} {row.joined:6d} {row.within_300ms:6.1f}"
        f" {row.within_100ms:6.1f} {row.median:7.3f} {row.quality_score:6.2f}"
        f"  {row.extra or '-':6s} {row.detected or '?':8s} {row.separator:10s} {row.aligner}"
        for row in measured
    ]
    for aligner in dict.fromkeys(row.aligner for row in measured):
        shares = [row.within_300ms for row in measured if row.aligner == aligner]
        mean, good = fmean(shares), sum(share >= 90 for share in shares)
        lines.append(
            f"{aligner}: mean {mean:.1f} % within 0.3 s; 90 % in {good} of {len(shares)} languages"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, and print."""
    known = verses()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--language", metavar="L,...", help=f"of {' '.join(known)}; default: all")
    parser.add_argument(
        "--aligner", default="auto", metavar="A,...", help="as models.aligner; default: %(default)s"
    )
    parser.add_argument("--tell", action="store_true", help="give the language of each song")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument(
        "--cache", type=Path, default=paths.cache_dir() / "benchmarks" / "languages", metavar="DIR"
    )
    options = parser.parse_args()
    chosen = options.language.split(",") if options.language else list(known)
    for language in chosen:
        if language not in known:
            parser.error(f"no verse in '{language}'; there are {' '.join(known)}")
    measured = []
    for aligner in options.aligner.split(","):
        pipeline = LyricSyncPipeline(config=Config.model_validate({"models": {"aligner": aligner}}))
        for number, language in enumerate(chosen, 1):
            given = language if options.tell else None
            row = measure(pipeline, known[language], options.cache, given)
            measured.append(row)
            print(
                f"{number}/{len(chosen)} {row.name}, {row.aligner}: {row.within_300ms:.1f} %",
                file=sys.stderr,
                flush=True,
            )
    if options.json:
        print(json.dumps([asdict(row) for row in measured], indent=1, ensure_ascii=False))
    else:
        print(table(measured))


if __name__ == "__main__":
    main()
