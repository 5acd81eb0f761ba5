"""Move or delete our sidecars when their songs are moved or deleted.

Only sidecars that lyricsyncd wrote and that are unchanged since; and never in a library that is not
mounted. A song that a scan does not find may be on an unmounted disk of a pool, so its sidecars
are deleted only after `CLEAN_AFTER`; those of a song whose deletion was observed, at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from lyricsyncd.catalog.catalog import Catalog, Entry, Request
from lyricsyncd.config.paths import present
from lyricsyncd.errors import JournalError, WriteError

log = logging.getLogger(__name__)

CLEAN_AFTER = 24 * 3600.0
"""Seconds for which a song must have been missing before a scan deletes its sidecars."""


def follow(catalog: Catalog, requests: Iterable[Request]) -> None:
    """Move the sidecars of songs that the catalog knows by another path.

    To be called before the songs are queued: one whose sidecars moved along needs no work.

    Raises
    ------
    JournalError
        The journal cannot be written at present; no file was moved without an entry in it.
    """
    seen = [(each.path, each.fingerprint) for each in requests if each.fingerprint is not None]
    for old, new in catalog.moved(seen):
        carry(old, new)


def carry(old: Path, new: Path) -> None:
    """Move our sidecars of a song to its new path; one that cannot be moved is logged.

    Raises as `follow`.
    """
    from lyricsyncd.tags import Journal, carry_sidecars

    try:
        report = carry_sidecars(old, new, Journal())
    except WriteError as error:
        if isinstance(error, JournalError) and error.transient:
            raise
        log.warning("%s", error)
        return
    for one in report.notes:
        log.info("%s", one)


def _shares_sidecars(catalog: Catalog, entry: Entry) -> bool:
    """Check whether another song has the same sidecars: a .flac that replaced an .mp3."""
    return any(
        other.id != entry.id and other.path.stem == entry.path.stem and present(other.path)
        for other in catalog.in_folder(entry.path.parent).values()
    )


def clean(catalog: Catalog, entries: Iterable[Entry]) -> None:
    """Delete our sidecars of deleted songs; a song that is restored is aligned anew.

    Raises as `follow`.
    """
    from lyricsyncd.tags import Journal, clean_sidecars

    journal = Journal()
    cleaned = []
    for entry in entries:
        if _shares_sidecars(catalog, entry):
            continue
        try:
            report = clean_sidecars(entry.path, journal)
        except WriteError as error:
            if isinstance(error, JournalError) and error.transient:
                raise
            log.warning("%s", error)
            continue
        if report.removed:
            names = " ".join(path.name for path in report.removed)
            log.info("%s is gone: removed %s", entry.path, names)
            cleaned.append(entry.id)
    if cleaned:
        catalog.cleaned(cleaned)
