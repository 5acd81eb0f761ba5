"""Rows of the cues of subtitles: those in two languages, and those that roll up the screen.

The two rows of a cue are mostly one line that is too long for the screen. Where nearly every cue
has two, and the first are in another script or language than the second, they are two lines of the
same time. Captions that are made while a person speaks (YouTube's, say) show each row once more
above the next one.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from lyricsyncd.formats.legacy_languages import LANGUAGES

_SHARE = 0.7
"""Least share of cues with two rows."""
_FEWEST = 3
"""Least number of cues with two rows."""
_CLEARLY = 0.05
"""Share of frequent words of a language by which it is told from others."""


_ROLLING = 0.3
"""Least share of cues with a row of the cue before above one of their own."""


def unrolled(cues: Sequence[Sequence[str]]) -> list[list[int]]:
    """Return the numbers of the rows of each cue that the cue before does not have already.

    All of them, where the captions do not roll: a line may well be sung twice.

    Parameters
    ----------
    cues
        The rows of each cue, without markup.
    """
    written = [[at for at, row in enumerate(rows) if row.strip()] for rows in cues]
    texts = [[cues[cue][at].strip() for at in rows] for cue, rows in enumerate(written)]
    again = [0, *(_carried(one, two) for one, two in itertools.pairwise(texts))]
    rolls = sum(0 < count < len(rows) for count, rows in zip(again, texts, strict=False))
    if rolls < max(_FEWEST, _ROLLING * sum(map(bool, texts))):
        return written
    return [rows[count:] for count, rows in zip(again, written, strict=False)]


def _carried(before: Sequence[str], rows: Sequence[str]) -> int:
    """Count the rows at the beginning that are those at the end of the cue before."""
    for count in range(min(len(before), len(rows)), 0, -1):
        if list(before[-count:]) == list(rows[:count]):
            return count
    return 0


def parted(cues: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the lines of each cue: its rows joined, or two where they say the same.

    Parameters
    ----------
    cues
        The rows of each cue, without markup.
    """
    written = [[row.strip() for row in rows if row.strip()] for rows in cues]
    pairs = [rows for rows in written if len(rows) == 2]
    if len(pairs) >= max(_FEWEST, _SHARE * len(written)) and are_two_languages(pairs):
        return [rows if len(rows) == 2 else [" ".join(rows)] for rows in written]
    return [[" ".join(rows)] for rows in written]


def are_two_languages(pairs: Sequence[Sequence[str]]) -> bool:
    """Return whether the first texts of pairs are in another script or language than the second."""
    one, two = ("\n".join(column) for column in zip(*pairs, strict=True))
    scripts = _script(one), _script(two)
    if scripts[0] != scripts[1]:
        return True
    languages = _language(one), _language(two)
    return None not in languages and languages[0] != languages[1]


def _script(text: str) -> str:
    """Return the script that most letters are of."""
    names = Counter(unicodedata.name(letter, "?").split()[0] for letter in text if letter.isalpha())
    kana = names["HIRAGANA"] + names["KATAKANA"]
    found = Counter({**names, "CJK": names["CJK"] + kana})
    del found["HIRAGANA"], found["KATAKANA"]
    return max(found, key=lambda name: found[name], default="")


def _language(text: str) -> str | None:
    """Return the language that a text has by far the most frequent words of."""
    words = re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", text.casefold())
    shares = sorted(
        (sum(word in language.words for word in words) / max(1, len(words)), language.name)
        for language in LANGUAGES
    )
    (second, _), (best, name) = shares[-2:]
    return name if best - second >= _CLEARLY else None
