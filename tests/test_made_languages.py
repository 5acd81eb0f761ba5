"""Songs in many languages, made from readings that are not the code's own, and placed."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.languages import singing
from benchmarks.languages.__main__ import measure, starts
from benchmarks.languages.verses import SungWord, Verse, verses
from demo.make_song import RATE, Performance
from lyricsyncd import LyricSyncPipeline
from lyricsyncd.config.schema import Config
from lyricsyncd.model import Line, Lyrics, Word
from tests import lite_models

VERSES = tuple(verses().values())
ASKED = "ja zh yue ko th he ar fa hi vi ru uk pl tr el pt it sv fi hu cs id tl ta bn".split()


@pytest.fixture(scope="module")
def performance() -> Performance:
    return singing.perform(verses()["th"])


@pytest.fixture(scope="module")
def pipeline() -> LyricSyncPipeline:
    models = {"dir": lite_models.installed()}
    return LyricSyncPipeline(config=Config.model_validate({"models": models}))


class TestVerses:
    def test_are_in_every_language_that_is_promised(self) -> None:
        assert set(ASKED) <= set(verses())

    @pytest.mark.parametrize("verse", VERSES, ids=lambda verse: verse.language)
    def test_have_enough_words_and_a_sound_for_each(self, verse: Verse) -> None:
        assert len(verse.lines) == 8
        assert len(verse.words) >= 25
        for word in verse.words:
            assert word.text
            assert singing.mnemonics(word, verse)

    def test_are_written_as_readers_expect(self) -> None:
        assert verses()["ja"].text.startswith("夜の空に\n月が光る\n")
        assert verses()["pl"].text.startswith("Noc jest cicha teraz\n")


class TestSinging:
    def test_a_sound_without_a_name_in_espeak_is_refused(self) -> None:
        verse = verses()["it"]
        with pytest.raises(ValueError, match="Italian 'xhosa': no mnemonic for 'ǁ'"):
            singing.mnemonics(SungWord("xhosa", "ǁosa"), verse)

    def test_the_longest_names_of_sounds_come_first(self) -> None:
        assert singing.mnemonics(SungWord("치마", "tɕʰima"), verses()["ko"]) == "tS;|i|m|a"

    @pytest.mark.slow
    def test_every_word_is_sung_in_its_order(self, performance: Performance) -> None:
        words = performance.words
        assert [word.text for word in words] == [word.text for word in verses()["th"].words]
        assert all(one.end <= other.start for one, other in itertools.pairwise(words))

    @pytest.mark.slow
    def test_the_voice_sounds_in_its_words_and_only_there(self, performance: Performance) -> None:
        voice = performance.vocals.mean(0)
        words = performance.words
        assert np.abs(voice[: int((words[0].start - 0.005) * RATE)]).max() < 1e-3
        for word in words:
            inside = voice[int(word.start * RATE) : int(word.end * RATE)]
            assert np.sqrt(np.mean(inside**2)) > 0.02, word


class TestComparing:
    VERSE = replace(verses()["th"], lines=verses()["th"].lines[:1])

    def test_a_word_within_a_longer_one_has_no_start_of_its_own(self) -> None:
        words = (Word("คืนนี้", 1.0, space=False), Word("เงียบ", 2.0, space=False), Word("สงบ", 3.0))
        assert starts(self.VERSE, Lyrics((Line(words),))) == [1.0, None, 2.0, 3.0]

    def test_a_word_without_a_time_is_as_far_off_as_can_be(self) -> None:
        words = tuple(Word(word.text, space=False) for word in self.VERSE.words)
        assert starts(self.VERSE, Lyrics((Line(words),))) == [float("inf")] * 4


@pytest.mark.slow
@pytest.mark.song
class TestPlacing:
    @pytest.mark.parametrize("language", ["es", "it"])
    def test_nine_words_in_ten_lie_within_a_third_of_a_second(
        self, language: str, pipeline: LyricSyncPipeline, tmp_path: Path
    ) -> None:
        measured = measure(pipeline, verses()[language], tmp_path)
        assert measured.detected == language
        assert measured.within_300ms >= 90, measured.errors
