"""LRC, plain (a time a line) and enhanced (a time a word).

Written::

    [ti:Title]
    [ar:Artist]
    [length:03:25]
    [00:12.340]<00:12.340>one <00:12.800>two<00:13.100> <00:14.000>three<00:14.500>
    [bg: <00:14.600>ooh<00:15.000>]
    [00:15.000]

A word ends where the next mark stands, be it a word's, that of a rest (as after "two") or the
closing mark of the line. The space between two words belongs to the word before, or to the rest
between them: Navidrome passes over a rest without any text, and Jellyfin takes its time for the
next word's. Where no space parts the words, the rest holds an invisible joiner. An empty timed line
stands where a line ends before a long break, and at the end of the song; on request a break, or a
long beginning, has a note, ``♪``, in place of it, and a line of notes is read as an empty one.
Beyond 99 minutes stamps have hours. Backing vocals with word times follow their line as ``[bg:
…]``; other voices are written like the lead, since players would show their names as words. A line
without word times is a plain line. Lyrics without any time are plain text; where only some lines
have times, the others cannot be written.

Read: also ``[t1][t2]text`` (a line sung twice), ``[offset:]`` (applied: positive is earlier),
``mm:ss``, ``mm:ss.x`` to ``mm:ss.xxx`` and more, the old ``mm:ss:xx``, ``hh:mm:ss.xx``, words
marked in square brackets, rows with word marks only, tags before a stamp on its row, several lines
on one row, HTML's character references, ``v2:`` before a line as its voice (``v1`` is the lead),
the relatives in `krc`, and times in the forms of `stamps`. Rows without a time among timed ones are
credits and notes: they are left out, with a warning. An empty timed line is kept: it says where the
line before it ends.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from lyricsyncd.errors import FormatError
from lyricsyncd.formats import krc
from lyricsyncd.formats.stamps import with_lrc_stamps
from lyricsyncd.formats.text import (
    GUARD,
    MAX_WORDS,
    decode,
    guard_entities,
    language_code,
    report,
    split_lines,
    unescape,
)
from lyricsyncd.formats.timing import (
    LINGER_S,
    MAX_S,
    Stretch,
    bare,
    clock,
    clock_ms,
    needs_line_times,
    on_grid,
    stamped,
    stretches,
    tidy,
    words_of,
)
from lyricsyncd.model import Line, Lyrics, Word

_TIME = r"(\d{1,9}):(\d{1,2})(?::(\d{1,3}))?(?:[.,](\d{1,9}))?"
_LINE_MARK = re.compile(rf"\s*\[{_TIME}\]")
_WORD_MARK = re.compile(rf"[<\[]{_TIME}[>\]]")
_ROW_MARK = re.compile(rf"\s*<{_TIME}>")
_LEADING_TAG = re.compile(r"\s*\[([A-Za-z_#]+):([^\[\]]*)\](?=\s*\[(?:\d+:\d|[A-Za-z_#]+:))")
_SQUARE_MARK = re.compile(rf"\[{_TIME}\]")
_LINE_GAP_MS, _LINE_WORDS = 1500, 1.5
"""Marks in square brackets part lines, not words, from these means on."""
_PLAIN_SHARE = 2
"""So many rows without a time for each timed one are plain text with a stray stamp."""
_NEGATIVE = re.compile(r"\s*\[-\d+:\d")
_TAG = re.compile(r"\[([A-Za-z_#]+):(.*)\]", re.DOTALL)
_NOTE, _NOTES = "♪", "♩♪♫♬🎵🎶 \ufe0e\ufe0f"
_VOICE = re.compile(r"v(\d{1,3}):\s?")

_METADATA = {
    "ti": "title",
    "ar": "artist",
    "al": "album",
    "au": "author",
    "length": "length",
    "re": "tool",
    "tool": "tool",
}
_LANGUAGE = ("la", "lang", "language")
_KNOWN = {*_METADATA, *_LANGUAGE, "offset", "by", "ve", "id", "#", "bg"}
_WRITTEN_FIRST = frozenset(("ti", "ar", "al", "au", "by"))
_WRITTEN = {"title": "ti", "artist": "ar", "album": "al", "length": "length", "tool": "re"}

# What lyrics must not look like (see GUARD): a mark anywhere, or a tag that Navidrome takes for one
# anywhere; any other tag, or a voice, at the beginning.
_MARK_OR_TAG = rf"(?={GUARD}*(?:-?\d+:\d|(?:ar|ti|offset|lang):))"
_LIKE_MARK = re.compile(rf"([<\[]){_MARK_OR_TAG}")
_LIKE_START = re.compile(rf"(?={GUARD}*(?:v\d+:|\[(?:{'|'.join(sorted(_KNOWN))}):))", re.IGNORECASE)
_GUARDED_MARK = re.compile(rf"([<\[]){GUARD}{_MARK_OR_TAG}")
_GUARDED_START = re.compile(GUARD + _LIKE_START.pattern, re.IGNORECASE)


def _guard(text: str) -> str:
    return guard_entities(_LIKE_MARK.sub(rf"\1{GUARD}", text))


def _guard_line(text: str) -> str:
    text = _guard(text)
    return GUARD + text if _LIKE_START.match(text) else text


def _unguard(text: str) -> str:
    return _GUARDED_MARK.sub(r"\1", unescape(text))


def _unguard_line(text: str) -> str:
    return _unguard(text.removeprefix(GUARD) if _GUARDED_START.match(text) else text)


@dataclass(frozen=True)
class Lrc:
    """Enhanced LRC.

    ``decimals``: of the seconds, 3 by default; 2 is what old players parse. ``translations``:
    whether the texts beside a line follow it as lines of the same time. ``syllables``: whether they
    have marks as words do, which some players show with spaces between them. ``notes``: whether a
    note stands for a break.
    """

    decimals: int = 3
    translations: bool = False
    syllables: bool = False
    notes: bool = False

    name: ClassVar[str] = "lrc"
    suffixes: ClassVar[tuple[str, ...]] = (".elrc", ".lrc")

    def __post_init__(self) -> None:
        if self.decimals not in (2, 3):
            raise FormatError("LRC times have 2 or 3 decimals", remedy="Ask for one of these")

    def looks_like(self, text: str) -> bool:
        has_words = any(
            mark is not None and _WORD_MARK.search(line, mark.end()) is not None
            for line, mark in _marked_lines(text)
        )
        return has_words or krc.looks_like(text) or krc.is_encrypted(text.encode(errors="replace"))

    def read(self, data: bytes) -> Lyrics:
        text = decode(data)
        krc.refuse_encrypted(data)
        return _read(text)

    def project(self, lyrics: Lyrics) -> Lyrics:
        return _project(
            tidy(lyrics),
            10**self.decimals,
            words=True,
            beside=self.translations,
            syllables=self.syllables,
            notes=self.notes,
        )

    def write(self, lyrics: Lyrics) -> str:
        return _write(self.project(lyrics), self.decimals, notes=self.notes)


@dataclass(frozen=True)
class LrcStandard:
    """Plain LRC, a time a line, which every player reads. ``decimals``: 2 by default.

    ``translations``, ``notes``: as of `Lrc`.
    """

    decimals: int = 2
    translations: bool = False
    notes: bool = False

    name: ClassVar[str] = "lrc_standard"
    suffixes: ClassVar[tuple[str, ...]] = (".lrc",)

    def __post_init__(self) -> None:
        Lrc(self.decimals)

    def looks_like(self, text: str) -> bool:
        if any(mark is not None for _, mark in _marked_lines(text)) or _has_tags_only(text):
            return True
        return with_lrc_stamps(split_lines(text)) is not None

    def read(self, data: bytes) -> Lyrics:
        return _read(decode(data))

    def project(self, lyrics: Lyrics) -> Lyrics:
        return _project(
            tidy(lyrics),
            10**self.decimals,
            words=False,
            beside=self.translations,
            notes=self.notes,
        )

    def write(self, lyrics: Lyrics) -> str:
        return _write(self.project(lyrics), self.decimals, notes=self.notes)


def _has_tags_only(text: str) -> bool:
    """Return whether all rows are LRC's tags, some of them with a song's names."""
    found = [_TAG.fullmatch(row.strip()) for row in split_lines(text) if row.strip()]
    keys = {"" if tag is None else tag[1].lower() for tag in found}
    return keys <= _KNOWN and bool(keys & _WRITTEN_FIRST)


def _marked_lines(text: str) -> Iterable[tuple[str, re.Match[str] | None]]:
    return ((line, _LINE_MARK.match(line)) for line in _one_thing_each(split_lines(text)))


# Writing


def _project(
    lyrics: Lyrics,
    unit: int,
    *,
    words: bool,
    beside: bool,
    syllables: bool = False,
    notes: bool = False,
) -> Lyrics:
    lyrics = lyrics.with_lines(
        replace(line, words=()) if _is_notes(line.text) else line for line in lyrics
    )
    if not any(line.words and line.start is not None for line in lyrics.lines):
        # Readers show the tags of an LRC file without times as if they were sung.
        return Lyrics(tuple(Line(bare(line)) for line in lyrics.lines if line.words))
    needs_line_times(lyrics.lines, "LRC")
    groups: list[list[Line]] = []
    further: list[list[Line]] = []
    ends: list[float | None] = []
    for line in lyrics.lines:
        if line.start is None:
            continue
        timed = stamped(line, unit, syllables=syllables) if words else bare(line)
        if line.voice == "bg" and groups and timed and timed[0].start is not None:
            groups[-1].append(Line(timed, timed[0].start, None, "bg"))
        else:
            groups.append([Line(timed, on_grid(line.start, unit))])
            ends.append(0.0)
            further.append([])
        if beside:
            start = groups[-1][0].start
            further[-1] += [
                replace(Line.from_text(each.text), start=start) for each in line.parallel
            ]
        end = _end(line)
        before = ends[-1]
        ends[-1] = None if end is None or before is None else max(before, on_grid(end, unit))
    groups = [[*group, *more] for group, more in zip(groups, further, strict=True)]
    if notes and min(group[0].start or 0.0 for group in groups) >= LINGER_S:
        groups, ends = [[Line((), 0.0)], *groups], [None, *ends]
    return Lyrics(
        tuple(_in_order(_with_breaks(groups, ends))),
        lyrics.language,
        metadata={key: lyrics.metadata[key] for key in _WRITTEN if key in lyrics.metadata},
    )


def _end(line: Line) -> float | None:
    """Return where a line ends, if that is known."""
    if not line.words:
        return None
    end = line.words[-1].end
    end = line.end if end is None else end
    last = max((word.start for word in line.words if word.start is not None), default=0.0)
    return None if end is None or end < last else end


def _with_breaks(groups: Sequence[list[Line]], ends: Sequence[float | None]) -> list[list[Line]]:
    """Add an empty line where a line, whose end is known, ends before a long break."""
    parted: list[list[Line]] = []
    sung_until = 0.0
    in_order = sorted(zip(groups, ends, strict=True), key=lambda pair: pair[0][0].start or 0.0)
    for (group, end), following in itertools.zip_longest(in_order, in_order[1:]):
        parted.append(group)
        start = group[0].start or 0.0
        later = math.inf if following is None else following[0][0].start or 0.0
        # No end is written that lies beyond the next line, but those of words.
        written = max((word.end or 0.0 for line in group for word in line.words), default=0.0)
        sung_until = max(sung_until, start, written, min(end or 0.0, later))
        blank = following is not None and not following[0][0].words
        known = end is not None and group[0].words
        if known and not blank and start < sung_until <= later - LINGER_S:
            parted.append([Line((), sung_until)])
    return parted


def _in_order(groups: Sequence[Sequence[Line]]) -> list[Line]:
    """Lines by their times, each followed by its backing vocals, with the ends that follow."""
    ordered = sorted(groups, key=lambda group: group[0].start or 0.0)
    lines = [line for group in ordered for line in group]
    closed = []
    for line, following in zip(lines, [*lines[1:], Line()], strict=True):
        end = line.words[-1].end if line.words else None
        if end is None and line.words and not following.words:
            end = following.start
        if end is not None and line.start is not None and end < line.start:
            # Backing vocals may begin after the line that follows them in the text.
            end = None
        closed.append(replace(line, end=end))
    return closed


def _is_notes(text: str) -> bool:
    """Return whether a line holds notes and nothing else: a break."""
    return text.strip() != "" and not text.strip(_NOTES)


def _write(lyrics: Lyrics, decimals: int, *, notes: bool) -> str:
    rows = [
        f"[{tag}:{lyrics.metadata[key]}]" for key, tag in _WRITTEN.items() if key in lyrics.metadata
    ]
    if lyrics.language is not None:
        # The first is the older name, the second the one that Navidrome reads.
        rows += [f"[la:{lyrics.language}]", f"[lang:{lyrics.language}]"]
    last = max((at for at, line in enumerate(lyrics.lines) if line.words), default=0)
    rows += [
        _row(line, decimals) + (_NOTE if notes and not line.words and at < last else "")
        for at, line in enumerate(lyrics.lines)
    ]
    return "".join(row + "\n" for row in rows)


def _row(line: Line, decimals: int) -> str:
    if line.start is None:
        return _guard_line(line.text)
    if not line.words or line.words[0].start is None:
        return f"[{_stamp(line.start, decimals)}]{_guard_line(line.text)}"
    marked = _marked(line.words, decimals)
    if line.voice == "bg":
        return f"[bg: {marked}]"
    return f"[{_stamp(line.start, decimals)}]{marked}"


def _marked(words: Sequence[Word], decimals: int) -> str:
    parts: list[str] = []
    at: float | None = None
    for text, start, end in stretches(words):
        if at is not None and at != start:
            space = " " if parts[-1].endswith(" ") else GUARD
            parts[-1] = parts[-1].removesuffix(" ")
            parts.append(f"<{_stamp(at, decimals)}>{space}")
        guard = GUARD if _is_rest(text) else ""
        parts.append(f"<{_stamp(start, decimals)}>{guard}{_guard(text)}")
        at = end
    if at is not None:
        parts.append(f"<{_stamp(at, decimals)}>")
    return "".join(parts)


def _is_rest(text: str) -> bool:
    """Return whether text of a stretch is joiners only, of which a single one is a rest."""
    return text.strip() != "" and not text.strip().strip(GUARD)


def _stamp(time: float, decimals: int) -> str:
    stamp = clock(time, decimals)
    hours, minutes, seconds = stamp.split(":")
    in_minutes = int(hours) * 60 + int(minutes)
    return f"{in_minutes:02}:{seconds}" if in_minutes < 100 else stamp


# Reading


@dataclass
class _Entry:
    """A timed line of the file: ``content`` sung at each of ``stamps`` (milliseconds)."""

    stamps: list[int]
    content: str
    backing: list[str] = field(default_factory=list)


def _read(text: str) -> Lyrics:
    tags: dict[str, str] = {}
    untimed: list[Line] = []
    entries: list[_Entry] = []
    early: list[str] = []
    left_out: list[str] = []
    timed: list[Line] = []
    rows = split_lines(text)
    if krc.looks_like(text):
        timed, rows = krc.lines_of(text)
    elif not any(mark is not None for _, mark in _marked_lines(text)):
        rows = with_lrc_stamps(rows) or rows
    for row in _one_thing_each(rows):
        if _NEGATIVE.match(row):
            raise FormatError(f"a line has a negative time: {row.strip()[:40]!r}")
        stamps, content = _line_stamps(row)
        tag = _TAG.fullmatch(row.strip())
        key = tag[1].lower() if tag else ""
        if stamps:
            entries.append(_Entry(stamps, content))
        elif tag and key == "bg" and entries:
            entries[-1].backing.append(tag[2])
        elif tag and key == "bg":
            early.append(tag[2])
            untimed.append(replace(Line.from_text(_WORD_MARK.sub("", tag[2])), voice="bg"))
        elif tag and (key in _KNOWN or entries):
            tags.setdefault(key, tag[2].strip())
        elif row.strip():
            untimed.append(Line.from_text(_unguard_line(row.strip())))
            left_out.append(row)
    lines = untimed
    if timed:
        lines = _in_order([[line] for line in _moved(timed, _offset(tags))])
    elif entries and len(left_out) <= _PLAIN_SHARE * max(2, len(entries)):
        groups = _groups(entries, _offset(tags))
        lines = _in_order([*_early_groups(early, groups, _offset(tags)), *groups])
    elif entries:
        report("the few times are left out: most lines have none", "")
        lines = _plain_rows(rows)
        left_out = []
    if lines is not untimed and left_out:
        report(f"{len(left_out)} lines without a time are left out", left_out[0])
    metadata = {_METADATA[key]: value for key, value in tags.items() if key in _METADATA}
    languages = (language_code(tags.get(key)) for key in _LANGUAGE)
    return tidy(
        Lyrics(
            tuple(lines),
            next((language for language in languages if language), None),
            # LRCGET marks instrumentals so, with nothing else in the file.
            instrumental=not any(line.words for line in lines)
            and (
                metadata.get("author", "").lower() == "instrumental"
                or any(_is_notes(entry.content) for entry in entries)
            ),
            metadata=metadata,
        )
    )


def _one_thing_each(rows: Iterable[str]) -> Iterable[str]:
    """Part rows that hold several tags, or tags before a stamp, or several lines."""
    for row in rows:
        while tag := _LEADING_TAG.match(row):
            if tag[1].lower() not in _KNOWN:
                break
            yield row[: tag.end()]
            row = row[tag.end() :]
        if mark := _ROW_MARK.match(row):
            # A line of word marks begins with its first word.
            row = f"[{row[mark.start() : mark.end()].strip()[1:-1]}]{row}"
        yield from _lines_of_row(row)


def _lines_of_row(row: str) -> Iterable[str]:
    """Part a row where marks in square brackets begin lines, and not words."""
    marks = list(_SQUARE_MARK.finditer(row))
    begins = [
        mark
        for at, mark in enumerate(marks)
        if at == 0 or row[marks[at - 1].end() : mark.start()].strip()
    ]
    if len(begins) < 2 or row[: begins[0].start()].strip():
        return [row]
    texts = [
        row[mark.start() : end]
        for mark, end in zip(
            begins, [*(mark.start() for mark in begins[1:]), len(row)], strict=True
        )
    ]
    gap = (_milliseconds(begins[-1]) - _milliseconds(begins[0])) / (len(begins) - 1)
    sung = [text for text in (_SQUARE_MARK.sub("", text).strip() for text in texts) if text]
    words = sum(len(text.split()) for text in sung) / max(1, len(sung))
    has_words = any(_ROW_MARK.match(text) for text in sung)
    are_lines = gap >= _LINE_GAP_MS and (words >= _LINE_WORDS or gap >= 2 * _LINE_GAP_MS)
    return texts if has_words or are_lines else [row]


def _plain_rows(rows: Iterable[str]) -> list[Line]:
    """All rows as plain lines, without their times."""
    bare_rows = (_WORD_MARK.sub("", row).strip() for row in rows if not _TAG.fullmatch(row.strip()))
    return [Line.from_text(_unguard_line(row)) for row in bare_rows if row]


def _early_groups(
    early: Sequence[str], groups: Sequence[list[Line]], offset: int
) -> list[list[Line]]:
    """Backing vocals before the first line; without times they begin with it."""
    start = groups[0][0].start if groups else None
    return [[_backing(content, start, offset)] for content in early]


def _moved(lines: Iterable[Line], offset: int) -> list[Line]:
    """Lines earlier by an offset in milliseconds."""

    def earlier(time: float) -> float:
        return max(0.0, round(time * 1000) - offset) / 1000

    return [line.retimed(earlier) for line in lines]


def _line_stamps(row: str) -> tuple[list[int], str]:
    stamps: list[int] = []
    end = 0
    while mark := _LINE_MARK.match(row, end):
        stamps.append(_milliseconds(mark))
        end = mark.end()
    return stamps, row[end:]


def _milliseconds(mark: re.Match[str]) -> int:
    first, second, third, fraction = mark.groups()
    if third is None:
        return clock_ms(None, first, second, fraction)
    if fraction is None:  # the old mm:ss:xx; hours come with a fraction
        return clock_ms(None, first, second, third)
    return clock_ms(first, second, third, fraction)


def _offset(tags: dict[str, str]) -> int:
    try:
        offset = int(tags.get("offset", "0"))
    except ValueError:
        return 0
    if abs(offset) > MAX_S * 1000:
        raise FormatError(f"an offset of {tags['offset'][:20]} ms is no song's")
    return offset


def _groups(entries: Iterable[_Entry], offset: int) -> list[list[Line]]:
    """Each timed line, once for every time it is sung, with its backing vocals."""
    groups: list[list[Line]] = []
    count = 0
    for entry in entries:
        line = _line(entry, 0, offset)
        count += len(entry.stamps) * (len(line.words) + 1)
        if count > MAX_WORDS:
            raise FormatError(f"more than {MAX_WORDS} words are not the lyrics of one song")
        backing = [_backing(content, line.start, offset) for content in entry.backing]
        groups.append([line, *backing])
        for stamp in entry.stamps[1:]:
            groups.append([_line(entry, stamp - entry.stamps[0], offset)])
    return groups


def _line(entry: _Entry, later: int, offset: int) -> Line:
    stamp = entry.stamps[0] + later
    content, voice = entry.content.strip(), None
    if prefix := _VOICE.match(content):
        content = content[prefix.end() :]
        voice = None if int(prefix[1]) == 1 else f"v{int(prefix[1])}"
    start = _seconds(stamp - offset)
    if _is_notes(content):
        content = ""
    if _WORD_MARK.search(content):
        words = words_of(_stretches(content, start, later - offset))
    else:
        words = Line.from_text(_unguard_line(content)).words
    return Line(words, start, None, voice)


def _backing(content: str, start: float | None, offset: int) -> Line:
    if not _WORD_MARK.search(content):
        return replace(Line.from_text(_unguard_line(content)), start=start, voice="bg")
    words = words_of(_stretches(content.strip(), None, -offset))
    first = next((word.start for word in words), None)
    return Line(words, start if first is None else first, None, "bg")


def _stretches(content: str, start: float | None, later: int) -> list[Stretch]:
    marks = list(_WORD_MARK.finditer(content))
    before = content[: marks[0].start()]
    stretches = [Stretch(start, _unguard(before))] if before.strip() else []
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        text = content[mark.end() : following.start() if following else len(content)]
        text = text.replace(GUARD, "", 1) if _is_rest(text) else _unguard(text)
        stretches.append(Stretch(_seconds(_milliseconds(mark) + later), text))
    return stretches


def _seconds(milliseconds: int) -> float:
    return max(0, milliseconds) / 1000
