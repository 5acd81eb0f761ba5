"""Sections and repeats of lyrics: headers such as "[Chorus]", counts such as "(x2)".

Repeats are written out in full, since every sung word needs a place in the audio.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lyricsyncd.lyrics.furniture import INSTRUMENTAL, is_furniture
from lyricsyncd.text.words import letters

_MOST_REPEATS = 8
"""A higher count is a joke, or means until fade-out."""
_MOST_WRITTEN_OUT = 30_000
"""Characters of a text up to which its repeats are written out. Repeats can stand within sections
that are repeated themselves, so that a small text could stand for one of gigabytes; that of no song
is as long as this."""

_SECTION_WORDS = (
    r"(?:pre|post)?[\s-]*(?:chorus|refr[aä]in|estribillo|refr[aã]o|coro|ritornello|kehrreim|hook)"
    r"|(?:final|last|first|second|third|\d(?:st|nd|rd|th))\s+(?:chorus|verse|hook)"
    r"|verse|couplet|strophe|estrofa|verso|strofa|vers|part|parte|partie|teil"
    r"|bridge|pont|puente|ponte|br[uü]cke|middle\s*(?:8|eight)|interlude|interlud(?:io|e)"
    r"|intro|outro|introduction|introducci[oó]n|breakdown|break|drop|build(?:[\s-]?up)?|skit|coda"
    r"|spoken(?:\s+word)?|rap|ad[\s-]?libs?|solo|instrumental(?:\s+\w+)?|\w+\s+solo|fade[\s-]?out"
    r"|主歌|副歌|间奏|間奏|前奏|尾奏|サビ|Aメロ|Bメロ|후렴|간주|припев|куплет|проигрыш"
    r"|refren|ref\.|zwrotka|refräng|omkv[æä]d"
)
_SECTION = rf"(?:{_SECTION_WORDS})"
_TIMES = (
    r"(?:[x×*]\s*(?P<a>\d{1,3})|(?P<b>\d{1,3})\s*"
    r"(?:[x×]|times|fois|veces|mal|vezes|volte|keer|gånger|razy|раза?|回|번))"
)
_REPEAT = r"(?:repeat(?:ed)?\s*:?\s*)?"
_COUNT = rf"[\[(（]?\s*{_REPEAT}{_TIMES}\s*[\])）]?"
_HEADER_NAME = re.compile(
    rf"{_REPEAT}(?P<name>{_SECTION})\s*(?:[\d]+|[ivx]+|[a-d])?\s*(?:{_COUNT})?\s*(?:[:：].*)?",
    re.IGNORECASE,
)
_BARE_HEADER = re.compile(
    rf"{_REPEAT}(?P<name>{_SECTION})\s*(?:\d*|one|two|three|four)\s*"
    rf"(?:{_COUNT}|[\[(]repeat(?:ed)?[\])])?\s*[:：]?",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"[\[【［](?P<inner>[^\[\]]{0,120})[\]】］]")
_ROUND = re.compile(r"[(（](?P<inner>[^()（）]{0,60})[)）]")
_TWICE = r"[\[(（]\s*(?:bis|repeat(?: all)?|twice|two times)\s*[\])）]"
_TRAILING_COUNT = re.compile(
    rf"\s*(?:[\[(（]\s*{_REPEAT}{_TIMES}\s*[\])）]|(?P<twice>{_TWICE})"
    r"|\s(?:[x×](?P<c>\d{1,2})|(?P<d>\d{1,2})[x×]))\s*$",
    re.IGNORECASE,
)
LONE_COUNT = re.compile(rf"\s*(?:{_COUNT}|(?P<twice>{_TWICE}))\s*\.?\s*", re.IGNORECASE)
_DECORATION = re.compile(r"^(?:[*#=~_\-–—]+\s*|[<{])|(?:\s*[*=~_\-–—]+|[>}])$")
"""Signs around a heading, as Markdown and text files have them."""


@dataclass(frozen=True, slots=True)
class Row:
    """A cleaned line: sung words, or the header of a section (``text`` is empty then)."""

    text: str = ""
    section: str | None = None
    times: int = 1
    blank: bool = False


def rows_of(lines: Iterable[str]) -> Iterable[Row]:
    """Classify lines as sung words, section headers, counts and blank lines."""
    for line in lines:
        if not line:
            yield Row(blank=True)
        elif is_furniture(line) or INSTRUMENTAL.fullmatch(line):
            continue
        elif (header := header_of(line)) is not None:
            yield Row(section=header[0], times=header[1])
        elif count := LONE_COUNT.fullmatch(line):
            yield Row(times=_count(count))
        else:
            text, times = without_count(_without_asides(line))
            if text:
                yield Row(text, times=times)


def header_of(line: str) -> tuple[str, int] | None:
    """Return the section that a line announces and its repeats; ``None`` for a sung line."""
    match = _BRACKETED.fullmatch(line)
    if match is not None:
        # Square brackets round a whole line are an editor's remark.
        inner = match.group("inner").strip()
        name = _HEADER_NAME.fullmatch(inner)
        if name is not None:
            return _section_name(inner, name), _count(name)
        return ("", 1) if not LONE_COUNT.fullmatch(line) else None
    match = _ROUND.fullmatch(line)
    if match is not None:
        name = _BARE_HEADER.fullmatch(match.group("inner").strip())
        return None if name is None else (_section_name(name.group(), name), _count(name))
    head, tail = _BRACKETED.match(line), ""
    if head is not None:
        # "[Chorus] (x2)"
        tail = line[head.end() :].strip()
        name = _HEADER_NAME.fullmatch(head.group("inner").strip())
        count = LONE_COUNT.fullmatch(tail)
        if name is not None and count is not None:
            return _section_name(name.group(), name), _count(count)
        return None
    bare = _DECORATION.sub("", line)
    name = _BARE_HEADER.fullmatch(bare)
    if bare != line and name is not None:
        return _section_name(bare, name), _count(name)
    if name is not None and (line.endswith((":", "：")) or _is_certain(line, name)):
        return _section_name(line, name), _count(name)
    return None


_CERTAIN = re.compile(
    r"(?:repeat\s+)?(?:(?:pre|post)[\s-]*chorus|chorus|verse|refrain|couplet|estribillo|strophe|outro|intro"
    r"|refren|zwrotka|ref\.|припев|куплет|サビ|副歌|主歌|후렴|instrumental|\w+ solo)(?!\w).*",
    re.IGNORECASE,
)


def _is_certain(line: str, name: re.Match[str]) -> bool:
    """Check whether a word without colon is a header: "Verse 1", but not "Bridge" or "Break"."""
    return _CERTAIN.fullmatch(line) is not None and (
        not line[:1].islower() or name.group("a") is not None or name.group("b") is not None
    )


def _section_name(inner: str, match: re.Match[str]) -> str:
    """Return the key by which repeated sections are matched: "chorus", "verse2"."""
    name = match.group("name")
    number = re.match(r"\s*(\d+)", inner[match.end("name") - match.start() :])
    return letters(name + (number.group(1) if number else ""))


_ASIDE = re.compile(
    rf"\s*\[(?:\?+|{_SECTION}[^\[\]]*|laughs?|laughter|applause|repeat[^\[\]]*)\]", re.IGNORECASE
)


def _without_asides(line: str) -> str:
    """Remove an editor's bracketed remarks: of "[Chorus] Oh yeah", "Oh yeah" is sung."""
    return " ".join(_ASIDE.sub(" ", line).split())


