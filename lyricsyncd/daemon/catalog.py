"""What is known of every song, and what comes next: the only durable truth.

SQLite in WAL mode. One thread owns the connection that writes, and callers hand it functions, each
run in a transaction of its own; reads never wait for it. Several processes may open one catalog
(the service and the commands): SQLite's lock orders their writes.

A song is *leased* while it is worked on. Its ``attempts`` count when a lease starts, so that a song
that takes the process down with it is set aside after a few tries.
"""

from __future__ import annotations

import contextlib
import enum
import json
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from lyricsyncd.daemon import migrations, mounts
from lyricsyncd.errors import LyricsyncError, UsageError, WriteError
from lyricsyncd.http.answers import NOT_FOUND_S

T = TypeVar("T")

FILE_NAME = "catalog.db"

MAX_CRASHES = 3
"""A song on which the model worker died this often in a row is set aside."""
MAX_ATTEMPTS = 10
"""Leases in a row without any outcome (the whole service died) before a song is set aside. Kill
the service as you like: only a song that always brings it down comes this far."""

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
RETRY_SOON = (5 * _MINUTE, _HOUR, _DAY)
"""Waits after each failure that time can mend (no network, a full disk); the last one repeats."""
RETRY_LYRICS = NOT_FOUND_S
"""Waits before words that nobody had are looked for again; the last one repeats."""
FORGET_AFTER = 30 * _DAY
"""How long a song may be missing before it is forgotten: its disk may only be away."""


class State(str, enum.Enum):
    """Where a song stands."""

    PENDING = "pending"
    WORKING = "working"
    DONE = "done"
    LINES = "lines"
    REVIEW = "review"
    NO_LYRICS = "no_lyrics"
    INSTRUMENTAL = "instrumental"
    FAILED = "failed"
    IGNORED = "ignored"


class Priority(enum.IntEnum):
    """Who waits for a song; the higher goes first."""

    BACKFILL = 0
    IMPORT = 10
    PERSON = 20
    PLAYING = 30


class Queued(str, enum.Enum):
    """What `Catalog.enqueue` did."""

    NEW = "new"
    AGAIN = "again"
    WAITING = "waiting"
    WORKING = "working"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Tells whether a file changed, without reading it. The inode only tells moved files."""

    size: int
    mtime_ns: int
    inode: int = field(default=0, compare=False)

    @classmethod
    def of(cls, path: Path) -> Fingerprint:
        """Of the file that a path leads to. Raises OSError."""
        return cls.from_stat(path.stat())

    @classmethod
    def from_stat(cls, stat: os.stat_result) -> Fingerprint:
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ino)


@dataclass(frozen=True, slots=True)
class Request:
    """A song to queue. Without a fingerprint the file is looked at."""

    path: Path
    priority: Priority
    reason: str
    library: Path | None = None
    fingerprint: Fingerprint | None = None
    force: bool = False
    """Queue it even though nothing changed since it was done, or a person said to ignore it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A song as the catalog knows it. Times are seconds since the epoch."""

    id: int
    path: Path
    library: Path | None
    fingerprint: Fingerprint
    state: State
    priority: int
    why: str
    """Why it was queued."""
    enqueued_at: float
    next_attempt_at: float | None = None
    missing_since: float | None = None
    artist: str | None = None
    title: str | None = None
    duration: float | None = None
    attempts: int = 0
    crashes: int = 0
    retries: int = 0
    lease_owner: str | None = None
    leased_until: float | None = None
    started_at: float | None = None
    stage: str | None = None
    progress: float | None = None
    finished_at: float | None = None
    quality: float | None = None
    decision: str | None = None
    reason: str | None = None
    source: str | None = None
    language: str | None = None
    separator: str | None = None
    aligner: str | None = None
    lines: int | None = None
    words: int | None = None
    stages: Mapping[str, float] = field(default_factory=dict)
    written: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    error_class: str | None = None
    error: str | None = None

    @property
    def name(self) -> str:
        """A short human name."""
        if self.artist and self.title:
            return f"{self.artist} - {self.title}"
        return self.title or self.path.stem

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        plain: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        del plain["fingerprint"]
        plain["path"] = str(self.path)
        plain["library"] = None if self.library is None else str(self.library)
        plain["state"] = self.state.value
        plain["stages"] = dict(self.stages)
        plain["written"] = [str(path) for path in self.written]
        plain["notes"] = list(self.notes)
        return plain


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a song. ``retry`` gives the waits after which it is tried again, if it is."""

    state: State
    reason: str
    retry: tuple[float, ...] | None = None
    error_class: str | None = None
    error: str | None = None
    quality: float | None = None
    decision: str | None = None
    source: str | None = None
    language: str | None = None
    separator: str | None = None
    aligner: str | None = None
    lines: int | None = None
    words: int | None = None
    stages: Mapping[str, float] = field(default_factory=dict)
    written: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


