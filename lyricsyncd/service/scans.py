"""Decide when libraries are scanned, and scan them in the background.

A library is scanned when it appears, at the times of ``daemon.rescan``, from time to time where its
file system reports no changes, and when another component requests it.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.catalog.catalog import Catalog, Priority
from lyricsyncd.errors import LyricsyncError, passes
from lyricsyncd.library import scan
from lyricsyncd.library.lookup import name_songs
from lyricsyncd.library.rules import Rules
from lyricsyncd.library.watch import poll_interval
from lyricsyncd.service.background import Background
from lyricsyncd.service.component import Component, Interval
from lyricsyncd.service.libraries import Libraries
from lyricsyncd.unexpected import TRANSIENT, UNEXPECTED
from lyricsyncd.work import schedule

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config

log = logging.getLogger(__name__)

_CHECK_S = 30.0
"""Seconds between checks whether libraries appeared or disappeared."""
_AGAIN_S = 5.0
"""Seconds after which a scan is repeated that a transient error (a full disk, say) ended."""


@dataclass(frozen=True, slots=True)
class _Scan:
    """A requested scan."""

    rules: Rules
    start: Path | None
    priority: Priority
    reason: str

    @property
    def key(self) -> tuple[Path, Path | None]:
        return self.rules.root, self.start


class Scans(Component):
    """Scans of libraries, each queued once at a time.

    Parameters
    ----------
    wake : callable
        Called after a scan: songs may be due.
    wall : callable, optional
        The system's clock.
    """

    name = "scans"

    def __init__(
        self,
        catalog: Catalog,
        libraries: Libraries,
        background: Background,
        wake: Callable[[], None],
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._catalog, self._libraries, self._background = catalog, libraries, background
        self._wake, self._wall = wake, wall
        self._rescan: str | None = None
        self._rescan_at: float | None = None
        self._queued: set[tuple[Path, Path | None]] = set()
        self._failed: queue.SimpleQueue[_Scan] = queue.SimpleQueue()
        self._check, self._again = Interval(_CHECK_S, first=_CHECK_S), Interval(_AGAIN_S)

    def start(self, config: Config) -> None:
        self.reload(config)

    def reload(self, config: Config) -> None:
        self._rescan = config.daemon.rescan
        self.reschedule()
        self._scan_appeared()

    def tick(self, now: float) -> None:
        if self._check.due(now):
            self._scan_appeared()
        self._poll(now)
        self._scan_on_schedule()
        self._repeat_failed(now)

    def reschedule(self) -> None:
        """Compute anew when the next scheduled scan is due."""
        self._rescan_at = None
        if self._rescan is not None:
            self._rescan_at = schedule.next_scan(self._rescan, self._wall())

    def request_all(self, reason: str) -> None:
        """Scan all libraries soon."""
        for rules in self._libraries.rules:
            self._request(_Scan(rules, None, Priority.IMPORT, reason))

    def request_folder(self, rules: Rules, folder: Path, reason: str) -> None:
        """Scan a folder of a library soon."""
        self._request(_Scan(rules, folder, Priority.IMPORT, reason))

    def _scan_appeared(self) -> None:
        for rules in self._libraries.appeared():
            self._request(_Scan(rules, None, Priority.BACKFILL, "first scan"))

    def _poll(self, now: float) -> None:
        for library in self._libraries.watched:
            if library.polled and library.online and now >= library.poll_at:
                # Set again when the scan has shown how long it takes.
                library.poll_at = now + _CHECK_S
                self._request(_Scan(library.rules, None, Priority.IMPORT, "new file"))

    def _scan_on_schedule(self) -> None:
        if self._rescan_at is None or self._wall() < self._rescan_at:
            return
        self.reschedule()
        for rules in self._libraries.rules:
            self._request(_Scan(rules, None, Priority.BACKFILL, "scheduled scan"))

    def _repeat_failed(self, now: float) -> None:
        """Repeat scans that a transient error ended, once the catalog can be written."""
        if self._failed.empty() or not self._again.due(now):
            return
        self._catalog.try_to_write()
        while not self._failed.empty():
            self._request(self._failed.get())

    def _request(self, requested: _Scan) -> None:
        if requested.key not in self._queued:
            self._queued.add(requested.key)
            name = f"the scan of {requested.start or requested.rules.root}"
            self._background.submit(name, lambda: self._run(requested))

    # In the background

    def _run(self, requested: _Scan) -> None:
        self._queued.discard(requested.key)
        began = time.monotonic()
        with UNEXPECTED.contain(f"the scan of {requested.start or requested.rules.root}"):
            try:
                self._scan(requested)
            except (LyricsyncError, OSError) as error:
                TRANSIENT.log(error)
                if passes(error):
                    self._failed.put(requested)
        took = time.monotonic() - began
        for library in self._libraries.watched:
            if library.rules.root == requested.rules.root and requested.start is None:
                library.poll_at = time.monotonic() + poll_interval(took)

    def _scan(self, requested: _Scan) -> None:
        began = time.monotonic()
        stopping = self._background.stopping.is_set
        report = scan.reconcile(
            self._catalog,
            requested.rules,
            start=requested.start,
            priority=requested.priority,
            reason=requested.reason,
            stop=stopping,
        )
        if report.offline:
            log.warning("library %s is away or empty: nothing is changed for it", report.library)
        elif report.new or report.changed or report.missing:
            log.info(
                "%s: %d songs, %d new, %d changed, %d missing (%.1f s)",
                requested.start or report.library,
                report.songs,
                report.new,
                report.changed,
                report.missing,
                time.monotonic() - began,
            )
        self._wake()
        name_songs(self._catalog, stopping)
