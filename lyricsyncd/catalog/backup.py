"""The copy of the catalog, and its repair from that copy; see `sqlite_files`.

The service copies its catalog now and then. What was done since the copy is found by a scan, and
the lyrics beside the songs are taken as they are.
"""

from __future__ import annotations

from pathlib import Path

from lyricsyncd import sqlite_files
from lyricsyncd.catalog.database import CatalogBroken, Database
from lyricsyncd.sqlite_files import Contents

backup_of = sqlite_files.copy_of


def _lost(copied_at: float | None, _saved: int) -> str:
    if copied_at is not None:
        return "its last copy takes its place"
    return "there is no copy: a scan fills a new one"


_WRONG = " OR ".join(
    f"typeof({column}) NOT IN ({kinds})"
    for columns, kinds in {
        "path folder library": "'blob'",
        "size mtime_ns inode priority attempts crashes retries": "'integer'",
        "state why stages written notes": "'text'",
        "enqueued_at": "'real', 'integer'",
        "next_attempt_at leased_until finished_at missing_since": "'real', 'integer', 'null'",
    }.items()
    for column in columns.split()
)
_CATALOG = Contents("catalog", _lost, "tracks", _WRONG)


def back_up(catalog: Database) -> None:
    """Copy a catalog, while it is in use. The copy before it is only replaced by a sound one.

    Raises
    ------
    CatalogBroken
        The catalog is damaged: its copy is not sound.
    WriteError
        The copy cannot be written.
    """
    # In one step: the reader's lock is held, and writes go on beside it.
    trouble = sqlite_files.copy(
        catalog.path, _CATALOG, lambda target: catalog.read(lambda db: db.backup(target))
    )
    if trouble is not None:
        catalog.broken = CatalogBroken(
            f"The catalog {catalog.path} is broken: {trouble}",
            remedy="Start the service anew: it takes its last sound copy",
        )
        raise catalog.broken


def mend(catalog: Path, met: str = "") -> str | None:
    """Make a sound catalog of a broken one, and say how; ``None`` where nothing was amiss.

    Call it only while no process has the catalog open (the service holds a lock on the state).
    Raises as `sqlite_files.mend`.
    """
    return sqlite_files.mend(catalog, _CATALOG, met)
