"""Names of singers before a line, "Him: …", "[Dolly] …", "(Both) …", which are not sung."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter

from lyricsyncd.model import Line, Lyrics, Track, Word
from lyricsyncd.text.match import artists_of, normalise

_ROLES = frozenset(
    """
    male female man woman men women boy girl boys girls him her he she both all together duet
    choir lead group everyone m f d man1 woman1 homme femme hombre mujer mann frau tous todos alle
    """.split()
)
_FEWEST = 2
"""Least number of lines with such a name: a single "Name:" may be sung."""
_SHARE, _MOST_NAMES = 0.6, 5
"""Names that nothing else is known of stand before most lines, and are few."""
_MARK = re.compile(
    r"""^(?: [\[(（] (?P<bracketed>[^\[\]()（）:：]{1,40}) [:：]? [\])）] [:：]?
      | (?P<plain>[^\W\d][\w\ .'&-]{0,30}) [:：] )\s*""",
    re.VERBOSE,
)


def with_voices(lyrics: Lyrics, track: Track) -> Lyrics:
    """Move the names of singers from the words of lines to their ``voice``."""
    known = artists_of(track) | _named_often(lyrics)
    marks = [_mark(line, known) for line in lyrics]
    if sum(mark is not None for mark in marks) < _FEWEST:
        return lyrics
    return lyrics.with_lines(
        line if mark is None else _marked(line, *mark)
        for line, mark in zip(lyrics.lines, marks, strict=True)
    )


def _named_often(lyrics: Lyrics) -> frozenset[str]:
    """Return the few names that stand before most lines, each of them several times."""
    before = [
        normalise((found["bracketed"] or found["plain"]).strip())
        for line in lyrics
        if (found := _MARK.match(line.text)) and (found["bracketed"] or ":" in found[0])
    ]
    counts = Counter(before)
    often = {name for name, count in counts.items() if count >= _FEWEST}
    named = sum(counts[name] for name in often)
    most = named >= _SHARE * sum(bool(line.words) for line in lyrics)
    return frozenset(often) if most and len(often) <= _MOST_NAMES else frozenset()


def _mark(line: Line, known: frozenset[str]) -> tuple[str, int] | None:
    """Return the singer named before a line, and the number of characters of the name."""
    if line.voice is not None:
        return None
    found = _MARK.match(line.text)
    if found is None or found.end() >= len(line.text):
        return None
    name = (found.group("bracketed") or found.group("plain")).strip()
    parts = {normalise(part) for part in re.split(r"\s*(?:&|,|/|\band\b)\s*", name)}
    if not parts <= _ROLES and not parts <= known and normalise(name) not in known:
        return None
    return name, found.end()


def _marked(line: Line, voice: str, length: int) -> Line:
    """Set the voice of a line, and remove its first ``length`` characters."""
    remaining: list[Word] = []
    at = 0
    for word in line.words:
        end = at + len(word.text)
        if at >= length:
            remaining.append(word)
        elif end > length:
            remaining.append(dataclasses.replace(word, text=word.text[length - at :]))
        at = end + (1 if word.space else 0)
    return dataclasses.replace(line, words=tuple(remaining), voice=voice) if remaining else line
