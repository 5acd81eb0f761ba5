"""Songs as the catalog has them, their stored lyrics, and the queries for both."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from lyricsyncd import formats
from lyricsyncd.catalog.catalog import State
from lyricsyncd.catalog.queries import ORDERS
from lyricsyncd.model import Track
from lyricsyncd.web.shapes.fields import (
    LARGEST,
    Length,
    Name,
    PathText,
    SearchText,
    Shape,
    length,
    readable,
)


def _recording_id(value: Any) -> Any:
    return readable(value, 36) if isinstance(value, str) else value


class Tags(Shape):
    """The names of a song."""

    title: Annotated[Name, Field(min_length=1)]
    artist: Name | None = None
    album: Name | None = None
    duration: Length | None = None
    recording_id: Annotated[str, BeforeValidator(_recording_id)] | None = Field(
        default=None, description="MusicBrainz recording id."
    )

    def as_track(self) -> Track:
        artists = (self.artist,) if self.artist else ()
        return Track(
            artist=self.artist or None,
            artists=artists,
            title=self.title,
            album=self.album or None,
            duration=length(self.duration),
            recording_id=self.recording_id,
        )


class TrackShape(Shape):
    """A song as the catalog knows it. Moments are seconds since the epoch."""

    model_config = ConfigDict(extra="allow")

    id: int
    path: str
    library: str | None
    state: State
    priority: int
    why: str = Field(description="Why it was queued.")
    enqueued_at: float
    next_attempt_at: float | None
    missing_since: float | None
    artist: str | None
    title: str | None
    album: str | None
    duration: float | None
    recording_id: str | None
    stage: str | None
    progress: float | None
    started_at: float | None
    finished_at: float | None
    quality: float | None
    decision: str | None
    reason: str | None
    source: str | None
    language: str | None
    lines: int | None
    words: int | None
    lines_with_words: int | None = Field(description="Lines that were written with word times.")
    words_timed: int | None = Field(description="Words that were written with their times.")
    written: list[str]
    notes: list[str]
    error_class: str | None
    waits_for: str | None = Field(
        description="What a queued song waits for: a look-up (empty), or a host."
    )
    error: str | None


class QueueAnswer(Shape):
    """Songs in work, then those that come next."""

    tracks: list[TrackShape]


class TracksAnswer(Shape):
    """A page of songs, by their number."""

    tracks: list[TrackShape]
    next: int | None = Field(description="Ask with `after=` this for the next page; null: no more.")


class SyllableShape(Shape):
    """A part of a word that is sung by itself; times are seconds."""

    text: str
    start: float
    end: float | None


class WordShape(Shape):
    """A word; times are seconds."""

    text: str
    start: float | None
    end: float | None
    confidence: float | None
    space: bool = Field(description="Whether a space follows it in its line.")
    syllables: list[SyllableShape] = Field(description="Those of a word with several.")


class ParallelShape(Shape):
    """A line in another language or script, shown with the sung one."""

    text: str
    kind: Literal["translation", "romanisation"]
    language: str | None


class LineShape(Shape):
    """A line of lyrics."""

    text: str
    start: float | None
    end: float | None
    voice: str | None
    estimated: bool = Field(description="Whether its start is only estimated.")
    words: list[WordShape]
    parallel: list[ParallelShape]


class LyricsAnswer(Shape):
    """The words of a song."""

    track: TrackShape
    timing: Literal["none", "line", "mixed", "word"]
    instrumental: bool
    source: str = Field(description="`sidecar` or `tag`.")
    ours: bool = Field(description="Whether lyricsyncd wrote them, unedited since.")
    language: str | None
    lines: list[LineShape]


# Queries: all of their values are text, and an empty one counts as left out.


def _states(value: Any) -> Any:
    texts = [value] if isinstance(value, str) else value or []
    return [name for text in texts for name in text.split(",") if name]


States = Annotated[
    list[State],
    BeforeValidator(_states),
    # What is blank asks for nothing in particular.
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "string", "enum": [*(each.value for each in State), ""]},
        }
    ),
]


def _finite(value: Any) -> Any:
    if isinstance(value, str) and not math.isfinite(float(value)):
        raise ValueError("expected seconds")
    return value


def _numbers(value: Any) -> Any:
    return [text for text in value.split(",") if text] if isinstance(value, str) else value


class OrderQuery(Shape):
    """The songs, and their order."""

    state: States = Field(
        default_factory=list, description="States, parted by commas; all by default."
    )
    q: SearchText = Field(default="", description="A part of the path, the artist or the title.")
    sort: str = Field(
        default="artist",
        description="What it goes by; with a minus, the largest first.",
        json_schema_extra={"enum": list(ORDERS)},
    )
    limit: Annotated[int | None, Field(ge=1, le=1000)] = Field(
        default=None, description="Only so many; all by default."
    )

    @field_validator("sort")
    @classmethod
    def _is_an_order(cls, sort: str) -> str:
        if sort not in ORDERS:
            raise ValueError(f"expected one of {', '.join(ORDERS)}")
        return sort


class QueueQuery(Shape):
    """Length of the answer."""

    limit: Annotated[int | None, Field(ge=1, le=1000)] = Field(
        default=None, description="How many songs, at most; 100 by default."
    )


class TracksQuery(Shape):
    """The songs."""

    ids: Annotated[
        list[Annotated[int, Field(ge=1, le=LARGEST)]],
        BeforeValidator(_numbers),
        Field(max_length=200),
    ] = Field(default_factory=list, description="These songs only, by their numbers.")

    state: States = Field(
        default_factory=list, description="States, parted by commas; all by default."
    )
    q: SearchText = Field(default="", description="A part of the path, the artist or the title.")
    after: Annotated[int | None, Field(ge=0, le=LARGEST)] = Field(
        default=None, description="Songs with a larger number than this."
    )
    limit: Annotated[int | None, Field(ge=1, le=1000)] = Field(
        default=None, description="How many, at most; 100 by default."
    )


class LyricsQuery(Shape):
    """The song whose words are asked for: a number, a path, or names."""

    id: Annotated[int | None, Field(ge=1, le=LARGEST)] = None
    path: PathText | None = None
    artist: Name | None = None
    title: Name | None = None
    album: Name | None = None
    duration: Annotated[float | None, BeforeValidator(_finite)] = Field(
        default=None, description="Seconds."
    )
    format: str | None = Field(
        default=None,
        description="Answer with the text of this format.",
        json_schema_extra={"enum": list(formats.names())},
    )

    @model_validator(mode="after")
    def _format_is_known(self) -> LyricsQuery:
        if self.format is not None and self.format not in formats.names():
            raise ValueError(f"format: expected one of {', '.join(formats.names())}")
        return self

    def as_track(self) -> Track | None:
        if not self.title:
            return None
        return Tags(
            title=self.title, artist=self.artist, album=self.album, duration=self.duration
        ).as_track()
