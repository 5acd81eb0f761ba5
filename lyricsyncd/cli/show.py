"""``lyricsyncd show``: print what is known of a song."""

from __future__ import annotations

import click

from lyricsyncd.cli import tables, views
from lyricsyncd.cli.console import print_json
from lyricsyncd.cli.options import CONTEXT, checked_config_option, json_option
from lyricsyncd.cli.songs import one_song, open_catalog


@click.command(context_settings=CONTEXT)
@click.argument("song")
@checked_config_option
@json_option
def show(song: str, as_json: bool) -> None:
    """Show what is known of SONG: a path, a number of the list, or a part of its name."""
    with open_catalog() as catalog:
        entry = one_song(catalog, song)
        could_be_better = catalog.is_improvable(entry.id)
    if as_json:
        print_json({**entry.as_dict(), "could_be_better": could_be_better})
        return
    rows = views.song_rows(entry.as_dict())
    if could_be_better:
        rows.append(("better", "it could be now: other models placed it than those of now", ""))
    tables.print_facts(rows)
