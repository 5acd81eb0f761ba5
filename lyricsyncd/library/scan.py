"""Which files are songs, and a library compared with the catalog.

The scan is the truth; what the watcher hears are hints. A library whose folder is away or empty is
an unplugged disk: nothing is removed for it.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TypeAlias

from pathspec import PathSpec

from lyricsyncd import media_types, patterns
from lyricsyncd.catalog.catalog import (
    Catalog,
    Entry,
    Fingerprint,
    Known,
    Priority,
    Queued,
    Request,
    State,
)
from lyricsyncd.config.paths import present
from lyricsyncd.config.schema import Library
from lyricsyncd.errors import passes
from lyricsyncd.library import ignore_file, sidecars
from lyricsyncd.patterns import Glob
from lyricsyncd.printable import escaped
from lyricsyncd.unexpected import UNEXPECTED

log = logging.getLogger(__name__)

IGNORE_FILE = ".lyricsyncignore"
"""Empty: this folder is left out. Otherwise a pattern a line, relative to the folder."""
NO_MEDIA = ".nomedia"

_FOREIGN_FOLDERS = frozenset(
    (
        "@eadir",
        "#recycle",
        "#snapshot",
        "@recycle",
        "$recycle.bin",
        "__macosx",
        "lost+found",
        "system volume information",
    )
)
"""What NAS and desktop systems keep for themselves; those that start with a dot are hidden."""
_PARTIAL_STEMS = (".part", ".partial", ".tmp", ".temp", ".crdownload")
"""Downloads that end on the song's own suffix: ``song.part.mp3``."""
_BATCH = 500


def is_song(path: PurePath) -> bool:
    """Whether a name is that of a song, and not of a hidden file or a partial download."""
    name = path.name
    stem, _, suffix = name.lower().rpartition(".")
    return (
        f".{suffix}" in media_types.SONG_SUFFIXES
        and not name.startswith((".", "~"))
        and stem != ""
        and not stem.endswith(_PARTIAL_STEMS)
    )


def is_lyrics(path: PurePath) -> bool:
    """Whether a name may be that of lyrics."""
    return path.suffix.lower() in media_types.lyrics_suffixes() and not path.name.startswith(
        (".", "~")
    )


Identity = tuple[int, int]
"""Device and inode of a folder: the same by whatever path it is reached."""


