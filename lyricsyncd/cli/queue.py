"""``lyricsyncd queue``, ``retry``, ``skip``, ``pause``, ``resume``: the queue of songs.

They read and write the catalog, whether or not a service runs: it notices.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lyricsyncd.cli import phrases, views
from lyricsyncd.cli.console import print_json, say
from lyricsyncd.cli.options import CONTEXT, checked_config_option, dry_run_option, json_option
from lyricsyncd.cli.songs import named_songs, note_idle, open_catalog
from lyricsyncd.errors import UsageError

if TYPE_CHECKING:
    from lyricsyncd.catalog.catalog import Catalog, Entry, State


_STATES = (
    "pending",
    "working",
    "done",
    "mixed",
    "lines",
    "review",
    "no_lyrics",
    "instrumental",
    "failed",
    "ignored",
)
"""Those of `State`, which is not loaded for a page of help."""


@click.command(context_settings=CONTEXT)
@click.option("--limit", metavar="N", type=click.IntRange(1), default=20, show_default=True)
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(_STATES),
    help="The songs in this state instead; may be given more than once.",
)
@checked_config_option
@json_option
def queue(limit: int, states: tuple[str, ...], as_json: bool) -> None:
    """List what is at work, what comes next, and what waits for a retry."""
    with open_catalog() as catalog:
        if states:
            entries = catalog.entries(states=[_state(name) for name in states], limit=limit)
        else:
            entries = catalog.queue(limit)
    if as_json:
        print_json([entry.as_dict() for entry in entries])
    elif not entries:
        click.echo("None: there is no such song" if states else "None: nothing is queued")
    else:
        views.print_songs(entries)


def _state(name: str) -> State:
    from lyricsyncd.catalog.catalog import State

    return State(name)


@click.command(context_settings=CONTEXT)
@click.argument("songs", nargs=-1, metavar="[SONG]...")
@click.option("--failed", is_flag=True, help="All songs that failed.")
@click.option("--no-lyrics", is_flag=True, help="All songs without lyrics.")
@checked_config_option
@json_option
@dry_run_option
def retry(
    songs: tuple[str, ...], failed: bool, no_lyrics: bool, as_json: bool, dry_run: bool
) -> None:
    """Queue SONG once more, before the others, whatever became of it.

    A folder stands for all songs in it, and is no longer skipped.
    """
    from lyricsyncd.catalog.catalog import State

    if not songs and not failed and not no_lyrics:
        raise UsageError("No song is named", remedy="Name songs, or use --failed or --no-lyrics")
    with open_catalog() as catalog:
        chosen, folders = named_songs(catalog, songs)
        states = [*([State.FAILED] if failed else []), *([State.NO_LYRICS] if no_lyrics else [])]
        if states:
            chosen += _all(catalog, states)
        if not dry_run:
            for folder in folders:
                catalog.retry_folder(folder)
            catalog.retry(entry.id for entry in chosen)
        _report_chosen(chosen, "queued once more", folders, as_json=as_json, dry_run=dry_run)
        if chosen and not (as_json or dry_run):
            note_idle(catalog)


@click.command(context_settings=CONTEXT)
@click.argument("songs", nargs=-1, required=True, metavar="SONG...")
@checked_config_option
@json_option
@dry_run_option
def skip(songs: tuple[str, ...], as_json: bool, dry_run: bool) -> None:
    """Leave SONG alone from now on; `retry` takes that back. What was written stays.

    A folder stands for all songs in it, those that come later too.
    """
    with open_catalog() as catalog:
        chosen, folders = named_songs(catalog, songs)
        if not dry_run:
            catalog.skip(entry.id for entry in chosen if not _below_any(entry, folders))
            for folder in folders:
                catalog.skip_folder(folder)
    what = "left alone from now on" + (", as those that come later" if folders else "")
    _report_chosen(chosen, what, folders, as_json=as_json, dry_run=dry_run)


@click.command(context_settings=CONTEXT)
@checked_config_option
@json_option
def pause(as_json: bool) -> None:
    """Take up no new songs, even after a restart, until `resume`."""
    with open_catalog() as catalog:
        catalog.pause()
    _report_paused(True, as_json=as_json)


@click.command(context_settings=CONTEXT)
@checked_config_option
@json_option
def resume(as_json: bool) -> None:
    """Go on after `pause`."""
    with open_catalog() as catalog:
        catalog.resume()
    _report_paused(False, as_json=as_json)


def _report_paused(paused: bool, *, as_json: bool) -> None:
    if as_json:
        print_json({"paused": paused})
    else:
        click.echo("Paused: the song in work is finished" if paused else "Going on")


def _below_any(entry: Entry, folders: Sequence[Path]) -> bool:
    return any(folder in entry.path.parents for folder in folders)


def _all(catalog: Catalog, states: Sequence[State]) -> list[Entry]:
    """Return all songs in some states, a page at a time."""
    found: list[Entry] = []
    while page := catalog.entries(states=states, after=found[-1].id if found else 0, limit=1000):
        found += page
    return found


def _report_chosen(
    chosen: Sequence[Entry],
    what: str,
    folders: Sequence[Path],
    *,
    as_json: bool,
    dry_run: bool,
) -> None:
    if as_json:
        shown: dict[str, Any] = {"songs": [str(entry.path) for entry in chosen]}
        print_json({**shown, "folders": [str(path) for path in folders], "dry_run": dry_run})
        return
    verb = "would be " if dry_run else ""
    if folders:
        where = ", ".join(map(str, folders))
        say(f"{where}: {phrases.songs(len(chosen))} {verb}{what}")
    elif len(chosen) == 1:
        say(f"{chosen[0].path}: {verb}{what}")
    else:
        click.echo(f"{len(chosen)} songs: {verb}{what}")
