"""Chords of song sheets: rows of chords above the words, and ChordPro's within them.

Chords are not sung. A row is one of chords where it holds nothing else, and one alone would not be
words: "A" or "Am I" may be.
"""

from __future__ import annotations

import re

from lyricsyncd.formats.text import report, split_lines

_QUALITY = r"(?:maj|min|dim|aug|sus|add|mi|ma|m|M|°|º|ø|Δ|\+|-|[#b]?\d{1,2}|\([^()\s]{1,8}\))*"
_CHORD = rf"[A-H](?:#|b|♯|♭)?{_QUALITY}(?:/[A-H](?:#|b|♯|♭)?)?\*?"
_NAME = re.compile(_CHORD)
_BETWEEN = re.compile(r"[|/\-–—:%.~]+|N\.?C\.?|\(?[xX×]\s?\d+\)?|\d+[xX×]|\(|\)|\*+")
_LABEL = re.compile(
    r"(?:intro|outro|solo|interlude|instrumental|bridge|verse|chorus|riff|break|ending|refrain)"
    r"\s*\d*\s*:",
    re.IGNORECASE,
)
_LONGEST_NAME = 12
"""Characters of a chord. (Longer ones are not tried: a name can be parted in many ways.)"""
_HEAD = re.compile(
    r"capo\b[\s:]*(?:(?:on|at)\s+)?(?:fret\s+)?\d.*|tuning\s*:.*|no\s+capo", re.IGNORECASE
)
_TAB = re.compile(r"[A-Ga-g][#b]?[|:]?[-|0-9hpbxr/\\~()^*\s]{6,}")
_DASHES = 3
_STAMPS = re.compile(r"\s*(?:\[\d[\d:.,]{0,12}\]\s*)*")
"""Times of LRC before a row."""
_BRACKET = re.compile(rf"\[([^\[\]]{{1,{_LONGEST_NAME}}})\]")
_ENDED = {"sot": "eot", "start_of_tab": "end_of_tab", "sog": "eog", "start_of_grid": "end_of_grid"}
_CERTAIN = 2
_DIRECTIVES = frozenset(
    "title t subtitle st artist album key capo tempo time comment c ci start_of_chorus soc "
    "end_of_chorus eoc start_of_verse sov end_of_verse eov start_of_bridge sob end_of_bridge eob "
    "chorus define new_song ns composer lyricist year".split(" ")
).union(_ENDED, _ENDED.values())


def without_chords(text: str) -> str:
    """Return the text without chords, tablature and ChordPro's directives."""
    rows = split_lines(text)
    bare_rows = [_STAMPS.sub("", row, count=1) for row in rows]
    is_chordpro = any(_directive(row) in _DIRECTIVES for row in bare_rows) or _has_inline(rows)
    above = sum(_is_chords(row, alone=False) * (1 + _is_no_letters(row)) for row in bare_rows)
    if not is_chordpro and above < _CERTAIN and not any(map(_is_head_or_tab, bare_rows)):
        return text
    kept: list[str] = []
    until = ""
    for row in rows:
        bare = _STAMPS.sub("", row, count=1)
        name = _directive(bare) if is_chordpro else ""
        if name or until:
            until = "" if name == until else until or _ENDED.get(name, "")
            continue
        if is_chordpro and row.startswith("#"):
            continue
        if _is_chords(bare, alone=above >= _CERTAIN) or _is_head_or_tab(bare):
            continue
        kept.append(_without_inline(row) if is_chordpro else row)
    if kept != rows:
        report("chords are left out", "")
    return "\n".join(kept)


def _is_no_letters(row: str) -> bool:
    """Return whether a row of chords cannot be one of letters, as "A B C" is."""
    return re.search(r"[A-H](?:[#b♯♭]|m?\d|/[A-H]|m\b)", row) is not None


def _is_head_or_tab(row: str) -> bool:
    """Return whether a row says where the capo sits, or is tablature."""
    row = row.strip()
    is_tab = row.count("-") >= _DASHES and _TAB.fullmatch(row) is not None
    return is_tab or _HEAD.fullmatch(row) is not None


def _directive(row: str) -> str:
    """Return the name of the directive that a row of ChordPro is, if it is one."""
    row = row.strip()
    if not (row.startswith("{") and row.endswith("}")):
        return ""
    name = row[1:-1].partition(":")[0].strip().lower()
    return name if re.fullmatch("[a-z_]{1,30}", name) else ""


def _is_between(piece: str) -> bool:
    return len(piece) <= _LONGEST_NAME and _BETWEEN.fullmatch(piece) is not None


def _is_name(piece: str) -> bool:
    return len(piece) <= _LONGEST_NAME and _NAME.fullmatch(piece) is not None


def _has_inline(rows: list[str]) -> bool:
    found = (_is_name(name) for row in rows for name in _BRACKET.findall(row))
    return sum(found) >= _CERTAIN


def _without_inline(row: str) -> str:
    """Remove the chords of a row; "kind[G]ly" and "shi- [C]ning" stay as they are spelt."""

    def spoken(found: re.Match[str]) -> str:
        name = found[1]
        is_chord = _is_name(name) or name.startswith("*") or name in ("N.C.", "NC")
        return "" if is_chord else found[0]

    return _BRACKET.sub(spoken, row)


def _is_chords(row: str, *, alone: bool) -> bool:
    """Return whether a row holds chords only; ``alone``: of one chord as well."""
    label = _LABEL.match(row.strip())
    pieces = row.strip()[label.end() if label else 0 :].replace("|", " | ").split()
    chords = [piece for piece in pieces if _is_name(piece.strip("()[],"))]
    others = [piece for piece in pieces if piece not in chords and not _is_between(piece)]
    if others or not chords:
        return False
    if len(chords) >= _CERTAIN or label:
        return True
    return alone or (len(chords[0]) > 1 and not chords[0].isalpha())
