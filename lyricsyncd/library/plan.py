"""Plan what a scan would queue, and estimate how long the models would take for it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.catalog.catalog import State
from lyricsyncd.errors import AudioError, WorkerLost
from lyricsyncd.identify import read_tags
from lyricsyncd.library.walk import walk

if TYPE_CHECKING:
    from lyricsyncd.catalog.catalog import Catalog, Entry, Fingerprint
    from lyricsyncd.library.rules import Rules

TYPICAL_SHARE = 0.08
"""Seconds of work per second of a song with the profile lite on two cores: assumed where no song
has been placed on this computer yet."""
_MEASURED = 50
"""Latest songs that the pace is taken from, and the most files that are read for their length."""
_TYPICAL_LENGTH_S = 230.0
"""Length of a song where no file reports its own."""


class Work(str, Enum):
    """The fate of a song in a scan."""

    NEW = "new"
    CHANGED = "changed"
    """Its file, or what the configuration sets for it."""
    QUEUED = "queued"
    """It waits already."""
    SKIPPED = "skipped"
    """The configuration, or a person, leaves it alone."""
    LEFT = "left"
    """Its result stays as it is."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A song, and what would become of it.

    Attributes
    ----------
    reason : str
        Why it is skipped.
    language : str or None
        The language that the configuration sets for it.
    length_s : float or None
        Where the catalog knows it.
    """

    path: Path
    work: Work
    reason: str = ""
    language: str | None = None
    length_s: float | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """The speed of the models on this computer.

    Attributes
    ----------
    share : float
        Seconds of work per second of a song.
    measured : int
        Songs that it was measured with; 0 where it is assumed.
    """

    share: float = TYPICAL_SHARE
    measured: int = 0


def plan(
    catalog: Catalog | None,
    rules: Rules,
    start: Path | None = None,
    otherwise: Container[int] = (),
    *,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Planned]:
    """List the songs of a library, or of a folder or one file in it, in the order of a scan.

    Parameters
    ----------
    otherwise : container of int
        Numbers of the songs that were placed with other settings than they have now.
    stop : callable, optional
        Called between folders; true ends the list early.
    """
    if start is not None and start.is_file():
        entry = None if catalog is None else catalog.by_path(start)
        yield _planned(start, None, entry, rules, otherwise)
        return
    for folder in walk(rules, start):
        if stop():
            return
        known: Mapping[Path, Entry] = {} if catalog is None else catalog.in_folder(folder.path)
        for path, stamp in folder.songs.items():
            yield _planned(path, stamp, known.get(path), rules, otherwise)


def _planned(
    path: Path,
    stamp: Fingerprint | None,
    entry: Entry | None,
    rules: Rules,
    otherwise: Container[int],
) -> Planned:
    settings = rules.overridden(path)
    length_s = None if entry is None else entry.duration
    if settings.skipped_by and not (entry is not None and entry.requested):
        done = entry is not None and entry.state not in (State.PENDING, State.IGNORED)
        if not done:
            return Planned(path, Work.SKIPPED, f"overrides: {settings.skipped_by}")
    if entry is None:
        work = Work.NEW
    elif entry.left_alone:
        return Planned(path, Work.SKIPPED, entry.reason or "")
    elif stamp is not None and entry.fingerprint != stamp:
        work = Work.CHANGED
    elif entry.state in (State.PENDING, State.WORKING):
        work = Work.QUEUED
    elif entry.id in otherwise:
        work = Work.CHANGED
    else:
        work = Work.LEFT
    return Planned(path, work, "", settings.language, length_s)


def pace(catalog: Catalog | None) -> Pace:
    """Measure the pace of the latest songs that were placed."""
    shares = [] if catalog is None else catalog.shares_of_length(_MEASURED)
    return Pace(statistics.median(shares), len(shares)) if shares else Pace()


def seconds_of(planned: Sequence[Planned], pace: Pace, at_once: int = 1) -> float:
    """Estimate the seconds that the models take to place songs.

    The lengths of songs that the catalog does not know are read from a few files, spread over all.

    Parameters
    ----------
    at_once : int
        Songs that are placed at once.
    """
    known = [song.length_s for song in planned if song.length_s is not None]
    others = [song.path for song in planned if song.length_s is None]
    step = max(1, len(others) // _MEASURED)
    sampled = [length for path in others[::step] if (length := _length(path)) is not None]
    mean = statistics.fmean(sampled or known or [_TYPICAL_LENGTH_S])
    return pace.share * (sum(known) + mean * len(others)) / at_once


def _length(song: Path) -> float | None:
    try:
        return read_tags(song).duration
    except (AudioError, WorkerLost):
        return None
