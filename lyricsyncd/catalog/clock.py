"""Correct the noted times after a jump of the clock, inside a transaction of the catalog."""

from __future__ import annotations

import sqlite3

LONGEST_WAIT_S = 40 * 86400.0
"""More than any wait that is noted: looking for words again takes 30 days."""
_NOTED = "MAX(enqueued_at, COALESCE(started_at, 0), COALESCE(finished_at, 0))"
"""When something of a song was noted last."""
_JUST_NOW_S = 10.0
"""Seconds within which a jump of the clock is noticed."""
_MOMENTS = ("enqueued_at", "started_at", "finished_at")


def went_back(db: sqlite3.Connection, seconds: float, undone: float, now: float) -> None:
    """See `Catalog.clock_went_back`."""
    rest = seconds - undone
    _shift_waits(db, -undone, now - _JUST_NOW_S, now)
    # What the wrong clock noted lies in the future now, and so do the waits from then on.
    db.execute(
        "UPDATE tracks SET next_attempt_at = next_attempt_at - ?,"
        f" leased_until = leased_until - ? WHERE {_NOTED} > ?",
        (rest, rest, now),
    )
    db.execute(
        "UPDATE tracks SET missing_since = missing_since - ? WHERE missing_since > ?", (rest, now)
    )
    for moment in _MOMENTS:
        db.execute(f"UPDATE tracks SET {moment} = {moment} - ? WHERE {moment} > ?", (seconds, now))
    end_impossible_waits(db, now)


def went_ahead(db: sqlite3.Connection, seconds: float, undone: float, now: float) -> None:
    """See `Catalog.clock_went_ahead`."""
    # What the clock noted since its jump needs no correction; the jump is a long one.
    before = now - seconds / 2
    _shift_waits(db, seconds, before, now)
    if undone:
        for moment in _MOMENTS:
            db.execute(
                f"UPDATE tracks SET {moment} = {moment} + ? WHERE {moment} < ?", (undone, before)
            )


def _shift_waits(db: sqlite3.Connection, seconds: float, since: float, until: float) -> None:
    """Have waits end later, or earlier, of songs of which nothing was noted between two moments, by
    a clock that has jumped already."""
    if seconds:
        db.execute(
            "UPDATE tracks SET next_attempt_at = next_attempt_at + ?,"
            " leased_until = leased_until + ?, missing_since = missing_since + ?"
            f" WHERE {_NOTED} NOT BETWEEN ? AND ?",
            (seconds, seconds, seconds, since, until),
        )


def end_impossible_waits(db: sqlite3.Connection, now: float) -> None:
    """End what would wait for longer than anything does: a clock that was wrong noted it."""
    end = now + LONGEST_WAIT_S
    db.execute("UPDATE tracks SET next_attempt_at = ? WHERE next_attempt_at > ?", (now, end))
    db.execute("UPDATE tracks SET leased_until = ? WHERE leased_until > ?", (now, end))
    db.execute("UPDATE tracks SET missing_since = ? WHERE missing_since > ?", (now, now))
