"""Reduce the lyrics of websites and databases to the words that are sung.

Dropped: section headers, credits, page furniture, markup, music notes. Repeats ("(x2)", an empty
"[Chorus]") are written out, since every sung word needs a place. Words are spelled as before.
Sidecars and tags are cleaned alike, since programs copied most of them from websites; the files
themselves stay as they are.
"""

from __future__ import annotations

import dataclasses
import html
import itertools
import re
from collections.abc import Sequence

from lyricsyncd.lyrics.furniture import INSTRUMENTAL, is_error_page, is_furniture
from lyricsyncd.lyrics.headings import edges
from lyricsyncd.lyrics.labels import Labelled, labelled
from lyricsyncd.lyrics.section_names import LONE_COUNT
from lyricsyncd.lyrics.sections import (
    SungLine,
    affordable,
    rows_of,
    without_asides,
    without_count,
    written_out,
)
from lyricsyncd.model import Line, Lyrics, Track, Word
from lyricsyncd.text.words import split

# Directional marks, zero-width space and joiners of words, soft hyphen, controls. The zero-width
# joiners stay: Persian, Indic scripts and emoji need them.
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufffe\uffff"
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]"
)
_NOTES = re.compile(
    "[\u2669-\u266c\u266f\U0001d100-\U0001d1ff\U0001f3b5\U0001f3b6\U0001f3bc]\ufe0f?"
)
_BREAK = re.compile(r"<(?:br|hr)\s*/?>|</(?:p|div|li|h[1-6]|title|tr|pre)>", re.IGNORECASE)
_RUBY = re.compile(
    r"(?:<rp>[^<]{0,3}</rp>)?<rt>([^<>]{1,40})</rt>(?:<rp>[^<]{0,3}</rp>)?", re.IGNORECASE
)
"""The reading of characters, which is kept as furigana in brackets."""
_HIDDEN = re.compile(r"<(script|style)\b[^<>]{0,400}>.{0,20000}?</\1>", re.IGNORECASE | re.DOTALL)
_MARKUP = re.compile(
    r"</?(?:a|b|body|br|center|div|em|font|h[1-6]|head|hr|html|i|li|link|meta|p|pre|s|section|small"
    r"|rb|ruby|span|strong|sub|sup|table|td|title|tr|u|ul)(?:\s[^<>]*)?/?>|<!doctype\b[^<>]*>",
    re.IGNORECASE,
)

_EMBED = re.compile(r"(?<=\S)\d{0,6}Embed$|^\d{0,6}Embed$")
_GLUED_LIKE = re.compile(r"You might also like(?=[\[A-Z\u00c0-\u00de]|$)")
_PAGE_HEAD = re.compile(
    r"^(?:\d+\s*Contributors?.{0,400}?Lyrics(?=\S|\s|$)|[^\n\[]{1,120}\sLyrics(?=\[))",
    re.IGNORECASE | re.DOTALL,
)


_NO_NAMES = Track()


def clean_text(text: str, track: Track = _NO_NAMES) -> tuple[tuple[str, ...], bool]:
    """Return the sung lines of plain lyrics, and whether the text calls the song instrumental;
    see `sung_lines`."""
    lines, instrumental = sung_lines(text, track)
    return tuple(line.text for line in lines), instrumental


def sung_lines(text: str, track: Track = _NO_NAMES) -> tuple[tuple[SungLine, ...], bool]:
    """Return the sung lines of plain lyrics, and whether the text calls the song instrumental.

    Parameters
    ----------
    track
        The song, to recognise a heading that repeats its names.
    """
    text = _BREAK.sub("\n", _HIDDEN.sub("", _RUBY.sub("(\\1)", html.unescape(text))))
    text = _PAGE_HEAD.sub("", text.strip())
    raw = [_tidied(line) for line in _GLUED_LIKE.sub("\n", text).splitlines()]
    while raw and not raw[-1]:
        raw.pop()
    if raw:
        raw[-1] = _EMBED.sub("", raw[-1]).rstrip()
    if is_error_page(raw):
        return (), False
    instrumental = any(INSTRUMENTAL.fullmatch(line) for line in raw if line)
    instrumental = instrumental or _only_notes(text)
    found = edges(raw, track)
    begin = found.begin + found.above
    sung = [
        *(SungLine(line, _DOUBTFUL) for line in raw[found.begin : begin] if line),
        *written_out(list(rows_of(raw[begin : found.end])), _DOUBTFUL + bool(found.above)),
    ]
    if instrumental and not any(line.repeat != _DOUBTFUL or not found.above for line in sung):
        # A heading above a note that nobody sings.
        sung = []
    return tuple(sung), instrumental and not sung


