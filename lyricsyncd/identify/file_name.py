"""Parse names from a file's name: "Artist - Title" and similar."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileName:
    """The names in a file's name."""

    title: str
    artist: str | None = None
    album: str | None = None


_NUMBER = re.compile(r"(?:(?:cd|disc)?\s*\d{1,2}[-.])?\d{1,3}", re.IGNORECASE)
_NUMBERED = re.compile(
    r"""(?:\d{1,2}-)? \d{1,3} (?:[.)]\s* | \s*-\s+) (?=\S)
      | (?:\d{1,2}-\d{2} | 0\d | [12]\d) \s+ (?=\S)
      | \d{2} - (?=[^\W\d])""",
    re.VERBOSE,
)
"""A track number before a name; before only a space, one that few titles begin with."""
_NOISE = re.compile(
    r"""\s*[\[(] [^\])]* \b(?:official|video|audio|visuali[sz]er|lyrics?|hd|hq|4k|mv|kbps)\b
        [^\])]* [\])]
      | \s*[\[(] \d{2,4}\s*k (?:bps)? [\])]
      | \s*\[[A-Za-z0-9_-]{11}\]$""",
    re.IGNORECASE | re.VERBOSE,
)
"""Additions of download programs: "(Official Video)", "[320kbps]", a video's id."""


def parse_file_name(stem: str) -> FileName:
    """Parse "Artist - Title" and similar, with a track number before or within, or an album.

    >>> parse_file_name("Artist - Album - 01 - Title")
    FileName(title='Title', artist='Artist', album='Album')
    >>> parse_file_name("01. Title")
    FileName(title='Title', artist=None, album=None)
    """
    # In a name without spaces, underscores are spaces.
    text = stem if " " in stem else stem.replace("_", " ")
    text = _tidied(_NOISE.sub("", text)) or _tidied(stem)
    parts = [part for part in re.split(r"\s+[-–—]+\s+", text) if part]
    numbered = [at for at, part in enumerate(parts[:-1]) if _NUMBER.fullmatch(part)]
    if numbered:
        at = numbered[-1]
        before, after = parts[:at], parts[at + 1 :]
    else:
        before, after = [], parts
        if after and (match := _NUMBERED.match(after[0])):
            after = [after[0][match.end() :], *after[1:]]
    return _named(before, after)


def _named(before: Sequence[str], after: Sequence[str]) -> FileName:
    """Assign the parts before and after a track number to names."""
    if not after:
        return FileName("")
    if before:
        album = before[1] if len(before) > 1 else None
        return FileName(" - ".join(after), before[0], album)
    if len(after) == 1:
        return FileName(after[0])
    return FileName(" - ".join(after[1:]), after[0])


def _tidied(text: str) -> str:
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\ufeff\ud800-\udfff]", " ", text).split())
