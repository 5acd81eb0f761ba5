"""Read Thai, and divide it into words: by `thaiphon`'s rules and the VOLUBILIS dictionary.

Thai has no spaces between words. The division with the fewest words of the dictionary is right
nearly always; what the dictionary lacks goes with the piece before it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from functools import cache, lru_cache

from lyricsyncd.readings import thai_letters
from lyricsyncd.readings.base import Reading, importable

READER = "thaiphon"
RULES = "rules"
_PLAIN_LATIN = re.compile("[ːʰ]")
_THAI = re.compile("[\u0e00-\u0e7f]+")
_LONGEST = 24
_UNKNOWN = 8.0
"""Cost of a character that is in no word; a word costs 1."""
_DEPENDENT = re.compile("[\u0e30-\u0e3a\u0e45\u0e47-\u0e4e]")
"""Signs that belong to the consonant before them: no word starts with one."""
_LEADING = re.compile("[\u0e40-\u0e44]")
"""Vowels that are written before their consonant: no word ends with one."""


def installed() -> bool:
    """Return whether the rules and the dictionary are there."""
    return importable("thaiphon", "thaiphon_data_volubilis")


_OF_PHRASES = "ฉัน เธอ เรา เขา ผม คุณ ไม่ ใน บน จะ ก็ ที่ และ ของ ให้ รัก".split()
"""Words that make an entry a phrase, where it starts or ends with one and the rest is a word."""


_LACKING = frozenset("ณ ธ เพื่อน เหมือน เมื่อไหร่ ม่วง ภูเขา".split())
"""Frequent words that the dictionary lacks."""


@cache
def _dictionary() -> frozenset[str]:
    from thaiphon_data_volubilis import ENTRIES

    words = frozenset(word for word in ENTRIES if len(word) > 1 and _THAI.fullmatch(word))
    real = words - _ABSTRACT
    phrases = {word for word in words if _is_phrase(word, real)}
    return words - phrases | _LACKING


def _is_phrase(word: str, words: frozenset[str]) -> bool:
    """Return whether a word starts or ends with one of phrases, and the rest is a word as well."""
    for part in _OF_PHRASES:
        if word.startswith(part) and len(word) > len(part):
            rest = word[len(part) :]
        elif word.endswith(part) and len(word) > len(part):
            rest = word[: -len(part)]
        else:
            continue
        if rest in words or _is_phrase(rest, words):
            return True
    return False


_ABSTRACT = frozenset(("ความ", "การ", "ผู้", "น่า", "ที่", "คน"))
"""Words that make another one of the word after them ("ความรัก": love)."""


def split(text: str) -> list[str]:
    """Divide a text into words; joined again, they are the text."""
    if not installed():
        return [text]
    pieces: list[str] = []
    at = 0
    for run in _THAI.finditer(text):
        if run.start() > at:
            pieces.append(text[at : run.start()])
        pieces += _divided(run[0])
        at = run.end()
    if at < len(text):
        pieces.append(text[at:])
    return pieces


@lru_cache(maxsize=4096)
def _divided(run: str) -> tuple[str, ...]:
    """Find the division of a run of Thai with the fewest words."""
    known = _dictionary()
    costs = [0.0, *[float("inf")] * len(run)]
    came = [0] * (len(run) + 1)
    for end in range(1, len(run) + 1):
        for start in range(max(0, end - _LONGEST), end):
            word = run[start:end]
            if word in known:
                # Of equal numbers of words, longer ones first.
                cost = costs[start] + 1.0 + 0.001 * start
            elif end - start == 1:
                cost = costs[start] + _UNKNOWN
            else:
                continue
            if cost < costs[end]:
                costs[end], came[end] = cost, start
    cuts = [len(run)]
    while cuts[-1]:
        cuts.append(came[cuts[-1]])
    cuts.reverse()
    words = [run[a:b] for a, b in itertools.pairwise(cuts)]
    return tuple(_joined(words, known))


def _joined(words: Sequence[str], known: frozenset[str]) -> list[str]:
    """Join what is no word with the pieces beside it."""
    pieces: list[str] = []
    loose = False
    for word in words:
        is_loose = word not in known
        belongs = pieces and (
            (is_loose and loose)
            or _DEPENDENT.match(word)
            or _LEADING.match(pieces[-1][-1])
            or word in ("ๆ", "ฯ")
            # A consonant by itself ends the syllable before it.
            or (is_loose and len(word) == 1)
        )
        if belongs:
            pieces[-1] += word
        else:
            pieces.append(word)
        loose = is_loose
    return pieces


def read(words: Sequence[str]) -> list[tuple[Reading, ...]]:
    """Read the words of a line (`lyricsyncd.readings.base.Reader`)."""
    found: list[tuple[Reading, ...]] = []
    before = ""
    for word in words:
        # Compatibility normalisation takes the vowel "am" apart.
        thai = "".join(_THAI.findall(word)).replace("\u0e4d\u0e32", "\u0e33")
        # The sign of repetition stands for the word before it.
        alone, repeated = thai.strip("ๆ"), "ๆ" in thai
        spoken = (alone * 2 if repeated else alone) or (before if repeated else "")
        found.append(_word(spoken) if spoken else ())
        before = spoken or before
    return found


@lru_cache(maxsize=8192)
def _word(word: str) -> tuple[Reading, ...]:
    if not installed():
        sound = thai_letters.ipa(word)
        return (Reading(sound, _PLAIN_LATIN.sub("", sound), RULES),) if sound else ()
    pieces = _divided(word)
    ipa = "".join(map(_ipa, pieces))
    return (Reading(ipa, "".join(map(_latin, pieces)), READER),) if ipa else ()


_OWN = {
    "ไม่ได้": ("ไม่", "ได้"),
    "เท่าไหร่": ("เท่า", "ไหร่"),
    "เมื่อไหร่": ("เมื่อ", "ไหร่"),
}
"""Words that the dictionary has with a wrong reading."""


def _ipa(word: str) -> str:
    from thaiphon import transcribe_word

    if word in _OWN:
        return "".join(map(_ipa, _OWN[word]))
    ipa = re.sub(r"[/.\s\u02e5-\u02e9\u031aʔ̯]", "", transcribe_word(word, "ipa"))
    # The rules take the vowel of this spelling for a long one.
    return ipa.replace("iːw", "iəw") if "\u0e35ยว" in re.sub("[\u0e48-\u0e4b]", "", word) else ipa


def _latin(word: str) -> str:
    from thaiphon import transcribe_word

    if word in _OWN:
        return "".join(map(_latin, _OWN[word]))
    return re.sub(r"[\s-]", "", transcribe_word(word, "rtgs"))
