"""Move and delete our sidecars with their songs; other sidecars are never touched."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lyricsyncd.config.paths import present
from lyricsyncd.tags import atomic
from lyricsyncd.tags.journal import SIDECAR, Journal, digest, located
from lyricsyncd.tags.presets import has_room
from lyricsyncd.tags.report import Note, WriteReport
from lyricsyncd.tags.targets import TOO_LONG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lyricsyncd.tags.journal_file import Entry

_RECENT = 1000


def carry_sidecars(old: Path, new: Path, journal: Journal) -> WriteReport:
    """Move the sidecars of a song that was moved from ``old`` to ``new``.

    A sidecar that was edited, or whose new name is taken, stays where it is. One that was moved
    together with the song is recorded in the journal with its new path.

    Raises
    ------
    WriteError
        A sidecar could not be moved; it stays where it was.
    """
    written: list[Path] = []
    kept: list[Note] = []
    if present(old) or not present(new):
        return WriteReport()
    moved = [(old, new), *_moved_along(old, new, journal)]
    for path in _ours(old, journal):
        target = _target(path, old, new)
        if not path.name.startswith(f"{old.stem}.") or target == path:
            continue
        if not has_room(target):
            kept.append(Note(path, f"{TOO_LONG}: {target.name}"))
            continue
        if os.path.lexists(target) and not _is_same(target, path):
            kept.append(Note(path, f"{target.name} is there already"))
            continue
        try:
            if not _move(path, target, new):
                continue
        except atomic.Changed:
            kept.append(Note(path, "another program is changing it"))
            continue
        moved.append((path, target))
        written.append(target)
    journal.moved(old, new, moved)
    return WriteReport(written=tuple(written), kept=tuple(kept))


def clean_sidecars(song: Path, journal: Journal, *, dry_run: bool = False) -> WriteReport:
    """Delete the sidecars of a deleted song, except those that a person chose or edited.

    Nothing is deleted while the song exists, or while its folder does not: a disk may be
    unplugged.

    Raises
    ------
    WriteError
        A sidecar could not be deleted.
    """
    removed: list[Path] = []
    if song.parent.is_dir() and not present(song):
        for path, entry in _ours(song, journal).items():
            found = atomic.read_state(path)
            if entry.by_hand or found is None:
                continue
            if not dry_run:
                try:
                    with journal.recording(
                        SIDECAR,
                        song=song,
                        path=path,
                        before=found.data,
                        before_hash=digest(found.data),
                        after_hash=None,
                    ):
                        atomic.remove(path, found=found)
                except atomic.Changed:
                    continue
            removed.append(path)
    return WriteReport(removed=tuple(removed))


def clear_after_crash(journal: Journal) -> None:
    """Delete the temporary files that a crash left where we wrote last.

    A folder that is gone or cannot be written to is skipped: the next write there clears it.
    """
    for folder in journal.folders(_RECENT):
        try:
            atomic.clear_abandoned(folder)
        except OSError:
            continue


def _target(path: Path, old: Path, new: Path) -> Path:
    """Return the new path of a sidecar whose song moved from ``old`` to ``new``."""
    name = path.name
    if name.startswith(f"{old.stem}."):
        name = new.stem + name[len(old.stem) :]
    return new.parent / name


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        # A dangling link, for example.
        return False


def _move(path: Path, target: Path, song: Path) -> bool:
    """Move a sidecar, never over another file; false if it is not there any more."""
    found = atomic.read_state(path)
    if found is None or found.data is None:
        return False
    if os.path.lexists(target):
        # One file by two forms of its name: its file system ignores case.
        path.rename(target)
        return True
    atomic.replace(target, found.data, song=song, found=None)
    atomic.remove(path, found=found)
    return True


def _moved_along(old: Path, new: Path, journal: Journal) -> Iterator[tuple[Path, Path]]:
    """List sidecars that were moved together with the song, as with the whole folder: their old and
    new paths."""
    for path in {entry.path for entry in journal.of_song(old) if entry.kind == SIDECAR}:
        target = _target(path, old, new)
        if target == path or present(path) or not has_room(target):
            continue
        there = atomic.read_state(target)
        if there is not None and there.data is not None:
            author = journal.author(path, SIDECAR, digest(there.data))
            if author is not None and author.song == located(old):
                yield path, target


def _ours(song: Path, journal: Journal) -> dict[Path, Entry]:
    """Find the sidecars of a song that are as we wrote them."""
    found: dict[Path, Entry] = {}
    for entry in journal.of_song(song):
        if entry.kind != SIDECAR:
            continue
        there = atomic.read_state(entry.path) if entry.path.parent.is_dir() else None
        if there is None or there.data is None:
            continue
        author = journal.author(entry.path, SIDECAR, digest(there.data))
        if author is not None and author.song == entry.song:
            found[entry.path] = author
    return found
