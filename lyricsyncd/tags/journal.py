"""Record what we write, and what was there before, in one SQLite file of the state folder.

An entry is on disk before its file is touched, so that after a crash there may be an entry too
many, never one too few. An entry whose write never happened does no harm: its content is found
nowhere. Several processes may use one journal; each call opens and closes its own
connection, and repairs a damaged file (`journal_file`).
"""

from __future__ import annotations

import hashlib
import os
import time
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lyricsyncd.config.paths import state_dir
from lyricsyncd.tags.journal_file import COLUMNS, Entry, JournalFile, Kind, entry_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

SIDECAR = "sidecar"
NAME = "journal.db"


def digest(content: bytes | None) -> str | None:
    """Compute the hash that identifies content; ``None`` for no content."""
    return None if content is None else hashlib.sha256(content).hexdigest()


def located(path: Path) -> Path:
    """Return a path as the journal stores it: absolute, with links of folders resolved, but not a
    link that is the file itself."""
    return Path(os.path.realpath(path.parent)) / path.name


class Journal:
    """Record and find the writes of one installation.

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
        self._file = JournalFile(self.path)

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
        """Record a write, then make it in the block; if that fails, the entry is deleted.

        ``before`` is the content that `undo` restores, and ``before_hash`` its hash.
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
        number = self._file.transact(
            lambda db: (
                db.execute(
                    "INSERT INTO entries (at, kind, song, path, before, before_hash, after_hash,"
                    " by_hand) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    values,
                ).lastrowid
            )
        )
        try:
            yield
        except Exception:
            self._file.transact(
                lambda db: db.execute("DELETE FROM entries WHERE id = ?", (number,))
            )
            raise

    def author(self, path: Path, kind: Kind, content_hash: str | None) -> Entry | None:
        """Return the last entry that left this content at this path; ``None`` if we did not."""
        found = self._entries(
            "path = ? AND kind = ? AND after_hash = ? ORDER BY id DESC LIMIT 1",
            (os.fsencode(located(path)), kind, content_hash),
        )
        return found[0] if found else None

    def entries(
        self, below: Iterable[Path] | None = None, since: float | None = None
    ) -> tuple[Entry, ...]:
        """List what was written and not undone, oldest first.

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
        """List what was written for one song and not undone, oldest first."""
        values = (os.fsencode(located(song)),)
        return tuple(self._entries("undone = 0 AND song = ? ORDER BY id", values))

    def knows(self, path: Path) -> bool:
        """Return whether anything was written, undone or not, for a song, or as or below a path."""
        if not self.path.exists():
            return False
        places = [os.fsencode(place) for place in _places(path)]
        return self._file.transact(
            lambda db: any(
                db.execute(
                    "SELECT 1 FROM entries WHERE song = ? OR path = ? OR (song > ? AND song < ?)"
                    " LIMIT 1",
                    # The byte after the slash.
                    (place, place, place.rstrip(b"/") + b"/", place.rstrip(b"/") + b"0"),
                ).fetchone()
                for place in places
            )
        )

    def songs_named(self, text: str) -> tuple[Path, ...]:
        """List the songs that something was written for, with a text in their names."""
        if not self.path.exists():
            return ()
        query = "SELECT DISTINCT song FROM entries ORDER BY song"
        rows = self._file.transact(lambda db: db.execute(query).fetchall())
        songs = [Path(os.fsdecode(song)) for (song,) in rows]
        return tuple(song for song in songs if text.casefold() in song.name.casefold())

    def undone(self, song: Path) -> bool:
        """Return whether a person undid our lyrics of this song, and none were written since.

        They are not written again unless a person requests it.
        """
        if not self.path.exists():
            return False
        row = self._file.transact(
            lambda db: db.execute(
                "SELECT undone FROM entries WHERE song = ? ORDER BY id DESC LIMIT 1",
                (os.fsencode(located(song)),),
            ).fetchone()
        )
        return bool(row and row[0])

    def moved(self, song: Path, new_song: Path, paths: Iterable[tuple[Path, Path]]) -> None:
        """Change the entries of a song, and of its files (old, new), to the new paths."""
        pairs = list(paths)

        def move(db: sqlite3.Connection) -> None:
            for old, new in pairs:
                db.execute(
                    "UPDATE entries SET path = ?, song = ? WHERE path = ? AND song = ?",
                    tuple(os.fsencode(located(path)) for path in (new, new_song, old, song)),
                )
            # What a person undid is not written again because the song has another name now.
            db.execute(
                "UPDATE entries SET song = ? WHERE song = ? AND undone = 1",
                tuple(os.fsencode(located(path)) for path in (new_song, song)),
            )

        self._file.transact(move)

    def folders(self, count: int) -> tuple[Path, ...]:
        """List the folders of the last ``count`` writes."""
        found = self._entries("id > (SELECT MAX(id) FROM entries) - ?", (count,))
        return tuple(dict.fromkeys(entry.path.parent for entry in found))

    def close_entries(self, entries: Iterable[Entry]) -> None:
        """Mark entries as undone."""
        ids = [(entry.id,) for entry in entries]
        self._file.transact(
            lambda db: db.executemany("UPDATE entries SET undone = 1 WHERE id = ?", ids)
        )

    def back_up(self) -> None:
        """Copy the journal, if it changed since its last copy; repair it where it is damaged."""
        self._file.back_up()

    def check(self) -> None:
        """Check for damage, and repair it."""
        self._file.check()

    def _entries(self, where: str, values: tuple[Any, ...]) -> list[Entry]:
        if not self.path.exists():
            return []
        rows = self._file.transact(
            lambda db: db.execute(f"SELECT {COLUMNS} FROM entries WHERE {where}", values).fetchall()
        )
        return [entry for row in rows if (entry := entry_of(row)) is not None]


def _is_below(entry: Entry, paths: list[Path]) -> bool:
    for path in paths:
        for root in _places(path):
            if root in (entry.song, entry.path) or root in entry.song.parents:
                return True
    return False


def _places(path: Path) -> set[Path]:
    """Return the paths by which the journal may know a path: a folder may itself be a link, which
    `located` does not resolve."""
    return {located(path), Path(os.path.realpath(path))}
