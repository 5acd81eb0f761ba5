"""Define the JSON of requests and answers: models that validate the former and document both."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from lyricsyncd import formats
from lyricsyncd.catalog.catalog import Priority, Queued, State
from lyricsyncd.catalog.queries import ORDERS
from lyricsyncd.library.decisions import Action
from lyricsyncd.library.events import Event, Kind, Result
from lyricsyncd.model import Track

MAX_EVENTS = 5000
"""Events in one request."""
_LONGEST_NAME = 500
_PRIORITIES = {each.name.lower(): each for each in Priority}
_LARGEST = 2**63 - 1


class Shape(BaseModel):
    """A JSON object."""

    model_config = ConfigDict(frozen=True)


def readable(text: str, most: int = _LONGEST_NAME) -> str:
    """Clean a name of lone surrogates and NULs, and limit its length.

    Whatever a client has in its tags is no reason to refuse its event.
    """
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")[:most]


def _readable(value: Any) -> Any:
    return readable(value) if isinstance(value, str) else value


def _recording_id(value: Any) -> Any:
    return readable(value, 36) if isinstance(value, str) else value


Name = Annotated[str, BeforeValidator(_readable)]


def length(seconds: float | None) -> float | None:
    """Return the length of a song, or ``None`` for a value that cannot be one."""
    return seconds if seconds is not None and 0 < seconds < math.inf else None


def _path_text(value: Any) -> str:
    # One that is no path, or too long for one, is in no library.
    if not isinstance(value, str):
        raise ValueError("expected text")
    if not value:
        raise ValueError("expected a path")
    return value


PathText = Annotated[
    # Not str, of which pydantic wants that it is valid Unicode: file names need not be.
    Any,
    AfterValidator(_path_text),
    WithJsonSchema({"type": "string", "minLength": 1}),
]
Length = Annotated[float, Field(strict=True, description="Seconds.")]


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


def _whole(value: Any) -> Any:
    # In JSON 20.0 is as whole as 20, and true is no number.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value % 1:
        raise ValueError("expected a whole number")
    return int(min(max(value, 0), 100))


_NAMED: list[Any] = [
    {"required": ["path"], "properties": {"path": {"type": "string"}}},
    {"required": ["tags"], "properties": {"tags": {"type": "object"}}},
]


class EventShape(Shape):
    """Something happened to a song."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"anyOf": _NAMED})

    event: Kind
    path: PathText | None = Field(
        default=None,
        description="The song, or for `imported` and `removed` its folder; absolute, or below a "
        "library.",
    )
    tags: Tags | None = Field(default=None, description="Where no path is known, or none fits.")
    moved_from: PathText | None = Field(
        default=None, alias="from", description="Where it was before, for `moved`."
    )
    priority: (
        Literal["backfill", "import", "person", "playing"] | Annotated[int, BeforeValidator(_whole)]
    ) | None = Field(
        default=None, description="How urgent it is; a number counts as the name at or below it."
    )
    force: bool = Field(
        default=False, strict=True, description="Even if nothing changed since it was done."
    )

    @model_validator(mode="after")
    def _names_a_song(self) -> EventShape:
        if self.path is None and self.tags is None:
            raise ValueError("an event needs a path or tags")
        return self

    def as_event(self) -> Event:
        return Event(
            self.event,
            self.path,
            None if self.tags is None else self.tags.as_track(),
            self.moved_from,
            _priority(self.priority),
            self.force,
        )


def _priority(value: str | int | None) -> Priority | None:
    if value is None:
        return None
    if isinstance(value, str):
        return _PRIORITIES[value]
    return max(each for each in Priority if each <= value)


class EventsShape(Shape):
    """Several events at once: a whole import."""

    events: Annotated[list[EventShape], Field(min_length=1, max_length=MAX_EVENTS)]


class TakenShape(Shape):
    """The result of an event."""

    result: Queued | Result
    path: str | None
    id: int | None


class EventsAnswer(Shape):
    """The results of the events, in their order."""

    accepted: int = Field(description="How many of them concern a song of a library.")
    results: list[TakenShape]


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


class LibraryShape(Shape):
    """A library."""

    path: str
    online: bool
    scanned_at: float | None


