"""The songs that a person names: by path, by number, by a part of the name, or by their folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.errors import UsageError

if TYPE_CHECKING:
    from lyricsyncd.catalog.catalog import Catalog, Entry

_MOST_NAMED = 5


@contextmanager
def open_catalog() -> Iterator[Catalog]:
    """Open the catalog of this user's service, or of the computer's."""
    from lyricsyncd.catalog.catalog import FILE_NAME, Catalog
    from lyricsyncd.config.paths import SYSTEM_STATE, kept_by_root, state_dir

    if kept_by_root():
        raise UsageError(
            f"The service of this computer has its catalog in {SYSTEM_STATE}",
            remedy="Put sudo before it",
        )
    with Catalog(state_dir() / FILE_NAME) as catalog:
        yield catalog


def named_songs(catalog: Catalog, songs: Sequence[str]) -> tuple[list[Entry], list[Path]]:
    """Find the songs that a person means, and the folders that were named for all in them.

    Raises
    ------
    UsageError
        One is not known, or may be several.
    """
    chosen: dict[int, Entry] = {}
    folders: list[Path] = []
    for song in songs:
        path = absolute(song)
        below = [] if catalog.by_path(path) is not None else catalog.below(path)
        if below or (path.is_dir() and not song.isdecimal()):
            folders.append(path)
        else:
            below = [one_song(catalog, song)]
        chosen |= {entry.id: entry for entry in below}
    return list(chosen.values()), folders


def one_song(catalog: Catalog, song: str) -> Entry:
    """Find the song that a person means.

    Raises
    ------
    UsageError
        It is not known, or it may be several.
    """
    entry = find_song(catalog, song)
    if entry is None:
        raise unknown(song)
    return entry


def find_song(catalog: Catalog, song: str) -> Entry | None:
    """Find the song that a person means, by its path, its number, or a part of its name.

    Raises
    ------
    UsageError
        It may be several.
    """
    entry = catalog.by_path(absolute(song))
    if entry is None and song.isdecimal():
        entry = catalog.get(int(song))
    if entry is not None:
        return entry
    found = catalog.entries(text=song, limit=_MOST_NAMED + 1)
    if len(found) > 1:
        names = [f"{entry.id} {entry.path.name}" for entry in found]
        raise ambiguous(song, names, "Name its path or its number")
    return found[0] if found else None


def unknown(song: str) -> UsageError:
    """Make the error for a song that is not known."""
    return UsageError(f"No song is known as '{song}'", remedy="Run `lyricsyncd scan` first")


def ambiguous(song: str, names: Sequence[str], remedy: str) -> UsageError:
    """Make the error for what may be several songs."""
    more = " and more" if len(names) > _MOST_NAMED else ""
    listed = ", ".join(names[:_MOST_NAMED])
    return UsageError(f"'{song}' may be {listed}{more}", remedy=remedy)


def absolute(song: str) -> Path:
    """Return the path that a person may mean.

    Raises
    ------
    UsageError
        It is blank, which would be the folder one happens to be in.
    """
    if not song.strip():
        raise unknown(song)
    # Not resolve(): a link in a library is a place of its own.
    return Path(os.path.abspath(song))  # noqa: PTH100
