"""What becomes of our sidecars when their songs move or go: they follow, or are cleared away.

Only what we wrote and nobody has touched since; and never for a library that is away. A song that
a scan finds gone may be on a disk that is (a pool of disks shows the folders of all), so its
sidecars wait for `CLEAN_AFTER`. A file that was seen to be deleted takes them along at once.
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
"""Seconds for which a song must have been missing before a scan clears its sidecars away."""


def follow(catalog: Catalog, requests: Iterable[Request]) -> None:
    """Have sidecars go where songs have gone that the catalog knows by another path.

    To be called before the songs are queued: one whose sidecars came along needs no work.

    Raises
    ------
    JournalError
        The journal cannot be written just now, and nothing was moved that it does not know of.
    """
    seen = [(each.path, each.fingerprint) for each in requests if each.fingerprint is not None]
    for old, new in catalog.moved(seen):
        carry(old, new)


def carry(old: Path, new: Path) -> None:
    """Have our sidecars follow a song; one that cannot costs a line in the log.

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


def _has_heir(catalog: Catalog, entry: Entry) -> bool:
    """Whether another song has the same sidecars: the .flac that came in place of an .mp3."""
    return any(
        other.id != entry.id and other.path.stem == entry.path.stem and present(other.path)
        for other in catalog.in_folder(entry.path.parent).values()
    )


def clean(catalog: Catalog, entries: Iterable[Entry]) -> None:
    """Delete our sidecars of songs that were deleted. Should one come back, it is done anew.

    Raises as `follow`.
    """
    from lyricsyncd.tags import Journal, clean_sidecars

    journal = Journal()
    cleaned = []
    for entry in entries:
        if _has_heir(catalog, entry):
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
