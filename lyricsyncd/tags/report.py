"""What became of a write, or of taking it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Note:
    """Something a person should know about a file."""

    path: Path
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


@dataclass(frozen=True, slots=True)
class WriteReport:
    """What `write_lyrics` did, or with ``dry_run`` would do."""

    written: tuple[Path, ...] = ()
    kept: tuple[Note, ...] = ()
    """Files that were left as they are, because they are not ours to change."""
    unchanged: tuple[Path, ...] = ()
    """Files that held these lyrics already; their mtime did not move."""
    removed: tuple[Path, ...] = ()
    """Files of ours that no longer apply: word times, when only line times are known now."""
    hidden: tuple[Note, ...] = ()
    """What stands between a reader and the lyrics just written."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """Everything that a person should know."""
        return self.kept + self.hidden


@dataclass(frozen=True, slots=True)
class UndoReport:
    """What `undo` did, or with ``dry_run`` would do."""

    removed: tuple[Path, ...] = ()
    """Files that we had made, which are gone."""
    cleared: tuple[Path, ...] = ()
    """Songs that our lyrics were taken out of."""
    restored: tuple[Path, ...] = ()
    """Files that hold again what they held before us."""
    kept: tuple[Note, ...] = ()
    failed: tuple[Note, ...] = ()
    """Files that could not be written; they are as they were."""
    songs: tuple[Path, ...] = ()
    """The songs, as the journal has them, that something was taken back for."""
