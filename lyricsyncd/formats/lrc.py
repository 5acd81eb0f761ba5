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
the relatives in `krc`, frames of `microdvd`, and times in the forms of `stamps`. Rows without a
time among timed ones are credits and notes: they are left out, with a warning. An empty timed line
is kept: it says where the line before it ends.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from lyricsyncd.errors import FormatError
from lyricsyncd.formats import krc, microdvd
from lyricsyncd.formats.lrc_grammar import (
    NOTE,
    WORD_MARK,
    WRITTEN,
    guard,
    guard_line,
    is_notes,
    is_rest,
)
from lyricsyncd.formats.lrc_reader import has_tags_only, in_order, marked_lines, read
from lyricsyncd.formats.stamps import with_lrc_stamps
from lyricsyncd.formats.text import GUARD, decode, split_lines
from lyricsyncd.formats.timing import (
    LINGER_S,
    bare,
    clock,
    needs_line_times,
    on_grid,
    stamped,
    stretches,
    tidy,
)
from lyricsyncd.model import Line, Lyrics, Word


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
            mark is not None and WORD_MARK.search(line, mark.end()) is not None
            for line, mark in marked_lines(text)
        )
        return has_words or krc.looks_like(text) or krc.is_encrypted(text.encode(errors="replace"))

    def read(self, data: bytes) -> Lyrics:
        text = decode(data)
        krc.refuse_encrypted(data)
        return read(text)

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
        if any(mark is not None for _, mark in marked_lines(text)) or has_tags_only(text):
            return True
        if microdvd.looks_like(text):
            return True
        return with_lrc_stamps(split_lines(text)) is not None

    def read(self, data: bytes) -> Lyrics:
        return read(decode(data))

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
        replace(line, words=()) if is_notes(line.text) else line for line in lyrics
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
        tuple(in_order(_with_breaks(groups, ends))),
        lyrics.language,
        metadata={key: lyrics.metadata[key] for key in WRITTEN if key in lyrics.metadata},
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
    sung = sorted(zip(groups, ends, strict=True), key=lambda pair: pair[0][0].start or 0.0)
    for (group, end), following in itertools.zip_longest(sung, sung[1:]):
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


def _write(lyrics: Lyrics, decimals: int, *, notes: bool) -> str:
    rows = [
        f"[{tag}:{lyrics.metadata[key]}]" for key, tag in WRITTEN.items() if key in lyrics.metadata
    ]
    if lyrics.language is not None:
        # The first is the older name, the second the one that Navidrome reads.
        rows += [f"[la:{lyrics.language}]", f"[lang:{lyrics.language}]"]
    last = max((at for at, line in enumerate(lyrics.lines) if line.words), default=0)
    rows += [
        _row(line, decimals) + (NOTE if notes and not line.words and at < last else "")
        for at, line in enumerate(lyrics.lines)
    ]
    return "".join(row + "\n" for row in rows)


def _row(line: Line, decimals: int) -> str:
    if line.start is None:
        return guard_line(line.text)
    if not line.words or line.words[0].start is None:
        return f"[{_stamp(line.start, decimals)}]{guard_line(line.text)}"
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
        joiner = GUARD if is_rest(text) else ""
        parts.append(f"<{_stamp(start, decimals)}>{joiner}{guard(text)}")
        at = end
    if at is not None:
        parts.append(f"<{_stamp(at, decimals)}>")
    return "".join(parts)


def _stamp(time: float, decimals: int) -> str:
    stamp = clock(time, decimals)
    hours, minutes, seconds = stamp.split(":")
    in_minutes = int(hours) * 60 + int(minutes)
    return f"{in_minutes:02}:{seconds}" if in_minutes < 100 else stamp
