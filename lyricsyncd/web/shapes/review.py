"""Drafts, candidates and decisions: what a person looks at, corrects and decides."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from lyricsyncd.catalog.catalog import State
from lyricsyncd.library.decisions import Action
from lyricsyncd.web.shapes.fields import LARGEST, Flag, Name, Shape, Whole, number
from lyricsyncd.web.shapes.songs import ParallelShape, TrackShape

LONGEST_S = 12 * 3600.0
LONGEST_SHIFT_S = 600.0
MOST_LINES, MOST_WORDS = 5000, 2000
"""Lines of a song, and words of a line."""
Time = Annotated[float, Field(ge=0, le=LONGEST_S), BeforeValidator(number)]
DraftTime = Time | None
Part = Annotated[float, Field(ge=0, le=1), BeforeValidator(number)] | None
DraftSyllables = Annotated[list[tuple[Name, Time, DraftTime]], Field(max_length=100)]
DraftWord = (
    tuple[Name]
    | tuple[Name, DraftTime]
    | tuple[Name, DraftTime, DraftTime]
    | tuple[Name, DraftTime, DraftTime, Part]
    | tuple[Name, DraftTime, DraftTime, Part, Flag]
    | tuple[Name, DraftTime, DraftTime, Part, Flag, DraftSyllables]
)
"""Text, start, end, confidence, whether a space follows, and syllables; what is left out is not
known. Syllables that are left out stay where text and times of the word do."""


class DraftLine(Shape):
    """A line of a draft; times are seconds."""

    voice: Name | None = None
    start: DraftTime = None
    end: DraftTime = None
    words: Annotated[list[DraftWord], Field(max_length=MOST_WORDS)]


class DraftLineAnswer(DraftLine):
    parallel: list[ParallelShape]


class DraftLyrics(Shape):
    """Words with times."""

    language: Annotated[str, Field(pattern="^[a-z]{2,3}$")] | None = None
    lines: Annotated[list[DraftLine], Field(min_length=1, max_length=MOST_LINES)]


class DraftLyricsAnswer(Shape):
    language: str | None
    source: str
    source_id: str | None
    lines: list[DraftLineAnswer]


class RenditionShape(Shape):
    """A form in which a browser can have a song."""

    model_config = ConfigDict(populate_by_name=True)

    as_: str = Field(alias="as")
    url: str = Field(description="Relative to the interface.")
    type: str = Field(description="With codecs, for `canPlayType`.")
    offset: float = Field(description="Its time, in seconds, where the song's time is zero.")


class DraftAnswer(Shape):
    """The placed words of a song."""

    id: int
    revision: int
    at: float
    state: State
    lyrics: DraftLyricsAnswer
    score: float
    decision: str
    reason: str
    separator: str | None
    aligner: str | None
    offset: float = Field(description="Seconds by which a person shifted it.")
    by_hand: bool = Field(description="Whether a person changed words or times.")
    pinned: list[int] = Field(
        description="Numbers, from 0, of the words whose starts a person set."
    )
    written: list[str]
    audio: list[RenditionShape] = Field(description="The best first.")
    peaks: list[Literal["vocals", "mix"]] = Field(description="Those that are kept.")


class DraftBody(Shape):
    """Corrected words."""

    revision: Whole = Field(description="Of the draft that was corrected.")
    lyrics: DraftLyrics
    pinned: Annotated[list[Whole], Field(max_length=MOST_LINES * MOST_WORDS)] | None = Field(
        default=None,
        description=(
            "Numbers, from 0, of the words whose starts a person set; left out: those of before, "
            "as far as they start where they did."
        ),
    )


Pin = tuple[Whole, Time]


class PlaceBody(Shape):
    """Words to place: those of the draft, unless others are named."""

    revision: Whole | None = None
    lyrics: DraftLyrics | None = None
    text: Annotated[str, Field(min_length=1, max_length=100_000)] | None = None
    candidate: Whole | None = Field(default=None, description="Counted from 0 in `candidates`.")
    pins: Annotated[list[Pin], Field(max_length=MOST_LINES * MOST_WORDS)] = Field(
        default_factory=list, description="Numbers of words, and the seconds at which they start."
    )


class DecisionBody(Shape):
    """A decision."""

    action: Action
    revision: Whole | None = Field(
        default=None, description="Of the draft that the person has seen."
    )
    dry_run: Flag = False


class ShiftBody(Shape):
    """Seconds by which all words of a song come later."""

    seconds: Annotated[
        float, Field(ge=-LONGEST_SHIFT_S, le=LONGEST_SHIFT_S), BeforeValidator(number)
    ]
    dry_run: Flag = False


class UndoBody(Shape):
    dry_run: Flag = False


class DecidedAnswer(Shape):
    """The result of a decision."""

    written: list[str]
    removed: list[str]
    notes: list[str]
    track: TrackShape


class BulkBody(Shape):
    """The same for many songs."""

    ids: Annotated[
        list[Annotated[int, Field(ge=1, le=LARGEST), BeforeValidator(number)]],
        Field(min_length=1, max_length=1000),
    ]
    action: Literal[
        "accept", "lines", "reject", "instrumental", "unreject", "retry", "skip", "undo"
    ]


class RefusedShape(Shape):
    id: int
    why: str


class BulkAnswer(Shape):
    done: list[int]
    refused: list[RefusedShape]


class SearchBody(Shape):
    """Names to ask for, over the song's own."""

    artist: Name | None = None
    title: Name | None = None
    album: Name | None = None


class CandidateShape(Shape):
    """Words that may be a song's."""

    source: str
    id: str | None
    score: float | None = Field(
        description="Of words that were placed, the predicted share of right ones; of a search, "
        "how sure the source is."
    )
    why: str
    timing: Literal["none", "line", "word"]
    language: str | None
    text: str
    chosen: bool
    rejected: bool


class CandidatesAnswer(Shape):
    candidates: list[CandidateShape]
    warnings: list[str] = Field(description="Sources that could not be asked.")


class WriteShape(Shape):
    """A write of the journal."""

    at: float
    kind: str
    path: str
    by_hand: bool
    before: bool = Field(description="Whether something was there before.")
    removed: bool


class HistoryAnswer(Shape):
    writes: list[WriteShape]
