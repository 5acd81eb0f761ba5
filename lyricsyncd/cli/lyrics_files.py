"""Read lyrics from files, and report files that were written or removed."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.cli.console import say
from lyricsyncd.errors import FormatError, UsageError

if TYPE_CHECKING:
    from lyricsyncd.model import Lyrics
    from lyricsyncd.tags import Note


def read_lyrics(path: Path, name: str | None, encoding: str | None = None) -> Lyrics:
    """Read the lyrics in a file, in the named format and encoding, or else in those detected."""
    from lyricsyncd import formats
    from lyricsyncd.formats.text import MAX_BYTES, decode

    try:
        with sys.stdin.buffer if path == Path("-") else path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"the lyrics file {path} cannot be read: {(error.strerror or str(error)).lower()}",
            remedy="Check the path and its permissions",
        ) from error
    try:
        # As for sidecars: whatever the format, text in a legacy encoding is accepted.
        data = decode(data, encoding=encoding).encode("utf-8", "replace")
    except FormatError as error:
        raise FormatError(f"{path}: {error.message}", remedy=error.remedy) from error
    format_name = name or formats.guess(data)
    if name is None and format_name in (None, "txt") and path.suffix.lower() != ".txt":
        # Contents of no known format are what the suffix says, and may be broken.
        format_name = formats.for_suffix(path.suffix) or format_name
    try:
        return formats.read(data, format_name or "txt")
    except FormatError as error:
        raise FormatError(f"{path}: {error.message}", remedy=error.remedy) from error


def say_paths(what: str, paths: Iterable[Path]) -> None:
    """Print what was done to each file."""
    for path in paths:
        say(f"{what} {path}")


def texts(paths: Iterable[Path]) -> list[str]:
    """Convert paths for JSON."""
    return [str(path) for path in paths]


def notes(found: Iterable[Note]) -> list[dict[str, str]]:
    """Convert notes for JSON."""
    return [{"path": str(one.path), "why": one.why} for one in found]
