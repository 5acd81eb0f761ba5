"""Mend what voices of espeak-ng misread, and write what they print as plain IPA.

``SPELLINGS`` are applied to the text before a voice reads it, ``SOUNDS`` to what it prints. The
voices of English, French, Spanish and German have none: their phones were tuned on songs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Rules = tuple[tuple[re.Pattern[str], str], ...]


def _rules(*pairs: tuple[str, str]) -> Rules:
    return tuple((re.compile(pattern), replacement) for pattern, replacement in pairs)


_VOWELS = "aeiouɐɔɛɪʊəɨy"
SPELLINGS: Mapping[str, Rules] = {
    "bn": _rules(
        *(("র্য", "র্জ"), ("জ্যো", "জো"), ("(?<=া)ত$", "ত্"), ("শ্ব", "শ্শ"), ("ত্ব", "ত্ত")),
        ("^(কে|যে|হে)ন$", "\\1নো"),
        # Normalisation takes this letter apart; before a vowel the voice knows it only whole.
        ("\u09af\u09bc(?=[\u09be-\u09cc])", "\u09df"),
    ),
    "hi": _rules(("^वह$", "वो"), ("^यह$", "ये"), ("ं(?=[तथदध])", "न्")),
    # The voice voices consonants before "в", which speakers do not.
    "uk": _rules(("(?<=[кпстфхцчшщ])в", "ьв")),
    "ru": _rules(
        *(("(?<=[сС])олнц", "онц"), ("(?<=у)вств", "ств"), ("(?<=ра)вств", "ств")),
        *(("(?<=[зс])д(?=н)", ""), ("(?<=с)т(?=[нл])", ""), ("(?<=[её])г(?=к)", "х")),
        ("(?<=[ое])го$", "во"),
    ),
    "id": _rules(("^ng$", "nang"), ("^mga$", "manga")),
    "cs": _rules(("kd", "gd")),
}
_ASPIRATED = (("ph", "pʰ"), ("th", "tʰ"), ("kh", "kʰ"), ("tsh", "tsʰ"))
SOUNDS: Mapping[str, Rules] = {
    "cmn": _rules(
        *(("ts\\.h", "ʈʂʰ"), ("ts\\.", "ʈʂ"), ("s\\.", "ʂ"), ("r\\.", "ʐ"), ("i\\.", "ɨ")),
        *(("tɕh", "tɕʰ"), ("χ", "x"), ("ɜ", "")),
        *_ASPIRATED,
    ),
    "yue": _rules(*_ASPIRATED, ("n[gɡ]", "ŋ"), ("oe", "œ"), ("ɜ", "")),
    "hak": _rules(*_ASPIRATED, ("n[gɡ]", "ŋ"), ("ɜ", "")),
    "vi": _rules(("ɜ", ""), ("y", "ɨ"), ("c$", "k")),
    "pt": _rules(
        *(("y", "i"), ("æ", "ɐ"), ("ɪ", "j"), ("(?<=[ae])ʊ", "w"), ("ʊ̃", "w̃"), ("ʊ", "u")),
        *(
            ("(?<=\u0303)ŋ", ""),
            ("ejŋ$", "ẽj"),
            ("ej(?=[mnŋ])", "e"),
            ("(?<=\u0303)i", "j"),
            (f"(?<=[{_VOWELS}])ŋ", "\u0303"),
        ),
        (f"(?<=[{_VOWELS}])l(?![{_VOWELS}j])", "w"),
        (f"lj(?=[{_VOWELS}])", "ʎ"),
        (f"ɾə(?=[^{_VOWELS}])", "ɾ"),
    ),
    "tr": _rules(("ø", "y"), ("[ɪi]j[ɪi]", "iː"), ("æ", "ɛ"), ("ʊ", "u"), ("ɪ", "i")),
    "ru": _rules(("y", "ɨ"), ("ʑ", "zʲ"), ("ɭ", "l"), ("jj", "j"), ("tʃʲ", "tɕ")),
    "uk": _rules((f"(?<=[{_VOWELS}])β(?![{_VOWELS}])", "w"), ("β", "ʋ")),
    "fa": _rules(("a", "æ"), ("eː$", "e")),
    "bn": _rules(("f", "pʰ"), ("ɟ", "dʒ"), ("ɔ$", "o")),
    "hu": _rules(("ɑ", "ɒ")),
    "cs": _rules(("dʑ", "dz")),
    "hi": _rules(("c", "tʃ"), ("ɟ", "dʒ")),
    "el": _rules(("s(?=[mvðɣbdɡ])", "z")),
    "sv": _rules(("sx", "ɧ")),
}
_MARKS = re.compile("[\u02c8\u02cc0-9|_^`\\[\\]#\"'!%*=,;~+\u02e5-\u02e9.-]")


_OTHERWISE: Mapping[str, Rules] = {
    # An unstressed "i" before a vowel, of one syllable in most words.
    "el": _rules(("(?<=[^aeiou])i(?=[aeou])", "j")),
    # As it is said in the south, and sung by many from the north.
    "vi": _rules(("e(?=[ɲk])", "a"), ("z", "j")),
}


def otherwise(plain: str, voice: str) -> str | None:
    """Return another common way to say what a voice read (`sounded`); ``None`` if there is none."""
    text = plain
    for pattern, replacement in _OTHERWISE.get(voice.partition("-")[0], ()):
        text = pattern.sub(replacement, text)
    return None if text == plain else text


def spelled(text: str, voice: str) -> str:
    """Return a word as the voice is to read it."""
    for pattern, replacement in SPELLINGS.get(voice.partition("-")[0], ()):
        text = pattern.sub(replacement, text)
    return text


def is_mended(voice: str) -> bool:
    """Return whether what a voice prints is rewritten before it becomes phones."""
    return voice.partition("-")[0] in SOUNDS


def sounded(printed: str, voice: str) -> str:
    """Return what a voice printed as plain IPA: without stress, tones and its own marks."""
    rules = SOUNDS.get(voice.partition("-")[0], ())
    # Dots of the retroflexes are among the marks of other voices.
    text = printed if voice == "cmn" else _MARKS.sub("", printed)
    for pattern, replacement in rules:
        text = pattern.sub(replacement, text)
    return _MARKS.sub("", text)
