"""MicroDVD subtitles, to be read: frames in place of times, and the rows of a cue in one::

    {1}{1}25
    {100}{200}tea is ready|now

The first row says how many frames there are in a second. Players take that from the video; a song
has none, so that a file without this row is refused.
"""

from __future__ import annotations

import re

from lyricsyncd.errors import FormatError
from lyricsyncd.formats import cue_rows
from lyricsyncd.formats.text import split_lines
from lyricsyncd.formats.timing import checked
from lyricsyncd.model import Line

_CUE = re.compile(r"\s*\{(\d{1,9})\}\{(\d{0,9})\}(.*)", re.DOTALL)
_RATE = re.compile(r"\s*(\d{1,3}(?:[.,]\d{1,6})?)\s*")
_CODE = re.compile(r"\{[A-Za-z]:[^{}]{0,40}\}")
"""Style, colour and the like of a row."""
_LATEST_OF_RATE = 1
"""Last frame of the cue that gives the rate."""


def looks_like(text: str) -> bool:
    """Return whether all rows begin with two frames."""
    rows = [row for row in split_lines(text.lstrip("\ufeff")) if row.strip()]
    return bool(rows) and all(_CUE.fullmatch(row) for row in rows)


def lines_of(text: str) -> list[Line]:
    """Read the lines.

    Raises
    ------
    FormatError
        No row says how many frames there are in a second.
    """
    cues = [found for row in split_lines(text.lstrip("\ufeff")) if (found := _CUE.fullmatch(row))]
    rate = _rate(cues[0])
    if rate is None:
        raise FormatError(
            "these are MicroDVD subtitles, which count frames, and they do not say of how many in"
            " a second",
            remedy="Put the video's into a first row, such as {1}{1}25",
        )
    rows = [[_plain(row) for row in cue[3].split("|")] for cue in cues[1:]]
    lines = []
    for cue, texts in zip(cues[1:], cue_rows.parted(rows), strict=True):
        start = checked(int(cue[1]) / rate)
        end = checked(int(cue[2]) / rate) if cue[2] else None
        lines += [Line.from_text(text, start, end) for text in texts]
    return [line for line in lines if line.words]


def _rate(cue: re.Match[str]) -> float | None:
    found = _RATE.fullmatch(cue[3])
    if found is None or int(cue[1]) > _LATEST_OF_RATE:
        return None
    return float(found[1].replace(",", ".")) or None


def _plain(row: str) -> str:
    """Return a row without its codes; a slash before it means italics."""
    return _CODE.sub("", row).strip().removeprefix("/")
