"""Queries of the catalog: nothing here writes, and no other package holds SQL on it."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

from lyricsyncd import sqlite_files
from lyricsyncd.catalog.database import Database
from lyricsyncd.catalog.records import (
    BY_HAND,
    OTHER_SETTINGS,
    REQUESTED,
    SKIPPED_BY_SETTINGS,
    Entry,
    Fingerprint,
    Known,
    NamedSong,
    Rest,
    State,
    Subject,
)
from lyricsyncd.config.paths import present
from lyricsyncd.unicode_forms import forms

T = TypeVar("T")
J = TypeVar("J", dict[str, Any], list[Any])

SAME_LENGTH_S = 0.2
"""Tolerance of the lengths of one recording in files with different tags."""
_PAGE = 500
"""Songs that are looked up in one question: older SQLite takes no more than 999 values."""


class Queries(Database):
    """The catalog's reading side."""

    def get(self, id: int) -> Entry | None:
        return self.read(lambda db: get_entry(db, id))

    def by_path(self, path: Path) -> Entry | None:
        return self.read(lambda db: entry_at(db, path))

    def ids(self, paths: Sequence[Path]) -> dict[Path, int]:
        """The numbers of songs; those that are not known are left out."""
        return self.read(lambda db: _ids(db, paths))

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
        chosen = _matching(states, text)
        if chosen is None:
            return []
        where, values = chosen
        query = f"SELECT * FROM tracks WHERE id > ? AND {where} ORDER BY id LIMIT ?"
        arguments = (after, *values, limit)
        return self.read(lambda db: [as_entry(row) for row in db.execute(query, arguments)])

    def order(self, states: Sequence[State], text: str, by: str) -> list[int]:
        """Return the numbers of the songs that `entries` would find, in an order of `ORDERS`;
        those that are missing are left out."""
        chosen = _matching(states, text)
        if chosen is None:
            return []
        where, values = chosen
        query = (
            f"SELECT id FROM tracks WHERE missing_since IS NULL AND {where}"
            f" ORDER BY {ORDERS[by]}, id"
        )
        return self.read(lambda db: [id for (id,) in db.execute(query, values)])

    def get_many(self, ids: Sequence[int]) -> list[Entry]:
        """Return songs by their numbers, in that order; those that are not known are left out."""
        found: dict[int, Entry] = {}
        for at in range(0, len(ids), _PAGE):
            page = ids[at : at + _PAGE]
            query = f"SELECT * FROM tracks WHERE id IN ({','.join('?' * len(page))})"
            for entry in self.read(lambda db: list(map(as_entry, db.execute(query, page)))):  # noqa: B023
                found[entry.id] = entry
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
        rows = self.read(
            lambda db: db.execute(
                "SELECT waits_for, COUNT(*) FROM tracks WHERE state = 'pending'"
                " AND waits_for != '' AND missing_since IS NULL GROUP BY waits_for"
            ).fetchall()
        )
        return dict(map(tuple, rows))

    def rests(self) -> list[Rest]:
        """The hosts that are left alone, as the service noted them last."""
        noted = self.read(lambda db: setting(db, "rests"))
        return [Rest(**rest) for rest in json.loads(noted or "[]")]

    def due_later(self) -> tuple[int, float | None]:
        """Count the queued songs that wait for a time and no host; return when the first is due."""
        count, first = self.read(
            lambda db: db.execute(
                "SELECT COUNT(*), MIN(next_attempt_at) FROM tracks WHERE state = 'pending'"
                " AND next_attempt_at > ? AND COALESCE(waits_for, '') = ''"
                " AND missing_since IS NULL",
                (self.clock(),),
            ).fetchone()
        )
        return count, first

    def latest(self, limit: int) -> list[Entry]:
        """The songs that came to an end last."""
        query = (
            "SELECT * FROM tracks WHERE finished_at IS NOT NULL AND missing_since IS NULL"
            " AND state NOT IN ('pending', 'working', 'ignored') ORDER BY finished_at DESC LIMIT ?"
        )
        return self.read(lambda db: [as_entry(row) for row in db.execute(query, (limit,))])

    def songs_per_hour(self, within_s: float, at_least: int) -> float | None:
        """The pace at which songs came to an end lately; ``None`` where too few did."""
        now = self.clock()
        count, began = self.read(
            lambda db: db.execute(
                "SELECT COUNT(*), MIN(started_at) FROM (SELECT started_at FROM tracks"
                " WHERE finished_at > ? AND state NOT IN ('pending', 'working', 'ignored')"
                " ORDER BY finished_at DESC LIMIT 20)",
                (now - within_s,),
            ).fetchone()
        )
        if count < at_least or began is None or began >= now:
            return None
        return float(3600.0 * count / (now - began))

    def skipped_by_settings(self) -> list[Entry]:
        """List the songs that an override of the configuration leaves alone."""
        query = "SELECT * FROM tracks WHERE state = 'ignored' AND substr(reason, 1, ?) = ?"
        start = SKIPPED_BY_SETTINGS
        return self.read(
            lambda db: [as_entry(row) for row in db.execute(query, (len(start), start))]
        )

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
        return self.read(lambda db: [id for (id,) in db.execute(query, (limit,))])

    def count_improvable(self) -> int:
        """Count the songs of `improvable`."""
        query = f"SELECT COUNT(*) {_IMPROVABLE}"
        return self.read(lambda db: int(db.execute(query).fetchone()[0]))

    def is_improvable(self, id: int) -> bool:
        """Return whether a song is among those of `improvable`."""
        query = f"SELECT 1 {_IMPROVABLE} AND id = ?"
        return self.read(lambda db: db.execute(query, (id,)).fetchone() is not None)

    def shares_of_length(self, limit: int) -> list[float]:
        """Return the seconds that the models took per second of a song, for the latest ones."""
        query = (
            "SELECT stages, duration FROM tracks WHERE finished_at IS NOT NULL AND duration > 0"
            " AND aligner IS NOT NULL AND aligner NOT IN ('none', 'source')"
            " ORDER BY finished_at DESC LIMIT ?"
        )
        rows = self.read(lambda db: db.execute(query, (limit,)).fetchall())
        return [
            seconds / duration
            for stages, duration in rows
            if (seconds := _placing_seconds(_parsed(stages, dict))) > 0
        ]

    def next_due(self) -> float | None:
        """When the earliest queued song may be tried; it may be past."""
        row = self.read(
            lambda db: db.execute(
                "SELECT MIN(next_attempt_at) FROM tracks WHERE state IN ('pending', 'no_lyrics')"
                " AND missing_since IS NULL"
            ).fetchone()
        )
        return None if row[0] is None else float(row[0])

    @property
    def settings_error(self) -> str | None:
        """Return what is wrong with the settings, as the service noted it last."""
        return self.read(lambda db: setting(db, "settings_error")) or None

    @property
    def quiet(self) -> str | None:
        """Return why only what a person waits for is done now, as the service noted it last."""
        return self.read(lambda db: setting(db, "quiet")) or None

    @property
    def paused(self) -> bool:
        return self.read(lambda db: setting(db, "paused")) == "1"

    def unnamed(self, after: int, limit: int) -> list[tuple[int, Path, str | None]]:
        """Songs that have no key yet by which others find them: number, path, title."""
        rows = self.read(
            lambda db: db.execute(
                "SELECT id, path, title FROM tracks WHERE name_key IS NULL AND id > ?"
                " ORDER BY id LIMIT ?",
                (after, limit),
            ).fetchall()
        )
        return [(id, Path(os.fsdecode(path)), title) for id, path, title in rows]

    def all_folders(self) -> set[Path]:
        """Every folder that has songs."""
        rows = self.read(lambda db: db.execute("SELECT DISTINCT folder FROM tracks").fetchall())
        return {Path(os.fsdecode(folder)) for (folder,) in rows}

    def below(self, folder: Path) -> list[Entry]:
        """The songs in a folder and in all folders below it, by their paths."""
        return self.read(
            lambda db: [
                as_entry(row)
                for row in db.execute(
                    "SELECT * FROM tracks WHERE path > ? AND path < ? ORDER BY path",
                    range_below(folder),
                )
            ]
        )

    def placed_like(self, id: int, duration: float, words: int) -> list[Entry]:
        """Other songs, as long and with as many words, whose words were placed: the latest first.

        There may be several by chance; what they are is not looked at.
        """
        return self.read(
            lambda db: [
                as_entry(row)
                for row in db.execute(
                    "SELECT * FROM tracks WHERE id != ? AND words = ? AND missing_since IS NULL"
                    " AND duration BETWEEN ? AND ? AND state IN ('done', 'mixed', 'lines')"
                    " ORDER BY finished_at DESC LIMIT 5",
                    (id, words, duration - SAME_LENGTH_S, duration + SAME_LENGTH_S),
                )
            ]
        )

    def finished_between(self, since: float, until: float) -> list[Entry]:
        """Return the songs that came to an end after ``since`` and up to ``until``, by number."""
        query = "SELECT * FROM tracks WHERE finished_at > ? AND finished_at <= ? ORDER BY id"
        return self.read(lambda db: [as_entry(row) for row in db.execute(query, (since, until))])

    def finished_counts(self, states: Sequence[str], since: float, until: float) -> dict[str, int]:
        """Count the songs that came to each of these ends after ``since`` and up to ``until``."""
        marks = ",".join("?" * len(states))
        rows = self.read(
            lambda db: db.execute(
                "SELECT state, COUNT(*) FROM tracks WHERE finished_at > ? AND finished_at <= ?"
                f" AND state IN ({marks}) GROUP BY state",
                (since, until, *states),
            ).fetchall()
        )
        return dict(map(tuple, rows))

    def failed_between(self, since: float, until: float, limit: int) -> list[Entry]:
        """Return the first songs that failed after ``since`` and up to ``until``."""
        query = (
            "SELECT * FROM tracks WHERE finished_at > ? AND finished_at <= ?"
            " AND state = 'failed' ORDER BY finished_at LIMIT ?"
        )
        return self.read(
            lambda db: [as_entry(row) for row in db.execute(query, (since, until, limit))]
        )

    def has_work(self, at: float) -> bool:
        """Return whether songs are in work or due at a moment."""
        row = self.read(
            lambda db: db.execute(
                "SELECT 1 FROM tracks WHERE missing_since IS NULL AND (state = 'working'"
                " OR (state = 'pending' AND next_attempt_at <= ?)) LIMIT 1",
                (at,),
            ).fetchone()
        )
        return row is not None

    def last_finished(self) -> tuple[float | None, float | None]:
        """Return when a song was last finished, and the mean quality score of all songs."""
        at, quality = self.read(
            lambda db: db.execute(
                "SELECT MAX(finished_at), AVG(quality) FROM tracks WHERE missing_since IS NULL"
            ).fetchone()
        )
        return at, quality

    def changed_since(self, since: float, limit: int) -> list[Entry]:
        """Return songs that are in work, or were queued, finished or missed after a moment."""
        query = (
            "SELECT * FROM tracks WHERE state = 'working' OR finished_at > ? OR enqueued_at > ?"
            " OR missing_since > ? ORDER BY id LIMIT ?"
        )
        arguments = (since, since, since, limit)
        return self.read(lambda db: [as_entry(row) for row in db.execute(query, arguments)])

    def named(
        self, column: Literal["name_key", "recording_id"], values: Sequence[str]
    ) -> dict[str, list[NamedSong]]:
        """Map each value to the songs that have it and are not missing.

        Read a page at a time, so that no other thread waits long for the catalog.
        """
        found: dict[str, list[NamedSong]] = {}
        different = sorted(set(values))
        for at in range(0, len(different), _PAGE):
            page = different[at : at + _PAGE]
            for row in self.read(lambda db: _named(db, column, page)):  # noqa: B023
                found.setdefault(row[column], []).append(_as_named(row))
        return found

    def noted(self, name: str) -> str | None:
        """Return a text that the service noted under a name."""
        return self.read(lambda db: setting(db, name))

    # What a scan asks

    def in_folder(self, folder: Path) -> dict[Path, Entry]:
        """The songs directly in a folder."""
        rows = self.read(
            lambda db: db.execute(
                "SELECT * FROM tracks WHERE folder = ?", (os.fsencode(folder),)
            ).fetchall()
        )
        return {entry.path: entry for entry in map(as_entry, rows)}

    def known(self, folder: Path) -> dict[str, Known]:
        """The same by the file's name, and only what a scan needs: there may be very many."""
        key = os.fsencode(folder)
        rows = self.read(
            lambda db: db.execute(
                "SELECT id, path, size, mtime_ns, inode, state, missing_since, finished_at,"
                " error_class FROM tracks WHERE folder = ?",
                (key,),
            ).fetchall()
        )
        return {
            os.fsdecode(path).rpartition("/")[2]: Known(
                id, Fingerprint(size, mtime_ns, inode), _STATES[state], missing, finished, error
            )
            for id, path, size, mtime_ns, inode, state, missing, finished, error in rows
        }

    def moved(self, seen: Sequence[tuple[Path, Fingerprint]]) -> list[tuple[Path, Path]]:
        """Of files that were seen, those that were moved: from where and to where."""

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
        """The songs of a library that have been missing for so long, with sidecars of ours."""
        arguments = (os.fsencode(library), self.clock() - seconds)
        return self.read(
            lambda db: [
                as_entry(row)
                for row in db.execute(
                    "SELECT * FROM tracks WHERE library = ? AND missing_since < ?"
                    " AND written != '[]'",
                    arguments,
                )
            ]
        )

    def folders(self, library: Path) -> set[Path]:
        """Every folder of a library that has songs which are not missing."""
        rows = self.read(
            lambda db: db.execute(
                "SELECT DISTINCT folder FROM tracks WHERE library = ? AND missing_since IS NULL",
                (os.fsencode(library),),
            ).fetchall()
        )
        return {Path(os.fsdecode(folder)) for (folder,) in rows}

    def scanned_at(self, library: Path) -> float | None:
        """When a library was last gone through."""
        row = self.read(
            lambda db: db.execute(
                "SELECT scanned_at FROM libraries WHERE path = ?", (os.fsencode(library),)
            ).fetchone()
        )
        return None if row is None or row[0] is None else float(row[0])


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
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    # Names need not be valid text, and SQLite's text must.
    patterns = [b"%" + form.encode("utf-8", "surrogateescape") + b"%" for form in forms(escaped)]
    like = "LIKE CAST(? AS TEXT) ESCAPE '\\'"
    among = f"state IN ({','.join('?' * len(states))}) AND " if states else ""
    named = (
        f" OR CAST(substr(path, length(library) + 2) AS TEXT) {like}"
        f" OR artist || ' - ' || title {like} OR title {like}"
    )
    values = [pattern for pattern in patterns for _ in range(3)]
    where = f"{among}(?{named * len(patterns)})"
    return where, (*(state.value for state in states), not text, *values)


