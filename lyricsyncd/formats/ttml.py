"""TTML as Apple Music and Navidrome have it: a ``<p>`` a line, a ``<span>`` a word or syllable::

    <p begin="00:00:01.000" end="00:00:03.000" itunes:key="L1" ttm:agent="v2"><span
     begin="00:00:01.000" end="00:00:01.500">one</span> <span …>two</span><span
     ttm:role="x-bg" …>…</span></p>

Each line has a key, without which readers of Apple's kind pass over it. Voices are agents, named in
the head; backing vocals are an ``x-bg`` span at the end of the line that they follow, and a line of
their own where that has one already. Lines without times are ``<p>`` without times.

Read: clock times, frames, ticks and offsets (``1:02.5``, ``0:01:02:12``, ``620t``, ``62.5s``),
from the start of the song, as such files have them whatever they stand in; or from that of what
they stand in, as the standard has it, where they fit in no other way. A time that is none, or that
of a clock on the wall, is passed over with a warning. The space between words may be in or between
spans; rubies are left out. Translations and transliterations stand beside their line: in spans of
their role, which is how they are written, in Apple's head by the line's key, or in further parts of
other languages. An agent without a name is known by its id, the one called ``v1`` is the lead. A
document type, and with it every entity, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from xml.sax.saxutils import escape, quoteattr

from lyricsyncd.formats.text import decode, language_code
from lyricsyncd.formats.timing import clock, framed, stretches, tidy
from lyricsyncd.formats.ttml_reader import parse
from lyricsyncd.model import Line, Lyrics, ParallelKind, ParallelText

_ROOT = (
    '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata" '
    'xmlns:itunes="http://music.apple.com/lyric-ttml-internal"'
)
_ROLES = {ParallelKind.TRANSLATION: "x-translation", ParallelKind.ROMANISATION: "x-roman"}


@dataclass(frozen=True)
class Ttml:
    """TTML with word times."""

    name: ClassVar[str] = "ttml"
    suffixes: ClassVar[tuple[str, ...]] = (".ttml", ".xml")

    def looks_like(self, text: str) -> bool:
        start = text.lstrip()[:4000]
        return start.startswith("<") and re.search(r"<(?:\w+:)?tt[\s>]", start) is not None

    def read(self, data: bytes) -> Lyrics:
        text = decode(data, legacy=False)
        if not text.strip():
            return Lyrics()
        document = parse(text.lstrip())
        return tidy(
            Lyrics(
                tuple(document.lines()),
                language_code(document.sung_language.strip()),
                metadata={"title": document.title},
            )
        )

    def project(self, lyrics: Lyrics) -> Lyrics:
        lyrics = tidy(lyrics)
        title = {key: lyrics.metadata[key] for key in ("title",) if key in lyrics.metadata}
        return Lyrics(
            framed(lyrics.lines, 1000, words=True, parallel=True, syllables=True),
            lyrics.language,
            metadata=title,
        )

    def write(self, lyrics: Lyrics) -> str:
        lyrics = self.project(lyrics)
        agents = _agents(lyrics.lines)
        rows = [
            f'{_ROOT} itunes:timing="{_timing(lyrics)}" '
            f"xml:lang={quoteattr(lyrics.language or '')}>",
            "<head><metadata>",
        ]
        if "title" in lyrics.metadata:
            rows.append(f"<ttm:title>{escape(lyrics.metadata['title'])}</ttm:title>")
        for voice, agent in agents.items():
            name = f'<ttm:name type="full">{escape(voice)}</ttm:name>' if voice else ""
            rows.append(f'<ttm:agent type="person" xml:id="{agent}">{name}</ttm:agent>')
        rows.append("</metadata></head>")
        rows.append("<body><div>")
        rows += _paragraphs(lyrics.lines, agents)
        rows.append("</div></body>")
        rows.append("</tt>")
        return "".join(row + "\n" for row in rows)


def _timing(lyrics: Lyrics) -> str:
    if any(word.start is not None for word in lyrics.words):
        return "Word"
    return "Line" if any(line.start is not None for line in lyrics) else "None"


def _agents(lines: Sequence[Line]) -> dict[str | None, str]:
    """Return the agent of each voice, the lead first, where any voice has a name."""
    voices = {line.voice for line in lines} - {None, "bg"}
    if not voices:
        return {}
    named = dict.fromkeys(line.voice for line in lines if line.voice in voices)
    return {None: "v1"} | {voice: f"v{i}" for i, voice in enumerate(named, start=2)}


def _paragraphs(lines: Sequence[Line], agents: dict[str | None, str]) -> list[str]:
    rows: list[str] = []
    takes_backing = False
    for line in lines:
        times = _times(line.start, line.end)
        key = f' itunes:key="L{len(rows) + 1}"'
        if line.voice == "bg":
            backing = f'<span ttm:role="x-bg"{times}>{_content(line)}</span>'
            if takes_backing:
                rows[-1] += f" {backing}"
            else:
                rows.append(f"<p{times}{key}>{backing}")
            takes_backing = False
        else:
            agent = f' ttm:agent="{agents[line.voice]}"' if line.voice in agents else ""
            rows.append(f"<p{times}{key}{agent}>{_content(line)}")
            takes_backing = True
    return [row + "</p>" for row in rows]


def _times(start: float | None, end: float | None) -> str:
    times = (("begin", start), ("end", end))
    return "".join(f' {name}="{clock(time)}"' for name, time in times if time is not None)


def _content(line: Line) -> str:
    return _sung(line) + "".join(map(_beside, line.parallel))


def _beside(text: ParallelText) -> str:
    language = f" xml:lang={quoteattr(text.language)}" if text.language else ""
    return f'<span ttm:role="{_ROLES[text.kind]}"{language}>{escape(text.text)}</span>'


def _sung(line: Line) -> str:
    if line.words[0].start is None:
        return escape(line.text)
    spans = []
    for text, start, end in stretches(line.words):
        space = " " if text.endswith(" ") else ""
        spans.append(f"<span{_times(start, end)}>{escape(text.strip())}</span>{space}")
    return "".join(spans)
