"""The catalog's tables, step by step.

Each step runs once. Steps are never edited, only added: catalogs that have taken them are out there
(``tests/data/catalogs`` has one for each step).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable

from lyricsyncd.errors import LyricsyncError

Step = Callable[[sqlite3.Connection], None]


class NewerCatalog(LyricsyncError):
    """A newer version has changed the catalog.

    Attributes
    ----------
    steps : int
        How many this version knows.
    """

    def __init__(self, unknown: Iterable[str], steps: int) -> None:
        super().__init__(
            f"The catalog was made by a newer version (it has {', '.join(sorted(unknown))})",
            remedy="Install that version again, or give this one another state folder",
        )
        self.steps = steps


STEPS: list[Step] = []


def _step(function: Step) -> Step:
    STEPS.append(function)
    return function


@_step
def tracks_0001(db: sqlite3.Connection) -> None:
    """Make songs, libraries and settings. Paths are bytes: file names need not be valid text."""
    db.execute(
        """
        CREATE TABLE tracks (
            id INTEGER PRIMARY KEY,
            path BLOB NOT NULL UNIQUE,
            folder BLOB NOT NULL,
            library BLOB NOT NULL,
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            inode INTEGER NOT NULL,
            seen_size INTEGER,
            seen_mtime_ns INTEGER,
            missing_since REAL,
            artist TEXT,
            title TEXT,
            duration REAL,
            state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN (
                'pending', 'working', 'done', 'lines', 'review', 'no_lyrics', 'instrumental',
                'failed', 'ignored')),
            priority INTEGER NOT NULL,
            why TEXT NOT NULL,
            enqueued_at REAL NOT NULL,
            next_attempt_at REAL,
            attempts INTEGER NOT NULL DEFAULT 0,
            crashes INTEGER NOT NULL DEFAULT 0,
            retries INTEGER NOT NULL DEFAULT 0,
            lease_owner TEXT,
            leased_until REAL,
            started_at REAL,
            stage TEXT,
            progress REAL,
            finished_at REAL,
            quality REAL,
            decision TEXT,
            reason TEXT,
            source TEXT,
            language TEXT,
            separator TEXT,
            aligner TEXT,
            lines INTEGER,
            words INTEGER,
            stages TEXT NOT NULL DEFAULT '{}',
            written TEXT NOT NULL DEFAULT '[]',
            notes TEXT NOT NULL DEFAULT '[]',
            error_class TEXT,
            error TEXT
        )
        """
    )
    db.execute("CREATE INDEX tracks_folder ON tracks (folder)")
    db.execute("CREATE INDEX tracks_library ON tracks (library)")
    db.execute("CREATE INDEX tracks_state ON tracks (state, next_attempt_at)")
    db.execute("CREATE INDEX tracks_inode ON tracks (inode)")
    db.execute("CREATE TABLE libraries (path BLOB PRIMARY KEY, served_at REAL, scanned_at REAL)")
    db.execute("CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)")


@_step
def names_0002(db: sqlite3.Connection) -> None:
    """Add the keys by which songs are found by name: see `lookup`, which fills in `name_key`.

    A later step that sets it to NULL everywhere has the keys computed again.
    """
    db.execute("ALTER TABLE tracks ADD COLUMN recording_id TEXT")
    db.execute("ALTER TABLE tracks ADD COLUMN name_key TEXT")
    db.execute("CREATE INDEX tracks_recording ON tracks (recording_id)")
    db.execute("CREATE INDEX tracks_name ON tracks (name_key)")


@_step
def folders_0003(db: sqlite3.Connection) -> None:
    """Add folders whose songs a person skipped, and those below them that were taken back: the
    innermost that a song is in decides."""
    db.execute("CREATE TABLE folders (path BLOB PRIMARY KEY, skipped INTEGER NOT NULL)")


@_step
def waits_0004(db: sqlite3.Connection) -> None:
    """Add what a queued song waits for: a look-up (empty) or a host; NULL before it was tried."""
    db.execute("ALTER TABLE tracks ADD COLUMN waits_for TEXT")


@_step
def drafts_0005(db: sqlite3.Connection) -> None:
    """Add results kept for review, what a person chose for songs (see `drafts`), and albums.

    Without a trigger that would delete them with their song: it would go with the table, should a
    later step make that anew.
    """
    db.execute(
        """
        CREATE TABLE drafts (
            id INTEGER PRIMARY KEY,
            revision INTEGER NOT NULL,
            at REAL NOT NULL,
            by_hand INTEGER NOT NULL,
            body BLOB NOT NULL
        )
        """
    )
    db.execute("CREATE INDEX drafts_at ON drafts (at)")
    db.execute("CREATE TABLE choices (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
    db.execute("ALTER TABLE tracks ADD COLUMN album TEXT")


@_step
def mixed_0006(db: sqlite3.Connection) -> None:
    """Add the state of songs of which some lines have word times, and how many lines and words do.

    SQLite cannot change a constraint: the table is made anew, with its indexes.
    """
    (table,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'tracks'").fetchone()
    indexes = db.execute(
        "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'tracks'"
        " AND sql IS NOT NULL"
    ).fetchall()
    db.execute("ALTER TABLE tracks RENAME TO tracks_before")
    db.execute(table.replace("'done', 'lines'", "'done', 'mixed', 'lines'"))
    db.execute("INSERT INTO tracks SELECT * FROM tracks_before")
    db.execute("DROP TABLE tracks_before")
    for (index,) in indexes:
        db.execute(index)
    db.execute("ALTER TABLE tracks ADD COLUMN lines_with_words INTEGER")
    db.execute("ALTER TABLE tracks ADD COLUMN words_timed INTEGER")


@_step
def placed_by_0007(db: sqlite3.Connection) -> None:
    """Add which models placed a song; NULL where an earlier version did, empty where a person
    decided about its words, which no later run may replace."""
    db.execute("ALTER TABLE tracks ADD COLUMN placed_by TEXT")
    db.execute("UPDATE tracks SET placed_by = '' WHERE reason LIKE 'A person accepted%'")
    db.execute("CREATE INDEX drafts_by_hand ON drafts (id) WHERE by_hand = 1")


@_step
def overrides_0008(db: sqlite3.Connection) -> None:
    """Add what the configuration set for a song when it was placed; NULL where that is not known:
    an earlier version placed it."""
    db.execute("ALTER TABLE tracks ADD COLUMN overrides TEXT")


@_step
def status_0009(db: sqlite3.Connection) -> None:
    """Indexes for what the status shows: results that came last, and songs that wait for a host;
    without them each look at it went through all songs, three times."""
    db.execute("CREATE INDEX tracks_finished ON tracks (finished_at) WHERE finished_at IS NOT NULL")
    db.execute("CREATE INDEX tracks_waits ON tracks (waits_for) WHERE waits_for != ''")


@_step
def artists_0010(db: sqlite3.Connection) -> None:
    """Add an index for the order that the page opens with: its first rows waited for a sort."""
    db.execute(
        "CREATE INDEX tracks_artist ON tracks"
        " (artist IS NULL, artist COLLATE NOCASE, title COLLATE NOCASE, path,"
        " id, missing_since)"
    )


def migrate(
    db: sqlite3.Connection,
    steps: list[Step] | None = None,
    back_up: Callable[[int], None] = lambda _number: None,
) -> None:
    """Bring a catalog up to date, in one transaction: it is never left half-way.

    Parameters
    ----------
    back_up : callable
        Called before a catalog of an earlier version is changed, with the number of steps that it
        has taken.

    Raises
    ------
    NewerCatalog
        A newer version has been at it.
    """
    steps = STEPS if steps is None else steps
    db.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied_at REAL)")
    known = [step.__name__ for step in steps]
    if unknown := _applied(db).difference(known):
        raise NewerCatalog(unknown, len(known))
    if not set(known) - _applied(db):
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have taken the steps while we waited for the lock.
        applied = _applied(db)
        if applied and set(known) - applied:
            back_up(len(applied))
        for step in steps:
            if step.__name__ not in applied:
                step(db)
                db.execute("INSERT INTO migrations VALUES (?, ?)", (step.__name__, time.time()))
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _applied(db: sqlite3.Connection) -> set[str]:
    return {name for (name,) in db.execute("SELECT name FROM migrations")}
