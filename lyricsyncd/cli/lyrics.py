"""``lyricsyncd lyrics``: find the words of a song, and print them."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lyricsyncd.cli.console import note, print_utf8, print_utf8_json
from lyricsyncd.cli.options import CONTEXT, config_option
from lyricsyncd.errors import LyricsNotFound

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config
    from lyricsyncd.lyrics import Found
    from lyricsyncd.model import Lyrics, SongIdentification, Track


@click.command(context_settings=CONTEXT)
@click.argument("song", metavar="[SONG]", required=False, type=click.Path(path_type=Path))
@click.option("--artist", metavar="A", help="Who performs it, over what its tags say.")
@click.option("--title", metavar="T", help="Its title, over what its tags say.")
@click.option("--album", metavar="B", help="Its album, over what its tags say.")
@click.option(
    "--duration", metavar="S", type=click.FloatRange(0, min_open=True), help="Its length, seconds."
)
@click.option(
    "--format",
    "format_name",
    metavar="F",
    help="Format to print, such as lrc, txt or lyricsfile; by default what their times allow.",
)
@click.option("--acoustid-key", metavar="K", help="To identify the song by its sound.")
@click.option("--fresh", is_flag=True, help="Ask the sources anew, whatever they said before.")
@click.option("--json", "as_json", is_flag=True, help="Print the choice and why it was made.")
@config_option
@click.pass_context
def lyrics(
    context: click.Context,
    song: Path | None,
    artist: str | None,
    title: str | None,
    album: str | None,
    duration: float | None,
    format_name: str | None,
    acoustid_key: str | None,
    fresh: bool,
    as_json: bool,
    config: Path | None,
) -> None:
    """Find the words of SONG, or of what --artist and --title name, and print them.

    Which source was chosen, and why, goes to standard error. No model runs, and nothing is written.

    Exit status: 0 found (or known to be instrumental); 1 failed; 2 wrong usage; 3 not found.
    """
    from lyricsyncd import formats
    from lyricsyncd.config.reader import load
    from lyricsyncd.http.response_cache import without_cache
    from lyricsyncd.lyrics import find_lyrics

    if song is None and not (artist and title):
        raise click.UsageError("Name a SONG, or its --artist and --title.")
    if format_name is not None:
        formats.get(format_name)
    settings = load(config)
    named = {"artist": artist, "title": title, "album": album, "duration": duration}
    with without_cache() if fresh else contextlib.nullcontext():
        identified = _identified(song, named, settings, acoustid_key)
        try:
            found = find_lyrics(identified.track, settings)
        except LyricsNotFound as error:
            if not as_json:
                raise
            print_utf8_json({**_about(identified), "source": None, "reason": error.message})
            context.exit(error.exit_status)
    text = _text(found.lyrics, identified.track, format_name)
    if as_json:
        print_utf8_json(_report(identified, found, text))
        return
    for line in (*identified.warnings, *found.warnings):
        note(f"Warning: {line}")
    if identified.source != "tags":
        note(f"{identified.track.name}: {identified.why}")
    for line in found.why:
        note(line)
    print_utf8(text)


def _identified(
    song: Path | None, named: dict[str, Any], settings: Config, key: str | None
) -> SongIdentification:
    from lyricsyncd.identify import identify_song
    from lyricsyncd.model import SongIdentification, Track

    given = {name: value for name, value in named.items() if value is not None}
    if "artist" in given:
        given["artists"] = (given["artist"],)
    if song is None:
        return SongIdentification(Track(**given), why="named on the command line")
    whole = named["artist"] is not None and named["title"] is not None
    key = None if whole else key or settings.identify.acoustid_key
    found = identify_song(song, key, acoustid_url=settings.identify.acoustid_url)
    return found.with_track(**given)


def _text(found: Lyrics, track: Track, format_name: str | None) -> str:
    """Format the words as asked for, else in the finest that their times allow."""
    from lyricsyncd import formats
    from lyricsyncd.model import Timing

    names = {"title": track.title, "artist": track.artist, "album": track.album}
    if track.duration:
        names["duration"] = f"{track.duration:.3f}"
    known = {key: value for key, value in names.items() if value}
    named = dataclasses.replace(found, metadata={**found.metadata, **known})
    finest = {
        Timing.WORD: "lrc",
        Timing.MIXED: "lrc",
        Timing.LINE: "lrc_standard",
        Timing.NONE: "txt",
    }
    return formats.write(named, format_name or finest[found.timing])


def _about(identified: SongIdentification) -> dict[str, Any]:
    track = identified.track
    return {
        "song": {
            "path": str(track.path) if track.path else None,
            "artist": track.artist,
            "title": track.title,
            "album": track.album,
            "duration": track.duration,
        },
        "identified": {
            "by": identified.source,
            "score": round(identified.score, 3),
            "why": identified.why,
        },
    }


def _report(identified: SongIdentification, found: Found, text: str) -> dict[str, Any]:
    words = found.lyrics
    return {
        **_about(identified),
        "source": found.source,
        "id": found.id,
        "score": round(found.score, 3),
        "timing": words.timing.value,
        "instrumental": words.instrumental,
        "language": words.language,
        "lines": sum(1 for line in words if line.words),
        "words": len(words.words),
        "why": list(found.why),
        "warnings": [*identified.warnings, *found.warnings],
        "lyrics": text,
    }
