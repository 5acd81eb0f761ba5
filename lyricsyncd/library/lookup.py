"""Look up the song that another program refers to, by its path or by its names and length.

Only files in a library are ever examined. A path stays as the library shows it; where links lead
out of the libraries, the song must be in the catalog already.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lyricsyncd.catalog.catalog import Catalog, Entry
from lyricsyncd.catalog.records import NamedSong
from lyricsyncd.config.path_map import translated
from lyricsyncd.errors import AudioError, UsageError, WorkerLost
from lyricsyncd.identify import parse_file_name, read_tags
from lyricsyncd.library.roots import library_of
from lyricsyncd.library.rules import Rules
from lyricsyncd.model import Track
from lyricsyncd.text import match
from lyricsyncd.unicode_forms import forms

_PAGE = 500
"""Songs that get their keys at a time, so that no other thread waits long for the catalog."""
_LONGEST = 4096
"""Most bytes of a path."""
_TAGS_READ = 20
"""Most files whose tags are read to find the song among several."""


class NotInLibrary(UsageError):
    """A path is in no library, or leads out of it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A path in a library, as the library shows it; it need not exist."""

    path: Path
    rules: Rules


@dataclass(frozen=True, slots=True)
class _Folder:
    """A resolved folder, cached because an import reports many songs in few folders."""

    path: Path
    real: Path
    """The path without links."""
    rules: Rules | None
    """The rules of the innermost library that it is in."""
    stays: bool
    """Whether both it and `real` are in a library."""


class Lookup:
    """Find songs in libraries by the path or the names that another program has for them.

    An instance serves one request.

    Parameters
    ----------
    path_map : mapping
        Folders by their paths in other programs → their paths here.
    """

    def __init__(
        self, catalog: Catalog, rules: Sequence[Rules], path_map: Mapping[str, str] | None = None
    ) -> None:
        self._catalog = catalog
        self._rules = tuple(rules)
        self._path_map = dict(path_map or {})
        self._libraries = {str(rules.root): rules for rules in reversed(self._rules)}
        top = self._libraries.get("/")
        self._folders = {"": _Folder(Path("/"), Path("/"), top, top is not None)}

    def place(self, text: str) -> Place:
        """Locate a path in the libraries; a relative path starts from the folder of a library.

        Raises
        ------
        NotInLibrary
            It is in none, or leads out of it.
        """
        if not _can_be_path(text):
            raise _outside(text)
        mapped = translated(text, self._path_map)
        if mapped.startswith("/"):
            # normpath, not resolve(): a link in a library is a song at its own path.
            mapped = _there(mapped)
            return self._inside(os.path.normpath(mapped)) or self._by_real_path(mapped)
        places = [
            place
            for rules in self._rules
            if (place := self._inside(os.path.normpath(_there(f"{rules.root}/{mapped}"))))
            is not None
        ]
        if not places:
            raise _outside(text)
        return next((place for place in places if os.path.lexists(place.path)), places[0])

    def song(self, text: str) -> Entry | None:
        """Return the song at a path, or ``None`` if it is not in the catalog; raises as `place`."""
        return self._catalog.by_path(self.place(text).path)

    def _inside(self, text: str) -> Place | None:
        parent, _, name = text.rpartition("/")
        folder = self._folder(parent)
        rules = self._libraries.get(text, folder.rules)
        if rules is None:
            return None
        path = folder.path / name
        stays = folder.stays and not _is_link(text)
        if not (stays or self._in_library(_resolved(path)) or self._catalog.by_path(path)):
            raise NotInLibrary(f"{text!r} leads out of the library")
        return Place(path, rules)

    def _folder(self, text: str) -> _Folder:
        new: list[str] = []
        above = text
        while above not in self._folders:
            new.append(above)
            above = above.rpartition("/")[0]
        folder = self._folders[above]
        for each in reversed(new):
            name = each.rpartition("/")[2]
            path, linked = folder.path / name, _is_link(each)
            real = _resolved(path) if linked else folder.real / name
            rules = self._libraries.get(each, folder.rules)
            if linked and each not in self._libraries and real in self._real_roots:
                # A link to another library: its songs belong to that library.
                rules = self._rules[self._real_roots.index(real)]
                path = rules.root
            stays = (folder.stays and not linked) or (rules is not None and self._in_library(real))
            folder = self._folders[each] = _Folder(path, real, rules, stays)
        return folder

    @cached_property
    def _real_roots(self) -> list[Path]:
        return [_resolved(rules.root) for rules in self._rules]

    def _in_library(self, real: Path) -> bool:
        return any(real.is_relative_to(root) for root in self._real_roots)

    def _by_real_path(self, text: str) -> Place:
        """Locate the target of a library that is itself a link."""
        real = _resolved(Path(text))
        for rules, root in zip(self._rules, self._real_roots, strict=True):
            if real.is_relative_to(root):
                return Place(rules.root / real.relative_to(root), rules)
        # A second mount of the same folder has another path, which is not a link.
        found = library_of(real, self._rules)
        if found is None:
            raise _outside(text)
        return Place(found[1], found[0])

    # By names

    def by_tags(self, wanted: Track) -> Entry | None:
        """Find a song by its names; ``None`` where none matches surely."""
        return self.by_tags_many([wanted])[0]

    def by_tags_many(self, wanted: Sequence[Track]) -> list[Entry | None]:
        """Find several songs by their names, as `by_tags` does."""
        keys = [name_key(track.title) if track.title else None for track in wanted]
        name_songs(self._catalog)
        named = self._catalog.named("name_key", [key for key in keys if key is not None])
        recorded = self._catalog.named(
            "recording_id", [track.recording_id for track in wanted if track.recording_id]
        )
        return [
            self._chosen(
                track, {*recorded.get(track.recording_id or "", ()), *named.get(key or "", ())}
            )
            for track, key in zip(wanted, keys, strict=True)
        ]

    def _chosen(self, wanted: Track, rows: Collection[NamedSong]) -> Entry | None:
        best: tuple[float, int] | None = None
        for count, row in enumerate(sorted(rows, key=lambda row: row.id)):
            known = _track(row)
            if (not known.artist or len(rows) > 1) and count < _TAGS_READ:
                known = _tags(row.path) or known
            score = _similarity(wanted, known)
            if score >= match.ACCEPTED and (best is None or score > best[0]):
                best = score, row.id
        return None if best is None else self._catalog.get(best[1])


def name_key(title: str) -> str:
    """Reduce a title to a key, which is equal for all titles that may be of one song."""
    # The name of a file need not be valid text, and text in the catalog must.
    return match.take_apart(title).core.encode("utf-8", "replace").decode()


def name_songs(catalog: Catalog, stop: Callable[[], bool] = lambda: False) -> None:
    """Make the keys of songs that have none yet: new ones, and those with a new name.

    Done later than queueing, so that it does not delay the first scan.
    """
    after = 0
    while not stop() and (rows := catalog.unnamed(after, _PAGE)):
        catalog.name([(name_key(title or _in_name(path)), id, title) for id, path, title in rows])
        after = rows[-1][0]


def _track(song: NamedSong) -> Track:
    return Track(
        artist=song.artist,
        title=song.title or _in_name(song.path),
        duration=song.duration,
        recording_id=song.recording_id,
    )


def _in_name(path: Path) -> str:
    """Return the title in a file name, the only name of a song whose tags are not read yet."""
    return parse_file_name(path.stem).title or path.stem


def _tags(path: Path) -> Track | None:
    try:
        return read_tags(path)
    except (AudioError, WorkerLost):
        return None


def _similarity(wanted: Track, ours: Track) -> float:
    """Score (0-1) how surely the names that a program has for a song are those of ours."""
    if wanted.recording_id is not None and wanted.recording_id == ours.recording_id:
        return 1.0
    artist = wanted.artist or ours.artist or ""
    same = match.match(
        ours,
        title=wanted.title or "",
        artist=artist,
        album=wanted.album,
        duration=wanted.duration,
    )
    return same.score if same.same_times else 0.0


def _can_be_path(text: str) -> bool:
    """Check whether a text is a valid path for the system."""
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError:
        # A lone surrogate that is not an escaped byte.
        return False
    return b"\0" not in encoded and 0 < len(encoded) <= _LONGEST


def _there(text: str) -> str:
    """Return the form of a path in which it exists; as it is where it does not."""
    return next((form for form in forms(text) if os.path.lexists(form)), text)


def _outside(text: str) -> NotInLibrary:
    if len(text) > 200:
        text = f"{text[:200]}..."
    return NotInLibrary(f"{text!r} is in no library")


def _is_link(text: str) -> bool:
    # Unlike Path.is_symlink, this is false for a name that is too long.
    return os.path.islink(text)  # noqa: PTH114


def _resolved(path: Path) -> Path:
    nowhere = Path("/dev/null")
    try:
        real = path.resolve()
    except (OSError, RuntimeError):
        # Links in a circle, before Python 3.13.
        return nowhere
    try:
        real.lstat()
    except OSError as error:
        return nowhere if error.errno == errno.ELOOP else real
    # Since 3.13 a link in a circle resolves to a link.
    return nowhere if real.is_symlink() else real
