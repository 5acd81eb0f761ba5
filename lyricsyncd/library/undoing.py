"""Undo what was written and chosen for songs, and record that in the catalog."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.catalog.drafts import Choices
from lyricsyncd.tags import undo

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lyricsyncd.catalog.catalog import Catalog
    from lyricsyncd.tags import Journal, UndoReport


@dataclass(frozen=True, slots=True)
class Undone:
    """The result of an undo.

    Attributes
    ----------
    forgotten : tuple of Path
        Songs for which a person's choices were forgotten, or would be.
    left_alone : bool
        Whether songs have nothing of ours left, so that the service leaves them alone.
    """

    report: UndoReport
    forgotten: tuple[Path, ...] = ()
    left_alone: bool = False


def take_back(
    journal: Journal,
    catalog: Catalog | None,
    songs: Iterable[Path] | None = None,
    *,
    since: float | None = None,
    dry_run: bool = False,
) -> Undone:
    """Undo what was written, as `tags.undo` does, and what a person chose for the same songs.

    The catalog, if there is one, records it: a song without any output of ours left is ignored from
    then on, until the user requests it again, since undone output must not be written again
    automatically.

    Raises
    ------
    WriteError
        The journal or the catalog cannot be used; what was undone until then stays undone.
    """
    named = None if songs is None else list(songs)
    report = undo(journal, named, since=since, dry_run=dry_run)
    if catalog is None:
        return Undone(report)
    touched = [*(named or ()), *report.songs]
    forgotten = catalog.chosen_for()
    if named is not None or since is not None:
        meant = set(_numbers(catalog, touched))
        meant.update(entry.id for path in named or () for entry in catalog.below(path))
        forgotten = [number for number in forgotten if number in meant]
    left_alone = not dry_run and _record(journal, catalog, report, forgotten)
    paths = tuple(entry.path for entry in catalog.get_many(forgotten))
    return Undone(report, paths, left_alone)


def keep_choices(
    journal: Journal, catalog: Catalog, song: Path, *, dry_run: bool = False
) -> UndoReport:
    """Undo what was written for a song whose words a person refused; the choices stay."""
    report = undo(journal, [song], dry_run=dry_run)
    if not dry_run:
        _record(journal, catalog, report, ())
    return report


def _record(
    journal: Journal, catalog: Catalog, report: UndoReport, forgotten: Sequence[int]
) -> bool:
    """Record in the catalog what was undone; return whether songs have nothing of ours left."""
    left: dict[int, tuple[Path, ...]] = {
        number: tuple(dict.fromkeys(entry.path for entry in journal.of_song(song)))
        for number, song in _numbers(catalog, report.songs).items()
    }
    for number in forgotten:
        choices = catalog.choices(number)
        if choices.instrumental or choices.rejected:
            # Nothing was written for it, and its state is that decision.
            left.setdefault(number, ())
        catalog.choose(number, Choices())
    if left:
        catalog.taken_back(left)
    return not all(left.values())


def _numbers(catalog: Catalog, songs: Iterable[Path]) -> dict[int, Path]:
    """Return the catalog's numbers of songs, in whose paths there may be links."""
    wanted = list(songs)
    if not wanted:
        return {}
    folders: dict[Path, list[Path]] = {}
    for folder in catalog.all_folders():
        folders.setdefault(Path(os.path.realpath(folder)), []).append(folder)
    paths: dict[Path, Path] = {}
    for song in wanted:
        real = Path(os.path.realpath(song.parent))
        paths |= {folder / song.name: song for folder in folders.get(real, ())}
    return {number: paths[path] for path, number in catalog.ids(list(paths)).items()}
