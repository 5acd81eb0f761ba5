"""Sections and repeats of lyrics: headers such as "[Chorus]", counts such as "(x2)".

Repeats are written out in full, since every sung word needs a place in the audio.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lyricsyncd.lyrics.furniture import INSTRUMENTAL, is_furniture
from lyricsyncd.lyrics.labels import Labelled, header_of, labelled
from lyricsyncd.lyrics.section_names import (
    CHORUS,
    LEADING_COUNT,
    LONE_COUNT,
    TRAILING_COUNT,
    SectionName,
    count,
)

_MOST_WRITTEN_OUT = 30_000
"""Characters of a text up to which its repeats are written out. Repeats can stand within sections
that are repeated themselves, so that a small text could stand for one of gigabytes; that of no song
is as long as this."""


@dataclass(frozen=True, slots=True)
class Row:
    """A cleaned line: sung words, or the header of a section (``text`` is empty then)."""

    text: str = ""
    section: str | None = None
    times: int = 1
    blank: bool = False


def rows_of(lines: Sequence[str]) -> Iterable[Row]:
    """Classify lines as sung words, section headers, counts and blank lines."""
    lines = _with_blocks_apart(lines)
    first, last, again = _starred(lines)
    for at, label in enumerate(labelled(lines)):
        if at in again:
            yield Row(section=_STARRED)
            continue
        if at == first:
            yield Row(blank=True)
            yield Row(section=_STARRED)
        yield from _rows_of_line(label)
        if at == last:
            yield Row(blank=True)


def _rows_of_line(label: Labelled) -> Iterable[Row]:
    if label.section is not None:
        for name in (label.section, *label.section.then):
            yield Row(section=name.key, times=name.times)
    line = label.text
    if not line:
        if label.section is None:
            yield Row(blank=True)
    elif is_furniture(line) or INSTRUMENTAL.fullmatch(line):
        return
    elif found := LONE_COUNT.fullmatch(line):
        yield Row(times=count(found))
    else:
        signs = _REPEAT_SIGNS.fullmatch(line)
        opened, text, closed = signs.groups() if signs is not None else ("", line, "")
        text, times = without_count(without_asides(_STARS.sub("", text)))
        if times > 1 and (enclosed := _ENCLOSED.fullmatch(text)) is not None:
            text = enclosed["text"] or enclosed["text_"]
        if opened and not closed:
            # What is repeated is a block of its own.
            yield Row(blank=True)
        if text and not is_furniture(text):
            yield Row(text, times=2 if opened and closed else times)
        if closed and not opened:
            yield Row(times=2)


_REPEAT_SIGNS = re.compile(r"([|/‖]{1,2}:\s*)?(.*?)(\s*:[|/‖]{1,2})?")
"""Signs of music around what is sung twice: "|: La la :|"."""
_ENCLOSED = re.compile(r"\{(?P<text>[^{}]+)\}|\[(?P<text_>[^\[\]]+)\]")
"""A row that is sung several times, in brackets before the count: "{La la} x2"."""
_CLOSED_BY = {"{": "}", "[": "]", "(": ")"}
_LONGEST_BLOCK = 16
"""Rows of a block in brackets."""


def _with_blocks_apart(lines: Sequence[str]) -> list[str]:
    """Return lines in which a block in brackets with a count behind it, as in "{La la", "la} x2",
    is one of its own, with the count below it."""
    found = list(lines)
    at = 0
    while at < len(found):
        rows, taken = _block_at(found, at)
        if taken:
            found[at : at + taken] = ["", *rows]
        at += max(1, len(rows))
    return found


def _block_at(lines: Sequence[str], first: int) -> tuple[list[str], int]:
    """Return the rows of the block that a bracket at the beginning of a line opens, without the
    brackets, and with the count behind or below it, and how many lines it takes; none where it
    opens none, or has no count."""
    opening = lines[first][:1]
    closing = _CLOSED_BY.get(opening)
    if closing is None or closing in lines[first]:
        return [], 0
    for at in range(first + 1, min(first + _LONGEST_BLOCK, len(lines))):
        text, closed, count = lines[at].partition(closing)
        if not lines[at] or opening in text:
            break
        if closed:
            below = not count.strip()
            count = next(iter(lines[at + 1 : at + 2]), "") if below else count.strip()
            rows = [lines[first][1:].lstrip(), *lines[first + 1 : at], text.rstrip(), count]
            return (rows, at + 1 + below - first) if LONE_COUNT.fullmatch(count) else ([], 0)
    return [], 0


_STARS = re.compile(r"^\*{1,3}\s+|\s+\*{1,3}$")
"""Signs of a part that is sung again: "* La la" and, at its end, "la la **"."""
_STARRED = "*"
"""Name of that part."""
_STARS_AGAIN = re.compile(
    r"[(\[]?\s*(?:\w{1,12}\.?\s+)?(?:\w{2,5}\s+)?\*\s*(?:\w{1,5}|[-–—.…]{1,3})?\s*\*{1,2}\s*[)\]]?"
)
"""Where it is sung again: "* **", "(repeat from * to **)"."""


def _starred(lines: Sequence[str]) -> tuple[int, int, frozenset[int]]:
    """Return the first and the last line of the part between stars, and the lines where it is sung
    again; -1 and none where there is no such part, or it is sung once."""
    first = next((at for at, line in enumerate(lines) if re.match(r"\*\s+\w", line)), -1)
    last = next(
        (at for at in range(max(first, 0), len(lines)) if re.search(r"\w\W*\s\*\*$", lines[at])), -1
    )
    again = frozenset(at for at in range(last + 1, len(lines)) if _STARS_AGAIN.fullmatch(lines[at]))
    return (first, last, again) if first >= 0 and last >= 0 and again else (-1, -1, frozenset())


_REMARK = re.compile(r"\s*\[(?P<inner>[^\[\]]{1,60})\]")
_ASIDE = re.compile(
    r"\?+|laughs?|laughter|laughing|applause|repeat.*|crowd .*|whispers?|spoken|speaking|sighs?"
    r"|cheers?|cheering|inaudible|unintelligible|indistinct|scream(?:s|ing)?|fade.*",
    re.IGNORECASE,
)


def without_asides(line: str) -> str:
    """Remove an editor's bracketed remarks: of "[Chorus] Oh yeah", "Oh yeah" is sung."""

    def kept(remark: re.Match[str]) -> str:
        inner = remark["inner"].strip()
        if LONE_COUNT.fullmatch(inner):
            return remark[0]
        is_aside = _ASIDE.fullmatch(inner) or header_of(f"[{inner}]") != SectionName("")
        return " " if is_aside else remark[0]

    return " ".join(_REMARK.sub(kept, line).split())


