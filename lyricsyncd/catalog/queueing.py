"""Queue songs, in functions that run inside a transaction of the catalog."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from lyricsyncd.catalog.records import (
    QUIETLY,
    SKIPPED_BY_SETTINGS,
    Fingerprint,
    Priority,
    Queued,
    Request,
    State,
    left_alone,
)
from lyricsyncd.catalog.rows import marks, moved_here, there
from lyricsyncd.catalog.skipped_folders import (
    FOLDER_SKIPPED,
    reason_of,
    skipped_by,
    skipped_folders,
)

_INSERT = (
    "INSERT INTO tracks (path, folder, library, size, mtime_ns, inode, priority, why,"
    " enqueued_at, next_attempt_at, finished_at, reason, state)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def enqueue_many(
    db: sqlite3.Connection, seen: Sequence[tuple[Request, Fingerprint]], now: float
) -> list[Queued]:
    """Queue songs in their order; what is plainly new goes in all at once."""
    # Not resolve(): a link in the library is a song of its own place.
    paths = [os.fsencode(os.path.abspath(request.path)) for request, _ in seen]  # noqa: PTH100
    known = there(db, "path", paths)
    inodes = there(db, "inode", [stamp.inode for _, stamp in seen])
    new: dict[int, tuple[object, ...]] = {}
    skipped = skipped_folders(db)
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


def _of_new(row: tuple[object, ...]) -> Queued:
    return Queued.IGNORED if row[-1] == State.IGNORED.value else Queued.NEW


def _new(
    path: bytes, request: Request, seen: Fingerprint, now: float, skipped: Mapping[bytes, bool]
) -> tuple[object, ...]:
    """Make the row of a new song, for `_INSERT`."""
    folder = os.path.dirname(path)  # noqa: PTH120 - many songs at once
    library = folder if request.library is None else os.fsencode(request.library)
    stamp = (seen.size, seen.mtime_ns, seen.inode)
    by = skipped_by(path, skipped)
    reason = request.ignored if by is None else reason_of(by)
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
    """Queue a song, which may be known, or have moved from a place where it was known."""
    known = _standing(db, path)
    if known is None and _follow_move(db, Path(os.fsdecode(path)), seen):
        _to_another_folder(db, path, skipped, now)
        known = _standing(db, path)
    if known is None:
        new = _new(path, request, seen, now, skipped)
        db.execute(_INSERT, new)
        return _of_new(new)
    library = None if request.library is None else os.fsencode(request.library)
    if library is not None and known["library"] != library:
        db.execute("UPDATE tracks SET library = ? WHERE id = ?", (library, known["id"]))
    if known["missing_since"] is not None:
        db.execute("UPDATE tracks SET missing_since = NULL WHERE id = ?", (known["id"],))
    return _enqueue_known(db, known, request, seen, now)


def _enqueue_known(
    db: sqlite3.Connection, known: sqlite3.Row, request: Request, seen: Fingerprint, now: float
) -> Queued:
    """Queue a song of the catalog, where its state and the request have reason to."""
    state = State(known["state"])
    changed = (seen.size, seen.mtime_ns) != (known["size"], known["mtime_ns"])
    if state is State.WORKING:
        if changed:
            db.execute(
                "UPDATE tracks SET seen_size = ?, seen_mtime_ns = ? WHERE id = ?",
                (seen.size, seen.mtime_ns, known["id"]),
            )
        return Queued.WORKING
    if left_alone(state, known["error_class"]) and not request.force:
        return Queued.IGNORED
    stamp = (seen.size, seen.mtime_ns, seen.inode)
    if state is State.PENDING and known["why"] not in QUIETLY:
        # A person, or a player, does not wait for a backoff to end.
        hurry = changed or request.force or request.priority >= Priority.PERSON
        if hurry or request.priority > known["priority"] or seen.inode != known["inode"]:
            due = now if hurry else known["next_attempt_at"]
            db.execute(
                "UPDATE tracks SET priority = MAX(priority, ?), size = ?, mtime_ns = ?, inode = ?,"
                " next_attempt_at = MIN(next_attempt_at, ?),"
                " error = CASE WHEN ? THEN NULL ELSE error END,"
                " waits_for = CASE WHEN ? THEN NULL ELSE waits_for END WHERE id = ?",
                (int(request.priority), *stamp, due, hurry, hurry, known["id"]),
            )
        return Queued.WAITING
    if not changed and not request.force:
        return Queued.UNCHANGED
    db.execute(
        "UPDATE tracks SET state = 'pending', priority = ?, why = ?, enqueued_at = ?,"
        " next_attempt_at = ?, attempts = 0, crashes = 0, retries = 0, size = ?, mtime_ns = ?,"
        " inode = ?, waits_for = NULL WHERE id = ?",
        (int(request.priority), request.reason, now, now, *stamp, known["id"]),
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


def _follow_move(db: sqlite3.Connection, path: Path, seen: Fingerprint) -> bool:
    """Change the path of a song that was moved to ``path``; return whether there is one: with the
    same stamp, and no file at its old path.

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
    by = skipped_by(path, skipped)
    if by is not None:
        db.execute(
            "UPDATE tracks SET state = 'ignored', reason = ?, finished_at = ?,"
            " next_attempt_at = NULL, error_class = NULL, error = NULL"
            " WHERE path = ? AND state = 'pending'",
            (reason_of(by), now, path),
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


def make_due(db: sqlite3.Connection, error_classes: Sequence[str], now: float) -> int:
    """Make songs due whose last error was of one of these classes; return how many."""
    return db.execute(
        "UPDATE tracks SET state = 'pending', next_attempt_at = ?, retries = 0, error = NULL,"
        " error_class = NULL"
        f" WHERE state IN ('pending', 'failed') AND error_class IN ({marks(error_classes)})",
        (now, *error_classes),
    ).rowcount
