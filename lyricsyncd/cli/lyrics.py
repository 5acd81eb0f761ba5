"""``lyrics``: find the words of a song only. ``publish``: give word times back."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lyricsyncd.cli.console import note, person_there, progress, say
from lyricsyncd.errors import LyricsNotFound, LyricsyncError, Refused, UsageError

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config
    from lyricsyncd.lyrics import Found
    from lyricsyncd.model import Lyrics, SongIdentification, Track

_HELP = {"help_option_names": ["-h", "--help"]}
_PATH = click.Path(path_type=Path)


@click.command(context_settings=_HELP)
@click.argument("song", metavar="[SONG]", required=False, type=_PATH)
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
@click.option("--acoustid-key", metavar="K", help="To tell by its sound what the song is.")
@click.option("--fresh", is_flag=True, help="Ask the sources anew, whatever they said before.")
@click.option("--json", "as_json", is_flag=True, help="Print the choice and why it was made.")
@click.option("--config", type=_PATH, help="Configuration file.")
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
    from lyricsyncd.config.schema import load
    from lyricsyncd.http.answers import asking_anew
    from lyricsyncd.lyrics import find_lyrics

    if song is None and not (artist and title):
        raise click.UsageError("Name a SONG, or its --artist and --title.")
    if format_name is not None:
        formats.get(format_name)
    settings = load(config)
    named = {"artist": artist, "title": title, "album": album, "duration": duration}
    with asking_anew() if fresh else contextlib.nullcontext():
        identified = _identified(song, named, settings, acoustid_key)
        try:
            found = find_lyrics(identified.track, settings)
        except LyricsNotFound as error:
            if not as_json:
                raise
            _print_json({**_about(identified), "source": None, "reason": error.message})
            context.exit(error.exit_status)
    text = _text(found.lyrics, identified.track, format_name)
    if as_json:
        _print_json(_report(identified, found, text))
        return
    for line in (*identified.warnings, *found.warnings):
        note(f"Warning: {line}")
    if identified.source != "tags":
        note(f"{identified.track.name}: {identified.why}")
    for line in found.why:
        note(line)
    _print(text)


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
    """The words in the format asked for, else in the finest that their times allow."""
    from lyricsyncd import formats
    from lyricsyncd.model import Timing

    names = {"title": track.title, "artist": track.artist, "album": track.album}
    if track.duration:
        names["duration"] = f"{track.duration:.3f}"
    known = {key: value for key, value in names.items() if value}
    named = dataclasses.replace(found, metadata={**found.metadata, **known})
    finest = {Timing.WORD: "lrc", Timing.LINE: "lrc_standard", Timing.NONE: "txt"}
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


@click.command(context_settings=_HELP)
@click.argument("songs", nargs=-1, required=True, metavar="SONG...", type=_PATH)
@click.option(
    "--reviewed", is_flag=True, help="You have listened to each of them, and the words are right."
)
@click.option("--json", "as_json", is_flag=True, help="Print what became of each song.")
@click.option("--dry-run", is_flag=True, help="Check and show what would be sent; send nothing.")
@click.option("--config", type=_PATH, help="Configuration file.")
@click.pass_context
def publish(
    context: click.Context,
    songs: tuple[Path, ...],
    reviewed: bool,
    as_json: bool,
    dry_run: bool,
    config: Path | None,
) -> None:
    """Give the word times of SONG to LRCLIB, for everybody who has the same recording.

    Only where the configuration's lyrics.publish allows it, only what was placed on your own file
    with a score that words may be written with, and only what you have reviewed. Sent are the
    names, the length and the words with their times, and nothing of the sound.
    """
    from lyricsyncd.config.schema import load

    settings = load(config)
    if not settings.lyrics.publish and not dry_run:
        raise UsageError(
            "Publishing is switched off", remedy="Set lyrics.publish to true if you want to"
        )
    judged = [_published(song, settings, reviewed, dry_run) for song in songs]
    outcomes = [outcome for outcome, _ in judged]
    if as_json:
        _print_json(outcomes if len(outcomes) > 1 else outcomes[0])
    else:
        for outcome in outcomes:
            told = outcome["reason"] or ("would be sent" if dry_run else "published")
            say(f"{outcome['song']}: {told}")
            if dry_run and outcome["payload"]:
                click.echo(outcome["payload"]["lyricsfile"], nl=False)
    context.exit(max(status for _, status in judged))


def _published(
    song: Path, settings: Config, reviewed: bool, dry_run: bool
) -> tuple[dict[str, Any], int]:
    """What became of a song, and the exit status that this means."""
    from lyricsyncd.http import Web
    from lyricsyncd.lyrics.publish import Submission
    from lyricsyncd.lyrics.publish import publish as send

    outcome: dict[str, Any] = {
        "song": str(song),
        "published": False,
        "reason": "",
        "payload": None,
    }
    try:
        track, found = _own_words(song)
        submission = Submission.of(track, found)
        _check_score(song, track, found, settings)
        _check_reviewed(track, reviewed, dry_run)
        if dry_run:
            return {**outcome, "payload": submission.payload()}, 0
        web = Web(timeout=settings.lyrics.lrclib.timeout)
        with progress(track.name) as show:
            send(submission, settings.lyrics.lrclib.url, web, lambda _: show("proof of work", 0.0))
    except LyricsyncError as error:
        return {**outcome, "reason": str(error)}, error.exit_status
    return {**outcome, "published": True}, 0


def _own_words(song: Path) -> tuple[Track, Lyrics]:
    """The song, and its word-timed lyrics as they lie there."""
    from lyricsyncd.identify import read_tags
    from lyricsyncd.lyrics.local import LocalSource
    from lyricsyncd.model import Timing

    track = read_tags(song)
    timed = [c for c in LocalSource().find(track) if c.lyrics.timing is Timing.WORD]
    if not timed:
        raise LyricsNotFound(
            f"{song} has no word-timed lyrics", remedy="Place them with `lyricsyncd sync`"
        )
    # What a person edited goes before what we wrote.
    best = min(timed, key=lambda candidate: candidate.ours)
    return track, best.lyrics


def _check_score(song: Path, track: Track, found: Lyrics, settings: Config) -> None:
    """See that the words were placed on this very file, well enough."""
    score = _known_score(song)
    if score is None:
        from lyricsyncd.model import SongIdentification
        from lyricsyncd.pipeline.pipeline import LyricSyncPipeline
        from lyricsyncd.pipeline.prepared import Prepared

        with progress(track.name) as show:
            pipeline = LyricSyncPipeline(config=settings)
            words = found.without_times()
            prepared = Prepared(song, SongIdentification(track), words, found.language)
            result = pipeline.place(prepared, progress=show)
        score = result.quality_score
        _check_agrees(track, found, result.lyrics)
    if score < settings.quality.words:
        raise Refused(
            f"{track.name} is not published: its score is {score:.2f}, below the"
            f" {settings.quality.words:.2f} of quality.words"
        )


def _known_score(song: Path) -> float | None:
    """What the service found for the file as it is now; ``None`` where it did not place it."""
    from lyricsyncd.catalog.catalog import FILE_NAME, Catalog, Fingerprint, State
    from lyricsyncd.config.paths import state_dir

    path = state_dir() / FILE_NAME
    if not path.is_file():
        return None
    with Catalog(path) as catalog:
        entry = catalog.by_path(song.absolute())
    if entry is None or entry.state is not State.DONE or entry.aligner in (None, "source", "none"):
        return None
    return entry.quality if entry.fingerprint == Fingerprint.of(song) else None


_APART_S = 0.5
_MOST_APART = 0.2


def _check_agrees(track: Track, found: Lyrics, placed: Lyrics) -> None:
    """See that the times that lie there are those of this file."""
    pairs = zip(found.words, placed.words, strict=True)
    apart = [abs((one.start or 0.0) - (two.start or 0.0)) > _APART_S for one, two in pairs]
    if sum(apart) > _MOST_APART * len(apart):
        raise Refused(
            f"{track.name} is not published: {sum(apart)} of its {len(apart)} words are not where"
            " they are heard in this file"
        )


def _check_reviewed(track: Track, reviewed: bool, dry_run: bool) -> None:
    if reviewed or dry_run:
        return
    if person_there() and click.confirm(
        f"{track.name}: have you listened to it, and are the words and times right?", err=True
    ):
        return
    raise UsageError(
        f"{track.name} is not published: nobody has reviewed it",
        remedy="Listen to it with its words, then say --reviewed",
    )


def _print_json(value: dict[str, Any] | Sequence[dict[str, Any]]) -> None:
    _print(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def _print(text: str) -> None:
    """Lyrics are UTF-8, whatever the terminal's encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()
