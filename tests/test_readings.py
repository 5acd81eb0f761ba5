"""Words of lyrics are read as dictionaries have them, in twenty-five languages.

The tables in ``tests/data/readings`` were written from dictionaries, not from what is printed here.
Dictionaries and readers differ in how narrowly they transcribe, and the acoustic model has 39
phones, so both are folded to what matters to it before they are compared:

- stress, tones, length, syllables, ties and all diacritics are left out, and double sounds are one;
- vowels fall into seven classes (i, y, e, a, o, u and, for a reduced one, any of them but y);
- sounds of one manner and nearly one place are one: all rhotics, all sibilants behind the teeth,
  all fricatives of the back of the mouth, nasals before a consonant;
- a glide after a consonant is left out ("ʲa", "ja").

Hebrew and Arabic are compared by their consonants: between two of them a vowel must be allowed
where the dictionary has one.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest

from lyricsyncd import readings
from lyricsyncd.align.lexicon import pronounce
from lyricsyncd.readings import numerals, thai_letters

TABLES = Path(__file__).parent / "data" / "readings"
LANGUAGES = sorted(file.stem for file in TABLES.glob("*.txt"))
BY_CONSONANTS = ("he", "ar")
WANTED = {"ja": 0.95, "zh": 0.95}
OTHERS = 0.9

_SAME = {
    **dict.fromkeys("iɪɨ", "i"),
    **dict.fromkeys("yʏ", "y"),
    **dict.fromkeys("eɛøœæ", "e"),
    **dict.fromkeys("aɑɐʌɒä", "a"),
    **dict.fromkeys("oɔɤɵ", "o"),
    **dict.fromkeys("uʊɯʉ", "u"),
    **dict.fromkeys("əɜɘɚ", "ə"),
    **dict.fromkeys("rɾɽɹʁʀɻɺ", "r"),
    **dict.fromkeys("ʃʂɕɧ", "ʃ"),
    **dict.fromkeys("ʒʐʑ", "ʒ"),
    **dict.fromkeys("hɦxχħç", "h"),
    **dict.fromkeys("nɲŋɴɳɱ", "n"),
    **dict.fromkeys("lɫɭʎ", "l"),
    **dict.fromkeys("vʋβ", "v"),
    **dict.fromkeys("qɢk", "k"),
    **dict.fromkeys("fɸ", "f"),
    **dict.fromkeys("tʈ", "t"),
    **dict.fromkeys("dɖɗ", "d"),
    **dict.fromkeys("bɓ", "b"),
    **dict.fromkeys("jʝɥɰ", "j"),
    **dict.fromkeys("ɡɣ", "g"),
}
_VOWELS = "iyeaouə"


def folded(ipa: str, language: str) -> str:
    """Reduce a transcription to the sounds that matter to the acoustic model."""
    # Its tail is no diacritic.
    text = unicodedata.normalize("NFD", unicodedata.normalize("NFC", ipa).replace("ç", "h"))
    text = text.replace("ɻ̩", "i").replace("ɹ̩", "i").replace("r̝", "ʒ").replace("aɚ", "ar")
    text = text.replace("aɻ", "ar").replace("ʦ", "ts")
    text = re.sub("[ʰʱʲʷˠˤʔʕːˑˈˌ.‿-]", "", text)
    text = "".join(c for c in text if not unicodedata.combining(c) or c == "\u0303")
    text = re.sub("(?<=[wj])\u0303", "", text)
    # A nasal vowel is a vowel and a nasal, to the model.
    text = re.sub("(.)\u0303", r"\1n", text)
    text = "".join(_SAME.get(c, c) for c in text)
    text = text.replace("c", "t" if language == "cs" else "k").replace(
        "ɟ", "d" if language == "cs" else "g"
    )
    text = re.sub("n(?=[pbm])", "m", text)
    text = re.sub("m(?=[tdkgsʃʒz])", "n", text)
    text = re.sub(r"(?<=[^iyeaouə])j(?=[iyeaouə])", "", text)
    text = re.sub("w(?=[oua])|(?<=[aeoə])w", "u", text)
    text = re.sub(r"(.)\1+", r"\1", text)
    text = re.sub("(?<=[aeouə])j", "i", text)
    text = re.sub(r"(.)\1+", r"\1", text)
    return {"ja": _japanese, "zh": _chinese}.get(language, str)(text)


def _japanese(text: str) -> str:
    """Long vowels are one sound, however they are written."""
    return re.sub("ei", "e", re.sub("ou", "o", text))


def _chinese(text: str) -> str:
    """The vowels of pinyin differ in transcription only: "en", "eng", "uo", "ue"."""
    return re.sub("uo|uə", "o", text.replace("ie", "e"))


def same(read: str, listed: str) -> bool:
    """Compare; a reduced vowel is equal to any."""
    return len(read) == len(listed) and all(
        a == b or ("ə" in (a, b) and a in _VOWELS and b in _VOWELS)
        for a, b in zip(read, listed, strict=True)
    )


def same_consonants(read: str, listed: str) -> bool:
    """Compare consonants, with a vowel allowed wherever the dictionary has one."""

    def sound(text: str) -> str:
        return re.sub("[iyeaouəj]+$|^[iyeaouə]+", "", text)

    places = re.split(f"([{_VOWELS}]+)", sound(listed))
    pattern = "".join(
        f"[{_VOWELS}j]+" if at % 2 else f"[{_VOWELS}]?".join(map(re.escape, piece))
        for at, piece in enumerate(places)
    )
    return re.fullmatch(pattern, sound(read)) is not None


def table(language: str) -> list[tuple[str, list[str]]]:
    rows = (TABLES / f"{language}.txt").read_text(encoding="utf-8").splitlines()
    return [(word, listed.split("/")) for word, listed in (row.split() for row in rows)]


def wrong(language: str) -> list[str]:
    """List the words of a table that are read otherwise, with how they are."""
    equal = same_consonants if language in BY_CONSONANTS else same
    missed = []
    for word, listed in table(language):
        ways = [way.ipa for way in pronounce([[word]], language)[0][0]]
        if not any(
            equal(folded(way, language), folded(each, language)) for way in ways for each in listed
        ):
            missed.append(f"{word}: {'/'.join(listed)}, read as {'/'.join(ways)}")
    return missed


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_of_lyrics_are_read_as_dictionaries_have_them(language: str) -> None:
    if (extra := readings.missing(language)) is not None:
        pytest.skip(f"the extra {extra.name} is not installed")
    size = len(table(language))
    missed = wrong(language)
    assert size >= 40
    assert 1 - len(missed) / size >= WANTED.get(language, OTHERS), "\n".join(missed)


class TestPronunciationsOfTheLanguagesThatTheModelWasTunedOn:
    @pytest.mark.parametrize("language", ["en", "fr", "es", "de"])
    def test_stay_as_they_are(self, language: str) -> None:
        file = Path(__file__).parent / "data" / "pronounced" / f"{language}.tsv"
        changed = []
        for row in file.read_text(encoding="utf-8").splitlines():
            word, before = row.split("\t")
            now = " / ".join(map(str, pronounce([[word]], language)[0][0]))
            if now != before:
                changed.append(f"{word}: {before} is now {now}")
        assert changed == []


def spoken(line: str, language: str | None) -> list[str]:
    """Return the likeliest reading of each word of a line; "" for what has none."""
    return [ways[0].ipa if ways else "" for ways in pronounce([line.split()], language)[0]]


def characters(line: str, language: str | None) -> list[str]:
    """Return the likeliest reading of each character of a line, as words of one character."""
    return [ways[0].ipa if ways else "" for ways in pronounce([list(line)], language)[0]]


class TestJapanese:
    @pytest.fixture(autouse=True)
    def _dictionary(self) -> None:
        pytest.importorskip("fugashi")

    def test_is_read_in_context_and_divided_among_the_characters(self) -> None:
        assert characters("君と夜空を歩く", "ja") == ["kimi", "to", "jo", "zoɾa", "o", "aɾɯ", "kɯ"]

    def test_particles_sound_as_they_are_said(self) -> None:
        assert characters("今日は東京へ", "ja")[2:] == ["wa", "toː", "kjoː", "e"]

    def test_a_word_that_cannot_be_divided_is_shared_by_its_characters(self) -> None:
        assert "".join(characters("大人", "ja")) == "otona"
        assert all(characters("大人", "ja"))

    @pytest.mark.parametrize(
        "written", ["宇宙(そら)", "宇宙（そら）", "｜宇宙《そら》", "宇宙(ソラ)"]
    )
    def test_furigana_are_the_reading(self, written: str) -> None:
        assert spoken(written, "ja") == ["soɾa"]
        assert "".join(characters(written, "ja")) == "soɾa"

    def test_readings_that_singers_choose_are_variants(self) -> None:
        assert [way.ipa for way in pronounce([["永遠"]], "ja")[0][0]] == ["eːeɴ", "towa"]

    def test_numbers_are_read(self) -> None:
        assert spoken("100万回 3", "ja")[0] == "çakɯmaŋkai"

    def test_romanised_lines_are_read_as_japanese(self) -> None:
        assert spoken("kimi no koe ga suki", "ja") == ["kimi", "no", "koe", "ɡa", "sɯki"]

    def test_without_its_dictionary_no_character_is_read_in_mandarin(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from lyricsyncd.readings import japanese

        monkeypatch.setattr(japanese, "_tagger", lambda: None)
        japanese._analysed.cache_clear()
        try:
            assert characters("夜空の声", "ja") == ["ə", "ə", "no", "ə"]
        finally:
            japanese._analysed.cache_clear()


class TestChinese:
    def test_characters_are_read_by_their_phrases(self) -> None:
        pytest.importorskip("pypinyin")
        assert characters("音乐快乐", "zh") == ["in", "ɥe", "kʰwai", "lɤ"]

    def test_cantonese_is_read_where_the_language_is_cantonese(self) -> None:
        pytest.importorskip("ToJyutping")
        assert characters("愛", "yue") == ["ɔːi"]
        assert characters("愛", "zh-HK") == ["ɔːi"]

    def test_lines_in_pinyin_are_read_as_chinese(self) -> None:
        assert spoken("wo ài nǐ tiānkōng", "zh") == ["wo", "ai", "ni", "tʰjɛnkʰʊŋ"]
        assert spoken("let me love you", "zh") == ["lɛt", "miː", "lʌv", "ju"]

    def test_characters_in_a_song_of_no_known_language_have_every_reading(self) -> None:
        for library in ("fugashi", "pypinyin", "ToJyutping"):
            pytest.importorskip(library)
        assert [way.ipa for way in pronounce([["夜"]], None)[0][0]] == ["je", "joɾɯ", "jɛː"]


class TestNumbers:
    @pytest.mark.parametrize(
        ("language", "written", "words"),
        [
            ("ja", "100万 12 007", "百万 十二 〇〇七"),
            ("zh", "100年 12 2000 110000", "一百年 十二 二千 十一万"),
            ("ko", "2019년 10000 3개 20살 21살", "이천십구년 만 세개 스무살 스물한살"),
            ("th", "21 100 ๕ 2000000", "ยี่สิบเอ็ด หนึ่งร้อย ห้า สองล้าน"),
            ("de", "12", "12"),
        ],
    )
    def test_are_written_in_words_where_a_reader_knows_words_only(
        self, language: str, written: str, words: str
    ) -> None:
        assert numerals.in_words(written, language) == words

    def test_are_read_beside_words(self) -> None:
        assert spoken("2019년 1번", "ko") == ["itɕʰʌnɕipk͈unjʌn", "ilbʌn"]

    def test_are_read_in_the_language_of_the_song(self) -> None:
        assert spoken("5 คน", "th")[0] == "haː"


class TestWordsOfOneLetter:
    @pytest.mark.parametrize(
        ("language", "line", "sounds"),
        [
            ("pt", "é o sol e à noite", ["ɛ", "u", "sɔw", "i", "a", "nojtʃi"]),
            ("el", "η νύχτα ο ήλιος", ["i", "nixta", "o", "iʎos"]),
            ("cs", "v noci k tobě", ["v", "notsi", "k", "tobje"]),
            ("pl", "w nocy z tobą", ["v", "nɔtsɨ", "z", "tɔbɔ̃"]),
            ("ru", "в ночь к тебе", ["v", "notɕ", "k", "tʲibʲe"]),
            ("fr", "il y a", ["il", "i", "a"]),
        ],
    )
    def test_are_not_called_by_the_names_of_letters(
        self, language: str, line: str, sounds: list[str]
    ) -> None:
        assert spoken(line, language) == sounds


class TestWordsThatAVoiceWouldSpellOut:
    def test_are_read_as_words(self) -> None:
        assert spoken("vlk vln", "cs") == ["vulk", "vuln"]


class TestKorean:
    def test_sounds_change_across_syllables(self) -> None:
        assert spoken("같이 독립 좋아 값이", "ko") == ["katɕʰi", "toŋnip", "tɕoa", "kapɕ͈i"]

    def test_romanised_lines_are_read_as_korean(self) -> None:
        assert spoken("saranghae neoreul", "ko") == ["saɾaŋhɛ", "nʌɾɯl"]


class TestThai:
    def test_lines_are_divided_into_words(self) -> None:
        pytest.importorskip("thaiphon")
        assert readings.divided("ฉันรักเธอไม่เคยพอ", "th") == ["ฉัน", "รัก", "เธอ", "ไม่", "เคย", "พอ"]

    def test_a_consonant_by_itself_ends_the_syllable_before_it(self) -> None:
        pytest.importorskip("thaiphon")
        assert readings.divided("เปียโนฮูน", "th")[-1] != "น"
        assert spoken("เพื่อน เหมือน เดียว", "th") == ["pʰɯən", "mɯən", "diəw"]

    def test_without_the_libraries_most_words_are_read_by_their_letters(self) -> None:
        read = [(folded(thai_letters.ipa(word), "th"), listed) for word, listed in table("th")]
        right = [
            word for word, listed in read if any(same(word, folded(each, "th")) for each in listed)
        ]
        assert len(right) >= 0.8 * len(read)

    def test_letters_with_a_vowel_of_their_own_are_read_without_the_libraries(self) -> None:
        assert thai_letters.ipa("ฤดู") == "rɯduː"

    def test_the_sign_of_repetition_repeats(self) -> None:
        pytest.importorskip("thaiphon")
        assert spoken("เบาๆ", "th") == ["bawbaw"]


class TestHebrew:
    def test_points_decide(self) -> None:
        assert spoken("תִּקְוָה רוּחַ", "he") == ["tikva", "ʁuaχ"]

    def test_without_points_a_vowel_is_allowed_between_consonants(self) -> None:
        assert "pəʁəpəʁ" in [way.ipa for way in pronounce([["פרפר"]], "he")[0][0]]

    def test_any_of_several_stops_may_be_hard(self) -> None:
        ways = [way.ipa for way in pronounce([["לכתבה"]], "he")[0][0]]
        assert ways == ["ləχətəva", "ləkətəba", "ləkətəva"]

    def test_one_letter_may_be_either_sibilant(self) -> None:
        assert [way.ipa for way in pronounce([["בשלג"]], "he")[0][0]][-1] == "bəsələɡ"

    def test_prefixes_may_follow_one_another(self) -> None:
        assert spoken("והלב", "he") == ["vehalev"]


class TestArabic:
    def test_vowels_that_are_written_are_read(self) -> None:
        assert spoken("كَتَبَ", "ar")[0].startswith("katab")

    def test_the_consonants_with_any_vowels_are_always_a_variant(self) -> None:
        assert "mədiːna" in [way.ipa for way in pronounce([["مدينة"]], "ar")[0][0]]

    def test_the_article_is_assimilated(self) -> None:
        assert any(
            "ʃʃams" in way.ipa or "ʃəməs" in way.ipa for way in pronounce([["والشمس"]], "ar")[0][0]
        )


class TestALanguageWithoutItsExtra:
    def test_is_named_with_the_remedy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(readings, "_installed", lambda _: False)
        assert "pip install 'lyricsyncd[ja]'" in str(readings.advice("ja"))
        assert readings.advice("ko") is None
        assert readings.advice("en") is None
