"""Compare a library with the catalog, and queue the songs that are new or changed.

The scan is authoritative; file events only hint at changes. A library whose folder is missing or
empty is on an unmounted disk: none of its songs is taken for missing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from lyricsyncd.catalog.catalog import Catalog, Entry, Known, Priority, Queued, Request, State
from lyricsyncd.config.paths import present
from lyricsyncd.library import sidecars
from lyricsyncd.library.overrides import skip_reason
from lyricsyncd.library.roots import offline
from lyricsyncd.library.rules import Rules
from lyricsyncd.library.walk import walk
from lyricsyncd.unicode_forms import composed

_BATCH = 500


@dataclass(slots=True)
class Report:
    """The result of a scan."""

    library: Path
    offline: bool = False
    """The library's folder is missing or empty, so that no song was taken for missing."""
    songs: int = 0
    new: int = 0
    changed: int = 0
    missing: int = 0
    unreadable: list[Path] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    """The songs found, where requested."""


def reconcile(
    catalog: Catalog,
    rules: Rules,
    *,
    start: Path | None = None,
    priority: Priority = Priority.BACKFILL,
    reason: str = "scan",
    stop: Callable[[], bool] = lambda: False,
) -> Report:
    """Compare a library, or a folder in it, with the catalog, and queue what is new or changed.

    Parameters
    ----------
    start : Path, optional
        Scan this folder and those below it only.
    stop : callable, optional
        Called between folders; true ends the scan early, and no song is taken for missing.
    """
    report = Report(rules.root)
    if offline(rules.root):
        report.offline = True
        return report
    requests: list[_Candidate] = []
    visited: set[Path] = set()
    gone: list[int] = []
    for folder in walk(rules, start, unreadable=report.unreadable):
        if stop():
            _queue(catalog, requests, report)
            return report
        visited.add(folder.path)
        report.songs += len(folder.songs)
        known = catalog.known(folder.path)
        back: list[int] = []
        for path, fingerprint in folder.songs.items():
            entry = known.pop(path.name, None)
            same = entry is not None and entry.fingerprint == fingerprint
            if entry is not None and entry.missing_since is not None and same:
                back.append(entry.id)
            stem, name = composed(path.stem), composed(path.name)
            words = folder.lyrics.get(stem, folder.lyrics.get(name))
            seen = Request(path, priority, reason, rules.root, fingerprint)
            request = _request(seen, entry, words, rules)
            if request is not None:
                requests.append((words is None, request))
        if back:
            catalog.back(back)
        gone += [entry.id for entry in known.values() if entry.missing_since is None]
        if len(requests) >= _BATCH:
            _queue(catalog, requests, report)
    _queue(catalog, requests, report)
    gone += _in_folders_that_are_gone(catalog, rules, start, visited, report.unreadable)
    if gone and report.songs == 0 and start is None:
        # No song is left where there were some: more likely, the disk is not mounted.
        report.offline = True
        return report
    # Songs moved within the library have their new paths by now.
    gone = [id for id in gone if _still_gone(catalog, id)]
    report.missing = len(gone)
    if gone:
        catalog.missing(gone)
    if start is None:
        sidecars.clean(catalog, catalog.missing_longer(rules.root, sidecars.CLEAN_AFTER))
        catalog.scanned(rules.root)
    return report


def _request(
    seen: Request, entry: Known | None, words: float | None, rules: Rules
) -> Request | None:
    """Return the request for a song that was seen; ``None`` where there is nothing to do.

    Parameters
    ----------
    words : float or None
        Time of the last change of the lyrics beside the song, seconds since the epoch.
    """
    if entry is None or not (entry.fingerprint == seen.fingerprint or entry.left_alone):
        return dataclasses.replace(seen, ignored=skip_reason(rules.overridden(seen.path)))
    if words is not None and awaits_words(entry, words):
        return dataclasses.replace(seen, reason="new words beside the song", force=True)
    if seen.priority >= Priority.PERSON and entry.state is State.PENDING:
        return seen
    return None


def _in_folders_that_are_gone(
    catalog: Catalog,
    rules: Rules,
    start: Path | None,
    visited: Set[Path],
    unreadable: Sequence[Path],
) -> list[int]:
    """List the songs of folders below ``start`` that were not visited, and are not unreadable."""
    below = start or rules.root
    return [
        entry.id
        for folder in catalog.folders(rules.root) - visited
        if below in (folder, *folder.parents) and not _within(folder, unreadable)
        for entry in catalog.known(folder).values()
        if entry.missing_since is None
    ]


def awaits_words(entry: Entry | Known, changed: float) -> bool:
    """Check whether lyrics are new to a song that had none that fit, or that was never searched.

    Parameters
    ----------
    changed : float
        Time of the last change of the lyrics, seconds since the epoch.
    """
    without = {State.NO_LYRICS, State.REVIEW, State.INSTRUMENTAL, State.IGNORED, State.PENDING}
    return (
        entry.state in without
        and not entry.left_alone
        and entry.finished_at is not None
        and changed > entry.finished_at
    )


def _still_gone(catalog: Catalog, id: int) -> bool:
    entry = catalog.get(id)
    return entry is not None and not present(entry.path)


def _within(path: Path, folders: Sequence[Path]) -> bool:
    return any(folder == path or folder in path.parents for folder in folders)


_Candidate = tuple[bool, Request]
"""Whether a song has no words beside it, and its request."""


def _queue(catalog: Catalog, requests: list[_Candidate], report: Report) -> None:
    """Queue songs, those with words beside them first: no look-up has to be waited for."""
    if not requests:
        return
    ordered = [request for _, request in sorted(requests, key=lambda pair: pair[0])]
    sidecars.follow(catalog, ordered)
    for done in catalog.enqueue_many(ordered):
        report.new += done is Queued.NEW
        report.changed += done is Queued.AGAIN
    requests.clear()