def range_below(folder: Path) -> tuple[bytes, bytes]:
    """Between which two values the paths below a folder lie, as bytes."""
    top = os.fsencode(folder).rstrip(b"/")
    return top + b"/", top + b"0"  # the byte after the slash


def _subjects(
    db: sqlite3.Connection,
    libraries: Sequence[Path],
    others: str,
    where: str,
    values: tuple[object, ...],
) -> list[Subject]:
    """List the songs that are of the libraries, or as ``others`` says, and as ``where`` says."""
    marks = ",".join("?" * len(libraries))
    rows = db.execute(
        "SELECT id, path, library, language, overrides FROM tracks"
        f" WHERE (library IN ({marks}) OR {others}) AND {where} ORDER BY id",
        (*map(os.fsencode, libraries), *values),
    )
    return [
        Subject(id, Path(os.fsdecode(path)), Path(os.fsdecode(library)), language, overrides)
        for id, path, library, language, overrides in rows
    ]


def _ids(db: sqlite3.Connection, paths: Sequence[Path]) -> dict[Path, int]:
    by_key = {os.fsencode(path): path for path in paths}
    keys, found = list(by_key), {}
    for at in range(0, len(keys), _PAGE):
        page = keys[at : at + _PAGE]
        query = f"SELECT path, id FROM tracks WHERE path IN ({','.join('?' * len(page))})"
        found.update({by_key[key]: id for key, id in db.execute(query, page)})
    return found


