"""Every sound that espeak-ng can print has a place among the acoustic model's phones."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from lyricsyncd.align.lexicon import espeak, phones, voices


def said(symbols: str, language: str) -> str:
    """Slots in short form, of phonemes parted by spaces."""
    return " ".join("|".join(slot) for slot in phones.slots(symbols.split(), language))


def letters(script: str) -> list[str]:
    """The lower-case letters and vowel signs of a script; of Han and Hangul a sample."""
    first_page = (chr(code) for code in range(0x41, sys.maxunicode) if code < 0xD7B0)
    found = [c for c in first_page if unicodedata.name(c, "").startswith(f"{script} ")]
    lower = [c for c in found if unicodedata.category(c)[0] in "LM" and c == c.lower()]
    return lower[:: 1 + len(lower) // 1000]


@pytest.mark.parametrize(
    ("symbols", "language", "slots"),
    [
        ("b ɔ̃ ʒ ˈu ʁ", "fr-fr", "B OW|AO N|NG ZH UW|UH R|HH"),
        ("l ˈy n", "fr-fr", "L UW|IY N"),
        ("ˈi ç", "de", "IY SH|HH"),
        ("ts aɪ t", "de", "T S AY T"),
        ("x u ɣ ˈa ɾ", "es", "HH|K UW|UH G AA|AH|AE R|D"),
        ("k o ɾ a s ɐ̃ʊ̃", "pt-br", "K OW|AO R|D AA|AH|AE S AW N|NG"),
        ("w ˈɔː ɾ ɚ", "en-us", "W AO D|T ER"),
        ("f ˈaɪɚ", "en-us", "F AY ER"),
        ("b ˈʌ ʔ n̩", "en-us", "B AH T AH N"),
        ("pʲ rʲ i vʲ ˈe t", "ru", "P R|D IY V EY|EH T"),
        ("ts. o nɡ5", "cmn", "JH|CH OW|AO NG"),
        ("(en) l ˈʌ v (fr)", "en", "L AH V"),
    ],
)
def test_sounds_become_the_nearest_phones(symbols: str, language: str, slots: str) -> None:
    assert said(symbols, language) == slots


def test_two_phonemes_are_never_read_as_one() -> None:
    assert said("t ʃ", "de") == "T SH"
    assert said("tʃ", "de") == "CH"


def test_a_doubled_sound_is_one_long_sound() -> None:
    assert said("ɑɑ ssː", "fi") == "AA|AO S"


def test_marks_make_no_sound() -> None:
    assert said("ˈ ˌ ː (en) ʔ 5", "de") == ""


def test_a_symbol_without_a_place_is_reported() -> None:
    assert phones.unknown(["a", "♞", "(en)", "ˈ"], "de") == ("♞",)


def test_all_tables_hold_phones_of_the_model_only() -> None:
    tables = [phones._table_of(language) for language in ("", *phones._LANGUAGES)]
    sounds = [slots for table in tables for slots in table.values()]
    assert {phone for slots in sounds for slot in slots for phone in slot} <= phones.PHONES
    assert all(1 <= len(slot) <= 3 for slots in sounds for slot in slots)


@pytest.mark.parametrize("voice", sorted(espeak.voices()))
def test_no_voice_prints_a_symbol_without_a_place(voice: str) -> None:
    for script in voices.scripts_of(voice):
        alphabet = letters(script)
        following = [*alphabet[1:], *alphabet[:1]]
        words = [*alphabet, *map("".join, zip(alphabet, following, strict=True))]
        if script == voices.LATIN:
            basic = "abcdefghijklmnopqrstuvwxyz"
            words += [a + b for a in basic for b in basic]
            words += [f"{a}{letter}{a}" for letter in alphabet for a in "ae"]
        for word in words:
            tokens = espeak.transcribe(word, voice)
            assert phones.unknown(tokens, voice) == (), f"{word}: {tokens}"