class RepairShape(Shape):
    """A file of the state folder that was damaged, and replaced."""

    at: float = Field(description="Seconds since 1970.")
    text: str
    report: str = Field(description="The file that says so: delete it to acknowledge it.")


class WaitingShape(Shape):
    """A host that songs wait for."""

    host: str
    songs: int
    why: str
    until: float | None = Field(description="When it is tried next; null: at once.")


class LaterShape(Shape):
    """Songs that are tried again later."""

    model_config = ConfigDict(populate_by_name=True)

    songs: int
    from_: float | None = Field(alias="from", description="When the first of them is.")


class StatusAnswer(Shape):
    """The state of the service."""

    version: str
    running: bool
    paused: bool
    settings_error: str | None = Field(
        description="The error of the settings for which no song is taken up."
    )
    unexpected_errors: int = Field(
        description="Errors since the start that are bugs; the log has them."
    )
    resting: str | None = Field(description="Why only what a person requested is done now.")
    songs: dict[State, int]
    total: int
    finished: int = Field(description="Songs that are neither queued nor in work.")
    percent: float | None
    songs_per_hour: float | None
    could_be_better: int = Field(description="Songs that other models placed than those of now.")
    seconds_left: int | None
    working: list[TrackShape]
    waiting: list[WaitingShape]
    later: LaterShape
    latest: list[TrackShape]
    libraries: list[LibraryShape]
    repairs: list[RepairShape]
    state: str = Field(description="The folder of the catalog.")


class SessionShape(Shape):
    """The credentials by which a browser signs in."""

    token: str = Field(max_length=4096, description="The token of the configuration.")


class SessionAnswer(Shape):
    needed: bool = Field(description="Whether a token is needed at all.")


class SessionState(SessionAnswer):
    signed_in: bool = Field(description="Whether the browser has a session that lasts.")


class PausedAnswer(Shape):
    paused: bool


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


LONGEST_S = 12 * 3600.0
MOST_LINES, MOST_WORDS = 5000, 2000
LONGEST_SHIFT_S = 600.0
"""Lines of a song, and words of a line."""


def _number(value: Any) -> Any:
    # In JSON neither true nor "1" is a number; 1.0 is a whole one.
    if isinstance(value, (bool, str)):
        raise ValueError("expected a number")
    return value


def _flag(value: Any) -> Any:
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value


