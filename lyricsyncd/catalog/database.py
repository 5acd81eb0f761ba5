"""The catalog's file: SQLite in WAL mode, one thread that writes, any number of readers.

Callers hand the writing thread functions, each run in a transaction of its own; reads never wait
for it. Several processes may open one file (the service and the commands): SQLite's lock orders
their writes.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from lyricsyncd import sqlite_files
from lyricsyncd.catalog import migrations, mounts
from lyricsyncd.config import private
from lyricsyncd.config.paths import hand_over
from lyricsyncd.errors import LyricsyncError, WriteError
from lyricsyncd.sqlite_files import ERRORS, is_damage, lenient_text

log = logging.getLogger(__name__)

_ROOM = 256 * 1024
_COPIED = sqlite_files.Contents("catalog", lambda _at, _saved: "")
T = TypeVar("T")
Opened = TypeVar("Opened", bound="Database")


class CatalogBroken(LyricsyncError):
    """The catalog's file is damaged."""


class Database:
    """The catalog's file. Close it, or use it in a ``with``.

    Raises
    ------
    CatalogBroken
        The file is no catalog, or a damaged one.
    LyricsyncError
        It is on a network mount, or is one of a newer version.
    WriteError
        It cannot be made there.
    """

    broken: CatalogBroken | None = None
    """What a read or a write met with, in any thread."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.clock = clock
        kind = mounts.filesystem(path.parent)
        if mounts.on_network(kind):
            raise LyricsyncError(
                f"The catalog {path} would be on a network mount ({kind}), where it breaks",
                remedy="Set STATE_DIRECTORY or XDG_STATE_HOME to a folder on a local disk",
            )
        try:
            private.make_folder(path.parent)
            # SQLite gives its companions the same mode.
            private.make_file(path)
            with _explained_damage(path):
                self._writer = _connect(path)
        except (OSError, sqlite3.OperationalError) as error:
            raise WriteError(
                f"The catalog {path} cannot be opened: {error}",
                remedy="Check the folder's permissions and free space",
            ) from error
        try:
            with _explained(path):
                self._prepare()
                hand_over(path)
                self._reader = _connect(path)
                self._reader.execute("PRAGMA query_only = ON")
        except BaseException:
            self._writer.close()
            raise
        self._reading = threading.Lock()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="catalog", daemon=True)
        self._thread.start()
        self._closed = False

    def _prepare(self) -> None:
        mode = _write_ahead(self._writer)
        if mode != "wal":
            raise LyricsyncError(
                f"The file system of {self.path} cannot hold the catalog (no shared memory)",
                remedy="Set STATE_DIRECTORY or XDG_STATE_HOME to a folder on a local disk",
            )
        try:
            migrations.migrate(self._writer, back_up=self._copy_before_upgrade)
        except migrations.NewerCatalog as error:
            copy = _copy_of_version(self.path, error.steps)
            if copy.is_file():
                error.remedy = (
                    f"Install that version again, or stop the service and put {copy} in its place:"
                    " what was done since is found again by a scan"
                )
            raise

    def _copy_before_upgrade(self, steps: int) -> None:
        """Keep a copy for the version that is left, the only one that can use it."""
        target = _copy_of_version(self.path, steps)
        # By another connection: SQLite copies from none that holds the lock to write.
        with contextlib.closing(_connect(self.path)) as reader:
            trouble = sqlite_files.copy(self.path, _COPIED, reader.backup, target)
        if trouble is not None:
            raise sqlite3.DatabaseError(trouble)
        log.info("the catalog is brought up to date; it is kept as it was in %s", target)
        for other in self.path.parent.glob(f"{self.path.name}.v*"):
            if other != target:
                other.unlink(missing_ok=True)

    def __enter__(self: Opened) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish the writes that were handed in, and close the file."""
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        self._thread.join()
        with self._reading:
            self._reader.close()
        self._writer.close()

    # One writer, any number of readers

    def write(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function on the writing thread, in one transaction, and give back its result.

        Raises
        ------
        WriteError
            The catalog cannot be written: the disk is full, say. Nothing has changed.
        """
        if self._closed:
            raise WriteError("The catalog is closed", transient=True)
        job = _Job(function)
        self._jobs.put(job)
        result: T = job.future.result()
        return result

    def read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function that only reads; it sees what was committed before."""
        try:
            with self._reading, _explained(self.path):
                return function(self._reader)
        except CatalogBroken as error:
            self.broken = error
            raise

    def version(self) -> int:
        """Return a number that changes when any process writes."""
        return self.read(lambda db: int(db.execute("PRAGMA data_version").fetchone()[0]))

    def _write_all(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                with _explained(self.path):
                    job.future.set_result(_transacted(self._writer, job.function))
            except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
                if isinstance(error, CatalogBroken):
                    self.broken = error
                job.future.set_exception(error)


class _Job:
    """A function for the writing thread."""

    def __init__(self, function: Callable[[sqlite3.Connection], Any]) -> None:
        self.function = function
        self.future: Future[Any] = Future()


def _copy_of_version(path: Path, steps: int) -> Path:
    """Return the name of the copy of a catalog that has taken so many steps."""
    return path.with_name(f"{path.name}.v{steps}")


def is_full(folder: Path) -> bool:
    """Return whether a disk has too little room for the files of an open catalog."""
    try:
        return shutil.disk_usage(folder).free < _ROOM
    except OSError:
        return False


def _write_ahead(db: sqlite3.Connection) -> str:
    """Turn on WAL; return the mode that it is in then."""
    # Two that make the same file at once: for this one switch SQLite does not wait by itself.
    for may_wait in (True,) * 50 + (False,):
        try:
            (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
            return str(mode)
        except sqlite3.OperationalError as error:
            if not may_wait or "locked" not in str(error):
                raise
            time.sleep(0.1)
    raise AssertionError("the last one raises")


def _connect(path: Path) -> sqlite3.Connection:
    # Transactions are ours (isolation_level=None); locks keep the threads apart.
    db = sqlite3.connect(path, timeout=30.0, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.text_factory = lenient_text
    db.execute("PRAGMA busy_timeout = 30000")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA cache_size = -2000")
    return db


def _transacted(db: sqlite3.Connection, function: Callable[[sqlite3.Connection], T]) -> T:
    db.execute("BEGIN IMMEDIATE")
    try:
        result = function(db)
        db.execute("COMMIT")
    except BaseException:
        # A full disk ends the transaction by itself.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return result


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Raise SQLite's errors as ours."""
    try:
        with _explained_damage(path):
            yield
    except sqlite3.OperationalError as error:
        raise WriteError(
            f"The catalog {path} cannot be used: {error}",
            remedy="Check the disk's free space and the folder's permissions",
            transient=True,
        ) from error


@contextlib.contextmanager
def _explained_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except ERRORS as error:
        if not is_damage(error):
            raise
        raise CatalogBroken(
            f"The catalog {path} is broken: {error}",
            remedy="Start the service: it takes its last sound copy, or makes a new one",
        ) from error
