"""Which song somebody else means: by the path it has for them, or by its names and length.

Only what lies in a library is ever looked at. A path is taken as the library shows it; where links
lead out of the libraries, the catalog must know the song already.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lyricsyncd.daemon.catalog import Catalog, Entry
from lyricsyncd.daemon.scan import Rules
from lyricsyncd.errors import AudioError, UsageError
from lyricsyncd.identify import parse_file_name, read_tags
from lyricsyncd.lyrics import match
from lyricsyncd.model import Track

_PAGE = 2000
"""Rows read at a time: nobody else waits long for the catalog."""
_WORDS = 6
"""Words of a title that are looked for, at most."""
_TAGS_READ = 20
"""Files that are opened, at most, to tell which one is meant."""


class NotInLibrary(UsageError):
    """A path leads out of the libraries: it is none of our business."""


@dataclass(frozen=True, slots=True)
class Place:
    """A path in a library, as the library shows it; nothing need be there."""

    path: Path
    rules: Rules


class Lookup:
    """Finds songs in libraries by what others say of them. Made anew for each request.

    Parameters
    ----------
    path_map : mapping
        Folders as they are called elsewhere → as they are called here.
    """

    def __init__(
        self, catalog: Catalog, rules: Sequence[Rules], path_map: Mapping[str, str] | None = None
    ) -> None:
        self._catalog = catalog
        self._rules = tuple(rules)
        self._path_map = dict(path_map or {})
        self._real_folders: dict[Path, Path] = {}

    def place(self, text: str) -> Place:
        """Where a path is in the libraries. A relative one starts from a library's folder.

        Raises
        ------
        NotInLibrary
            It is in none, or leads out of it.
        """
        outside = NotInLibrary(f"{text!r} is in no library")
        if not text or "\0" in text or len(os.fsencode(text)) > 4096:
            raise outside
        mapped = self._mapped(text)
        if mapped.startswith("/"):
            # normpath, not resolve(): a link in a library is a song of its own place.
            return self._inside(Path(os.path.normpath(mapped))) or self._by_real_path(mapped)
        places = [
            place
            for rules in self._rules
            if (place := self._inside(Path(os.path.normpath(rules.root / mapped)))) is not None
        ]
        if not places:
            raise outside
        return next((place for place in places if os.path.lexists(place.path)), places[0])

    def song(self, text: str) -> Entry | None:
        """The song at a path; ``None`` where the catalog knows none. Raises as `place`."""
        return self._catalog.by_path(self.place(text).path)

    def _mapped(self, text: str) -> str:
        for theirs in sorted(self._path_map, key=len, reverse=True):
            if text == theirs or text.startswith(theirs.rstrip("/") + "/"):
                return self._path_map[theirs].rstrip("/") + text[len(theirs.rstrip("/")) :]
        return text

    def _inside(self, path: Path) -> Place | None:
        inside = [rules for rules in self._rules if rules.root in (path, *path.parents)]
        if not inside:
            return None
        real = self._real(path)
        above = {real, *real.parents}
        stays = any(self._real_folder(rules.root) in above for rules in self._rules)
        if not stays and self._catalog.by_path(path) is None:
            raise NotInLibrary(f"{str(path)!r} leads out of the library")
        return Place(path, max(inside, key=lambda rules: len(rules.root.parts)))

    def _real(self, path: Path) -> Path:
        """Where links lead; an import tells of many songs in few folders."""
        try:
            linked = path.is_symlink()
        except OSError:
            # No file has so long a name.
            linked = False
        return _resolved(path) if linked else self._real_folder(path.parent) / path.name

    def _real_folder(self, folder: Path) -> Path:
        if folder not in self._real_folders:
            self._real_folders[folder] = _resolved(folder)
        return self._real_folders[folder]

    def _by_real_path(self, text: str) -> Place:
        """A library that is a link may be called by what it leads to."""
        real = _resolved(Path(text))
        for rules in self._rules:
            root = _resolved(rules.root)
            if root in (real, *real.parents):
                return Place(rules.root / real.relative_to(root), rules)
        raise NotInLibrary(f"{text!r} is in no library")

    # By names

    def by_tags(self, wanted: Track) -> Entry | None:
        """The song that is named so; ``None`` where there is none, or no sure one."""
        return self.by_tags_many([wanted])[0]

    def by_tags_many(self, wanted: Sequence[Track]) -> list[Entry | None]:
        """The same for several songs, in one walk through the catalog."""
        keys: dict[str, list[int]] = {}
        for at, track in enumerate(wanted):
            if track.title:
                keys.setdefault(match.take_apart(track.title).core, []).append(at)
        if not keys:
            return [None] * len(wanted)
        found: dict[int, list[_Row]] = {at: [] for at in range(len(wanted))}
        for row in self._rows(wanted[0].title if len(wanted) == 1 else None):
            for at in keys.get(row.key, ()):
                found[at].append(row)
        return [self._chosen(track, found[at]) for at, track in enumerate(wanted)]

    def _rows(self, title: str | None) -> Iterator[_Row]:
        """All songs that are there; those alone that a title may be of, where one is given."""
        words = () if title is None else _plain_words(title)
        after = 0
        while rows := self._catalog.read(lambda db: _page(db, words, after)):  # noqa: B023
            yield from map(_row, rows)
            after = rows[-1]["id"]

    def _chosen(self, wanted: Track, rows: Sequence[_Row]) -> Entry | None:
        best: tuple[float, int] | None = None
        for count, row in enumerate(rows):
            ours = row.track
            if (not ours.artist or len(rows) > 1) and count < _TAGS_READ:
                ours = _tags(row.path) or ours
            score = _likeness(wanted, ours)
            if score >= match.ACCEPTED and (best is None or score > best[0]):
                best = score, row.id
        return None if best is None else self._catalog.get(best[1])


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    path: Path
    track: Track
    key: str


def _plain_words(title: str) -> Sequence[str]:
    """Words of a title that are in every way of writing it, and in its file's name, too.

    Those of ASCII letters: SQLite compares them without regard to case.
    """
    core = set(match.take_apart(title).core.split())
    found = [word for word in re.findall(r"[^\W_]+", title) if word.isascii()]
    return [word for word in found if word.lower() in core][:_WORDS]


def _page(db: sqlite3.Connection, words: Sequence[str], after: int) -> list[sqlite3.Row]:
    has = "(title LIKE ? OR (title IS NULL AND CAST(path AS TEXT) LIKE ?))"
    patterns = [f"%{word}%" for word in words for _ in range(2)]
    return db.execute(
        "SELECT id, path, artist, title, duration FROM tracks WHERE id > ?"
        f" AND missing_since IS NULL {f'AND {has} ' * len(words)} ORDER BY id LIMIT ?",
        (after, *patterns, _PAGE),
    ).fetchall()


def _ids(db: sqlite3.Connection, paths: Sequence[Path]) -> dict[Path, int]:
    query = "SELECT id FROM tracks WHERE path = ?"
    rows = {path: db.execute(query, (os.fsencode(path),)).fetchone() for path in paths}
    return {path: row["id"] for path, row in rows.items() if row is not None}


def _row(row: sqlite3.Row) -> _Row:
    path = Path(os.fsdecode(row["path"]))
    # A song that was not looked at yet has no names but that of its file.
    title = row["title"] or parse_file_name(path.stem).title
    track = Track(artist=row["artist"], title=title, duration=row["duration"])
    return _Row(row["id"], path, track, match.take_apart(title).core)


def _tags(path: Path) -> Track | None:
    try:
        return read_tags(path)
    except AudioError:
        return None


def _likeness(wanted: Track, ours: Track) -> float:
    """0-1: how surely what somebody names so is our song."""
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


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        # Links in a circle lead nowhere.
        return Path("/dev/null")
