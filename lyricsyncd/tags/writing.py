"""``write_lyrics``: everything that is written for one song."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lyricsyncd.errors import WriteError
from lyricsyncd.tags import mark
from lyricsyncd.tags.report import Note, WriteReport
from lyricsyncd.tags.sidecar import Outcome, Request, remove_sidecar, write_sidecar
from lyricsyncd.tags.targets import hiders, plan

if TYPE_CHECKING:
    from pathlib import Path

    from lyricsyncd.config import Output, OutputFile
    from lyricsyncd.model import Lyrics
    from lyricsyncd.tags.journal import Journal
    from lyricsyncd.tags.targets import Sidecar


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

    Only what we wrote, and nobody changed since, is replaced. Lyrics without words write nothing.

    Parameters
    ----------
    song
        The song as the library has it; where it is a link, sidecars go beside the link.
    lyrics
        As they are to be written: with word times, line times or none.
    output
        A preset, or a list of files and tags.
    journal
        Remembers what was there before.
    by_hand
        A person chose these very lyrics: only a person's choice replaces them later.
    force
        Replace what a person made, too. The journal keeps it, and `undo` brings it back.
    dry_run
        Only tell what would be done.

    Raises
    ------
    WriteError
        Something could not be written; what was there before is intact. Files that were written
        before it, in the order of the output, stay.
    ConfigError
        The output has two files of one name.
    """
    request = Request(song, journal, by_hand=by_hand, force=force, dry_run=dry_run)
    if not song.is_file():
        raise WriteError(f"{song} is not there", remedy="Scan the library again")
    planned = plan(song, lyrics, output)
    written: list[Path] = []
    kept: list[Note] = []
    unchanged: list[Path] = []
    for sidecar in planned.sidecars:
        if _name_is_too_long(sidecar.path):
            why = "the name is too long for its file system, so it was not written"
            kept.append(Note(sidecar.path, why))
            continue
        outcome, why = write_sidecar(sidecar.path, _content(lyrics, sidecar, by_hand), request)
        if outcome is Outcome.WRITTEN:
            written.append(sidecar.path)
        elif outcome is Outcome.UNCHANGED:
            unchanged.append(sidecar.path)
        else:
            kept.append(Note(sidecar.path, why))
    kept += [
        Note(song, f"its lyrics have no times, which {name} needs") for name in planned.timeless
    ]
    removed = [
        path
        for path in planned.obsolete
        if not _name_is_too_long(path) and remove_sidecar(path, request) is Outcome.REMOVED
    ]
    return WriteReport(
        written=tuple(written),
        kept=tuple(kept),
        unchanged=tuple(unchanged),
        removed=tuple(removed),
        hidden=hiders(song, [*written, *unchanged], output, removed),
    )


def _content(lyrics: Lyrics, sidecar: Sidecar, by_hand: bool) -> bytes:
    from lyricsyncd import formats

    # Without our mark a lost journal cannot make a person's choice look like a work of ours.
    author = mark.unmarked if by_hand else mark.marked
    return mark.sealed(formats.write(author(lyrics), sidecar.format))


def _name_is_too_long(path: Path) -> bool:
    try:
        limit = os.pathconf(path.parent, "PC_NAME_MAX")
    except (OSError, ValueError):
        limit = 255
    return len(os.fsencode(path.name)) > limit
