"""The state and health of the service, sessions of browsers, and errors."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from lyricsyncd.catalog.catalog import State
from lyricsyncd.web.shapes.fields import Shape
from lyricsyncd.web.shapes.songs import TrackShape


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


class PausedAnswer(Shape):
    paused: bool


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


class SettingShape(Shape):
    """A setting as it is used."""

    key: str = Field(description="Its path, such as `web.listen`.")
    value: str = Field(description="YAML on one line; of a secret only that it is set.")
    changed: bool = Field(description="Whether it is another one than by default.")


class SettingsAnswer(Shape):
    file: str | None = Field(description="The configuration, whether or not it is there.")
    settings: list[SettingShape]


class SessionShape(Shape):
    """The credentials by which a browser signs in."""

    token: str = Field(max_length=4096, description="The token of the configuration.")


class SessionAnswer(Shape):
    needed: bool = Field(description="Whether a token is needed at all.")


class SessionState(SessionAnswer):
    signed_in: bool = Field(description="Whether the browser has a session that lasts.")
    may_change: bool = Field(description="Whether it may change anything, and not only look.")


class ErrorAnswer(Shape):
    """An error."""

    error: str
    remedy: str = ""
    state: State | None = Field(default=None, description="Of the song, where there is one.")
