"""What every source of lyrics is, and what it brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lyricsyncd.model import Lyrics, Timing, Track

PROVENANCE = "lyricsyncd"
"""How files that we wrote name their maker, in ``Lyrics.metadata`` under ``tool`` or ``re``."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Words that may be those of a song."""

    lyrics: Lyrics
    source: str
    """The name of the source that brings them."""
    id: str | None
    """What the source itself calls them: a number, a file."""
    score: float
    """0-1: how sure it is that they belong to this recording."""
    why: str
    """One line for a person: what speaks for them, or against."""
    ours: bool = False
    """Whether they lie in a file or tag that we wrote ourselves: no person's word."""

    def __str__(self) -> str:
        name = f"{self.source} {self.id}" if self.id else self.source
        return f"{name}: {self.why}"


class Source(Protocol):
    """A place where words are looked for."""

    @property
    def name(self) -> str:
        """As the configuration names it."""

    @property
    def idle(self) -> str | None:
        """Why the source is not asked at all, for a person: it lacks a token, say."""

    # A source may also have `offline`, true where it asks nobody: see `is_offline`.

    def find(self, track: Track) -> list[Candidate]:
        """What the source has for a song; nothing is an empty list.

        Raises
        ------
        Unreachable, Refused, SourceError
            The source could not be asked. "Not found" is no error.
        """


def is_offline(source: Source) -> bool:
    """Whether a source needs no network; one that does not say so is taken to need it."""
    return bool(getattr(source, "offline", False))


def is_ours(lyrics: Lyrics) -> bool:
    """Whether the header of lyrics says that lyricsyncd wrote them."""
    marks = (lyrics.metadata.get(key, "") for key in ("re", "tool"))
    return any(mark.strip().lower().startswith(PROVENANCE) for mark in marks)


def described(lyrics: Lyrics) -> str:
    """How finely lyrics are timed, for a person."""
    if lyrics.instrumental and not lyrics.words:
        return "instrumental"
    return {Timing.WORD: "word-timed", Timing.LINE: "line-timed", Timing.NONE: "plain"}[
        lyrics.timing
    ]
