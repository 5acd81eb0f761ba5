"""Write all files and tags for one song."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from lyricsyncd.config.schema import Output
from lyricsyncd.errors import FormatError, WriteError
from lyricsyncd.processes import sandbox
from lyricsyncd.tags import stamp
from lyricsyncd.tags.embedding import embed
from lyricsyncd.tags.presets import has_room
from lyricsyncd.tags.report import Note, WriteReport
from lyricsyncd.tags.sidecar import Outcome, Request, remove_sidecar, write_sidecar
from lyricsyncd.tags.targets import TOO_LONG, hiders, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from lyricsyncd.config.schema import OutputFile
    from lyricsyncd.model import Lyrics
    from lyricsyncd.tags.journal import Journal
    from lyricsyncd.tags.presets import Sidecar, Tag


def write_lyrics(
    song: Path,
    lyrics: Lyrics,
    output: Output | tuple[OutputFile, ...],
    *,
    journal: Journal,
    by_hand: bool = False,
    force: bool = False,
    dry_run: bool = False,
) -> WriteReport:
    """Write lyrics beside or into a song, as the output says.

    Only what we wrote, and what was not changed since, is replaced. Nothing is written for lyrics
    without words.

    Parameters
    ----------
    song
        The song as the library has it; where it is a link, sidecars go beside the link.
    lyrics
        With the times that are to be written: of words, of lines, or none.
    output
        A preset, or a list of files and tags.
    journal
        Records what was there before.
    by_hand
        A person chose these very lyrics: only a person's choice replaces them later.
    force
        Replace what a person made, too. `undo` restores it from the journal.
    dry_run
        Only report what would be done.

    Raises
    ------
    WriteError
        Something could not be written; its old content is intact. Files that were written before
        it, in the order of the output, stay.
    ConfigError
        The output has two files of one name.
    """
    request = Request(song, journal, by_hand=by_hand, force=force, dry_run=dry_run)
    if not os.path.isfile(song):  # noqa: PTH113 - no error for a locked folder
        raise WriteError(f"{song} is not there", remedy="Scan the library again")
    planned = plan(song, lyrics, output)
    tally = Tally()
    sidecars = planned.sidecars
    if planned.tag is not None and not _write_tags(lyrics, planned.tag, request, tally):
        # The lyrics are written beside the song instead.
        sidecars = sidecars or plan(song, lyrics, Output()).sidecars
    _write_sidecars(sidecars, lyrics, request, tally)
    for path in planned.obsolete:
        if has_room(path) and remove_sidecar(path, request) is Outcome.REMOVED:
            tally.removed.append(path)
    shown = [*tally.written, *tally.unchanged]
    return WriteReport(
        written=tuple(tally.written),
        kept=tuple(tally.kept),
        unchanged=tuple(tally.unchanged),
        removed=tuple(tally.removed),
        hidden=hiders(song, shown, output, tally.removed),
    )


def write_sandboxed(
    song: Path,
    lyrics: Lyrics,
    output: Output | tuple[OutputFile, ...],
    *,
    journal: Journal,
    by_hand: bool = False,
    force: bool = False,
    dry_run: bool = False,
) -> WriteReport:
    """Call `write_lyrics`, in a child process where that has to parse the song's file.

    Raises
    ------
    AudioError
        The song's file cannot be parsed safely; it is unchanged.
    WriteError, ConfigError
        As `write_lyrics`.
    WorkerLost
        The process was killed; the song is unchanged, or written completely.
    """
    write: Callable[..., WriteReport] = write_lyrics
    if plan(song, lyrics, output).tag is not None:
        write = partial(sandbox.WRITER.run, write_lyrics)
    return write(
        song, lyrics, output, journal=journal, by_hand=by_hand, force=force, dry_run=dry_run
    )


@dataclass
class Tally:
    """The report while it is made."""

    written: list[Path] = field(default_factory=list)
    kept: list[Note] = field(default_factory=list)
    unchanged: list[Path] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)


def _write_tags(lyrics: Lyrics, tag: Tag, request: Request, tally: Tally) -> bool:
    """Write the tags; false where this song's tags must not be written at all."""
    embedded = embed(lyrics, tag, request)
    if embedded.outcome is Outcome.WRITTEN:
        tally.written.append(request.song)
    elif embedded.outcome is Outcome.UNCHANGED:
        tally.unchanged.append(request.song)
    tally.kept += [Note(request.song, why) for why in embedded.notes]
    return not embedded.locked


def _write_sidecars(
    sidecars: Iterable[Sidecar], lyrics: Lyrics, request: Request, tally: Tally
) -> None:
    for sidecar in sidecars:
        if not has_room(sidecar.path):
            tally.kept.append(Note(sidecar.path, f"{TOO_LONG}, so it was not written"))
            continue
        try:
            content = _content(lyrics, sidecar, request)
        except FormatError as error:
            tally.kept.append(Note(sidecar.path, f"not written, {error}"))
            continue
        outcome, why = write_sidecar(sidecar.path, content, request)
        if outcome is Outcome.WRITTEN:
            tally.written.append(sidecar.path)
        elif outcome is Outcome.UNCHANGED:
            tally.unchanged.append(sidecar.path)
        else:
            tally.kept.append(Note(sidecar.path, why))


def _named(lyrics: Lyrics, song: Path) -> Lyrics:
    """Return lyrics with the artist and title of the song's file name, where they have none."""
    artist, found, title = song.stem.partition(" - ")
    names = {"artist": artist, "title": title} if found else {"title": song.stem}
    return dataclasses.replace(lyrics, metadata={**names, **lyrics.metadata})


def _content(lyrics: Lyrics, sidecar: Sidecar, request: Request) -> bytes:
    from lyricsyncd import formats
    from lyricsyncd.text.romanisation import with_romanisations

    # Without our stamp, a person's choice does not look like ours if the journal is lost.
    author = stamp.unstamped if request.by_hand else stamp.stamped
    options: dict[str, Any] = {} if sidecar.decimals is None else {"decimals": sidecar.decimals}
    if sidecar.translations:
        options["translations"] = True
    if sidecar.syllables:
        options["syllables"] = True
    if sidecar.notes:
        options["notes"] = True
    if sidecar.romanise:
        lyrics = with_romanisations(lyrics)
    if sidecar.format == "ultrastar":
        # Games refuse a song that does not name its audio, nor itself.
        lyrics = _named(lyrics, request.song)
        options["headers"] = (("MP3", request.song.name),)
    return stamp.signed(formats.write(author(lyrics), sidecar.format, **options))
