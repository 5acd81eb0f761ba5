"""Show what became of songs: a line for each, its details, or a report."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from lyricsyncd.cli.console import bar, console
from lyricsyncd.errors import LyricsyncError
from lyricsyncd.model import Decision, Lyrics, SongIdentification, Track
from lyricsyncd.pipeline.result import SyncResult
from lyricsyncd.printable import escaped


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of one song."""

    song: Path
    status: int
    """Exit status."""
    seconds: float
    result: SyncResult | None = None
    error: LyricsyncError | None = None
    written: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()

    def report(self, *, dry_run: bool = False) -> dict[str, Any]:
        """Return the object that ``--report`` writes; a song that failed has the same keys."""
        nothing = SyncResult(SongIdentification(Track(self.song)), Lyrics(), 0.0, Decision.NONE, "")
        report = (self.result or nothing).report(() if dry_run else self.written)
        if dry_run:
            report["would_write"] = [str(path) for path in self.written]
        if self.error is not None:
            report["reason"] = str(self.error)
            report["error"] = type(self.error).__name__
        return report


def details(result: SyncResult) -> list[str]:
    """List the song's names, the source of its words, and the time of each stage."""
    lyrics = result.lyrics
    words = " ".join(filter(None, (lyrics.source, lyrics.source_id))) or "none"
    models = [name for name in (result.separator, result.aligner) if name not in ("", "none")]
    took = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in result.stages.items())
    return [
        f"song: {result.song.track.name} ({result.song.why or result.song.source})",
        f"words: {words}, language: {result.language or lyrics.language or 'unknown'}",
        f"models: {', '.join(models) or 'none'}, stages: {took or 'none'}",
        f"result: {result.decision.value}, quality {result.quality_score:.2f}, {result.reason}",
    ]


def show_summary(outcomes: Sequence[Outcome], *, dry_run: bool) -> None:
    """Show a line for each song: how good, how many words, how long it took, where they are.

    A song that failed has its line of error in place of it.
    """
    done = [outcome for outcome in outcomes if outcome.error is None]
    if not sys.stdout.isatty():
        for outcome in done:
            click.echo("\t".join(map(escaped, _cells(outcome, dry_run=dry_run))))
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    for outcome in done:
        song, quality, *rest = map(escaped, _cells(outcome, dry_run=dry_run))
        meter = Text(_bar(outcome, quality), _colour(outcome))
        table.add_row(Text(song), meter, *map(Text, rest))
    console().print(table)


def _cells(outcome: Outcome, *, dry_run: bool) -> tuple[str, ...]:
    result = outcome.result
    assert result is not None, "a song that failed has its line of error"
    where = ", ".join(path.name for path in outcome.written) or "nothing written"
    if outcome.written and dry_run:
        where = f"would write {where}"
    return (
        outcome.song.name,
        f"{result.quality_score:.2f}",
        f"{len(result.lyrics.words)} words",
        f"{outcome.seconds:.1f} s",
        result.decision.value,
        where,
    )


def _bar(outcome: Outcome, quality: str) -> str:
    assert outcome.result is not None
    return f"{bar(outcome.result.quality_score)} {quality}"


def _colour(outcome: Outcome) -> str:
    assert outcome.result is not None
    colours = {
        Decision.WORDS: "green",
        Decision.MIXED: "green3",
        Decision.LINES: "yellow",
        Decision.REVIEW: "dark_orange",
    }
    return colours.get(outcome.result.decision, "red")
