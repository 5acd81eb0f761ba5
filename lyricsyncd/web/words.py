"""The lyrics of a song as they lie beside and in it: read for whoever asks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lyricsyncd.catalog.catalog import Entry
from lyricsyncd.errors import LyricsyncError, WorkerLost
from lyricsyncd.lyrics.local import LocalSource, read_sidecar
from lyricsyncd.model import Lyrics, Timing, Track

_FINEST = {Timing.WORD: 2, Timing.LINE: 1, Timing.NONE: 0}


@dataclass(frozen=True, slots=True)
class Found:
    """Lyrics, and where they were."""

    lyrics: Lyrics
    source: str
    ours: bool


def find(entry: Entry) -> Found | None:
    """The lyrics of a song that are timed most finely; among equals a person's own first."""
    found = [
        Found(each.lyrics, each.source, each.ours)
        for each in LocalSource().find(Track(path=entry.path))
        if each.source != "sidecar" or _lies_beside(entry.path, entry.path.parent / (each.id or ""))
    ]
    found += [each for path in entry.written if (each := _written(entry.path, path)) is not None]
    return max(found, key=lambda each: (_FINEST[each.lyrics.timing], not each.ours), default=None)


def _written(song: Path, sidecar: Path) -> Found | None:
    """What we wrote under a name of the user's choosing."""
    if sidecar == song or sidecar.parent != song.parent or not _lies_beside(song, sidecar):
        return None
    try:
        lyrics, ours = read_sidecar(sidecar)
    except WorkerLost:
        raise
    except LyricsyncError:
        return None
    return Found(lyrics, "sidecar", ours)


def _lies_beside(song: Path, sidecar: Path) -> bool:
    """Whether a sidecar is no link to some other place: that would be read out to anybody."""
    try:
        return sidecar.resolve().parent in (song.parent.resolve(), song.resolve().parent)
    except (OSError, RuntimeError):
        return False
