"""Cache the responses of web services on disk, so that no request is repeated needlessly.

Each kind of response has its own expiry: found, not found (longer each time, as few songs get
lyrics on their second day), refused. A host that is *unreachable* gives no response;
`lyricsyncd.http.rate_limit` handles it. The file may be deleted at any time, and is bounded.
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
"""Expiry of "not found", by the number of times in a row; the last one repeats. The service looks
up songs without lyrics again on the same schedule."""
REFUSED_S = _HOUR
_EARLY = 0.9
"""Share of its expiry after which "not found" is not used any more, so that a look-up on schedule
does not get the cached response."""
_SLACK_S = 60.0
"""A response from further in the future was stored by a clock that was wrong, and would be used
until that time has come."""
MOST_BYTES = 64 << 20
MOST_ROWS = 50_000
_PRUNE_EVERY = 200
_REMOVALS = 3
"""Most times that a damaged file is made anew: then the disk is probably defective."""
_VERSION = 1
_NOTHING = frozenset({b"", b"[]", b"{}", b"null"})
"""Bodies of successful responses that mean "not found"."""

T = TypeVar("T")
_unused: contextvars.ContextVar[bool] = contextvars.ContextVar("unused", default=False)


@contextlib.contextmanager
def without_cache() -> Iterator[None]:
    """Ignore cached responses within the context, for a look-up that the user requests."""
    token = _unused.set(True)
    try:
        yield
    finally:
        _unused.reset(token)


def key(method: str, url: str, secret: str = "", body: bytes = b"") -> bytes:
    """Return the key of a request; a secret is part of it, as responses may depend on it."""
    parts = (method.encode(), url.encode(), secret.encode(), body)
    return hashlib.sha256(b"\0".join(parts)).digest()


@dataclass(frozen=True, slots=True)
class Cached:
    """A cached response; its body is ``None`` for "not found"."""

    body: bytes | None


class ResponseCache:
    """Store responses in a file. Safe to share between threads and processes.

    A file that cannot be used is warned of once, and requests are then sent to the network.

    Parameters
    ----------
    path
        The file; made when it is first needed.
    clock
        Returns seconds since the epoch.
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

    def get(self, key: bytes) -> Cached | None:
        """Return the cached response, unless it has expired.

        Raises
        ------
        Refused
            The cached response is a refusal.
        """
        if _unused.get():
            return None

        def read(db: sqlite3.Connection) -> tuple[str, bytes | None] | None:
            now = self._clock()
            row = db.execute(
                "SELECT kind, body FROM answers WHERE key = ? AND until > ? AND at <= ?",
                (key, now, now + _SLACK_S),
            ).fetchone()
            return None if row is None else (row[0], _unpacked(row[1]))

        found = self._guarded(read)
        if found is None:
            return None
        kind, body = found
        if kind == "refused":
            raise Refused((body or b"").decode("utf-8", "replace"))
        return Cached(body)

    def put(self, key: bytes, body: bytes | None, *, lasts: float = FOUND_S) -> None:
        """Cache a response; ``None`` for "not found".

        Parameters
        ----------
        lasts
            Its expiry in seconds, if something was found.
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
        """Cache that a request was refused."""
        self._write(key, "refused", error.message.encode("utf-8", "replace"), lambda _: REFUSED_S)

    def close(self) -> None:
        """Close the file."""
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
        """Delete responses beyond the bounds: those of a wrong clock, then the oldest."""
        rows, size = connection.execute(
            "SELECT COUNT(*), COALESCE(SUM(LENGTH(body) + 200), 0) FROM answers"
        ).fetchone()
        if rows <= self._most_rows and size <= self._most_bytes:
            return
        keep = min(0.8, 0.8 * self._most_rows / rows, 0.8 * self._most_bytes / max(1, size))
        connection.execute(
            "DELETE FROM answers WHERE key IN"
            " (SELECT key FROM answers ORDER BY at <= ?, at LIMIT ?)",
            (self._clock() + _SLACK_S, rows - int(rows * keep)),
        )

    def _guarded(self, step: Callable[[sqlite3.Connection], T]) -> T | None:
        """Run a step in one transaction; ``None`` where the file cannot be used."""
        with self._lock:
            try:
                connection = self._opened()
                if connection is None:
                    return None
                with connection:
                    return step(connection)
            except (sqlite3.Error, UnicodeDecodeError, OSError, zlib.error) as error:
                # Another process has it locked for long: the next response may be cached again.
                if "locked" not in str(error):
                    self._give_up(error)
                    if _is_damage(error) and self._removals < _REMOVALS:
                        # All that it held can be requested again.
                        self._removals += 1
                        self._broken = not self._removed()
                return None

    @property
    def folder(self) -> Path:
        """The folder of the file."""
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
                # Not a database, or a damaged one: all that it held can be requested again.
                self._path.unlink(missing_ok=True)
                self._connection = _connect(self._path)
        return self._connection

    def _removed(self) -> bool:
        """Delete the file, to be made anew for the next response; return whether that succeeded."""
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
    # Readable for the user alone: it shows which songs are in the library.
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
        # A lost cache after a power cut is cheaper than a flush for every response.
        connection.execute("PRAGMA synchronous = OFF")
    except BaseException:
        connection.close()
        raise
    return connection


def shared() -> ResponseCache:
    """Return the cache of this process, in the cache folder."""
    from lyricsyncd.config.paths import cache_dir

    path = cache_dir() / "answers.sqlite"
    with _shared_lock:
        if path not in _shared:
            _shared[path] = ResponseCache(path)
        return _shared[path]


_shared: dict[Path, ResponseCache] = {}
_shared_lock = threading.Lock()
