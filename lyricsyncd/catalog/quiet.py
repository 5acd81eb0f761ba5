"""Queue songs quietly: behind all others, and with their results kept until another one may take
their place. Functions that run inside a transaction of the catalog."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from lyricsyncd.catalog.leases import ENDED, update_held
from lyricsyncd.catalog.records import QUIETLY, REQUESTED, Priority
from lyricsyncd.catalog.rows import marks

_AS_IT_WAS = (
    "state = CASE decision WHEN 'words' THEN 'done' WHEN 'mixed' THEN 'mixed'"
    " WHEN 'lines' THEN 'lines' ELSE 'review' END, priority = 0, why = 'scan', attempts = 0,"
    " crashes = 0, retries = 0, next_attempt_at = NULL, waits_for = NULL,"
    f" {ENDED}"
)


def queue(db: sqlite3.Connection, id: int, why: str, now: float) -> bool:
    """Queue a song that is done, behind all others, without touching its result.

    Parameters
    ----------
    why
        One of `records.QUIETLY`.
    """
    changed = db.execute(
        "UPDATE tracks SET state = 'pending', priority = ?, why = ?, enqueued_at = ?,"
        " next_attempt_at = ?, attempts = 0, crashes = 0, retries = 0, waits_for = NULL"
        " WHERE id = ? AND state IN ('done', 'mixed', 'lines', 'review')",
        (int(Priority.IMPROVE), why, now, now, id),
    )
    return changed.rowcount == 1


def keep(
    db: sqlite3.Connection, id: int, owner: str, placed_by: str | None, overrides: str | None
) -> bool:
    """End the lease of a song that was queued quietly: its result stays.

    Parameters
    ----------
    placed_by
        What could not place it better; ``None`` where that was not found out.
    overrides
        Settings with which it could not be placed well; ``None`` likewise.
    """
    changes = (
        f"{_AS_IT_WAS}, placed_by = COALESCE(?, placed_by), overrides = COALESCE(?, overrides)"
    )
    held = update_held(db, id, owner, changes, (placed_by, overrides))
    if held:
        # Something else wrote the file meanwhile.
        db.execute(
            "UPDATE tracks SET state = 'pending', priority = ?, why = 'new file',"
            " next_attempt_at = enqueued_at, size = seen_size, mtime_ns = seen_mtime_ns"
            " WHERE id = ? AND seen_size IS NOT NULL"
            " AND (seen_size != size OR seen_mtime_ns != mtime_ns)",
            (int(Priority.IMPORT), id),
        )
    return held


def keep_all(db: sqlite3.Connection, why: str) -> int:
    """Take songs out of the queue that were queued quietly; return how many they were."""
    return db.execute(
        f"UPDATE tracks SET {_AS_IT_WAS} WHERE state = 'pending' AND why = ?", (why,)
    ).rowcount


def skip_by_settings(db: sqlite3.Connection, reasons: Mapping[int, str], now: float) -> int:
    """Leave alone songs that wait or are in work, unless a person named them; return how many.

    One that has a result stays as it is.
    """
    unless = "AND state IN ('pending', 'working', 'no_lyrics') AND why != ?"
    changed = 0
    for id, reason in reasons.items():
        changed += db.execute(
            f"UPDATE tracks SET {_AS_IT_WAS} WHERE id = ? {unless} AND why IN ({marks(QUIETLY)})",
            (id, REQUESTED, *QUIETLY),
        ).rowcount
        changed += db.execute(
            "UPDATE tracks SET state = 'ignored', reason = ?, error_class = NULL, error = NULL,"
            f" finished_at = ?, next_attempt_at = NULL, {ENDED}, waits_for = NULL"
            f" WHERE id = ? {unless}",
            (reason, now, id, REQUESTED),
        ).rowcount
    return changed
