r"""ASS karaoke: a line a dialogue, ``{\kf…}`` (centiseconds) before every word or syllable::

    Dialogue: 0,0:00:01.00,0:00:03.00,Default,,0,0,0,,{\kf50}one {\kf40}two {\k30}{\kf80}three

Durations are differences of rounded times, so that rounding errors do not add up. A rest is an
empty syllable. Where a word is written from right to left the styles have libass find the direction
of each line (it would lay the words out from left to right), and words light up at once (it would
fill them from the wrong side). The voice is in the name field. Braces of the lyrics are written
``\{ \}``, a backslash with an invisible joiner behind it, since ASS has no other way to say them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from lyricsyncd.errors import FormatError
from lyricsyncd.formats import cue_rows
from lyricsyncd.formats.text import GUARD, decode, one_line, split_lines
from lyricsyncd.formats.timing import (
    Stretch,
    checked,
    clock,
    clock_ms,
    framed,
    needs_line_times,
    stretches,
    tidy,
    words_of,
)
from lyricsyncd.model import Line, Lyrics

_UNIT = 100
_HEADER = """\
[Script Info]
; Written by lyricsyncd
Title: {title}
ScriptType: v4.00+
PlayResX: 1280
PlayResY: 720
WrapStyle: 0
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, \
Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, \
Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,56,&H0000D7FF,&H00FFFFFF,&H00000000,&H80000000,\
-1,0,0,0,100,100,0,0,1,3,1,2,40,40,60,{encoding}
Style: Backing,Arial,44,&H0000D7FF,&H00FFFFFF,&H00000000,&H80000000,\
0,-1,0,0,100,100,0,0,1,3,1,8,40,40,60,{encoding}

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
_FIELDS = ("layer", "start", "end", "style", "name", "", "", "", "effect", "text")
_CLOCK = re.compile(r"(\d{1,4}):(\d{1,2}):(\d{1,2})[.:](\d{1,3})")
_KARAOKE = re.compile(r"\\(kt|kf|ko|k|K)\s*(\d{1,9})(?:\.\d*)?")
_MARKUP = re.compile(r"\{[^{}]*\}")
_DRAWING = re.compile(r"\\p(\d+)")
_KARAOKE_EFFECT, _TEMPLATE_EFFECTS = "karaoke", ("template", "code", "fx")
_TOKEN = re.compile(rf"\\([{{}}]|{GUARD})|\{{([^{{}}]*)\}}|\\([Nnh])|([^\\{{]+|.)", re.DOTALL)


@dataclass(frozen=True)
class Ass:
    """ASS karaoke."""

    name: ClassVar[str] = "ass"
    suffixes: ClassVar[tuple[str, ...]] = (".ass", ".ssa")

    def looks_like(self, text: str) -> bool:
        return text.lstrip()[:13].lower() == "[script info]"

    def read(self, data: bytes) -> Lyrics:
        text = decode(data)
        fields = list(_FIELDS)
        events: list[dict[str, str]] = []
        title = section = ""
        sections = set()
        for row in split_lines(text):
            key, _, value = row.partition(":")
            key = key.strip().lower()
            if row.startswith("["):
                section = row.strip().lower()
                sections.add(section)
            elif section == "[script info]" and key == "title":
                title = value
            elif section == "[events]" and key == "format":
                fields = [name.strip().lower() for name in value.split(",")]
                if not {"start", "end"} <= set(fields) or fields[-1] != "text":
                    raise FormatError("the dialogues of this ASS file have no times or no text")
            elif section == "[events]" and key in ("dialogue", "comment"):
                values = value.split(",", len(fields) - 1)
                if len(values) < len(fields):
                    if key == "comment":
                        continue
                    raise FormatError(f"a dialogue has too few fields: {row[:60]!r}")
                events.append({**dict(zip(fields, values, strict=True)), "kind": key})
        if text.strip() and "[events]" not in sections:
            raise FormatError("this is no ASS file: it has no [Events]")
        sung = _with_rows_parted(_sung(events))
        lines = _of_one_layer((event.get("layer", ""), _line(event)) for event in sung)
        return tidy(Lyrics(tuple(line for line in lines if line.words), metadata={"title": title}))

    def project(self, lyrics: Lyrics) -> Lyrics:
        lyrics = tidy(lyrics)
        needs_line_times(lyrics.lines, "ASS")
        lines = [
            Line(line.words, line.start, line.end, _name(line.voice))
            for line in framed(lyrics.lines, _UNIT, words=True, syllables=True)
        ]
        title = {key: lyrics.metadata[key] for key in ("title",) if key in lyrics.metadata}
        return Lyrics(tuple(lines), metadata=title)

    def write(self, lyrics: Lyrics) -> str:
        projected = self.project(lyrics)
        encoding = -1 if _is_from_right(projected.text) else 1
        rows = [_HEADER.format(title=projected.metadata.get("title", ""), encoding=encoding)]
        for line in projected:
            assert line.start is not None
            assert line.end is not None
            style = "Backing" if line.voice == "bg" else "Default"
            start, end = (clock(time, 2).removeprefix("0") for time in (line.start, line.end))
            text = "".join(_karaoke(line))
            rows.append(f"Dialogue: 0,{start},{end},{style},{line.voice or ''},0,0,0,,{text}\n")
        return "".join(rows)


