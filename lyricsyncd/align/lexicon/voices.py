"""Choose the espeak-ng voice for a language and a script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from lyricsyncd.align.lexicon import espeak
from lyricsyncd.readings import script_of

ENGLISH = "en-us"
ROMANISED = "sw"
"""Swahili spelling is close to the common romanisations of Japanese, Korean or Russian: it reads
"watashi" and "tsuki" correctly."""

# Languages that a voice reads besides its own: Brazilian for Portuguese, with many more songs;
# languages without a voice have that of their nearest relative.
_ALSO_READS = {
    ENGLISH: "en",
    "fr-fr": "fr br",
    "fr-be": "wa",
    "pt-br": "pt",
    "pt": "gl",
    "ca": "oc",
    "es": "ast",
    "it": "co sc scn nap rm",
    "de": "gsw nds",
    "nl": "fy li",
    "nb": "no nn",
    "is": "fo",
    "ru": "tg mn",
    "sr": "sh",
    "kk": "kaa",
    "he": "iw yi",
    "ur": "ps",
    "cmn": "zh",
    "id": "in jv su tl fil mg th",
    "haw": "sm to ty",
    "sw": "xh zu rw ln yo ig ha",
    "tn": "st",
    "om": "so",
}
_VOICES = {tag: voice for voice, tags in _ALSO_READS.items() for tag in tags.split()}
_REGIONS = {"pt-pt": "pt", "zh-hk": "yue"}

__all__ = ["ENGLISH", "LATIN", "ROMANISED", "reader", "romanised", "script_of", "script_runs"]
__all__ += ["scripts_of", "voice_of"]

LATIN = "LATIN"
# Scripts by the first word of their characters' names, and the voice for them in a song of another
# script. Thai is left out: its voice has next to no vowels.
_SCRIPTS = {
    LATIN: ENGLISH,
    "CYRILLIC": "ru",
    "GREEK": "el",
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "CJK": "cmn",
    "ARABIC": "ar",
    "HEBREW": "he",
    "DEVANAGARI": "hi",
    "BENGALI": "bn",
    "GURMUKHI": "pa",
    "GUJARATI": "gu",
    "ORIYA": "or",
    "TAMIL": "ta",
    "TELUGU": "te",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "SINHALA": "si",
    "MYANMAR": "my",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
    "ETHIOPIC": "am",
    "CHEROKEE": "chr-us-qaaa-x-west",
}

# Which of those scripts a voice reads itself; all others read Latin.
_READS = {
    "CYRILLIC": "ru ru-lv ru-cl uk be bg mk sr kk ky tt ba cv nog",
    "GREEK": "el grc",
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "CJK": "cmn yue",
    "ARABIC": "ar fa ur ug sd",
    "HEBREW": "he",
    "DEVANAGARI": "hi mr ne kok",
    "BENGALI": "bn as bpy",
    "ETHIOPIC": "am ti",
    "MYANMAR": "my shn",
    "ARMENIAN": "hy",
}
_BOTH_SCRIPTS = frozenset({"sr"})

_LETTER_NAME = re.compile(
    r"(?:LETTER|SYLLABLE|CHARACTER|SIGN|SARA|MAI)(?: (?:SMALL|CAPITAL|SARA))* ([A-Z]{1,4})\b"
)


def voice_of(language: str | None) -> str:
    """Return the voice for a song's language (ISO 639-1, with or without a region).

    A language without a voice is read by that of its nearest relative, or else in English.
    """
    if language is None:
        return ENGLISH
    tag = language.strip().lower().replace("_", "-")
    main = tag.partition("-")[0]
    voice = _REGIONS.get(tag) or _VOICES.get(main, main)
    return voice if voice in espeak.voices() else ENGLISH


def is_known(language: str) -> bool:
    """Return whether a voice reads a language: its own, or its nearest relative's."""
    return _VOICES.get(language, language) in espeak.voices()


def reader(script: str, voice: str) -> str | None:
    """Return the voice for words of a script in a song of ``voice``; ``None`` if there is none."""
    return voice if script in scripts_of(voice) else _SCRIPTS.get(script)


@cache
def scripts_of(voice: str) -> frozenset[str]:
    """Return the scripts that a voice reads by itself."""
    own = {script for script, readers in _READS.items() if voice in readers.split()}
    own |= {script for script, reader in _SCRIPTS.items() if reader == voice}
    return frozenset(own | {LATIN} if not own or voice in _BOTH_SCRIPTS else own)


def script_runs(text: str) -> Iterator[tuple[str, str]]:
    """Cut a text where its script changes; yield (script, piece).

    Digits, apostrophes, spaces and marks go with the letters before them, or, at the start, with
    those after; without any letter the script is "".
    """
    run, script = "", ""
    for character in text:
        own = script_of(character)
        if own and script and own != script:
            yield script, run
            run = ""
        run += character
        script = own or script
    if run:
        yield script, run


def romanised(letter: str) -> str:
    """Romanise a letter by its Unicode name: "LAO LETTER KO" is "k"; "" for most marks.

    The last resort, for scripts that no voice reads.
    """
    bare = unicodedata.normalize("NFKD", letter)[0]
    if bare.isascii():
        return bare.lower() if bare.isalpha() else ""
    script, _, name = unicodedata.name(letter, "").partition(" ")
    found = _LETTER_NAME.search(name)
    if not found:
        return ""
    sound = found[1].lower()
    # Thai and Lao consonants are named with an "o" that is not sung.
    return (
        sound[:-1] if script in ("THAI", "LAO") and len(sound) > 1 and sound[-1] == "o" else sound
    )