def _named(db: sqlite3.Connection, column: str, values: Sequence[str]) -> list[sqlite3.Row]:
    marks = ",".join("?" * len(values))
    return db.execute(
        f"SELECT id, path, artist, title, duration, recording_id, name_key FROM tracks"
        f" WHERE {column} IN ({marks}) AND missing_since IS NULL ORDER BY id",
        values,
    ).fetchall()


def _as_named(row: sqlite3.Row) -> NamedSong:
    names = (row[name] for name in ("artist", "title", "duration", "recording_id"))
    return NamedSong(row["id"], Path(os.fsdecode(row["path"])), *names)


def there(db: sqlite3.Connection, column: str, values: Sequence[T]) -> set[T]:
    """Those of the values that some song has."""
    found: set[T] = set()
    for at in range(0, len(values), _PAGE):
        page = values[at : at + _PAGE]
        marks = ",".join("?" * len(page))
        rows = db.execute(f"SELECT {column} FROM tracks WHERE {column} IN ({marks})", page)
        found.update(value for (value,) in rows)
    return found


def get_entry(db: sqlite3.Connection, id: int) -> Entry | None:
    row = db.execute("SELECT * FROM tracks WHERE id = ?", (id,)).fetchone()
    return None if row is None else as_entry(row)


def entry_at(db: sqlite3.Connection, path: Path) -> Entry | None:
    row = db.execute("SELECT * FROM tracks WHERE path = ?", (os.fsencode(path),)).fetchone()
    return None if row is None else as_entry(row)


