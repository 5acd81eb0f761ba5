"""Write and delete a sidecar that is ours to change."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from lyricsyncd.errors import WriteError
from lyricsyncd.printable import escaped
from lyricsyncd.tags import atomic, stamp
from lyricsyncd.tags.journal import digest, located
from lyricsyncd.tags.targets import is_of_song

if TYPE_CHECKING:
    from pathlib import Path

    from lyricsyncd.tags.atomic import FileState
    from lyricsyncd.tags.journal import Journal

_ATTEMPTS = 3


class Outcome(Enum):
    """The result of a write."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Request:
    """A write of lyrics for a song: how much it may replace."""

    song: Path
    journal: Journal
    by_hand: bool = False
    """A person chose these lyrics: they may replace what a person chose before, and only lyrics
    that a person chose may replace them later."""
    force: bool = False
    """Replace what is not ours, too; `undo` can restore it from the journal."""
    dry_run: bool = False


_TIMED = re.compile(rb"\d:\d\d|\[\d+,\d+\]|_ms:")
"""A time, in any format of words with times."""


def write_sidecar(path: Path, data: bytes, request: Request) -> tuple[Outcome, str]:
    """Write ``data`` to ``path`` if that is ours to write.

    Returns
    -------
    Outcome, str
        With the reason, where the file was left as it is.

    Raises
    ------
    WriteError
        It could not be written; the old content is intact.
    """
    for _ in range(_ATTEMPTS):
        found = atomic.read_state(path)
        if found is not None:
            if found.data is not None and stamp.stripped(found.data) == stamp.stripped(data):
                return Outcome.UNCHANGED, ""
            why = _why_kept(path, found, request)
            if why:
                return Outcome.KEPT, why
        if request.dry_run:
            return Outcome.WRITTEN, ""
        if _replace(path, data, found, request):
            return Outcome.WRITTEN, ""
    raise _contended(path)


def remove_sidecar(path: Path, request: Request) -> Outcome:
    """Delete ``path`` if it is ours; any other file is left as it is, with ``force`` too."""
    for _ in range(_ATTEMPTS):
        found = atomic.read_state(path)
        if found is None:
            return Outcome.UNCHANGED
        if _why_not_ours(path, found, request):
            return Outcome.KEPT
        if request.dry_run or _replace(path, None, found, request):
            return Outcome.REMOVED
    raise _contended(path)


def _replace(path: Path, data: bytes | None, found: FileState | None, request: Request) -> bool:
    """Journal and make a change; false if another program changed the file meanwhile."""
    before = found.data if found is not None else None
    try:
        with request.journal.recording(
            "sidecar",
            song=request.song,
            path=path,
            before=before,
            before_hash=digest(before),
            after_hash=digest(data),
            by_hand=request.by_hand,
        ):
            if data is not None:
                atomic.replace(path, data, song=request.song, found=found)
            elif found is not None:
                atomic.remove(path, found=found)
    except atomic.Changed:
        return False
    return True


def _why_kept(path: Path, found: FileState, request: Request) -> str:
    """Return why a file must be left as it is; empty if it may be replaced."""
    if found.data is None:
        return "it is not a plain file of lyrics"
    if request.force:
        return ""
    why = _why_not_ours(path, found, request)
    return f"{why}; {_remedy(path, found.data, request)}" if why else ""


def _remedy(path: Path, data: bytes, request: Request) -> str:
    """Return what a person can do about a file that was left as it is."""
    replaced = f"`lyricsyncd sync --replace {shlex.quote(escaped(str(request.song)))}`"
    if _TIMED.search(data):
        return f"to have it replaced, run {replaced}; `undo` restores it"
    return (
        f"its words have no times: to have them timed in place, run {replaced} (`undo` restores"
        f" the file), or rename it to {escaped(path.stem)}.txt and run `sync` again"
    )


def _why_not_ours(path: Path, found: FileState, request: Request) -> str:
    """Return why a file is not ours to change; empty if it is."""
    if found.data is None:
        return "it is not a plain file of lyrics"
    author = request.journal.author(path, "sidecar", digest(found.data))
    if author is None:
        # A file that the journal does not know is ours by its stamp and its name.
        if stamp.verify(found.data) and is_of_song(request.song, path):
            return ""
        return "it is not ours, or was edited since"
    if author.by_hand and not request.by_hand:
        return "a person chose these lyrics"
    if author.song != located(request.song) and author.song.exists():
        return f"it holds the lyrics of {author.song.name}"
    return ""


def _contended(path: Path) -> WriteError:
    return WriteError(
        f"{path} keeps being changed by another program",
        remedy="Close it there and try again",
        transient=True,
    )
