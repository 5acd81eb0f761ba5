"""``undo``: give back what was there before us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lyricsyncd.tags import atomic, songfile
from lyricsyncd.tags.container import decoded, encoded, opened
from lyricsyncd.tags.embedding import write_slots
from lyricsyncd.tags.journal import SIDECAR, digest
from lyricsyncd.tags.report import Note, UndoReport
from lyricsyncd.tags.sidecar import Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from lyricsyncd.tags.journal import Entry, Journal


def undo(
    journal: Journal,
    songs: Iterable[Path] | None = None,
    *,
    since: float | None = None,
    dry_run: bool = False,
) -> UndoReport:
    """Take back what we wrote, as far as nobody has changed it since.

    Parameters
    ----------
    journal
        Knows what was there.
    songs
        Songs, sidecars or folders; by default everything.
    since
        Seconds since 1970: what was written before stays.
    dry_run
        Only tell what would be done.

    Raises
    ------
    WriteError
        A file could not be written; what was taken back until then stays taken back.
    """
    removed: list[Path] = []
    restored: list[Path] = []
    kept: list[Note] = []
    for (path, kind), entries in _by_place(journal.entries(songs, since)).items():
        if kind != SIDECAR:
            _undo_tag(kind.removeprefix("tag:"), entries, journal, dry_run, removed, restored, kept)
            continue
        step = _step(path, entries)
        if isinstance(step, Note):
            kept.append(step)
            continue
        found, first = step
        if first is not None:
            if not dry_run and not _restore(path, found, first):
                kept.append(Note(path, "another program is changing it"))
                continue
            (removed if first.before is None else restored).append(path)
        if not dry_run:
            journal.close_entries(entries)
    return UndoReport(_once(removed), _once(restored), tuple(kept))


def _once(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Each path once: a song has several tags that hold lyrics."""
    return tuple(dict.fromkeys(paths))


def _by_place(entries: Iterable[Entry]) -> dict[tuple[Path, str], list[Entry]]:
    groups: dict[tuple[Path, str], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.path, entry.kind), []).append(entry)
    return groups


def _undo_tag(
    slot: str,
    entries: Sequence[Entry],
    journal: Journal,
    dry_run: bool,
    removed: list[Path],
    restored: list[Path],
    kept: list[Note],
) -> None:
    """Give one tag of a song back; what became of it goes into one of the lists."""
    song = entries[0].path
    if not song.exists():
        kept.append(Note(song, "the song is not there any more"))
        return
    why = songfile.why_locked(song)
    state = song.lstat()
    found = opened(song)
    now = None if found is None else digest(encoded(found.read().get(slot)))
    first = first_of_chain(entries, now)
    if first is None:
        if now != entries[0].before_hash and now is not None:
            kept.append(Note(song, f"somebody has changed the tag {slot} since"))
            return
    elif first.before_hash != now:
        if why or found is None:
            kept.append(Note(song, why or "its tags cannot be read any more"))
            return
        if not dry_run:
            request = Request(song, journal)
            changes = {slot: decoded(first.before)}
            try:
                write_slots(found, changes, state, request, journalled=False)
            except atomic.Changed:
                kept.append(Note(song, "another program is changing it"))
                return
        (removed if first.before is None else restored).append(song)
    if not dry_run:
        journal.close_entries(entries)


def _step(path: Path, entries: Sequence[Entry]) -> Note | tuple[atomic.Found | None, Entry | None]:
    """What is there, and the entry that knows what was there before (``None``: nothing to do)."""
    found = atomic.look(path) if path.parent.is_dir() else None
    if found is not None and found.data is None:
        return Note(path, "it is not a plain file any more")
    now = digest(found.data) if found is not None else None
    first = first_of_chain(entries, now)
    if first is None:
        if now == entries[0].before_hash or found is None:
            # As it was before us, or deleted by somebody who wanted neither.
            return found, None
        return Note(path, "somebody has changed it since")
    if first.before_hash == now:
        return found, None
    if found is None and not first.song.exists():
        return Note(path, f"its song {first.song.name} is not there any more")
    return found, first


def first_of_chain(entries: Sequence[Entry], now: str | None) -> Entry | None:
    """The first of our writes that led, one upon the other, to what is there now.

    Parameters
    ----------
    entries
        Our writes to one place, oldest first.
    now
        The hash of what is there.
    """
    first = None
    # Entries in between that lead elsewhere are those of a crash: what they tell never happened.
    for entry in reversed(entries):
        if entry.after_hash == now:
            first, now = entry, entry.before_hash
    return first


def _restore(path: Path, found: atomic.Found | None, first: Entry) -> bool:
    """Do it; false if somebody else changed the file meanwhile."""
    try:
        if first.before is not None:
            atomic.replace(path, first.before, song=first.song, found=found)
        elif found is not None:
            atomic.remove(path, found=found)
    except atomic.Changed:
        return False
    return True