class Catalog:
    """The catalog in one file. Close it, or use it in a ``with``.

    Raises
    ------
    LyricsyncError
        The file is on a network mount, is no catalog, or is one of a newer version.
    WriteError
        It cannot be made there.
    """

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
            path.parent.mkdir(parents=True, exist_ok=True)
            with _broken_is_told(path):
                self._writer = _connect(path)
        except (OSError, sqlite3.OperationalError) as error:
            raise WriteError(
                f"The catalog {path} cannot be opened: {error}",
                remedy="Check the folder's permissions and free space",
            ) from error
        try:
            with _told(path):
                self._prepare()
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
        (mode,) = self._writer.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise LyricsyncError(
                f"The file system of {self.path} cannot hold the catalog (no shared memory)",
                remedy="Set STATE_DIRECTORY or XDG_STATE_HOME to a folder on a local disk",
            )
        migrations.migrate(self._writer)

    def __enter__(self) -> Catalog:
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
        with self._reading, _told(self.path):
            return function(self._reader)

    def version(self) -> int:
        """A number that changes when any process writes."""
        return self.read(lambda db: int(db.execute("PRAGMA data_version").fetchone()[0]))

    def _write_all(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                with _told(self.path):
                    job.future.set_result(_transacted(self._writer, job.function))
            except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
                job.future.set_exception(error)

    # The way in

    def enqueue(
        self,
        path: Path,
        priority: Priority,
        reason: str,
        *,
        library: Path | None = None,
        fingerprint: Fingerprint | None = None,
        force: bool = False,
    ) -> Queued:
        """Queue a song: the one way in.

        A song that is done is queued anew only if its file changed since, or with ``force``.

        Raises
        ------
        UsageError
            There is no such file.
        """
        request = Request(path, priority, reason, library, fingerprint, force)
        return self.enqueue_many([request])[0]

    def enqueue_many(self, requests: Iterable[Request]) -> list[Queued]:
        """Queue several songs in one transaction; see `enqueue`."""
        looked_at = [(request, request.fingerprint or _look(request.path)) for request in requests]
        now = self.clock()
        return self.write(
            lambda db: [_enqueue(db, request, seen, now) for request, seen in looked_at]
        )

    # Leases

    def claim(
        self,
        owner: str,
        lease_s: float,
        *,
        at_least: Priority = Priority.BACKFILL,
        only: Sequence[int] | None = None,
        holding: Sequence[int] = (),
    ) -> Entry | None:
        """Lease the song that comes next, or ``None``: nothing is due, or there is a pause.

        The higher priority goes first; among equals, the library that has waited longest; there,
        the song that was queued first.

        Parameters
        ----------
        only : sequence of int, optional
            Choose among these songs only.
        holding : sequence of int, optional
            Songs that the caller is at work on: their leases hold even if the computer slept.
        """
        now = self.clock()

        def claim(db: sqlite3.Connection) -> Entry | None:
            if _setting(db, "paused") == "1":
                return None
            _expire(db, now, holding)
            among = "" if only is None else f"AND t.id IN ({','.join(str(int(i)) for i in only)})"
            row = db.execute(
                f"""
                SELECT t.id, t.library FROM tracks t LEFT JOIN libraries l ON l.path = t.library
                WHERE t.state IN ('pending', 'no_lyrics') AND t.next_attempt_at <= ?
                    AND t.missing_since IS NULL AND t.priority >= ? {among}
                ORDER BY t.priority DESC, COALESCE(l.served_at, 0), t.enqueued_at, t.id LIMIT 1
                """,
                (now, int(at_least)),
            ).fetchone()
            if row is None:
                return None
            db.execute(
                """
                UPDATE tracks SET state = 'working', attempts = attempts + 1, lease_owner = ?,
                    leased_until = ?, started_at = ?, stage = 'find', progress = 0,
                    seen_size = NULL, seen_mtime_ns = NULL
                WHERE id = ?
                """,
                (owner, now + lease_s, now, row["id"]),
            )
            db.execute(
                """
                INSERT INTO libraries (path, served_at) VALUES (?, ?)
                ON CONFLICT (path) DO UPDATE SET served_at = excluded.served_at
                """,
                (row["library"], now),
            )
            return _get(db, row["id"])

        return self.write(claim)

    def heartbeat(self, owner: str, lease_s: float, ids: Sequence[int]) -> frozenset[int]:
        """Extend an owner's leases of songs; those of them that it still holds."""
        until = self.clock() + lease_s

        def beat(db: sqlite3.Connection) -> frozenset[int]:
            return frozenset(
                id for id in ids if _update_held(db, id, owner, "leased_until = ?", (until,))
            )

        return self.write(beat)

    def progress(self, id: int, owner: str, stage: str, share: float) -> bool:
        """Note how far a song is; whether its lease still holds."""
        return self.write(
            lambda db: _update_held(db, id, owner, "stage = ?, progress = ?", (stage, share))
        )

    def found(
        self, id: int, owner: str, artist: str | None, title: str | None, duration: float | None
    ) -> bool:
        """Note what a song is; whether its lease still holds."""
        return self.write(
            lambda db: _update_held(
                db, id, owner, "artist = ?, title = ?, duration = ?", (artist, title, duration)
            )
        )

    def finish(
        self, id: int, owner: str, outcome: Outcome, fingerprint: Fingerprint | None = None
    ) -> bool:
        """End a lease with an outcome; false where the lease was lost meanwhile.

        Parameters
        ----------
        fingerprint : Fingerprint, optional
            The song's file as it is now, where we have written into it.
        """
        now = self.clock()
        return self.write(lambda db: _finish(db, id, owner, outcome, fingerprint, now))

    def crashed(self, id: int, owner: str, error: LyricsyncError) -> State:
        """End a lease because the song took the model worker down; where the song stands now.

        It goes to the end of the queue, and is set aside after `MAX_CRASHES`.
        """
        now = self.clock()

        def crash(db: sqlite3.Connection) -> State:
            entry = _get(db, id)
            if entry is None or entry.lease_owner != owner or entry.state is not State.WORKING:
                return State.PENDING if entry is None else entry.state
            db.execute(
                "UPDATE tracks SET crashes = crashes + 1, error_class = ?, error = ?,"
                " enqueued_at = ?, next_attempt_at = ?, state = 'pending', lease_owner = NULL,"
                " leased_until = NULL, stage = NULL, progress = NULL WHERE id = ?",
                (type(error).__name__, str(error), now, now, id),
            )
            _set_aside(db, now)
            return State(db.execute("SELECT state FROM tracks WHERE id = ?", (id,)).fetchone()[0])

        return self.write(crash)

    def release(self, id: int, owner: str) -> bool:
        """End a lease without an outcome, and not by the song's fault: the service stops."""
        return self.write(lambda db: _release(db, id, owner, "next_attempt_at", None, None))

    def postpone(self, id: int, owner: str, until: float, fingerprint: Fingerprint) -> bool:
        """End a lease: the file is still being written. Keeps how it looks now."""
        return self.write(lambda db: _release(db, id, owner, "?", until, fingerprint))

    def gone(self, id: int, owner: str) -> bool:
        """End a lease: the file is not there any more."""
        now = self.clock()

        def gone(db: sqlite3.Connection) -> bool:
            held = _release(db, id, owner, "next_attempt_at", None, None)
            if held:
                db.execute("UPDATE tracks SET missing_since = ? WHERE id = ?", (now, id))
            return held

        return self.write(gone)

    def take_up(self) -> int:
        """Queue again what was in flight when the service died; how many songs.

        Only for who knows that nobody else is at work (the service holds a lock on the state).
        """
        now = self.clock()

        def take_up(db: sqlite3.Connection) -> int:
            count = db.execute(
                "UPDATE tracks SET state = 'pending', lease_owner = NULL, leased_until = NULL,"
                " stage = NULL, progress = NULL, next_attempt_at = ? WHERE state = 'working'",
                (now,),
            ).rowcount
            _set_aside(db, now)
            return count

        return self.write(take_up)

    # What a person says

    def retry(self, ids: Iterable[int]) -> int:
        """Queue songs once more, before others, whatever became of them; how many."""
        now, chosen = self.clock(), list(ids)

        def retry(db: sqlite3.Connection) -> int:
            return sum(
                db.execute(
                    "UPDATE tracks SET state = 'pending', priority = MAX(priority, ?),"
                    " why = 'a person asked', enqueued_at = ?, next_attempt_at = ?, attempts = 0,"
                    " crashes = 0, retries = 0, missing_since = NULL, error_class = NULL,"
                    " error = NULL WHERE id = ? AND state != 'working'",
                    (int(Priority.PERSON), now, now, id),
                ).rowcount
                for id in chosen
            )

        return self.write(retry)

    def skip(self, ids: Iterable[int]) -> int:
        """Leave songs alone from now on, even those in work; how many."""
        now, chosen = self.clock(), list(ids)

        def skip(db: sqlite3.Connection) -> int:
            return sum(
                db.execute(
                    "UPDATE tracks SET state = 'ignored', reason = 'a person said so',"
                    " finished_at = ?, next_attempt_at = NULL, lease_owner = NULL,"
                    " leased_until = NULL, stage = NULL, progress = NULL WHERE id = ?",
                    (now, id),
                ).rowcount
                for id in chosen
            )

        return self.write(skip)

    def pause(self) -> None:
        """Lease no more songs until `resume`, even after a restart."""
        self.write(lambda db: _set(db, "paused", "1"))

    def resume(self) -> None:
        """Go on after `pause`."""
        self.write(lambda db: _set(db, "paused", "0"))

    @property
    def paused(self) -> bool:
        return self.read(lambda db: _setting(db, "paused")) == "1"

    # Looking

    def get(self, id: int) -> Entry | None:
        return self.read(lambda db: _get(db, id))

    def by_path(self, path: Path) -> Entry | None:
        return self.read(lambda db: _by_path(db, path))

    def ids(self, paths: Sequence[Path]) -> dict[Path, int]:
        """The numbers of songs; those that are not known are left out."""

        def find(db: sqlite3.Connection) -> dict[Path, int]:
            query = "SELECT id FROM tracks WHERE path = ?"
            rows = {path: db.execute(query, (os.fsencode(path),)).fetchone() for path in paths}
            return {path: row["id"] for path, row in rows.items() if row is not None}

        return self.read(find)

    def counts(self) -> dict[State, int]:
        """Songs in each state; those that are missing do not count."""
        counts = dict.fromkeys(State, 0)
        rows = self.read(
            lambda db: db.execute(
                "SELECT state, COUNT(*) FROM tracks WHERE missing_since IS NULL GROUP BY state"
            ).fetchall()
        )
        return counts | {State(state): count for state, count in rows}

    def entries(
        self,
        *,
        states: Sequence[State] = (),
        text: str = "",
        after: int = 0,
        limit: int = 100,
    ) -> list[Entry]:
        """Songs by id, those whose path in the library, artist or title contains ``text``."""
        marks = ",".join("?" * len(states))
        pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        query = f"""
            SELECT * FROM tracks WHERE id > ? {f"AND state IN ({marks})" if states else ""}
                AND (? = '%%' OR CAST(substr(path, length(library) + 2) AS TEXT) LIKE ? ESCAPE '\\'
                    OR artist || ' - ' || title LIKE ? ESCAPE '\\' OR title LIKE ? ESCAPE '\\')
            ORDER BY id LIMIT ?
            """
        known = (state.value for state in states)
        arguments = (after, *known, pattern, pattern, pattern, pattern, limit)
        return self.read(lambda db: [_entry(row) for row in db.execute(query, arguments)])

    def queue(self, limit: int = 100) -> list[Entry]:
        """What is in work, then what comes next, in the order it would be taken."""
        return self.read(
            lambda db: [
                _entry(row)
                for row in db.execute(
                    """
                    SELECT * FROM tracks WHERE missing_since IS NULL AND (
                        state IN ('working', 'pending')
                        OR (state = 'no_lyrics' AND next_attempt_at <= ?))
                    ORDER BY state != 'working', next_attempt_at > ?, priority DESC,
                        CASE WHEN next_attempt_at > ? THEN next_attempt_at END, enqueued_at, id
                    LIMIT ?
                    """,
                    (self.clock(), self.clock(), self.clock(), limit),
                )
            ]
        )

    def next_due(self) -> float | None:
        """When the earliest queued song may be tried; it may be past."""
        row = self.read(
            lambda db: db.execute(
                "SELECT MIN(next_attempt_at) FROM tracks WHERE state IN ('pending', 'no_lyrics')"
                " AND missing_since IS NULL"
            ).fetchone()
        )
        return None if row[0] is None else float(row[0])

    # What a scan needs

    def in_folder(self, folder: Path) -> dict[Path, Entry]:
        """The songs directly in a folder."""
        rows = self.read(
            lambda db: db.execute(
                "SELECT * FROM tracks WHERE folder = ?", (os.fsencode(folder),)
            ).fetchall()
        )
        return {entry.path: entry for entry in map(_entry, rows)}

    def folders(self, library: Path) -> set[Path]:
        """Every folder of a library that has songs which are not missing."""
        rows = self.read(
            lambda db: db.execute(
                "SELECT DISTINCT folder FROM tracks WHERE library = ? AND missing_since IS NULL",
                (os.fsencode(library),),
            ).fetchall()
        )
        return {Path(os.fsdecode(folder)) for (folder,) in rows}

    def missing(self, ids: Iterable[int]) -> None:
        """Note that the files of songs are not there; they are forgotten after a month."""
        now, chosen = self.clock(), list(ids)

        def missing(db: sqlite3.Connection) -> None:
            for id in chosen:
                db.execute(
                    "UPDATE tracks SET missing_since = COALESCE(missing_since, ?)"
                    " WHERE id = ? AND state != 'working'",
                    (now, id),
                )

        self.write(missing)

    def back(self, ids: Iterable[int]) -> None:
        """Note that the files of missing songs are there again, as they were."""
        chosen = list(ids)

        def back(db: sqlite3.Connection) -> None:
            for id in chosen:
                db.execute("UPDATE tracks SET missing_since = NULL WHERE id = ?", (id,))

        self.write(back)

    def scanned(self, library: Path) -> None:
        """Note that a library was gone through; forget what has been missing for long."""
        now, key = self.clock(), os.fsencode(library)

        def scanned(db: sqlite3.Connection) -> None:
            db.execute(
                "INSERT INTO libraries (path, scanned_at) VALUES (?, ?)"
                " ON CONFLICT (path) DO UPDATE SET scanned_at = excluded.scanned_at",
                (key, now),
            )
            db.execute(
                "DELETE FROM tracks WHERE library = ? AND missing_since < ?",
                (key, now - FORGET_AFTER),
            )

        self.write(scanned)

    def scanned_at(self, library: Path) -> float | None:
        """When a library was last gone through."""
        row = self.read(
            lambda db: db.execute(
                "SELECT scanned_at FROM libraries WHERE path = ?", (os.fsencode(library),)
            ).fetchone()
        )
        return None if row is None or row[0] is None else float(row[0])


class _Job:
    """A function for the writing thread."""

    def __init__(self, function: Callable[[sqlite3.Connection], Any]) -> None:
        self.function = function
        self.future: Future[Any] = Future()


def _connect(path: Path) -> sqlite3.Connection:
    # Transactions are ours (isolation_level=None); locks keep the threads apart.
    db = sqlite3.connect(path, timeout=30.0, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
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
def _told(path: Path) -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        with _broken_is_told(path):
            yield
    except sqlite3.OperationalError as error:
        raise WriteError(
            f"The catalog {path} cannot be used: {error}",
            remedy="Check the disk's free space and the folder's permissions",
            transient=True,
        ) from error


@contextlib.contextmanager
def _broken_is_told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise LyricsyncError(
            f"The catalog {path} is broken: {error}",
            remedy="Move it away: a scan makes a new one, and no lyrics are lost",
        ) from error


def _look(path: Path) -> Fingerprint:
    try:
        return Fingerprint.of(path)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be queued: {error.strerror}", remedy="Check the path"
        ) from error


# Inside a transaction


def _enqueue(db: sqlite3.Connection, request: Request, seen: Fingerprint, now: float) -> Queued:
    # Not resolve(): a link in the library is a song of its own place.
    path = Path(os.path.abspath(request.path))  # noqa: PTH100
    entry = _by_path(db, path) or _moved(db, path, seen)
    if entry is None:
        library = request.library if request.library is not None else path.parent
        db.execute(
            "INSERT INTO tracks (path, folder, library, size, mtime_ns, inode, priority, why,"
            " enqueued_at, next_attempt_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                os.fsencode(path),
                os.fsencode(path.parent),
                os.fsencode(library),
                seen.size,
                seen.mtime_ns,
                seen.inode,
                int(request.priority),
                request.reason,
                now,
                now,
            ),
        )
        return Queued.NEW
    changed = seen != entry.fingerprint
    if request.library is not None and entry.library != request.library:
        db.execute(
            "UPDATE tracks SET library = ? WHERE id = ?",
            (os.fsencode(request.library), entry.id),
        )
    if entry.missing_since is not None:
        db.execute("UPDATE tracks SET missing_since = NULL WHERE id = ?", (entry.id,))
    if entry.state is State.WORKING:
        if changed:
            db.execute(
                "UPDATE tracks SET seen_size = ?, seen_mtime_ns = ? WHERE id = ?",
                (seen.size, seen.mtime_ns, entry.id),
            )
        return Queued.WORKING
    if entry.state is State.IGNORED and not request.force:
        return Queued.IGNORED
    if entry.state is State.PENDING:
        # A person, or a player, does not wait for a backoff to end.
        hurry = changed or request.force or request.priority >= Priority.PERSON
        db.execute(
            "UPDATE tracks SET priority = MAX(priority, ?), size = ?, mtime_ns = ?, inode = ?,"
            " next_attempt_at = MIN(next_attempt_at, ?), error = CASE WHEN ? THEN NULL ELSE error"
            " END WHERE id = ?",
            (
                int(request.priority),
                seen.size,
                seen.mtime_ns,
                seen.inode,
                now if hurry else entry.next_attempt_at,
                hurry,
                entry.id,
            ),
        )
        return Queued.WAITING
    if not changed and not request.force:
        return Queued.UNCHANGED
    db.execute(
        "UPDATE tracks SET state = 'pending', priority = ?, why = ?, enqueued_at = ?,"
        " next_attempt_at = ?, attempts = 0, crashes = 0, retries = 0, size = ?, mtime_ns = ?,"
        " inode = ? WHERE id = ?",
        (
            int(request.priority),
            request.reason,
            now,
            now,
            seen.size,
            seen.mtime_ns,
            seen.inode,
            entry.id,
        ),
    )
    return Queued.AGAIN


