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
    sung: list[SungLine] = []
    sections: dict[str, _Section] = {}
    block: list[SungLine] = []
    name, times = "", 1
    # Characters of what is sung, and of the block that is not closed yet.
    length = added = 0
    numbers = itertools.count(first)

    def again(lines: Iterable[SungLine], times: int) -> list[SungLine]:
        """Return some lines so often once more."""
        lines = tuple(lines)
        copies = (next(numbers) for _ in range(times))
        return [SungLine(line.text, number) for number in copies for line in lines]

    def again_of(name: str) -> _Section | None:
        """Return the only chorus, for a further one that has a number of its own."""
        choruses = {each for each in sections if each.startswith(CHORUS)}
        only = len(choruses) == 1 and name.startswith(CHORUS)
        return sections[choruses.pop()] if only else None

    def close() -> None:
        nonlocal block, times, length, added
        if block:
            if name:
                sections.setdefault(name, _Section(tuple(block), added))
            times = affordable(times, added, length)
            sung.extend([*block, *again(block, times - 1)])
            length += added * times
        elif (
            known := sections.get(name) or again_of(name)
        ) and length + known.length <= _MOST_WRITTEN_OUT:
            times = affordable(times, known.length, length)
            sung.extend(again(known.lines, times))
            length += known.length * times
        block, times, added = [], 1, 0

    last = max((at for at, row in enumerate(rows) if not row.blank), default=-1)
    for at, row in enumerate(rows):
        if row.text:
            often = affordable(row.times, len(row.text), length + added)
            line = SungLine(row.text)
            block += [line, *again([line], often - 1)]
            added += len(row.text) * often
        elif row.section is not None:
            close()
            name, times = row.section, row.times
        elif row.blank:
            if block:
                close()
                name = ""
        elif block:
            # "(x2)" below a stanza means all of it.
            times = row.times
            close()
            name = ""
        elif at == last:
            # After the last stanza, all of the song.
            whole = affordable(row.times, length, length)
            sung.extend(again(sung, whole - 1))
    close()
    return sung


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
