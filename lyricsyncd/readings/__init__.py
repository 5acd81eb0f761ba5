"""Read words in the languages whose spelling says too little: a module per language.

Japanese, Chinese, Thai, Korean, Hebrew and Arabic have readers of their own; all other languages
are read by espeak-ng (`lyricsyncd.align.lexicon`). The libraries of some are extras: without them a
line is read by what is there (kana, letters, espeak-ng's voice), and `missing` names the extra.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from lyricsyncd.readings import (
    arabic,
    cantonese,
    hebrew,
    japanese,
    kana,
    korean,
    mandarin,
    numerals,
    thai,
)
from lyricsyncd.readings.base import Reader, Reading

__all__ = [
    "EXTRAS",
    "LATIN",
    "Extra",
    "Read",
    "Reading",
    "advice",
    "divided",
    "from_latin",
    "language_of",
    "missing",
]
__all__ += ["read", "readers", "romanised", "script_of"]

LATIN = "romanisation"
"""Reader of romanised words."""

_SCRIPTS = {
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "THAI": "th",
    "HEBREW": "he",
    "ARABIC": "ar",
}
_HAN = "CJK"
_OF_HAN = ("zh", "ja", "yue")
_WRITE_ARABIC = frozenset("fa ur ps ug sd ku".split())
"""Languages whose own voices read Arabic letters."""
_MOST = 3


@dataclass(frozen=True, slots=True)
class Extra:
    """An extra of the package that reads a language well."""

    name: str
    language: str
    """In English."""
    instead: str
    """How it is read otherwise."""


EXTRAS = {
    "ja": Extra("ja", "Japanese", "kana are read, other characters guessed"),
    "zh": Extra("zh", "Chinese", "each character has one reading, by espeak-ng"),
    "yue": Extra("yue", "Cantonese", "each character has one reading, by espeak-ng"),
    "th": Extra("th", "Thai", "it is read letter by letter, and not divided into words"),
    "ar": Extra("ar", "Arabic", "short vowels are guessed"),
}
"""Language → its extra, in `pyproject.toml`."""


def language_of(tag: str | None) -> str | None:
    """Return the language of a tag as the readers name it: "zh-HK" is "yue", "pt-BR" is "pt"."""
    if not tag:
        return None
    plain = tag.strip().lower().replace("_", "-")
    if plain.startswith("yue") or plain in ("zh-hk", "zh-mo", "zh-yue"):
        return "yue"
    main = plain.partition("-")[0]
    return {"iw": "he", "cmn": "zh", "jp": "ja", "kr": "ko"}.get(main, main)


def missing(language: str | None) -> Extra | None:
    """Return the extra that would read a language, where it is not installed."""
    tag = language_of(language)
    return EXTRAS[tag] if tag in EXTRAS and not _installed(tag) else None


@cache
def _installed(language: str) -> bool:
    checks: dict[str, Callable[[], bool]] = {
        "ja": japanese.installed,
        "zh": mandarin.installed,
        "yue": cantonese.installed,
        "th": thai.installed,
        "ar": arabic.installed,
    }
    return checks[language]()


def advice(language: str | None) -> str | None:
    """Say in one line what a missing extra costs, and how to install it; ``None`` if none is."""
    extra = missing(language)
    if extra is None:
        return None
    return (
        f"{extra.language} is read without its libraries: {extra.instead}. "
        f"Better: pip install 'lyricsyncd[{extra.name}]'"
    )


_AS_TYPED = 4
"""Characters of a Chinese text that is taken for one word."""


def divided(line: str, language: str | None) -> list[str]:
    """Divide a line into words as they are read: by spaces, and where there are none by meaning.

    Words are placed in other pieces, Chinese and Japanese a character at a time
    (`lyricsyncd.text.words.split`).
    """
    song = language_of(language)
    kana = any(script_of(c) in ("HIRAGANA", "KATAKANA") for c in line)
    found: list[str] = []
    for token in line.split():
        scripts = {script_of(c) for c in token}
        if scripts & {"HIRAGANA", "KATAKANA"} or (_HAN in scripts and (kana or song == "ja")):
            found += japanese.phrases(token)
        elif _HAN in scripts and len(token) > _AS_TYPED and _installed("zh"):
            found += mandarin.phrases(token)
        elif "THAI" in scripts:
            found += thai.split(token)
        else:
            found.append(token)
    return [word for word in found if word.strip()]


def readers(language: str) -> Reader | None:
    """Return the reader of a language; ``None`` where there is none, or its extra is missing."""
    if language in ("zh", "yue") and not _installed(language):
        return None
    found: dict[str, Reader] = {
        "ja": japanese.read,
        "zh": mandarin.read,
        "yue": cantonese.read,
        "ko": korean.read,
        "th": thai.read,
        "he": hebrew.read,
        "ar": arabic.read,
    }
    return found.get(language)


@dataclass(frozen=True, slots=True)
class Read:
    """A reading, and the language that it is in."""

    reading: Reading
    language: str


def read(words: Sequence[str], language: str | None) -> list[tuple[Read, ...] | None]:
    """Read the words of a line.

    Parameters
    ----------
    words : sequence of str
        As the lyrics have them.
    language : str or None
        That of the song. Where it says nothing about Chinese characters, they are read in every
        language that has them.

    Returns
    -------
    list of tuples of Read, or None
        For each word its readings, the likelier first; an empty tuple for what is not sung, such
        as furigana, and ``None`` for what no reader has read.
    """
    song = language_of(language)
    plain = [unicodedata.normalize("NFKC", word) for word in words]
    scripts = [frozenset(filter(None, map(script_of, word))) for word in plain]
    kana = any(script & {"HIRAGANA", "KATAKANA"} for script in scripts)
    languages = [_languages(script, song, kana=kana) for script in scripts]
    found: list[tuple[Read, ...] | None] = [None] * len(words)
    for each in dict.fromkeys(code for codes in languages for code in codes):
        reader = readers(each)
        if reader is None:
            continue
        chosen = [at for at, codes in enumerate(languages) if each in codes]
        for run in _runs(chosen):
            texts = [plain[at] for at in run]
            texts = [numerals.in_words(text, each) for text in texts]
            for at, readings in zip(run, reader(texts), strict=True):
                read_so = tuple(Read(reading, each) for reading in readings)
                found[at] = (found[at] or ()) + read_so
    return [None if readings is None else _mixed(readings) for readings in found]


def romanised(line: str, language: str | None) -> str | None:
    """Romanise a line by the system that is usual for its language: Hepburn, pinyin, Revised
    Romanisation, RTGS …

    Returns
    -------
    str or None
        ``None`` where nothing in the line is read by a reader.
    """
    song = language_of(language)
    kana_there = any(script_of(c) in ("HIRAGANA", "KATAKANA") for c in line)
    if kana_there or (song == "ja" and any(script_of(c) == _HAN for c in line)):
        plain = unicodedata.normalize("NFKC", line)
        return " ".join(japanese.romanised(token) for token in plain.split())
    words = divided(line, language)
    found = read(words, language)
    if not any(found):
        return None
    latin = (
        ways[0].reading.romanised if ways else word
        for word, ways in zip(words, found, strict=True)
        if ways or any(character.isalnum() for character in word)
    )
    return " ".join(latin)


def from_latin(word: str, language: str) -> str | None:
    """Transcribe a romanised word into IPA; ``None`` for what cannot be one of the language."""
    systems = {
        "ja": kana.from_romaji,
        "ko": korean.from_latin,
        **dict.fromkeys(("zh", "cmn"), mandarin.from_pinyin),
    }
    return systems[language](word) if language in systems else None


def _runs(numbers: Sequence[int]) -> list[list[int]]:
    """Group numbers that follow one another."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _languages(scripts: frozenset[str], song: str | None, *, kana: bool) -> tuple[str, ...]:
    """Return the languages that a word of these scripts is read in, the likelier first."""
    if not scripts:
        # Numbers, and the punctuation that joins what stands beside it.
        return (song,) if song in numerals.LANGUAGES else ()
    if not scripts <= {*_SCRIPTS, _HAN}:
        return ()
    if scripts == {_HAN}:
        if kana and song != "ja":
            return ("ja", song) if song in _OF_HAN else ("ja", "zh")
        return (song,) if song in _OF_HAN else _OF_HAN
    if scripts <= {"HIRAGANA", "KATAKANA", _HAN}:
        return ("ja",)
    if len(scripts) > 1:
        return ()
    (script,) = scripts
    return () if script == "ARABIC" and song in _WRITE_ARABIC else (_SCRIPTS[script],)


def _mixed(readings: tuple[Read, ...]) -> tuple[Read, ...]:
    """Choose among the readings of several languages: the first of each, then the others."""
    known = tuple(each for each in readings if japanese.UNKNOWN not in each.reading.ipa)
    readings = known if known and len({each.language for each in readings}) > 1 else readings
    firsts = {each.language: each for each in reversed(readings)}
    ordered = [*(each for each in readings if firsts[each.language] is each), *readings]
    unique = {each.reading.ipa: each for each in reversed(ordered)}
    return tuple(each for each in dict.fromkeys(ordered) if unique[each.reading.ipa] is each)[
        :_MOST
    ]


@cache
def script_of(character: str) -> str:
    """Return the script of a letter, the first word of its Unicode name; "" for anything else."""
    if character in "〇々":
        return _HAN
    if not character.isalpha():
        return ""
    script = unicodedata.name(character, "").partition(" ")[0]
    # The sign that lengthens a vowel of either kana.
    return "KATAKANA" if script == "KATAKANA-HIRAGANA" else script
