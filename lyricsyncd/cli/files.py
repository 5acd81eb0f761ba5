"""``apply``, ``convert`` and ``undo``: lyrics that are files already. No model runs here."""

from __future__ import annotations

import datetime
import json
import math
import os
import re
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lyricsyncd.cli import target
from lyricsyncd.cli.console import note, say
from lyricsyncd.cli.songs import absolute, ambiguous, find_song, open_catalog, unknown
from lyricsyncd.errors import FormatError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lyricsyncd.catalog.catalog import Catalog
    from lyricsyncd.config.schema import Output, OutputFile
    from lyricsyncd.model import Lyrics
    from lyricsyncd.tags import Journal, Note

_HELP = {"help_option_names": ["-h", "--help"]}
_PATH = click.Path(path_type=Path)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_dry_run = click.option("--dry-run", is_flag=True, help="Tell what would be done, and do nothing.")


@click.command(context_settings=_HELP)
@click.argument("lyrics", metavar="LYRICS", type=_PATH)
@click.argument("song", metavar="SONG", type=_PATH)
@click.option(
    "--preset",
    metavar="P",
    help="What the player reads: navidrome, navidrome_web, jellyfin, plex, kodi, generic or embed; "
    "by default what the configuration says.",
)
@click.option("--force", is_flag=True, help="Replace lyrics that are not ours; undo restores them.")
@click.option("--config", type=_PATH, help="Configuration file.")
@_json
@_dry_run
def apply(
    lyrics: Path,
    song: Path,
    preset: str | None,
    force: bool,
    config: Path | None,
    as_json: bool,
    dry_run: bool,
) -> None:
    """Write the lyrics in the file LYRICS beside (or into) SONG, in the formats its player reads.

    They count as your choice: the service does not replace them.
    """
    from lyricsyncd.tags import Journal, write_sandboxed

    if not song.is_file():
        raise UsageError(f"the song {song} is not there", remedy="Check the path")
    found = _read(lyrics, None)
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
        _print_json(
            {
                "song": str(song),
                "dry_run": dry_run,
                "written": _texts(report.written),
                "unchanged": _texts(report.unchanged),
                "removed": _texts(report.removed),
                "kept": _notes(report.kept),
                "hidden": _notes(report.hidden),
            }
        )
    else:
        _tell("would write" if dry_run else "wrote", report.written)
        _tell("unchanged", report.unchanged)
        _tell("would remove" if dry_run else "removed", report.removed)
    for one in report.notes:
        note(f"{one.path.name}: {one.why}")
    if not (report.written or report.unchanged) and report.kept:
        # Nothing of what was asked for was done, and scripts must see it.
        click.get_current_context().exit(1)


@click.command(context_settings=_HELP)
@click.argument("source", metavar="IN", type=_PATH)
@click.argument("out", metavar="[OUT|-]", required=False, type=_PATH)
@click.option("--from", "from_", metavar="F", help="Format of IN; by default told by its look.")
@click.option("--to", metavar="F", help="Format of OUT; by default told by its suffix, else lrc.")
@click.option(
    "--offset",
    metavar="S",
    type=float,
    default=0.0,
    help="Seconds to add to every time; words that would begin before the song begin with it.",
)
@_dry_run
def convert(
    source: Path, out: Path | None, from_: str | None, to: str | None, offset: float, dry_run: bool
) -> None:
    """Convert the lyrics in IN (- for standard input) to another format.

    Without OUT, or with -, they go to standard output.
    """
    from lyricsyncd import formats
    from lyricsyncd.tags.mark import unmarked

    for name in (from_, to):
        if name is not None:
            formats.get(name)
    if not math.isfinite(offset):
        raise click.UsageError(f"--offset: expected seconds, not '{offset}'.")
    to_stdout = out is None or out == Path("-")
    if out is not None and not to_stdout:
        target.check(out, "output")
        to = to or formats.for_suffix(out.suffix)
        if to is None:
            raise UsageError(
                f"the suffix of {out} tells no format", remedy="Name the format with --to"
            )
    lyrics = _shifted(unmarked(_read(source, from_)), offset)
    content = formats.write(lyrics, to or "lrc").encode(errors="replace")
    if dry_run:
        what = f"would write {len(lyrics.words)} words"
        click.echo(what if to_stdout else f"{what} to {out}", err=to_stdout)
    elif out is None or to_stdout:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        target.write(out, content)