def _moved(db: sqlite3.Connection, path: Path, seen: Fingerprint) -> Entry | None:
    """The song that was moved to ``path``: same inode, same looks, and no file where it was.

    It keeps what is known of it, unless its sidecars stayed behind: then it is made anew.
    """
    rows = db.execute(
        "SELECT * FROM tracks WHERE inode = ? AND size = ? AND mtime_ns = ? AND state != 'working'"
        " LIMIT 8",  # hard links may be many
        (seen.inode, seen.size, seen.mtime_ns),
    ).fetchall()
    for entry in map(_entry, rows):
        if seen.inode and not os.path.lexists(entry.path):
            written = [_beside(side, entry.path, path) for side in entry.written]
            left_behind = any(not side.exists() for side in written)
            db.execute(
                "UPDATE tracks SET path = ?, folder = ?, missing_since = NULL, written = ?,"
                " size = CASE WHEN ? THEN -1 ELSE size END WHERE id = ?",
                (
                    os.fsencode(path),
                    os.fsencode(path.parent),
                    json.dumps([str(side) for side in written]),
                    left_behind,
                    entry.id,
                ),
            )
            return _get(db, entry.id)
    return None


def _beside(sidecar: Path, old: Path, new: Path) -> Path:
    """Where a sidecar is if it moved with its song."""
    if sidecar == old:
        return new
    name = sidecar.name
    if name.startswith(old.stem):
        name = new.stem + name[len(old.stem) :]
    return new.parent / name


