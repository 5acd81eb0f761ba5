"""Lease songs, and end leases, in functions that run inside a transaction of the catalog."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lyricsyncd.catalog.records import (
    BETTER,
    OTHER_SETTINGS,
    Entry,
    Fingerprint,
    Outcome,
    Priority,
    State,
)
from lyricsyncd.catalog.rows import get_entry, marks, setting
from lyricsyncd.errors import LyricsyncError

MAX_CRASHES = 3
"""A song on which the model worker died this often in a row is set aside."""
MAX_ATTEMPTS = 8
"""Leases in a row without any outcome (the whole service died) before a song is set aside: well
before systemd gives the service up (StartLimitBurst of the units). A song that was in work when the
service died is worked on alone from then on, so that no other is blamed for it."""
ENDED = "lease_owner = NULL, leased_until = NULL, stage = NULL, progress = NULL"
"""The columns of a song that is not leased."""


@dataclass(frozen=True, slots=True)
class Eligible:
    """The songs of which one may be leased; see the parameters of `Catalog.claim`."""

    at_least: Priority = Priority.BACKFILL
    only: Sequence[int] | None = None
    holding: Sequence[int] = ()
    look_ups: bool | None = None
    resting: Sequence[str] = ()

    def condition(self) -> tuple[str, tuple[object, ...]]:
        """Return a condition on the songs ``t``, and its values."""
        where = "t.priority >= ?"
        if self.only is not None:
            where += f" AND t.id IN ({_listed(self.only)})"
        if self.look_ups is not None:
            where += f" AND t.waits_for IS {'NOT' if self.look_ups else ''} NULL"
        if self.resting:
            where += f" AND (t.waits_for IS NULL OR t.waits_for NOT IN ({marks(self.resting)}))"
        where += f" AND t.id NOT IN ({_listed(self.holding)})"
        return where, (int(self.at_least), *self.resting)


def _listed(ids: Sequence[int]) -> str:
    # Not as values: there may be more than a query can take.
    return ",".join(str(int(id)) for id in ids)


def claim(
    db: sqlite3.Connection, owner: str, until: float, now: float, eligible: Eligible
) -> Entry | None:
    """Lease the song that comes next; see `Catalog.claim`."""
    if setting(db, "paused") == "1":
        return None
    expire(db, now, eligible.holding)
    where, values = eligible.condition()
    row = db.execute(
        f"""
        SELECT t.id, t.library, t.attempts
        FROM tracks t LEFT JOIN libraries l ON l.path = t.library
        WHERE t.state IN ('pending', 'no_lyrics') AND t.next_attempt_at <= ?
            AND t.missing_since IS NULL AND {where}
        ORDER BY t.priority DESC, COALESCE(l.served_at, 0), t.enqueued_at, t.id LIMIT 1
        """,
        (now, *values),
    ).fetchone()
    if row is None or must_wait(db, row["attempts"]):
        return None
    db.execute(
        """
        UPDATE tracks SET state = 'working', attempts = attempts + 1, lease_owner = ?,
            leased_until = ?, started_at = ?, stage = 'find', progress = 0,
            seen_size = NULL, seen_mtime_ns = NULL
        WHERE id = ?
        """,
        (owner, until, now, row["id"]),
    )
    db.execute(
        """
        INSERT INTO libraries (path, served_at) VALUES (?, ?)
        ON CONFLICT (path) DO UPDATE SET served_at = excluded.served_at
        """,
        (row["library"], now),
    )
    return get_entry(db, row["id"])


def expire(db: sqlite3.Connection, now: float, holding: Sequence[int]) -> None:
    """Take back leases whose owner has stopped beating."""
    expired = db.execute(
        f"UPDATE tracks SET state = 'pending', {ENDED}, next_attempt_at = ?"
        f" WHERE state = 'working' AND leased_until < ? AND id NOT IN ({_listed(holding)})",
        (now, now),
    )
    if expired.rowcount:
        set_aside(db, now)


def must_wait(db: sqlite3.Connection, attempts: int) -> bool:
    """Return whether a song has to wait for those in work, or they for it to be done alone.

    What was in work when the service died is a suspect. It works alone, so that the next death is
    blamed on no other song.
    """
    working = db.execute("SELECT COUNT(*), MAX(attempts) FROM tracks WHERE state = 'working'")
    count, most = working.fetchone()
    return bool(count) and (attempts > 0 or most > 1)


def set_aside(db: sqlite3.Connection, now: float) -> None:
    """Fail the songs that brought us down too often."""
    db.execute(
        """
        UPDATE tracks SET state = 'failed', finished_at = ?, next_attempt_at = NULL,
            reason = CASE WHEN crashes >= ?
                THEN 'the model worker was lost on this song ' || crashes || ' times'
                ELSE 'the service ended during this song ' || attempts || ' times' END
        WHERE state = 'pending' AND (crashes >= ? OR attempts >= ?)
        """,
        (now, MAX_CRASHES, MAX_CRASHES, MAX_ATTEMPTS),
    )


def release(
    db: sqlite3.Connection,
    id: int,
    owner: str,
    until: float | None = None,
    seen: Fingerprint | None = None,
) -> bool:
    """End a lease without an outcome; return whether it still held.

    Parameters
    ----------
    until : float, optional
        When the song may be tried next; by default when it might have been before.
    seen : Fingerprint, optional
        The song's file as it is now.
    """
    changes = (
        f"state = 'pending', attempts = attempts - 1, {ENDED},"
        " next_attempt_at = COALESCE(?, next_attempt_at)"
    )
    arguments: tuple[Any, ...] = (until,)
    if seen is not None:
        changes += ", size = ?, mtime_ns = ?, inode = ?"
        arguments += (seen.size, seen.mtime_ns, seen.inode)
    return update_held(db, id, owner, changes, arguments)


def crash(db: sqlite3.Connection, id: int, owner: str, error: LyricsyncError, now: float) -> State:
    """End a lease for a song on which the model worker died; return its state then."""
    entry = get_entry(db, id)
    if entry is None or entry.lease_owner != owner or entry.state is not State.WORKING:
        return State.PENDING if entry is None else entry.state
    db.execute(
        "UPDATE tracks SET crashes = crashes + 1, error_class = ?, error = ?,"
        f" enqueued_at = ?, next_attempt_at = ?, state = 'pending', {ENDED} WHERE id = ?",
        (type(error).__name__, str(error), now, now, id),
    )
    set_aside(db, now)
    return State(db.execute("SELECT state FROM tracks WHERE id = ?", (id,)).fetchone()[0])


def take_up(db: sqlite3.Connection, now: float) -> int:
    """Queue again all that is leased; return the number of songs."""
    count = db.execute(
        f"UPDATE tracks SET state = 'pending', {ENDED}, next_attempt_at = ?"
        " WHERE state = 'working'",
        (now,),
    ).rowcount
    set_aside(db, now)
    return count


def update_held(
    db: sqlite3.Connection, id: int, owner: str, changes: str, arguments: tuple[Any, ...]
) -> bool:
    """Change a song if its lease still holds; return whether it does."""
    changed = db.execute(
        f"UPDATE tracks SET {changes} WHERE id = ? AND lease_owner = ? AND state = 'working'",
        (*arguments, id, owner),
    )
    return changed.rowcount == 1


def finish(
    db: sqlite3.Connection,
    id: int,
    owner: str,
    outcome: Outcome,
    now_is: Fingerprint | None,
    now: float,
) -> bool:
    """End a lease with an outcome; return whether it still held."""
    entry = get_entry(db, id)
    if entry is None or entry.state is not State.WORKING or entry.lease_owner != owner:
        return False
    stamp = now_is or entry.fingerprint
    retries = entry.retries if entry.error_class == outcome.error_class else 0
    state, due, waits_for = outcome.state, None, outcome.waits_for
    if outcome.retry:
        due = now + outcome.retry[min(retries, len(outcome.retry) - 1)]
    size, mtime_ns = db.execute(
        "SELECT seen_size, seen_mtime_ns FROM tracks WHERE id = ?", (id,)
    ).fetchone()
    if size is not None and Fingerprint(size, mtime_ns) != stamp:
        # Something else wrote the file meanwhile: what we found may be of the old one.
        state, due, waits_for = State.PENDING, now, None
        stamp = Fingerprint(size, mtime_ns, entry.fingerprint.inode)
    values = {
        **{name: getattr(outcome, name) for name in _AS_OF_OUTCOME},
        "stages": json.dumps(dict(outcome.stages)),
        "written": json.dumps([str(path) for path in outcome.written]),
        "notes": json.dumps(list(outcome.notes)),
        "state": state.value,
        "next_attempt_at": due,
        "waits_for": waits_for,
        "retries": retries + 1 if outcome.retry else 0,
        "size": stamp.size,
        "mtime_ns": stamp.mtime_ns,
        "inode": stamp.inode,
        "finished_at": now,
    }
    db.execute(
        f"""
        UPDATE tracks SET {", ".join(f"{name} = :{name}" for name in values)},
            attempts = 0, crashes = 0, {ENDED},
            priority = CASE WHEN :state = 'pending' THEN MAX(priority, 0) ELSE 0 END,
            why = CASE WHEN why IN (:better, :other_settings) THEN 'new file' ELSE why END
        WHERE id = :id
        """,
        values | {"id": id, "better": BETTER, "other_settings": OTHER_SETTINGS},
    )
    return True


_AS_OF_OUTCOME = (
    "quality",
    "decision",
    "reason",
    "source",
    "language",
    "separator",
    "aligner",
    "lines",
    "words",
    "lines_with_words",
    "words_timed",
    "placed_by",
    "overrides",
    "error_class",
    "error",
)
"""Columns that have the values of an outcome as they are."""
