"""WebVTT: a cue a line, words marked inside it::

    00:00:01.000 --> 00:00:03.000
    <v Ann>one <00:00:01.500>two<00:00:01.900> <00:00:02.200>three

A word ends at the next mark, the last one with its cue at the latest. The first word has no mark
where it begins with its cue: marks lie within their cue and each later than the one before, so that
words that begin together are a millisecond apart, and a cue of a single word ends a millisecond
after it. Cues are in order. Voices are ``<v …>`` tags.
In cues of others, words before the first mark begin with the cue.
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from lyricsyncd.errors import FormatError
from lyricsyncd.formats import cue_rows
from lyricsyncd.formats.text import decode, split_lines
from lyricsyncd.formats.timing import (
    Stretch,
    clock,
    clock_ms,
    framed,
    needs_line_times,
    stretches,
    tidy,
    words_of,
)
from lyricsyncd.model import Line, Lyrics

_UNIT = 1000
_CLOCK = r"(?:(\d{1,4}):)?(\d{2}):(\d{2})\.(\d{3})"
_TIMES = re.compile(rf"\s*{_CLOCK}\s+-->\s+{_CLOCK}(?:\s.*)?", re.DOTALL)
_TAG = re.compile(r"<([^<>]*)>")
_MARK = re.compile(_CLOCK)
_VOICE = re.compile(r"v(?:\.[^\s.]+)*\s+(.*)", re.DOTALL)


@dataclass(frozen=True)
class Vtt:
    """WebVTT with word times."""

    name: ClassVar[str] = "vtt"
    suffixes: ClassVar[tuple[str, ...]] = (".vtt",)

    def looks_like(self, text: str) -> bool:
        return re.match(r"WEBVTT(?=\s|$)", text) is not None

    def read(self, data: bytes) -> Lyrics:
        text = decode(data, legacy=False)
        if not self.looks_like(text):
            raise FormatError("a WebVTT file begins with the line WEBVTT")
        found: list[tuple[re.Match[str], list[str]]] = []
        for block in _blocks(split_lines(text)[1:]):
            # The times may follow a name of the cue; other blocks are notes and styles. Where no
            # blank line parts cues, the next times do: no text of a cue holds an arrow.
            cues = [i for i, row in enumerate(block) if _TIMES.fullmatch(row)]
            if not cues or cues[0] > 1:
                continue
            for cue, following in itertools.zip_longest(cues, cues[1:]):
                times = _TIMES.fullmatch(block[cue])
                assert times is not None
                rows = block[cue + 1 : following]
                name = block[cue - 1].strip() if cue else ""
                if following is not None and rows and name.isdecimal() and len(name) < 10:
                    # A number, one more than this cue's, is the name of the next.
                    rows = rows[:-1] if rows[-1].strip() == str(int(name) + 1) else rows
                found.append((times, rows))
        fresh = cue_rows.unrolled([[_TAG.sub("", row) for row in rows] for _, rows in found])
        found = [
            (times, [rows[at] for at in kept])
            for (times, rows), kept in zip(found, fresh, strict=True)
            if kept
        ]
        texts = cue_rows.parted([[_TAG.sub("", row) for row in rows] for _, rows in found])
        lines = [
            _line(times, text)
            for (times, rows), each in zip(found, texts, strict=True)
            for text in (filter(str.strip, rows) if len(each) == 2 else ["\n".join(rows)])
        ]
        return tidy(Lyrics(tuple(line for line in lines if line.words)))

    def project(self, lyrics: Lyrics) -> Lyrics:
        lyrics = tidy(lyrics)
        needs_line_times(lyrics.lines, "WebVTT")
        cues = [_marks_apart(line) for line in framed(lyrics.lines, _UNIT, words=True)]
        return Lyrics(tuple(sorted(cues, key=lambda line: line.start or 0.0)))

    def write(self, lyrics: Lyrics) -> str:
        cues = ["WEBVTT\n"]
        for line in self.project(lyrics):
            assert line.start is not None
            assert line.end is not None
            voice = f"<v {html.escape(line.voice, quote=False)}>" if line.voice else ""
            cues.append(f"{clock(line.start)} --> {clock(line.end)}\n{voice}{_marked(line)}\n")
        return "\n".join(cues)


def _marks_apart(line: Line) -> Line:
    """Return the cue with marks that lie within it, each later than the one before."""
    heads = [i for i, word in enumerate(line.words) if word.start is not None]
    if not heads or line.start is None or line.end is None:
        return line
    words = list(line.words)
    starts: list[int] = []
    for head in heads:
        start = round((words[head].start or 0.0) * _UNIT)
        starts.append(max(start, starts[-1] + 1) if starts else start)
    cue_end = max(round(line.end * _UNIT), starts[-1] + 1)
    ends = [
        _later(words[following - 1].end, start, limit)
        for following, start, limit in zip(
            [*heads[1:], len(words)], starts, [*starts[1:], cue_end], strict=True
        )
    ]
    if starts == [round(line.start * _UNIT)]:
        # One mark at least tells a word that has times from a line that has.
        cue_end = max(cue_end, ends[0] + 1)
    for head, following, start, end in zip(
        heads, [*heads[1:], len(words)], starts, ends, strict=True
    ):
        words[head] = replace(words[head], start=start / _UNIT)
        words[following - 1] = replace(words[following - 1], end=end / _UNIT)
    return replace(line, words=tuple(words), end=cue_end / _UNIT)


def _later(end: float | None, start: int, limit: int) -> int:
    """Return an end after its start and not after ``limit``, which it is where it is not known."""
    last = limit if end is None else min(round(end * _UNIT), limit)
    return last if last > start else limit


def _marked(line: Line) -> str:
    if line.words[0].start is None:
        return html.escape(line.text, quote=False)
    parts: list[str] = []
    at = line.start
    for text, start, end in stretches(line.words):
        space = ""
        if parts and at is not None and at != start:
            space = " " if parts[-1].endswith(" ") else ""
            parts[-1] = parts[-1].removesuffix(" ")
            parts.append(f"<{clock(at)}>{space}")
        mark = "" if start == line.start else f"<{clock(start)}>"
        parts.append(f"{mark}{html.escape(text, quote=False)}")
        at = start if end is None else end
    if at is not None and at != line.end:
        parts.append(f"<{clock(at)}>")
    return "".join(parts)


def _blocks(rows: Iterable[str]) -> Iterable[list[str]]:
    block: list[str] = []
    for row in rows:
        if row:
            block.append(row)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _line(times: re.Match[str], payload: str) -> Line:
    start, end = _seconds(times, 1), _seconds(times, 5)
    voice = None
    marked = [Stretch(start, "")]
    parts = _TAG.split(payload)  # text, tag, text, tag, … text
    for text, tag in zip(parts[0::2], [*parts[1::2], ""], strict=True):
        marked[-1] = Stretch(marked[-1].start, marked[-1].text + html.unescape(text))
        if mark := _MARK.fullmatch(tag):
            marked.append(Stretch(_seconds(mark, 1), ""))
        elif found := _VOICE.fullmatch(tag):
            voice = voice or html.unescape(found[1])
    if len(marked) == 1:
        return Line.from_text(marked[0].text, start, end, voice)
    return Line(words_of(marked, end), start, end, voice)


def _seconds(match: re.Match[str], group: int) -> float:
    hours, minutes, seconds, fraction = match.groups()[group - 1 : group + 3]
    return clock_ms(hours, minutes, seconds, fraction) / 1000
