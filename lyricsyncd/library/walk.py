"""Walk the folders of a library, and find its songs and their lyrics files."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lyricsyncd.catalog import mounts
from lyricsyncd.catalog.catalog import Fingerprint
from lyricsyncd.errors import passes
from lyricsyncd.library.rules import (
    IGNORE_FILE,
    NO_MEDIA,
    Ignored,
    IgnoreFiles,
    Rules,
    identity,
    is_ignored,
    is_lyrics,
    is_song,
    with_ignore_file,
)
from lyricsyncd.printable import escaped
from lyricsyncd.unexpected import UNEXPECTED
from lyricsyncd.unicode_forms import composed

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Folder:
    """The songs and lyrics files in one folder."""

    path: Path
    songs: dict[Path, Fingerprint]
    lyrics: dict[str, float]
    """Stem, `composed` → time of the last change of its lyrics files, seconds since the epoch."""


def walk(
    rules: Rules, start: Path | None = None, *, unreadable: list[Path] | None = None
) -> Iterator[Folder]:
    """Walk the folders of a library that its rules admit, from ``start`` (by default its root).

    Links to folders elsewhere are followed, after everything else, as far as the rules admit, and
    no folder is visited twice. Those of the system (``/proc``, say) are never visited, linked or
    mounted. Folders that cannot be read are added to ``unreadable``.

    Raises
    ------
    OSError
        A transient failure of the system (too many open files, say): the walk must be repeated.
    """
    failed = unreadable if unreadable is not None else []
    walker = _Walker(rules, start or rules.root)
    while (pending := walker.next()) is not None:
        folder, above = pending
        found: Folder | None = None
        complete = False
        try:
            with UNEXPECTED.contain(folder, but=OSError):
                found = walker.read(folder, above)
                complete = True
        except OSError as error:
            if passes(error):
                raise
            log.warning("%s cannot be read: %s", escaped(str(folder)), error.strerror)
        if not complete:
            failed.append(folder)
        elif found is not None:
            yield found


class _Walker:
    """The folders that are still to be read, and those that were."""

    def __init__(self, rules: Rules, start: Path) -> None:
        self._rules = rules
        self._pending: list[tuple[Path, Ignored | None]] = [(start, None)]
        self._links: list[tuple[Path, Ignored | None]] = []
        self._visited: set[tuple[int, int]] = set()
        # The devices of folders that are no system's; that of the library is as configured.
        top = identity(rules.root)
        self._devices = set() if top is None else {top[0]}

    def next(self) -> tuple[Path, Ignored | None] | None:
        """Return the next folder, and the patterns of those above it (``None``: not read yet)."""
        if self._pending:
            return self._pending.pop()
        return self._links.pop(0) if self._links else None

    def read(self, folder: Path, above: Ignored | None) -> Folder | None:
        """List a folder; ``None`` if it is excluded, or was visited before."""
        if above is None:
            above = self._above(folder)
            if above is None:
                return None
        status = folder.stat()
        if (status.st_dev, status.st_ino) in self._visited:
            return None
        self._visited.add((status.st_dev, status.st_ino))
        if status.st_dev not in self._devices:
            if mounts.is_of_the_system(folder):
                _leave_out(folder)
                return None
            self._devices.add(status.st_dev)
        with os.scandir(folder) as listing:
            children = sorted(listing, key=lambda child: child.name)
        names = {child.name for child in children}
        if NO_MEDIA in names:
            return None
        if IGNORE_FILE in names:
            above = with_ignore_file(folder, above)
            if above is None:
                return None
        found = Folder(folder, {}, {})
        for child in children:
            path = folder / child.name
            try:
                is_folder = child.is_dir()
                if is_ignored(path, above, folder=is_folder):
                    continue
                if is_folder:
                    linked = child.is_symlink()
                    if self._rules.admits_folder(path):
                        queue = self._links if linked else self._pending
                        queue.append((path, above))
                    elif linked and mounts.is_of_the_system(path):
                        _leave_out(path)
                elif is_song(path):
                    status = child.stat()
                    if status.st_size and child.is_file() and self._rules.admits_name(path):
                        found.songs[path] = Fingerprint.from_stat(status)
                elif is_lyrics(path):
                    status = child.stat()
                    changed = max(status.st_mtime, status.st_ctime)
                    stem = composed(path.stem)
                    found.lyrics[stem] = max(changed, found.lyrics.get(stem, 0.0))
            except OSError:
                # A link without a target, or a file that was deleted meanwhile.
                continue
        return found

    def _above(self, start: Path) -> Ignored | None:
        """Read the patterns that apply where the walk begins; ``None`` if it is excluded."""
        if start == self._rules.root or self._rules.root not in start.parents:
            return ()
        above = IgnoreFiles().down_to(str(start.parent), self._rules)
        if above is None or not self._rules.admits_folder(start):
            return None
        return None if is_ignored(start, above, folder=True) else above


@cache
def _leave_out(folder: Path) -> None:
    """Log that a folder is not walked: once, not for every scan."""
    log.warning("%s is left out: it holds the system's files", escaped(str(folder)))
