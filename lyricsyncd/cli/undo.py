"""``lyricsyncd undo``: restore what was there before lyrics were written."""

from __future__ import annotations

import datetime
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lyricsyncd.cli.console import note, print_json
from lyricsyncd.cli.lyrics_files import notes, say_paths, texts
from lyricsyncd.cli.options import CONTEXT, checked_config_option, dry_run_option, json_option
from lyricsyncd.cli.songs import absolute, ambiguous, find_song, known_catalog, unknown

if TYPE_CHECKING:
    from lyricsyncd.catalog.catalog import Catalog
    from lyricsyncd.tags import Journal


@click.command(context_settings=CONTEXT)
@click.argument("songs", nargs=-1, metavar="[SONG...]")
@click.option(
    "--since", metavar="WHEN", help="What was written since: 2h, 3d, or 2026-05-31T20:15."
)
@click.option("--all", "everything", is_flag=True, help="Everything that was ever written.")
@checked_config_option
@json_option
@dry_run_option
def undo(
    songs: tuple[str, ...], since: str | None, everything: bool, as_json: bool, dry_run: bool
) -> None:
    """Give back what was there before us, for SONG (or a folder of songs), since WHEN, or --all.

    SONG is a path, a number of the list, or a part of its name. Only files that still are as we
    wrote them are touched, what you set for their songs is forgotten, and the service leaves them
    alone until `retry`.

    The exit status is 1 if nothing could be taken back, or a file could not be written.
    """
    from lyricsyncd.library.undoing import take_back
    from lyricsyncd.tags import Journal

    if not (songs or since or everything):
        raise click.UsageError("Name songs, or say --since or --all.")
    if everything and (songs or since):
        raise click.UsageError("--all goes with neither songs nor --since.")
    moment = None if since is None else _moment(since)
    journal = Journal()
    with known_catalog() as catalog:
        chosen = [path for song in songs for path in _with_lyrics(song, journal, catalog)]
        undone = take_back(journal, catalog, chosen or None, since=moment, dry_run=dry_run)
    report = undone.report
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "removed": texts(report.removed),
                "cleared": texts(report.cleared),
                "restored": texts(report.restored),
                "forgotten": texts(undone.forgotten),
                "kept": notes(report.kept),
                "failed": notes(report.failed),
            }
        )
    else:
        say_paths("would remove" if dry_run else "removed", report.removed)
        taking = "would take" if dry_run else "took"
        say_paths(f"{taking} our lyrics out of", report.cleared)
        say_paths("would restore" if dry_run else "restored", report.restored)
        forgetting = "would forget" if dry_run else "forgot"
        say_paths(f"{forgetting} what was set for", undone.forgotten)
    done = report.removed or report.cleared or report.restored or undone.forgotten
    if not (done or report.kept or report.failed):
        note("There is nothing of ours to take back.")
    if undone.left_alone and not as_json:
        note("The service leaves these songs alone until `lyricsyncd retry`")
    for one in report.kept:
        note(f"kept {one.path}: {one.why}")
    for one in report.failed:
        note(one.why)
    if report.failed or (report.kept and not done):
        click.get_current_context().exit(1)


def _with_lyrics(song: str, journal: Journal, catalog: Catalog | None) -> list[Path]:
    """Find what a person names: what we wrote, a song or folder of the catalog, or a file.

    Raises
    ------
    UsageError
        It is not known, or may be several.
    """
    path = absolute(song)
    if journal.knows(path):
        return [path]
    if catalog is not None:
        known = find_song(catalog, song)
        if known is not None:
            return [known.path]
    # Songs of `sync` and `apply` need not be in the catalog.
    found = journal.songs_named(song)
    if len(found) > 1:
        raise ambiguous(song, [each.name for each in found], "Name its path")
    if found:
        return [found[0]]
    if os.path.lexists(path):
        return [path]
    raise unknown(song)


def _moment(text: str) -> float:
    """Parse ``2h`` (ago) or an ISO date, local unless it has a zone; return seconds since 1970."""
    ago = re.fullmatch(r"(\d{1,9})\s*([smhdw])", text.strip())
    if ago:
        unit = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[ago[2]]
        return max(0.0, time.time() - int(ago[1]) * unit)
    try:
        return datetime.datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        raise click.UsageError(
            f"--since: expected a while as 2h or 3d, or a date as 2026-05-31, not '{text}'."
        ) from None
