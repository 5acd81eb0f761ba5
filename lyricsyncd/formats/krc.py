"""Plain KRC (Kugou), YRC (NetEase), QRC (QQ Music), LYS (Lyricify): relatives of LRC, to be read.

A row begins with its start and length in milliseconds, or with a number that says which voice it
has. Each syllable has its own: before it, counted from the row's start (KRC), before it (YRC) or
behind it (QRC, LYS), both counted from the start of the song::

    [1000,2000]<0,500,0>tea <500,500,0>is          KRC
    [1000,2000](1000,500,0)tea (1500,500,0)is      YRC
    [1000,2000]tea (1000,500)is(1500,500)          QRC
    [4]tea (1000,500)is(1500,500)                  LYS

Files that their programs write are encrypted; those are refused by name.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from lyricsyncd.errors import FormatError
from lyricsyncd.formats.text import report, split_lines
from lyricsyncd.formats.timing import checked
from lyricsyncd.model import Line, Word

_ROW = re.compile(r"\s*\[(\d{1,9}),(\d{1,9})\](.*)", re.DOTALL)
_VOICED = re.compile(r"\s*\[(\d)?\](.*\(\d{1,9},\d{1,9}\).*)", re.DOTALL)
_BACKING = re.compile(r"\[bg:(.*)\]", re.DOTALL)
_KRC = re.compile(r"<(-?\d{1,9}),(\d{1,9}),\d{1,9}>")
_YRC = re.compile(r"\((\d{1,9}),(\d{1,9}),\d{1,9}\)")
_QRC = re.compile(r"\((\d{1,9}),(\d{1,9})\)")
_CONTENT = re.compile(r'LyricContent="([^"]*)"')
_CREDITS = re.compile(r'\s*\{"t":')
_DUETS, _BACKINGS = frozenset("258"), frozenset("678")
"""Numbers of LYS: sung by the other singer, and in the background."""


def looks_like(text: str) -> bool:
    """Return whether some row has syllables in milliseconds."""
    return any(_parts(row) is not None for row in split_lines(_inner(text)))


def lines_of(text: str) -> tuple[list[Line], list[str]]:
    """Read the lines, and return them with the other rows, which hold tags."""
    lines: list[Line] = []
    others: list[str] = []
    credits = 0
    for row in split_lines(_inner(text)):
        parts = _parts(row)
        if parts is None:
            if _CREDITS.match(row):
                credits += 1
            else:
                others.append(row)
            continue
        start, end, voice, content = parts
        words = tuple(_syllables(content, start or 0))
        first = words[0].start if words else None
        line_start = first if start is None else start / 1000
        if words or content.strip():
            words = words or Line.from_text(content).words
            lines.append(Line(words, line_start, None if end is None else end / 1000, voice))
    if credits:
        report(f"{credits} rows of credits are left out", "")
    return lines, others


def is_encrypted(data: bytes) -> bool:
    """Return whether the bytes look like an encrypted QRC file: hexadecimal digits only."""
    return len(data) > 64 and re.fullmatch(rb"[0-9A-Fa-f]+\s*", data) is not None


def refuse_encrypted(data: bytes) -> None:
    """Raise FormatError for an encrypted QRC file."""
    if is_encrypted(data):
        raise FormatError("this is an encrypted QRC file", remedy="Save it as plain QRC or as LRC")


def _inner(text: str) -> str:
    """Return the rows within the XML that QRC is wrapped into."""
    if text.lstrip()[:200].startswith("<") and (found := _CONTENT.search(text)):
        return html.unescape(found[1])
    return text


def _parts(row: str) -> tuple[int | None, int | None, str | None, str] | None:
    """Read the start, end, voice and syllables of a row; ``None`` for one of another kind."""
    if found := _ROW.fullmatch(row):
        start = int(found[1])
        return start, start + int(found[2]), None, found[3]
    if (found := _BACKING.fullmatch(row.strip())) and _KRC.search(found[1]):
        return None, None, "bg", found[1]
    if found := _VOICED.fullmatch(row):
        number = found[1] or ""
        voice = "bg" if number in _BACKINGS else "v2" if number in _DUETS else None
        return None, None, voice if number else None, found[2]
    return None


def _syllables(content: str, start: int) -> Iterator[Word]:
    for mark, before in ((_KRC, True), (_YRC, True), (_QRC, False)):
        marks = list(mark.finditer(content))
        if not marks:
            continue
        offset = start if mark is _KRC else 0
        ends = [found.start() for found in marks]
        begins = [found.end() for found in marks]
        texts = (
            [content[a:b] for a, b in zip(begins, [*ends[1:], len(content)], strict=True)]
            if before
            else [content[a:b] for a, b in zip([0, *begins[:-1]], ends, strict=True)]
        )
        for text, found in zip(texts, marks, strict=True):
            onset = max(0, offset + int(found[1])) / 1000
            checked(onset)
            end = onset + int(found[2]) / 1000
            yield Word(text, onset, checked(end), space=text[-1:].isspace())
        return
