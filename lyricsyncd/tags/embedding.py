"""Write lyrics into the slots of a song's tags that are ours to change."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lyricsyncd.errors import FormatError, WriteError
from lyricsyncd.tags import atomic, songfile, stamp
from lyricsyncd.tags.container import Saved, journalled
from lyricsyncd.tags.journal import digest
from lyricsyncd.tags.kinds import opened
from lyricsyncd.tags.raw import Untouchable
from lyricsyncd.tags.sidecar import Outcome
from lyricsyncd.tags.splice import is_spliced
from lyricsyncd.tags.values import encoded

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    from lyricsyncd.model import Lyrics
    from lyricsyncd.tags.container import Opened
    from lyricsyncd.tags.presets import Tag
    from lyricsyncd.tags.sidecar import Request
    from lyricsyncd.tags.splice import Splice
    from lyricsyncd.tags.values import Value

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Embedded:
    """The result of writing tags."""

    outcome: Outcome
    notes: tuple[str, ...] = ()
    """For a person: slots that were left as they are, or why nothing could be written."""
    locked: bool = False
    """The file must not be replaced at all: the lyrics have to be written elsewhere."""


def embed(lyrics: Lyrics, tag: Tag, request: Request) -> Embedded:
    """Write lyrics into the tags of the request's song, as far as the slots are ours to change.

    Raises
    ------
    WriteError
        The song could not be written; it is unchanged.
    """
    song = request.song
    why = songfile.why_locked(song)
    if why:
        return Embedded(Outcome.KEPT, (f"{why}, so its tags are left alone",), locked=True)
    for _ in range(_ATTEMPTS):
        # The song may be moved or deleted at any time.
        with atomic.write_errors(song):
            state = song.lstat()
            try:
                return _embed(lyrics, tag, request, state)
            except Untouchable as error:
                if not atomic.is_changed(song, state):
                    why = f"{error}, so its tags are left alone"
                    return Embedded(Outcome.KEPT, (why,), locked=True)
            except atomic.Changed:
                pass
    raise WriteError(
        f"{song} keeps being changed by another program",
        remedy="Close it there and try again",
        transient=True,
    )


def _embed(lyrics: Lyrics, tag: Tag, request: Request, state: os.stat_result) -> Embedded:
    found = opened(request.song)
    if found is None:
        why = "we put no lyrics into the tags of this kind of file"
        return Embedded(Outcome.KEPT, (why,), locked=True)
    try:
        content = found.container.content(lyrics, tag, by_hand=request.by_hand)
    except FormatError as error:
        return Embedded(Outcome.KEPT, (f"not written into the tags, {error}",))
    values, notes = _changes(found, content, request)
    if not values:
        return Embedded(Outcome.KEPT if notes else Outcome.UNCHANGED, notes)
    changes = {slot: Saved(value) for slot, value in values.items()}
    if request.dry_run:
        edit(found, changes, request.song)
    else:
        write_slots(found, changes, state, request)
    return Embedded(Outcome.WRITTEN, notes)


def is_ours(slot_value: Value) -> bool:
    """Return whether a slot holds lyrics of ours, unedited."""
    if isinstance(slot_value, list) and len(slot_value) == 1:
        only = slot_value[0]
        text = only if isinstance(only, str) else only.get("text")
        if isinstance(text, str):
            return stamp.verify(text.encode("utf-8", "replace"))
    data = encoded(slot_value)
    return data is not None and stamp.verify(data)


def write_slots(
    found: Opened,
    changes: Mapping[str, Saved],
    state: os.stat_result,
    request: Request,
    *,
    journal: bool = True,
) -> None:
    """Write slots of a song, journalling each.

    Raises
    ------
    Untouchable, WriteError, Changed
        As for `songfile.rewrite`.
    """
    song = request.song
    before = {slot: found.save(slot) for slot in changes}
    splices = edit(found, changes, song)

    def check(copy: Path) -> None:
        _check(copy, changes, before, song)

    with ExitStack() as stack:
        # Before the copy is made, which a crash would leave in one of the journal's folders.
        for slot, saved in changes.items() if journal else ():
            recording = request.journal.recording(
                f"tag:{slot}",
                song=song,
                path=song,
                before=journalled(before[slot]),
                before_hash=digest(encoded(before[slot].value)),
                after_hash=digest(encoded(saved.value)),
                by_hand=request.by_hand,
            )
            stack.enter_context(recording)
        songfile.rewrite(song, splices, check, state=state)


def edit(found: Opened, changes: Mapping[str, Saved], song: Path) -> list[Splice]:
    """Return what to change in a song's file; see `Opened.edit` and `songfile.rewrite`."""
    with atomic.write_errors(song):
        return found.edit(changes)


def _check(
    copy: Path, wanted: Mapping[str, Saved], before: Mapping[str, Saved], song: Path
) -> None:
    """Check that a copy holds what was to be written, and that nothing else of it has changed.

    It is read again, and what was there before is restored in memory: that has to result in the
    song, byte for byte. So every other frame, comment and atom is where and as it was, and `undo`
    can restore the song.

    Raises
    ------
    Untouchable
        The copy fails the check.
    """
    again = opened(copy, song.name)
    held = {} if again is None else again.read()
    for slot, saved in wanted.items():
        if held.get(slot) != saved.value:
            raise Untouchable(f"its tag {slot} would not have held what was to be written")
    if again is None or not is_spliced(copy, again.edit(before), song):
        raise Untouchable("something else of it would have changed")


def _changes(
    found: Opened, content: Mapping[str, Value], request: Request
) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Return the new values of slots, and notes on slots that are left as they are. Slots of ours
    that no longer apply are emptied."""
    held = found.read()
    changes: dict[str, Value] = {}
    notes: list[str] = []
    for slot in found.container.slots:
        value, now = content.get(slot), held.get(slot)
        if _stripped(value) == _stripped(now) or (value is None and _is_blank(now)):
            continue
        why = "" if now is None else _why_kept(slot, now, request)
        if why and (value is None or not request.force):
            if value is not None:
                notes.append(f"the tag {slot} is left as it is: {why}")
            continue
        changes[slot] = value
    return changes, tuple(notes)


def _stripped(value: Value) -> bytes | None:
    data = encoded(value)
    return None if data is None else stamp.stripped(data)


def _is_blank(value: Value) -> bool:
    """Return whether a slot is there and blank, as beets and others leave it: it can be filled."""
    texts = [each if isinstance(each, str) else each.get("text") for each in value or ()]
    return all(not text.strip() if isinstance(text, str) else not text for text in texts)


def _why_kept(slot: str, value: Value, request: Request) -> str:
    if _is_blank(value):
        return ""
    author = request.journal.author(request.song, f"tag:{slot}", digest(encoded(value)))
    if author is None:
        return "" if is_ours(value) else "it is not ours, or was edited since"
    if author.by_hand and not request.by_hand:
        return "a person chose these lyrics"
    return ""
