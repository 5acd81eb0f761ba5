"""Answers of web services, kept on disk so that nobody is asked the same thing twice.

Each kind of answer has an expiry of its own: what was found, what was not (longer each time: few
songs get words on their second day), what was refused. That a host was *unreachable* is no answer
of its; `pace` sees to that. The file may be deleted at any time, and is bounded.
"""

from __future__ import annotations

import contextlib
import contextvars
import hashlib
import logging
import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from lyricsyncd import sqlite_files
from lyricsyncd.config.paths import hand_over
from lyricsyncd.errors import Refused

_log = logging.getLogger(__name__)

_HOUR, _DAY = 3600.0, 86400.0
FOUND_S = 7 * _DAY
NOT_FOUND_S = (_DAY, 7 * _DAY, 30 * _DAY)
"""How long it is believed that there is no such thing, each time it is not found again; the last
one repeats. The service takes up songs without words again on this same schedule."""
REFUSED_S = _HOUR
_EARLY = 0.9
"""Share of an expiry after which "not found" is asked anew: who comes back on schedule is not to be
told what was found last time."""
MOST_BYTES = 64 << 20
MOST_ROWS = 50_000
_PRUNE_EVERY = 200
_REMOVALS = 3
"""A disk that damages the file again and again is not used any more."""
_VERSION = 1
_NOTHING = frozenset({b"", b"[]", b"{}", b"null"})
"""Good answers that say "not found"."""

T = TypeVar("T")
_anew: contextvars.ContextVar[bool] = contextvars.ContextVar("anew", default=False)


@contextlib.contextmanager
def asking_anew() -> Iterator[None]:
    """Within, nothing is answered from the disk: a person wants to know how it is now."""
    token = _anew.set(True)
    try:
        yield
    finally:
        _anew.reset(token)