Flag = Annotated[bool, BeforeValidator(_flag)]
Whole = Annotated[int, Field(ge=0, le=_LARGEST), BeforeValidator(_number)]
Time = Annotated[float, Field(ge=0, le=LONGEST_S), BeforeValidator(_number)]
DraftTime = Time | None
Part = Annotated[float, Field(ge=0, le=1), BeforeValidator(_number)] | None
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
    pins: Annotated[list[Pin], Field(max_length=1000)] = Field(
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
        float, Field(ge=-LONGEST_SHIFT_S, le=LONGEST_SHIFT_S), BeforeValidator(_number)
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
        list[Annotated[int, Field(ge=1, le=_LARGEST), BeforeValidator(_number)]],
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


class FindingShape(Shape):
    """The finding of a check."""

    topic: str
    verdict: Literal["ok", "warning", "failed"]
    text: str
    remedy: str


class RestShape(Shape):
    """A host that is left alone for a while."""

    host: str
    until: float
    why: str


class HealthAnswer(Shape):
    findings: list[FindingShape]
    libraries: list[LibraryShape]
    resting: list[RestShape]
    config: str | None = Field(description="The configuration, whether or not it is there.")
    player: str | None = Field(description="The preset; null where files are listed instead.")


class PlayerShape(Shape):
    """A preset, and the files that its player reads."""

    name: str
    summary: str
    files: list[str] = Field(description="Names beside NAME.mp3, where words have times.")
    tags: bool = Field(description="Whether the song's tags get lyrics, too.")


class FirstRunAnswer(Shape):
    """The choices that a first run has."""

    needed: bool = Field(description="Whether no music folder is configured, and one can be.")
    config: str | None = Field(description="The configuration that would be written.")
    player: str | None = Field(description="The preset now; null where files are listed instead.")
    players: list[PlayerShape]
    suggested: list[str] = Field(description="Usual places of music that are there.")


class FirstRunBody(Shape):
    """The choices of a first run."""

    libraries: Annotated[list[PathText], Field(min_length=1, max_length=20)]
    player: Annotated[str, Field(min_length=1, max_length=100)]


class FolderPlanShape(Shape):
    """The result of looking through a music folder."""

    path: str
    songs: int
    skipped: int
    complete: bool = Field(description="Whether the whole folder was looked through.")


class ExampleShape(Shape):
    """The files and tags that one of the songs would get."""

    song: str
    files: list[str]
    kept: list[str] = Field(description="Those of them that are there, and stay as they are.")
    tags: bool


class FirstRunPlan(Shape):
    """The work that would be done; none of it has been."""

    config: str
    settings: str = Field(description="What would be set there, as YAML.")
    command: str = Field(description="A command that does the same.")
    folders: list[FolderPlanShape]
    songs: int
    complete: bool
    example: ExampleShape | None
    seconds: float = Field(description="Of work for the models.")
    measured_with: int = Field(description="Songs that the pace was measured with; 0: assumed.")
    sources: list[str] = Field(description="Where words would be looked for, in order.")
    findings: list[FindingShape] = Field(description="What stands in the way.")


class FirstRunDone(Shape):
    config: str
    libraries: list[str]


class ErrorAnswer(Shape):
    """An error."""

    error: str
    remedy: str = ""
    state: State | None = Field(default=None, description="Of the song, where there is one.")


# Questions: all of a query is text; what is empty has been left out.


def _states(value: Any) -> Any:
    texts = [value] if isinstance(value, str) else value or []
    return [name for text in texts for name in text.split(",") if name]


_STATES = [each.value for each in State]
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


def _search_text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_NAME:
        raise ValueError(f"expected at most {_LONGEST_NAME} characters")
    return value


SearchText = Annotated[
    # As `PathText`: a part of a name that need not be valid Unicode.
    Any,
    AfterValidator(_search_text),
    WithJsonSchema({"type": "string", "maxLength": _LONGEST_NAME}),
]


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

    @field_validator("sort")
    @classmethod
    def _is_an_order(cls, sort: str) -> str:
        if sort not in ORDERS:
            raise ValueError(f"expected one of {', '.join(ORDERS)}")
        return sort


class AudioQuery(Shape):
    """The form of the song."""

    as_: Literal["raw", "mp4", "aac", "stems"] | None = Field(
        default=None,
        alias="as",
        description="A rendition that the draft names, else the best; `stems`: the vocals on the "
        "left, the rest on the right, which takes a while the first time.",
    )
    v: str | None = Field(default=None, description="The version of the song's file.")


class PeaksQuery(Shape):
    """The sound that the peaks are of."""

    of: Literal["vocals", "mix"] = "vocals"
    make: bool = Field(
        default=False, description="Separate the vocals for it, where their peaks are not kept."
    )


class QueueQuery(Shape):
    """Length of the answer."""

    limit: Annotated[int | None, Field(ge=1, le=1000)] = Field(
        default=None, description="How many songs, at most; 100 by default."
    )


class TracksQuery(Shape):
    """The songs."""

    ids: Annotated[
        list[Annotated[int, Field(ge=1, le=_LARGEST)]],
        BeforeValidator(_numbers),
        Field(max_length=200),
    ] = Field(default_factory=list, description="These songs only, by their numbers.")

    state: States = Field(
        default_factory=list, description="States, parted by commas; all by default."
    )
    q: SearchText = Field(default="", description="A part of the path, the artist or the title.")
    after: Annotated[int | None, Field(ge=0, le=_LARGEST)] = Field(
        default=None, description="Songs with a larger number than this."
    )
    limit: Annotated[int | None, Field(ge=1, le=1000)] = Field(
        default=None, description="How many, at most; 100 by default."
    )


class LyricsQuery(Shape):
    """The song whose words are asked for: a number, a path, or names."""

    id: Annotated[int | None, Field(ge=1, le=_LARGEST)] = None
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
