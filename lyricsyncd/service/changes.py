"""Queue songs whose files changed, once a file has been stable for a while."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.catalog.catalog import Catalog, Fingerprint, Priority, Request
from lyricsyncd.config.paths import present
from lyricsyncd.errors import JournalError, LyricsyncError, UsageError, passes
from lyricsyncd.library import roots, scan, sidecars
from lyricsyncd.library.overrides import skip_reason
from lyricsyncd.library.rules import Rules, is_song
from lyricsyncd.library.settle import Debouncer, StableFile
from lyricsyncd.library.watch import FileEvent
from lyricsyncd.printable import escaped
from lyricsyncd.service.component import Component
from lyricsyncd.service.libraries import Libraries
from lyricsyncd.service.scans import Scans
from lyricsyncd.unexpected import TRANSIENT, UNEXPECTED
from lyricsyncd.unicode_forms import composed

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config

log = logging.getLogger(__name__)

_AGAIN_S = 5.0
"""Seconds after which a file is queued that a transient error (a full disk, say) kept out."""


class EventQueue:
    """Events of the file system, from any thread, until the main loop takes them.

    Parameters
    ----------
    wake : callable
        Wakes the main loop.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._events: queue.SimpleQueue[FileEvent] = queue.SimpleQueue()

    def put(self, event: FileEvent) -> None:
        """Add an event; safe from any thread."""
        self._events.put(event)
        self._wake()

    def take(self) -> FileEvent | None:
        """Remove the oldest event; ``None`` where there is none."""
        try:
            return self._events.get_nowait()
        except queue.Empty:
            return None


class Changes(Component):
    """Take changes of files into the catalog."""

    name = "changes of files"

    def __init__(
        self, catalog: Catalog, events: EventQueue, libraries: Libraries, scans: Scans
    ) -> None:
        self._catalog, self._events = catalog, events
        self._libraries, self._scans = libraries, scans
        self._debouncer = Debouncer(0.0)

    def start(self, config: Config) -> None:
        self._debouncer.wait_s = config.daemon.settle

    def reload(self, config: Config) -> None:
        self._debouncer.wait_s = config.daemon.settle

    def tick(self, now: float) -> None:
        while (event := self._events.take()) is not None:
            with UNEXPECTED.contain(event.path):
                self._take_event(event, now)
        self._queue_stable(now)

    def next_due(self) -> float | None:
        return self._debouncer.next_due()

    def _take_event(self, event: FileEvent, now: float) -> None:
        if event.folder:
            rules = self._libraries.rules_of(event.path)
            # Files may have come with the folder before it was watched.
            if rules is not None and os.path.isdir(event.path):  # noqa: PTH112 - never raises
                self._libraries.folder_appeared(event.path)
                self._scans.request_folder(rules, event.path, "new folder")
            return
        self._debouncer.touch(event.path, _fingerprint(event.path), now)
        if event.moved_from is not None and self._libraries.rules_of(event.moved_from) is not None:
            try:
                sidecars.carry(event.moved_from, event.path)
            except JournalError as error:
                # It is tried again when the song is queued.
                TRANSIENT.log(error)

    def _queue_stable(self, now: float) -> None:
        # Files that appeared before those that disappeared: a song that was moved takes its
        # sidecars along.
        stable = sorted(
            self._debouncer.due(now, _fingerprint), key=lambda each: each.fingerprint is None
        )
        for at, file in enumerate(stable):
            try:
                with UNEXPECTED.contain(file.path, but=(LyricsyncError, OSError)):
                    self._take_file(file)
            except (LyricsyncError, OSError) as error:
                if not passes(error):
                    log.warning("%s: %s", escaped(str(file.path)), error)
                    continue
                # The catalog cannot be written, say: none of the files may be forgotten.
                TRANSIENT.log(error)
                for left in stable[at:]:
                    self._debouncer.put_back(left, now, _AGAIN_S)
                return

    def _take_file(self, file: StableFile) -> None:
        rules = self._libraries.rules_of(file.path)
        if rules is None:
            return
        if is_song(file.path):
            self._take_song(file, rules)
        elif file.fingerprint is not None:
            self._take_lyrics(file.path)

    def _take_song(self, file: StableFile, rules: Rules) -> None:
        if file.fingerprint is None:
            entry = self._catalog.by_path(file.path)
            if entry is not None and not roots.offline(rules.root):
                self._catalog.missing([entry.id])
                sidecars.clean(self._catalog, [entry])
        elif file.fingerprint.size and rules.admits(file.path):
            request = Request(
                file.path,
                Priority.IMPORT,
                "new file",
                rules.root,
                file.fingerprint,
                ignored=skip_reason(rules.overridden(file.path)),
            )
            sidecars.follow(self._catalog, [request])
            with contextlib.suppress(UsageError):
                self._catalog.enqueue_many([request])

    def _take_lyrics(self, sidecar: Path) -> None:
        """Queue the song that a new sidecar belongs to, if it waits for lyrics."""
        changed = max(sidecar.stat().st_mtime, sidecar.stat().st_ctime)
        stem = composed(sidecar.stem)
        for entry in self._catalog.in_folder(sidecar.parent).values():
            matches = stem in (composed(entry.path.stem), composed(entry.path.name))
            if matches and scan.awaits_words(entry, changed):
                reason = "new words beside the song"
                self._catalog.enqueue(entry.path, Priority.IMPORT, reason, force=True)


def _fingerprint(path: Path) -> Fingerprint | None:
    try:
        return Fingerprint.of(path) if present(path) else None
    except OSError:
        return None
