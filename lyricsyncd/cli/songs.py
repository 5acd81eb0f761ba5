"""The songs that a person names: by path, by number, by a part of the name, or by their folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.cli.console import note
from lyricsyncd.errors import UsageError
from lyricsyncd.unicode_forms import forms

if TYPE_CHECKING:
    from lyricsyncd.catalog.catalog import Catalog, Entry
    from lyricsyncd.config.schema import Config
    from lyricsyncd.library.rules import Rules

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


@contextmanager
def known_catalog() -> Iterator[Catalog | None]:
    """Open the catalog, if a service has ever made one."""
    from lyricsyncd.catalog.catalog import FILE_NAME
    from lyricsyncd.config.paths import kept_by_root, state_dir

    if not kept_by_root() and not (state_dir() / FILE_NAME).is_file():
        yield None
        return
    with open_catalog() as catalog:
        yield catalog


def note_idle(catalog: Catalog) -> None:
    """Print what does the songs that were queued, where no service runs."""
    from lyricsyncd.service.lock import running

    if not running(catalog.path.parent):
        note("No service runs: `lyricsyncd run` does what is queued, or `lyricsyncd scan --now`")


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
    paths = map(Path, forms(str(absolute(song))))
    entry = next(filter(None, map(catalog.by_path, paths)), None)
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


def targets_of(paths: Sequence[Path], settings: Config) -> list[tuple[Rules, Path | None]]:
    """List the libraries to go through, each with the part of it that was named.

    Raises
    ------
    UsageError
        A path is not there, or no path was named and there is no library.
    """
    from lyricsyncd.library.roots import libraries_of, library_of
    from lyricsyncd.library.rules import Rules

    libraries = libraries_of(settings.libraries)
    if not paths:
        if not libraries:
            raise UsageError(
                "There is no library in the configuration",
                remedy="Name a folder, or add it with `lyricsyncd init --library DIR`",
            )
        return [(rules, None) for rules in libraries]
    targets: list[tuple[Rules, Path | None]] = []
    for path in paths:
        # Not resolve(): a link in a library is a place of its own.
        full = Path(os.path.abspath(path))  # noqa: PTH100
        if not full.exists():
            raise UsageError(f"There is no {path}", remedy="Check the path")
        root = full if full.is_dir() else full.parent
        rules, full = library_of(full, libraries) or (Rules(root), full)
        targets.append((rules, None if full == rules.root else full))
    return targets
