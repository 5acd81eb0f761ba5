"""The choices of a first run, and what they would do."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lyricsyncd.web.shapes.fields import PathText, Shape
from lyricsyncd.web.shapes.service import FindingShape


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