def _is_from_right(text: str) -> bool:
    """Return whether some letters are written from right to left."""
    return any(unicodedata.bidirectional(character) in ("R", "AL") for character in text)


def _name(voice: str | None) -> str | None:
    """Return a voice as the name field can say it: commas part the fields."""
    return one_line((voice or "").replace(",", " ")) or None


def _karaoke(line: Line) -> Iterator[str]:
    if line.words[0].start is None or line.start is None:
        yield _guard(line.text)
        return
    sweep = "k" if _is_from_right(line.text) else "kf"
    at = round(line.start * _UNIT)
    for text, start, end in stretches(line.words):
        first, last = round(start * _UNIT), round((start if end is None else end) * _UNIT)
        if first > at:
            yield f"{{\\k{first - at}}}"
        yield f"{{\\{sweep}{last - first}}}{_guard(text)}"
        at = last


def _guard(text: str) -> str:
    text = text.replace("\\", "\\" + GUARD)
    return text.replace("{", "\\{").replace("}", "\\}")


def _sung(events: list[dict[str, str]]) -> list[dict[str, str]]:
    """Choose what is sung: of Aegisub's karaoke the lines that its templates were applied to.

    Those are comments with the effect ``karaoke``; what the templates made of them, a dialogue a
    syllable and layer, has the effect ``fx``.
    """

    def effect(event: dict[str, str]) -> str:
        return event.get("effect", "").strip().lower()

    dialogues = [event for event in events if event["kind"] == "dialogue"]
    sources = [
        event
        for event in events
        if event["kind"] == "comment" and effect(event) == _KARAOKE_EFFECT and event["text"].strip()
    ]
    if not sources:
        return dialogues
    others = [event for event in dialogues if not effect(event).startswith(_TEMPLATE_EFFECTS)]
    return sorted([*sources, *others], key=lambda event: _seconds(event["start"]))


def _with_rows_parted(events: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Part dialogues whose two rows say the same in two languages."""
    rows = [
        [] if _KARAOKE.search(event["text"]) else re.split(r"\\[Nn]", event["text"])
        for event in events
    ]
    texts = cue_rows.parted([[_MARKUP.sub("", row) for row in each] for each in rows])
    found: list[dict[str, str]] = []
    for event, each, lines in zip(events, rows, texts, strict=True):
        found += [{**event, "text": row} for row in each] if len(lines) == 2 else [event]
    return found


def _of_one_layer(found: Iterable[tuple[str, Line]]) -> Iterator[Line]:
    """Leave out lines of further layers: effects are drawn in several, each with the same words."""
    layers: dict[Line, str] = {}
    for layer, line in found:
        if layers.setdefault(line, layer) == layer:
            yield line


def _line(values: dict[str, str]) -> Line:
    start, end = _seconds(values["start"]), _seconds(values["end"])
    marked = [Stretch(None, "")]
    at = round(start * _UNIT)
    timed = drawing = False
    for literal, block, space, plain in _TOKEN.findall(values["text"]):
        text = "\\" if literal == GUARD else literal or plain or (" " if space else "")
        if not drawing:
            marked[-1] = Stretch(marked[-1].start, marked[-1].text + text)
        for scale in _DRAWING.findall(block):
            drawing = int(scale) > 0
        for kind, duration in _KARAOKE.findall(block):
            timed = True
            if kind == "kt":
                at = round(start * _UNIT) + int(duration)
                continue
            checked(at / _UNIT)
            marked.append(Stretch(at / _UNIT, ""))
            at += int(duration)
    words = words_of(marked, at / _UNIT if timed else None)
    return Line(words, start, end, one_line(values.get("name", "")) or None)


def _seconds(text: str) -> float:
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise FormatError(f"{text.strip()[:40]!r} is no time as ASS writes them (0:00:12.34)")
    return clock_ms(match[1], match[2], match[3], match[4]) / 1000