@dataclass(frozen=True, slots=True)
class SungLine:
    """A line that is sung, as a person sees it.

    Attributes
    ----------
    repeat : int
        The number of what may not be sung: a repeat that is written out, or what may be a heading;
        0 for other lines.
    """

    text: str
    repeat: int = 0


@dataclass(frozen=True, slots=True)
class _Section:
    """The lines of a section that has a name, and how many characters they are together."""

    lines: tuple[SungLine, ...]
    length: int


def written_out(rows: Sequence[Row], first: int = 1) -> list[SungLine]:
    """Return the sung lines, with every repeat in full, each of them numbered from ``first`` on."""
    out = _WrittenOut(first)
    last = max((at for at, row in enumerate(rows) if not row.blank), default=-1)
    for at, row in enumerate(rows):
        if row.text:
            out.add(row)
        elif row.section is not None:
            out.close()
            out.begin(row.section, row.times)
        elif row.blank:
            if out.block:
                out.close()
                out.begin("")
        elif out.block:
            # "(x2)" below a stanza means all of it.
            out.times = row.times
            out.close()
            out.begin("")
        elif at == last:
            # After the last stanza, all of the song.
            out.repeat_all(row.times)
    out.close()
    return out.sung


class _WrittenOut:
    """Lyrics while their repeats are written out, block by block.

    Attributes
    ----------
    sung : list of SungLine
        The lines of the blocks that are closed.
    block : list of SungLine
        Those of the block that is not.
    times : int
        How often that is sung.
    """

    def __init__(self, first: int) -> None:
        self.sung: list[SungLine] = []
        self.block: list[SungLine] = []
        self.times = 1
        self._name = ""
        self._sections: dict[str, _Section] = {}
        # Characters of what is sung, and of the block.
        self._length = self._added = 0
        self._numbers = itertools.count(first)

    def add(self, row: Row) -> None:
        """Add a line to the block, as often as it is sung."""
        times = affordable(row.times, len(row.text), self._length + self._added)
        line = SungLine(row.text)
        self.block += [line, *self._again([line], times - 1)]
        self._added += len(row.text) * times

    def begin(self, name: str, times: int = 1) -> None:
        """Begin a block, which may be a section of a name."""
        self._name, self.times = name, times

    def close(self) -> None:
        """Close the block; one without lines stands for the section of its name."""
        if self.block:
            if self._name:
                self._sections.setdefault(self._name, _Section(tuple(self.block), self._added))
            times = affordable(self.times, self._added, self._length)
            self.sung += [*self.block, *self._again(self.block, times - 1)]
            self._length += self._added * times
        else:
            known = self._sections.get(self._name) or self._only_chorus()
            if known is not None and self._length + known.length <= _MOST_WRITTEN_OUT:
                times = affordable(self.times, known.length, self._length)
                self.sung += self._again(known.lines, times)
                self._length += known.length * times
        self.block, self.times, self._added = [], 1, 0

    def repeat_all(self, times: int) -> None:
        """Repeat all lines so far, to be sung so often."""
        times = affordable(times, self._length, self._length)
        self.sung += self._again(self.sung, times - 1)

    def _again(self, lines: Iterable[SungLine], times: int) -> list[SungLine]:
        """Return lines so often once more, each time with a number of its own."""
        lines = tuple(lines)
        copies = (next(self._numbers) for _ in range(times))
        return [SungLine(line.text, number) for number in copies for line in lines]

    def _only_chorus(self) -> _Section | None:
        """Return the only chorus, for a further one that has a number of its own."""
        choruses = [each for each in self._sections if each.startswith(CHORUS)]
        only = len(choruses) == 1 and self._name.startswith(CHORUS)
        return self._sections[choruses[0]] if only else None


def affordable(times: int, length: int, before: int) -> int:
    """Return how often a text of a length is written out after others: as asked, or once where
    the whole would be longer than any song's."""
    return times if before + length * times <= _MOST_WRITTEN_OUT else 1


def without_count(line: str) -> tuple[str, int]:
    """Split a line into its words and the number of times that they are sung."""
    if leading := LEADING_COUNT.match(line):
        return line[leading.end() :], count(leading)
    match = TRAILING_COUNT.search(line)
    return (line, 1) if match is None else (line[: match.start()].rstrip(), count(match))
