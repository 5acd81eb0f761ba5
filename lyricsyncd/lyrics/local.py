"""Lyrics that are there already: sidecars of the song, then its tags.

They are the user's own: the files are read, never changed, and preferred to any other source. What
is sung is taken from them as from other sources, since other programs wrote most of them.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lyricsyncd.errors import AudioError, LyricsyncError, WorkerLost
from lyricsyncd.lyrics import files
from lyricsyncd.lyrics.base import Candidate, described_content
from lyricsyncd.lyrics.embedded import parse_embedded
from lyricsyncd.lyrics.ours import reduced, unedited
from lyricsyncd.media_types import lyrics_suffixes
from lyricsyncd.model import Lyrics, Track
from lyricsyncd.processes import sandbox
from lyricsyncd.registry import SourceContext
from lyricsyncd.unicode_forms import forms

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LocalSource:
    """Read the lyrics in a song's sidecars and tags."""

    name: str = "local"
    idle: str | None = None
    offline: bool = True

    def find(self, track: Track) -> list[Candidate]:
        """Read what is sung of every sidecar and tag; a broken one is logged and skipped."""
        if track.path is None:
            return []
        return [*_sidecars(track.path, track), *_embedded(track.path, track)]


def open_source(_context: SourceContext) -> LocalSource:
    """Open the source as it is configured, for `lyricsyncd.registry`."""
    return LocalSource()


def stored(song: Path) -> list[Candidate]:
    """Read every sidecar and tag with lyrics as it is, to be shown; broken ones are skipped."""
    return [*_sidecars(song, None), *_embedded(song, None)]


def _sidecars(song: Path, track: Track | None) -> Iterator[Candidate]:
    for suffix in lyrics_suffixes():
        for path in _beside(song, suffix):
            try:
                lyrics, ours = read_sidecar(path, track)
            except WorkerLost:
                # Not the fault of the file.
                raise
            except LyricsyncError as error:
                _log.warning("%s", error.message)
                continue
            why = f"{described_content(lyrics)} beside the song{', by lyricsyncd' if ours else ''}"
            yield Candidate(lyrics, "sidecar", path.name, 1.0, why, ours)


def words_beside(song: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Describe the files of words beside a song: name, size in bytes, mtime in ns and inode.

    Equal as long as nobody writes, adds or removes one.
    """
    found: list[tuple[str, int, int, int]] = []
    for suffix in lyrics_suffixes():
        for path in _beside(song, suffix):
            with contextlib.suppress(OSError):
                stat = path.stat()
                found.append((path.name, stat.st_size, stat.st_mtime_ns, stat.st_ino))
    return tuple(found)


def read_sidecar(path: Path, track: Track | None = None) -> tuple[Lyrics, bool]:
    """Read a sidecar, and check whether lyricsyncd wrote it and it is unchanged since.

    Parameters
    ----------
    track
        The song, to reduce a person's lyrics to what is sung; without it they stay as they are.

    Raises
    ------
    LyricsyncError
        It is not a file of lyrics, or parsing it exceeds the limits of the sandbox.
    """
    return sandbox.READER.run(_parse_sidecar, path, track)


def _parse_sidecar(path: Path, track: Track | None) -> tuple[Lyrics, bool]:
    data = files.read_bytes(path)
    lyrics = files.from_bytes(data, path, source="sidecar", blanks=track is not None)
    ours = unedited(lyrics, data)
    return reduced(lyrics, track, ours=ours), ours


def _beside(song: Path, suffix: str) -> list[Path]:
    """List the song's sidecars with a suffix: ``song.lrc``, ``song.LRC``, ``song.mp3.lrc``."""
    # As text: most names are of no file, and a path costs more than finding that out.
    folder = os.fspath(song.parent)
    found: list[Path] = []
    for name in (
        os.path.join(folder, form)  # noqa: PTH118
        for whole in forms(song.name)
        for stem in (whole.removesuffix(song.suffix),)
        for form in (stem + suffix, stem + suffix.upper(), whole + suffix)
    ):
        # Unlike Path.is_file, this is false for a name that is too long. On file systems that
        # ignore case two names are one file.
        if os.path.isfile(name) and not any(other.samefile(name) for other in found):  # noqa: PTH113
            found.append(Path(name))
    return found


def _embedded(song: Path, track: Track | None) -> list[Candidate]:
    try:
        found, warnings = sandbox.READER.run(parse_embedded, song, track)
    except AudioError as error:
        found, warnings = [], [error.message]
    for warning in warnings:
        _log.warning("%s", warning)
    return found
