"""``lyricsyncd publish``: give reviewed word times to LRCLIB."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lyricsyncd.cli.console import person_there, print_utf8_json, progress, say
from lyricsyncd.cli.options import CONTEXT, config_option
from lyricsyncd.errors import LyricsNotFound, LyricsyncError, Refused, UsageError

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config
    from lyricsyncd.model import Lyrics, Track


_APART_S = 0.5
_MOST_APART = 0.2


@click.command(context_settings=CONTEXT)
@click.argument(
    "songs", nargs=-1, required=True, metavar="SONG...", type=click.Path(path_type=Path)
)
@click.option(
    "--reviewed", is_flag=True, help="You have listened to each of them, and the words are right."
)
@click.option("--json", "as_json", is_flag=True, help="Print what became of each song.")
@click.option("--dry-run", is_flag=True, help="Check and show what would be sent; send nothing.")
@config_option
@click.pass_context
def publish(
    context: click.Context,
    songs: tuple[Path, ...],
    reviewed: bool,
    as_json: bool,
    dry_run: bool,
    config: Path | None,
) -> None:
    """Give the word times of SONG to LRCLIB, for all who have the same recording.

    Only where the configuration's lyrics.publish allows it, only what was placed on your own file
    with a score that words may be written with, and only what you have reviewed. Sent are the
    names, the length and the words with their times, and nothing of the sound.
    """
    from lyricsyncd.config.reader import load

    settings = load(config)
    if not settings.lyrics.publish and not dry_run:
        raise UsageError(
            "Publishing is switched off", remedy="Set lyrics.publish to true if you want to"
        )
    judged = [_published(song, settings, reviewed, dry_run) for song in songs]
    outcomes = [outcome for outcome, _ in judged]
    if as_json:
        print_utf8_json(outcomes if len(outcomes) > 1 else outcomes[0])
    else:
        for outcome in outcomes:
            result = outcome["reason"] or ("would be sent" if dry_run else "published")
            say(f"{outcome['song']}: {result}")
            if dry_run and outcome["payload"]:
                click.echo(outcome["payload"]["lyricsfile"], nl=False)
    context.exit(max(status for _, status in judged))


def _published(
    song: Path, settings: Config, reviewed: bool, dry_run: bool
) -> tuple[dict[str, Any], int]:
    """Publish a song; return what to report of it, and the exit status that follows."""
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
    """Read a song's names, and its word-timed lyrics from the files beside it or its tags."""
    from lyricsyncd.identify import read_tags
    from lyricsyncd.lyrics.local import LocalSource
    from lyricsyncd.model import Timing

    track = read_tags(song)
    found = LocalSource().find(track)
    timed = [c for c in found if c.lyrics.timing is Timing.WORD]
    if not timed and any(c.lyrics.timing is Timing.MIXED for c in found):
        raise LyricsNotFound(
            f"Only some lines of {song} have word times, and only whole songs are published",
            remedy="Time the others by hand, or with `lyricsyncd sync --all-words`, and check them",
        )
    if not timed:
        raise LyricsNotFound(
            f"{song} has no word-timed lyrics", remedy="Place them with `lyricsyncd sync`"
        )
    # What a person edited goes before what we wrote.
    best = min(timed, key=lambda candidate: candidate.ours)
    return track, best.lyrics


def _check_score(song: Path, track: Track, found: Lyrics, settings: Config) -> None:
    """Check that the words were placed on this very file, well enough."""
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
    """Look up the service's score of the file as it is; ``None`` where it placed no words on it."""
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


def _check_agrees(track: Track, found: Lyrics, placed: Lyrics) -> None:
    """Check that the times of the lyrics are those of this file."""
    pairs = zip(found.words, placed.words, strict=True)
    apart = [abs((one.start or 0.0) - (two.start or 0.0)) > _APART_S for one, two in pairs]
    if sum(apart) > _MOST_APART * len(apart):
        raise Refused(
            f"{track.name} is not published: {sum(apart)} of its {len(apart)} words are not where"
            " they are sung in this file"
        )


def _check_reviewed(track: Track, reviewed: bool, dry_run: bool) -> None:
    if reviewed or dry_run:
        return
    if person_there() and click.confirm(
        f"{track.name}: have you listened to it, and are the words and times right?", err=True
    ):
        return
    raise UsageError(
        f"{track.name} is not published: it has not been reviewed",
        remedy="Listen to it with its words, then say --reviewed",
    )