@click.command(context_settings=_HELP)
@click.argument("songs", nargs=-1, metavar="[SONG...]")
@click.option(
    "--since", metavar="WHEN", help="What was written since: 2h, 3d, or 2026-05-31T20:15."
)
@click.option("--all", "everything", is_flag=True, help="Everything that was ever written.")
@_json
@_dry_run
def undo(
    songs: tuple[str, ...], since: str | None, everything: bool, as_json: bool, dry_run: bool
) -> None:
    """Give back what was there before us, for SONG (or a folder of songs), since WHEN, or --all.

    SONG is a path, a number of the list, or a part of its name. Only files that still are as we
    wrote them are touched, and the service leaves their songs alone until `retry`.

    Exit status 1 tells that nothing could be taken back, or a file could not be written.
    """
    from lyricsyncd.library.undoing import take_back
    from lyricsyncd.tags import Journal

    if not (songs or since or everything):
        raise click.UsageError("Name songs, or say --since or --all.")
    if everything and (songs or since):
        raise click.UsageError("--all goes with neither songs nor --since.")
    moment = None if since is None else _moment(since)
    journal = Journal()
    with _known_catalog() as catalog:
        chosen = [path for song in songs for path in _with_lyrics(song, journal, catalog)]
        report = take_back(journal, catalog, chosen or None, since=moment, dry_run=dry_run)
    if as_json:
        _print_json(
            {
                "dry_run": dry_run,
                "removed": _texts(report.removed),
                "cleared": _texts(report.cleared),
                "restored": _texts(report.restored),
                "kept": _notes(report.kept),
                "failed": _notes(report.failed),
            }
        )
    else:
        _tell("would remove" if dry_run else "removed", report.removed)
        taking = "would take" if dry_run else "took"
        _tell(f"{taking} our lyrics out of", report.cleared)
        _tell("would restore" if dry_run else "restored", report.restored)
    done = report.removed or report.cleared or report.restored
    if not (done or report.kept or report.failed):
        note("There is nothing of ours to take back.")
    for one in report.kept:
        note(f"kept {one.path}: {one.why}")
    for one in report.failed:
        note(one.why)
    if report.failed or (report.kept and not done):
        click.get_current_context().exit(1)


@contextmanager
def _known_catalog() -> Iterator[Catalog | None]:
    """Open the catalog, if a service has ever made one."""
    from lyricsyncd.catalog.catalog import FILE_NAME
    from lyricsyncd.config.paths import kept_by_root, state_dir

    if not kept_by_root() and not (state_dir() / FILE_NAME).is_file():
        yield None
        return
    with open_catalog() as catalog:
        yield catalog


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


def _read(path: Path, name: str | None) -> Lyrics:
    """The lyrics in a file; its format by its suffix where that is told, else by its look."""
    from lyricsyncd import formats
    from lyricsyncd.formats.text import MAX_BYTES

    try:
        with sys.stdin.buffer if path == Path("-") else path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"the lyrics file {path} cannot be read: {(error.strerror or str(error)).lower()}",
            remedy="Check the path and its permissions",
        ) from error
    looks = name or formats.guess(data)
    if name is None and looks in (None, "txt") and path.suffix.lower() != ".txt":
        # A file that looks like nothing known is what its suffix says it is, and may be broken.
        looks = formats.for_suffix(path.suffix) or looks
    try:
        return formats.read(data, looks or "txt")
    except FormatError as error:
        raise FormatError(f"{path}: {error.message}", remedy=error.remedy) from error


def _output(preset: str | None, config: Path | None) -> Output | tuple[OutputFile, ...]:
    from lyricsyncd.config.schema import Output, load
    from lyricsyncd.registry import presets

    if preset is None:
        return load(config).output
    presets.check(preset)
    return Output.model_validate({"preset": preset})


def _shifted(lyrics: Lyrics, offset: float) -> Lyrics:
    """The lyrics, every time moved; none falls before the song."""
    import dataclasses

    def moved(time: float | None) -> float | None:
        return None if time is None else max(0.0, time + offset)

    return lyrics.with_lines(
        dataclasses.replace(
            line,
            start=moved(line.start),
            end=moved(line.end),
            words=tuple(
                dataclasses.replace(word, start=moved(word.start), end=moved(word.end))
                for word in line.words
            ),
        )
        for line in lyrics
    )


def _moment(text: str) -> float:
    """Seconds since 1970 of ``2h`` (ago) or of an ISO date, local time unless it says otherwise."""
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


def _tell(what: str, paths: Iterable[Path]) -> None:
    for path in paths:
        say(f"{what} {path}")


def _texts(paths: Iterable[Path]) -> list[str]:
    return [str(path) for path in paths]


def _notes(notes: Iterable[Note]) -> list[dict[str, str]]:
    return [{"path": str(one.path), "why": one.why} for one in notes]


def _print_json(value: dict[str, Any]) -> None:
    # ASCII, so that names that are not UTF-8 survive as the escapes Python reads back.
    click.echo(json.dumps(value, indent=2))
