"""Poll a music server for new songs and for what is playing.

With nothing new that takes three requests, whatever the size of the library: whether there was a
scan, what is newest if so, and what plays. Songs whose tags alone changed do not show up as newest:
for them, and at the first time, all songs are gone through, once a day.

A path of the server counts where a file lies there; else the song is found by its names and length.
Songs that are found neither way were added unnoticed: the library is scanned.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lyricsyncd.catalog.catalog import Catalog, Priority
from lyricsyncd.errors import LyricsyncError
from lyricsyncd.library.events import Event, EventHandler, Kind, Result
from lyricsyncd.library.lookup import Lookup, NotInLibrary
from lyricsyncd.library.roots import libraries_of
from lyricsyncd.library.rules import Rules
from lyricsyncd.opensubsonic.client import PAGE, Album, Client, NotAllowed, Song
from lyricsyncd.unexpected import UNEXPECTED

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config, OpenSubsonic
    from lyricsyncd.library.watch import FileEvent

log = logging.getLogger(__name__)

SWEEP_S = 24 * 3600.0
"""Seconds from one sweep through all songs to the next."""
RESCAN_S = 600.0
"""Seconds between two scans that the server is requested to make."""
BACKOFF_S = (60.0, 300.0, 900.0)
"""Waits while the server cannot be reached; the last one repeats."""
_NEWEST = 100
"""Albums that are requested first …"""
_ALBUMS_MOST = 500
"""… and at most: if more are new, there is a sweep through all songs instead."""
_BATCH = 5000
"""Songs that are looked up together, since each look-up walks through the whole catalog."""
_SETTING = "opensubsonic"


@dataclass(slots=True)
class Memory:
    """State of a server that is stored over restarts."""

    url: str = ""
    last_scan: str | None = None
    albums: list[tuple[str, str, int]] = field(default_factory=list)
    """The newest albums, as they were."""
    swept_at: float = 0.0
    rescanned_at: float = 0.0
    """The server knows the tags that were written before this moment."""

    @classmethod
    def read(cls, catalog: Catalog, url: str) -> Memory:
        """Read what is remembered of the server at an address; nothing where it was another."""
        try:
            known: dict[str, Any] = json.loads(catalog.noted(_SETTING) or "{}")
            known["albums"] = [(str(id), str(at), int(n)) for id, at, n in known.get("albums", ())]
            memory = cls(**known)
        except (ValueError, TypeError):
            memory = cls()
        now = catalog.clock()
        return memory if memory.url == url else cls(url, rescanned_at=now)

    def write(self, catalog: Catalog) -> None:
        text = json.dumps({name: getattr(self, name) for name in self.__slots__})
        catalog.note(_SETTING, text)


class Poller:
    """The poller of one server.

    Parameters
    ----------
    rules : sequence of Rules
        The libraries.
    on_event : callable
        Called with a folder that appeared.
    scan : callable
        Called to have the libraries scanned.
    """

    def __init__(
        self,
        settings: OpenSubsonic,
        catalog: Catalog,
        rules: Sequence[Rules],
        on_event: Callable[[FileEvent], None],
        scan: Callable[[], None],
    ) -> None:
        self.client = Client(settings)
        self._settings = settings
        self._catalog, self._rules, self._on_event, self._scan = catalog, rules, on_event, scan
        self._refresh_lookup()
        self._memory = Memory.read(catalog, settings.url or "")
        self._playing: frozenset[str] = frozenset()
        self._may_look = True
        self._may_rescan = settings.rescan

    def _refresh_lookup(self) -> None:
        # For each poll: it caches where links lead.
        self._lookup = Lookup(self._catalog, self._rules, self._settings.path_map)
        self._events = EventHandler(self._catalog, self._lookup, self._on_event)

    def poll(self) -> None:
        """Poll once.

        Raises
        ------
        SourceError
            The server cannot be reached; nothing is forgotten.
        WriteError
            The catalog cannot be written.
        """
        self._refresh_lookup()
        self._report_playing()
        before = json.dumps([getattr(self._memory, name) for name in Memory.__slots__])
        last_scan, scanning = self._scan_status()
        if not scanning:
            self._look_for_new(last_scan)
            self._announce_tags()
        if json.dumps([getattr(self._memory, name) for name in Memory.__slots__]) != before:
            self._memory.write(self._catalog)

    def _scan_status(self) -> tuple[str | None, bool]:
        if not self._may_look:
            return None, False
        try:
            status = self.client.scan_status()
        except NotAllowed as error:
            log.info("%s: its newest albums are requested each time", error.message)
            self._may_look = False
            return None, False
        return status.last_scan, status.scanning

    # Playing songs

    def _report_playing(self) -> None:
        songs = self.client.now_playing()
        new = [song for song in songs if song.id not in self._playing]
        if new:
            self._events.take([_event(Kind.PLAYING, song, Priority.PLAYING) for song in new])
        self._playing = frozenset(song.id for song in songs)

    # New songs

    def _look_for_new(self, last_scan: str | None) -> None:
        memory, now = self._memory, self._catalog.clock()
        if not 0 <= now - memory.swept_at < SWEEP_S:
            # First, so that songs added during the sweep are seen twice rather than missed.
            newest = self.client.newest(_NEWEST)
            self._sweep()
            memory.swept_at = now
            memory.albums, memory.last_scan = _marks(newest), last_scan
            return
        if last_scan is not None and last_scan == memory.last_scan:
            return
        newest, fresh = self._fresh_albums()
        if len(fresh) > _ALBUMS_MOST:
            self._sweep()
        else:
            songs = [song for album in fresh for song in self.client.album(album.id)]
            self._take(songs, Priority.IMPORT)
        memory.albums, memory.last_scan = _marks(newest), last_scan

    def _fresh_albums(self) -> tuple[list[Album], list[Album]]:
        """Request the newest albums; return also those of them that are new or have grown."""
        known = set(self._memory.albums)
        newest = page = self.client.newest(_NEWEST)
        fresh = [album for album in page if _mark(album) not in known]
        while page and len(fresh) == len(newest) <= _ALBUMS_MOST:
            page = self.client.newest(_NEWEST, len(newest))
            newest = newest + page
            fresh += [album for album in page if _mark(album) not in known]
        return newest, fresh

    def _sweep(self) -> None:
        offset, unknown = 0, 0
        batch: list[Song] = []
        while songs := self.client.songs(offset):
            offset += len(songs)
            batch += songs
            if len(batch) >= _BATCH:
                unknown += self._known(batch, Priority.BACKFILL)
                batch = []
            if len(songs) < PAGE:
                break
        unknown += self._known(batch, Priority.BACKFILL)
        log.info("the music server has %d songs, %d of them not known here", offset, unknown)
        if unknown:
            self._scan()

    def _take(self, songs: Sequence[Song], priority: Priority) -> None:
        if songs and self._known(songs, priority):
            self._scan()

    def _known(self, songs: Sequence[Song], priority: Priority) -> int:
        """Queue the songs whose files are found; return how many are not."""
        here: list[Song] = []
        elsewhere: list[Song] = []
        for song in songs:
            (here if self._is_real(song.path) else elsewhere).append(song)
        taken = self._events.take([_event(Kind.IMPORTED, song, priority) for song in here])
        entries = self._lookup.by_tags_many([song.track for song in elsewhere])
        found = [
            Event(Kind.IMPORTED, str(entry.path), priority=priority)
            for entry in entries
            if entry is not None
        ]
        self._events.take(found)
        lost = sum(1 for each in taken if each.result in (Result.NOT_FOUND, Result.OUTSIDE))
        return lost + len(elsewhere) - len(found)

    def _is_real(self, path: str | None) -> bool:
        if path is None:
            return False
        try:
            return self._lookup.place(path).path.is_file()
        except (NotInLibrary, OSError):
            return False

    # Written tags

    def _announce_tags(self) -> None:
        """Request a scan of the server where lyrics were written into tags."""
        memory, now = self._memory, self._catalog.clock()
        if not self._may_rescan or 0 <= now - memory.rescanned_at < RESCAN_S:
            return
        finished = self._catalog.finished_between(memory.rescanned_at, now)
        if any(entry.path in entry.written for entry in finished):
            try:
                self.client.start_scan()
            except NotAllowed as error:
                log.warning("lyrics in tags show up after the server's next scan: %s", error)
                self._may_rescan = False
                return
        memory.rescanned_at = now


def _event(kind: Kind, song: Song, priority: Priority) -> Event:
    return Event(kind, song.path, song.track if song.track.title else None, priority=priority)


def _mark(album: Album) -> tuple[str, str, int]:
    return album.id, album.created, album.songs


def _marks(albums: Sequence[Album]) -> list[tuple[str, str, int]]:
    return [_mark(album) for album in albums[:_ALBUMS_MOST]]


def start_polling(
    config: Config,
    catalog: Catalog,
    on_event: Callable[[FileEvent], None],
    scan: Callable[[], None],
    wake: Callable[[], None],
) -> PollerThread | None:
    """Start a thread that polls the configured server; return ``None`` where there is none."""
    settings = config.opensubsonic
    if settings.url is None:
        return None
    rules = libraries_of(config.libraries)
    poller = Poller(settings, catalog, rules, on_event, scan)
    return PollerThread(poller, settings.poll, wake)


class PollerThread:
    """Poll in a thread, until stopped."""

    def __init__(self, poller: Poller, every_s: float, wake: Callable[[], None]) -> None:
        self._poller, self._every_s, self._wake = poller, every_s, wake
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="opensubsonic", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop polling; a request that is under way is not waited for."""
        self._stopping.set()
        self._thread.join(0.5)

    def _run(self) -> None:
        failures = 0
        logged = ""
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._poller.poll()
                if failures:
                    log.info("the music server answers again")
                failures, logged = 0, ""
                wait = self._every_s
                self._wake()
            except LyricsyncError as error:
                wait = max(self._every_s, BACKOFF_S[min(failures, len(BACKOFF_S) - 1)])
                failures += 1
                if str(error) != logged:
                    logged = str(error)
                    log.warning("the music server: %s", error)
            except Exception as error:  # noqa: BLE001 - the loop goes on, see `unexpected`
                UNEXPECTED.record(error, "the music server")
                wait = BACKOFF_S[-1]
            self._stopping.wait(max(1.0, wait - (time.monotonic() - began)))
