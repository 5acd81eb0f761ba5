"""Define what an operation of the interface is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from starlette.datastructures import Headers

from lyricsyncd.catalog.catalog import Entry
from lyricsyncd.playback.maker import Maker
from lyricsyncd.web.context import ServiceContext
from lyricsyncd.web.reply import Problem
from lyricsyncd.web.sessions import Sessions

PREFIX = "/api/v1"
SONG = f"{PREFIX}/tracks/{{id}}"


@dataclass(frozen=True, slots=True)
class Call:
    """A validated request."""

    context: ServiceContext
    id: int
    query: Any
    body: Any
    sessions: Sessions
    maker: Maker
    headers: Headers


@dataclass(frozen=True, slots=True)
class Text:
    """An answer in another format than our JSON."""

    body: str
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Json:
    """JSON with headers."""

    value: Mapping[str, Any]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Bytes:
    """An answer of bytes, for which browsers may ask whether it has changed."""

    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class File:
    """A file as the answer, or a part of it.

    Attributes
    ----------
    descriptor : int
        Of the open file; closed when it was sent.
    version : str
        Changes with the content.
    """

    descriptor: int
    media_type: str
    version: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotYet:
    """The reply to a request whose answer is still being made."""


Answer = Mapping[str, Any] | Json | Text | Bytes | File | NotYet


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the interface."""

    method: str
    path: str
    summary: str
    handle: Callable[[Call], Answer]
    answer: type[BaseModel] | str
    """A model of JSON, or a media type."""
    status: int = 200
    query: type[BaseModel] | None = None
    takes_events: bool = False
    body: type[BaseModel] | None = None
    opens_songs: bool = False
    """Whether it may have to wait until songs' files are read."""
    errors: tuple[int, ...] = ()
    also_at: str | None = None
    """A second path."""
    also_answers: tuple[str, ...] = ()
    """Further media types."""
    may_come_later: bool = False
    """Whether the answer may be 202: it is being made."""

    @property
    def takes_body(self) -> bool:
        """Return whether requests have a body."""
        return self.takes_events or self.body is not None


def entry_of(call: Call) -> Entry:
    """Return the song that a request names by its number.

    Raises
    ------
    Problem
        There is none.
    """
    entry = call.context.catalog.get(call.id)
    if entry is None:
        raise Problem(404, f"There is no song {call.id}")
    return entry
