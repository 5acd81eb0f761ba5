"""Report the results of a write, and of its undo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Note:
    """A remark for a person about a file."""

    path: Path
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


@dataclass(frozen=True, slots=True)
class WriteReport:
    """Changes that `write_lyrics` made, or with ``dry_run`` would make."""

    written: tuple[Path, ...] = ()
    kept: tuple[Note, ...] = ()
    """Files that were left as they are, because they are not ours to change."""
    unchanged: tuple[Path, ...] = ()
    """Files that held these lyrics already; their mtime did not move."""
    removed: tuple[Path, ...] = ()
    """Files of ours that no longer apply: word times, when only line times are known now."""
    hidden: tuple[Note, ...] = ()
    """Files that a player shows in place of the lyrics just written."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """Return all remarks for a person."""
        return self.kept + self.hidden


@dataclass(frozen=True, slots=True)
class UndoReport:
    """Changes that `undo` made, or with ``dry_run`` would make."""

    removed: tuple[Path, ...] = ()
    """Files of ours that were deleted."""
    cleared: tuple[Path, ...] = ()
    """Songs from whose tags our lyrics were removed."""
    restored: tuple[Path, ...] = ()
    """Files that hold again what they held before our writes."""
    kept: tuple[Note, ...] = ()
    failed: tuple[Note, ...] = ()
    """Files that could not be written; they are unchanged."""
    songs: tuple[Path, ...] = ()
    """Songs, by their paths in the journal, for which something was undone."""
