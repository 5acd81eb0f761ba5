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

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar
from xml.sax.saxutils import escape, quoteattr

from lyricsyncd.errors import FormatError
from lyricsyncd.formats.text import decode, language_code, report
from lyricsyncd.formats.timing import checked, clock, clock_ms, framed, stretches, tidy
from lyricsyncd.model import Line, Lyrics, ParallelKind, ParallelText, Word

_MAX_DEPTH = 32
_ROOT = (
    '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata" '
    'xmlns:itunes="http://music.apple.com/lyric-ttml-internal"'
)
_CLOCK = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,6})(?:\.(\d{1,9}))?s?")
_OFFSET = re.compile(r"(\d{1,12})(?:\.(\d{1,9}))?(h|m|ms|f|t)")
_FRAMES = re.compile(r"(\d{1,4}):(\d{1,2}):(\d{1,2}):(\d{1,4})(?:\.\d{1,9})?")
_MOST_SORTED = 500
"""Words of a line that are put in order, which takes time by their square."""
_FAR_S = 1.0
"""So far from its line no word begins."""
_SLACK_S = 0.05
"""How much later than what it stands in something may end."""
_ASIDE = {
    "x-translation": ParallelKind.TRANSLATION,
    "x-roman": ParallelKind.ROMANISATION,
    "x-transliteration": ParallelKind.ROMANISATION,
}
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
        document = _parse(text.lstrip())
        return tidy(
            Lyrics(
                tuple(_named(line, document.agents) for line in document.lines if line.words),
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


# Reading


@dataclass
class _Note:
    """A translation or transliteration of a line, while it is read."""

    kind: ParallelKind
    language: str
    texts: list[str] = field(default_factory=list)

    def text(self) -> ParallelText:
        return ParallelText("".join(self.texts), self.kind, language_code(self.language))


@dataclass
class _Span:
    """An element inside a line. ``timed``: it marks a word (or a few).

    A ``ruby`` container gets the times of its readings, which are no words of the line.
    """

    channel: _Channel
    begin: float | None = None
    end: float | None = None
    timed: bool = False
    aside: bool = False
    ruby: _Span | None = None
    note: _Note | None = None

    def cover(self, begin: float, end: float | None) -> None:
        """Extend the times over those of a reading."""
        self.begin = begin if self.begin is None else min(self.begin, begin)
        if end is not None:
            self.end = end if self.end is None else max(self.end, end)


@dataclass
class _Channel:
    """The lead or one backing voice within a line: texts and the span that each stands in."""

    begin: float | None
    end: float | None
    voice: str | None
    texts: list[tuple[_Span, list[str]]] = field(default_factory=list)
    notes: list[_Note] = field(default_factory=list)
    key: str = ""

    def add(self, span: _Span, text: str) -> None:
        if self.texts and self.texts[-1][0] is span:
            self.texts[-1][1].append(text)
        else:
            self.texts.append((span, [text]))

    def line(self, later: float = 0.0) -> Line:
        """The line, later by what its times are counted from."""
        words: list[Word] = []
        inner = self._later()

        def moved(time: float | None) -> float | None:
            return None if time is None else time + later

        for span, parts in self.texts:
            text = "".join(parts)
            begin, end = (span.begin, span.end) if span.timed else (None, None)
            if begin is not None:
                begin, end = begin + inner, None if end is None else end + inner
            begin, end = moved(begin), moved(end)
            words.append(Word(text, begin, end, space=text[-1:].isspace()))
        start, end = moved(self.begin), moved(self.end)
        beside = tuple(note.text() for note in self.notes)
        if not any(span.timed for span, _ in self.texts):
            text = "".join("".join(parts) for _, parts in self.texts)
            return Line(Line.from_text(text).words, start, end, self.voice, beside)
        # Line breaks and indentation before the first word are no words.
        while words and not words[0].text.strip():
            words.pop(0)
        return Line(_believed(words, start, end), start, end, self.voice, beside)

    def _later(self) -> float:
        """Seconds to add to the words' times: the line's begin, where they are counted from it."""
        spans = [span for span, parts in self.texts if span.timed and "".join(parts).strip()]
        begins = [span.begin for span in spans if span.begin is not None]
        ends = [span.end for span in spans if span.end is not None]
        return _origin(self.begin, self.end, begins, ends)


def _origin(
    begin: float | None, end: float | None, begins: Sequence[float], ends: Sequence[float]
) -> float:
    """The origin of times: ``begin`` of what they stand in, where no other way fits."""
    if not begin or not begins or min(begins) >= begin - _SLACK_S or list(begins) != sorted(begins):
        return 0.0
    last = max([*begins, *ends])
    fits = last <= (begin - _SLACK_S if end is None else end - begin + _SLACK_S)
    return begin if fits else 0.0


def _believed(words: Sequence[Word], start: float | None, end: float | None) -> tuple[Word, ...]:
    """Words without the fewest times that disagree: with their line's, or with their order."""
    first, last = (start or 0.0) - _FAR_S, math.inf if end is None else end + _FAR_S
    all_onsets = [(i, word.start) for i, word in enumerate(words) if word.start is not None]
    onsets = [(i, onset) for i, onset in all_onsets if first <= onset <= last]
    if len(onsets) < 2:  # the line's time may be the wrong one
        onsets = all_onsets
    in_order = all(one <= other for (_, one), (_, other) in itertools.pairwise(onsets))
    if (in_order and len(onsets) == len(all_onsets)) or len(onsets) > _MOST_SORTED:
        return tuple(words)
    # The longest run of times that never go back.
    best: list[tuple[int, int]] = []
    for _, onset in onsets:
        before = [(length, -j) for j, (length, _) in enumerate(best) if onsets[j][1] <= onset]
        length, previous = max(before, default=(0, 1))
        best.append((length + 1, -previous))
    kept: set[int] = set()
    at = max(range(len(best)), key=lambda i: best[i][0], default=-1)
    while at >= 0:
        kept.add(onsets[at][0])
        at = best[at][1]
    wrong = [i for i, _ in all_onsets if i not in kept]
    return tuple(
        replace(word, start=None, end=None) if i in wrong else word for i, word in enumerate(words)
    )


@dataclass
class _Part:
    """A ``<div>``, or what lies in none: lines, and what their times may be counted from."""

    language: str = ""
    begin: float | None = None
    end: float | None = None
    channels: list[list[_Channel]] = field(default_factory=list)

    def timed_spans(self) -> int:
        """Count the words of which the file has times."""
        return sum(
            span.timed and span.begin is not None and any(text.strip() for text in texts)
            for channels in self.channels
            for channel in channels
            for span, texts in channel.texts
        )

    def lines(self) -> list[Line]:
        leads = [channels[0] for channels in self.channels]
        begins = [lead.begin for lead in leads if lead.begin is not None]
        ends = [lead.end for lead in leads if lead.end is not None]
        later = _origin(self.begin, self.end, begins, ends)
        return [channel.line(later) for channels in self.channels for channel in channels]


class _Document:
    """Takes the events of the parser; keeps what is sung."""

    def __init__(self) -> None:
        self._parts: list[_Part] = []
        self._clock = _Clock()
        self.agents: dict[str, str] = {}
        self.language = ""
        self.title = ""
        self._path: list[str] = []
        self._agent = ""
        self._head_language = ""
        self._head_notes: dict[str, list[_Note]] = {}
        self._head_note: _Note | None = None
        self._wallclock = False
        self._part = _Part()
        self._first_part = 0
        self._in_turn = False
        self._on_the_wall = self._bad_times = 0
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
            self._clock = _Clock.of(values)
        elif tag == "body":
            self.language = values.get("lang", "") or self.language
        elif tag == "div" and "body" in self._path:
            begin, end = self._interval(values)
            before = self._parts[-1].language if self._path.count("div") > 1 and self._parts else ""
            self._parts.append(_Part(values.get("lang", "") or before, begin, end))
            self._first_part = len(self._parts) - 1
        elif tag == "agent":
            self._agent = values.get("id", "")
            self.agents.setdefault(self._agent, "")
        elif tag == "p" and "body" in self._path and not self._spans:
            begin, end = self._interval(values)
            channel = _Channel(begin, end, values.get("agent"), key=values.get("key", ""))
            self._wallclock = values.get("begin", "").strip().startswith("wallclock")
            self._channels = [channel]
            self._spans = [_Span(channel)]
            self._part = self._part_in(values.get("lang", ""))
        elif tag in _HEAD_KINDS:
            self._head_language = values.get("lang", "")
        elif tag == "text" and "for" in values and _HEAD_KINDS.keys() & set(self._path):
            kind = next(_HEAD_KINDS[name] for name in self._path if name in _HEAD_KINDS)
            self._head_note = _Note(kind, self._head_language)
            self._head_notes.setdefault(values["for"], []).append(self._head_note)
        elif self._spans:
            self._spans.append(self._span(tag, values))

    def _span(self, tag: str, values: dict[str, str]) -> _Span:
        around = self._spans[-1]
        role = values.get("role", "")
        begin, end = self._interval(values)
        ruby = values.get("ruby", "")
        if ruby == "container":
            container = _Span(around.channel, begin, end, timed=True)
            container.ruby = container
            return container
        if around.ruby is not None:
            if begin is not None:
                around.ruby.cover(begin, end)
            is_aside = around.aside or ruby in ("text", "textContainer", "delimiter")
            if is_aside:
                return _Span(around.channel, aside=True, ruby=around.ruby)
            return around.ruby
        if role == "x-bg":
            channel = _Channel(begin, end, "bg")
            self._channels.append(channel)
            return _Span(channel)
        if tag == "br":
            around.channel.add(around, " ")
        if role in _ASIDE and not around.aside:
            note = _Note(_ASIDE[role], values.get("lang", ""))
            around.channel.notes.append(note)
            return _Span(around.channel, aside=True, note=note)
        if around.aside or tag in ("metadata", "set"):
            return _Span(around.channel, aside=True, note=around.note)
        if begin is None:
            return around
        return _Span(around.channel, begin, end, timed=True)

    def end(self, tag: str) -> None:
        if self._path.pop() == "text":
            self._head_note = None
        if self._spans:
            self._spans.pop()
            if not self._spans:
                self._end_line()
        del tag

    def _end_line(self) -> None:
        if self._wallclock:
            self._on_the_wall += 1
            return
        lead = self._channels[0]
        lead.notes += self._head_notes.get(lead.key, []) if lead.key else []
        self._part.channels.append(self._channels)

    def _part_in(self, language: str) -> _Part:
        """Return the part of the current division in the language of a line."""
        if not self._parts:
            self._parts.append(_Part())
        around = self._parts[self._first_part]
        if not language or language == (around.language or self.language):
            return around
        for part in self._parts[self._first_part :]:
            if part.language == language:
                return part
        self._parts.append(_Part(language, around.begin, around.end))
        self._in_turn = True
        return self._parts[-1]

    @property
    def lines(self) -> list[Line]:
        """The lines that are sung; parts in further languages at the same times stand beside."""
        lines: list[Line] = []
        disagreeing = 0
        begins: dict[str, set[float]] = {}
        for part in self._parts:
            of_part = part.lines()
            starts = {line.start for line in of_part if line.start is not None}
            others = set().union(*(b for name, b in begins.items() if name != part.language))
            if part.language and starts and 2 * len(starts & others) >= len(starts):
                lines = _with_part(lines, of_part, part.language)
                continue
            if part.language:
                begins.setdefault(part.language, set()).update(starts)
            lines += of_part
            timed = sum(word.start is not None for line in of_part for word in line.words)
            disagreeing += part.timed_spans() - timed
        for number, what in (
            (disagreeing, "times of words disagree with those around them"),
            (self._on_the_wall, "lines have a time of a clock on the wall"),
            (self._bad_times, "times are none"),
        ):
            if number > 0:
                report(f"{number} {what}: left out", "")
        if self._in_turn and all(line.start is not None for line in lines):
            # Lines in several languages, one after the other.
            lines.sort(key=lambda line: line.start or 0.0)
        return lines

    @property
    def sung_language(self) -> str:
        """The language of the document, else of its first part."""
        named = (part.language for part in self._parts if part.language)
        return self.language or next(named, "")

    def _interval(self, values: dict[str, str]) -> tuple[float | None, float | None]:
        begin, end, duration = (self._time(values.get(key)) for key in ("begin", "end", "dur"))
        if end is None and begin is not None and duration is not None:
            end = begin + duration
        return begin, end

    def _time(self, text: str | None) -> float | None:
        text = (text or "").strip()
        time = self._clock.seconds(text)
        if text and time is None and not text.startswith("wallclock"):
            self._bad_times += 1
        return time

    def data(self, text: str) -> None:
        if self._spans:
            span = self._spans[-1]
            if span.note is not None:
                span.note.texts.append(text)
            elif not span.aside:
                span.channel.add(span, text)
        elif self._head_note is not None:
            self._head_note.texts.append(text)
        elif self._path[-1:] == ["name"] and "agent" in self._path:
            self.agents[self._agent] += text
        elif self._path[-1:] == ["title"]:
            self.title += text

    def close(self) -> _Document:
        return self


_HEAD_KINDS = {
    "translation": ParallelKind.TRANSLATION,
    "transliteration": ParallelKind.ROMANISATION,
}
"""Elements of Apple's head with the texts beside lines, each for the key of a line."""


def _with_part(lines: Sequence[Line], others: Sequence[Line], language: str) -> list[Line]:
    """Set lines of another language beside those that begin at the same time."""
    texts: dict[float, list[str]] = {}
    for line in others:
        if line.start is not None and line.words:
            texts.setdefault(line.start, []).append(line.text)
    joined = []
    for line in lines:
        if line.start is not None and line.voice != "bg" and line.start in texts:
            beside = ParallelText(
                " ".join(texts.pop(line.start)),
                ParallelKind.TRANSLATION,
                language_code(language),
            )
            line = replace(line, parallel=(*line.parallel, beside))
        joined.append(line)
    if texts:
        first = next(iter(texts.values()))[0]
        report(f"{len(texts)} lines in another language, {language}, are left out", first)
    return joined


def _parse(text: str) -> _Document:
    from xml.etree import ElementTree

    document = _Document()
    # The encoding is passed, since the one that the document declares may no longer be true.
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
    return replace(line, voice=voice)


def _local(name: str) -> str:
    return name.rpartition("}")[2]


@dataclass(frozen=True)
class _Clock:
    """From the times of a document to seconds."""

    frame_rate: float = 30.0
    tick_rate: float = 1.0

    @classmethod
    def of(cls, values: dict[str, str]) -> _Clock:
        """The rates that a document declares."""
        rate = _positive(values.get("frameRate"))
        frames = rate or 30.0
        numbers = values.get("frameRateMultiplier", "1 1").replace(":", " ").split()
        multiplier = [_positive(number) for number in numbers]
        if len(multiplier) == 2 and all(multiplier):
            frames *= (multiplier[0] or 1.0) / (multiplier[1] or 1.0)
        ticks = _positive(values.get("tickRate"))
        subframes = _positive(values.get("subFrameRate")) or 1.0
        return cls(frames, ticks or (frames * subframes if rate else 1.0))

    def seconds(self, text: str) -> float | None:
        """Return a time in seconds; ``None`` for what is none."""
        if match := _CLOCK.fullmatch(text):
            return clock_ms(*match.groups()) / 1000
        if match := _FRAMES.fullmatch(text):
            whole = clock_ms(match[1], match[2], match[3], None) / 1000
            return checked(round(whole + int(match[4]) / self.frame_rate, 3))
        if match := _OFFSET.fullmatch(text):
            number = float(f"{match[1]}.{match[2] or 0}")
            unit = {"h": 3600, "m": 60, "ms": 0.001, "f": 1 / self.frame_rate}
            return checked(round(number * unit.get(match[3], 1 / self.tick_rate), 3))
        return None


def _positive(text: str | None) -> float | None:
    try:
        value = float(text or 0)
    except ValueError:
        return None
    return value if 0 < value < 1e9 else None
