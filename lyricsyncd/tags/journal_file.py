"""Keep the journal in one SQLite file of the state folder, and repair it where it is damaged.

A damaged file is replaced by its last copy, or by a new one, with the entries that can still be
read: it must not stop all writing. What was lost is logged and reported by ``status``.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import time
import zlib
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lyricsyncd import sqlite_files
from lyricsyncd.config import private
from lyricsyncd.config.paths import hand_over
from lyricsyncd.errors import JournalError, WriteError, passes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)
T = TypeVar("T")

Kind = str
"""``sidecar``, or ``tag:`` and the slot of a song's tags that holds lyrics."""
_TIMEOUT_S = 30.0
_MAX_SALVAGED = 1_000_000
"""Limit of entries to look for: a damaged file may claim any number."""
COLUMNS = "id, at, kind, song, path, before, before_hash, after_hash, by_hand"
_SCHEMA_VERSION = 1
_SCHEMA = (
    """CREATE TABLE entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,             -- seconds since 1970
    kind TEXT NOT NULL,           -- sidecar, or tag:SLOT
    song BLOB NOT NULL,           -- paths are bytes, for names that are not UTF-8
    path BLOB NOT NULL,
    before BLOB,                  -- what was there, deflated; NULL: nothing
    before_hash TEXT,
    after_hash TEXT,              -- what we left there; NULL: nothing
    by_hand INTEGER NOT NULL,     -- a person chose these lyrics
    undone INTEGER NOT NULL DEFAULT 0
    )""",
    "CREATE INDEX entries_path ON entries (path)",
    "CREATE INDEX entries_song ON entries (song)",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A write of ours to one file, or one slot of tags."""

    id: int
    at: float
    """Seconds since 1970."""
    kind: Kind
    song: Path
    path: Path
    before: bytes | None
    before_hash: str | None
    after_hash: str | None
    by_hand: bool


def entry_of(row: tuple[Any, ...]) -> Entry | None:
    """Make an entry of a row; ``None`` where the row is damaged."""
    number, at, kind, song, path, packed, before_hash, after_hash, by_hand = row
    try:
        before = None if packed is None else zlib.decompress(packed)
        return Entry(
            number,
            float(at),
            str(kind),
            Path(os.fsdecode(song)),
            Path(os.fsdecode(path)),
            before,
            before_hash,
            after_hash,
            bool(by_hand),
        )
    except (zlib.error, TypeError, ValueError):
        return None


class JournalFile:
    """The file of a journal, made at the first write.

    Notes
    -----
    Every method raises `JournalError` where the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def transact(self, step: Callable[[sqlite3.Connection], T]) -> T:
        """Run a step in a transaction that is on disk at its end, in a repaired file if need be."""
        for last in (False, True):
            inode = None
            try:
                inode = self._inode()
                if inode is None:
                    self._begin()
                with self._locked(fcntl.LOCK_SH), closing(self._connected()) as db:
                    if not _version(db):
                        raise sqlite3.DatabaseError("it is empty")
                    if _version(db) != _SCHEMA_VERSION:
                        raise JournalError(
                            f"the journal {self.path} is of a later version of lyricsyncd",
                            remedy="Update lyricsyncd",
                        )
                    with db:
                        return step(db)
            except sqlite_files.ERRORS as error:
                if sqlite_files.is_damage(error):
                    trouble = str(error)
                elif not isinstance(error, sqlite3.OperationalError):
                    raise
                elif found := sqlite_files.damage(self.path, CONTENTS):
                    trouble = found
                else:
                    raise JournalError(
                        f"the journal {self.path} cannot be used ({error}), so nothing was written",
                        remedy=f"Make sure that {self.path.parent} can be written to and has free"
                        " space",
                        transient=True,
                    ) from error
            except OSError as error:
                raise JournalError(
                    f"the journal {self.path} cannot be made ({error.strerror}), so nothing was"
                    " written",
                    remedy=f"Make {self.path.parent} writable or set STATE_DIRECTORY to another"
                    " folder",
                    transient=passes(error),
                ) from error
            if not last:
                self._mend(trouble, inode)
        raise JournalError(
            f"the journal {self.path} is damaged ({trouble}), so nothing was written",
            remedy="Move it away: a new one is made, and our files are recognised by their stamps",
        )

    def back_up(self) -> None:
        """Copy the file, if it changed since its last copy; repair it where it is damaged."""
        copy = sqlite_files.copy_of(self.path)
        try:
            now = self.path.stat()
            if copy.exists() and copy.stat().st_mtime_ns == now.st_mtime_ns:
                return
            with self._locked(fcntl.LOCK_SH), closing(self._connected()) as db:
                trouble = sqlite_files.copy(self.path, CONTENTS, db.backup)
            if trouble is None:
                # What is written while it is copied makes the journal newer than its copy.
                os.utime(copy, ns=(now.st_mtime_ns, now.st_mtime_ns))
        except FileNotFoundError:
            return
        except (OSError, WriteError, *sqlite_files.ERRORS) as error:
            if not sqlite_files.is_damage(error):
                raise JournalError(f"The journal {self.path} is not copied: {error}") from error
            trouble = str(error)
        if trouble is not None:
            self._mend(trouble, now.st_ino)

    def check(self) -> None:
        """Check for damage, and repair it."""
        inode = self._inode()
        if inode is not None and (trouble := sqlite_files.damage(self.path, CONTENTS)):
            self._mend(trouble, inode)

    def _connected(self) -> sqlite3.Connection:
        private.make_file(self.path)
        # mode=rw: only `_begin` makes the file, and makes it whole.
        db = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=rw", uri=True, timeout=_TIMEOUT_S
        )
        db.text_factory = sqlite_files.lenient_text
        # A rollback journal, not WAL: writes are rare, and state folders lie on NAS mounts.
        db.execute("PRAGMA synchronous = FULL")
        return db

    def _inode(self) -> int | None:
        """Return the inode of the file, which a repair changes; ``None`` without a file."""
        try:
            return self.path.stat().st_ino
        except FileNotFoundError:
            return None

    @contextmanager
    def _locked(self, kind: int) -> Iterator[None]:
        """Hold a lock that keeps the file from being replaced (shared) or used (exclusive)."""
        file = self.path.with_name(self.path.name + ".lock")
        try:
            descriptor = os.open(file, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            # A read-only folder, for example, in which no process replaces a file.
            yield
            return
        try:
            hand_over(file)
            # Some network mounts have no locks.
            with suppress(OSError):
                fcntl.flock(descriptor, kind)
            yield
        finally:
            os.close(descriptor)

    def _begin(self) -> None:
        """Make a new journal in one step, so that no process sees half of it."""
        private.make_folder(self.path.parent)
        with self._locked(fcntl.LOCK_EX):
            if self._inode() is None:
                fresh = self.path.with_name(self.path.name + ".new")
                fresh.unlink(missing_ok=True)
                _make(fresh)
                fresh.replace(self.path)
                hand_over(self.path)

    def _mend(self, trouble: str, inode: int | None) -> None:
        """Repair the file of an inode, unless another process did so meanwhile."""
        with self._locked(fcntl.LOCK_EX):
            if self._inode() != inode:
                return
            try:
                report = sqlite_files.mend(self.path, CONTENTS, trouble)
            except WriteError as error:
                raise JournalError(error.message, remedy=error.remedy, transient=True) from error
        log.critical("%s", report)


def _make(path: Path) -> None:
    private.make_file(path)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("BEGIN")
        for statement in _SCHEMA:
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")


def _lost(copied_at: float | None, saved: int) -> str:
    rest = f"{saved} entries could be saved" if saved else "no entry could be saved"
    if copied_at is None:
        return f"a new one is begun, {rest}; what was written before and not saved has no undo"
    since = time.strftime("%Y-%m-%d %H:%M", time.localtime(copied_at))
    return (
        f"its copy of {since} takes its place, {rest}; what was written since and not saved has"
        " no undo"
    )


def _salvage(damaged: Path, fresh: Path) -> int:
    """Copy the entries that can be read, and are as they were written, into a new journal."""
    saved = 0
    insert = f"INSERT OR IGNORE INTO entries ({COLUMNS}, undone) VALUES (?,?,?,?,?,?,?,?,?,?)"
    with closing(sqlite3.connect(damaged)) as source, closing(sqlite3.connect(fresh)) as target:
        source.text_factory = sqlite_files.lenient_text
        for row in _readable(source):
            if entry_of(row[:-1]) is None:
                continue
            saved += target.execute(insert, row).rowcount
            if row[-1]:
                # It may have been undone since the copy was made.
                same = (row[0], row[3], row[4])
                target.execute(
                    "UPDATE entries SET undone = 1 WHERE id = ? AND song = ? AND path = ?", same
                )
        target.commit()
    return saved


def _readable(source: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    """Read a damaged file one entry at a time: a page that is lost costs what was in it."""
    highest = 0
    for query in (
        "SELECT seq FROM sqlite_sequence WHERE name = 'entries'",
        "SELECT MAX(id) FROM entries",
    ):
        with suppress(*sqlite_files.ERRORS):
            for (number,) in source.execute(query):
                highest = max(highest, number if isinstance(number, int) else 0)
    for number in range(1, min(highest, _MAX_SALVAGED) + 1):
        with suppress(*sqlite_files.ERRORS):
            yield from source.execute(
                f"SELECT {COLUMNS}, undone FROM entries WHERE id = ?", (number,)
            ).fetchall()


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


CONTENTS = sqlite_files.Contents("journal", _lost, begin=_make, salvage=_salvage)
