"""``lyricsyncd apply``: write lyrics that exist already for a song; no model runs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lyricsyncd.cli.console import note, print_json
from lyricsyncd.cli.lyrics_files import notes, read_lyrics, say_paths, texts
from lyricsyncd.cli.options import (
    CONTEXT,
    config_option,
    dry_run_option,
    encoding_option,
    json_option,
)
from lyricsyncd.errors import LyricsyncError, UsageError

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Output, OutputFile
    from lyricsyncd.model import Lyrics


@click.command(context_settings=CONTEXT)
@click.argument("lyrics", metavar="LYRICS", type=click.Path(path_type=Path))
@click.argument("song", metavar="SONG", type=click.Path(path_type=Path))
@click.option(
    "--preset",
    metavar="P",
    help="What the player reads: navidrome, navidrome_web, jellyfin, plex, kodi, generic or embed; "
    "by default what the configuration says.",
)
@click.option(
    "--force",
    "--replace",
    "force",
    is_flag=True,
    help="Replace lyrics that are not ours; undo restores them.",
)
@encoding_option
@config_option
@json_option
@dry_run_option
def apply(
    lyrics: Path,
    song: Path,
    preset: str | None,
    force: bool,
    encoding: str | None,
    config: Path | None,
    as_json: bool,
    dry_run: bool,
) -> None:
    """Write the lyrics in the file LYRICS beside (or into) SONG, in the formats its player reads.

    They count as your choice: the service does not replace them.
    """
    from lyricsyncd.lyrics.translations import beside_lines
    from lyricsyncd.tags import Journal, write_sandboxed

    if not song.is_file():
        raise UsageError(f"the song {song} is not there", remedy="Check the path")
    found = _with_header(beside_lines(read_lyrics(lyrics, None, encoding)), song)
    report = write_sandboxed(
        song,
        found,
        _output(preset, config),
        journal=Journal(),
        by_hand=True,
        force=force,
        dry_run=dry_run,
    )
    if as_json:
        print_json(
            {
                "song": str(song),
                "dry_run": dry_run,
                "written": texts(report.written),
                "unchanged": texts(report.unchanged),
                "removed": texts(report.removed),
                "kept": notes(report.kept),
                "hidden": notes(report.hidden),
            }
        )
    else:
        say_paths("would write" if dry_run else "wrote", report.written)
        say_paths("unchanged", report.unchanged)
        say_paths("would remove" if dry_run else "removed", report.removed)
    for one in report.notes:
        note(f"{one.path.name}: {one.why}")
    if not found.words and not as_json:
        what = "says that the song is an instrumental" if found.instrumental else "holds no words"
        note(f"nothing is written: {lyrics} {what}")
    if not (report.written or report.unchanged) and report.kept:
        # Nothing of what was asked for was done, and scripts must see it.
        click.get_current_context().exit(1)


def _with_header(lyrics: Lyrics, song: Path) -> Lyrics:
    """Add the song's names and length, as `sync` does; those that the file names go over them."""
    from lyricsyncd.identify.tags import read_tags
    from lyricsyncd.pipeline.result import with_header

    try:
        track = read_tags(song)
    except LyricsyncError:
        # Lyrics can be written beside a song whose tags cannot be read.
        return lyrics
    return with_header(dataclasses.replace(lyrics, source="file"), track)


def _output(preset: str | None, config: Path | None) -> Output | tuple[OutputFile, ...]:
    from lyricsyncd.config.reader import load
    from lyricsyncd.config.schema import Output
    from lyricsyncd.registry import presets

    if preset is None:
        return load(config).output
    presets.check(preset)
    return Output.model_validate({"preset": preset})
