"""Events that a request reports, and the results of each."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from lyricsyncd.catalog.catalog import Priority, Queued
from lyricsyncd.library.events import Event, Kind, Result
from lyricsyncd.web.shapes.fields import PathText, Shape
from lyricsyncd.web.shapes.songs import Tags

MAX_EVENTS = 5000
"""Events in one request."""
_PRIORITIES = {each.name.lower(): each for each in Priority}


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
