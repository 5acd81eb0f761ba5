"""Move the lyrics files beside a song along when beets imports it.

beets moves and copies the song alone. A lyrics file is copied to the song's new name, deleted where
beets moved the song, and never overwrites a file.
"""

from __future__ import annotations

import contextlib
import shutil
import stat
from pathlib import Path

SUFFIXES = frozenset((".lrc", ".elrc", ".txt", ".ttml", ".srt", ".vtt", ".ass", ".yaml", ".yml"))
"""Of files that may hold a song's words."""
SONGS = frozenset(
    (".aac", ".aiff", ".ape", ".flac", ".m4a", ".mp3", ".mpc", ".ogg", ".opus", ".wav", ".wma")
)
LARGEST = 1024 * 1024
"""Bytes of a file of words; larger ones are something else."""


def carry(source: Path, destination: Path, *, move: bool) -> list[Path]:
    """Move or copy the lyrics files of a song along, and return the new files.

    Raises
    ------
    OSError
        One cannot be read or written; it stays at its old path.
    """
    if source.parent == destination.parent:
        return []
    try:
        beside = sorted(source.parent.iterdir())
    except OSError:
        # The folder cannot be read.
        return []
    # Another version of the song, imported later, needs them as well.
    shared = any(
        each.stem == source.stem and each.suffix.lower() in SONGS and each != source
        for each in beside
    )
    came = []
    for words in beside:
        if words.suffix.lower() not in SUFFIXES or words.stem not in (source.stem, source.name):
            continue
        beginning = destination.name if words.stem == source.name else destination.stem
        new = destination.with_name(beginning + words.suffix)
        if _copied(words, new):
            came.append(new)
            if move and not shared:
                words.unlink()
    return came


def _copied(old: Path, new: Path) -> bool:
    """Copy a small regular file to a new path; false if it is none, or the path exists."""
    status = old.lstat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
        return False
    content = old.read_bytes()
    try:
        with new.open("xb") as file:
            try:
                file.write(content)
                file.flush()
            except OSError:
                new.unlink()
                raise
    except FileExistsError:
        return False
    with contextlib.suppress(OSError):
        shutil.copystat(old, new)
    return True
