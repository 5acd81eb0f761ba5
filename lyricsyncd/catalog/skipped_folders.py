"""Leave whole folders alone, in functions that run inside a transaction of the catalog."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from lyricsyncd.catalog.leases import ENDED
from lyricsyncd.catalog.rows import range_below

FOLDER_SKIPPED = "its folder was skipped: "
"""How the reason begins of a song that is left alone because of its folder."""


def skipped_folders(db: sqlite3.Connection) -> dict[bytes, bool]:
    """Return the folders of which a person said whether their songs are left alone."""
    rows = db.execute("SELECT path, skipped FROM folders").fetchall()
    return {path: bool(skipped) for path, skipped in rows}


def skipped_by(path: bytes, skipped: Mapping[bytes, bool]) -> bytes | None:
    """Return the folder for which a song is left alone: the innermost one that a person named
    decides."""
    while skipped and path not in (b"/", b""):
        path = os.path.dirname(path)  # noqa: PTH120 - many songs at once
        if path in skipped:
            return path if skipped[path] else None
    return None


def reason_of(folder: bytes) -> str:
    """Return the reason of a song that is left alone because of its folder."""
    # A path is a part of a sentence as it is only where it is valid text.
    return f"{FOLDER_SKIPPED}{folder.decode('utf-8', 'replace')}"


def skip_folder(db: sqlite3.Connection, folder: Path, now: float) -> int:
    """Leave alone what is in a folder and below it; return the number of songs."""
    top = os.fsencode(folder)
    db.execute("DELETE FROM folders WHERE path > ? AND path < ?", range_below(folder))
    db.execute(
        "INSERT INTO folders (path, skipped) VALUES (?, 1)"
        " ON CONFLICT (path) DO UPDATE SET skipped = 1",
        (top,),
    )
    return db.execute(
        "UPDATE tracks SET state = 'ignored', reason = ?, error_class = NULL, error = NULL,"
        f" finished_at = ?, next_attempt_at = NULL, {ENDED} WHERE path > ? AND path < ?",
        (reason_of(top), now, *range_below(folder)),
    ).rowcount


def take_back_folder(db: sqlite3.Connection, folder: Path) -> None:
    """Take back that a folder, one above it or one below was skipped."""
    top = os.fsencode(folder)
    db.execute(
        "DELETE FROM folders WHERE path = ? OR (path > ? AND path < ?)",
        (top, *range_below(folder)),
    )
    if skipped_by(top, skipped_folders(db)) is not None:
        db.execute("INSERT INTO folders (path, skipped) VALUES (?, 0)", (top,))
