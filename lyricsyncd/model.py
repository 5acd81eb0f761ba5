"""The nouns every stage speaks in: plain frozen dataclasses, no I/O.

Times are seconds from the start of the audio, as floats. ``None`` means "not known", never zero.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Timing(str, Enum):
    """Resolution of the times of lyrics."""

    NONE = "none"
    LINE = "line"
    WORD = "word"


class Decision(str, Enum):
    """Decision on a result that has been judged."""

    WORDS = "words"
    LINES = "lines"
    REVIEW = "review"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Word:
    """A word as the lyrics have it, punctuation included.

    ``space`` is true if a space separates it from the next word of its line: false between
    the characters of CJK text, which readers time one by one.
    """

    text: str
    start: float | None = None
    end: float | None = None
    confidence: float | None = None
    space: bool = True


class ParallelKind(str, Enum):
    """Relation of a parallel text to the line that is sung."""

    TRANSLATION = "translation"
    ROMANISATION = "romanisation"


@dataclass(frozen=True, slots=True)
class ParallelText:
    """A line in another language or script, which is shown with the sung one and never timed."""

    text: str
    kind: ParallelKind = ParallelKind.TRANSLATION
    language: str | None = None
    """ISO 639-1 code where one exists."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of lyrics. ``voice`` is ``None`` for the lead, ``"bg"`` for backing vocals, or a
    singer's name as the source gives it."""

    words: tuple[Word, ...] = ()
    start: float | None = None
    end: float | None = None
    voice: str | None = None
    parallel: tuple[ParallelText, ...] = ()

    @classmethod
    def from_text(
        cls,
        text: str,
        start: float | None = None,
        end: float | None = None,
        voice: str | None = None,
    ) -> Line:
        """A line whose words are the whitespace-separated pieces of ``text``, without times."""
        return cls(tuple(Word(piece) for piece in text.split()), start, end, voice)

    @property
    def text(self) -> str:
        """The line as people read it."""
        pieces = [word.text + (" " if word.space else "") for word in self.words]
        return "".join(pieces).strip()

    @property
    def timed_words(self) -> bool:
        """Return whether every word has an onset (and there is at least one word)."""
        return bool(self.words) and all(word.start is not None for word in self.words)


@dataclass(frozen=True, slots=True)
class Lyrics:
    """The words of one song, with times as fine as their source knows them."""

    lines: tuple[Line, ...] = ()
    language: str | None = None
    """ISO 639-1 code where one exists."""
    source: str = ""
    """Where the words came from: ``file``, ``sidecar``, ``tag``, ``lrclib`` …"""
    source_id: str | None = None
    instrumental: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    """``title``, ``artist``, ``album`` … as the source itself names the song."""

    @classmethod
    def from_text(cls, text: str, **attributes: Any) -> Lyrics:
        """Plain text: a line a lyric line, blank lines dropped."""
        lines = (Line.from_text(line) for line in text.splitlines())
        return cls(lines=tuple(line for line in lines if line.words), **attributes)

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)

    @property
    def words(self) -> tuple[Word, ...]:
        """Every word of the song, in order."""
        return tuple(word for line in self.lines for word in line.words)

    @property
    def text(self) -> str:
        """Plain lyrics, a line a line; empty ones, which say where another ends, are no words."""
        return "\n".join(line.text for line in self.lines if line.words)

    @property
    def timing(self) -> Timing:
        """The finest timing that *every* non-empty line has."""
        sung = [line for line in self.lines if line.words]
        if sung and all(line.timed_words for line in sung):
            return Timing.WORD
        if sung and all(line.start is not None for line in sung):
            return Timing.LINE
        return Timing.NONE

    def with_lines(self, lines: Iterable[Line]) -> Lyrics:
        """The same lyrics with other lines (new times, say)."""
        return dataclasses.replace(self, lines=tuple(lines))

    def without_word_times(self) -> Lyrics:
        """The same lyrics, line-synced at best."""
        return self.with_lines(
            dataclasses.replace(
                line,
                words=tuple(
                    dataclasses.replace(word, start=None, end=None, confidence=None)
                    for word in line.words
                ),
            )
            for line in self.lines
        )

    def without_times(self) -> Lyrics:
        """The same lyrics as plain words."""
        return self.without_word_times().with_lines(
            dataclasses.replace(line, start=None, end=None)
            for line in self.without_word_times().lines
        )


@dataclass(frozen=True, slots=True)
class Track:
    """A recording: names from tags or identification, length from the file."""

    path: Path | None = None
    artist: str | None = None
    """The artist as displayed, "feat." and all."""
    artists: tuple[str, ...] = ()
    """The artists one by one, where the tags separate them."""
    title: str | None = None
    album: str | None = None
    album_artist: str | None = None
    duration: float | None = None
    language: str | None = None
    recording_id: str | None = None
    """MusicBrainz recording id."""
    isrc: str | None = None
    from_file_name: bool = False
    """Whether artist or title were guessed from the file's name, for want of tags."""
    genres: tuple[str, ...] = ()
    marked_as: str | None = None
    """``podcast``, ``audiobook`` or ``instrumental``, where the file itself is marked as one."""

    @property
    def name(self) -> str:
        """A short human name: "Artist - Title", or the file's name."""
        if self.artist and self.title:
            return f"{self.artist} - {self.title}"
        if self.title:
            return self.title
        return self.path.stem if self.path is not None else "unknown song"


@dataclass(frozen=True, slots=True, repr=False)
class SongIdentification:
    """Which recording a song is held to be, and how that is known.

    >>> SongIdentification(Track(title="The Star", artist="Jane Taylor"))
    SongIdentification(title='The Star', artist='Jane Taylor')
    """

    track: Track
    source: str = "given"
    """``given`` (by the caller), ``tags``, ``file name`` or ``acoustid``."""
    score: float = 1.0
    """0-1: how sure it is."""
    why: str = ""
    """One line for a person."""
    warnings: tuple[str, ...] = ()
    """Why its sound was not asked about, though its names are doubted."""

    def __repr__(self) -> str:
        return f"SongIdentification(title={self.title!r}, artist={self.artist!r})"

    @property
    def title(self) -> str | None:
        """The title."""
        return self.track.title

    @property
    def artist(self) -> str | None:
        """The artist as displayed."""
        return self.track.artist

    @property
    def album(self) -> str | None:
        """The album."""
        return self.track.album

    @property
    def duration(self) -> float | None:
        """Length of the file in seconds."""
        return self.track.duration

    @property
    def path(self) -> Path | None:
        """The file."""
        return self.track.path

    def with_track(self, **changes: Any) -> SongIdentification:
        """Change fields of the track, and keep how it was identified."""
        return dataclasses.replace(self, track=dataclasses.replace(self.track, **changes))
