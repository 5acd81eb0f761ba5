"""Label tracks of Audacity: a row for each line, start, end and text separated by tabs::

    1.250000	3.400000	Twinkle, twinkle, little star,

Times are seconds, to the millisecond. Times of words and voices are not kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from lyricsyncd.errors import FormatError
from lyricsyncd.formats.text import decode, split_lines
from lyricsyncd.formats.timing import framed, needs_line_times, tidy
from lyricsyncd.model import Line, Lyrics

_ROW = re.compile(r"(\d{1,6}(?:\.\d+)?)\t(\d{1,6}(?:\.\d+)?)\t(.*)")


@dataclass(frozen=True)
class Labels:
    """Audacity's label tracks."""

    name: ClassVar[str] = "labels"
    suffixes: ClassVar[tuple[str, ...]] = (".labels",)
    summary: ClassVar[str] = "label tracks of Audacity, with line times"

    def looks_like(self, text: str) -> bool:
        """Return whether the first row that is not blank is a label."""
        first = next((row for row in split_lines(text) if row.strip()), "")
        return _ROW.fullmatch(first) is not None

    def read(self, data: bytes) -> Lyrics:
        """Read labels; one without text is no line.

        Raises
        ------
        FormatError
            A row is not a label, or a time is impossible.
        """
        lines = []
        for number, row in enumerate(split_lines(decode(data)), start=1):
            if not row.strip():
                continue
            label = _ROW.fullmatch(row)
            if label is None:
                raise FormatError(
                    f"row {number} is no label: {row[:40]!r}",
                    remedy="A row is START, END and TEXT, separated by tabs",
                )
            lines.append(Line.from_text(label[3], float(label[1]), float(label[2])))
        return tidy(Lyrics(tuple(line for line in lines if line.words)))

    def project(self, lyrics: Lyrics) -> Lyrics:
        """Reduce lyrics to what labels can express; raises FormatError without line times."""
        lyrics = tidy(lyrics)
        needs_line_times(lyrics.lines, "a label track")
        labels = framed(lyrics.lines, 1000, words=False)
        return Lyrics(tuple(Line(each.words, each.start, each.end) for each in labels))

    def write(self, lyrics: Lyrics) -> str:
        """Write a row for each line; raises as `project`."""
        rows = self.project(lyrics)
        return "".join(f"{line.start:.6f}\t{line.end:.6f}\t{line.text}\n" for line in rows)
