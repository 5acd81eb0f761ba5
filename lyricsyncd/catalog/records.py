"""A song as the catalog knows it: plain data, without any database."""

from __future__ import annotations

import enum
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lyricsyncd.errors import NotASong


class State(str, enum.Enum):
    """State of a song."""

    PENDING = "pending"
    WORKING = "working"
    DONE = "done"
    MIXED = "mixed"
    LINES = "lines"
    REVIEW = "review"
    NO_LYRICS = "no_lyrics"
    INSTRUMENTAL = "instrumental"
    FAILED = "failed"
    IGNORED = "ignored"


class Priority(enum.IntEnum):
    """Priority of a song by the reason that it waits; the higher goes first."""

    IMPROVE = -10
    BACKFILL = 0
    IMPORT = 10
    PERSON = 20
    PLAYING = 30


class Queued(str, enum.Enum):
    """Result of `Catalog.enqueue`."""

    NEW = "new"
    AGAIN = "again"
    WAITING = "waiting"
    WORKING = "working"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Stamp of a file, which shows changes without reading it. The inode only serves to find moved
    files."""

    size: int
    mtime_ns: int
    inode: int = field(default=0, compare=False)

    @classmethod
    def of(cls, path: Path) -> Fingerprint:
        """Return the stamp of the file that a path leads to. Raises OSError."""
        return cls.from_stat(path.stat())

    @classmethod
    def from_stat(cls, stat: os.stat_result) -> Fingerprint:
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ino)

    @property
    def key(self) -> str:
        """Return the name under which data derived from the file is stored, wherever it moves."""
        return f"{self.inode:x}-{self.size:x}-{self.mtime_ns:x}"


@dataclass(frozen=True, slots=True)
class Request:
    """A song to queue. Without a fingerprint the file is looked at."""

    path: Path
    priority: Priority
    reason: str
    library: Path | None = None
    fingerprint: Fingerprint | None = None
    force: bool = False
    """Queue it even though nothing changed since it was done, or a person said to ignore it."""
    ignored: str = ""
    """Why it is left alone if it is new; empty where it is not."""


TAKEN_BACK = "its lyrics were taken back; retry it to have them again"
"""Why a song is ignored whose lyrics a person undid."""


REQUESTED = "a person asked"
"""Why a song is queued that a person named."""
BETTER = "newer models may place it better"
"""Why a song is queued whose result only takes the place of the one before if it is better."""
OTHER_SETTINGS = "the configuration changed for it"
"""Why a song is queued whose result is of other settings than its folder has now."""
QUIETLY = (BETTER, OTHER_SETTINGS)
"""Why a song is queued whose result stays until another one may take its place: nobody asked for
that, and whatever a person changed is left as it is."""
BY_HAND = ""
"""In place of the models that placed a song: a person decided about its words."""
SKIPPED_BY_SETTINGS = "the configuration skips it: "
"""How the reason begins of a song that an override of its library leaves alone."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A song as the catalog knows it. Times are seconds since the epoch."""

    id: int
    path: Path
    library: Path | None
    fingerprint: Fingerprint
    state: State
    priority: int
    why: str
    """Why it was queued."""
    enqueued_at: float
    next_attempt_at: float | None = None
    missing_since: float | None = None
    artist: str | None = None
    title: str | None = None
    album: str | None = None
    duration: float | None = None
    recording_id: str | None = None
    """Of MusicBrainz."""
    attempts: int = 0
    crashes: int = 0
    retries: int = 0
    lease_owner: str | None = None
    leased_until: float | None = None
    started_at: float | None = None
    stage: str | None = None
    progress: float | None = None
    finished_at: float | None = None
    quality: float | None = None
    decision: str | None = None
    reason: str | None = None
    source: str | None = None
    language: str | None = None
    separator: str | None = None
    aligner: str | None = None
    lines: int | None = None
    words: int | None = None
    lines_with_words: int | None = None
    """Lines that were written with word times."""
    words_timed: int | None = None
    """Words that were written with their times."""
    stages: Mapping[str, float] = field(default_factory=dict)
    written: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    error_class: str | None = None
    error: str | None = None
    waits_for: str | None = None
    """What a queued song waits for: a look-up (empty), or a host that could not be asked."""
    placed_by: str | None = None
    """What placed it, see `lyricsyncd.pipeline.identity`; ``None``: an earlier version."""
    overrides: str | None = None
    """What the configuration set for it when it was placed, see `library.rules.Overridden.key`;
    ``None``: an earlier version placed it, or nothing has."""

    @property
    def for_improvement(self) -> bool:
        """Return whether its result stays unless a clearly better one is found."""
        return self.why == BETTER

    @property
    def quietly(self) -> bool:
        """Return whether its result stays until another one may take its place."""
        return self.why in QUIETLY

    @property
    def left_alone(self) -> bool:
        """Return whether a person said to ignore it: no change of its file queues it again."""
        return left_alone(self.state, self.error_class)

    @property
    def requested(self) -> bool:
        """Return whether a person named it, and not only its folder, or plays it."""
        return self.why == REQUESTED

    @property
    def name(self) -> str:
        """A short human name."""
        if self.artist and self.title:
            return f"{self.artist} - {self.title}"
        return self.title or self.path.stem

    @property
    def display_path(self) -> str:
        """The path for a person: within its library, where it is in one."""
        if self.library is not None and self.library in self.path.parents:
            return str(self.path.relative_to(self.library))
        return str(self.path)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        plain: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        del plain["fingerprint"], plain["placed_by"], plain["overrides"]
        plain["path"] = str(self.path)
        plain["library"] = None if self.library is None else str(self.library)
        plain["state"] = self.state.value
        plain["stages"] = dict(self.stages)
        plain["written"] = [str(path) for path in self.written]
        plain["notes"] = list(self.notes)
        return plain


