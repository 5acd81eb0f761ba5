"""Add romanisations beside the lines of lyrics in other scripts."""

from __future__ import annotations

from dataclasses import replace

from lyricsyncd import readings
from lyricsyncd.model import Line, Lyrics, ParallelKind, ParallelText


def with_romanisations(lyrics: Lyrics) -> Lyrics:
    """Return lyrics with a romanisation beside each line that has none and can be read.

    They come from the readings by which the words are placed (`lyricsyncd.readings`).
    """
    return lyrics.with_lines(_with_romanisation(line, lyrics.language) for line in lyrics)


def _with_romanisation(line: Line, language: str | None) -> Line:
    if any(beside.kind is ParallelKind.ROMANISATION for beside in line.parallel):
        return line
    text = readings.romanised(line.text, language)
    if not text:
        return line
    tag = f"{language}-Latn" if language else None
    beside = ParallelText(text, ParallelKind.ROMANISATION, tag)
    return replace(line, parallel=(*line.parallel, beside))
