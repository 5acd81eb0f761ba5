"""Define the values that several shapes have, and how those of requests are checked."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

LONGEST_NAME = 500
LARGEST = 2**63 - 1
"""Largest number of a row of SQLite."""


class Shape(BaseModel):
    """A JSON object."""

    model_config = ConfigDict(frozen=True)


def readable(text: str, most: int = LONGEST_NAME) -> str:
    """Clean a name of lone surrogates and NULs, and limit its length.

    Whatever a client has in its tags is no reason to refuse its event.
    """
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")[:most]


def _readable(value: Any) -> Any:
    return readable(value) if isinstance(value, str) else value


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


def number(value: Any) -> Any:
    # In JSON neither true nor "1" is a number; 1.0 is a whole one.
    if isinstance(value, (bool, str)):
        raise ValueError("expected a number")
    return value


def _flag(value: Any) -> Any:
    if not isinstance(value, bool):
        raise ValueError("expected true or false")
    return value


Flag = Annotated[bool, BeforeValidator(_flag)]
Whole = Annotated[int, Field(ge=0, le=LARGEST), BeforeValidator(number)]


def _search_text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        raise ValueError(f"expected at most {LONGEST_NAME} characters")
    return value


SearchText = Annotated[
    # As `PathText`: a part of a name that need not be valid Unicode.
    Any,
    AfterValidator(_search_text),
    WithJsonSchema({"type": "string", "maxLength": LONGEST_NAME}),
]
