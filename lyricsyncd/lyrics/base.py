"""The interface of a source of lyrics, and the candidates that it returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lyricsyncd.model import Lyrics, Timing, Track

PROVENANCE = "lyricsyncd"
"""The program named by files that lyricsyncd wrote: ``tool`` or ``re`` of ``Lyrics.metadata``."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Lyrics that may be a song's."""

    lyrics: Lyrics
    source: str
    """The name of the source that has them."""
    id: str | None
    """The source's own identifier: a number, the name of a file."""
    score: float
    """0-1: how sure it is that they belong to this recording."""
    why: str
    """The reason for the score in one line."""
    ours: bool = False
    """Whether they are from a file or tag that lyricsyncd wrote, and not from a person."""
    other_version: bool = False
    """Whether the score is low only since they are of another version or length of the song."""

    def __str__(self) -> str:
        name = f"{self.source} {self.id}" if self.id else self.source
        return f"{name}: {self.why}"


class Source(Protocol):
    """A place where lyrics are looked up."""

    @property
    def name(self) -> str:
        """Its name in the configuration."""

    @property
    def idle(self) -> str | None:
        """The reason for which it is disabled, to show to the user: a missing token, say."""

    # A source may also have `offline`, true where it needs no network (see `is_offline`),
    # and `hosts`, the addresses that it contacts (see `hosts_of`).

    def find(self, track: Track) -> list[Candidate]:
        """Look up a song. The list is empty where the source does not have it.

        Raises
        ------
        Unreachable, Refused, SourceError
            The source could not be searched. "Not found" is no error.
        """


def is_offline(source: Source) -> bool:
    """Return whether a source needs no network; one without the attribute is assumed to need it."""
    return bool(getattr(source, "offline", False))


def hosts_of(source: Source) -> tuple[str, ...]:
    """Return the addresses that a source contacts; one of a plug-in may not say."""
    return tuple(getattr(source, "hosts", ()))


def is_ours(lyrics: Lyrics) -> bool:
    """Return whether the header of lyrics names lyricsyncd as the program that wrote them."""
    programs = (lyrics.metadata.get(key, "") for key in ("re", "tool"))
    return any(program.strip().lower().startswith(PROVENANCE) for program in programs)


def described(lyrics: Lyrics) -> str:
    """Describe the timing of lyrics, to show to the user."""
    if lyrics.instrumental and not lyrics.words:
        return "instrumental"
    return {
        Timing.WORD: "word-timed",
        Timing.MIXED: "partly word-timed",
        Timing.LINE: "line-timed",
        Timing.NONE: "plain",
    }[lyrics.timing]


def described_content(lyrics: Lyrics) -> str:
    """Describe what a file or a tag holds, to show to the user."""
    if lyrics.instrumental and not lyrics.words:
        return "a note that it is instrumental"
    if not lyrics.words:
        return "a page or a note without lyrics"
    return f"{described(lyrics)} lyrics"
