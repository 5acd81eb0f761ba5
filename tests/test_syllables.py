"""Syllables: how words are split, how they are timed, and which formats keep them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lyricsyncd import formats
from lyricsyncd.align.features import _vowels
from lyricsyncd.align.graph import build
from lyricsyncd.align.syllables import timed_syllables
from lyricsyncd.catalog import drafts
from lyricsyncd.model import Line, Lyrics, Syllable, Word
from lyricsyncd.text.syllables import split

MONKEY = Word(
    "Monkey,", 1.0, 1.8, 0.9, syllables=(Syllable("Mon", 1.0, 1.4), Syllable("key,", 1.4, 1.8))
)
SONG = Lyrics((Line((Word("Code", 0.5, 0.9), MONKEY, Word("go", 2.0, 2.5)), 0.5, 2.5),))
KEPT = ("ttml", "ass", "ultrastar")
ON_REQUEST = ("lrc", "lyricsfile", "json")


class TestWrittenWords:
    @pytest.mark.parametrize(
        ("word", "vowels", "language", "expected"),
        [
            ("Monkey", 2, "en", "Mon-key"),
            ("around", 2, "en", "a-round"),
            ("everything,", 4, "en", "ev-e-ry-thing,"),
            ("every", 2, "en", "ev-ery"),
            ("people", 2, "en", "peo-ple"),
            ("idea", 3, "en", "i-de-a"),
            ("MTV?", 3, "en", "M-T-V?"),
            ("“Hello,", 2, "en", "“Hel-lo,"),
            ("loved", 1, "en", "loved"),
            ("confession", 3, "fr", "con-fes-sion"),
            ("belle", 2, "fr", "bel-le"),
            ("l’amour", 2, "fr", "l’a-mour"),
            ("Veränderung", 4, "de", "Ver-än-de-rung"),
            ("corazón", 3, "es", "co-ra-zón"),
            ("día", 2, "es", "dí-a"),
            ("любовь", 2, "ru", "лю-бовь"),
            ("사랑해", 3, "ko", "사-랑-해"),
            ("東京。", 4, "ja", "東-京。"),
            ("1985", 5, "en", "1985"),
            ("mmm", 2, "en", "mmm"),
        ],
    )
    def test_are_split_into_as_many_syllables_as_vowels_are_sung(
        self, word: str, vowels: int, language: str, expected: str
    ) -> None:
        assert "-".join(split(word, vowels, language)) == expected

    def test_are_split_behind_their_hyphens(self) -> None:
        assert split("oh-oh-oh", 3, "en") == ("oh-", "oh-", "oh")

    @pytest.mark.parametrize("language", [None, "en", "tlh", "ja", "th"])
    @pytest.mark.parametrize("word", ["", "…", "naïve", "ʻokina", "x\u0301y", "ﬁre", "ไทย", "a1b2"])
    def test_are_the_word_again_when_joined(self, word: str, language: str | None) -> None:
        for count in range(6):
            assert "".join(split(word, count, language)) == word


class TestTimes:
    def test_are_those_of_the_vowels_behind_the_first(self) -> None:
        assert timed_syllables("Monkey", 1.0, 1.8, [1.05, 1.4], "en") == (
            Syllable("Mon", 1.0, 1.4),
            Syllable("key", 1.4, 1.8),
        )

    def test_stay_in_order_within_the_word(self) -> None:
        found = timed_syllables("wonderful", 1.0, 1.5, [0.8, 0.9, 2.0], "en")
        assert [part.start for part in found] == [1.0, 1.03, 1.47]

    def test_are_those_of_the_vowels_that_are_held_where_the_text_has_fewer(self) -> None:
        found = timed_syllables("every", 1.0, 2.0, [1.0, 1.3, 1.33], "en")
        assert [part.text for part in found] == ["ev", "e", "ry"]
        assert [part.start for part in timed_syllables("b2b", 1.0, 2.0, [1.0, 1.3], "en")] == []

    def test_are_not_given_to_a_word_of_one_syllable_or_without_room(self) -> None:
        assert timed_syllables("Code", 1.0, 1.8, [1.05], "en") == ()
        assert timed_syllables("Monkey", 1.0, 1.04, [1.0, 1.02], "en") == ()

    def test_come_from_the_states_with_which_a_path_enters_vowels(
        self, compiled_monkey: object
    ) -> None:
        graph = build(compiled_monkey)  # type: ignore[arg-type]
        # Silence, then m m o o k k e e, each phone two states of a frame or more.
        path = np.array([0, 0, 1, 2, 3, 3, 4, 4, 4, 5, 6, 7, 8, 9])
        (times,) = _vowels(graph, path, 1, 0.01, -0.01)
        assert times.tolist() == pytest.approx([0.03, 0.10])


@pytest.fixture
def compiled_monkey() -> object:
    from lyricsyncd.align.emissions import CompiledLyrics, PronunciationVariant

    variant = PronunciationVariant(tuple(range(8)), vowels=(2, 6))
    return CompiledLyrics((((variant,),),), 8, np.zeros(8, np.bool_))


class TestAWord:
    def test_drops_syllables_that_are_not_its_own(self) -> None:
        from dataclasses import replace

        assert replace(MONKEY, text="Donkey,").syllables == ()
        assert replace(MONKEY, start=1.1).syllables == ()
        assert replace(MONKEY, syllables=MONKEY.syllables[:1]).syllables == ()

    def test_takes_them_along_when_the_song_is_shifted(self) -> None:
        moved = SONG.shifted(0.5).words[1]
        assert [part.start for part in moved.syllables] == [1.5, 1.9]


class TestFormats:
    @pytest.mark.parametrize("name", KEPT)
    def test_that_players_light_by_syllable_keep_them(self, name: str) -> None:
        read = formats.read(formats.write(SONG, name).encode(), name)
        assert [word.text for word in read.words] == ["Code", "Monkey,", "go"]
        assert read.words[1].syllables == MONKEY.syllables
        assert read == formats.project(SONG, name)

    @pytest.mark.parametrize("name", ON_REQUEST)
    def test_of_words_write_them_on_request_only(self, name: str) -> None:
        usual = formats.read(formats.write(SONG, name).encode(), name)
        assert all(word.syllables == () for word in usual.words)
        requested = formats.write(SONG, name, syllables=True)
        assert formats.read(requested.encode(), name).words[1].syllables == MONKEY.syllables

    def test_have_a_span_a_mark_or_a_note_for_each(self) -> None:
        ttml, ass, ultrastar = (formats.write(SONG, name) for name in KEPT)
        assert '<span begin="00:00:01.400" end="00:00:01.800">key,</span> ' in ttml
        assert r"{\kf40}Mon{\kf40}key, " in ass
        assert ": 100 40 0 Mon\n: 140 40 0 key, \n" in ultrastar
        assert json.loads(formats.write(SONG, "json", syllables=True))[1]["syllables"][1] == {
            "text": "key,",
            "start": 1.4,
            "end": 1.8,
        }

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("lrc", "[1000,800]<0,400,0>Mon<400,400,0>key "),
            ("lrc", "[1000,800]Mon(1000,400)key(1400,400)"),
            ("lrc", "[00:01.000]<00:01.000>Mon<00:01.400>key<00:01.800>"),
            ("vtt", "WEBVTT\n\n00:01.000 --> 00:01.800\nMon<00:01.400>key\n"),
            ("ultrastar", "#BPM:1500\n#GAP:0\n: 100 40 5 Mon\n: 140 20 7 key\n: 160 20 9 ~\nE\n"),
        ],
    )
    def test_of_other_programs_are_read_with_their_syllables(self, name: str, text: str) -> None:
        (word,) = formats.read(text.encode(), name).words
        assert (word.text, word.start) == ("Monkey", 1.0)
        assert word.syllables == (Syllable("Mon", 1.0, 1.4), Syllable("key", 1.4, 1.8))

    def test_leave_characters_of_chinese_words_by_themselves(self) -> None:
        found = formats.read("[00:01.00]<00:01.00>我<00:01.50>爱<00:02.00>".encode(), "lrc")
        assert [(word.text, word.syllables) for word in found.words] == [("我", ()), ("爱", ())]

    def test_leave_out_syllables_that_run_over_the_next_word(self) -> None:
        from dataclasses import replace

        early = Line((MONKEY, replace(SONG.words[2], start=1.2, end=1.8)), 1.0, 1.8)
        written = formats.write(Lyrics((early,)), "ttml")
        assert [word.start for word in formats.read(written.encode(), "ttml").words] == [1.0, 1.2]


class TestKeptResults:
    def test_have_the_syllables(self) -> None:
        draft = drafts.Draft(SONG, 0.9, "words", "")
        again = drafts.unpack(drafts.pack(draft), revision=0, at=0.0, by_hand=False)
        assert again is not None
        assert again.lyrics == SONG

    def test_of_before_have_none(self) -> None:
        assert drafts._word_of(["Mon", 1.0, 1.4, 0.5, 0]) == Word("Mon", 1.0, 1.4, 0.5, False)
        assert drafts._word_of(["Mon", 1.0, 1.4, 0.5]) == Word("Mon", 1.0, 1.4, 0.5)