@dataclass(frozen=True, slots=True)
class Known:
    """The little of an `Entry` that a scan compares with what it sees."""

    id: int
    fingerprint: Fingerprint
    state: State
    missing_since: float | None
    finished_at: float | None
    error_class: str | None = None

    @property
    def left_alone(self) -> bool:
        """As of an `Entry`."""
        return left_alone(self.state, self.error_class)


@dataclass(frozen=True, slots=True)
class Subject:
    """The little of an `Entry` that tells whether a change of the configuration concerns it."""

    id: int
    path: Path
    library: Path
    language: str | None
    overrides: str | None


@dataclass(frozen=True, slots=True)
class NamedSong:
    """The names of a song, by which a request of another program finds it."""

    id: int
    path: Path
    artist: str | None
    title: str | None
    duration: float | None
    recording_id: str | None


def left_alone(state: State, error_class: str | None) -> bool:
    """Return whether a person said to ignore a song, which is not merely taken for a podcast."""
    return state is State.IGNORED and error_class != NotASong.__name__


@dataclass(frozen=True, slots=True)
class Rest:
    """A host that is left alone, and until when (seconds since the epoch)."""

    host: str
    until: float
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of working on a song. ``retry`` has the waits before it is tried again, if it is."""

    state: State
    reason: str
    retry: tuple[float, ...] | None = None
    error_class: str | None = None
    error: str | None = None
    waits_for: str | None = None
    """The host that could not be asked: the song is queued, and waits until that has changed."""
    quality: float | None = None
    decision: str | None = None
    source: str | None = None
    language: str | None = None
    separator: str | None = None
    aligner: str | None = None
    placed_by: str | None = None
    overrides: str | None = None
    """As of an `Entry`."""
    lines: int | None = None
    words: int | None = None
    lines_with_words: int | None = None
    """Lines that were written with word times."""
    words_timed: int | None = None
    """Words that were written with their times."""
    stages: Mapping[str, float] = field(default_factory=dict)
    written: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