def identity(folder: Path) -> Identity | None:
    """Which folder is at a path; ``None`` if there is none."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def libraries_of(configured: Iterable[Library]) -> list[Rules]:
    """The libraries of a configuration: a folder that is named twice, by a link or a second mount,
    is one library, under the name that comes first; one within another is a library of its own."""
    found: dict[Identity | Path, Rules] = {}
    for library in configured:
        rules = Rules.of(library)
        found.setdefault(identity(rules.root) or rules.root, rules)
    roots = frozenset(key for key in found if isinstance(key, tuple))
    return [dataclasses.replace(rules, others=roots - {key}) for key, rules in found.items()]


def named_twice(configured: Iterable[Library]) -> list[tuple[Path, Path]]:
    """Libraries that are left out because another is the same folder: each with that other."""
    first: dict[Identity, Path] = {}
    twice = []
    for library in configured:
        root = Rules.of(library).root
        folder = identity(root)
        if folder is not None and first.setdefault(folder, root) != root:
            twice.append((root, first[folder]))
    return twice


def housed(path: Path, libraries: Sequence[Rules]) -> tuple[Rules, Path] | None:
    """Return the library that a path is in, the innermost of several, and the path as it has it."""
    by_root = {rules.root: rules for rules in libraries}
    by_identity = {identity(rules.root): rules for rules in libraries}
    for folder in (path, *path.parents):
        rules = by_root.get(folder)
        if rules is None and (which := identity(folder)) is not None:
            # A link within one library may lead into another, which has its songs to itself.
            rules = by_identity.get(which)
        if rules is not None:
            return rules, rules.root / path.relative_to(folder)
    return None


@dataclass(frozen=True, slots=True)
class Rules:
    """What of a library is taken: its patterns, and the ignore files in its folders."""

    root: Path
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    others: frozenset[Identity] = frozenset()
    """Folders of other libraries: one that lies in this library has its songs to itself."""

    @classmethod
    def of(cls, library: Library) -> Rules:
        # Not resolve(): songs are written beside where the library shows them.
        root = Path(os.path.abspath(library.path))  # noqa: PTH100
        return cls(root, library.include, library.exclude)

    def admits_name(self, path: Path) -> bool:
        """Whether the patterns let a file through; ignore files are not looked at."""
        if not (self.include or self.exclude):
            return True
        relative = path.relative_to(self.root).as_posix()
        if patterns.compiled(self.exclude).match_file(relative):
            return False
        return not self.include or patterns.compiled(self.include).match_file(relative)

    def admits_folder(self, folder: Path) -> bool:
        """Whether the songs of a folder are wanted, as its name and its patterns tell."""
        if folder == self.root:
            return True
        name = folder.name.lower()
        if name.startswith(".") or name in _FOREIGN_FOLDERS:
            return False
        if self.others and identity(folder) in self.others:
            return False
        if not self.exclude:
            return True
        relative = folder.relative_to(self.root).as_posix()
        return not patterns.compiled(self.exclude).match_file(f"{relative}/")

    def admits(self, path: Path, ignore_files: IgnoreFiles | None = None) -> bool:
        """Whether a song is wanted; looks at the ignore files of all folders above it.

        Parameters
        ----------
        ignore_files : IgnoreFiles, optional
            What was read for other songs just now.
        """
        read = IgnoreFiles() if ignore_files is None else ignore_files
        ignored = read.down_to(os.path.dirname(path), self)  # noqa: PTH120 - many songs at once
        if ignored is None:
            return False
        return not _ignored(path, ignored, folder=False) and self.admits_name(path)


_Ignored: TypeAlias = "tuple[tuple[Path, PathSpec[Glob]], ...]"
"""Folders with an ignore file, and the patterns in it."""


def _ignored(path: Path, ignored: _Ignored, *, folder: bool) -> bool:
    # The ignore file that is nearest decides.
    for above, spec in reversed(ignored):
        relative = path.relative_to(above).as_posix() + ("/" if folder else "")
        verdict = spec.check_file(relative).include
        if verdict is not None:
            return verdict
    return False


class IgnoreFiles:
    """The ignore files of folders, each read once: for many songs in few folders, at one moment."""

    def __init__(self) -> None:
        self._down_to: dict[tuple[str, str], _Ignored | None] = {}

    def down_to(self, folder: str, rules: Rules) -> _Ignored | None:
        """The ignore files from the top of a library down to a folder; ``None`` if none of its
        songs is wanted."""
        top = str(rules.root)
        new: list[str] = []
        while (folder, top) not in self._down_to:
            new.append(folder)
            if folder == top:
                break
            if folder == "/":
                return None
            folder = os.path.dirname(folder)  # noqa: PTH120 - many songs at once
        ignored = self._down_to.get((folder, top), ())
        for each in reversed(new):
            ignored = self._down_to[each, top] = _ignored_in(Path(each), ignored, rules)
        return ignored


def _ignored_in(folder: Path, above: _Ignored | None, rules: Rules) -> _Ignored | None:
    """What is ignored in a folder, given what is in the one above."""
    if above is None or not rules.admits_folder(folder):
        return None
    if _ignored(folder, above, folder=True) or os.path.lexists(folder / NO_MEDIA):
        return None
    return _with_ignore_file(folder, above)


def _with_ignore_file(folder: Path, above: _Ignored) -> _Ignored | None:
    """The same, and what the ignore file of the folder says; ``None``: none of it is wanted."""
    lines = ignore_file.read(folder / IGNORE_FILE)
    if lines is None:
        return above
    return None if lines.empty else (*above, (folder, lines.spec))


@dataclass(frozen=True, slots=True)
class Folder:
    """What a scan sees in one folder."""

    path: Path
    songs: dict[Path, Fingerprint]
    lyrics: dict[str, float]
    """Stem → when the newest of its lyrics files changed, seconds since the epoch."""


def walk(
    rules: Rules, start: Path | None = None, *, unreadable: list[Path] | None = None
) -> Iterator[Folder]:
    """Every wanted folder below ``start`` (the library itself by default).

    Links to folders are followed, after everything else, and no folder is seen twice: links in a
    circle end. What cannot be read is added to ``unreadable``.

    Raises
    ------
    OSError
        The computer is in trouble just now (too many open files, say): the walk must be made anew.
    """
    failed = unreadable if unreadable is not None else []
    walker = _Walker(rules, start or rules.root)
    while (wanted := walker.next()) is not None:
        folder, above = wanted
        seen: Folder | None = None
        gone_through = False
        try:
            with UNEXPECTED.contain(folder, but=OSError):
                seen = walker.look_into(folder, above)
                gone_through = True
        except OSError as error:
            if passes(error):
                raise
            log.warning("%s cannot be read: %s", escaped(str(folder)), error.strerror)
        if not gone_through:
            failed.append(folder)
        elif seen is not None:
            yield seen


class _Walker:
    """The folders that are still to be looked into, and those that were."""

    def __init__(self, rules: Rules, start: Path) -> None:
        self._rules = rules
        self._pending: list[tuple[Path, _Ignored | None]] = [(start, None)]
        self._links: list[tuple[Path, _Ignored | None]] = []
        self._visited: set[tuple[int, int]] = set()

    def next(self) -> tuple[Path, _Ignored | None] | None:
        """The next folder, and what is ignored above it (``None``: not known yet)."""
        if self._pending:
            return self._pending.pop()
        return self._links.pop(0) if self._links else None

    def look_into(self, folder: Path, above: _Ignored | None) -> Folder | None:
        """What is in a folder; ``None`` if it is not wanted, or was seen before."""
        if above is None:
            above = self._above(folder)
            if above is None:
                return None
        status = folder.stat()
        if (status.st_dev, status.st_ino) in self._visited:
            return None
        self._visited.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as listing:
            children = sorted(listing, key=lambda child: child.name)
        names = {child.name for child in children}
        if NO_MEDIA in names:
            return None
        if IGNORE_FILE in names:
            above = _with_ignore_file(folder, above)
            if above is None:
                return None
        seen = Folder(folder, {}, {})
        for child in children:
            path = folder / child.name
            try:
                is_folder = child.is_dir()
                if _ignored(path, above, folder=is_folder):
                    continue
                if is_folder:
                    if self._rules.admits_folder(path):
                        queue = self._links if child.is_symlink() else self._pending
                        queue.append((path, above))
                elif is_song(path):
                    status = child.stat()
                    if status.st_size and child.is_file() and self._rules.admits_name(path):
                        seen.songs[path] = Fingerprint.from_stat(status)
                elif is_lyrics(path):
                    status = child.stat()
                    changed = max(status.st_mtime, status.st_ctime)
                    seen.lyrics[path.stem] = max(changed, seen.lyrics.get(path.stem, 0.0))
            except OSError:
                # A link that leads nowhere, or a file that has just gone.
                continue
        return seen

    def _above(self, start: Path) -> _Ignored | None:
        """What is ignored where the walk begins; ``None`` if nothing of it is wanted."""
        if start == self._rules.root or self._rules.root not in start.parents:
            return ()
        above = IgnoreFiles().down_to(str(start.parent), self._rules)
        if above is None or not self._rules.admits_folder(start):
            return None
        return None if _ignored(start, above, folder=True) else above


@dataclass(slots=True)
class Report:
    """What a scan found."""

    library: Path
    offline: bool = False
    """The library's folder is away or empty: nothing was concluded from that."""
    songs: int = 0
    new: int = 0
    changed: int = 0
    missing: int = 0
    unreadable: list[Path] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    """The songs that were seen, where asked for."""


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
        Look at this folder and below only.
    stop : callable, optional
        Asked between folders; true ends the scan early, and nothing is taken for missing.
    """
    report = Report(rules.root)
    if offline(rules.root):
        report.offline = True
        return report
    requests: list[Request] = []
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
        for path, looks in folder.songs.items():
            entry = known.pop(path.name, None)
            if entry is not None and entry.missing_since is not None and entry.fingerprint == looks:
                back.append(entry.id)
            words = folder.lyrics.get(path.stem, folder.lyrics.get(path.name))
            if entry is None or (entry.fingerprint != looks and not entry.left_alone):
                requests.append(Request(path, priority, reason, rules.root, looks))
            elif words is not None and awaits_words(entry, words):
                why = "new words beside the song"
                requests.append(Request(path, priority, why, rules.root, looks, force=True))
            elif priority >= Priority.PERSON and entry.state is State.PENDING:
                requests.append(Request(path, priority, reason, rules.root, looks))
        if back:
            catalog.back(back)
        gone += [entry.id for entry in known.values() if entry.missing_since is None]
        if len(requests) >= _BATCH:
            _queue(catalog, requests, report)
    _queue(catalog, requests, report)
    below = start or rules.root
    for folder_path in catalog.folders(rules.root) - visited:
        if below in (folder_path, *folder_path.parents) and not _within(
            folder_path, report.unreadable
        ):
            entries = catalog.known(folder_path).values()
            gone += [entry.id for entry in entries if entry.missing_since is None]
    if gone and report.songs == 0 and start is None:
        # Not one song left where there were some: rather a disk that is not there.
        report.offline = True
        return report
    # What was moved within the library has its new path by now.
    gone = [id for id in gone if _still_gone(catalog, id)]
    report.missing = len(gone)
    if gone:
        catalog.missing(gone)
    if start is None:
        sidecars.clean(catalog, catalog.missing_longer(rules.root, sidecars.CLEAN_AFTER))
        catalog.scanned(rules.root)
    return report


def offline(root: Path) -> bool:
    """Whether a library's folder is away or empty, as the mount point of an unplugged disk is."""
    try:
        with os.scandir(root) as listing:
            return next(listing, None) is None
    except OSError:
        return True


