"""Hints of changes in the libraries, from the file system.

Local file systems tell of changes (inotify, through watchdog). Network and FUSE file systems do
not, and inotify has limits: such libraries are gone through from time to time instead, which is
said once.
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
from lyricsyncd.library.scan import Rules, is_lyrics, is_song
from lyricsyncd.unexpected import UNEXPECTED

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

log = logging.getLogger(__name__)

POLL_AT_LEAST = 60.0
"""Seconds between looks at a library that does not tell of changes, at least …"""
POLL_SHARE = 0.001
"""… and at most this share of the time is spent looking."""

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
"""No openings, and no closings after reading: who plays a song must not wake us."""


@dataclass(slots=True)
class Watched:
    """A library and how it is watched."""

    rules: Rules
    online: bool = False
    polled: bool = False
    """It is gone through from time to time, because it does not tell of changes."""
    identity: tuple[int, int] | None = None
    """Device and inode of its folder: they change when a disk is plugged in."""
    poll_at: float = 0.0


@dataclass(frozen=True, slots=True)
class FileEvent:
    """Something happened to a path; ``folder`` tells that it is a folder."""

    path: Path
    folder: bool = False
    moved_from: Path | None = None
    """The song was moved here from there."""


class Watcher:
    """Watches libraries, and hands a `FileEvent` for each change to a callback (in another thread).

    Parameters
    ----------
    rules : sequence of Rules
        The libraries.
    heard : callable
        Called with each hint that may concern a song.
    filesystem : callable, optional
        Gives the type of a path's file system.
    """

    def __init__(
        self,
        rules: Sequence[Rules],
        heard: Callable[[FileEvent], None],
        *,
        filesystem: Callable[[Path], str] = mounts.filesystem,
    ) -> None:
        self.libraries = [Watched(each) for each in rules]
        self._heard = heard
        self._filesystem = filesystem
        self._observers: dict[Path, BaseObserver] = {}

    def check(self) -> list[Watched]:
        """See which libraries came or went; those that have just come need a scan.

        Call it at the start, and now and then.
        """
        came = []
        for library in self.libraries:
            identity = _identity(library.rules.root)
            # An empty folder is watched, too: a new library, or a disk's mount point.
            online = identity is not None
            if identity == library.identity:
                continue
            self._unwatch(library)
            if library.online and not online:
                log.warning("library %s is away: its songs wait", library.rules.root)
            library.online, library.identity = online, identity
            if online:
                self._watch(library)
                came.append(library)
        return came

    def came(self, folder: Path) -> None:
        """A folder has come to a library: see that it could still be watched.

        watchdog says nothing of folders that come later and find no watch left.
        """
        for library in self.libraries:
            root = library.rules.root
            if root in self._observers and root in folder.parents and not watches_left(folder):
                self._unwatch(library)
                self._poll(library, _LIMIT)

    def stop(self) -> None:
        """Watch no more."""
        for library in self.libraries:
            self._unwatch(library)

    def _watch(self, library: Watched) -> None:
        root = library.rules.root
        kind = self._filesystem(root)
        if mounts.silent(kind):
            self._poll(library, f"{kind} does not tell of changes")
            return
        from watchdog.observers import Observer

        # A library may be a link; watchdog follows none, and could run in circles if it did.
        real = Path(os.path.realpath(root))
        observer: BaseObserver | None = None
        try:
            observer = Observer()
            handler = _Handler(real, root, self._heard)
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
            log.info("library %s is looked through from time to time: %s", library.rules.root, why)
        library.polled = True

    def _unwatch(self, library: Watched) -> None:
        observer = self._observers.pop(library.rules.root, None)
        if observer is not None:
            observer.stop()
            observer.join(timeout=2.0)


class _Handler(FileSystemEventHandler):
    """What watchdog calls."""

    def __init__(self, real: Path, shown: Path, heard: Callable[[FileEvent], None]) -> None:
        self._real, self._shown, self._heard = real, shown, heard

    def dispatch(self, event: FileSystemEvent) -> None:
        # An error would end watchdog's thread, and nothing would be heard of any song.
        with UNEXPECTED.contain(event.src_path):
            self._tell_of(event)

    def _tell_of(self, event: FileSystemEvent) -> None:
        path = Path(os.fsdecode(event.src_path))
        if event.event_type == "moved":
            new = Path(os.fsdecode(event.dest_path))
            of_song = not event.is_directory and is_song(path) and is_song(new)
            self._hint(new, event.is_directory, self._as_shown(path) if of_song else None)
        self._hint(path, event.is_directory)

    def _hint(self, path: Path, folder: bool, moved_from: Path | None = None) -> None:
        if folder or is_song(path) or is_lyrics(path):
            self._heard(FileEvent(self._as_shown(path), folder, moved_from))

    def _as_shown(self, path: Path) -> Path:
        return path if self._real == self._shown else self._shown / path.relative_to(self._real)


def watches_left(folder: Path) -> bool:
    """Whether the system would let us watch one folder more."""
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
    """Seconds until a library that does not tell of changes is gone through again."""
    return max(POLL_AT_LEAST, scan_took / POLL_SHARE)


def _identity(root: Path) -> tuple[int, int] | None:
    try:
        stat = root.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino
