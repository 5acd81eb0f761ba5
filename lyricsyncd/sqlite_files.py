"""Copies of SQLite files that are in use, and the repair of damaged ones.

A page of a file may rot, be torn by a dying disk, or be truncated. A copy is made now and then, and
only takes the place of the one before if it is sound. A damaged file is kept beside the one that
replaces it: the last copy, or a new file, with what could still be read of the damaged one.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lyricsyncd.config import private
from lyricsyncd.config.paths import hand_over
from lyricsyncd.errors import WriteError

COPY_SUFFIX = ".bak"
DAMAGED_SUFFIX = ".broken"
REPORT_SUFFIX = ".mended"
ERRORS = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What a database raises. Python cannot decode an error's message with names of a damaged schema,
and raises the second instead."""
_COMPANIONS = ("", "-wal", "-shm", "-journal")
"""SQLite's files of one database."""


@dataclass(frozen=True, slots=True)
class Contents:
    """A kind of file that can be repaired.

    Parameters
    ----------
    name
        What a message calls the file: ``catalog``.
    table, wrong
        A condition that no row of the table fulfils: SQLite itself checks no types of values.
    begin
        Make a new file at a path; by default it is made when it is next opened.
    salvage
        Add rows of the damaged file (first path) to the new one (second); how many.
    lost
        What follows from the damage, where no copy, or one of the given time, takes the place of
        the file.
    """

    name: str
    lost: Callable[[float | None, int], str]
    table: str = ""
    wrong: str = ""
    begin: Callable[[Path], None] | None = None
    salvage: Callable[[Path, Path], int] | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """The last repair of a file, as `status` and `doctor` show it."""

    at: float
    """Seconds since 1970."""
    text: str
    kept: str
    """Where the damaged file is."""
    report: str
    """The file that this was read from; who deletes it has seen it."""


@contextlib.contextmanager
def read_only(file: Path) -> Iterator[sqlite3.Connection]:
    """Open a file that is neither changed nor made where it is not there.

    Raises
    ------
    sqlite3.Error
        The file cannot be read.
    """
    db = sqlite3.connect(file.as_uri() + "?mode=ro", uri=True, timeout=5.0)
    try:
        yield db
    finally:
        db.close()


def quick_check(file: Path) -> str:
    """Return what SQLite finds wrong with a file, which is not changed; empty where it is sound."""
    try:
        with read_only(file) as db:
            (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        return str(error)
    return "" if verdict == "ok" else str(verdict)


def copy_of(path: Path) -> Path:
    """Return the path of the copy of a file."""
    return path.with_name(path.name + COPY_SUFFIX)


def copy(
    path: Path,
    contents: Contents,
    backup: Callable[[sqlite3.Connection], object],
    target: Path | None = None,
) -> str | None:
    """Copy a database that is in use; what is wrong with it, in which case the old copy stays.

    Parameters
    ----------
    backup
        Runs SQLite's backup into the given connection.
    target
        Where the copy goes; by default `copy_of` the file.

    Raises
    ------
    WriteError
        The copy cannot be written.
    """
    target = target or copy_of(path)
    fresh = target.with_name(target.name + ".new")
    try:
        fresh.unlink(missing_ok=True)
        private.make_file(fresh)
        with contextlib.closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
            backup(connection)
            connection.execute("PRAGMA journal_mode = DELETE")
            trouble = _checked(connection, contents)
        if trouble is None:
            _replace(fresh, target)
    except (OSError, sqlite3.OperationalError, UnicodeDecodeError) as error:
        if is_damage(error):
            return str(error)
        raise WriteError(
            f"The {contents.name} cannot be copied to {target}: {error}",
            remedy="Check the disk's free space",
            transient=True,
        ) from error
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
    return trouble


def mend(path: Path, contents: Contents, met: str = "") -> str | None:
    """Replace a damaged database, and report how; ``None`` where it is sound or not there.

    Only for a caller who knows that no process has it open.

    Parameters
    ----------
    met
        The error that was met in use, if one was: the file is not checked then.

    Raises
    ------
    WriteError
        The files cannot be moved or written.
    """
    trouble = met or damage(path, contents)
    if trouble is None:
        return None
    backup, kept = copy_of(path), path.with_name(path.name + DAMAGED_SUFFIX)
    copied_at: float | None = None
    saved = 0
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.unlink(missing_ok=True)
        if backup.exists() and damage(backup, contents) is None:
            copied_at = backup.stat().st_mtime
            # A copy of the copy: it may be needed again.
            private.make_file(fresh)
            fresh.write_bytes(backup.read_bytes())
        elif contents.begin is not None:
            contents.begin(fresh)
        if contents.salvage is not None:
            saved = contents.salvage(path, fresh)
        for companion in _COMPANIONS:
            with contextlib.suppress(FileNotFoundError):
                part = path.with_name(path.name + companion)
                part.replace(kept.with_name(kept.name + companion))
        if fresh.exists():
            _replace(fresh, path)
        text = (
            f"the {contents.name} was broken ({trouble}): {contents.lost(copied_at, saved)};"
            f" it is kept as {kept}"
        )
        _report(path, text)
    except (OSError, *ERRORS) as error:
        raise WriteError(
            f"The {contents.name} {path} is broken ({trouble}) and cannot be replaced: {error}",
            remedy="Check the disk's free space and the folder's permissions",
            transient=True,
        ) from error
    return text


def is_damage(error: Exception) -> bool:
    """Return whether an error comes from a damaged file, and not, for example, from a full disk."""
    if isinstance(error, UnicodeDecodeError):
        return True
    if type(error) is sqlite3.OperationalError:
        # A damaged header or schema; these have no type of their own.
        return str(error).startswith(("unsupported file format", "no such ", "malformed"))
    # Other subclasses are for faults of ours.
    return type(error) is sqlite3.DatabaseError


def lenient_text(content: bytes) -> str:
    """Decode text of a database: damage that SQLite does not notice must not stop all reading."""
    return content.decode("utf-8", "replace")


def damage(path: Path, contents: Contents) -> str | None:
    """Return what is wrong with a file as a database; ``None`` if it is sound or does not exist."""
    try:
        with path.open("rb") as file:
            header = file.read(20)
    except OSError:
        return None
    if not header:
        return "the file is empty"
    # The versions for writing and reading; of a higher one SQLite only reads, without a word.
    if not set(header[18:]) <= {1, 2}:
        return "the header is damaged"
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=30.0, isolation_level=None)) as db:
            return _checked(db, contents)
    except ERRORS as error:
        # Locked, or not to be opened: not damaged. Who opens it reports that.
        return str(error) if is_damage(error) else None


def last_repairs(folder: Path) -> list[Repair]:
    """Read the reports of repairs in a state folder, the latest first."""
    found = []
    for file in sorted(folder.glob(f"*{REPORT_SUFFIX}")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            report = json.loads(file.read_text(encoding="utf-8"))
            kept = file.name.removesuffix(REPORT_SUFFIX) + DAMAGED_SUFFIX
            at, text = float(report["at"]), str(report["text"])
            found.append(Repair(at, text, str(folder / kept), str(file)))
    return sorted(found, key=lambda repair: -repair.at)


def _report(path: Path, text: str) -> None:
    file = path.with_name(path.name + REPORT_SUFFIX)
    # Without a report the repair still holds.
    with contextlib.suppress(OSError):
        private.make_file(file)
        file.write_text(json.dumps({"at": time.time(), "text": text}), encoding="utf-8")
        hand_over(file)


def _replace(fresh: Path, target: Path) -> None:
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(target)
    hand_over(target)


def _checked(db: sqlite3.Connection, contents: Contents) -> str | None:
    (found,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        return " ".join(str(found).split())
    known = db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (contents.table,)).fetchone()
    if known is not None:
        query = f"SELECT COUNT(*) FROM {contents.table} WHERE {contents.wrong}"
        (count,) = db.execute(query).fetchone()
        if count:
            return f"{count} rows of {contents.table} have values of another type"
    return None