def _expire(db: sqlite3.Connection, now: float, holding: Sequence[int]) -> None:
    """Take back leases whose owner has stopped beating."""
    kept = ",".join(str(int(id)) for id in holding)
    expired = db.execute(
        "UPDATE tracks SET state = 'pending', lease_owner = NULL, leased_until = NULL,"
        " stage = NULL, progress = NULL, next_attempt_at = ?"
        f" WHERE state = 'working' AND leased_until < ? AND id NOT IN ({kept})",
        (now, now),
    )
    if expired.rowcount:
        _set_aside(db, now)


def _set_aside(db: sqlite3.Connection, now: float) -> None:
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


def _release(
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
    return _update_held(db, id, owner, changes, arguments)


def _update_held(
    db: sqlite3.Connection, id: int, owner: str, changes: str, arguments: tuple[Any, ...]
) -> bool:
    """Change a song if its lease still holds."""
    changed = db.execute(
        f"UPDATE tracks SET {changes} WHERE id = ? AND lease_owner = ? AND state = 'working'",
        (*arguments, id, owner),
    )
    return changed.rowcount == 1


def _finish(
    db: sqlite3.Connection,
    id: int,
    owner: str,
    outcome: Outcome,
    now_is: Fingerprint | None,
    now: float,
) -> bool:
    entry = _get(db, id)
    if entry is None or entry.state is not State.WORKING or entry.lease_owner != owner:
        return False
    looks = now_is or entry.fingerprint
    seen = db.execute("SELECT seen_size, seen_mtime_ns FROM tracks WHERE id = ?", (id,)).fetchone()
    changed = seen[0] is not None and Fingerprint(seen[0], seen[1]) != looks
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
        state, due, looks = (
            State.PENDING,
            now,
            Fingerprint(seen[0], seen[1], entry.fingerprint.inode),
        )
    db.execute(
        """
        UPDATE tracks SET state = ?, next_attempt_at = ?, retries = ?, attempts = 0, crashes = 0,
            priority = CASE WHEN ? = 'pending' THEN priority ELSE 0 END,
            size = ?, mtime_ns = ?, inode = ?, lease_owner = NULL, leased_until = NULL,
            stage = NULL, progress = NULL, finished_at = ?, quality = ?, decision = ?, reason = ?,
            source = ?, language = ?, separator = ?, aligner = ?, lines = ?, words = ?,
            stages = ?, written = ?, notes = ?, error_class = ?, error = ?
        WHERE id = ?
        """,
        (
            state.value,
            due,
            retries,
            state.value,
            looks.size,
            looks.mtime_ns,
            looks.inode,
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
            json.dumps(dict(outcome.stages)),
            json.dumps([str(path) for path in outcome.written]),
            json.dumps(list(outcome.notes)),
            outcome.error_class,
            outcome.error,
            id,
        ),
    )
    return True


def _get(db: sqlite3.Connection, id: int) -> Entry | None:
    row = db.execute("SELECT * FROM tracks WHERE id = ?", (id,)).fetchone()
    return None if row is None else _entry(row)


def _by_path(db: sqlite3.Connection, path: Path) -> Entry | None:
    row = db.execute("SELECT * FROM tracks WHERE path = ?", (os.fsencode(path),)).fetchone()
    return None if row is None else _entry(row)


def _setting(db: sqlite3.Connection, name: str) -> str | None:
    row = db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return None if row is None else row[0]


def _set(db: sqlite3.Connection, name: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))


_SAME = [
    name
    for name in Entry.__slots__
    if name not in ("path", "library", "fingerprint", "state", "stages", "written", "notes")
]


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        path=Path(os.fsdecode(row["path"])),
        library=Path(os.fsdecode(row["library"])),
        fingerprint=Fingerprint(row["size"], row["mtime_ns"], row["inode"]),
        state=State(row["state"]),
        stages=json.loads(row["stages"]),
        written=tuple(Path(path) for path in json.loads(row["written"])),
        notes=tuple(json.loads(row["notes"])),
        **{name: row[name] for name in _SAME},
    )
