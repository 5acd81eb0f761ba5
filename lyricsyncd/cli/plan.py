"""Print what would become of the songs of libraries, for ``--dry-run``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from lyricsyncd.cli import phrases
from lyricsyncd.cli.console import print_json, say

if TYPE_CHECKING:
    from lyricsyncd.catalog.catalog import Catalog
    from lyricsyncd.config.schema import Config
    from lyricsyncd.library.plan import Pace, Planned


def show_plan(
    planned: Sequence[Planned],
    catalog: Catalog | None,
    settings: Config,
    *,
    as_json: bool,
    what: str = "queued",
) -> None:
    """Print the songs that would be queued (or ``what``), and how long the models would take."""
    from lyricsyncd.library.plan import Work, pace, seconds_of
    from lyricsyncd.work.policy import workers

    def of(*works: Work) -> list[Planned]:
        return [song for song in planned if song.work in works]

    new, waiting, skipped = of(Work.NEW, Work.CHANGED), of(Work.QUEUED), of(Work.SKIPPED)
    speed = pace(catalog)
    # What is assumed is the pace of the whole computer.
    at_once = workers(settings) if speed.measured else 1
    seconds = seconds_of([*new, *waiting], speed, at_once)
    if as_json:
        shown: dict[str, Any] = {
            "would_queue": [str(song.path) for song in new],
            "waiting": [str(song.path) for song in waiting],
            "skipped": [{"path": str(song.path), "reason": song.reason} for song in skipped],
            "languages": {str(song.path): song.language for song in new if song.language},
            "left": len(of(Work.LEFT)),
            "seconds": round(seconds, 1),
            "measured_with": speed.measured,
            "dry_run": True,
        }
        print_json(shown)
        return
    for song in new:
        language = "" if song.language is None else f"  (language {song.language})"
        say(f"{song.path}{language}")
    click.echo(f"{phrases.songs(len(new))} would be {what}", err=True)
    for line in _rest(len(waiting), skipped, len(of(Work.LEFT))):
        click.echo(line, err=True)
    if new or waiting:
        click.echo(f"{_duration(seconds, speed)}", err=True)


def _rest(waiting: int, skipped: Sequence[Planned], left: int) -> list[str]:
    lines = []
    if waiting:
        lines.append(f"{phrases.songs(waiting)} queued already")
    by_reason: dict[str, int] = {}
    for song in skipped:
        by_reason[song.reason] = by_reason.get(song.reason, 0) + 1
    lines += [f"{phrases.songs(count)} skipped ({reason})" for reason, count in by_reason.items()]
    if left:
        lines.append(f"{phrases.songs(left)} done, with nothing new")
    return lines


def _duration(seconds: float, pace: Pace) -> str:
    basis = (
        f"as fast as the latest {phrases.songs(pace.measured)}"
        if pace.measured
        else "an assumption: the catalog has no song to measure it by"
    )
    return f"About {phrases.span(seconds)} of work for the models ({basis})"