_DOUBTFUL = 1
"""Number of what may be a heading; those of repeats follow."""
_AT_ONCE_S = 0.1
"""What begins with the file is a heading: no song is sung from its first moment on."""


def clean(lyrics: Lyrics, track: Track = _NO_NAMES) -> Lyrics:
    """Reduce timed lyrics to the words that are sung.

    A repeat is written out within its line, since only the audio shows where the second time
    begins.
    """
    texts = [_tidied(html.unescape(line.text)) for line in lyrics]
    if is_error_page(texts):
        return lyrics.with_lines(())
    if texts:
        texts[-1] = _EMBED.sub("", texts[-1]).rstrip()
    found = edges(texts, track)
    begin = found.begin + found.above
    labels = [Labelled(text) for text in texts]
    labels[begin : found.end] = labelled(texts[begin : found.end])
    lines = []
    length = 0
    numbers = itertools.count(_DOUBTFUL + bool(found.above))
    for at, (line, label) in enumerate(zip(lyrics, labels, strict=True)):
        if not found.begin <= at < found.end or _is_not_sung(label.text):
            continue
        doubtful = at < begin
        if doubtful and line.start is not None and line.start < _AT_ONCE_S:
            continue
        text, times = without_count(without_asides(label.text))
        if text:
            times = affordable(times, len(text), length)
            length += len(text) * times
            repeats = [next(numbers) for _ in range(times - 1)]
            line = _with_text(line, text, repeats)
            lines.append(_as_doubtful(line) if doubtful else line)
    instrumental = lyrics.instrumental or (
        not lines
        and any(
            INSTRUMENTAL.fullmatch(text) or not text
            for text in [*texts, *filter(None, [lyrics.metadata.get("author")])]
        )
    )
    return dataclasses.replace(lyrics, lines=tuple(lines), instrumental=instrumental and not lines)


def _tidied(line: str) -> str:
    """Remove markup, music notes and invisible characters."""
    line = _NOTES.sub(" ", _INVISIBLE.sub("", _MARKUP.sub("", line)))
    return " ".join(line.split())


def _only_notes(text: str) -> bool:
    remaining = "".join(_NOTES.sub("", text).split())
    return not remaining and _NOTES.search(text) is not None


def _is_not_sung(text: str) -> bool:
    return bool(is_furniture(text) or INSTRUMENTAL.fullmatch(text) or LONE_COUNT.fullmatch(text))


def _as_doubtful(line: Line) -> Line:
    words = (dataclasses.replace(word, repeat=_DOUBTFUL) for word in line.words)
    return dataclasses.replace(line, words=tuple(words))


def _with_text(line: Line, text: str, repeats: Sequence[int]) -> Line:
    if not repeats and text == " ".join(line.text.split()):
        return line
    if not repeats and any(word.start is not None for word in line.words):
        words = _cleaned(line.words, text)
        if words is not None:
            return dataclasses.replace(line, words=words)
    once = split(text)
    words = tuple(
        dataclasses.replace(word, repeat=number) for number in (0, *repeats) for word in once
    )
    return dataclasses.replace(line, words=words)


def _cleaned(words: Sequence[Word], text: str) -> tuple[Word, ...] | None:
    """Clean each timed word; ``None`` if together they are not the cleaned ``text``."""
    cleaned = [dataclasses.replace(word, text=_tidied(html.unescape(word.text))) for word in words]
    remaining = tuple(word for word in cleaned if word.text)
    # A label before the words is not sung: its words go, with their times.
    while remaining and len(Line(remaining).text) > len(text):
        remaining = remaining[1:]
    return remaining if Line(remaining).text == text else None
