"""Labels of the lines of a text: headers, numbers of verses, names before a line, signs of a list.

Most of them may be words of a song where they stand alone. Decided is by the whole text: numbers
count up, signs stand before most lines, and where "Verse 1" is a header "Bridge" is one, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lyricsyncd.lyrics.section_names import (
    CHORUS,
    LONE_COUNT,
    REPEAT_ALONE,
    VERSE,
    SectionName,
    named,
)

_SIGN = re.compile(r"([-–—*•·>+»])\s+(?=\S)")
_LISTED = 0.8
"""Least share of lines with a sign of a list before them."""
_FEWEST = 4
"""Least number of lines of a list, and of lines that are all numbered."""
_NUMBERED = re.compile(
    r"[\[(（#]?\s?(?:(?P<digits>\d{1,3})|(?P<roman>[IVX]{1,5}))\s?"
    r"(?P<mark>[.)\]）:/、．]{0,2})(?:\s+|(?<=[.)\]）、．])(?=[^\W\d])|$)(?P<text>.*)"
)
_ROMAN = {
    name: at for at, name in enumerate("I II III IV V VI VII VIII IX X XI XII".split(), start=1)
}
_PREFIX = re.compile(
    r"(?P<name>[^:：]{1,30}[:：]|®:?|(?:Ref|Refr|Rf|Rit|Прип|Пр)\.(?=\s)|[^:：]{1,25}\s[-–—](?=\s))"
    r"\s*(?P<text>\S.*)"
)
_DOUBLED = re.compile(r"([\[\]])\1+")
_LONE_NUMBER = re.compile(r"\d{1,2}[.)]")
_LETTER = re.compile(r"[A-Z]\d?\s?:")
_BRACKETED = re.compile(r"[\[【［](?P<inner>[^\[\]]{0,120})[\]】］]")
_ROUND = re.compile(r"[(（](?P<inner>[^()（）]{0,60})[)）]")
_SIGNS = '*#=~_:|>+<-–—«»「」『』《》〈〉{}"“”„ '
_REMARK = re.compile(r"\s*[:：]|\s[-–—|]\s|\s?[(（,]")
_LONGEST = 120
"""Characters of a header; longer lines are not looked at."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A line without its label.

    Attributes
    ----------
    text : str
        What is left of it; empty for a header alone.
    section : SectionName or None
        What it is the header of.
    """

    text: str
    section: SectionName | None = None


def labelled(lines: Sequence[str]) -> list[Labelled]:
    """Take the labels from lines; each line of the text is one of the result."""
    lines = _without_signs(lines)
    headers = [header_of(line) for line in lines]
    others = any(headers) or any(
        _without_prefix(line, begins=True, bare=True).section for line in lines
    )
    free = [
        "" if found is not None and found.key else line
        for line, found in zip(lines, headers, strict=True)
    ]
    numbers = _numbers(free, fewest=1 if others else 2)
    bare = bool(numbers) or any(
        found is not None and line[:1].isalnum() for line, found in zip(lines, headers, strict=True)
    )
    found: list[Labelled] = []
    begins = True
    for at, line in enumerate(lines):
        section = headers[at] or _header_by_place(line, begins=begins, bare=bare)
        if at in numbers:
            number, text = numbers[at]
            found.append(Labelled(text, SectionName(f"{VERSE}{number}") if number else None))
        elif section is not None:
            found.append(Labelled("", section))
        elif begins and REPEAT_ALONE.fullmatch(line) and not any(lines[at + 1 : at + 2]):
            found.append(Labelled("(repeat)"))
        else:
            found.append(_without_prefix(line, begins=begins, bare=bare))
        begins = not line or (found[-1].section is not None and not found[-1].text)
    return found


def header_of(line: str) -> SectionName | None:
    """Return the section that a line announces, wherever it stands; ``None`` for a sung line."""
    if not line or len(line) > _LONGEST:
        return None
    if _LONE_NUMBER.fullmatch(line):
        return SectionName(f"{VERSE}{int(line[:-1])}")
    line = _DOUBLED.sub(r"\1", line)
    bracketed = _BRACKETED.match(line)
    if bracketed is not None:
        inner = bracketed["inner"].strip()
        tail = line[bracketed.end() :].strip()
        name = named(f"{inner} {tail}".strip()) or (None if tail else _before_remark(inner))
        if name is not None or tail:
            return name
        # Square brackets round a whole line are an editor's remark.
        return None if LONE_COUNT.fullmatch(line) else SectionName("")
    round_ = _ROUND.fullmatch(line)
    if round_ is not None:
        name = named(round_["inner"].strip()) or _before_remark(round_["inner"].strip())
        return name if name is not None and (name.marked or not name.word) else None
    name = named(line) or _before_round(line)
    if name is not None:
        upper = not line[:1].islower()
        return name if name.certain and (upper or name.marked) else None
    bare = line.strip(_SIGNS)
    if bare != line.rstrip(": "):
        name = header_of(bare) if bare[:1] in "[【［" else named(bare)
        return name if name is not None and (name.marked or not name.word) else None
    return None


def _before_remark(inner: str) -> SectionName | None:
    """Return the section named before a remark: "Verse 1: Singer", "Chorus - both"."""
    remark = _REMARK.search(inner)
    name = named(inner[: remark.start()]) if remark is not None else None
    return name if name is not None and not name.word else None


def _before_round(line: str) -> SectionName | None:
    """Return the section named before a remark in round brackets: "Chorus (all together)"."""
    head, bracket, tail = line.partition("(")
    if not bracket or not tail.endswith(")") or "(" in tail:
        return None
    name = named(head)
    certain = name is not None and name.key.rstrip("0123456789") in (CHORUS, VERSE)
    return name if certain and not (name is not None and name.word) else None


def _header_by_place(line: str, *, begins: bool, bare: bool) -> SectionName | None:
    """Return the section that a line is the header of since it begins a stanza."""
    if not begins or not line or len(line) > _LONGEST:
        return None
    if _LETTER.fullmatch(line):
        return SectionName(line.rstrip(": ").lower())
    name = named(line)
    if name is None or (name.word and not (bare and line[:1].isupper())):
        return None
    return name if name.certain or bare else None


def _without_prefix(line: str, *, begins: bool, bare: bool) -> Labelled:
    """Part the name of a section from the words after it: "Chorus: La la", "Ref. La la"."""
    bracketed = _BRACKETED.match(line)
    if bracketed is not None and (name := header_of(bracketed[0])) is not None and name.key:
        return Labelled(line[bracketed.end() :].strip(), name)
    prefix = _PREFIX.match(line) if len(line) < 1000 else None
    if prefix is None:
        return Labelled(line)
    label = prefix["name"]
    name = named(label.rstrip("-–— "))
    if name is None or line[:1].islower():
        return Labelled(line)
    certain = name.key.rstrip("0123456789") in (CHORUS, VERSE) and not name.word
    dashed = label[-1] in "-–—"
    if (certain and (not dashed or begins)) or (not dashed and (begins or bare)):
        return Labelled(prefix["text"], replace(name, marked=True))
    return Labelled(line)


def _without_signs(lines: Sequence[str]) -> list[str]:
    """Remove the signs of a list where most lines have the same one."""
    written = [line for line in lines if line]
    signs = [found[1] for line in written if (found := _SIGN.match(line))]
    usual = max(set(signs), key=signs.count, default="")
    if signs.count(usual) < max(_FEWEST, _LISTED * len(written)):
        return list(lines)
    return [
        line[found.end() :] if (found := _SIGN.match(line)) and found[1] == usual else line
        for line in lines
    ]


def _numbers(lines: Sequence[str], fewest: int) -> dict[int, tuple[str, str]]:
    """Return the numbers of verses, by line: the number, none for that of a line, and the words
    after it.

    They count up from 1. Without a point or bracket they stand before every line, or alone where
    stanzas begin.
    """
    written = [at for at, line in enumerate(lines) if line]
    found = {
        at: match
        for at in written
        if len(lines[at]) < 1000 and (match := _NUMBERED.fullmatch(lines[at])) is not None
    }
    for kind in ("digits", "roman"):
        values = {
            at: _ROMAN.get(match[kind], 0) if kind == "roman" else int(match[kind])
            for at, match in found.items()
            if match[kind]
        }
        again = _named_again(values, found)
        values = {at: value for at, value in values.items() if at not in again}
        counted = _counting_up(values, marked={at for at in values if found[at]["mark"]})
        if len(counted) == len(written) >= _FEWEST or (
            len(counted) >= fewest and _is_numbering(counted, found, lines)
        ):
            every_line = len(counted) > len(written) / 2
            numbers = {
                at: ("" if every_line else str(values[at]), found[at]["text"]) for at in counted
            }
            return numbers | {at: (str(value), "") for at, value in again.items()}
    return {}


def _named_again(values: dict[int, int], found: dict[int, re.Match[str]]) -> dict[int, int]:
    """Return the numbers that stand once more without words: that stanza is sung again."""
    highest = 0
    again: dict[int, int] = {}
    for at, value in values.items():
        if value <= highest and found[at]["mark"] and not found[at]["text"]:
            again[at] = value
        highest = max(highest, value)
    return again


def _counting_up(values: dict[int, int], marked: set[int]) -> list[int]:
    """Return the lines whose numbers count up from 1: the marked ones, where there are any."""
    counted: list[int] = []
    for at, value in values.items():
        if (at in marked or not marked) and value == len(counted) + 1:
            counted.append(at)
        elif at in marked:
            return []
    return counted


def _is_numbering(
    counted: Sequence[int], found: dict[int, re.Match[str]], lines: Sequence[str]
) -> bool:
    """Return whether numbers that count up are those of stanzas."""
    begins = [at for at, line in enumerate(lines) if line and (at == 0 or not lines[at - 1])]
    if all(not found[at]["text"] for at in counted):
        return len(counted) > 1 and set(counted) <= set(begins)
    if all(found[at]["mark"] for at in counted):
        return all(found[at]["text"] for at in counted)
    return len(counted) > 1 and list(counted) == begins
