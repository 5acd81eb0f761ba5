"""How the words of lyrics sound: what singers' spelling asks for, in many languages."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lyricsyncd.align.lexicon import MOST_VARIANTS, espeak, pronounce, voices, wordless_lines
from lyricsyncd.align.lexicon.phones import PHONES, VOWELS
from lyricsyncd.align.lexicon.pronunciations import plain, wordings
from lyricsyncd.align.lexicon.words import VOCALISES


def ways(word: str, language: str | None = "en") -> list[str]:
    """The pronunciations of a word that stands alone in its line, in short form."""
    return [str(way) for way in pronounce([[word]], language)[0][0]]


def in_line(line: str, language: str) -> dict[str, list[str]]:
    words = line.split()
    found = pronounce([words], language)[0]
    return {word: [str(way) for way in its] for word, its in zip(words, found, strict=True)}


# ------------------------------------------------------------------------------------- spelling


@pytest.mark.parametrize(
    ("written", "bare"),
    [
        ("“Hello,”", "Hello"),
        ("(ooh)", "ooh"),
        ("l’amour…", "l'amour"),
        ("'cause", "'cause"),
        ("goin'", "goin'"),
        ("you—my", "you-my"),
        ("wait…what", "wait what"),
        ("and/or", "and or"),
        ("-", ""),
        ("♪", ""),
        ("😀❤️", ""),
        ("!!!", ""),
        ("*laughs*", "laughs"),
        ("U.S.A.", "U S A"),
        ("Mr.", "Mr"),
        ("1,000", "1,000"),
        ("soft\u00adhy\u200bphen", "softhyphen"),
        ("ｆｕｌｌ", "full"),
        ("١٢٣", "123"),
        ("cafe\u0301", "café"),
    ],
)
def test_punctuation_and_decoration_are_not_sung(written: str, bare: str) -> None:
    assert plain(written) == bare


@pytest.mark.parametrize(
    ("word", "language", "read"),
    [
        ("f**k", "en", ("fuck",)),
        ("sh*t", "en", ("shit",)),
        ("b****", "en", ("bitch",)),
        ("f***ing", "en", ("fucking",)),
        ("a$$", "en", ("ass",)),
        ("x**z", "en", ("xuz",)),
        ("lo-o-ove", "en", ("love",)),
        ("nooooo", "en", ("no", "noo")),
        ("TV", "en", ("tv", "T V")),
        ("1985", "en", ("19 85", "1985")),
        ("1905", "en", ("19 oh 5", "1905")),
        ("1985", "de", ("1985",)),
        ("808", "en", ("808", "8 0 8")),
        ("$100", "en", ("100 dollars",)),
        ("p'tit", "fr", ("petit", "p'tit")),
    ],
)
def test_numbers_and_signs_are_read_aloud(word: str, language: str, read: tuple[str, ...]) -> None:
    assert wordings(word, language) == read


# ------------------------------------------------------------------------------- pronunciations


def test_english_words_have_english_phones() -> None:
    assert ways("fire") == ["F AY ER"]
    assert ways("world") == ["W ER L D"]
    assert ways("Don’t") == ways("don't") == ["D OW N T"]


def test_little_english_words_have_short_forms() -> None:
    assert ways("the") == ["DH AH|IY"]
    assert ways("and") == ["AE N D", "AH|AE N"]


def test_a_dropped_g_is_pronounced_as_well() -> None:
    assert ways("singing") == ["S IH NG IH NG|N"]
    assert ways("goin'") == ["G OW IH N"]
    assert ways("thing") == ["TH IH NG"]


def test_french_contractions_are_not_taken_for_english() -> None:
    assert ways("j't'aime", "fr")[0] == "ZH AH|UH|ER T EH|AE M"
    assert ways("l'amour", "fr") == ["L AA|AE M UW|UH R|HH"]


@pytest.mark.parametrize(
    "language", ["en", "fr", "de", "es", "ru", "ja", "ko", "zh", "ar", "xx", None]
)
def test_vocalises_sound_alike_in_every_language(language: str | None) -> None:
    assert ways("ooooh", language) == ways("Oooooooh!", language) == ["UW|OW"]
    assert ways("yeaaah", language) == ["Y EH HH"]
    assert ways("hmm", language) == ["AH|M"]
    assert ways("uh-oh", language) == ["AH|AA OW|AO"]


@pytest.mark.parametrize("language", ["en", "fr", "de", "es", "it", None])
@pytest.mark.parametrize(
    ("word", "sound"),
    [
        ("heah!", "HH EH|AE"),
        ("heeeya", "HH EY|EH Y AA|AH"),
        ("yeeehaaw", "Y IY HH AA|AO"),
        ("hoooo", "HH UW|OW"),
        ("uooh", "W OW|AO"),
        ("woohoo", "W UW HH UW"),
        ("Juhuu", "Y UW HH UW"),
        ("uh-huh", "AH|AA HH AH"),
        ("hahaha", "HH AA|AE|AH HH AA|AE|AH HH AA|AE|AH"),
        ("hehe", "HH EH|EY|IY HH EH|EY|IY"),
        ("Nananah", "N AA|AE|AH N AA|AE|AH N AA|AE|AH"),
        ("lalala-la", "L AA|AE|AH L AA|AE|AH L AA|AE|AH L AA|AE|AH"),
        ("shasha", "SH AA|AE|AH SH AA|AE|AH"),
        ("grrr", "G|K ER|R"),
    ],
)
def test_what_no_voice_reads_is_read_as_it_is_sung(
    word: str, sound: str, language: str | None
) -> None:
    assert ways(word, language)[0].startswith(sound)


@given(
    st.sampled_from(
        "he her here head heal hay yes year your you day say may no now noon do dad pair tattoo"
        " banana panama lava aria radar ease east ewe owe own awe away humour hum umber woe who"
        " whose juju show shot shed grow brave pram prat press psst-like spa sap".split()
    ),
    st.sampled_from(["en", "fr", "de", "es"]),
)
def test_real_words_are_no_vocalises(word: str, language: str) -> None:
    assert all(way.reader != VOCALISES for way in pronounce([[word]], language)[0][0])


class TestWordlessLines:
    @pytest.mark.parametrize(
        "line",
        ["Yeah, heah!", "la la la", "Ooh-ooh (oh)", "ba da da dam da dam da", "hey ho", "oh…oh ja"],
    )
    def test_are_nothing_but_vocalises(self, line: str) -> None:
        assert wordless_lines([line.split()]).all()

    @pytest.mark.parametrize("line", ["oh I", "hey you there", "la vie", "na dann", "♪", "- ?"])
    def test_are_none_with_a_word_or_with_nothing_to_sing(self, line: str) -> None:
        assert not wordless_lines([line.split()]).any()

    @given(st.lists(st.lists(st.text(max_size=8), max_size=5), max_size=5))
    def test_have_all_of_their_words_counted(self, lines: list[list[str]]) -> None:
        assert wordless_lines(lines).shape == (sum(map(len, lines)),)


def test_vocalises_of_vowels_are_not_called_short() -> None:
    for word in ("mmm", "hmmm", "aaah", "ooh", "eh", "uh"):
        (way,) = pronounce([[word]], "en")[0][0]
        assert way.slots[0][0] in VOWELS


def test_stretched_and_stuttered_words_sound_like_plain_ones() -> None:
    assert ways("lo-o-ove") == ways("love") == ["L AH V"]
    assert ways("nooooo")[0] == ways("no")[0]
    assert ways("b-b-baby") == ["B AH B AH B EY B IY"]
    assert ways("la-la-la", "fr") == ["L AA|AE|AH L AA|AE|AH L AA|AE|AH"]


def test_numbers_are_read_in_the_language_of_the_song() -> None:
    assert ways("7") == ["S EH V AH N"]
    assert ways("7", "de") == ["Z IY B AH|EH N"]
    assert ways("24/7") == ["T W EH N T IY F AO R S EH V AH N"]
    assert ways("1999")[0] == "N AY N T IY N N AY N T IY N AY N"
    assert ways("$100") == ["W AH N HH AH N D R IH D D AA L ER Z"]


def test_abbreviations_are_spelled_out_and_shouting_is_not() -> None:
    assert ways("DJ") == ["D IY JH EY"]
    assert ways("Mr.") == ["M IH S T ER"]
    assert in_line("from NYC with", "en")["NYC"][1] == "EH N W AY S IY"
    assert in_line("LEAVE US ALONE", "en")["US"] == ["AH S"]


def test_censored_words_sound_uncensored() -> None:
    assert ways("f**k") == ways("fuck")
    assert ways("****") == []


@pytest.mark.parametrize(
    "word", ["", "-", "—", "…", "♪", "!!!", "😀", "👩‍👩‍👧", "()", "*", "ー", "\ud800"]
)
def test_what_cannot_be_pronounced_has_no_pronunciation(word: str) -> None:
    assert ways(word) == []


def test_every_word_of_every_line_gets_its_place() -> None:
    found = pronounce([["one", "♪"], [], ["two"]], "en")
    assert [[bool(word) for word in line] for line in found] == [[True, False], [], [True]]


def test_no_language_is_read_as_english() -> None:
    assert ways("fire", None) == ways("fire", "en") == ways("fire", "xx")


# -------------------------------------------------------------------------- languages that mix


def test_an_english_hook_word_in_a_german_song_sounds_both_variants() -> None:
    assert ways("love", "de") == ["L OW|AO V AH|EH", "L AH V"]
    assert ways("Liebe", "de") == ["L IY B AH|EH"]


def test_an_english_line_in_a_french_song_is_read_in_english_first() -> None:
    line = in_line("tonight we dance together", "fr")
    assert line["dance"][0] == "D AE N S"
    assert in_line("la danse est belle", "fr")["danse"][0] == "D AA|AO N|NG S"


@pytest.mark.parametrize(
    ("word", "sounds"),
    [
        ("Привет", "P R|D IY V EY|EH T"),
        ("αγάπη", "AA|AH|AE G|HH AA|AH|AE P IY"),
        ("사랑해", "S AA|AH R|L|D AA|AH NG HH EH|AE"),
        ("きっと", "K IY T OW|AO"),
        ("爱", "AY"),
        ("حبيبي", "HH AA|AE|EH B IY|IH|EH B IY|IH|EH"),
        ("שלום", "SH AA|AH L OW|AO M"),
        ("प्यार", "P Y AA|AH|AE R|D"),
    ],
)
@pytest.mark.parametrize("language", ["en", "fr", None, "xx"])
def test_other_scripts_are_read_by_their_own_voice(
    word: str, sounds: str, language: str | None
) -> None:
    assert ways(word, language)[0] == sounds


def test_latin_letters_in_a_japanese_song_are_english_or_romanised() -> None:
    assert ways("baby", "ja") == ["B EY B IY"]
    assert "T S UW|UH K IY" in ways("tsuki", "ja")


def test_scripts_mixed_in_one_word() -> None:
    assert ways("愛してる", "ja") == ["AY SH IY T EH|EY R|L|D UW|UH"]
    assert ways("K팝", "ko")[0].startswith("K EY P")


@pytest.mark.parametrize("word", ["ລາວ", "ខ្មែរ", "བོད", "รัก", "ᏣᎳᎩ", "ⵜⴰⵎⴰⵣⵉⵖⵜ"])
def test_scripts_without_a_voice_are_romanised(word: str) -> None:
    (way,) = pronounce([[word]], "en")[0][0]
    assert any(slot[0] in VOWELS for slot in way.slots)


# ----------------------------------------------------------------------------------- languages


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("en", "en-us"),
        ("en-GB", "en-us"),
        ("fr", "fr-fr"),
        ("fr_CA", "fr-fr"),
        ("pt", "pt-br"),
        ("pt-PT", "pt"),
        ("es", "es"),
        ("es_MX", "es"),
        ("zh", "cmn"),
        ("no", "nb"),
        ("gl", "pt"),
        ("xx", "en-us"),
        ("", "en-us"),
        (None, "en-us"),
    ],
)
def test_the_voice_of_a_language(language: str | None, voice: str) -> None:
    assert voices.voice_of(language) == voice


def test_every_voice_that_may_be_asked_for_is_there() -> None:
    named = {*voices._VOICES.values(), *voices._SCRIPTS.values(), voices.ROMANISED}
    read = {reader for readers in voices._READS.values() for reader in readers.split()}
    assert named | read <= espeak.voices()


# ---------------------------------------------------------------------------------- properties

languages = st.sampled_from([None, "en", "fr", "de", "es", "pt", "ru", "ja", "zh", "ar", "xx"])
lyric_words = st.text(st.sampled_from("aeiouyhmnlrtsAEOÉéüñß''’--*$.,!109 ОЯжλあ漢한"), max_size=12)


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=100) | lyric_words, languages)
def test_any_word_is_pronounced_in_phones_of_the_model_or_not_at_all(
    word: str, language: str | None
) -> None:
    found = pronounce([[word]], language)[0][0]
    assert len(found) <= MOST_VARIANTS
    assert len(set(found)) == len(found)
    for way in found:
        assert way.slots
        for slot in way.slots:
            assert 1 <= len(slot) <= 3
            assert len(set(slot)) == len(slot)
            assert set(slot) <= PHONES


@settings(deadline=None, max_examples=100)
@given(st.text("abcdefghijklmnopqrstuvwxyzéüßñ", min_size=1, max_size=15), languages)
def test_a_word_of_letters_is_always_pronounced(word: str, language: str | None) -> None:
    assert pronounce([[word]], language)[0][0]


def test_what_a_word_sounds_like_depends_on_nothing_that_was_read_before() -> None:
    line = "hello 1999 vögel l'amour любовь 愛 niño U.S.A. b-b-baby ooooh 24/7"
    tags = ["en", "fr", "de", "ru", "ja", "zh"]
    pairs = [(word, tag) for word in line.split() for tag in tags]
    first = {pair: ways(*pair) for pair in pairs}
    from lyricsyncd.align.lexicon.words import _variants

    for seed in range(3):
        _variants.cache_clear()
        random.Random(seed).shuffle(pairs)
        assert {pair: ways(*pair) for pair in pairs} == first


def test_importing_the_lexicon_does_not_load_espeak() -> None:
    program = "import sys, lyricsyncd.align.lexicon; sys.exit('espeakng_loader' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
