"""Words that lie beside a song which beets takes into its library: they come along.

beets moves and copies the song alone. A file of words is copied under the song's new name, taken
away where beets moved the song, and never put over a file that is there.
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
    """Have the words beside a song follow it from where it was; the files that came.

    Raises
    ------
    OSError
        One cannot be read or written; it is left where it was.
    """
    if source.parent == destination.parent:
        return []
    try:
        beside = sorted(source.parent.iterdir())
    except OSError:
        # Nothing can be seen there, words or not.
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
    """Copy a small plain file to where nothing is; false if it is none, or something is there."""
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
