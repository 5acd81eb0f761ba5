"""SubRip subtitles: a cue a line, no word times.

A line whose end nobody knows stays until the next one, 5 seconds at most. Of the markup that
readers know (``<i>``, ``<font …>``, ``{\\an8}``) nothing is kept.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import ClassVar

from lyricsyncd.errors import FormatError
from lyricsyncd.formats import cue_rows
from lyricsyncd.formats.text import GUARD, decode, guard_entities, split_lines, unescape
from lyricsyncd.formats.timing import clock, clock_ms, framed, needs_line_times, tidy
from lyricsyncd.model import Line, Lyrics

_CLOCK = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?"
_TIMES = re.compile(rf"\s*{_CLOCK}\s*-{{1,3}}>\s*{_CLOCK}(?:\s.*)?", re.DOTALL)
_MARKUP = re.compile(r"</?(?:b|i|u|s|font)\b[^<>]*>|\{\\[^{}]*\}", re.IGNORECASE)

# What lyrics must not look like (see GUARD).
_LIKE_MARKUP = re.compile(
    rf"(<)(?={GUARD}*/?(?:b|i|u|s|font)\b)|(\{{)(?={GUARD}*\\)", re.IGNORECASE
)
_GUARDED_MARKUP = re.compile(
    rf"(<){GUARD}(?={GUARD}*/?(?:b|i|u|s|font)\b)|(\{{){GUARD}(?={GUARD}*\\)", re.IGNORECASE
)
_GUARDED_TIMES = re.compile(rf"{GUARD}(?={GUARD}*\d+:\d)")


def _guard(text: str) -> str:
    text = guard_entities(_LIKE_MARKUP.sub(rf"\g<0>{GUARD}", text))
    return GUARD + text if _TIMES.match(text.lstrip(GUARD)) else text


def _plain(text: str) -> str:
    text = unescape(_MARKUP.sub("", text))
    text = _GUARDED_MARKUP.sub(lambda found: found[1] or found[2], text)
    is_like_times = text.startswith(GUARD) and _TIMES.match(text.lstrip(GUARD))
    return text[1:] if is_like_times else text


@dataclass(frozen=True)
class Srt:
    """SubRip subtitles."""

    name: ClassVar[str] = "srt"
    suffixes: ClassVar[tuple[str, ...]] = (".srt",)

    def looks_like(self, text: str) -> bool:
        return any(_TIMES.fullmatch(row) for row in split_lines(text))

    def read(self, data: bytes) -> Lyrics:
        rows = split_lines(decode(data))
        cues = [i for i, row in enumerate(rows) if _TIMES.fullmatch(row)]
        if not cues and any(row.strip() for row in rows):
            raise FormatError("no subtitle with a time is in the file")
        found: list[tuple[re.Match[str], list[str]]] = []
        for cue, following in itertools.zip_longest(cues, cues[1:]):
            times = _TIMES.fullmatch(rows[cue])
            assert times is not None
            text = rows[cue + 1 : following]
            number = rows[cue - 1].strip() if cue else ""
            expected = str(int(number) + 1) if re.fullmatch("[0-9]{1,9}", number) else ""
            text = text if following is None else _without_number(text, expected)
            found.append((times, [_plain(row) for row in text]))
        fresh = cue_rows.unrolled([rows for _, rows in found])
        found = [
            (times, [rows[at] for at in kept])
            for (times, rows), kept in zip(found, fresh, strict=True)
            if kept
        ]
        cues_of_rows = cue_rows.parted([rows for _, rows in found])
        lines = [
            _line(times, text)
            for (times, _), texts in zip(found, cues_of_rows, strict=True)
            for text in texts
        ]
        return tidy(Lyrics(tuple(line for line in lines if line.words)))

    def project(self, lyrics: Lyrics) -> Lyrics:
        lyrics = tidy(lyrics)
        needs_line_times(lyrics.lines, "SRT")
        cues = framed(lyrics.lines, 1000, words=False)
        return Lyrics(tuple(Line(cue.words, cue.start, cue.end) for cue in cues))

    def write(self, lyrics: Lyrics) -> str:
        cues = []
        for number, line in enumerate(self.project(lyrics), start=1):
            assert line.start is not None
            assert line.end is not None
            times = f"{clock(line.start, mark=',')} --> {clock(line.end, mark=',')}"
            cues.append(f"{number}\n{times}\n{_guard(line.text)}\n")
        return "\n".join(cues)


def _line(times: re.Match[str], text: str) -> Line:
    start = clock_ms(times[1], times[2], times[3], (times[4] or "").ljust(3, "0")) / 1000
    end = clock_ms(times[5], times[6], times[7], (times[8] or "").ljust(3, "0")) / 1000
    return Line.from_text(text, start, end)


def _without_number(rows: list[str], expected: str) -> list[str]:
    """Remove the number of the next cue at the end of rows.

    Where no blank line parts the cues, it is one if it is ``expected``.
    """
    last = len(rows)
    while last and not rows[last - 1].strip():
        last -= 1
    is_number = last and rows[last - 1].strip().isdigit()
    if is_number and (
        last == 1 or not rows[last - 2].strip() or rows[last - 1].strip() == expected
    ):
        last -= 1
    return rows[:last]
