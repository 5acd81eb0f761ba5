"""Read Chinese in Cantonese, by `ToJyutping`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lyricsyncd.readings.base import Reading, importable

READER = "ToJyutping"
_INITIALS = {
    "b": "p",
    "p": "pʰ",
    "m": "m",
    "f": "f",
    "d": "t",
    "t": "tʰ",
    "n": "n",
    "l": "l",
    "g": "k",
    "k": "kʰ",
    "ng": "ŋ",
    "h": "h",
    "gw": "kʷ",
    "kw": "kʰʷ",
    "w": "w",
    "z": "ts",
    "c": "tsʰ",
    "s": "s",
    "j": "j",
    "": "",
}
_VOWELS = {
    "aa": "aː",
    "a": "ɐ",
    "e": "ɛː",
    "i": "iː",
    "o": "ɔː",
    "u": "uː",
    "oe": "œː",
    "eo": "ɵ",
    "yu": "yː",
}
_SYLLABLE = re.compile(
    r"(?P<initial>gw|kw|ng|[bpmfdtnlgkhwzcsj])?(?P<vowel>aa|yu|oe|eo|[aeiou])?(?P<coda>ng|[iumnptk])?[1-6]?"
)


def installed() -> bool:
    """Return whether ToJyutping is there."""
    return importable("ToJyutping")


def read(words: Sequence[str]) -> list[tuple[Reading, ...]]:
    """Read the words of a line (`lyricsyncd.readings.base.Reader`)."""
    import ToJyutping

    text = "".join(words)
    rows = [syllables or "" for _, syllables in ToJyutping.get_jyutping_list(text)]
    assert len(rows) == len(text)
    found: list[tuple[Reading, ...]] = []
    at = 0
    for word in words:
        spoken = " ".join(filter(None, rows[at : at + len(word)]))
        at += len(word)
        found.append(_readings(spoken) if spoken else ())
    return found


def _readings(spoken: str) -> tuple[Reading, ...]:
    syllables = spoken.split()
    first = Reading("".join(map(ipa, syllables)), " ".join(syllables), READER)
    # Many singers leave out the nasal at the start, and sing "l" for "n".
    lazy = first.ipa.removeprefix("ŋ") if first.ipa.startswith("ŋ") and len(first.ipa) > 1 else ""
    if first.ipa.startswith("n"):
        lazy = "l" + first.ipa[1:]
    return (first, Reading(lazy, first.romanised, READER)) if lazy else (first,)


def ipa(syllable: str) -> str:
    """Transcribe a syllable of Jyutping: "jyut6" is "jyːt"."""
    match = _SYLLABLE.fullmatch(syllable)
    if match is None:
        return ""
    initial, vowel, coda = match["initial"] or "", match["vowel"] or "", match["coda"] or ""
    if not vowel:  # "m4", "ng5"
        return {"m": "m", "ng": "ŋ"}.get(initial + coda, initial + coda)
    sound = _VOWELS[vowel]
    if coda in ("ng", "k") and vowel in "iu":
        sound = {"i": "ɪ", "u": "ʊ"}[vowel]
    elif (vowel, coda) in (("e", "i"), ("o", "u")):
        sound = {"e": "e", "o": "o"}[vowel]
    if vowel == "eo" and coda == "i":
        coda = "y"
    return _INITIALS[initial] + sound + {"ng": "ŋ"}.get(coda, coda)
