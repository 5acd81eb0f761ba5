"""TTML as Apple Music and Navidrome have it: a ``<p>`` a line, a ``<span>`` a word::

    <p begin="00:00:01.000" end="00:00:03.000" itunes:key="L1" ttm:agent="v2"><span
     begin="00:00:01.000" end="00:00:01.500">one</span> <span …>two</span><span
     ttm:role="x-bg" …>…</span></p>

Each line has a key, without which readers of Apple's kind pass over it. Voices are agents, named in
the head; backing vocals are an ``x-bg`` span at the end of the line that they follow, and a line of
their own where that has one already. Lines without times are ``<p>`` without times.

Read: clock times and offsets (``1:02.5``, ``62.5s``, ``62500ms``), all from the start of the song
(as such files have them, whatever they stand in); the space between words in or between spans;
translations and transliterations are left out. An agent without a name is known by its id, the
one called ``v1`` is the lead. A document type, and with it every entity, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar
from xml.sax.saxutils import escape, quoteattr

from lyricsyncd.errors import FormatError
from lyricsyncd.formats.text import decode, language_code
from lyricsyncd.formats.timing import clock, clock_ms, framed, stretches, tidy
from lyricsyncd.model import Line, Lyrics, Word

_MAX_DEPTH = 32
_ROOT = (
    '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata" '
    'xmlns:itunes="http://music.apple.com/lyric-ttml-internal"'
)
_CLOCK = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,6})(?:\.(\d{1,9}))?s?")
_OFFSET = re.compile(r"(\d{1,9})(?:\.(\d{1,9}))?(h|m|ms)")
_ASIDE = ("x-translation", "x-roman", "x-transliteration")


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
        document = _parse(text.lstrip())
        return tidy(
            Lyrics(
                tuple(_named(line, document.agents) for line in document.lines if line.words),
                language_code(document.language.strip()),
                metadata={"title": document.title},
            )
        )

    def project(self, lyrics: Lyrics) -> Lyrics:
        lyrics = tidy(lyrics)
        title = {key: lyrics.metadata[key] for key in ("title",) if key in lyrics.metadata}
        return Lyrics(framed(lyrics.lines, 1000, words=True), lyrics.language, metadata=title)

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


# Writing


def _timing(lyrics: Lyrics) -> str:
    if any(word.start is not None for word in lyrics.words):
        return "Word"
    return "Line" if any(line.start is not None for line in lyrics) else "None"


def _agents(lines: Sequence[Line]) -> dict[str | None, str]:
    """The agent of each voice, the lead first, where any voice has a name."""
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
    if line.words[0].start is None:
        return escape(line.text)
    spans = []
    for text, start, end in stretches(line.words):
        space = " " if text.endswith(" ") else ""
        spans.append(f"<span{_times(start, end)}>{escape(text.strip())}</span>{space}")
    return "".join(spans)


# Reading


@dataclass
class _Span:
    """An element inside a line. ``timed``: it marks a word (or a few)."""

    channel: _Channel
    begin: float | None = None
    end: float | None = None
    timed: bool = False
    aside: bool = False


@dataclass
class _Channel:
    """The lead or one backing voice within a line: texts and the span that each stands in."""

    begin: float | None
    end: float | None
    voice: str | None
    texts: list[tuple[_Span, list[str]]] = field(default_factory=list)

    def add(self, span: _Span, text: str) -> None:
        if self.texts and self.texts[-1][0] is span:
            self.texts[-1][1].append(text)
        else:
            self.texts.append((span, [text]))

    def line(self) -> Line:
        words: list[Word] = []
        for span, parts in self.texts:
            text = "".join(parts)
            begin, end = (span.begin, span.end) if span.timed else (None, None)
            words.append(Word(text, begin, end, space=text[-1:].isspace()))
        if not any(span.timed for span, _ in self.texts):
            text = "".join("".join(parts) for _, parts in self.texts)
            return Line(Line.from_text(text).words, self.begin, self.end, self.voice)
        # Line breaks and indentation before the first word are no words.
        while words and not words[0].text.strip():
            words.pop(0)
        return Line(tuple(words), self.begin, self.end, self.voice)


class _Document:
    """Takes the events of the parser; keeps what is sung."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.agents: dict[str, str] = {}
        self.language = ""
        self.title = ""
        self._path: list[str] = []
        self._agent = ""
        self._channels: list[_Channel] = []
        self._spans: list[_Span] = []

    def doctype(self, *_: object) -> None:
        raise FormatError("this XML declares a document type, which no lyrics need")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = _local(tag)
        if not self._path and tag != "tt":
            raise FormatError("this XML is no TTML: it does not begin with <tt>")
        if len(self._path) >= _MAX_DEPTH:
            raise FormatError("this XML is nested deeper than lyrics are")
        self._path.append(tag)
        values = {_local(name): value for name, value in attributes.items()}
        if len(self._path) == 1:
            self.language = values.get("lang", "")
        elif tag == "agent":
            self._agent = values.get("id", "")
            self.agents.setdefault(self._agent, "")
        elif tag == "p" and "body" in self._path and not self._spans:
            begin, end = _interval(values)
            channel = _Channel(begin, end, values.get("agent"))
            self._channels = [channel]
            self._spans = [_Span(channel)]
        elif self._spans:
            self._spans.append(self._span(tag, values))

    def _span(self, tag: str, values: dict[str, str]) -> _Span:
        around = self._spans[-1]
        role = values.get("role", "")
        begin, end = _interval(values)
        if role == "x-bg":
            channel = _Channel(begin, end, "bg")
            self._channels.append(channel)
            return _Span(channel)
        if tag == "br":
            around.channel.add(around, " ")
        if around.aside or role in _ASIDE or tag in ("metadata", "set"):
            return _Span(around.channel, aside=True)
        if begin is None:
            return around
        return _Span(around.channel, begin, end, timed=True)

    def end(self, tag: str) -> None:
        self._path.pop()
        if self._spans:
            self._spans.pop()
            if not self._spans:
                self.lines += [channel.line() for channel in self._channels]
        del tag

    def data(self, text: str) -> None:
        if self._spans:
            span = self._spans[-1]
            if not span.aside:
                span.channel.add(span, text)
        elif self._path[-1:] == ["name"] and "agent" in self._path:
            self.agents[self._agent] += text
        elif self._path[-1:] == ["title"]:
            self.title += text

    def close(self) -> _Document:
        return self