@dataclass(frozen=True, slots=True)
class SungLine:
    """A line that is sung, as a person sees it.

    Attributes
    ----------
    repeat : int
        The number of the repeat that it is written out for; 0 for what the text itself has.
    """

    text: str
    repeat: int = 0


@dataclass(frozen=True, slots=True)
class _Section:
    """The lines of a section that has a name, and how many characters they are together."""

    lines: tuple[SungLine, ...]
    length: int


def written_out(rows: Sequence[Row]) -> list[SungLine]:
    """Return the sung lines, with every repeat in full, each of them numbered."""
    sung: list[SungLine] = []
    sections: dict[str, _Section] = {}
    block: list[SungLine] = []
    name, times = "", 1
    # Characters of what is sung, and of the block that is not closed yet.
    length = added = 0
    numbers = itertools.count(1)

    def again(lines: Iterable[SungLine], times: int) -> list[SungLine]:
        """Return some lines so often once more."""
        lines = tuple(lines)
        copies = (next(numbers) for _ in range(times))
        return [SungLine(line.text, number) for number in copies for line in lines]

    def close() -> None:
        nonlocal block, times, length, added
        if block:
            if name:
                sections.setdefault(name, _Section(tuple(block), added))
            times = affordable(times, added, length)
            sung.extend([*block, *again(block, times - 1)])
            length += added * times
        elif (known := sections.get(name)) and length + known.length <= _MOST_WRITTEN_OUT:
            times = affordable(times, known.length, length)
            sung.extend(again(known.lines, times))
            length += known.length * times
        block, times, added = [], 1, 0

    for row in rows:
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
    close()
    return sung


def affordable(times: int, length: int, before: int) -> int:
    """Return how often a text of a length is written out after others: as asked, or once where
    the whole would be longer than any song's."""
    return times if before + length * times <= _MOST_WRITTEN_OUT else 1


def _count(match: re.Match[str]) -> int:
    """Return the number in a count such as "(x2)"; 1 for none, and for an implausible one."""
    groups = match.groupdict()
    if groups.get("twice"):
        return 2
    number = next((int(groups[name]) for name in "abcd" if groups.get(name)), 1)
    return number if 1 <= number <= _MOST_REPEATS else 1


def without_count(line: str) -> tuple[str, int]:
    """Split a line into its words and the number of times that they are sung."""
    match = _TRAILING_COUNT.search(line)
    return (line, 1) if match is None else (line[: match.start()].rstrip(), _count(match))
