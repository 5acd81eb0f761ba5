"""Rows of subtitles that say the same in two languages, as bilingual ones have them.

The two rows of a cue are mostly one line that is too long for the screen. Where nearly every cue
has two, and the first are in another script or language than the second, they are two lines of the
same time.
"""

from __future__ import annotations

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


def parted(cues: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return the lines of each cue: its rows joined, or two where they say the same.

    Parameters
    ----------
    cues
        The rows of each cue, without markup.
    """
    written = [[row.strip() for row in rows if row.strip()] for rows in cues]
    pairs = [rows for rows in written if len(rows) == 2]
    if len(pairs) >= max(_FEWEST, _SHARE * len(written)) and _are_two_languages(pairs):
        return [rows if len(rows) == 2 else [" ".join(rows)] for rows in written]
    return [[" ".join(rows)] for rows in written]


def _are_two_languages(pairs: Sequence[Sequence[str]]) -> bool:
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
