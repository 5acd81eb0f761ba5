"""WebVTT: a cue a line, words marked inside it::

    00:00:01.000 --> 00:00:03.000
    <v Ann><00:00:01.000>one <00:00:01.500>two<00:00:01.900> <00:00:02.200>three

A word ends at the next mark, the last one with its cue at the latest. Voices are ``<v …>`` tags.
In cues of others, words before the first mark begin with the cue.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from lyricsyncd.errors import FormatError
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
        lines = []
        for block in _blocks(split_lines(text)[1:]):
            # The times may follow a name of the cue; other blocks are notes and styles.
            for i, row in enumerate(block[:2]):
                if times := _TIMES.fullmatch(row):
                    lines.append(_line(times, "\n".join(block[i + 1 :])))
                    break
        return tidy(Lyrics(tuple(line for line in lines if line.words)))

    def project(self, lyrics: Lyrics) -> Lyrics:
        lyrics = tidy(lyrics)
        needs_line_times(lyrics.lines, "WebVTT")
        return Lyrics(framed(lyrics.lines, 1000, words=True))

    def write(self, lyrics: Lyrics) -> str:
        cues = ["WEBVTT\n"]
        for line in self.project(lyrics):
            assert line.start is not None
            assert line.end is not None
            voice = f"<v {html.escape(line.voice, quote=False)}>" if line.voice else ""
            cues.append(f"{clock(line.start)} --> {clock(line.end)}\n{voice}{_marked(line)}\n")
        return "\n".join(cues)


def _marked(line: Line) -> str:
    if line.words[0].start is None:
        return html.escape(line.text, quote=False)
    parts: list[str] = []
    at = line.words[0].start
    for text, start, end in stretches(line.words):
        if at != start:
            parts.append(f"<{clock(at)}>")
        parts.append(f"<{clock(start)}>{html.escape(text, quote=False)}")
        at = start if end is None else end
    if at != line.end:
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
