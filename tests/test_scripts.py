"""Lyrics in scripts without spaces, from right to left, and in Latin letters of other scripts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lyricsyncd import formats
from lyricsyncd.config.schema import Config
from lyricsyncd.model import Line, Lyrics, ParallelKind, ParallelText
from lyricsyncd.models import checks
from lyricsyncd.tags.journal import Journal
from lyricsyncd.tags.writing import write_lyrics
from lyricsyncd.text import words
from lyricsyncd.text.language import detect
from lyricsyncd.text.romanisation import with_romanisations

LINES = {
    "ja": "君と「夜空」を、歩く baby。",
    "zh": "月亮，代表 我的心！",
    "ko": "사랑해 널, 이 느낌?",
    "th": "ฉันรักเธอ (ไม่เคยพอ)",
    "ar": "يا حبيبي، وقلبي معك؟",
    "he": "שלום, עולם שלי!",
    "fa": "می‌خواهم تو را؛ عشق",
    "hi": "प्यार का नग़मा।",
}


def timed(text: str) -> Lyrics:
    """Make lyrics of a line with a time for each word."""
    line = Line(words.split(text))
    placed = tuple(
        replace(word, start=1.0 + 0.5 * at, end=1.5 + 0.5 * at)
        for at, word in enumerate(line.words)
    )
    return Lyrics((Line(placed, placed[0].start, placed[-1].end),))


class TestWords:
    def test_are_the_text_when_they_are_joined(self) -> None:
        for text in LINES.values():
            assert Line(words.split(text)).text == text

    @pytest.mark.parametrize("written", ["宇宙(そら)", "宇宙（そら）", "宇宙《そら》"])
    def test_are_one_with_their_furigana(self, written: str) -> None:
        assert [word.text for word in words.split(f"青い{written}、へ")] == [
            *("青", "い", f"{written}、", "へ")
        ]

    def test_of_thai_are_those_of_the_dictionary(self) -> None:
        pytest.importorskip("thaiphon")
        found = words.split(LINES["th"])
        assert [word.text for word in found] == ["ฉัน", "รัก", "เธอ", "(ไม่", "เคย", "พอ)"]
        assert [word.space for word in found] == [False, False, True, False, False, True]

    def test_of_arabic_keep_their_clitics(self) -> None:
        assert [word.text for word in words.split(LINES["ar"])] == ["يا", "حبيبي،", "وقلبي", "معك؟"]


@pytest.mark.parametrize("language", sorted(LINES))
@pytest.mark.parametrize("name", ["lrc", "ttml", "lyricsfile", "vtt", "ass", "json", "ultrastar"])
def test_text_words_and_spaces_survive_every_format(name: str, language: str) -> None:
    lyrics = timed(LINES[language])
    found = formats.read(formats.write(lyrics, name).encode(), name)
    assert found.text == lyrics.text
    if name in ("lrc", "ttml", "lyricsfile"):
        assert [word.text for word in found.words] == [word.text for word in lyrics.words]
        assert [word.space for word in found.words] == [word.space for word in lyrics.words]


class TestTheLanguage:
    def test_of_romanised_japanese_is_japanese(self) -> None:
        text = "kimi no koe ga kikitai\nitsumo no sora ni yume wo miru\nboku wa hitori baby"
        assert detect(text) == "ja"

    @pytest.mark.parametrize(
        "text",
        [
            "wo ting jian ni de sheng yin\nfeng zai shu li chang ge\nwo de xin deng zhe ni",
            "wǒ tīng jiàn nǐ de shēng yīn\nfēng zài shù lǐ chàng gē\nwǒ de xīn děng zhe nǐ",
        ],
    )
    def test_of_pinyin_is_chinese(self, text: str) -> None:
        assert detect(text) == "zh"

    def test_of_romanised_korean_is_korean(self) -> None:
        text = "saranghae neoreul geudae naege\nhaneul mankeum nal bwajwo\noneul bam uri"
        assert detect(text) == "ko"

    def test_of_languages_with_the_same_syllables_is_not(self) -> None:
        assert detect("amore mio, sole del mattino\nti amo, cuore, non sono solo la sera") == "it"

    def test_is_cantonese_by_its_own_characters(self) -> None:
        assert detect("我唔知點解佢咁樣\n你係咪已經唔鍾意我") == "yue"

    def test_of_a_few_chinese_characters_is_what_the_tags_say(self) -> None:
        assert detect("夜空") is None
        assert detect("夜空", prior="ja") == "ja"


class TestRomanisations:
    ROMANISED = (
        ("ja", "君と夜空を歩いていた", "kimi to yozora o aruiteita"),
        ("zh", "月亮 代表", "yuè liàng dài biǎo"),
        ("ko", "사랑해 널 독립", "saranghae neol dongnip"),
    )

    @pytest.mark.parametrize(("language", "text", "latin"), ROMANISED)
    def test_are_of_the_usual_systems(self, language: str, text: str, latin: str) -> None:
        pytest.importorskip("fugashi")
        pytest.importorskip("pypinyin")
        found = with_romanisations(replace(timed(text), language=language))
        assert found.lines[0].parallel == (
            ParallelText(latin, ParallelKind.ROMANISATION, f"{language}-Latn"),
        )

    def test_of_a_source_are_kept_and_latin_lines_have_none(self) -> None:
        given = ParallelText("sarang", ParallelKind.ROMANISATION)
        lyrics = Lyrics((Line.from_text("사랑"), Line.from_text("love")))
        lyrics = lyrics.with_lines([replace(lyrics.lines[0], parallel=(given,)), lyrics.lines[1]])
        found = with_romanisations(lyrics)
        assert [line.parallel for line in found] == [(given,), ()]

    def test_are_written_where_the_settings_ask_for_them(self, tmp_path: Path) -> None:
        wanted = [
            {"format": "ttml", "romanise": True},
            {"format": "lrc_standard", "translations": True, "romanise": True},
            {"format": "lyricsfile"},
        ]
        output = Config.model_validate({"output": wanted}).output
        assert isinstance(output, tuple)
        song = tmp_path / "song.mp3"
        song.write_bytes(b"")
        lyrics = replace(timed("사랑해 널"), language="ko")
        write_lyrics(song, lyrics, output, journal=Journal(tmp_path / "journal.db"))
        ttml = song.with_suffix(".ttml").read_text("utf-8")
        assert '<span ttm:role="x-roman" xml:lang="ko-Latn">saranghae neol</span>' in ttml
        assert "]saranghae neol\n" in song.with_suffix(".lrc").read_text("utf-8")
        assert not any("saranghae" in file.read_text("utf-8") for file in tmp_path.glob("*.y*ml"))

    @pytest.mark.parametrize("output", [{"format": "lrc"}, {"format": "ttml", "to": "tag"}])
    def test_need_a_format_with_room_for_them(self, output: dict[str, str]) -> None:
        with pytest.raises(ValueError, match="romanise needs"):
            Config.model_validate({"output": [{**output, "romanise": True}]})


def test_doctor_names_the_extra_of_a_language_that_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lyricsyncd.readings._installed", lambda _: False)
    (finding,) = checks.languages({"auto", "en", "ja"})
    assert "Japanese is read without its libraries" in finding.text
    assert finding.remedy == "pip install 'lyricsyncd[ja]'"
