"""From what websites hold to what is sung."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.lyrics import external, times
from lyricsyncd.lyrics.clean import clean, clean_text
from lyricsyncd.lyrics.translations import beside_lines
from lyricsyncd.lyrics.voices import with_voices
from lyricsyncd.model import Line, Lyrics, Timing, Track, Word
from lyricsyncd.text import words

TRACK = Track(artist="Kenny & Dolly", artists=("Kenny Rogers", "Dolly Parton"), title="Islands")


def sung(text: str, title: str | None = None, artist: str | None = None) -> list[str]:
    return list(clean_text(text, Track(title=title, artist=artist))[0])


class TestPlainText:
    @pytest.mark.parametrize(
        "extra",
        [
            "[Verse 1]",
            "[Chorus: Beyoncé & JAY-Z]",
            "[Pre-Chorus]",
            "Verse 2:",
            "(Chorus)",
            "[Refrain]",
            "[Estribillo]",
            "[Guitar Solo]",
            "[Couplet 1 : Stromae]",
            "【副歌】",
            "♪",
            "You might also like",
            "See Radiohead Live",
            "Submit Corrections",
            "https://example.com/lyrics",
            "******* This Lyrics is NOT for Commercial use *******",
            "\u200b",
        ],
    )
    def test_what_is_no_line_is_dropped(self, extra: str) -> None:
        assert sung(f"First line\n{extra}\nSecond line") == ["First line", "Second line"]

    @pytest.mark.parametrize(
        "line",
        [
            "(Ooh, baby)",
            "Break on through to the other side",
            "Bridge over troubled water",
            "I said (hey!) what's going on",
            "1, 2, 3, 4",
            "Hook, line and sinker",
            "Chorus girls are dancing",
            "Don't stop, won't stop",
            "Übers Meer, fort von hier…",
        ],
    )
    def test_what_is_sung_stays_as_it_is(self, line: str) -> None:
        assert sung(f"First line\n{line}\nLast line") == ["First line", line, "Last line"]

    @pytest.mark.parametrize("mark", ["(x2)", "x2", "[x2]", "(2x)", "(bis)"])
    def test_repeats_are_written_out(self, mark: str) -> None:
        assert sung(f"Again {mark}\nEnd") == ["Again", "Again", "End"]

    def test_an_empty_chorus_is_the_one_before(self) -> None:
        text = "[Chorus]\nLa la\nLo lo\n\n[Verse]\nOne\n\n[Chorus]"
        assert sung(text) == ["La la", "Lo lo", "One", "La la", "Lo lo"]

    def test_a_joke_of_a_count_is_none(self) -> None:
        assert sung("Again (x99)") == ["Again"]

    @pytest.mark.parametrize(
        "text",
        [
            "la la (x8)\n" * 27_000,
            "[Chorus x8]\n" + "la la (x8)\n" * 27_000,
            "[Chorus]\n" + "la la\n" * 25_000 + "\n[Chorus x8]\n\n" * 10_000,
            "[Verse]\nla\n[Chorus]\n" + "la la\n" * 4_000 + "[Verse]\n\n[Chorus]\n" * 14_000,
        ],
        ids=["lines", "lines in a section", "a section", "two sections"],
    )
    def test_repeats_of_repeats_do_not_make_an_endless_text(self, text: str) -> None:
        sung, _ = clean_text(text[:300_000])
        assert sum(map(len, sung)) < 300_000

    def test_credits_go_only_from_the_edges(self) -> None:
        text = (
            "作词 : 某人\nWritten by: Someone\nOh no\nMusic: the food of love\nYeah\n© 2020 Label"
        )
        assert sung(text) == ["Oh no", "Music: the food of love", "Yeah"]

    def test_a_heading_goes(self) -> None:
        assert sung("Creep Lyrics\nWhen you were", "Creep", "Radiohead") == ["When you were"]
        assert sung("Creep\nWhen you were", "Creep", "Radiohead") == ["Creep", "When you were"]

    def test_the_page_goes(self) -> None:
        text = (
            "25 ContributorsTranslationsCreep LyricsWhen you &amp; I<br>were here<br/>now123Embed"
        )
        assert sung(text) == ["When you & I", "were here", "now"]

    def test_markup_and_direction_marks_go(self) -> None:
        assert sung("<i>Hello</i> \u202dworld\u202c") == ["Hello world"]

    @pytest.mark.parametrize("text", ["[Instrumental]", "♪♪♪", "This song is an instrumental"])
    def test_an_instrumental_says_so(self, text: str) -> None:
        assert clean_text(text) == ((), True)

    @given(st.text(max_size=300))
    def test_any_text_at_all(self, text: str) -> None:
        lines, instrumental = clean_text(text)
        assert all(line.strip() for line in lines)
        assert not (lines and instrumental)


class TestTimedText:
    def test_times_stay_where_they_are(self) -> None:
        lyrics = Lyrics(
            (Line.from_text("[Verse]", 1.0), Line.from_text("Oh &amp; ah", 2.0)), source="lrclib"
        )
        (line,) = clean(lyrics)
        assert (line.start, line.text) == (2.0, "Oh & ah")

    def test_word_times_survive(self) -> None:
        line = Line((Word("♪"), Word("Oh", 1.0, 1.5), Word("ah", 1.5, 2.0)), 1.0)
        assert [word.start for word in clean(Lyrics((line,))).words] == [1.0, 1.5]


class TestTranslations:
    def test_the_second_line_at_a_time_goes(self) -> None:
        pairs = [("Bonjour", "Hello"), ("Le monde", "The world"), ("Adieu", "Goodbye")]
        lines = [Line.from_text(text, float(at)) for at, pair in enumerate(pairs) for text in pair]
        kept = beside_lines(Lyrics(tuple(lines)))
        assert kept.text == "Bonjour\nLe monde\nAdieu"

    def test_second_voices_at_a_time_stay(self) -> None:
        lines = [Line.from_text(f"line {at}", float(at)) for at in range(10)]
        lines.insert(5, Line.from_text("echo", 4.0))
        assert beside_lines(Lyrics(tuple(lines))).lines == tuple(lines)

    def test_lines_of_another_script_between_go(self) -> None:
        text = (
            "夜空に光る星\nStars in the night sky\n君と見ていた\nI watched with you\n"
            "いつかまた\nSome day again\n会えるように\nThat we may meet\n"
        )
        kept = external.from_plain(text, TRACK)
        assert kept.text == "夜空に光る星\n君と見ていた\nいつかまた\n会えるように"

    def test_a_song_in_two_languages_stays(self) -> None:
        text = "가자\n우리 같이\nBaby come on\nLet's go\n사랑해\nForever\n함께\n"
        assert external.from_plain(text, TRACK).text == text.strip()

    def test_lines_with_and_without_the_characters_of_cantonese_are_one_song(self) -> None:
        text = (
            "今晚月光好靚\n月亮照住個海\n我哋聽到你把聲\n清風樹上唱歌\n我個心等緊你嚟\n明日太陽升起"
        )
        assert external.from_plain(text, TRACK).text == text

    def test_russian_over_english(self) -> None:
        rows = [("Любовь", "Love"), ("Мир", "Peace"), ("Дом", "Home"), ("Свет", "Light")]
        text = "\n".join(f"{a} {a}\n({b} {b})" for a, b in rows)
        assert external.from_plain(text, TRACK).text == "\n".join(f"{a} {a}" for a, _ in rows)

    @given(st.lists(st.text(max_size=20), max_size=12))
    def test_never_more_than_half_is_taken(self, rows: list[str]) -> None:
        lyrics = words.from_text("\n".join(rows))
        kept = beside_lines(lyrics)
        assert 2 * len(kept.lines) >= len(lyrics.lines)


class TestVoices:
    def test_singers_before_lines_are_reported_and_not_sung(self) -> None:
        text = "Kenny: Islands in the stream\nDolly Parton: That is what we are\n(Both) No one in"
        lyrics = with_voices(words.from_text(text), Track(artists=("Kenny", "Dolly Parton")))
        assert [(line.voice, line.text) for line in lyrics] == [
            ("Kenny", "Islands in the stream"),
            ("Dolly Parton", "That is what we are"),
            ("Both", "No one in"),
        ]

    def test_names_before_most_lines_are_those_of_singers(self) -> None:
        text = "Jo: Islands in\nAl: That is\nJo: No one in\nAl: How can\nWe ride"
        found = with_voices(words.from_text(text), Track())
        assert [line.voice for line in found] == ["Jo", "Al", "Jo", "Al", None]

    def test_a_word_with_a_colon_is_sung(self) -> None:
        text = "Remember: it is true\nListen: they call\nHim: nobody else"
        assert with_voices(words.from_text(text), TRACK).text == text

    def test_background_lines_of_enhanced_lrc_are_a_voice(self) -> None:
        text = "[00:01.00]<00:01.00>Lead <00:01.50>line\n[bg:<00:02.00>ooh <00:02.50>ooh]\n"
        lyrics = external.from_timed(text, TRACK, same_times=True)
        assert [line.voice for line in lyrics] == [None, "bg"]
        assert [word.text for word in lyrics.words] == ["Lead", "line", "ooh", "ooh"]


class TestScripts:
    def test_characters_are_words_in_chinese_and_japanese(self) -> None:
        assert [w.text for w in words.split("月亮，代表 my 心")] == [
            "月",
            "亮，",
            "代",
            "表",
            "my",
            "心",
        ]
        assert [w.text for w in words.split("きゃりー")] == ["きゃ", "りー"]

    def test_ruby_of_web_pages_is_kept_as_furigana(self) -> None:
        for reading in ("<rt>よぞら</rt>", "<rp>(</rp><rt>よぞら</rt><rp>)</rp>"):
            lines, _ = clean_text(f"<ruby>夜空{reading}</ruby>に\nlove")
            assert lines[0] == "夜空(よぞら)に"

    def test_hangul_arabic_and_hebrew_have_spaces(self) -> None:
        for text in ("사랑해 널 이 느낌", "نسم علينا الهوا", "ממעמקים קראתי אלייך"):
            assert " ".join(w.text for w in words.split(text)) == text

    def test_the_line_can_be_shown_as_it_was(self) -> None:
        for text in ("我 love你", "「夜に」駆ける", "Ça ira — peut-être"):
            assert Line(words.split(text)).text == text


def timed(*starts: float, text: str = "some words here") -> Lyrics:
    return Lyrics(tuple(Line.from_text(text, start) for start in starts))


class TestTimesOfAnotherVersion:
    def test_good_ones_are_believed(self) -> None:
        assert times.believable(timed(*range(10, 190, 6)), 200.0)
        assert times.believable(timed(1.0, 5.0), None)
        assert times.believable(Lyrics(), 10.0)

    @pytest.mark.parametrize(
        "lyrics",
        [
            timed(*range(10, 260, 6)),
            timed(*[0.0] * 20),
            timed(*(at * 0.1 for at in range(20)), text="far too many words for a tenth of it"),
            timed(*range(0, 30, 2)),
            timed(*reversed(range(10, 190, 6))),
        ],
        ids=["beyond the end", "all at once", "too fast", "over after a moment", "backwards"],
    )
    def test_others_are_not(self, lyrics: Lyrics) -> None:
        assert not times.believable(lyrics, 200.0)

    def test_then_the_words_are_kept_without_them(self) -> None:
        text = "".join(f"[0{at // 60}:{at % 60:02}.00] line {at}\n" for at in range(10, 260, 6))
        lyrics = external.from_timed(text, Track(title="T", duration=200.0), same_times=True)
        assert lyrics.timing is Timing.NONE
        assert len(lyrics.lines) == 42


VERSES = ("Up above the world\nLike a diamond", "When the sun is gone\nThen you show")
WHOLE = "\n".join(VERSES)
FURNISHED = {
    "azlyrics": f"Singer Lyrics\n\n{WHOLE}\n\nThanks to Ann for adding these lyrics.\nWriters: A B",
    "tabs": f"The Star chords by Singer\nTuning: E A D G B E\nKey: C\nCapo: none\n\n{WHOLE}",
    "songtexte": f"The Star Songtext\nvon Singer\n\n{WHOLE}\n\nQuelle: Website",
    "paroles": f"Paroles de la chanson The Star par Singer\n\n{WHOLE}\n\nParoliers : A B",
    "testi": f"Testo The Star\n\n{WHOLE}",
    "tekst": f"Текст песни The Star\n\n{WHOLE}",
    "numbers": "1.\n{}\n\n2.\n{}".format(*VERSES),
    "words": "VERSE ONE\n{}\n\nVERSE TWO\n{}".format(*VERSES),
    "markdown": "**Verse 1**\n{}\n\n## Verse 2\n{}".format(*VERSES),
    "signs": "--- Verse 1 ---\n{}\n\n-----\n=== Verse 2 ===\n{}".format(*VERSES),
    "brackets": "<Verse 1>\n{}\n\n{{Verse 2}}\n{}".format(*VERSES),
    "licence": f"{WHOLE}\nLyrics by Company\nLyrics © Company LLC",
}


HEADERS = [
    ("V1", "V2:"),
    ("[V1]", "[C]"),
    ("V1:", "R:"),
    ("1.", "Ref.:"),
    ("Zwr. 1", "Ref: x1"),
    ("1. Strophe", "Refr.:"),
    ("Strophe 1", "Kehrvers"),
    ("Couplet 1", "Refrein"),
    ("1ª strofa", "Rit."),
    ("Estrofa I", "Coro:"),
    ("Primeira estrofe", "Refrão"),
    ("1 куплет", "Припев:"),
    ("1. sloka", "®:"),
    ("1. sloha:", "Refrén:"),
    ("1. versszak", "Refrén"),
    ("Säkeistö 1", "Kertosäe"),
    ("Vers 1", "Refräng"),
    ("Vers 1", "Omkvæd"),
    ("1. Kıta", "Nakarat"),
    ("Στροφή 1", "Ρεφρέν"),
    ("Lời 1:", "Điệp khúc:"),
    ("בית 1", "פזמון"),
    ("مقطع 1", "اللازمة"),
    ("1番", "サビ"),
    ("1절", "후렴"),
    ("第一段", "副歌"),
    ("(Verse 1: Singer)", "(Chorus: Both)"),
    ("[Verse 1] 0:05", "Chorus (0:25)"),
    ("[[Verse 1]]", "「Chorus」"),
    (">> Verse 1", "::Chorus::"),
    ("Verse I", "Bridge"),
    ("verse 1", "chorus"),
    ("#1", "#2"),
    ("I.", "II."),
    ("(1)", "(2)"),
    ("A:", "B:"),
]
BEFORE = [
    ("1. ", "2. "),
    ("1) ", "2) "),
    ("(1) ", "(2) "),
    ("I. ", "II. "),
    ("1 ", "2 "),
    ("1./ ", "2./ "),
    ("1. ", "R: "),
    ("1. ", "Ref. "),
    ("V1: ", "C: "),
    ("Verse 1: ", "Chorus: "),
    ("Verse 1 - ", "Chorus - "),
    ("[Verse 1] ", "[Chorus] "),
    ("1. ", "Припев: "),
    ("1. ", "®: "),
]


class TestLabels:
    @pytest.mark.parametrize(("one", "two"), HEADERS)
    def test_above_stanzas_are_not_sung(self, one: str, two: str) -> None:
        text = f"{one}\n{VERSES[0]}\n\n{two}\n{VERSES[1]}"
        assert "\n".join(sung(text)) == WHOLE

    @pytest.mark.parametrize(("one", "two"), BEFORE)
    def test_before_their_first_words_are_not_sung(self, one: str, two: str) -> None:
        assert "\n".join(sung(f"{one}{VERSES[0]}\n\n{two}{VERSES[1]}")) == WHOLE

    @pytest.mark.parametrize("sign", ["1. ", "1) ", "1: ", "01 ", "- ", "* ", "• ", "> "])
    def test_before_every_line_are_not_sung(self, sign: str) -> None:
        rows = [f"{sign.replace('1', str(at))}{row}" for at, row in enumerate(WHOLE.split("\n"), 1)]
        assert "\n".join(sung("\n".join(rows))) == WHOLE

    @pytest.mark.parametrize(
        "chorus",
        [
            "Chorus (repeat)",
            "Chorus again",
            "Repeat Chorus",
            "Rpt. chorus",
            "Back to Chorus",
            "(Repeat Chorus to fade)",
            "Chorus 2",
            "CHORUS...",
            "Last Chorus",
            "Ref.",
            "R:",
        ],
    )
    def test_without_words_repeat_the_chorus(self, chorus: str) -> None:
        text = f"Verse 1\nOne\n\nChorus\nLa la\n\nVerse 2\nTwo\n\n{chorus}"
        assert sung(text) == ["One", "La la", "Two", "La la"]

    @pytest.mark.parametrize(
        "header",
        [
            "Repeat Verse 1 and Chorus",
            "(Repeat Verse 1 & Chorus)",
            "[Repeat: Verse 1, Chorus]",
            "Verse 1 + Chorus again",
            "Wiederholung Strophe 1 und Refrain",
        ],
    )
    def test_repeat_several_sections_that_they_name(self, header: str) -> None:
        text = f"Verse 1\nOne\n\nChorus\nLa la\n\nVerse 2\nTwo\n\n{header}"
        assert sung(text) == ["One", "La la", "Two", "One", "La la"]

    def test_repeat_verses_by_their_numbers(self) -> None:
        assert sung("1.\nOne\n\n2.\nTwo\n\nRepeat verses 1 & 2")[2:] == ["One", "Two"]

    def test_of_two_sections_above_words_repeat_none(self) -> None:
        text = "Verse 1\nOne\n\nChorus\nLa la\n\n[Verse 1 & Chorus]\nThree"
        assert sung(text) == ["One", "La la", "Three"]

    @pytest.mark.parametrize(
        "chorus", ["R: 2x", "Ref. x2", "Chorus (twice)", "Refrain 2 x", "R: bis"]
    )
    def test_say_how_often_the_chorus_is_sung(self, chorus: str) -> None:
        assert sung(f"R:\nLa la\n\n1.\nOne\n\n{chorus}") == ["La la", "One", "La la", "La la"]

    def test_before_timed_words_go_with_their_time(self) -> None:
        rows = (
            Line((Word("1.", 1.0), Word("Oh", 1.1), Word("ah", 1.5)), 1.0),
            Line((Word("2.", 2.0), Word("Hey", 2.1)), 2.0),
        )
        found = clean(Lyrics(rows))
        assert [(word.text, word.start) for word in found.words] == [
            ("Oh", 1.1),
            ("ah", 1.5),
            ("Hey", 2.1),
        ]

    @pytest.mark.parametrize(
        "line",
        [
            *("I", "V", "R", "Break", "Solo", "Estoy solo", "Bro", "Most", "Repeat after me"),
            *("1, 2, 3, 4", "2 become 1", "5:15", "I.O.U.", "St. James", "To the bridge", "Bait"),
            *(
                "Second verse, same as the first",
                "V is for victory",
                "(bro)",
                "Encore",
                "Part of me",
            ),
            *("Hello: it's me", "Ch-ch-ch-changes", "К тебе", "Coro de voces", "10. November"),
        ],
    )
    def test_are_not_what_may_be_sung(self, line: str) -> None:
        text = f"First line here\n{line}\nThird goes on\n\n{line}\nAnd that is that"
        assert "\n".join(sung(text)) == text.replace("\n\n", "\n")


ENGLISH = ("Stars in the night", "I watched", "Some day")
NAMED = Track(title="The Star", artist="Singer", album="Songs")


class TestHeadings:
    @pytest.mark.parametrize(
        "heading",
        [
            "The Star\n",
            "THE STAR\n",
            '"The Star"\n',
            "The Star (Live)\n",
            "The Star (feat. Someone)\n",
            "The Star (1806)\n",
            "03. The Star",
            "# The Star",
            "The Star\n========",
            "The Star\nSinger",
            "Singer\nThe Star",
            "The Star\n\nby Singer",
            'Singer\n"The Star"\nSongs (2020)',
            "Singer - The Star (Official Video)",
            "The Star\nWords: Jane Taylor\nMusic: Trad.",
            "Translations\nEspañol\nThe Star Lyrics",
        ],
    )
    def test_of_the_songs_names_go(self, heading: str) -> None:
        assert "\n".join(clean_text(f"{heading}\n{WHOLE}", NAMED)[0]) == WHOLE

    @pytest.mark.parametrize("line", ["The Star", "Singer", "The Star (Live)", '"The Star"'])
    def test_that_may_be_sung_are_left_to_the_sound(self, line: str) -> None:
        lyrics = external.from_plain(f"{line}\n{WHOLE}", NAMED)
        assert lyrics.text == f"{line}\n{WHOLE}"
        assert lyrics.without_repeats(lyrics.repeats).text == WHOLE

    def test_of_a_title_that_is_sung_again_are_left_to_the_sound(self) -> None:
        lyrics = external.from_plain(f"The Star\n\n{WHOLE}\nThe Star", NAMED)
        assert len(lyrics.lines) == 6

    @pytest.mark.parametrize("above", ["The Star\n", "Lyrics:\n", "3 Contributors\n"])
    def test_do_not_take_the_first_words_with_them(self, above: str) -> None:
        text = f"{above}The Star\n{WHOLE}"
        assert external.from_plain(text, NAMED).text.endswith(f"The Star\n{WHOLE}")

    def test_at_the_first_moment_of_a_file_go(self) -> None:
        text = "[00:00.00]The Star\n[00:05.00]Up above\n[00:09.00]The world\n"
        lyrics = external.from_timed(text, NAMED, same_times=True)
        assert lyrics.text == "Up above\nThe world"

    @pytest.mark.parametrize("end", ["\nThe End", "THE END", "- fin -", "(the end)", "[End]"])
    def test_that_say_that_it_ends_go(self, end: str) -> None:
        assert "\n".join(sung(f"{WHOLE}\n{end}")) == WHOLE

    def test_the_end_is_sung_within_a_stanza(self) -> None:
        assert sung(f"{WHOLE}\nThe end")[-1] == "The end"


class TestTranslationsInOneRow:
    @pytest.mark.parametrize("form", ["{} / {}", "{} | {}", "{} ({})", "{}（{}）"])
    def test_stand_beside_the_line(self, form: str) -> None:
        rows = [
            ("夜空に光る星", "Stars in the night"),
            ("君と見ていた", "I watched"),
            ("いつか", "Some day"),
        ]
        found = external.from_plain("\n".join(form.format(*row) for row in rows), TRACK)
        assert found.text == "\n".join(one for one, _ in rows)
        assert [line.parallel[0].text for line in found] == [two for _, two in rows]

    def test_are_none_in_one_language(self) -> None:
        text = "Hey you (hey you)\nCome on (come on)\nGo now (go now)\nOne / two"
        assert external.from_plain(text, TRACK).text == text


@pytest.mark.parametrize("page", FURNISHED)
def test_what_other_pages_put_around_words_goes(page: str) -> None:
    assert "\n".join(sung(FURNISHED[page], "The Star", "Singer")) == WHOLE


@pytest.mark.parametrize("mark", ["(2 раза)", "(2回)", "(two times)", "(2 razy)", "(x2)."])
def test_repeats_are_marked_in_other_languages(mark: str) -> None:
    assert sung(f"One\nTwo\n{mark}") == ["One", "Two", "One", "Two"]


class TestPartsThatAreSungAgain:
    @pytest.mark.parametrize(
        "form", ["{{{}}} x2", "{{{}}} (2x)", "[{}] x2", "({}) x2", "{{{}}}x2", "{{{}}}\n2x"]
    )
    def test_stand_in_brackets_over_several_rows(self, form: str) -> None:
        block = form.format("One\nTwo")
        assert sung(f"Zero\n{block}\nThree") == ["Zero", "One", "Two", "One", "Two", "Three"]
        assert sung(f"Zero\n{block}") == ["Zero", "One", "Two", "One", "Two"]

    @pytest.mark.parametrize("form", ["{{{}}} x2", "[{}] x2"])
    def test_stand_in_brackets_on_a_row(self, form: str) -> None:
        assert sung(f"{form.format('La la')}\nEnd") == ["La la", "La la", "End"]

    @pytest.mark.parametrize("text", ["(One\nTwo)\nThree", "{One\n\nTwo} x2", "{One\nTwo"])
    def test_are_none_without_a_count_or_an_end(self, text: str) -> None:
        assert len(sung(text)) < 4

    def test_stand_between_stars(self) -> None:
        part = "* One\nTwo **"
        assert sung(f"{part}\nThree") == ["One", "Two", "Three"]
        for again in ("Repeat * to **", "(* **)", "Powt. od * do **"):
            assert sung(f"{part}\nThree\n\n{again}") == ["One", "Two", "Three", "One", "Two"]
