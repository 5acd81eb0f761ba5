"""What we wrote, and what was there before: one SQLite file in the state folder.

An entry is on disk before the file it speaks of is touched, so that after a crash there may be an
entry too many, never one too few. An entry whose write never came about does no harm: its content
is found nowhere. Several processes may use one journal; each call opens and closes its own
connection.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
import zlib
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lyricsyncd.config import private
from lyricsyncd.config.paths import hand_over, state_dir
from lyricsyncd.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Kind = str
"""``sidecar``, or ``tag:`` and the slot of a song's tags that holds lyrics."""
SIDECAR = "sidecar"

NAME = "journal.db"
_PATIENCE_S = 30.0
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
    """One write."""

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


def digest(content: bytes | None) -> str | None:
    """The hash by which content is known again; ``None`` for nothing."""
    return None if content is None else hashlib.sha256(content).hexdigest()


def located(path: Path) -> Path:
    """The path as the journal has it: absolute, links of folders resolved, the file's own kept."""
    return Path(os.path.realpath(path.parent)) / path.name


class Journal:
    """The journal of one installation.

    Parameters
    ----------
    path : Path, optional
        The database; by default ``journal.db`` in the state folder. Made at the first write.

    Notes
    -----
    Every method raises `JournalError` where the database cannot be used.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path if path is not None else state_dir() / NAME

    @contextmanager
    def recording(
        self,
        kind: Kind,
        *,
        song: Path,
        path: Path,
        before: bytes | None,
        before_hash: str | None,
        after_hash: str | None,
        by_hand: bool = False,
    ) -> Iterator[None]:
        """Record a write, then let it happen; if it fails, the entry is taken back.

        ``before`` is what brings back what was there, and ``before_hash`` what it is known by.
        """
        values = (
            time.time(),
            kind,
            os.fsencode(located(song)),
            os.fsencode(located(path)),
            None if before is None else zlib.compress(before),
            before_hash,
            after_hash,
            by_hand,
        )
        with self._connection() as connection:
            number = connection.execute(
                "INSERT INTO entries (at, kind, song, path, before, before_hash, after_hash,"
                " by_hand) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                values,
            ).lastrowid
        try:
            yield
        except Exception:
            with self._connection() as connection:
                connection.execute("DELETE FROM entries WHERE id = ?", (number,))
            raise

    def author(self, path: Path, kind: Kind, content_hash: str | None) -> Entry | None:
        """The last entry that left this content at this path; ``None`` if that was not us."""
        found = self._entries(
            "path = ? AND kind = ? AND after_hash = ? ORDER BY id DESC LIMIT 1",
            (os.fsencode(located(path)), kind, content_hash),
        )
        return found[0] if found else None

    def entries(
        self, below: Iterable[Path] | None = None, since: float | None = None
    ) -> tuple[Entry, ...]:
        """What was written and not taken back, oldest first.

        Parameters
        ----------
        below
            Songs, sidecars, or folders of them; by default everything.
        since
            Seconds since 1970; entries before are left out.
        """
        paths = None if below is None else list(below)
        found = self._entries("undone = 0 AND at >= ? ORDER BY id", (since or 0.0,))
        return tuple(entry for entry in found if paths is None or _is_below(entry, paths))

    def of_song(self, song: Path) -> tuple[Entry, ...]:
        """What was written for one song and not taken back, oldest first."""
        values = (os.fsencode(located(song)),)
        return tuple(self._entries("undone = 0 AND song = ? ORDER BY id", values))

    def knows(self, path: Path) -> bool:
        """Whether anything was written, taken back or not, for a song, or as or below a path."""
        if not self.path.exists():
            return False
        places = [os.fsencode(place) for place in _places(path)]
        with self._connection() as connection:
            return any(
                connection.execute(
                    "SELECT 1 FROM entries WHERE song = ? OR path = ? OR (song > ? AND song < ?)"
                    " LIMIT 1",
                    # The byte after the slash.
                    (place, place, place.rstrip(b"/") + b"/", place.rstrip(b"/") + b"0"),
                ).fetchone()
                for place in places
            )

    def songs_named(self, text: str) -> tuple[Path, ...]:
        """The songs that something was written for, with a text in their names."""
        if not self.path.exists():
            return ()
        with self._connection() as connection:
            rows = connection.execute("SELECT DISTINCT song FROM entries ORDER BY song").fetchall()
        songs = [Path(os.fsdecode(song)) for (song,) in rows]
        return tuple(song for song in songs if text.casefold() in song.name.casefold())

    def undone(self, song: Path) -> bool:
        """Whether a person took our lyrics of this song back, and none were written since.

        What nobody asked for a second time should not be written a second time.
        """
        if not self.path.exists():
            return False
        with self._connection() as connection:
            row = connection.execute(
                "SELECT undone FROM entries WHERE song = ? ORDER BY id DESC LIMIT 1",
                (os.fsencode(located(song)),),
            ).fetchone()
        return bool(row and row[0])

    def moved(self, song: Path, new_song: Path, paths: Iterable[tuple[Path, Path]]) -> None:
        """Have the entries of a song, and of its files (old, new), speak of where they are now."""
        with self._connection() as connection:
            for old, new in paths:
                connection.execute(
                    "UPDATE entries SET path = ?, song = ? WHERE path = ? AND song = ?",
                    tuple(os.fsencode(located(path)) for path in (new, new_song, old, song)),
                )
            # What a person took back is not written anew because the song has another name now.
            connection.execute(
                "UPDATE entries SET song = ? WHERE song = ? AND undone = 1",
                tuple(os.fsencode(located(path)) for path in (new_song, song)),
            )

    def folders(self, count: int) -> tuple[Path, ...]:
        """The folders of the last writes, at most ``count`` writes back."""
        found = self._entries("id > (SELECT MAX(id) FROM entries) - ?", (count,))
        return tuple(dict.fromkeys(entry.path.parent for entry in found))

    def close_entries(self, entries: Iterable[Entry]) -> None:
        """Mark entries as taken back."""
        with self._connection() as connection:
            connection.executemany(
                "UPDATE entries SET undone = 1 WHERE id = ?", [(entry.id,) for entry in entries]
            )

    def _entries(self, where: str, values: tuple[Any, ...]) -> list[Entry]:
        if not self.path.exists():
            return []
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT id, at, kind, song, path, before, before_hash, after_hash, by_hand"
                f" FROM entries WHERE {where}",
                values,
            ).fetchall()
        return [_entry(row) for row in rows]

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction, which is on disk at the end of the block."""
        try:
            private.make_folder(self.path.parent)
            private.make_file(self.path)
            with closing(sqlite3.connect(self.path, timeout=_PATIENCE_S)) as connection:
                # A rollback journal, not WAL: writes are rare, and state folders lie on NAS mounts.
                connection.execute("PRAGMA synchronous = FULL")
                self._prepare(connection)
                hand_over(self.path)
                with connection:
                    yield connection
        except sqlite3.OperationalError as error:
            raise JournalError(
                f"the journal {self.path} cannot be used ({error}), so nothing was written",
                remedy=f"Make sure that {self.path.parent} can be written to and has free space",
                transient=True,
            ) from error
        except sqlite3.DatabaseError as error:
            raise JournalError(
                f"the journal {self.path} is damaged ({error}), so nothing was written",
                remedy="Move it away: a new one is made, and files of ours are known by their mark",
            ) from error
        except OSError as error:
            raise JournalError(
                f"the journal {self.path} cannot be made ({error.strerror}), so nothing was"
                " written",
                remedy=f"Make {self.path.parent} writable or set STATE_DIRECTORY to another folder",
            ) from error

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if _version(connection) == 0:
            connection.execute("BEGIN IMMEDIATE")
            # Another process may have been here first.
            if _version(connection) == 0:
                for statement in _SCHEMA:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
            connection.commit()
        if _version(connection) != _SCHEMA_VERSION:
            raise JournalError(
                f"the journal {self.path} is of a later version of lyricsyncd",
                remedy="Update lyricsyncd",
            )


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _entry(row: tuple[Any, ...]) -> Entry:
    number, at, kind, song, path, before, before_hash, after_hash, by_hand = row
    return Entry(
        number,
        at,
        kind,
        Path(os.fsdecode(song)),
        Path(os.fsdecode(path)),
        None if before is None else zlib.decompress(before),
        before_hash,
        after_hash,
        bool(by_hand),
    )


def _is_below(entry: Entry, paths: list[Path]) -> bool:
    for path in paths:
        for root in _places(path):
            if root in (entry.song, entry.path) or root in entry.song.parents:
                return True
    return False


def _places(path: Path) -> set[Path]:
    """What the journal may call a path. A folder may be a link itself, which `located` keeps."""
    return {located(path), Path(os.path.realpath(path))}
