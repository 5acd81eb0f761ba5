"""Watch the libraries for changes.

Local file systems report changes (inotify, through watchdog). Network and FUSE file systems do not,
and inotify has limits: such libraries are scanned from time to time instead, which is logged once.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)

from lyricsyncd.catalog import mounts
from lyricsyncd.library.rules import Rules, is_lyrics, is_song
from lyricsyncd.unexpected import UNEXPECTED

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

log = logging.getLogger(__name__)

POLL_AT_LEAST = 60.0
"""Least seconds between scans of a library whose file system does not report changes …"""
POLL_SHARE = 0.001
"""… and the greatest share of time spent on them."""

_LIMIT = "the system's limit of watches is reached (raise fs.inotify.max_user_watches)"
_IN_MODIFY = 0x2
_EVENTS: tuple[type[FileSystemEvent], ...] = (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
)
"""No openings, and no closings after reading: playing a song must not wake the service."""


@dataclass(slots=True)
class Watched:
    """The state of a watched library."""

    rules: Rules
    online: bool = False
    polled: bool = False
    """Scanned from time to time, because its file system does not report changes."""
    identity: tuple[int, int] | None = None
    """Device and inode of its folder: they change when a disk is mounted."""
    poll_at: float = 0.0


@dataclass(frozen=True, slots=True)
class FileEvent:
    """A change at a path, which is that of a folder if ``folder`` is true."""

    path: Path
    folder: bool = False
    moved_from: Path | None = None
    """The old path, if it was moved."""


class Watcher:
    """Watch libraries, and pass a `FileEvent` for each change to a callback, in another thread.

    Parameters
    ----------
    rules : sequence of Rules
        The libraries.
    on_event : callable
        Called with each event that may concern a song.
    filesystem : callable, optional
        Returns the type of a path's file system.
    """

    def __init__(
        self,
        rules: Sequence[Rules],
        on_event: Callable[[FileEvent], None],
        *,
        filesystem: Callable[[Path], str] = mounts.filesystem,
    ) -> None:
        self.libraries = [Watched(each) for each in rules]
        self._on_event = on_event
        self._filesystem = filesystem
        self._observers: dict[Path, BaseObserver] = {}

    def check(self) -> list[Watched]:
        """Check which libraries were mounted or unmounted, and return those that need a scan.

        To be called at the start, and from time to time.
        """
        came = []
        for library in self.libraries:
            identity = _identity(library.rules.root)
            # An empty folder is watched, too: it is a new library, or a disk's mount point.
            online = identity is not None
            if identity == library.identity:
                continue
            self._unwatch(library)
            if library.online and not online:
                log.warning("library %s is not there: its songs wait", library.rules.root)
            library.online, library.identity = online, identity
            if online:
                self._watch(library)
                came.append(library)
        return came

    def came(self, folder: Path) -> None:
        """Check that a new folder of a library could be watched, and else scan the library.

        watchdog does not report new folders for which no watch is left.
        """
        for library in self.libraries:
            root = library.rules.root
            if root in self._observers and root in folder.parents and not watches_left(folder):
                self._unwatch(library)
                self._poll(library, _LIMIT)

    def stop(self) -> None:
        """Stop watching."""
        for library in self.libraries:
            self._unwatch(library)

    def _watch(self, library: Watched) -> None:
        root = library.rules.root
        kind = self._filesystem(root)
        if mounts.silent(kind):
            self._poll(library, f"{kind} does not report changes")
            return
        from watchdog.observers import Observer

        # A library may be a link, and watchdog does not follow links.
        real = Path(os.path.realpath(root))
        observer: BaseObserver | None = None
        try:
            observer = Observer()
            handler = _Handler(real, root, self._on_event)
            observer.schedule(handler, str(real), recursive=True, event_filter=list(_EVENTS))
            observer.start()
        except OSError as error:
            if observer is not None:
                observer.stop()
            if error.errno not in (errno.ENOSPC, errno.EMFILE):
                log.warning("library %s cannot be watched: %s", root, error.strerror)
            self._poll(library, _LIMIT if error.errno == errno.ENOSPC else str(error.strerror))
            return
        library.polled = False
        self._observers[root] = observer

    def _poll(self, library: Watched, why: str) -> None:
        if not library.polled:
            log.info("library %s is scanned from time to time: %s", library.rules.root, why)
        library.polled = True

    def _unwatch(self, library: Watched) -> None:
        observer = self._observers.pop(library.rules.root, None)
        if observer is not None:
            observer.stop()
            observer.join(timeout=2.0)


class _Handler(FileSystemEventHandler):
    """Convert the events of watchdog."""

    def __init__(self, real: Path, shown: Path, on_event: Callable[[FileEvent], None]) -> None:
        self._real, self._shown, self._on_event = real, shown, on_event

    def dispatch(self, event: FileSystemEvent) -> None:
        # An error would end watchdog's thread, and with it all events.
        with UNEXPECTED.contain(event.src_path):
            self._report(event)

    def _report(self, event: FileSystemEvent) -> None:
        path = Path(os.fsdecode(event.src_path))
        if event.event_type == "created" and not event.is_directory and path.is_dir():
            # A link to a folder, which watchdog takes for a file.
            self._emit(path, folder=True)
            return
        if event.event_type == "moved":
            new = Path(os.fsdecode(event.dest_path))
            folder = event.is_directory or new.is_dir()
            of_song = not folder and is_song(path) and is_song(new)
            self._emit(new, folder, self._as_shown(path) if of_song else None)
        self._emit(path, event.is_directory)

    def _emit(self, path: Path, folder: bool, moved_from: Path | None = None) -> None:
        if folder or is_song(path) or is_lyrics(path):
            self._on_event(FileEvent(self._as_shown(path), folder, moved_from))

    def _as_shown(self, path: Path) -> Path:
        return path if self._real == self._shown else self._shown / path.relative_to(self._real)


def watches_left(folder: Path) -> bool:
    """Check whether the system lets us watch one more folder."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.inotify_init1(os.O_CLOEXEC)
    if descriptor < 0:
        return ctypes.get_errno() != errno.EMFILE
    try:
        added = libc.inotify_add_watch(descriptor, os.fsencode(folder), _IN_MODIFY)
        return added >= 0 or ctypes.get_errno() != errno.ENOSPC
    finally:
        os.close(descriptor)


def poll_interval(scan_took: float) -> float:
    """Return the seconds until a library that does not report changes is scanned again."""
    return max(POLL_AT_LEAST, scan_took / POLL_SHARE)


def _identity(root: Path) -> tuple[int, int] | None:
    try:
        stat = root.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino
