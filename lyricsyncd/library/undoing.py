"""Take back what was written for songs, and have the catalog no longer claim it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.tags import undo

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lyricsyncd.catalog.catalog import Catalog
    from lyricsyncd.tags import Journal, UndoReport


def take_back(
    journal: Journal,
    catalog: Catalog | None,
    songs: Iterable[Path] | None = None,
    *,
    since: float | None = None,
    dry_run: bool = False,
) -> UndoReport:
    """Undo what was written, as `tags.undo` does, and note it in the catalog, where there is one.

    A song of which nothing of ours is left is ignored from then on, until a person asks for it
    again: what was taken back must not come back by itself.

    Raises
    ------
    WriteError
        The journal or the catalog cannot be used; what was taken back until then stays taken back.
    """
    report = undo(journal, songs, since=since, dry_run=dry_run)
    if catalog is not None and not dry_run and report.songs:
        numbers = _numbers(catalog, report.songs)
        left = {
            number: tuple(dict.fromkeys(entry.path for entry in journal.of_song(song)))
            for number, song in numbers.items()
        }
        if left:
            catalog.taken_back(left)
    return report


def _numbers(catalog: Catalog, songs: Iterable[Path]) -> dict[int, Path]:
    """Return the numbers in the catalog of songs, whose folders it may know by links."""
    folders: dict[Path, list[Path]] = {}
    for folder in catalog.all_folders():
        folders.setdefault(Path(os.path.realpath(folder)), []).append(folder)
    paths = {folder / song.name: song for song in songs for folder in folders.get(song.parent, ())}
    return {number: paths[path] for path, number in catalog.ids(list(paths)).items()}
