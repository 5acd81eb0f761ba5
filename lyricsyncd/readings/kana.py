"""Transcribe kana into IPA and Hepburn, mora by mora."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_ROWS = {
    "": "アイウエオ",
    "k": "カキクケコ",
    "g": "ガギグゲゴ",
    "s": "サ_スセソ",
    "z": "ザ_ズゼゾ",
    "t": "タ__テト",
    "d": "ダ__デド",
    "n": "ナニヌネノ",
    "h": "ハ__ヘホ",
    "b": "バビブベボ",
    "p": "パピプペポ",
    "m": "マミムメモ",
    "r": "ラリルレロ",
    "y": "ヤ_ユ_ヨ",
    "w": "ワ___ヲ",
    "v": "__ヴ__",
}
_MORAE: dict[str, tuple[str, str]] = {
    kana: (consonant, vowel)
    for consonant, row in _ROWS.items()
    for kana, vowel in zip(row, "aiueo", strict=True)
    if kana != "_"
} | {
    "シ": ("sh", "i"),
    "ジ": ("j", "i"),
    "チ": ("ch", "i"),
    "ヂ": ("j", "i"),
    "ツ": ("ts", "u"),
    "ヅ": ("z", "u"),
    "ヒ": ("h", "i"),
    "フ": ("f", "u"),
    "ヲ": ("", "o"),
    "ヰ": ("", "i"),
    "ヱ": ("", "e"),
    "ヮ": ("w", "a"),
    "ヵ": ("k", "a"),
    "ヶ": ("k", "e"),
}
"""Katakana → consonant and vowel, as Hepburn writes them."""

_SMALL_VOWELS = dict(zip("ァィゥェォ", "aiueo", strict=True))
_GLIDES = dict(zip("ャュョ", "auo", strict=True))
_IPA = {
    "y": "j",
    "r": "ɾ",
    "g": "ɡ",
    "sh": "ɕ",
    "ch": "tɕ",
    "j": "dʑ",
    "f": "ɸ",
    "ny": "ɲ",
    "hy": "ç",
}
_VOWELS = {"u": "ɯ"}
_LONG = str.maketrans("aiueo", "āīūēō")
SIGNS = frozenset("ァィゥェォャュョヮーンッ")
"""Kana that are written after the first of a mora, or stand for no vowel of their own."""


def katakana(text: str) -> str:
    """Write hiragana, and half-width katakana, as katakana."""
    text = unicodedata.normalize("NFKC", text)
    return "".join(
        chr(ord(c) + 0x60) if "ぁ" <= c <= "ゖ" or c in "ゝゞ" else c for c in text
    ).replace("ヽ", "")


def morae(kana: str) -> list[str]:
    """Divide katakana into morae: "トーキョー" is "ト", "ー", "キョ", "ー"."""
    return re.findall(r"[^ァィゥェォャュョヮ][ァィゥェォャュョヮ]*|.", kana)


def transcribed(kana: str) -> tuple[str, str]:
    """Return IPA and Hepburn of katakana.

    >>> transcribed("ヨゾラ")
    ('jozoɾa', 'yozora')
    """
    sounds = list(_sounds(kana))
    ipa = latin = ""
    for at, (consonant, vowel) in enumerate(sounds):
        after = sounds[at + 1][0] if at + 1 < len(sounds) else ""
        follows = at + 1 < len(sounds)
        if consonant == "N":
            ipa += _nasal(after, follows)
            latin += "n'" if follows and after in ("", "y") else "n"
        elif consonant == "Q":
            doubled = after[:1] if follows else ""
            ipa += {"sh": "ɕ", "ch": "t", "j": "d"}.get(after, _IPA.get(doubled, doubled))
            latin += "t" if after == "ch" else doubled
        elif vowel == "ː":
            if ipa and ipa[-1] in "aiɯeo":
                ipa += "ː"
                latin = latin[:-1] + latin[-1].translate(_LONG)
        else:
            ipa += _ipa(consonant, vowel)
            latin += consonant + vowel
    return ipa, latin


def _ipa(consonant: str, vowel: str) -> str:
    sound = _VOWELS.get(vowel, vowel)
    if consonant == "h" and vowel == "i":
        return "çi"
    if consonant in _IPA:
        return _IPA[consonant] + sound
    if len(consonant) > 1 and consonant.endswith("y"):
        return _IPA.get(consonant[0], consonant[0]) + "j" + sound
    return _IPA.get(consonant, consonant) + sound


def _nasal(after: str, follows: bool) -> str:
    """Pronounce the syllabic nasal before a consonant."""
    if not follows:
        return "ɴ"
    if after[:1] in ("p", "b", "m"):
        return "m"
    if after[:1] in ("k", "g"):
        return "ŋ"
    return "n" if after[:1] in ("t", "d", "n", "r", "c", "j", "z") else "ɴ"


def _sounds(kana: str) -> Iterator[tuple[str, str]]:
    """Yield consonant and vowel of each mora; "N", "Q" and "ː" for the special ones."""
    for mora in morae(kana):
        first, rest = mora[0], mora[1:]
        if first in "ンッー":
            yield {"ン": "N", "ッ": "Q", "ー": ""}[first], "ː" if first == "ー" else ""
            continue
        consonant, vowel = _MORAE.get(first, ("", _SMALL_VOWELS.get(first, "")))
        for sign in rest:
            if sign in _GLIDES:
                vowel = _GLIDES[sign]
                consonant += "" if consonant in ("sh", "ch", "j") else "y"
            elif sign in _SMALL_VOWELS:
                if consonant == "" and vowel == "u":
                    consonant = "w"  # ウィ
                vowel = _SMALL_VOWELS[sign]
        if vowel:
            yield consonant, vowel


def vowel(latin: str) -> str:
    """Return the kana of a vowel that a romanised mora ends in; "" for any other letter."""
    plain = latin.translate(_CIRCUMFLEX)
    return dict(zip("aiueo", "アイウエオ", strict=True)).get(plain, "")


def lengthened(kana: str) -> str:
    """Write vowels that lengthen the one before as the long mark: "トウキョウ" is "トーキョー"."""
    result: list[str] = []
    before = ""
    for mora in morae(kana):
        sound = list(_sounds(mora))
        consonant, vowel = sound[0] if sound else ("", "")
        if consonant == "" and (before, vowel) in _LENGTHENS:
            result.append("ー")
        else:
            result.append(mora)
            before = vowel
    return "".join(result)


_LENGTHENS = frozenset(
    {("o", "u"), ("e", "i"), ("a", "a"), ("i", "i"), ("u", "u"), ("o", "o"), ("e", "e")}
)


_ROMAJI = re.compile(
    r"(?P<n>n'|n(?![aiueoy])|m(?=[pbm]))|(?P<q>([kstpgdbcz])(?=\3)|t(?=ch))|"
    r"(?P<c>sh|ch|ts|[kgnhbpmr]y|[kgsztdnhbpmrywjf])?(?P<v>[aiueoāīūēōâîûêô])|(?P<long>-)"
)
_CIRCUMFLEX = str.maketrans("āīūēōâîûêô", "aiueoaiueo")
_FROM_KUNREI = {("s", "i"): "sh", ("t", "i"): "ch", ("t", "u"): "ts", ("h", "u"): "f"}


def from_romaji(word: str) -> str | None:
    """Transcribe romanised Japanese into IPA; ``None`` for what cannot be that.

    >>> from_romaji("watashi")
    'wataɕi'
    """
    at, ipa, last = 0, "", ""
    text = word.lower()
    matches: list[re.Match[str]] = []
    while at < len(text):
        match = _ROMAJI.match(text, at)
        if match is None:
            return None
        matches.append(match)
        at = match.end()
    for i, match in enumerate(matches):
        after = matches[i + 1]["c"] or "" if i + 1 < len(matches) else ""
        if match["n"]:
            ipa, last = ipa + _nasal(after, i + 1 < len(matches)), ""
        elif match["q"]:
            ipa += {"s": "ɕ" if after == "sh" else "s", "g": "ɡ"}.get(match["q"], match["q"])
        elif match["long"]:
            ipa += "ː" if last else ""
        else:
            vowel = match["v"].translate(_CIRCUMFLEX)
            consonant = match["c"] or ""
            if not consonant and (last, vowel) in _LENGTHENS:
                ipa += "ː"
                continue
            ipa += _ipa(_FROM_KUNREI.get((consonant, vowel), consonant), vowel)
            ipa += "ː" if match["v"] not in "aiueo" else ""
            last = vowel
    return ipa or None
