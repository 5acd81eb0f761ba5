"""Read LRC of all kinds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from lyricsyncd.errors import FormatError
from lyricsyncd.formats import krc, microdvd
from lyricsyncd.formats.lrc_grammar import (
    KNOWN,
    LANGUAGE,
    LEADING_TAG,
    LINE_MARK,
    METADATA,
    NEGATIVE,
    ROW_MARK,
    SQUARE_MARK,
    TAG,
    VOICE,
    WORD_MARK,
    WRITTEN_FIRST,
    is_notes,
    is_rest,
    unguard,
    unguard_line,
)
from lyricsyncd.formats.stamps import with_lrc_stamps
from lyricsyncd.formats.text import GUARD, MAX_WORDS, language_code, report, split_lines
from lyricsyncd.formats.timing import MAX_S, Stretch, clock_ms, tidy, words_of
from lyricsyncd.model import Line, Lyrics

_LINE_GAP_MS, _LINE_WORDS = 1500, 1.5
"""Marks in square brackets part lines, not words, from these means on."""
_PLAIN_SHARE = 2
"""So many rows without a time for each timed one are plain text with a stray stamp."""


def has_tags_only(text: str) -> bool:
    """Return whether all rows are LRC's tags, some of them with a song's names."""
    found = [TAG.fullmatch(row.strip()) for row in split_lines(text) if row.strip()]
    keys = {"" if tag is None else tag[1].lower() for tag in found}
    return keys <= KNOWN and bool(keys & WRITTEN_FIRST)


def marked_lines(text: str) -> Iterable[tuple[str, re.Match[str] | None]]:
    """Yield rows with the mark of a time at their beginning, where they have one."""
    return ((line, LINE_MARK.match(line)) for line in _one_thing_each(split_lines(text)))


@dataclass
class _Entry:
    """A timed line of the file: ``content`` sung at each of ``stamps`` (milliseconds)."""

    stamps: list[int]
    content: str
    backing: list[str] = field(default_factory=list)


def read(text: str) -> Lyrics:
    """Read the text of a file.

    Raises
    ------
    FormatError
        It has negative times, or more words than a song.
    """
    tags: dict[str, str] = {}
    untimed: list[Line] = []
    entries: list[_Entry] = []
    early: list[str] = []
    left_out: list[str] = []
    timed: list[Line] = []
    rows = split_lines(text)
    if microdvd.looks_like(text):
        return tidy(Lyrics(tuple(microdvd.lines_of(text))))
    if krc.looks_like(text):
        timed, rows = krc.lines_of(text)
    elif not any(mark is not None for _, mark in marked_lines(text)):
        rows = with_lrc_stamps(rows) or rows
    for row in _one_thing_each(rows):
        if NEGATIVE.match(row):
            raise FormatError(f"a line has a negative time: {row.strip()[:40]!r}")
        stamps, content = _line_stamps(row)
        tag = TAG.fullmatch(row.strip())
        key = tag[1].lower() if tag else ""
        if stamps:
            entries.append(_Entry(stamps, content))
        elif tag and key == "bg" and entries:
            entries[-1].backing.append(tag[2])
        elif tag and key == "bg":
            early.append(tag[2])
            untimed.append(replace(Line.from_text(WORD_MARK.sub("", tag[2])), voice="bg"))
        elif tag and (key in KNOWN or entries):
            tags.setdefault(key, tag[2].strip())
        elif row.strip():
            untimed.append(Line.from_text(unguard_line(row.strip())))
            left_out.append(row)
    lines = untimed
    if timed:
        lines = in_order([[line] for line in _moved(timed, _offset(tags))])
    elif entries and len(left_out) <= _PLAIN_SHARE * max(2, len(entries)):
        groups = _groups(entries, _offset(tags))
        lines = in_order([*_early_groups(early, groups, _offset(tags)), *groups])
    elif entries:
        report("the few times are left out: most lines have none", "")
        lines = _plain_rows(rows)
        left_out = []
    if lines is not untimed and left_out:
        report(f"{len(left_out)} lines without a time are left out", left_out[0])
    metadata = {METADATA[key]: value for key, value in tags.items() if key in METADATA}
    languages = (language_code(tags.get(key)) for key in LANGUAGE)
    return tidy(
        Lyrics(
            tuple(lines),
            next((language for language in languages if language), None),
            # LRCGET marks instrumentals so, with nothing else in the file.
            instrumental=not any(line.words for line in lines)
            and (
                metadata.get("author", "").lower() == "instrumental"
                or any(is_notes(entry.content) for entry in entries)
            ),
            metadata=metadata,
        )
    )


def _one_thing_each(rows: Iterable[str]) -> Iterable[str]:
    """Part rows that hold several tags, or tags before a stamp, or several lines."""
    for row in rows:
        while tag := LEADING_TAG.match(row):
            if tag[1].lower() not in KNOWN:
                break
            yield row[: tag.end()]
            row = row[tag.end() :]
        if mark := ROW_MARK.match(row):
            # A line of word marks begins with its first word.
            row = f"[{row[mark.start() : mark.end()].strip()[1:-1]}]{row}"
        yield from _lines_of_row(row)


def _lines_of_row(row: str) -> Iterable[str]:
    """Part a row where marks in square brackets begin lines, and not words."""
    marks = list(SQUARE_MARK.finditer(row))
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
    sung = [text for text in (SQUARE_MARK.sub("", text).strip() for text in texts) if text]
    words = sum(len(text.split()) for text in sung) / max(1, len(sung))
    has_words = any(ROW_MARK.match(text) for text in sung)
    are_lines = gap >= _LINE_GAP_MS and (words >= _LINE_WORDS or gap >= 2 * _LINE_GAP_MS)
    return texts if has_words or are_lines else [row]


def _plain_rows(rows: Iterable[str]) -> list[Line]:
    """Return all rows as plain lines, without their times."""
    bare_rows = (WORD_MARK.sub("", row).strip() for row in rows if not TAG.fullmatch(row.strip()))
    return [Line.from_text(unguard_line(row)) for row in bare_rows if row]


def in_order(groups: Sequence[Sequence[Line]]) -> list[Line]:
    """Sort lines by their times, each followed by its backing vocals, with the ends that follow."""
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


def _groups(entries: Iterable[_Entry], offset: int) -> list[list[Line]]:
    """Return each timed line, once for every time it is sung, with its backing vocals."""
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


def _early_groups(
    early: Sequence[str], groups: Sequence[list[Line]], offset: int
) -> list[list[Line]]:
    """Return backing vocals before the first line; without times they begin with it."""
    start = groups[0][0].start if groups else None
    return [[_backing(content, start, offset)] for content in early]


def _line(entry: _Entry, later: int, offset: int) -> Line:
    stamp = entry.stamps[0] + later
    content, voice = entry.content.strip(), None
    if prefix := VOICE.match(content):
        content = content[prefix.end() :]
        voice = None if int(prefix[1]) == 1 else f"v{int(prefix[1])}"
    start = _seconds(stamp - offset)
    if is_notes(content):
        content = ""
    if WORD_MARK.search(content):
        words = words_of(_stretches(content, start, later - offset))
    else:
        words = Line.from_text(unguard_line(content)).words
    return Line(words, start, None, voice)


def _backing(content: str, start: float | None, offset: int) -> Line:
    if not WORD_MARK.search(content):
        return replace(Line.from_text(unguard_line(content)), start=start, voice="bg")
    words = words_of(_stretches(content.strip(), None, -offset))
    first = next((word.start for word in words), None)
    return Line(words, start if first is None else first, None, "bg")


def _stretches(content: str, start: float | None, later: int) -> list[Stretch]:
    marks = list(WORD_MARK.finditer(content))
    before = content[: marks[0].start()]
    stretches = [Stretch(start, unguard(before))] if before.strip() else []
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        text = content[mark.end() : following.start() if following else len(content)]
        text = text.replace(GUARD, "", 1) if is_rest(text) else unguard(text)
        stretches.append(Stretch(_seconds(_milliseconds(mark) + later), text))
    return stretches


def _moved(lines: Iterable[Line], offset: int) -> list[Line]:
    """Move lines earlier by an offset in milliseconds."""

    def earlier(time: float) -> float:
        return max(0.0, round(time * 1000) - offset) / 1000

    return [line.retimed(earlier) for line in lines]


def _line_stamps(row: str) -> tuple[list[int], str]:
    stamps: list[int] = []
    end = 0
    while mark := LINE_MARK.match(row, end):
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


def _seconds(milliseconds: int) -> float:
    return max(0, milliseconds) / 1000
