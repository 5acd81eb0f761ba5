"""Read rows of the catalog, in functions that run inside a transaction."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from lyricsyncd.catalog.records import Entry, Fingerprint, State
from lyricsyncd.config.paths import present

T = TypeVar("T")
J = TypeVar("J", dict[str, Any], list[Any])

_PAGE = 500
"""Values of one query: older SQLite takes no more than 999."""
STATES = {state.value: state for state in State}
_SAME = [
    name
    for name in Entry.__slots__
    if name not in ("path", "library", "fingerprint", "state", "stages", "written", "notes")
]


def as_entry(row: sqlite3.Row) -> Entry:
    """Return the song of a row that has all columns of `tracks`."""
    return Entry(
        path=Path(os.fsdecode(row["path"])),
        library=Path(os.fsdecode(row["library"])),
        fingerprint=Fingerprint(row["size"], row["mtime_ns"], row["inode"]),
        state=STATES[row["state"]],
        stages=parsed(row["stages"], dict),
        written=tuple(Path(path) for path in parsed(row["written"], list)),
        notes=tuple(parsed(row["notes"], list)),
        **{name: row[name] for name in _SAME},
    )


def parsed(text: str, kind: type[J]) -> J:
    """Parse JSON of a row. A flipped bit costs what it stood for, not all that is in the queue."""
    try:
        found = json.loads(text)
    except ValueError:
        return kind()
    return found if isinstance(found, kind) else kind()


def marks(values: Sequence[object]) -> str:
    """Return the placeholders of values, for ``IN (…)``."""
    return ",".join("?" * len(values))


def pages(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Part values into runs that one query can take."""
    for at in range(0, len(values), _PAGE):
        yield values[at : at + _PAGE]


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


def there(db: sqlite3.Connection, column: str, values: Sequence[T]) -> set[T]:
    """Return those of the values that some song has."""
    found: set[T] = set()
    for page in pages(values):
        query = f"SELECT {column} FROM tracks WHERE {column} IN ({marks(page)})"
        found.update(value for (value,) in db.execute(query, page))
    return found


def range_below(folder: Path) -> tuple[bytes, bytes]:
    """Return the two values, as bytes, between which the paths below a folder lie."""
    top = os.fsencode(folder).rstrip(b"/")
    return top + b"/", top + b"0"  # the byte after the slash


def setting(db: sqlite3.Connection, name: str) -> str | None:
    """Return a text that is noted under a name."""
    row = db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return None if row is None else row[0]
