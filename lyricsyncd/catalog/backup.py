"""A copy of the catalog, and the way back from it.

A page of the file may rot, or be torn by a dying disk. The service copies its catalog now and
then, and a copy only takes the place of the one before if it is sound. When the service starts on
a catalog that is not, the copy becomes the catalog; the broken one is kept beside it. What was done
since the copy is found by a scan, and the lyrics that lie beside the songs are taken as they are.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from pathlib import Path

from lyricsyncd.catalog.database import CatalogBroken, Database
from lyricsyncd.config import private
from lyricsyncd.errors import WriteError

log = logging.getLogger(__name__)

BACKUP_SUFFIX = ".bak"
BROKEN_SUFFIX = ".broken"
_COMPANIONS = ("", "-wal", "-shm")
"""SQLite's files of one database."""


def backup_of(catalog: Path) -> Path:
    """Where the copy of a catalog lies."""
    return catalog.with_name(catalog.name + BACKUP_SUFFIX)


def back_up(catalog: Database) -> None:
    """Copy a catalog, while it is in use. The copy before it is only replaced by a sound one.

    Raises
    ------
    CatalogBroken
        The catalog is damaged: its copy is not sound.
    WriteError
        The copy cannot be written.
    """
    target = backup_of(catalog.path)
    fresh = target.with_name(target.name + ".new")
    try:
        fresh.unlink(missing_ok=True)
        private.make_file(fresh)
        with contextlib.closing(sqlite3.connect(fresh, isolation_level=None)) as copy:
            # In one step: the reader's lock is held, and writes go on beside it.
            catalog.read(lambda db: db.backup(copy))
            copy.execute("PRAGMA journal_mode = DELETE")
            trouble = _trouble(copy)
        if trouble:
            raise CatalogBroken(
                f"The catalog {catalog.path} is broken: {trouble}",
                remedy="Start the service anew: it takes its last sound copy",
            )
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.replace(target)
    except (OSError, sqlite3.OperationalError) as error:
        raise WriteError(
            f"The catalog cannot be copied to {target}: {error}",
            remedy="Check the disk's free space",
            transient=True,
        ) from error
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)


def mend(catalog: Path, met: str = "") -> str | None:
    """Make a sound catalog of a broken one, and say how; ``None`` where nothing was amiss.

    Only for who knows that nobody else has it open (the service holds a lock on the state).

    Parameters
    ----------
    met : str, optional
        What was met with in use, if that is known: there is no need to look, then.

    Raises
    ------
    WriteError
        The files cannot be moved.
    """
    trouble = met or _broken(catalog)
    if trouble is None:
        return None
    backup = backup_of(catalog)
    sound = backup.exists() and _broken(backup) is None
    try:
        for companion in _COMPANIONS:
            with contextlib.suppress(FileNotFoundError):
                part = catalog.with_name(catalog.name + companion)
                part.replace(catalog.with_name(catalog.name + BROKEN_SUFFIX + companion))
        if sound:
            # A copy of the copy: it may be needed again.
            fresh = catalog.with_name(catalog.name + ".new")
            private.make_file(fresh)
            fresh.write_bytes(backup.read_bytes())
            fresh.replace(catalog)
    except OSError as error:
        raise WriteError(
            f"The catalog {catalog} is broken ({trouble}) and cannot be replaced: {error}",
            remedy="Check the disk's free space and the folder's permissions",
        ) from error
    kept = catalog.with_name(catalog.name + BROKEN_SUFFIX)
    instead = (
        "its last copy takes its place" if sound else "there is no copy: a scan fills a new one"
    )
    return f"the catalog was broken ({trouble}): {instead}; it is kept as {kept}"


def _broken(path: Path) -> str | None:
    """What is wrong with a file as a database; ``None`` if it is sound or not there."""
    if not path.exists():
        return None
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=30.0, isolation_level=None)) as db:
            return _trouble(db)
    except sqlite3.OperationalError:
        # Locked, or not to be opened: not broken. Who opens it tells.
        return None
    except sqlite3.DatabaseError as error:
        return str(error)


def _trouble(db: sqlite3.Connection) -> str | None:
    (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
    return None if found == "ok" else " ".join(str(found).split())
