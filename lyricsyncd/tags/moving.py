"""Songs that were moved or deleted take their sidecars along: ours, never anybody else's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lyricsyncd.tags import atomic
from lyricsyncd.tags.journal import SIDECAR, Journal, digest, located
from lyricsyncd.tags.report import Note, WriteReport

if TYPE_CHECKING:
    from pathlib import Path

    from lyricsyncd.tags.journal import Entry

_RECENT = 1000


def carry_sidecars(old: Path, new: Path, journal: Journal) -> WriteReport:
    """After a song was moved from ``old`` to ``new``: move its sidecars to where it is now.

    A sidecar that somebody edited, or whose new name is taken, stays where it is.

    Raises
    ------
    WriteError
        A sidecar could not be moved; it is where it was.
    """
    written: list[Path] = []
    kept: list[Note] = []
    moved: list[tuple[Path, Path]] = []
    if not os.path.lexists(old) and os.path.lexists(new):
        moved.append((old, new))
        for path in _ours(old, journal):
            target = new.parent / (new.stem + path.name[len(old.stem) :])
            if not path.name.startswith(f"{old.stem}."):
                continue
            if os.path.lexists(target):
                kept.append(Note(path, f"{target.name} is there already"))
                continue
            try:
                found = atomic.look(path)
                if found is None or found.data is None:
                    continue
                atomic.replace(target, found.data, song=new, found=None)
                atomic.remove(path, found=found)
            except atomic.Changed:
                kept.append(Note(path, "another program is changing it"))
                continue
            moved.append((path, target))
            written.append(target)
        journal.moved(old, new, moved)
    return WriteReport(written=tuple(written), kept=tuple(kept))


def clean_sidecars(song: Path, journal: Journal, *, dry_run: bool = False) -> WriteReport:
    """After a song was deleted: delete its sidecars, except those a person chose or edited.

    Nothing is done while the song, or no folder of its, is there: a disk may be unplugged.

    Raises
    ------
    WriteError
        A sidecar could not be deleted.
    """
    removed: list[Path] = []
    if song.parent.is_dir() and not os.path.lexists(song):
        for path, entry in _ours(song, journal).items():
            found = atomic.look(path)
            if entry.by_hand or found is None:
                continue
            if not dry_run:
                try:
                    with journal.recording(
                        SIDECAR, song=song, path=path, before=found.data, after_hash=None
                    ):
                        atomic.remove(path, found=found)
                except atomic.Changed:
                    continue
            removed.append(path)
    return WriteReport(removed=tuple(removed))


def clear_after_crash(journal: Journal) -> None:
    """Delete the temporary files that a crash left where we wrote last. Never fails for a folder
    that is gone or locked; the next write there clears it."""
    for folder in journal.folders(_RECENT):
        try:
            atomic.clear_abandoned(folder)
        except OSError:
            continue


def _ours(song: Path, journal: Journal) -> dict[Path, Entry]:
    """The sidecars of a song that are as we wrote them."""
    found: dict[Path, Entry] = {}
    for entry in journal.entries([song]):
        if entry.kind != SIDECAR or entry.song != located(song):
            continue
        there = atomic.look(entry.path) if entry.path.parent.is_dir() else None
        if there is None or there.data is None:
            continue
        author = journal.author(entry.path, SIDECAR, digest(there.data))
        if author is not None and author.song == entry.song:
            found[entry.path] = author
    return found
