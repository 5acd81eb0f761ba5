"""The nouns every stage speaks in: plain frozen dataclasses, no I/O.

Times are seconds from the start of the audio, as floats. ``None`` means "not known", never zero.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Timing(str, Enum):
    """Resolution of the times of lyrics."""

    NONE = "none"
    LINE = "line"
    MIXED = "mixed"
    """Every line has a time, and some have word times."""
    WORD = "word"


class Decision(str, Enum):
    """Decision on a result that has been judged."""

    WORDS = "words"
    """All or nearly all of its words are written with their times."""
    MIXED = "mixed"
    """Some lines are written with word times, the others with the time of the line."""
    LINES = "lines"
    """Every line is written with its time, none with word times."""
    REVIEW = "review"
    NONE = "none"


WRITTEN = (Decision.WORDS, Decision.MIXED, Decision.LINES)
"""Decisions under which lyrics are written without a person's consent."""


@dataclass(frozen=True, slots=True)
class Syllable:
    """A part of a word that is sung by itself."""

    text: str
    start: float
    end: float | None = None


@dataclass(frozen=True, slots=True)
class Word:
    """A word as the lyrics have it, punctuation included.

    ``space`` is true if a space separates it from the next word of its line: false between
    the characters of CJK text, which readers time one by one.

    ``syllables`` are those of a word with several, where their times are known: their texts make up
    the word's, and the first starts with it. Others are dropped, so that a word whose text or start
    is changed has none that are wrong.

    ``repeat`` numbers what may not be sung: repeats that are written out from marks such as "(x2)",
    and a first line that may be a heading. It is 0 for all else.
    """

    text: str
    start: float | None = None
    end: float | None = None
    confidence: float | None = None
    space: bool = True
    syllables: tuple[Syllable, ...] = field(default=(), repr=False)
    repeat: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        if self.syllables and not self._has_syllables():
            object.__setattr__(self, "syllables", ())

    def _has_syllables(self) -> bool:
        parts = self.syllables
        return (
            len(parts) > 1
            and parts[0].start == self.start
            and "".join(part.text for part in parts) == self.text
        )

    def retimed(self, moved: Callable[[float], float]) -> Word:
        """Return the word with all its times changed by a function."""

        def known(time: float | None) -> float | None:
            return None if time is None else moved(time)

        syllables = tuple(
            Syllable(part.text, moved(part.start), known(part.end)) for part in self.syllables
        )
        return replace(self, start=known(self.start), end=known(self.end), syllables=syllables)


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
    """A line of lyrics.

    Attributes
    ----------
    voice : str or None
        ``None`` for the lead, ``"bg"`` for backing vocals, or a singer's name as the source gives
        it.
    doubtful : bool
        Whether its word times are too doubtful to be shown. They are kept beside their confidences;
        of all formats only ``json`` writes them.
    estimated : bool
        Whether its start was not found, but lies somewhere between the lines beside it.
    """

    words: tuple[Word, ...] = ()
    start: float | None = None
    end: float | None = None
    voice: str | None = None
    parallel: tuple[ParallelText, ...] = ()
    doubtful: bool = False
    estimated: bool = False

    @classmethod
    def from_text(
        cls,
        text: str,
        start: float | None = None,
        end: float | None = None,
        voice: str | None = None,
    ) -> Line:
        """Make a line of the whitespace-separated pieces of ``text``, without times."""
        return cls(tuple(Word(piece) for piece in text.split()), start, end, voice)

    @property
    def text(self) -> str:
        """The line as people read it."""
        pieces = [word.text + (" " if word.space else "") for word in self.words]
        return "".join(pieces).strip()

    @property
    def timed_words(self) -> bool:
        """Return whether every word has an onset that may be shown (and there is a word)."""
        if self.doubtful or not self.words:
            return False
        return all(word.start is not None for word in self.words)

    def retimed(self, moved: Callable[[float], float]) -> Line:
        """Return the line with all its times, and those of its words, changed by a function."""
        return replace(
            self,
            words=tuple(word.retimed(moved) for word in self.words),
            start=None if self.start is None else moved(self.start),
            end=None if self.end is None else moved(self.end),
        )

    def without_word_times(self) -> Line:
        """Return the same line, with its own times at best."""
        words = (replace(word, start=None, end=None, confidence=None) for word in self.words)
        return replace(self, words=tuple(words), doubtful=False)


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
        """Make lyrics of plain text: a line a lyric line, blank lines dropped."""
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
        """The finest timing that *every* non-empty line has; ``MIXED`` where some have finer."""
        sung = [line for line in self.lines if line.words]
        if sung and all(line.timed_words for line in sung):
            return Timing.WORD
        if not sung or any(line.start is None and not line.timed_words for line in sung):
            return Timing.NONE
        return Timing.MIXED if any(line.timed_words for line in sung) else Timing.LINE

    def with_lines(self, lines: Iterable[Line]) -> Lyrics:
        """Return the same lyrics with other lines (new times, say)."""
        return replace(self, lines=tuple(lines))

    def shifted(self, seconds: float) -> Lyrics:
        """Return the same lyrics later by some seconds; nothing starts before the song."""

        def moved(time: float) -> float:
            return round(max(0.0, time + seconds), 3)

        return self.with_lines(line.retimed(moved) for line in self.lines)

    @property
    def repeats(self) -> frozenset[int]:
        """The repeats that were written out, by their numbers."""
        return frozenset(word.repeat for word in self.words if word.repeat)

    def without_repeats(self, numbers: Container[int]) -> Lyrics:
        """Return the same lyrics without some of the repeats that were written out."""
        lines = (
            (line, tuple(word for word in line.words if word.repeat not in numbers))
            for line in self.lines
        )
        return self.with_lines(
            replace(line, words=words) for line, words in lines if words or not line.words
        )

    def without_word_times(self) -> Lyrics:
        """Return the same lyrics, line-synced at best."""
        return self.with_lines(line.without_word_times() for line in self.lines)

    def without_doubtful(self) -> Lyrics:
        """Return the lyrics as they may be shown: without the word times of doubtful lines."""
        return self.with_lines(
            line.without_word_times() if line.doubtful else line for line in self.lines
        )

    def with_all_words(self) -> Lyrics:
        """Return the lyrics with the word times of doubtful lines no longer held back."""
        return self.with_lines(
            replace(
                line,
                start=line.words[0].start if line.words else line.start,
                end=line.words[-1].end if line.words else line.end,
                doubtful=False,
                estimated=False,
            )
            if line.doubtful
            else line
            for line in self.lines
        )

    def without_times(self) -> Lyrics:
        """Return the same lyrics as plain words."""
        return self.without_word_times().with_lines(
            replace(line, start=None, end=None, estimated=False)
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
        return replace(self, track=replace(self.track, **changes))