def obstacles(roots: Sequence[Path]) -> list[str]:
    """Say why libraries cannot be watched, and what to do about it: a service that waits in
    silence looks like one that works."""
    if not roots:
        return [
            "no library is configured, so nothing is watched: name a folder under `libraries`, or"
            " run `lyricsyncd init --library DIR`"
        ]
    return [found for root in roots if (found := _obstacle(root))]


def _obstacle(root: Path) -> str:
    if not present(root):
        return (
            f"the library {root} is not there, its songs wait: mount it, or correct `libraries` in"
            " the configuration"
        )
    if not root.is_dir():
        return f"the library {root} is not a folder: correct `libraries` in the configuration"
    if not os.access(root, os.R_OK | os.X_OK):
        return f"the library {root} cannot be read: give the service's user the right to"
    if offline(root):
        return f"the library {root} is empty, its songs wait: mount it, or put music there"
    return ""


def awaits_words(entry: Entry | Known, changed: float) -> bool:
    """Whether lyrics that changed at a moment are news to a song that had none that fit, or that
    could not be asked for."""
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


def _queue(catalog: Catalog, requests: list[Request], report: Report) -> None:
    if not requests:
        return
    sidecars.follow(catalog, requests)
    for done in catalog.enqueue_many(requests):
        report.new += done is Queued.NEW
        report.changed += done is Queued.AGAIN
    requests.clear()
