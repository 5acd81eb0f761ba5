"""Queries for the sound of a song and for its peaks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lyricsyncd.web.shapes.fields import Shape


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
