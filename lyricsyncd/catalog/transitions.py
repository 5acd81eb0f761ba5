"""Change the states of songs, in functions that run inside a transaction of the catalog."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lyricsyncd.catalog.queries import get_entry, moved_here, range_below, there
from lyricsyncd.catalog.records import (
    QUIETLY,
    REQUESTED,
    SKIPPED_BY_SETTINGS,
    Fingerprint,
    Outcome,
    Priority,
    Queued,
    Request,
    State,
    left_alone,
)

MAX_CRASHES = 3
"""A song on which the model worker died this often in a row is set aside."""
MAX_ATTEMPTS = 8
"""Leases in a row without any outcome (the whole service died) before a song is set aside: well
before systemd gives the service up (StartLimitBurst of the units). A song that was in work when the
service died is worked on alone from then on, so that no other is blamed for it."""


def enqueue_many(
    db: sqlite3.Connection, seen: Sequence[tuple[Request, Fingerprint]], now: float
) -> list[Queued]:
    """Queue songs in their order; what is plainly new goes in all at once."""
    # Not resolve(): a link in the library is a song of its own place.
    paths = [os.fsencode(os.path.abspath(request.path)) for request, _ in seen]  # noqa: PTH100
    known = there(db, "path", paths)
    inodes = there(db, "inode", [stamp.inode for _, stamp in seen])
    new: dict[int, tuple[object, ...]] = {}
    skipped = _skipped(db)
    for at, (path, (request, stamp)) in enumerate(zip(paths, seen, strict=True)):
        if path in known or (stamp.inode and stamp.inode in inodes):
            continue
        new[at] = _new(path, request, stamp, now, skipped)
        known.add(path)
        inodes.add(stamp.inode)
    db.executemany(_INSERT, new.values())
    return [
        _of_new(new[at]) if at in new else _enqueue(db, path, request, stamp, now, skipped)
        for at, (path, (request, stamp)) in enumerate(zip(paths, seen, strict=True))
    ]


_INSERT = (
    "INSERT INTO tracks (path, folder, library, size, mtime_ns, inode, priority, why,"
    " enqueued_at, next_attempt_at, finished_at, reason, state)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
FOLDER_SKIPPED = "its folder was skipped: "
"""How the reason begins of a song that is left alone because of its folder."""


def _readable(path: bytes) -> str:
    """A path for a sentence: as it is only where it is valid text."""
    return path.decode("utf-8", "replace")


def _skipped(db: sqlite3.Connection) -> dict[bytes, bool]:
    """Folders of which a person said whether their songs are left alone."""
    rows = db.execute("SELECT path, skipped FROM folders").fetchall()
    return {path: bool(skipped) for path, skipped in rows}


def _skipped_by(path: bytes, skipped: Mapping[bytes, bool]) -> bytes | None:
    """The folder for which a song is left alone: the innermost that a person spoke of decides."""
    while skipped and path not in (b"/", b""):
        path = os.path.dirname(path)  # noqa: PTH120 - many songs at once
        if path in skipped:
            return path if skipped[path] else None
    return None


def skip_folder(db: sqlite3.Connection, folder: Path, now: float) -> int:
    top = os.fsencode(folder)
    db.execute("DELETE FROM folders WHERE path > ? AND path < ?", range_below(folder))
    db.execute(
        "INSERT INTO folders (path, skipped) VALUES (?, 1)"
        " ON CONFLICT (path) DO UPDATE SET skipped = 1",
        (top,),
    )
    return db.execute(
        "UPDATE tracks SET state = 'ignored', reason = ?, error_class = NULL, error = NULL,"
        " finished_at = ?, next_attempt_at = NULL, lease_owner = NULL, leased_until = NULL,"
        " stage = NULL, progress = NULL WHERE path > ? AND path < ?",
        (f"{FOLDER_SKIPPED}{_readable(top)}", now, *range_below(folder)),
    ).rowcount


def take_back_folder(db: sqlite3.Connection, folder: Path) -> None:
    top = os.fsencode(folder)
    db.execute(
        "DELETE FROM folders WHERE path = ? OR (path > ? AND path < ?)",
        (top, *range_below(folder)),
    )
    if _skipped_by(top, _skipped(db)) is not None:
        db.execute("INSERT INTO folders (path, skipped) VALUES (?, 0)", (top,))


def _of_new(row: tuple[object, ...]) -> Queued:
    return Queued.IGNORED if row[-1] == State.IGNORED.value else Queued.NEW


def _new(
    path: bytes, request: Request, seen: Fingerprint, now: float, skipped: Mapping[bytes, bool]
) -> tuple[object, ...]:
    folder = os.path.dirname(path)  # noqa: PTH120 - many songs at once
    library = folder if request.library is None else os.fsencode(request.library)
    stamp = (seen.size, seen.mtime_ns, seen.inode)
    by = _skipped_by(path, skipped)
    reason = request.ignored if by is None else f"{FOLDER_SKIPPED}{_readable(by)}"
    if request.force or not reason:
        state: tuple[object, ...] = (now, None, None, State.PENDING.value)
    else:
        state = (None, now, reason, State.IGNORED.value)
    return (path, folder, library, *stamp, int(request.priority), request.reason, now, *state)


def _enqueue(
    db: sqlite3.Connection,
    path: bytes,
    request: Request,
    seen: Fingerprint,
    now: float,
    skipped: Mapping[bytes, bool],
) -> Queued:
    known = _standing(db, path)
    if known is None and _moved(db, Path(os.fsdecode(path)), seen):
        _to_another_folder(db, path, skipped, now)
        known = _standing(db, path)
    if known is None:
        new = _new(path, request, seen, now, skipped)
        db.execute(_INSERT, new)
        return _of_new(new)
    library = None if request.library is None else os.fsencode(request.library)
    id, state = known["id"], State(known["state"])
    changed = (seen.size, seen.mtime_ns) != (known["size"], known["mtime_ns"])
    if library is not None and known["library"] != library:
        db.execute("UPDATE tracks SET library = ? WHERE id = ?", (library, id))
    if known["missing_since"] is not None:
        db.execute("UPDATE tracks SET missing_since = NULL WHERE id = ?", (id,))
    if state is State.WORKING:
        if changed:
            db.execute(
                "UPDATE tracks SET seen_size = ?, seen_mtime_ns = ? WHERE id = ?",
                (seen.size, seen.mtime_ns, id),
            )
        return Queued.WORKING
    if left_alone(state, known["error_class"]) and not request.force:
        return Queued.IGNORED
    if state is State.PENDING and known["why"] not in QUIETLY:
        # A person, or a player, does not wait for a backoff to end.
        hurry = changed or request.force or request.priority >= Priority.PERSON
        if not hurry and request.priority <= known["priority"] and seen.inode == known["inode"]:
            return Queued.WAITING
        db.execute(
            "UPDATE tracks SET priority = MAX(priority, ?), size = ?, mtime_ns = ?, inode = ?,"
            " next_attempt_at = MIN(next_attempt_at, ?), error = CASE WHEN ? THEN NULL ELSE error"
            " END, waits_for = CASE WHEN ? THEN NULL ELSE waits_for END WHERE id = ?",
            (
                int(request.priority),
                seen.size,
                seen.mtime_ns,
                seen.inode,
                now if hurry else known["next_attempt_at"],
                hurry,
                hurry,
                id,
            ),
        )
        return Queued.WAITING
    if not changed and not request.force:
        return Queued.UNCHANGED
    db.execute(
        "UPDATE tracks SET state = 'pending', priority = ?, why = ?, enqueued_at = ?,"
        " next_attempt_at = ?, attempts = 0, crashes = 0, retries = 0, size = ?, mtime_ns = ?,"
        " inode = ?, waits_for = NULL WHERE id = ?",
        (
            int(request.priority),
            request.reason,
            now,
            now,
            seen.size,
            seen.mtime_ns,
            seen.inode,
            id,
        ),
    )
    return Queued.AGAIN


def _standing(db: sqlite3.Connection, path: bytes) -> sqlite3.Row | None:
    """Read the state of the song at a path: few columns, since a scan reads very many songs."""
    row: sqlite3.Row | None = db.execute(
        "SELECT id, library, size, mtime_ns, inode, state, priority, why, next_attempt_at,"
        " missing_since, error_class FROM tracks WHERE path = ?",
        (path,),
    ).fetchone()
    return row


def _moved(db: sqlite3.Connection, path: Path, seen: Fingerprint) -> bool:
    """Return whether a song was moved to ``path``: same stamp, and no file at its old path.

    It keeps what is known of it, unless its sidecars stayed behind: then it is queued as new.
    """
    entry = moved_here(db, seen)
    if entry is None:
        return False
    written = [_beside(side, entry.path, path) for side in entry.written]
    left_behind = any(not side.exists() for side in written)
    db.execute(
        "UPDATE tracks SET path = ?, folder = ?, missing_since = NULL, written = ?,"
        " name_key = NULL,"
        " size = CASE WHEN ? THEN -1 ELSE size END WHERE id = ?",
        (
            os.fsencode(path),
            os.fsencode(path.parent),
            json.dumps([str(side) for side in written]),
            left_behind,
            entry.id,
        ),
    )
    return True


def _to_another_folder(
    db: sqlite3.Connection, path: bytes, skipped: Mapping[bytes, bool], now: float
) -> None:
    """Let a song that waits, and was moved, be left alone by what is said of its folder now; and
    queue one that was left alone only for the folder that it was in."""
    by = _skipped_by(path, skipped)
    if by is not None:
        db.execute(
            "UPDATE tracks SET state = 'ignored', reason = ?, finished_at = ?,"
            " next_attempt_at = NULL, error_class = NULL, error = NULL"
            " WHERE path = ? AND state = 'pending'",
            (f"{FOLDER_SKIPPED}{_readable(by)}", now, path),
        )
        return
    db.execute(
        "UPDATE tracks SET state = 'pending', reason = NULL, enqueued_at = ?, next_attempt_at = ?,"
        " attempts = 0, crashes = 0, retries = 0"
        " WHERE path = ? AND state = 'ignored'"
        " AND (substr(reason, 1, ?) = ? OR substr(reason, 1, ?) = ?)",
        (now, now, path, *_start(FOLDER_SKIPPED), *_start(SKIPPED_BY_SETTINGS)),
    )


def _start(text: str) -> tuple[int, str]:
    return len(text), text


def _beside(sidecar: Path, old: Path, new: Path) -> Path:
    """Return the path of a sidecar that moved with its song."""
    if sidecar == old:
        return new
    name = sidecar.name
    if name.startswith(old.stem):
        name = new.stem + name[len(old.stem) :]
    return new.parent / name


def expire(db: sqlite3.Connection, now: float, holding: Sequence[int]) -> None:
    """Take back leases whose owner has stopped beating."""
    kept = ",".join(str(int(id)) for id in holding)
    expired = db.execute(
        "UPDATE tracks SET state = 'pending', lease_owner = NULL, leased_until = NULL,"
        " stage = NULL, progress = NULL, next_attempt_at = ?"
        f" WHERE state = 'working' AND leased_until < ? AND id NOT IN ({kept})",
        (now, now),
    )
    if expired.rowcount:
        set_aside(db, now)


LONGEST_WAIT_S = 40 * 86400.0
"""More than any wait that is noted: looking for words again takes 30 days."""


_NOTED = "MAX(enqueued_at, COALESCE(started_at, 0), COALESCE(finished_at, 0))"
"""When something of a song was noted last."""


def shift_waits(db: sqlite3.Connection, seconds: float, since: float, until: float) -> None:
    """Have waits end later, or earlier: those of songs of which nothing was noted in between two
    moments, by a clock that has jumped already."""
    if seconds:
        db.execute(
            "UPDATE tracks SET next_attempt_at = next_attempt_at + ?,"
            " leased_until = leased_until + ?, missing_since = missing_since + ?"
            f" WHERE {_NOTED} NOT BETWEEN ? AND ?",
            (seconds, seconds, seconds, since, until),
        )


def shift_moments(db: sqlite3.Connection, seconds: float, until: float) -> None:
    """Move what was noted up to a moment."""
    for moment in ("enqueued_at", "started_at", "finished_at"):
        db.execute(
            f"UPDATE tracks SET {moment} = {moment} + ? WHERE {moment} < ?", (seconds, until)
        )


def end_impossible_waits(db: sqlite3.Connection, now: float) -> None:
    """End what would wait for longer than anything does: a clock that was wrong noted it."""
    end = now + LONGEST_WAIT_S
    db.execute("UPDATE tracks SET next_attempt_at = ? WHERE next_attempt_at > ?", (now, end))
    db.execute("UPDATE tracks SET leased_until = ? WHERE leased_until > ?", (now, end))
    db.execute("UPDATE tracks SET missing_since = ? WHERE missing_since > ?", (now, now))


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
    when: str,
    until: float | None,
    seen: Fingerprint | None,
) -> bool:
    changes = (
        "state = 'pending', attempts = attempts - 1, lease_owner = NULL, leased_until = NULL,"
        f" stage = NULL, progress = NULL, next_attempt_at = {when}"
    )
    arguments: tuple[Any, ...] = () if until is None else (until,)
    if seen is not None:
        changes += ", size = ?, mtime_ns = ?, inode = ?"
        arguments += (seen.size, seen.mtime_ns, seen.inode)
    return update_held(db, id, owner, changes, arguments)


_AS_IT_WAS = (
    "state = CASE decision WHEN 'words' THEN 'done' WHEN 'mixed' THEN 'mixed'"
    " WHEN 'lines' THEN 'lines' ELSE 'review' END, priority = 0, why = 'scan', attempts = 0,"
    " crashes = 0, retries = 0, next_attempt_at = NULL, lease_owner = NULL, leased_until = NULL,"
    " stage = NULL, progress = NULL, waits_for = NULL"
)


def queue_quietly(db: sqlite3.Connection, id: int, why: str, now: float) -> bool:
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
    quietly = ",".join("?" * len(QUIETLY))
    changed = 0
    for id, reason in reasons.items():
        changed += db.execute(
            f"UPDATE tracks SET {_AS_IT_WAS} WHERE id = ? {unless} AND why IN ({quietly})",
            (id, REQUESTED, *QUIETLY),
        ).rowcount
        changed += db.execute(
            "UPDATE tracks SET state = 'ignored', reason = ?, error_class = NULL, error = NULL,"
            " finished_at = ?, next_attempt_at = NULL, lease_owner = NULL, leased_until = NULL,"
            f" stage = NULL, progress = NULL, waits_for = NULL WHERE id = ? {unless}",
            (reason, now, id, REQUESTED),
        ).rowcount
    return changed


def update_held(
    db: sqlite3.Connection, id: int, owner: str, changes: str, arguments: tuple[Any, ...]
) -> bool:
    """Change a song if its lease still holds."""
    changed = db.execute(
        f"UPDATE tracks SET {changes} WHERE id = ? AND lease_owner = ? AND state = 'working'",
        (*arguments, id, owner),
    )
    return changed.rowcount == 1


def make_due(db: sqlite3.Connection, error_classes: Sequence[str], now: float) -> int:
    """Make songs due whose last error was of one of these classes; return how many."""
    marks = ",".join("?" * len(error_classes))
    return db.execute(
        "UPDATE tracks SET state = 'pending', next_attempt_at = ?, retries = 0, error = NULL,"
        " error_class = NULL"
        f" WHERE state IN ('pending', 'failed') AND error_class IN ({marks})",
        (now, *error_classes),
    ).rowcount


def finish(
    db: sqlite3.Connection,
    id: int,
    owner: str,
    outcome: Outcome,
    now_is: Fingerprint | None,
    now: float,
) -> bool:
    entry = get_entry(db, id)
    if entry is None or entry.state is not State.WORKING or entry.lease_owner != owner:
        return False
    stamp = now_is or entry.fingerprint
    seen = db.execute("SELECT seen_size, seen_mtime_ns FROM tracks WHERE id = ?", (id,)).fetchone()
    changed = seen[0] is not None and Fingerprint(seen[0], seen[1]) != stamp
    retries = entry.retries if entry.error_class == outcome.error_class else 0
    wait = None
    if outcome.retry:
        wait = outcome.retry[min(retries, len(outcome.retry) - 1)]
        retries += 1
    else:
        retries = 0
    state, due = outcome.state, None if wait is None else now + wait
    if changed:
        # Something else wrote the file meanwhile: what we found may be of the old one.
        state, due, stamp = (
            State.PENDING,
            now,
            Fingerprint(seen[0], seen[1], entry.fingerprint.inode),
        )
    db.execute(
        """
        UPDATE tracks SET state = ?, next_attempt_at = ?, retries = ?, attempts = 0, crashes = 0,
            priority = CASE WHEN ? = 'pending' THEN MAX(priority, 0) ELSE 0 END,
            why = CASE WHEN why IN (?, ?) THEN 'new file' ELSE why END,
            size = ?, mtime_ns = ?, inode = ?, lease_owner = NULL, leased_until = NULL,
            stage = NULL, progress = NULL, finished_at = ?, quality = ?, decision = ?, reason = ?,
            source = ?, language = ?, separator = ?, aligner = ?, lines = ?, words = ?,
            lines_with_words = ?, words_timed = ?, placed_by = ?, overrides = ?,
            stages = ?, written = ?, notes = ?, error_class = ?, error = ?, waits_for = ?
        WHERE id = ?
        """,
        (
            state.value,
            due,
            retries,
            state.value,
            *QUIETLY,
            stamp.size,
            stamp.mtime_ns,
            stamp.inode,
            now,
            outcome.quality,
            outcome.decision,
            outcome.reason,
            outcome.source,
            outcome.language,
            outcome.separator,
            outcome.aligner,
            outcome.lines,
            outcome.words,
            outcome.lines_with_words,
            outcome.words_timed,
            outcome.placed_by,
            outcome.overrides,
            json.dumps(dict(outcome.stages)),
            json.dumps([str(path) for path in outcome.written]),
            json.dumps(list(outcome.notes)),
            outcome.error_class,
            outcome.error,
            None if changed else outcome.waits_for,
            id,
        ),
    )
    return True
