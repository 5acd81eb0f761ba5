"""Undo what was written for songs, and record that in the catalog."""

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
    """Undo what was written, as `tags.undo` does, and record it in the catalog, if there is one.

    A song without any output of ours left is ignored from then on, until the user requests it
    again: undone output must not be written again automatically.

    Raises
    ------
    WriteError
        The journal or the catalog cannot be used; what was undone until then stays undone.
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
    """Return the catalog's numbers of songs, in whose paths there may be links."""
    folders: dict[Path, list[Path]] = {}
    for folder in catalog.all_folders():
        folders.setdefault(Path(os.path.realpath(folder)), []).append(folder)
    paths = {folder / song.name: song for song in songs for folder in folders.get(song.parent, ())}
    return {number: paths[path] for path, number in catalog.ids(list(paths)).items()}
