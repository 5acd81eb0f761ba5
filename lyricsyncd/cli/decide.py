"""``lyricsyncd approve``, ``reject``, ``shift``, ``set``: what a person decides about a song.

A decision counts more than any result: what it writes is never replaced by a later run.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lyricsyncd.cli.console import note, print_json, say
from lyricsyncd.cli.lyrics_files import say_paths, texts
from lyricsyncd.cli.options import (
    CONTEXT,
    config_option,
    dry_run_option,
    encoding_option,
    json_option,
)
from lyricsyncd.cli.songs import note_idle, one_song, open_catalog
from lyricsyncd.errors import UsageError
from lyricsyncd.model import Track

if TYPE_CHECKING:
    from lyricsyncd.catalog.catalog import Catalog, Entry
    from lyricsyncd.library.decisions import Decided, Decisions
    from lyricsyncd.model import Lyrics

_LONGEST_SHIFT_S = 3600.0


@click.command(context_settings=CONTEXT)
@click.argument("song")
@click.option(
    "--as",
    "as_",
    type=click.Choice(["words", "lines"]),
    default="words",
    show_default=True,
    help="Write a time for every word, or for every line only.",
)
@config_option
@json_option
@dry_run_option
def approve(song: str, as_: str, config: Path | None, as_json: bool, dry_run: bool) -> None:
    """Accept the words of SONG as they were placed, and write them, however doubtful they are.

    They count as your choice: the service does not replace them, and `undo` gives back what was
    there before.
    """
    from lyricsyncd.library.decisions import Action

    action = Action.ACCEPT if as_ == "words" else Action.LINES
    with open_catalog() as catalog:
        entry = one_song(catalog, song)
        decided = _decisions(catalog, config).decide(entry.id, action, dry_run=dry_run)
    _report(entry, "accepted", decided, as_json=as_json, dry_run=dry_run)


@click.command(context_settings=CONTEXT)
@click.argument("song")
@config_option
@json_option
@dry_run_option
def reject(song: str, config: Path | None, as_json: bool, dry_run: bool) -> None:
    """Say that the words that were placed are not those of SONG.

    What was written of them is taken back, they are never tried again, and the song is left alone
    until `retry` or `set`.
    """
    from lyricsyncd.library.decisions import Action

    with open_catalog() as catalog:
        entry = one_song(catalog, song)
        decided = _decisions(catalog, config).decide(entry.id, Action.REJECT, dry_run=dry_run)
    _report(entry, "rejected", decided, as_json=as_json, dry_run=dry_run)


@click.command(context_settings={**CONTEXT, "ignore_unknown_options": True})
@click.argument("song")
@click.argument("seconds", type=float)
@config_option
@json_option
@dry_run_option
def shift(song: str, seconds: float, config: Path | None, as_json: bool, dry_run: bool) -> None:
    """Move all words of SONG later by SECONDS, or earlier where that is negative."""
    with open_catalog() as catalog:
        entry = one_song(catalog, song)
        decided = _decisions(catalog, config).shift(entry.id, _checked(seconds), dry_run=dry_run)
    _report(entry, f"shifted by {seconds:+g} s", decided, as_json=as_json, dry_run=dry_run)


@click.command("set", context_settings=CONTEXT)
@click.argument("song")
@click.option("--language", metavar="L", help="Place it anew as of this language, such as ja.")
@click.option("--offset", metavar="S", type=float, help="Seconds later than the words were placed.")
@click.option(
    "--lyrics",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Place the words in this file anew.",
)
@encoding_option
@click.option("--instrumental", is_flag=True, help="Nothing is sung in it.")
@config_option
@json_option
@dry_run_option
def set_song(
    song: str,
    language: str | None,
    offset: float | None,
    lyrics: Path | None,
    encoding: str | None,
    instrumental: bool,
    config: Path | None,
    as_json: bool,
    dry_run: bool,
) -> None:
    """Choose for SONG what was guessed wrong; every later run respects it.

    A language or other words have it placed anew, before other songs. `undo` takes all of it back.
    """
    from lyricsyncd.config.values import language_code
    from lyricsyncd.library.decisions import Action, Decided

    anew = language is not None or lyrics is not None
    if instrumental == (anew or offset is not None):
        raise click.UsageError("Say some of --language, --lyrics and --offset; or --instrumental.")
    if offset is not None:
        _checked(offset)
    if language is not None:
        try:
            language_code(language)
        except ValueError as error:
            raise click.UsageError(f"--language: {error}") from None
    with open_catalog() as catalog:
        entry = one_song(catalog, song)
        words = None if lyrics is None else _sung(lyrics, encoding, entry)
        decisions = _decisions(catalog, config)
        decided = Decided()
        if instrumental:
            decided = decisions.decide(entry.id, Action.INSTRUMENTAL, dry_run=dry_run)
        elif not anew and offset is not None:
            decided = decisions.shift(entry.id, offset, absolute=True, dry_run=dry_run)
        elif not dry_run:
            decisions.set(entry.id, language=language, lyrics=words, offset=offset)
        if anew:
            what = "queued to be placed anew"
        else:
            what = (
                "set to be instrumental" if instrumental else f"set to an offset of {offset:+g} s"
            )
        _report(entry, what, decided, as_json=as_json, dry_run=dry_run)
        if anew and not (as_json or dry_run):
            note_idle(catalog)


def _sung(path: Path, encoding: str | None, entry: Entry) -> Lyrics:
    """Read what is sung of a file, as `sync --lyrics` does."""
    from lyricsyncd.lyrics import files
    from lyricsyncd.lyrics.sung import sung_part

    track = Track(entry.path, artist=entry.artist, title=entry.title)
    words = sung_part(files.load(path, encoding=encoding, blanks=True), track)
    if not words.words:
        raise UsageError(f"{path} holds no words", remedy="Name another file")
    return words


def _decisions(catalog: Catalog, config: Path | None) -> Decisions:
    from lyricsyncd.config.reader import load
    from lyricsyncd.library.decisions import Decisions

    return Decisions(catalog, load(config).output)


def _checked(seconds: float) -> float:
    if not math.isfinite(seconds) or abs(seconds) > _LONGEST_SHIFT_S:
        raise click.UsageError(f"{seconds:g} is no shift of a song's words, in seconds.")
    return seconds


def _report(entry: Entry, what: str, decided: Decided, *, as_json: bool, dry_run: bool) -> None:
    if as_json:
        print_json(
            {
                "song": str(entry.path),
                "id": entry.id,
                "dry_run": dry_run,
                "written": texts(decided.written),
                "removed": texts(decided.removed),
                "notes": list(decided.notes),
            }
        )
        return
    say(f"{entry.path}: {'would be ' if dry_run else ''}{what}")
    say_paths("would write" if dry_run else "wrote", decided.written)
    say_paths("would remove" if dry_run else "removed", decided.removed)
    for one in decided.notes:
        note(one)