def _parse(text: str) -> _Document:
    from xml.etree import ElementTree

    document = _Document()
    # The encoding is told, since what the document itself declares may no longer be true.
    parser = ElementTree.XMLParser(target=document, encoding="utf-8")
    try:
        parser.feed(text.encode())
        parser.close()
    except ElementTree.ParseError as error:
        raise FormatError(f"this is not valid XML ({error})") from None
    return document


def _named(line: Line, agents: dict[str, str]) -> Line:
    if line.voice is None or line.voice == "bg":
        return line
    name = agents.get(line.voice, "").strip()
    voice = name or (None if line.voice == "v1" or len(agents) == 1 else line.voice)
    return Line(line.words, line.start, line.end, voice)


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _interval(values: dict[str, str]) -> tuple[float | None, float | None]:
    begin, end, duration = (_seconds(values.get(key)) for key in ("begin", "end", "dur"))
    if end is None and begin is not None and duration is not None:
        end = begin + duration
    return begin, end


def _seconds(text: str | None) -> float | None:
    if text is None or not text.strip():
        return None
    if match := _CLOCK.fullmatch(text.strip()):
        return clock_ms(*match.groups()) / 1000
    if match := _OFFSET.fullmatch(text.strip()):
        number = float(f"{match[1]}.{match[2] or 0}")
        return round(number * {"h": 3_600_000, "m": 60_000, "ms": 1}[match[3]]) / 1000
    raise FormatError(f"{text.strip()[:40]!r} is no time that lyrics have")
