"""Sections and repeats of lyrics: headers such as "[Chorus]", counts such as "(x2)".

Repeats are written out in full, since every sung word needs a place in the audio.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lyricsyncd.lyrics.furniture import INSTRUMENTAL, is_furniture
from lyricsyncd.lyrics.labels import header_of, labelled
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
    for label in labelled(lines):
        if label.section is not None:
            yield Row(section=label.section.key, times=label.section.times)
        line = label.text
        if not line:
            if label.section is None:
                yield Row(blank=True)
        elif is_furniture(line) or INSTRUMENTAL.fullmatch(line):
            continue
        elif found := LONE_COUNT.fullmatch(line):
            yield Row(times=count(found))
        else:
            signs = _REPEAT_SIGNS.fullmatch(line)
            opened, text, closed = signs.groups() if signs is not None else ("", line, "")
            text, times = without_count(without_asides(text))
            if opened and not closed:
                # What is repeated is a block of its own.
                yield Row(blank=True)
            if text and not is_furniture(text):
                yield Row(text, times=2 if opened and closed else times)
            if closed and not opened:
                yield Row(times=2)


_REPEAT_SIGNS = re.compile(r"([|/‖]{1,2}:\s*)?(.*?)(\s*:[|/‖]{1,2})?")
"""Signs of music around what is sung twice: "|: La la :|"."""
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
