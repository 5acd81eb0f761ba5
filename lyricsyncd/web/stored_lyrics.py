"""Read the lyrics that lie beside a song and in its tags."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lyricsyncd.catalog.catalog import Entry
from lyricsyncd.errors import LyricsyncError, WorkerLost
from lyricsyncd.lyrics.local import read_sidecar, stored
from lyricsyncd.model import Lyrics, Timing

_RANK = {Timing.WORD: 3, Timing.MIXED: 2, Timing.LINE: 1, Timing.NONE: 0}


@dataclass(frozen=True, slots=True)
class StoredLyrics:
    """Lyrics, and where they are stored."""

    lyrics: Lyrics
    source: str
    ours: bool


def find(entry: Entry) -> StoredLyrics | None:
    """Find the lyrics of a song with the finest times; among equals a person's own first."""
    found = [
        StoredLyrics(each.lyrics, each.source, each.ours)
        for each in stored(entry.path)
        if each.source != "sidecar" or _lies_beside(entry.path, entry.path.parent / (each.id or ""))
    ]
    found += [each for path in entry.written if (each := _written(entry.path, path)) is not None]
    return max(found, key=lambda each: (_RANK[each.lyrics.timing], not each.ours), default=None)


def _written(song: Path, sidecar: Path) -> StoredLyrics | None:
    """Read a sidecar that was written under a name of the user's choice."""
    if sidecar == song or sidecar.parent != song.parent or not _lies_beside(song, sidecar):
        return None
    try:
        lyrics, ours = read_sidecar(sidecar)
    except WorkerLost:
        raise
    except LyricsyncError:
        return None
    return StoredLyrics(lyrics, "sidecar", ours)


def _lies_beside(song: Path, sidecar: Path) -> bool:
    """Return whether a sidecar lies in the song's folder; a link could expose any other file."""
    try:
        return sidecar.resolve().parent in (song.parent.resolve(), song.resolve().parent)
    except (OSError, RuntimeError):
        return False
