"""What Jellyfin shows of an LRC file, by its rules; `tests/player_cases.py` has what its code says.

- ``[m:s.f]`` and ``<m:s.f>`` are marks: nothing has hours. Every ``[…]`` of a row is a time at
  which its line is shown; a row without one is not.
- A mark before a space, or at the end of the row, is the end of the character before; any other
  the start of the next. Of two in one place the first counts. What lies between two marks is a
  cue, white space alone is not; after the last mark of a row a cue goes on until the next line.
- A fraction is one of any length in the library of Jellyfin 10.11, and hundredths, whatever their
  number, in the one before (``decimals`` of it: ``.340`` is 3.4 s).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

_STAMP = re.compile(r"\[(\d+):(\d+)\.(\d+)\]")
_MARK = re.compile(r"<(\d+):(\d+)\.(\d+)>")


@dataclass
class Shown:
    """A line: milliseconds, text, and cues with their text, start and end."""

    start: int
    text: str
    cues: list[tuple[str, int, int | None]] = field(default_factory=list)


def lrc(text: str, *, old: bool = False) -> list[Shown]:
    """Read a file as Jellyfin 10.11 does, or as the versions before with ``old``."""
    milliseconds = _hundredths if old else _fraction
    lines = []
    for row in text.split("\n"):
        content = _STAMP.sub("", row).strip()
        for stamp in _STAMP.finditer(row):
            lines.append((milliseconds(stamp), content))
    lines.sort(key=lambda line: line[0])
    shown = []
    for at, (start, content) in enumerate(lines):
        later = lines[at + 1][0] if at + 1 < len(lines) else None
        whole = _MARK.sub("", content)
        marks = _marks(content, milliseconds)
        cues: list[tuple[str, int, int | None]] = []
        for (place, time), (end, following) in pairwise([*marks, (len(whole), later)]):
            assert time is not None
            if whole[place:end].strip():
                cues.append((whole[place:end], time, following))
        shown.append(Shown(start, whole, cues))
    return shown


def _marks(
    content: str, milliseconds: Callable[[re.Match[str]], int]
) -> list[tuple[int, int | None]]:
    """The place in the text of each mark, and its time."""
    places: dict[tuple[int, bool], int] = {}
    removed = 0
    for mark in _MARK.finditer(content):
        place = mark.start() - removed
        removed += mark.end() - mark.start()
        is_start = content[mark.end() : mark.end() + 1] not in ("", " ")
        places.setdefault((place if is_start else place - 1, not is_start), milliseconds(mark))
    return [(index + is_end, places[index, is_end]) for index, is_end in sorted(places)]


def _fraction(found: re.Match[str]) -> int:
    minutes, seconds, fraction = found.groups()
    return (int(minutes) * 60 + int(seconds)) * 1000 + int(fraction.ljust(3, "0")[:3])


def _hundredths(found: re.Match[str]) -> int:
    minutes, seconds, fraction = found.groups()
    return (int(minutes) * 60 + int(seconds)) * 1000 + int(fraction) * 10
