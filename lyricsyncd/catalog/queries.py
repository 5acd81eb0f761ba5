"""Queries of the catalog: nothing here writes, and no other package holds SQL on it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from lyricsyncd import sqlite_files
from lyricsyncd.catalog.notes import Notes
from lyricsyncd.catalog.records import (
    BY_HAND,
    OTHER_SETTINGS,
    REQUESTED,
    SKIPPED_BY_SETTINGS,
    Entry,
    Fingerprint,
    Known,
    NamedSong,
    State,
    Subject,
)
from lyricsyncd.catalog.rows import (
    STATES,
    as_entry,
    entry_at,
    get_entry,
    marks,
    moved_here,
    pages,
    parsed,
    range_below,
    setting,
    there,
)
from lyricsyncd.unicode_forms import forms

SAME_LENGTH_S = 0.2
"""Tolerance of the lengths of one recording in files with different tags."""


class Queries(Notes):
    """The catalog's reading side."""

    def get(self, id: int) -> Entry | None:
        return self.read(lambda db: get_entry(db, id))

    def by_path(self, path: Path) -> Entry | None:
        return self.read(lambda db: entry_at(db, path))

    def ids(self, paths: Sequence[Path]) -> dict[Path, int]:
        """Return the numbers of songs; those that are not known are left out."""
        return self.read(lambda db: _ids(db, paths))

    def counts(self) -> dict[State, int]:
        """Count the songs in each state; those that are missing do not count."""
        counts = dict.fromkeys(State, 0)
        rows = self._rows(
            "SELECT state, COUNT(*) FROM tracks WHERE missing_since IS NULL GROUP BY state"
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
        """List songs by id: those whose path in the library, artist or title contains ``text``."""
        chosen = _matching(states, text)
        if chosen is None:
            return []
        where, values = chosen
        query = f"SELECT * FROM tracks WHERE id > ? AND {where} ORDER BY id LIMIT ?"
        arguments = (after, *values, limit)
        return self._entries(query, arguments)

    def order(
        self, states: Sequence[State], text: str, by: str, limit: int | None = None
    ) -> list[int]:
        """Return the numbers of the songs that `entries` would find, in an order of `ORDERS`;
        those that are missing are left out. The first few alone cost far less than all."""
        chosen = _matching(states, text)
        if chosen is None:
            return []
        where, values = chosen
        # All songs are read to find those that match a text: in the order of an index that takes
        # three times as long as with a sort of the few that do.
        tracks = "tracks NOT INDEXED" if text else "tracks"
        query = (
            f"SELECT id FROM {tracks} WHERE missing_since IS NULL AND {where}"
            f" ORDER BY {ORDERS[by]}, id LIMIT ?"
        )
        # SQLite takes a negative limit for none.
        return self._numbers(query, (*values, -1 if limit is None else limit))

    def get_many(self, ids: Sequence[int]) -> list[Entry]:
        """Return songs by their numbers, in that order; those that are not known are left out."""
        found: dict[int, Entry] = {}
        for page in pages(ids):
            query = f"SELECT * FROM tracks WHERE id IN ({marks(page)})"
            found |= {entry.id: entry for entry in self._entries(query, page)}
        return [found[id] for id in ids if id in found]

    def queue(self, limit: int = 100) -> list[Entry]:
        """List what is in work, then what comes next, in the order in which it would be claimed.

        Among songs of one priority libraries take turns, the one that waited longest first.
        """
        now = self.clock()

        def first(db: sqlite3.Connection) -> list[Entry]:
            libraries = [
                library for (library,) in db.execute("SELECT DISTINCT library FROM tracks")
            ]
            ids: list[int] = []
            for library in libraries:
                # Of each library only as many as are wanted: a sort of all would take seconds.
                found = db.execute(
                    """
                    SELECT id FROM tracks WHERE library IS :library AND missing_since IS NULL AND (
                        state IN ('working', 'pending')
                        OR (state = 'no_lyrics' AND next_attempt_at <= :now))
                    ORDER BY state != 'working', next_attempt_at > :now,
                        CASE WHEN next_attempt_at > :now THEN next_attempt_at END,
                        priority DESC, enqueued_at, id
                    LIMIT :limit
                    """,
                    {"library": library, "now": now, "limit": limit},
                )
                ids += [id for (id,) in found]
            rows = db.execute(
                f"""
                SELECT t.* FROM tracks t LEFT JOIN libraries l ON l.path = t.library
                WHERE t.id IN ({",".join(map(str, ids))})
                ORDER BY t.state != 'working', t.next_attempt_at > :now,
                    CASE WHEN t.next_attempt_at > :now THEN t.next_attempt_at END,
                    t.priority DESC,
                    ROW_NUMBER() OVER (
                        PARTITION BY t.state = 'working', t.next_attempt_at > :now,
                            t.priority, t.library
                        ORDER BY t.enqueued_at, t.id),
                    COALESCE(l.served_at, 0), t.enqueued_at, t.id
                LIMIT :limit
                """,
                {"now": now, "limit": limit},
            )
            return list(map(as_entry, rows))

        return self.read(first)

    def waiting(self) -> dict[str, int]:
        """Count the queued songs that wait for each host."""
        rows = self._rows(
            # The plus keeps SQLite from the index of states: most songs may be pending.
            "SELECT waits_for, COUNT(*) FROM tracks WHERE +state = 'pending'"
            " AND waits_for != '' AND missing_since IS NULL GROUP BY waits_for"
        )
        return dict(map(tuple, rows))

    def due_later(self) -> tuple[int, float | None]:
        """Count the queued songs that wait for a time and no host; return when the first is due."""
        count, first = self._row(
            "SELECT COUNT(*), MIN(next_attempt_at) FROM tracks WHERE state = 'pending'"
            " AND next_attempt_at > ? AND COALESCE(waits_for, '') = ''"
            " AND missing_since IS NULL",
            (self.clock(),),
        )
        return count, first

    def latest(self, limit: int) -> list[Entry]:
        """List the songs that came to an end last."""
        query = (
            "SELECT * FROM tracks WHERE finished_at IS NOT NULL AND missing_since IS NULL"
            " AND state NOT IN ('pending', 'working', 'ignored') ORDER BY finished_at DESC LIMIT ?"
        )
        return self._entries(query, (limit,))

    def songs_per_hour(self, within_s: float, at_least: int) -> float | None:
        """Return the pace at which songs came to an end lately; ``None`` where too few did."""
        now = self.clock()
        count, began = self._row(
            "SELECT COUNT(*), MIN(started_at) FROM (SELECT started_at FROM tracks"
            " WHERE finished_at > ? AND state NOT IN ('pending', 'working', 'ignored')"
            " ORDER BY finished_at DESC LIMIT 20)",
            (now - within_s,),
        )
        if count < at_least or began is None or began >= now:
            return None
        return float(3600.0 * count / (now - began))

    def skipped_by_settings(self) -> list[Entry]:
        """List the songs that an override of the configuration leaves alone."""
        query = "SELECT * FROM tracks WHERE state = 'ignored' AND substr(reason, 1, ?) = ?"
        start = SKIPPED_BY_SETTINGS
        return self._entries(query, (len(start), start))

    def awaiting_work(self, libraries: Sequence[Path]) -> list[Subject]:
        """List the songs of libraries that wait or are in work, and that no person named."""
        where = "state IN ('pending', 'working', 'no_lyrics') AND why != ?"
        return self.read(lambda db: _subjects(db, libraries, "FALSE", where, (REQUESTED,)))

    def placed_by_models(self, libraries: Sequence[Path]) -> list[Subject]:
        """List the songs of libraries whose words the models placed, and that no person has
        touched.

        Those that are queued because of other settings are among them, and those of any library for
        which the configuration had settings then.
        """
        where = f"({_PLACED} OR (state = 'pending' AND why = ?)) AND {_UNTOUCHED}"
        had = "COALESCE(overrides, '') != ''"
        return self.read(lambda db: _subjects(db, libraries, had, where, (OTHER_SETTINGS,)))

    def improvable(self, limit: int) -> list[int]:
        """List songs that other models placed than those noted, the least sure first.

        Those with words that a person changed or accepted are left out.
        """
        query = f"SELECT id {_IMPROVABLE} ORDER BY quality, id LIMIT ?"
        return [id for (id,) in self._rows(query, (limit,))]

    def count_improvable(self) -> int:
        """Count the songs of `improvable`."""
        query = f"SELECT COUNT(*) {_IMPROVABLE}"
        return int(self._row(query)[0])

    def is_improvable(self, id: int) -> bool:
        """Return whether a song is among those of `improvable`."""
        query = f"SELECT 1 {_IMPROVABLE} AND id = ?"
        return self._row(query, (id,)) is not None

    def shares_of_length(self, limit: int) -> list[float]:
        """Return the seconds that the models took per second of a song, for the latest ones."""
        query = (
            "SELECT stages, duration FROM tracks WHERE finished_at IS NOT NULL AND duration > 0"
            " AND aligner IS NOT NULL AND aligner NOT IN ('none', 'source')"
            " ORDER BY finished_at DESC LIMIT ?"
        )
        rows = self._rows(query, (limit,))
        return [
            seconds / duration
            for stages, duration in rows
            if (seconds := _placing_seconds(parsed(stages, dict))) > 0
        ]

    def next_due(self) -> float | None:
        """Return when the earliest queued song may be tried, which may be past."""
        row = self._row(
            "SELECT MIN(next_attempt_at) FROM tracks WHERE state IN ('pending', 'no_lyrics')"
            " AND missing_since IS NULL"
        )
        return None if row[0] is None else float(row[0])

    def unnamed(self, after: int, limit: int) -> list[tuple[int, Path, str | None]]:
        """List songs that have no key yet by which others find them: number, path, title."""
        rows = self._rows(
            "SELECT id, path, title FROM tracks WHERE name_key IS NULL AND id > ?"
            " ORDER BY id LIMIT ?",
            (after, limit),
        )
        return [(id, Path(os.fsdecode(path)), title) for id, path, title in rows]

    def all_folders(self) -> set[Path]:
        """Return every folder that has songs."""
        rows = self._rows("SELECT DISTINCT folder FROM tracks")
        return {Path(os.fsdecode(folder)) for (folder,) in rows}

    def below(self, folder: Path) -> list[Entry]:
        """List the songs in a folder and in all folders below it, by their paths."""
        return self._entries(
            "SELECT * FROM tracks WHERE path > ? AND path < ? ORDER BY path", range_below(folder)
        )

    def placed_like(self, id: int, duration: float, words: int) -> list[Entry]:
        """List other placed songs that are as long and have as many words, the latest first.

        There may be several by chance; what they are is not looked at.
        """
        return self._entries(
            "SELECT * FROM tracks WHERE id != ? AND words = ? AND missing_since IS NULL"
            " AND duration BETWEEN ? AND ? AND state IN ('done', 'mixed', 'lines')"
            " ORDER BY finished_at DESC LIMIT 5",
            (id, words, duration - SAME_LENGTH_S, duration + SAME_LENGTH_S),
        )

    def finished_between(self, since: float, until: float) -> list[Entry]:
        """Return the songs that came to an end after ``since`` and up to ``until``, by number."""
        query = "SELECT * FROM tracks WHERE finished_at > ? AND finished_at <= ? ORDER BY id"
        return self._entries(query, (since, until))

    def finished_counts(self, states: Sequence[str], since: float, until: float) -> dict[str, int]:
        """Count the songs that came to each of these ends after ``since`` and up to ``until``."""
        rows = self._rows(
            "SELECT state, COUNT(*) FROM tracks WHERE finished_at > ? AND finished_at <= ?"
            f" AND state IN ({marks(states)}) GROUP BY state",
            (since, until, *states),
        )
        return dict(map(tuple, rows))

    def failed_between(self, since: float, until: float, limit: int) -> list[Entry]:
        """Return the first songs that failed after ``since`` and up to ``until``."""
        query = (
            "SELECT * FROM tracks WHERE finished_at > ? AND finished_at <= ?"
            " AND state = 'failed' ORDER BY finished_at LIMIT ?"
        )
        return self._entries(query, (since, until, limit))

    def has_work(self, at: float) -> bool:
        """Return whether songs are in work or due at a moment."""
        row = self._row(
            "SELECT 1 FROM tracks WHERE missing_since IS NULL AND (state = 'working'"
            " OR (state = 'pending' AND next_attempt_at <= ?)) LIMIT 1",
            (at,),
        )
        return row is not None

    def last_finished(self) -> tuple[float | None, float | None]:
        """Return when a song was last finished, and the mean quality score of all songs."""
        at, quality = self._row(
            "SELECT MAX(finished_at), AVG(quality) FROM tracks WHERE missing_since IS NULL"
        )
        return at, quality

    def changed_since(self, since: float, limit: int) -> list[Entry]:
        """Return songs that are in work, or were queued, finished or missed after a moment."""
        query = (
            "SELECT * FROM tracks WHERE state = 'working' OR finished_at > ? OR enqueued_at > ?"
            " OR missing_since > ? ORDER BY id LIMIT ?"
        )
        arguments = (since, since, since, limit)
        return self._entries(query, arguments)

    def named(
        self, column: Literal["name_key", "recording_id"], values: Sequence[str]
    ) -> dict[str, list[NamedSong]]:
        """Map each value to the songs that have it and are not missing.

        Read a page at a time, so that no other thread waits long for the catalog.
        """
        found: dict[str, list[NamedSong]] = {}
        for page in pages(sorted(set(values))):
            for row in self.read(partial(_named, column=column, values=page)):
                found.setdefault(row[column], []).append(_as_named(row))
        return found

    # For a scan

    def in_folder(self, folder: Path) -> dict[Path, Entry]:
        """Return the songs directly in a folder."""
        rows = self._rows("SELECT * FROM tracks WHERE folder = ?", (os.fsencode(folder),))
        return {entry.path: entry for entry in map(as_entry, rows)}

    def known(self, folder: Path) -> dict[str, Known]:
        """Return the same by the file's name, and only what a scan needs: they may be many."""
        key = os.fsencode(folder)
        rows = self._rows(
            "SELECT id, path, size, mtime_ns, inode, state, missing_since, finished_at,"
            " error_class FROM tracks WHERE folder = ?",
            (key,),
        )
        return {
            os.fsdecode(path).rpartition("/")[2]: Known(
                id, Fingerprint(size, mtime_ns, inode), STATES[state], missing, finished, error
            )
            for id, path, size, mtime_ns, inode, state, missing, finished, error in rows
        }

    def moved(self, seen: Sequence[tuple[Path, Fingerprint]]) -> list[tuple[Path, Path]]:
        """Return the files, of those that were seen, that were moved: from where and to where."""

        def ask(db: sqlite3.Connection) -> list[tuple[Path, Path]]:
            paths = there(db, "path", [os.fsencode(path) for path, _ in seen])
            inodes = there(db, "inode", [stamp.inode for _, stamp in seen])
            return [
                (entry.path, path)
                for path, stamp in seen
                if stamp.inode in inodes
                and os.fsencode(path) not in paths
                and (entry := moved_here(db, stamp)) is not None
            ]

        return self.read(ask)

    def missing_longer(self, library: Path, seconds: float) -> list[Entry]:
        """List the songs of a library that have been missing for so long, with sidecars of ours."""
        arguments = (os.fsencode(library), self.clock() - seconds)
        return self._entries(
            "SELECT * FROM tracks WHERE library = ? AND missing_since < ? AND written != '[]'",
            arguments,
        )

    def folders(self, library: Path) -> set[Path]:
        """Return every folder of a library that has songs which are not missing."""
        rows = self._rows(
            "SELECT DISTINCT folder FROM tracks WHERE library = ? AND missing_since IS NULL",
            (os.fsencode(library),),
        )
        return {Path(os.fsdecode(folder)) for (folder,) in rows}

    def scanned_at(self, library: Path) -> float | None:
        """Return when a library was last gone through."""
        row = self._row("SELECT scanned_at FROM libraries WHERE path = ?", (os.fsencode(library),))
        return None if row is None or row[0] is None else float(row[0])

    # One query each

    def _entries(self, query: str, values: Sequence[object] = ()) -> list[Entry]:
        return self.read(lambda db: list(map(as_entry, db.execute(query, values))))

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        return self.read(lambda db: db.execute(query, values).fetchall())

    def _numbers(self, query: str, values: Sequence[object]) -> list[int]:
        def numbers(db: sqlite3.Connection) -> list[int]:
            cursor = db.cursor()
            # To make named rows of a hundred thousand takes longer than to sort them.
            cursor.row_factory = None
            return [number for (number,) in cursor.execute(query, values)]

        return self.read(numbers)

    def _row(self, query: str, values: Sequence[object] = ()) -> Any:
        return self.read(lambda db: db.execute(query, values).fetchone())


MODELS = "models"
"""Name under which the service notes what places songs now."""
_PLACED = """state IN ('done', 'mixed', 'lines', 'review') AND missing_since IS NULL
    AND aligner NOT IN ('none', 'source') AND decision IS NOT NULL"""
_UNEDITED = f"""COALESCE(placed_by, 'an earlier version') != '{BY_HAND}'
    AND id NOT IN (SELECT id FROM drafts WHERE by_hand = 1)"""
_UNTOUCHED = f"{_UNEDITED} AND id NOT IN (SELECT id FROM choices)"
_IMPROVABLE = f"""
    FROM tracks WHERE {_PLACED} AND {_UNEDITED}
    AND COALESCE(placed_by, '') != (SELECT value FROM settings WHERE name = '{MODELS}')
"""

ORDERS = {
    "id": "id",
    "artist": "artist IS NULL, artist COLLATE NOCASE, title COLLATE NOCASE, path",
    "title": "title IS NULL, title COLLATE NOCASE, artist COLLATE NOCASE, path",
    "score": "quality IS NULL, quality",
    "-score": "quality IS NULL, quality DESC",
    "-finished": "finished_at IS NULL, finished_at DESC",
}
"""Orders of songs; what is not known comes last."""


def _matching(states: Sequence[State], text: str) -> tuple[str, tuple[object, ...]] | None:
    """Return a condition on songs, and its values; ``None`` where no song can fulfil it."""
    if "\0" in text:
        # No name has it, and SQLite would take the text to end there.
        return None
    among = f"state IN ({marks(states)})" if states else "TRUE"
    chosen = tuple(state.value for state in states)
    if not text:
        return among, chosen
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    # Names need not be valid text, and SQLite's text must.
    patterns = [b"%" + form.encode("utf-8", "surrogateescape") + b"%" for form in forms(escaped)]
    like = "LIKE CAST(? AS TEXT) ESCAPE '\\'"
    named = (
        f"CAST(substr(path, length(library) + 2) AS TEXT) {like}"
        f" OR artist || ' - ' || title {like} OR title {like}"
    )
    values = [pattern for pattern in patterns for _ in range(3)]
    return f"{among} AND ({' OR '.join([named] * len(patterns))})", (*chosen, *values)


def _subjects(
    db: sqlite3.Connection,
    libraries: Sequence[Path],
    others: str,
    where: str,
    values: tuple[object, ...],
) -> list[Subject]:
    """List the songs that are of the libraries, or as ``others`` says, and as ``where`` says."""
    rows = db.execute(
        "SELECT id, path, library, language, overrides FROM tracks"
        f" WHERE (library IN ({marks(libraries)}) OR {others}) AND {where} ORDER BY id",
        (*map(os.fsencode, libraries), *values),
    )
    return [
        Subject(id, Path(os.fsdecode(path)), Path(os.fsdecode(library)), language, overrides)
        for id, path, library, language, overrides in rows
    ]


def _ids(db: sqlite3.Connection, paths: Sequence[Path]) -> dict[Path, int]:
    by_key = {os.fsencode(path): path for path in paths}
    keys, found = list(by_key), {}
    for page in pages(keys):
        query = f"SELECT path, id FROM tracks WHERE path IN ({marks(page)})"
        found.update({by_key[key]: id for key, id in db.execute(query, page)})
    return found


def _named(db: sqlite3.Connection, column: str, values: Sequence[str]) -> list[sqlite3.Row]:
    return db.execute(
        f"SELECT id, path, artist, title, duration, recording_id, name_key FROM tracks"
        f" WHERE {column} IN ({marks(values)}) AND missing_since IS NULL ORDER BY id",
        values,
    ).fetchall()


def _as_named(row: sqlite3.Row) -> NamedSong:
    names = (row[name] for name in ("artist", "title", "duration", "recording_id"))
    return NamedSong(row["id"], Path(os.fsdecode(row["path"])), *names)


def noted_settings_error(file: Path) -> str:
    """Read `Queries.settings_error` from a catalog that is neither changed nor upgraded.

    Raises
    ------
    sqlite3.Error
        The file cannot be read.
    """
    with sqlite_files.read_only(file) as db:
        return setting(db, "settings_error") or ""


def noted_languages(file: Path) -> frozenset[str]:
    """Read the languages of the songs of a catalog that is neither changed nor upgraded.

    Raises
    ------
    sqlite3.Error
        The file cannot be read.
    """
    with sqlite_files.read_only(file) as db:
        rows = db.execute("SELECT DISTINCT language FROM tracks WHERE language IS NOT NULL")
        return frozenset(str(row[0]) for row in rows)


def _placing_seconds(stages: dict[str, Any]) -> float:
    """Sum up the stages of the models; names and words are found while these work."""
    return sum(
        seconds
        for name, seconds in stages.items()
        if name not in ("identify", "lyrics") and isinstance(seconds, (int, float))
    )
