"""Plain text: a line a line, no times. Blank lines and the chords of song sheets are not kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lyricsyncd.formats.chords import without_chords
from lyricsyncd.formats.text import decode, split_lines
from lyricsyncd.formats.timing import bare, tidy
from lyricsyncd.model import Line, Lyrics


@dataclass(frozen=True)
class Txt:
    """Plain text."""

    name: ClassVar[str] = "txt"
    suffixes: ClassVar[tuple[str, ...]] = (".txt",)

    def looks_like(self, text: str) -> bool:  # noqa: ARG002 - any text is plain text
        return True

    def read(self, data: bytes) -> Lyrics:
        text = without_chords(decode(data))
        lines = (Line.from_text(row) for row in split_lines(text))
        return tidy(Lyrics(tuple(line for line in lines if line.words)))

    def project(self, lyrics: Lyrics) -> Lyrics:
        return Lyrics(tuple(Line(bare(line)) for line in tidy(lyrics).lines if line.words))

    def write(self, lyrics: Lyrics) -> str:
        return "".join(line.text + "\n" for line in self.project(lyrics))
