"""Mend what voices of espeak-ng misread, and write what they print as plain IPA.

``SPELLINGS`` are applied to the text before a voice reads it, ``SOUNDS`` to what it prints. The
voices of English, French, Spanish and German have none: their phones were tuned on songs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lyricsyncd.readings.base import pairs

Rules = tuple[tuple[re.Pattern[str], str], ...]


def _rules(*pairs: tuple[str, str]) -> Rules:
    return tuple((re.compile(pattern), replacement) for pattern, replacement in pairs)


_VOWELS = "aeiouɐɔɛɪʊəɨy"
SPELLINGS: Mapping[str, Rules] = {
    "bn": _rules(
        *(("র্য", "র্জ"), ("জ্যো", "জো"), ("(?<=[াী])ত$", "ত্"), ("শ্ব", "শ্শ"), ("ত্ব", "ত্ত")),
        *(("[ষশ]্ম", "শ্শ"), ("^স্ম", "স"), ("ক্ষ্ম", "ক্খ"), ("ত্ম", "ত্ত"), ("দ্ম", "দ্দ")),
        ("(?<=...)্যা", "া"),
        ("^(কে|যে|হে)ন$", "\\1নো"),
        # Verbs end in a vowel that nouns of the same letters have not.
        ("^((?:আ|বা)?ছি|গে|এ|হ|দি|নি|কর|বল|চল|এসেছি)ল$", "\\1লো"),
        ("^(যা|পা|খা|চা|গা|দে|নে|হ|র|থাক|কর|বল|চল|দেখ|শুন|আস|জান|রাখ|ভুল)ব$", "\\1বো"),
        # Normalisation takes these letters apart; before a vowel the voice knows them only whole.
        ("\u09a1\u09bc", "\u09dc"),
        ("\u09a2\u09bc", "\u09dd"),
        ("ি\u09af\u09bc$", "ি\u09dfো"),
        ("\u09af\u09bc(?=[\u09be-\u09cc])", "\u09df"),
    ),
    "hi": _rules(("^वह$", "वो"), ("^यह$", "ये"), ("ं(?=[तथदध])", "न्")),
    # The voice voices consonants before "в", which speakers do not.
    "uk": _rules(("(?<=[кпстфхцчшщ])в", "ьв")),
    "ru": _rules(
        *(("(?<=[сС])олнц", "онц"), ("(?<=у)вств", "ств"), ("(?<=ра)вств", "ств")),
        *(("(?<=[зс])д(?=н)", ""), ("(?<=с)т(?=[нл])", ""), ("(?<=[её])г(?=к)", "х")),
    ),
    "id": _rules(("^ng$", "nang"), ("^mga$", "manga")),
    # Words without a vowel or "r" it would spell out.
    "cs": _rules(
        ("kd", "gd"),
        ("^([^aeiouyáéíóúůýěr]+)l([^aeiouyáéíóúůýěr]*)$", "\\1ul\\2"),
    ),
}
_ASPIRATED = (("ph", "pʰ"), ("th", "tʰ"), ("kh", "kʰ"), ("tsh", "tsʰ"))
_HINDI = "aeiouəɛɔɪʊː\u0303"
_ONE = f"(?:tʃ|dʒ|[^{_HINDI}ʰ])ʰ?"
SOUNDS: Mapping[str, Rules] = {
    "cmn": _rules(
        *(("ts\\.h", "ʈʂʰ"), ("ts\\.", "ʈʂ"), ("s\\.", "ʂ"), ("r\\.", "ʐ"), ("i\\.", "ɨ")),
        *(("tɕh", "tɕʰ"), ("χ", "x"), ("ɜ", "")),
        *_ASPIRATED,
    ),
    "yue": _rules(*_ASPIRATED, ("n[gɡ]", "ŋ"), ("oe", "œ"), ("ɜ", "")),
    "hak": _rules(*_ASPIRATED, ("n[gɡ]", "ŋ"), ("ɜ", "")),
    "vi": _rules(("ɜ", ""), ("y", "ɨ"), ("c$", "k"), ("əɪ", "əj")),
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
    # A soft "r" is printed with a vowel, where the letter after it is a sign.
    "ru": _rules(("rɪ", "rʲ"), ("y", "ɨ"), ("ʑ", "zʲ"), ("ɭ", "l"), ("jj", "j"), ("tʃʲ", "tɕ")),
    "uk": _rules(
        (f"(?<=[{_VOWELS}])β(?![{_VOWELS}])", "w"),
        ("β", "ʋ"),
        (f"([{_VOWELS}]ː?)f(?=[ptkxsʃ])", "\\1w"),
    ),
    "fa": _rules(("a", "æ"), ("eː$", "e"), ("i(?=[ɑæeou])", "ij")),
    "bn": _rules(
        *(("f", "pʰ"), ("ɟ", "dʒ"), ("ɔ$", "o"), ("i(?=[aeo])", "ij"), ("(?<=[eɔ])e", "je")),
        # The vowel that no sign shows is dropped within words, mostly after one that is shown.
        ("([aeiouæ]\u0303?(?:tʃ|dʒ|[^aeiouæɔ\u0303])ʰ?)ɔ(?=[rɾl]a|ni)", "\\1"),
        ("([aeiouæɔ]\u0303?(?:tʃ|dʒ|[^aeiouæɔ\u0303])ʰ?)ɔ(?=[tb]e|ʃa|dʒa)", "\\1"),
        ("([aeiouæ]\u0303?(?:tʃ|dʒ|[^aeiouæɔ\u0303])ʰ?)ɔ(?=(?:l|tʃʰ)[eo])", "\\1"),
    ),
    "hu": _rules(("ɑ", "ɒ")),
    "cs": _rules(("dʑ", "dz"), ("v$", "f")),
    "it": _rules(("ɪ(?=[aeiouɛɔ])", "j")),
    "hi": _rules(
        *(("c", "tʃ"), ("ɟ", "dʒ"), ("ʌ", "ə"), ("ɛj$", "əj"), ("\u0303n(?=d)", "\u0303")),
        # A short vowel between a vowel with one consonant and one consonant with a vowel is
        # dropped, the last in a word first.
        *[(f"(.*[{_HINDI}]{_ONE})ə(?={_ONE}[{_HINDI}])", "\\1")] * 2,
    ),
    "el": _rules(("s(?=[mvðɣbdɡ])", "z")),
    "sv": _rules(("sx", "ɧ"), ("(?<=...)ɔr$", "ʊr")),
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


_BALKAN = "s s  k k  v v  z z  с s  к k  в v  з z"
_LETTERS: Mapping[str, Mapping[str, str]] = {
    voice: pairs(cells)
    for voice, cells in {
        "fr": "y i  ô o  é e  ê ɛ",
        "es": "é e",
        "pt": "é ɛ  è ɛ  ê e  à a  á a  ó ɔ  ò ɔ  ô o  e i  o u",
        "el": "η i  ή i  ο o  ό o  ω o  ώ o",
        "pl": "w v  z z",
        **dict.fromkeys(("cs", "sk"), "v v  k k  s s  z z  á a"),
        **dict.fromkeys(("hr", "bs", "sr", "sl", "mk", "bg"), _BALKAN),
        "ru": "в v  с s  к k  б b  ж ʐ",
        "be": "с s  к k  у w",
        "hu": "s ʃ",
    }.items()
}
"""Voice → words of one letter, which it would call by the letter's name."""


def letter(text: str, voice: str) -> str | None:
    """Return the sound of a word of one letter; ``None`` where the voice knows it as a word."""
    return _LETTERS.get(voice.partition("-")[0], {}).get(text.lower())


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