def moved_here(db: sqlite3.Connection, stamp: Fingerprint) -> Entry | None:
    """Find the song whose file moved here: the same inode, size and time."""
    if not stamp.inode:
        return None
    rows = db.execute(
        "SELECT * FROM tracks WHERE inode = ? AND size = ? AND mtime_ns = ? AND state != 'working'"
        " LIMIT 8",  # hard links may be many
        (stamp.inode, stamp.size, stamp.mtime_ns),
    ).fetchall()
    return next((entry for entry in map(as_entry, rows) if not present(entry.path)), None)


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


def setting(db: sqlite3.Connection, name: str) -> str | None:
    row = db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return None if row is None else row[0]


_STATES = {state.value: state for state in State}
_SAME = [
    name
    for name in Entry.__slots__
    if name not in ("path", "library", "fingerprint", "state", "stages", "written", "notes")
]


def as_entry(row: sqlite3.Row) -> Entry:
    return Entry(
        path=Path(os.fsdecode(row["path"])),
        library=Path(os.fsdecode(row["library"])),
        fingerprint=Fingerprint(row["size"], row["mtime_ns"], row["inode"]),
        state=_STATES[row["state"]],
        stages=_parsed(row["stages"], dict),
        written=tuple(Path(path) for path in _parsed(row["written"], list)),
        notes=tuple(_parsed(row["notes"], list)),
        **{name: row[name] for name in _SAME},
    )


def _placing_seconds(stages: dict[str, Any]) -> float:
    """Sum up the stages of the models; names and words are found while these work."""
    return sum(
        seconds
        for name, seconds in stages.items()
        if name not in ("identify", "lyrics") and isinstance(seconds, (int, float))
    )


def _parsed(text: str, kind: type[J]) -> J:
    """Parse JSON of a row. A flipped bit costs what it stood for, not all that is in the queue."""
    try:
        found = json.loads(text)
    except ValueError:
        return kind()
    return found if isinstance(found, kind) else kind()
