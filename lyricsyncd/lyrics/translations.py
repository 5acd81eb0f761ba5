"""Remove translations and transcriptions between the lines of the original: they are not sung.

Websites have them in three forms: a second line at the same time, a line in another script after
each line, and a line in brackets in another script. The original is the first of each pair.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from lyricsyncd.model import Line, Lyrics

_SHARE = 0.7
"""Least share of lines in pairs: single pairs are duets, or borrowed words."""
_FEWEST_PAIRS = 3
_EAST_ASIAN = {"CJK": "han", "HIRAGANA": "han", "KATAKANA": "han", "HANGUL": "hangul"}


def without_translations(lyrics: Lyrics) -> Lyrics:
    """Remove the translations of interleaved lines."""
    lines = lyrics.lines
    for find in (_at_the_same_time, _alternating):
        extra = find(lines)
        if extra:
            lines = tuple(line for at, line in enumerate(lines) if at not in extra)
    return lyrics if len(lines) == len(lyrics.lines) else lyrics.with_lines(lines)


def _at_the_same_time(lines: Sequence[Line]) -> set[int]:
    """Return the second lines of pairs that begin at the same time, if most lines are in pairs."""
    at_start: dict[float, list[int]] = {}
    for at, line in enumerate(lines):
        if line.start is not None and line.words and line.voice is None:
            at_start.setdefault(line.start, []).append(at)
    pairs = [group for group in at_start.values() if len(group) == 2]
    paired = 2 * len(pairs)
    if len(pairs) < _FEWEST_PAIRS or paired < _SHARE * sum(map(len, at_start.values())):
        return set()
    # A translation has other words; two voices of one text are no translation.
    differing = [g for g in pairs if lines[g[0]].text.casefold() != lines[g[1]].text.casefold()]
    return {second for _, second in differing}


def _alternating(lines: Sequence[Line]) -> set[int]:
    """Return the lines in another script than the one before, if most lines are in such pairs."""
    scripts = [_script(line.text) for line in lines]
    extra: set[int] = set()
    at = 0
    kinds: Counter[tuple[str, str]] = Counter()
    while at + 1 < len(lines):
        one, two = scripts[at], scripts[at + 1]
        if one and two and one != two:
            kinds[one, two] += 1
            extra.add(at + 1)
            at += 2
        else:
            at += 1
    if not kinds:
        return set()
    pair, count = kinds.most_common(1)[0]
    known = sum(script is not None for script in scripts)
    if count < _FEWEST_PAIRS or 2 * count < _SHARE * known:
        return set()
    return {at for at in extra if (scripts[at - 1], scripts[at]) == pair}


def _script(text: str) -> str | None:
    """Return the script of a line's letters; ``None`` for a mixture or no letters."""
    found: set[str] = set()
    for character in re.sub(r"[^\w]|[\d_]", "", text):
        name = unicodedata.name(character, "?").split()[0]
        found.add(_EAST_ASIAN.get(name, name))
    return found.pop() if len(found) == 1 else None
