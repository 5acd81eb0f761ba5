"""Events that other programs report of songs: imported, changed, moved, removed, playing.

Like the watcher's, they are only hints: the file itself is always examined.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR

from lyricsyncd.catalog.catalog import Catalog, Entry, Fingerprint, Priority, Queued, Request
from lyricsyncd.config.paths import present
from lyricsyncd.errors import WriteError, passes
from lyricsyncd.library import sidecars
from lyricsyncd.library.lookup import Lookup, NotInLibrary, Place
from lyricsyncd.library.overrides import skip_reason
from lyricsyncd.library.roots import offline
from lyricsyncd.library.rules import IgnoreFiles, is_song
from lyricsyncd.library.watch import FileEvent
from lyricsyncd.model import Track


class Kind(str, enum.Enum):
    """The kinds of events."""

    IMPORTED = "imported"
    CHANGED = "changed"
    MOVED = "moved"
    REMOVED = "removed"
    PLAYING = "playing"


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a song, which is identified by its path or by its tags."""

    kind: Kind
    path: str | None = None
    track: Track | None = None
    moved_from: str | None = None
    priority: Priority | None = None
    force: bool = False
    """Queue it even if it is unchanged since it was done."""


class Result(str, enum.Enum):
    """The result of an event that queued nothing; that of one that did is a `Queued`."""

    SCANNING = "scanning"
    """It is a folder, which will be scanned."""
    REMOVED = "removed"
    STILL_THERE = "still_there"
    """It was reported as removed, but exists."""
    EXCLUDED = "excluded"
    """The library's patterns or ignore files exclude it, or it is not a song."""
    NOT_FOUND = "not_found"
    OUTSIDE = "outside"
    """It is in no library."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The result of an event, and its song."""

    result: Queued | Result
    path: Path | None = None
    id: int | None = None


class EventHandler:
    """Enter events into the catalog.

    Parameters
    ----------
    on_event : callable
        Called with a file event for each new folder, and for songs to be examined later.
    """

    def __init__(
        self, catalog: Catalog, lookup: Lookup, on_event: Callable[[FileEvent], None]
    ) -> None:
        self._catalog = catalog
        self._lookup = lookup
        self._on_event = on_event
        self._ignore_files = IgnoreFiles()

    def take(self, events: Sequence[Event]) -> list[Taken]:
        """Act on events, in their order; songs are queued in one transaction.

        Raises
        ------
        WriteError
            The catalog cannot be written. The events' paths are examined once it can, as the
            programs that sent them may not do so again.
        """
        try:
            return self._take(events)
        except (WriteError, OSError) as error:
            if not passes(error):
                raise
            for event in events:
                self._remember(event)
            if isinstance(error, WriteError):
                raise
            raise WriteError(f"Not now: {error.strerror}", transient=True) from error

    def _remember(self, event: Event) -> None:
        """Report the paths of an event as file events, which wait until files are stable."""
        try:
            old, new = (
                None if text is None else self._lookup.place(text).path
                for text in (event.moved_from, event.path)
            )
        except NotInLibrary:
            return
        if new is not None:
            folder = os.path.isdir(new)  # noqa: PTH112
            self._on_event(FileEvent(new, folder=folder, moved_from=old))
        if old is not None:
            self._on_event(FileEvent(old))

    def _take(self, events: Sequence[Event]) -> list[Taken]:
        self._ignore_files = IgnoreFiles()
        taken: list[Taken] = []
        requests: dict[int, Request] = {}
        for at, event in enumerate(events):
            outcome = self._one(event)
            if isinstance(outcome, Request):
                requests[at] = outcome
                outcome = Taken(Result.NOT_FOUND, outcome.path)
            taken.append(outcome)
        sidecars.follow(self._catalog, requests.values())
        queued = self._catalog.enqueue_many(requests.values()) if requests else []
        ids = self._catalog.ids([request.path for request in requests.values()])
        for (at, request), result in zip(requests.items(), queued, strict=True):
            taken[at] = Taken(result, request.path, ids.get(request.path))
        for event, outcome in zip(events, taken, strict=True):
            if event.kind is Kind.MOVED and event.moved_from is not None:
                self._left(event.moved_from, outcome.path)
        return taken

    def _one(self, event: Event) -> Request | Taken:
        outcome: Request | Taken
        if event.path is None:
            outcome = Taken(Result.NOT_FOUND)
        else:
            try:
                outcome = self._at(event, self._lookup.place(event.path))
            except NotInLibrary:
                outcome = Taken(Result.OUTSIDE)
        unknown = isinstance(outcome, Taken) and outcome.result in (
            Result.OUTSIDE,
            Result.NOT_FOUND,
        )
        if event.track is None or not unknown:
            return outcome
        # Another program may know the file by another path: then its tags identify it.
        entry = self._lookup.by_tags(event.track)
        if entry is None:
            return Taken(Result.NOT_FOUND)
        try:
            return self._at(event, self._lookup.place(str(entry.path)))
        except NotInLibrary:
            # Its library is no longer among those of the configuration.
            return Taken(Result.OUTSIDE)

    def _at(self, event: Event, place: Place) -> Request | Taken:
        path = place.path
        if event.kind is Kind.REMOVED:
            return self._removed(place, self._catalog.by_path(path))
        try:
            status = path.stat()
            if S_ISDIR(status.st_mode):
                if event.kind is Kind.PLAYING or path == place.rules.root:
                    return Taken(Result.EXCLUDED, path)
                self._on_event(FileEvent(path, folder=True))
                return Taken(Result.SCANNING, path)
            fingerprint = Fingerprint.from_stat(status)
            wanted = (
                is_song(path) and fingerprint.size and place.rules.admits(path, self._ignore_files)
            )
        except OSError as error:
            if passes(error):
                raise
            return Taken(Result.NOT_FOUND, path, self._id(path))
        if not wanted:
            return Taken(Result.EXCLUDED, path, self._id(path))
        priority = event.priority
        if priority is None:
            priority = Priority.PLAYING if event.kind is Kind.PLAYING else Priority.IMPORT
        why = "it plays" if event.kind is Kind.PLAYING else f"reported as {event.kind.value}"
        ignored = skip_reason(place.rules.overridden(path))
        return Request(
            path, priority, why, place.rules.root, fingerprint, event.force, ignored=ignored
        )

    def _id(self, path: Path) -> int | None:
        return self._catalog.ids([path]).get(path)

    def _removed(self, place: Place, entry: Entry | None) -> Taken:
        if present(place.path):
            return Taken(Result.STILL_THERE, place.path, None if entry is None else entry.id)
        if offline(place.rules.root):
            return Taken(Result.NOT_FOUND, place.path)
        gone = list(self._catalog.in_folder(place.path).values()) if entry is None else [entry]
        if not gone:
            return Taken(Result.NOT_FOUND, place.path)
        self._catalog.missing([each.id for each in gone])
        sidecars.clean(self._catalog, gone)
        return Taken(Result.REMOVED, place.path, None if entry is None else entry.id)

    def _left(self, text: str, new: Path | None) -> None:
        """Remove a song from its old path: across disks the catalog cannot match the inode."""
        try:
            place = self._lookup.place(text)
        except NotInLibrary:
            return
        if new is not None:
            sidecars.carry(place.path, new)
        entry = self._catalog.by_path(place.path)
        if entry is not None:
            self._removed(place, entry)
