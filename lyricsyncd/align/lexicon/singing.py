"""Add the pronunciations of singing to those of reading.

A text-to-speech voice lacks two things: the "ooh"s and "hmm"s that are no words, and the weak forms
of function words. (The final *e* that is pronounced in French singing was tried as a second
pronunciation, and placed words no better: the silence after the word absorbs it.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lyricsyncd.align.lexicon.phones import VOWELS, Slot, read_slots

# Vocalises however long they are written; "oooh" may be a long "oh" or an "ooh". Where one is
# hummed, a vowel still comes first: what begins with a consonant is taken for short.
_VOCALISES = tuple(
    (re.compile(pattern), read_slots(slots))
    for pattern, slots in (
        (r"oh+", "OW|AO"),
        (r"o{2,}h*", "UW|OW"),
        (r"u{2,}h*", "UW|AH"),
        (r"uh+", "AH|AA"),
        (r"a+h+|a{2,}", "AA|AH"),
        (r"e+h+|e{3,}", "EH|EY|IY"),
        (r"a+w{2,}", "AO"),
        (r"o+w{2,}", "AW|OW"),
        (r"e+w+", "IY UW"),
        (r"ay{2,}|a{2,}y+|ey+", "EY|AY"),
        (r"hey+", "HH EY"),
        (r"he+y+a+h*", "HH EY|EH Y AA|AH"),
        (r"h*m{2,}|hm+|h+u+m{2,}", "AH|M"),
        (r"m+h+m+", "AH|M HH AH|M"),
        (r"u+h+m+|u+m{2,}", "AH M"),
        (r"h+u+h+", "HH AH"),
        (r"u+h+u+h+", "AH|M HH AH|M"),
        (r"h+a{2,}h*|hah+", "HH AA|AE"),
        (r"h+e+h+", "HH EH|EY"),
        (r"h+o{2,}h*", "HH UW|OW"),
        (r"hoh+", "HH OW"),
        (r"y+e+a+h*|y+e+h+", "Y EH HH"),
        # As the end of "yeah", sung again.
        (r"h+e+a+h+", "HH EH|AE"),
        (r"y+e{2,}a*h+a+[hw]*", "Y IY HH AA|AO"),
        (r"y+a{2,}h*|y+ah+", "Y AA|AE"),
        (r"y+u+h+", "Y AH|AA"),
        (r"wh?o+a+h*|wh?o+h+|uo+h*", "W OW|AO"),
        (r"wh?o{2,}h*", "W UW"),
        (r"wh?o{2,}h+o{2,}", "W UW HH UW"),
        (r"[jy]u+h+u+", "Y UW HH UW"),
        (r"[jy]i+h+a+", "Y IY HH AA|AO"),
        (r"do{2,}h*", "D UW"),
        (r"sho{2,}h*", "SH UW"),
        (r"la{2,}h*|lah+", "L AA"),
        (r"na{2,}h*|nah+", "N AA|AE"),
        (r"s+h{2,}|sh", "SH"),
        (r"s{3,}", "S"),
        (r"t+s{2,}", "T S"),
        (r"pss+t+", "P S T"),
        (r"pf{2,}t*", "P F"),
        (r"[bp]r{2,}", "B|P ER|R"),
        (r"[bp]r{2,}t+", "B|P ER|R T"),
        (r"gr{2,}", "G|K ER|R"),
        (r"skr+t+", "S K ER T"),
    )
)

# A syllable sung over and over, "nanana", "hahaha": a voice would read it with the stress and the
# reduced vowels of a word, and in Romance languages without its h.
_CHAIN = re.compile(r"(([bdhlnprty]|sh)a|(h)[eio])h?(?:\1h?)+")
_CONSONANTS = {**{letter: letter.upper() for letter in "bdlnprty"}, "h": "HH", "sh": "SH"}
_VOWELS_OF_CHAINS = {"a": "AA|AE|AH", "e": "EH|EY|IY", "i": "IY", "o": "OW|AO"}

_SYLLABLE = re.compile(
    r"[bdhlnprtyjwk]?(?:a|ay|ah)|h[eio]|he[iy]|[bdp][aou]m|d[iou]|[wy]o|o|uh|sh[ao]"
)
"""Syllables that are vocalises where nothing else is sung: a voice reads them as words."""

# Weak and sung forms of short English words, besides what the voice reads.
_ENGLISH = {
    word: read_slots(slots)
    for word, slots in {
        "the": "DH AH|IY",
        "a": "AH|EY",
        "ay": "AY|EY",
        "aye": "AY|EY",
        "la": "L AA|AE|AH",
        "na": "N AA|AE|AH",
        "da": "D AA|AE|AH",
        "ba": "B AA|AE|AH",
        "pa": "P AA|AE|AH",
        "ya": "Y AH|AA|AE",
        "an": "AH|AE N",
        "and": "AH|AE N",
        "to": "T UW|AH|UH",
        "you": "Y UW|AH",
        "your": "Y AO|UH|ER",
        "you're": "Y AO|UH|ER",
        "of": "AH|AA",
        "i": "AY|AA",
        "i'm": "AY|AA M",
        "i'll": "AY|AA L",
        "my": "M AY|AA",
        "for": "F AO|ER",
        "or": "AO|ER",
        "our": "AA|AW R",
        "are": "AA|ER",
        "was": "W AA|AH Z",
        "what": "W AA|AH T",
        "because": "B IH|AH K AO|AH Z",
        "cause": "K AO|AH Z",
        "cuz": "K AH Z",
        "them": "DH|TH EH|AH M",
        "em": "EH|AH M",
        "n": "AH|EH N",
        "just": "JH AH|IH S",
        "can": "K AE|EH|AH N",
        "live": "L IH|AY V",
        "wind": "W IH|AY N D",
        "tear": "T EH|IH R",
        "read": "R IY|EH D",
        "lead": "L IY|EH D",
    }.items()
}

_ING = read_slots("IH NG")
_DROPPED_G = ("NG", "N")


def vocalise(word: str) -> tuple[Slot, ...]:
    """Pronounce an "ooooh", "yeaaah", "mmm", "nanana" of any language; empty for real words."""
    plain = word.lower().strip("'")
    for pattern, slots in _VOCALISES:
        if pattern.fullmatch(plain):
            return slots
    joined = plain.replace("-", "")
    if chain := _CHAIN.fullmatch(joined):
        syllable, *consonants = chain.groups()
        sounds = f"{_CONSONANTS[next(filter(None, consonants))]} {_VOWELS_OF_CHAINS[syllable[-1]]}"
        return read_slots(sounds) * len(re.findall(syllable, joined))
    return ()


def is_vocalise(word: str) -> bool:
    """Return whether a word is a vocalise, or one of the syllables that are sung in place of words:
    "la", "da", "dum"."""
    parts = word.lower().strip("'").replace("-", " ").split()
    return all(vocalise(part) or _SYLLABLE.fullmatch(part) for part in parts)


def sung(word: str, read: tuple[Slot, ...], language: str) -> Iterator[tuple[Slot, ...]]:
    """Yield the pronunciations of a word in singing: at least as read, the likelier first.

    Parameters
    ----------
    word : str
        As spelled, without punctuation.
    read : tuple of slots
        Its pronunciation by the voice.
    language : str
        "en", "fr" …: decides which forms there are.
    """
    if language == "en":
        if len(read) > len(_ING) and read[-2:] == (("IH",), ("NG",)) and _has_vowel(read[:-2]):
            read = (*read[:-1], _DROPPED_G)
        form = _ENGLISH.get(word.lower().strip("'"), read)
        if len(form) != len(read):
            yield read
        yield form
    else:
        yield read


def _has_vowel(slots: tuple[Slot, ...]) -> bool:
    return any(slot[0] in VOWELS for slot in slots)
