"""Copies of the catalog, and going back to one when a page of it is broken.

A copy is taken with SQLite's own backup while the service works on, is checked, and then takes its
name whole. What happened after it is found again by the first scan.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from pathlib import Path

log = logging.getLogger(__name__)

EVERY_S = 86400.0
"""How old the newest copy may become."""
KEPT = 2
"""Copies: the newest may have been taken when something had gone wrong that no check sees."""
_PAGES = 500
"""Pages copied at a time; between them, others get at the catalog."""
_PAUSE_S = 0.02


def copies(catalog: Path) -> list[Path]:
    """Where copies of a catalog lie, the newest first; they need not be there."""
    return [catalog.with_name(f"{catalog.stem}.backup-{n}.db") for n in range(1, KEPT + 1)]


def due(catalog: Path, now: float) -> bool:
    """Whether it is time for a copy. One from the future counts for nothing: the clock went."""
    try:
        age = now - copies(catalog)[0].stat().st_mtime
    except OSError:
        return True
    return not 0 <= age < EVERY_S


def back_up(catalog: Path) -> bool:
    """Take a copy; whether it is whole and kept. A broken catalog replaces no copy.

    Raises
    ------
    OSError, sqlite3.Error
        The disk is full, say. What copies there are stay as they were.
    """
    fresh = catalog.with_name(f"{catalog.stem}.backup-new.db")
    fresh.unlink(missing_ok=True)
    try:
        with (
            contextlib.closing(sqlite3.connect(catalog, timeout=30.0)) as source,
            contextlib.closing(sqlite3.connect(fresh)) as target,
        ):
            source.backup(target, pages=_PAGES, sleep=_PAUSE_S)
            # One file, that can be copied by hand as well.
            target.execute("PRAGMA journal_mode = DELETE")
        if trouble(fresh):
            return False
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        newest, *older = copies(catalog)
        for to, of in zip(reversed(older), reversed([newest, *older][:-1]), strict=True):
            if of.exists():
                of.replace(to)
        fresh.replace(newest)
    finally:
        fresh.unlink(missing_ok=True)
    return True


def trouble(file: Path) -> str:
    """What SQLite finds wrong with a catalog; empty where nothing is, or it cannot be asked now."""
    try:
        with contextlib.closing(sqlite3.connect(file, timeout=30.0)) as db:
            (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        # Locked, or no room: no word on what is in it. A hole in the file tells otherwise.
        return str(error) if "malformed" in str(error) else ""
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if verdict == "ok" else str(verdict)


def mend(catalog: Path, met: str = "") -> bool:
    """Put the newest whole copy in place of a broken catalog, or none; whether it was broken.

    The broken one is kept beside it. Only for who knows that nobody is at work on it.

    Parameters
    ----------
    met : str
        The trouble that was met in work, if it was: then no check is needed.
    """
    if not catalog.exists() or not (what := met or trouble(catalog)):
        return False
    aside = catalog.with_name(f"{catalog.stem}.broken-{time.time():.0f}.db")
    catalog.replace(aside)
    for suffix in ("-wal", "-shm"):
        # Never to be taken for the log of the copy.
        with contextlib.suppress(FileNotFoundError):
            catalog.with_name(catalog.name + suffix).replace(aside.with_name(aside.name + suffix))
    for copy in copies(catalog):
        if copy.exists() and not trouble(copy):
            fresh = catalog.with_name(f"{catalog.stem}.restored.db")
            fresh.write_bytes(copy.read_bytes())
            fresh.replace(catalog)
            age = (time.time() - copy.stat().st_mtime) / 3600
            log.error("the catalog was broken (%s): its copy of %.1f h ago takes over", what, age)
            return True
    log.error("the catalog was broken (%s), and has no copy: a scan makes a new one", what)
    return True
