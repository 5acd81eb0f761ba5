"""Undo our writes: restore what was there before them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lyricsyncd.errors import JournalError, WriteError
from lyricsyncd.tags import atomic, songfile
from lyricsyncd.tags.container import from_journal
from lyricsyncd.tags.embedding import edit, write_slots
from lyricsyncd.tags.journal import SIDECAR, digest
from lyricsyncd.tags.kinds import opened
from lyricsyncd.tags.raw import Untouchable
from lyricsyncd.tags.report import Note, UndoReport
from lyricsyncd.tags.sidecar import Request
from lyricsyncd.tags.values import encoded

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from lyricsyncd.tags.container import Opened
    from lyricsyncd.tags.journal import Journal
    from lyricsyncd.tags.journal_file import Entry


def undo(
    journal: Journal,
    songs: Iterable[Path] | None = None,
    *,
    since: float | None = None,
    dry_run: bool = False,
) -> UndoReport:
    """Undo what we wrote, unless it was changed since.

    Parameters
    ----------
    journal
        Holds what was there before.
    songs
        Songs, sidecars or folders; by default everything.
    since
        Seconds since 1970: earlier writes stay.
    dry_run
        Only report what would be done.

    Raises
    ------
    JournalError
        It cannot be used; what was undone until then stays undone.
    """
    tally = _Tally()
    places: dict[Path, dict[str, list[Entry]]] = {}
    for entry in journal.entries(songs, since):
        places.setdefault(entry.path, {}).setdefault(entry.kind, []).append(entry)
    for path, kinds in places.items():
        try:
            _undo_file(path, kinds, journal, dry_run, tally)
        except JournalError:
            raise
        except WriteError as error:
            # One file that cannot be written does not cost the others.
            tally.failed.append(Note(path, str(error)))
    return UndoReport(
        removed=tuple(tally.removed),
        cleared=tuple(tally.cleared),
        restored=tuple(tally.restored),
        kept=tuple(tally.kept),
        failed=tuple(tally.failed),
        songs=tuple(dict.fromkeys(tally.songs)),
    )


@dataclass
class _Tally:
    """The report while it is made."""

    removed: list[Path] = field(default_factory=list)
    cleared: list[Path] = field(default_factory=list)
    restored: list[Path] = field(default_factory=list)
    kept: list[Note] = field(default_factory=list)
    failed: list[Note] = field(default_factory=list)
    songs: list[Path] = field(default_factory=list)


def _undo_file(
    path: Path, kinds: dict[str, list[Entry]], journal: Journal, dry_run: bool, tally: _Tally
) -> None:
    """Restore one file: a sidecar, or the tags of a song."""
    sidecar = kinds.pop(SIDECAR, None)
    if kinds:
        slots = {kind.removeprefix("tag:"): entries for kind, entries in kinds.items()}
        _undo_tags(path, slots, journal, dry_run, tally)
    if sidecar is not None:
        _undo_sidecar(path, sidecar, journal, dry_run, tally)


def _undo_sidecar(
    path: Path, entries: Sequence[Entry], journal: Journal, dry_run: bool, tally: _Tally
) -> None:
    """Restore one sidecar."""
    step = _step(path, entries)
    if isinstance(step, Note):
        tally.kept.append(step)
        return
    found, first = step
    if first is not None:
        if not dry_run and not _restore(path, found, first):
            tally.kept.append(Note(path, "another program is changing it"))
            return
        (tally.removed if first.before is None else tally.restored).append(path)
    tally.songs.append(entries[-1].song)
    if not dry_run:
        journal.close_entries(entries)


def _undo_tags(
    song: Path,
    slots: dict[str, list[Entry]],
    journal: Journal,
    dry_run: bool,
    tally: _Tally,
) -> None:
    """Restore the tags of one song in one write."""
    if not song.exists():
        tally.kept.append(Note(song, "the song is not there any more"))
        return
    why = songfile.why_locked(song)
    with atomic.write_errors(song):
        state = song.lstat()
    try:
        found = opened(song)
    except Untouchable as error:
        found, why = None, why or str(error)
    if found is None:
        tally.kept.append(Note(song, why or "its tags cannot be read any more"))
        return
    held = found.read()
    firsts: dict[str, Entry] = {}
    for slot, entries in list(slots.items()):
        now = digest(encoded(held.get(slot)))
        first = first_of_chain(entries, now)
        if first is None:
            if now != entries[0].before_hash and now is not None:
                tally.kept.append(Note(song, f"the tag {slot} was changed since"))
                del slots[slot]
        elif first.before_hash != now:
            firsts[slot] = first
    if firsts:
        why = why or _undo_slots(found, firsts, state, Request(song, journal, dry_run=dry_run))
        if why:
            tally.kept.append(Note(song, why))
            return
        cleared = all(first.before_hash is None for first in firsts.values())
        (tally.cleared if cleared else tally.restored).append(song)
    if slots:
        tally.songs.append(song)
    if not dry_run:
        journal.close_entries(entry for entries in slots.values() for entry in entries)


def _undo_slots(
    found: Opened, firsts: Mapping[str, Entry], state: os.stat_result, request: Request
) -> str:
    """Restore slots to their state before our first write; return why not, or nothing if done."""
    changes = {slot: from_journal(first.before) for slot, first in firsts.items()}
    try:
        if request.dry_run:
            edit(found, changes, request.song)
        else:
            write_slots(found, changes, state, request, journal=False)
    except atomic.Changed:
        return "another program is changing it"
    except Untouchable as error:
        with atomic.write_errors(request.song):
            changed = atomic.is_changed(request.song, state)
        return "another program is changing it" if changed else str(error)
    return ""


def _step(
    path: Path, entries: Sequence[Entry]
) -> Note | tuple[atomic.FileState | None, Entry | None]:
    """Return what is there, and the entry with what was there before (``None``: nothing to do)."""
    found = atomic.read_state(path) if path.parent.is_dir() else None
    if found is not None and found.data is None:
        return Note(path, "it is not a plain file any more")
    now = digest(found.data) if found is not None else None
    first = first_of_chain(entries, now)
    if first is None:
        if now == entries[0].before_hash or found is None:
            # As it was before us, or deleted by a person who wanted neither.
            return found, None
        return Note(path, "it was changed since")
    if first.before_hash == now:
        return found, None
    if found is None and not first.song.exists():
        return Note(path, f"its song {first.song.name} is not there any more")
    return found, first


def first_of_chain(entries: Sequence[Entry], now: str | None) -> Entry | None:
    """Return the first of the chain of our writes that led to what is there now.

    Parameters
    ----------
    entries
        Our writes to one place, oldest first.
    now
        Hash of what is there.
    """
    first = None
    # Entries in between that lead elsewhere are those of a crash: their writes never happened.
    for entry in reversed(entries):
        if entry.after_hash == now:
            first, now = entry, entry.before_hash
    return first


def _restore(path: Path, found: atomic.FileState | None, first: Entry) -> bool:
    """Restore a file; false if another program changed it meanwhile."""
    try:
        if first.before is not None:
            atomic.replace(path, first.before, song=first.song, found=found)
        elif found is not None:
            atomic.remove(path, found=found)
    except atomic.Changed:
        return False
    return True