def key(method: str, url: str, secret: str = "", body: bytes = b"") -> bytes:
    """What a question is filed under. A secret takes part: another key may get another answer."""
    parts = (method.encode(), url.encode(), secret.encode(), body)
    return hashlib.sha256(b"\0".join(parts)).digest()


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer from the disk; ``None`` for "not found"."""

    body: bytes | None


class Answers:
    """The file of answers. Safe to share between threads and processes; every trouble with it
    costs one warning, and questions then go to the network.

    Parameters
    ----------
    path
        The file; made when it is first needed.
    clock
        Seconds since the epoch.
    """

    def __init__(
        self,
        path: Path,
        *,
        most_bytes: int = MOST_BYTES,
        most_rows: int = MOST_ROWS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._most_bytes, self._most_rows = most_bytes, most_rows
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._broken = False
        self._puts = self._removals = 0

    def get(self, key: bytes) -> Kept | None:
        """The answer to a question, if one is kept and still believed.

        Raises
        ------
        Refused
            That was the answer.
        """
        if _anew.get():
            return None

        def read(db: sqlite3.Connection) -> tuple[str, bytes | None] | None:
            row = db.execute(
                "SELECT kind, body FROM answers WHERE key = ? AND until > ?", (key, self._clock())
            ).fetchone()
            return None if row is None else (row[0], _unpacked(row[1]))

        found = self._guarded(read)
        if found is None:
            return None
        kind, body = found
        if kind == "refused":
            raise Refused((body or b"").decode("utf-8", "replace"))
        return Kept(body)

    def put(self, key: bytes, body: bytes | None, *, lasts: float = FOUND_S) -> None:
        """Keep an answer; ``None`` for "not found".

        Parameters
        ----------
        lasts
            Seconds that it is believed, if something was found.
        """
        if body is not None and body.strip() not in _NOTHING:
            self._write(key, "found", body, lambda _misses: lasts)
            return
        self._write(
            key,
            "nothing",
            body,
            lambda misses: _EARLY * NOT_FOUND_S[min(misses, len(NOT_FOUND_S) - 1)],
        )

    def put_refused(self, key: bytes, error: Refused) -> None:
        """Keep that a question was refused."""
        self._write(key, "refused", error.message.encode("utf-8", "replace"), lambda _: REFUSED_S)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _write(
        self, key: bytes, kind: str, body: bytes | None, lasts: Callable[[int], float]
    ) -> None:
        packed = None if body is None else zlib.compress(body, 6)

        def write(db: sqlite3.Connection) -> None:
            row = db.execute("SELECT misses FROM answers WHERE key = ?", (key,)).fetchone()
            misses = 0 if row is None else row[0]
            now = self._clock()
            after = {"nothing": misses + 1, "found": 0}.get(kind, misses)
            db.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)",
                (key, kind, packed, now, now + lasts(misses), after),
            )
            self._puts += 1
            if self._puts % _PRUNE_EVERY == 1:
                self._prune(db)

        self._guarded(write)

    def _prune(self, connection: sqlite3.Connection) -> None:
        """Drop the oldest answers beyond the bounds."""
        rows, size = connection.execute(
            "SELECT COUNT(*), COALESCE(SUM(LENGTH(body) + 200), 0) FROM answers"
        ).fetchone()
        if rows <= self._most_rows and size <= self._most_bytes:
            return
        keep = min(0.8, 0.8 * self._most_rows / rows, 0.8 * self._most_bytes / max(1, size))
        connection.execute(
            "DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY at LIMIT ?)",
            (rows - int(rows * keep),),
        )

    def _guarded(self, step: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do something with the file, in one transaction; ``None`` where it cannot be used."""
        with self._lock:
            try:
                connection = self._opened()
                if connection is None:
                    return None
                with connection:
                    return step(connection)
            except (sqlite3.Error, UnicodeDecodeError, OSError, zlib.error) as error:
                # Another process is at it for long: the next answer may be kept again.
                if "locked" not in str(error):
                    self._give_up(error)
                    if _is_damage(error) and self._removals < _REMOVALS:
                        # All that it held can be had again.
                        self._removals += 1
                        self._broken = not self._removed()
                return None

    @property
    def folder(self) -> Path:
        """Where the file is."""
        return self._path.parent

    def _opened(self) -> sqlite3.Connection | None:
        if self._broken:
            return None
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._connection = _connect(self._path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                # Not a database, or a broken one: it held nothing that cannot be had again.
                self._path.unlink(missing_ok=True)
                self._connection = _connect(self._path)
        return self._connection

    def _removed(self) -> bool:
        """Delete the file, of which a new one is made for the next answer; whether that went."""
        try:
            for suffix in ("", "-journal"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        except OSError:
            return False
        return True

    def _give_up(self, error: Exception) -> None:
        _log.warning("the cache %s is not used: %s", self._path, error)
        self._broken = True
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _is_damage(error: Exception) -> bool:
    return isinstance(error, zlib.error) or sqlite_files.is_damage(error)


def _unpacked(body: bytes | None) -> bytes | None:
    return None if body is None else zlib.decompress(body)


def _connect(path: Path) -> sqlite3.Connection:
    # What songs somebody has is nobody else's business.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    hand_over(path)
    connection = sqlite3.connect(path, timeout=2.0, check_same_thread=False)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != _VERSION:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("DROP TABLE IF EXISTS answers")
                connection.execute(
                    "CREATE TABLE answers (key BLOB PRIMARY KEY, kind TEXT, body BLOB,"
                    " at REAL, until REAL, misses INTEGER) WITHOUT ROWID"
                )
                connection.execute("CREATE INDEX oldest ON answers (at)")
                connection.execute(f"PRAGMA user_version = {_VERSION}")
        # A lost cache after a power cut is cheaper than a flush for every answer.
        connection.execute("PRAGMA synchronous = OFF")
    except BaseException:
        connection.close()
        raise
    return connection


def shared() -> Answers:
    """The one file of answers of this process, in the cache folder."""
    from lyricsyncd.config.paths import cache_dir

    path = cache_dir() / "answers.sqlite"
    with _shared_lock:
        if path not in _shared:
            _shared[path] = Answers(path)
        return _shared[path]


_shared: dict[Path, Answers] = {}
_shared_lock = threading.Lock()
