"""Read TTML of all kinds: its elements, as the parser meets them, become lines and words."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lyricsyncd.errors import FormatError
from lyricsyncd.formats.text import language_code, report
from lyricsyncd.formats.ttml_clock import Clock
from lyricsyncd.model import Line, ParallelKind, ParallelText, Word

_MAX_DEPTH = 32
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
_HEAD_KINDS = {
    "translation": ParallelKind.TRANSLATION,
    "transliteration": ParallelKind.ROMANISATION,
}
"""Elements of Apple's head with the texts beside lines, each for the key of a line."""


def parse(text: str) -> Document:
    """Parse a document.

    Raises
    ------
    FormatError
        It is no XML, no TTML, has a document type, or is nested too deep.
    """
    from xml.etree import ElementTree

    document = Document()
    # The encoding is passed, since the one that the document declares may no longer be true.
    parser = ElementTree.XMLParser(target=document, encoding="utf-8")
    try:
        parser.feed(text.encode())
        parser.close()
    except ElementTree.ParseError as error:
        raise FormatError(f"this is not valid XML ({error})") from None
    return document


class Document:
    """Take the events of the parser, and keep what is sung.

    Attributes
    ----------
    title : str
        Of the song; empty where it has none.
    """

    def __init__(self) -> None:
        self._parts: list[_Part] = []
        self._clock = Clock()
        self._agents: dict[str, str] = {}
        self._language = ""
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
            self._language = values.get("lang", "")
            self._clock = Clock.of(values)
        elif tag == "body":
            self._language = values.get("lang", "") or self._language
        elif tag == "div" and "body" in self._path:
            begin, end = self._interval(values)
            before = self._parts[-1].language if self._path.count("div") > 1 and self._parts else ""
            self._parts.append(_Part(values.get("lang", "") or before, begin, end))
            self._first_part = len(self._parts) - 1
        elif tag == "agent":
            self._agent = values.get("id", "")
            self._agents.setdefault(self._agent, "")
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
        if not language or language == (around.language or self._language):
            return around
        for part in self._parts[self._first_part :]:
            if part.language == language:
                return part
        self._parts.append(_Part(language, around.begin, around.end))
        self._in_turn = True
        return self._parts[-1]

    def lines(self) -> list[Line]:
        """Return the lines that are sung; parts in further languages at the same times stand beside
        them."""
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
        return [_named(line, self._agents) for line in lines if line.words]

    @property
    def sung_language(self) -> str:
        """Return the language of the document, else of its first part."""
        named = (part.language for part in self._parts if part.language)
        return self._language or next(named, "")

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
            self._agents[self._agent] += text
        elif self._path[-1:] == ["title"]:
            self.title += text

    def close(self) -> Document:
        return self


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
        """Return the line, later by what its times are counted from."""
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
        """Return the seconds to add to the words' times: the line's begin, or 0."""
        spans = [span for span, parts in self.texts if span.timed and "".join(parts).strip()]
        begins = [span.begin for span in spans if span.begin is not None]
        ends = [span.end for span in spans if span.end is not None]
        return _origin(self.begin, self.end, begins, ends)


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
class _Note:
    """A translation or transliteration of a line, while it is read."""

    kind: ParallelKind
    language: str
    texts: list[str] = field(default_factory=list)

    def text(self) -> ParallelText:
        return ParallelText("".join(self.texts), self.kind, language_code(self.language))


def _origin(
    begin: float | None, end: float | None, begins: Sequence[float], ends: Sequence[float]
) -> float:
    """Return the origin of times: ``begin`` of what they stand in, where no other way fits."""
    if not begin or not begins or min(begins) >= begin - _SLACK_S or list(begins) != sorted(begins):
        return 0.0
    last = max([*begins, *ends])
    fits = last <= (begin - _SLACK_S if end is None else end - begin + _SLACK_S)
    return begin if fits else 0.0


def _believed(words: Sequence[Word], start: float | None, end: float | None) -> tuple[Word, ...]:
    """Drop the fewest times of words that disagree with their line, or with their order."""
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


def _named(line: Line, agents: dict[str, str]) -> Line:
    """Name the voice of a line as its agent is named; the lead has no name."""
    if line.voice is None or line.voice == "bg":
        return line
    name = agents.get(line.voice, "").strip()
    voice = name or (None if line.voice == "v1" or len(agents) == 1 else line.voice)
    return replace(line, voice=voice)


def _local(name: str) -> str:
    return name.rpartition("}")[2]
