"""Repeats, singing without words, and a source's word times: what the figures decide."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lyricsyncd.align.features import Alignment
from lyricsyncd.config.schema import Quality
from lyricsyncd.judging.quality import Verdict, with_missing_words
from lyricsyncd.judging.repeats import TOLERATED, doubted, worth
from lyricsyncd.judging.uncovered import NOTHING, uncovered
from lyricsyncd.judging.word_times import StatedTimes, compare, with_stated
from lyricsyncd.lyrics.clean import sung_lines
from lyricsyncd.lyrics.sung import from_plain
from lyricsyncd.model import Decision, Line, Lyrics, Track, Word
from lyricsyncd.text.words import split_lyrics

HOP = 0.1
THRESHOLDS = Quality()


class TestMarkedRepeats:
    def test_are_numbered_one_by_one(self) -> None:
        lines, _ = sung_lines("One\nTwo (x3)\n\n[Chorus]\nLa\n\n[Verse]\nThree\n\n[Chorus]")
        assert [(line.text, line.repeat) for line in lines] == [
            ("One", 0),
            ("Two", 0),
            ("Two", 1),
            ("Two", 2),
            ("La", 0),
            ("Three", 0),
            ("La", 3),
        ]

    def test_can_be_left_out(self) -> None:
        lyrics = from_plain("One (x2)\nTwo\n(x2)", Track())
        assert lyrics.text == "One\nOne\nTwo\nOne\nOne\nTwo"
        assert lyrics.repeats == {1, 2}
        assert lyrics.without_repeats({1}).text == "One\nTwo\nOne\nOne\nTwo"
        assert lyrics.without_repeats(lyrics.repeats).text == "One\nTwo"

    def test_within_a_timed_line_leave_the_line(self) -> None:
        words = tuple(Word(text, repeat=at // 2) for at, text in enumerate("la lo la lo".split()))
        lyrics = Lyrics((Line(words, 5.0), Line((), 9.0)))
        fewer = lyrics.without_repeats(lyrics.repeats)
        assert fewer.text == "la lo"
        assert [line.start for line in fewer] == [5.0, 9.0]

    def test_of_unspaced_words_are_kept_through_parting(self) -> None:
        lyrics = split_lyrics(Lyrics((Line((Word("水开了", repeat=2),)),)))
        assert [word.repeat for word in lyrics.words] == [2, 2, 2]

    def test_that_are_less_sure_than_the_song_are_doubted(self) -> None:
        repeat, confidence = [0, 0, 0, 1, 1, 2, 2], [0.9, 0.9, 0.9, 0.9, 0.88, 0.5, 0.7]
        assert doubted(repeat, confidence) == {2}
        assert doubted([], []) == frozenset()


class TestTheWorthOfAPlacement:
    def test_a_repeat_that_fits_is_kept_though_it_gains_nothing(self) -> None:
        once, twice = [0.95] * 20, [0.95] * 20 + [0.94] * 5
        assert worth(twice, 1.0, tolerated=TOLERATED) > worth(once, 1.0)

    def test_a_repeat_that_squeezes_others_goes(self) -> None:
        once, twice = [0.97] * 44, [0.97] * 34 + [0.85] * 20
        assert worth(once, 1.0) > worth(twice, 1.0, tolerated=TOLERATED)

    def test_singing_that_is_left_over_counts(self) -> None:
        assert worth([0.95] * 88, 1.0) > worth([0.96] * 44, 0.5)

    def test_no_words_are_worth_nothing(self) -> None:
        assert worth([], 1.0, tolerated=TOLERATED) == 0.0


class TestSingingWithoutWords:
    @staticmethod
    def voiced(*stretches: tuple[float, float], seconds: float = 120.0) -> np.ndarray:
        frames = np.zeros(round(seconds / HOP), np.bool_)
        for first, last in stretches:
            frames[round(first / HOP) : round(last / HOP)] = True
        return frames

    def test_is_a_verse_that_the_lyrics_lack(self) -> None:
        voiced = self.voiced((10, 30), (60, 80))
        onset = np.arange(10.0, 30.0)
        found = uncovered(voiced, HOP, onset.tolist(), (onset + 0.9).tolist())
        assert found.starts == (60.0,)
        assert found.share == pytest.approx(0.5, abs=0.02)
        assert found.reason == "No words cover 20 s of singing, at 1:00"

    def test_is_none_between_words_and_after_the_last(self) -> None:
        voiced = self.voiced((10, 34))
        onset = np.arange(10.0, 31.0, 2.0)
        found = uncovered(voiced, HOP, onset.tolist(), (onset + 1.0).tolist())
        assert dataclasses.replace(found, away=0.0) == NOTHING

    def test_is_none_where_a_solo_leaves_some_traces(self) -> None:
        traces = [(at, at + 0.7) for at in range(50, 80, 3)]
        voiced = self.voiced((10, 30), *traces)
        onset = np.arange(10.0, 30.0)
        found = uncovered(voiced, HOP, onset.tolist(), (onset + 0.9).tolist())
        assert dataclasses.replace(found, away=0.0) == NOTHING

    def test_has_the_share_away_from_words_however_short_its_stretches_are(self) -> None:
        voiced = self.voiced((0, 9), (20, 21), (30, 31), (40, 41))
        found = uncovered(voiced, HOP, list(range(9)), [at + 1 for at in range(9)])
        assert found.away == pytest.approx(0.25, abs=0.02)
        assert found.share == 0.0

    def test_lists_the_first_stretches(self) -> None:
        voiced = self.voiced(*((at, at + 10) for at in range(0, 100, 20)))
        found = uncovered(voiced, HOP, [0.0], [10.0])
        assert found.reason == "No words cover 40 s of singing, at 0:20, 0:40, 1:00 and later"

    def test_of_a_song_without_voice_is_none(self) -> None:
        assert uncovered(self.voiced(), HOP, [1.0], [2.0]) == NOTHING

    def test_lowers_the_score_by_half_its_share(self) -> None:
        sure = Verdict(0.96, (0.96,), Decision.WORDS, "sure")
        assert with_missing_words(sure, 0.0, THRESHOLDS) is sure
        lowered = with_missing_words(sure, 0.5, THRESHOLDS)
        assert lowered.score == pytest.approx(0.72)
        assert lowered.confidence == sure.confidence
        assert with_missing_words(sure, 1.0, THRESHOLDS).decision is Decision.LINES


class TestWordTimesOfASource:
    onset = np.arange(20, dtype=np.float64)
    confidence = (0.9,) * 16 + (0.4,) * 4

    def stated(self, start: np.ndarray) -> StatedTimes:
        return StatedTimes(start, start + 0.5, "lrclib")

    def placed(self) -> Alignment:
        zeros = np.zeros(len(self.onset))
        return Alignment(
            onset=self.onset,
            offset=self.onset + 0.8,
            fit=zeros,
            near=zeros,
            spread=zeros,
            activity=zeros,
            coverage=zeros,
            placed=np.ones(len(self.onset), np.bool_),
            acoustic_model="sphinx",
        )

    def judged(self, start: np.ndarray) -> tuple[Alignment, Verdict, str]:
        verdict = Verdict(0.8, self.confidence, Decision.WORDS, "found")
        return with_stated(self.placed(), verdict, self.stated(start), THRESHOLDS)

    def test_are_believed_where_the_words_found_confirm_them(self) -> None:
        start = self.onset + 0.05
        alignment, verdict, said = self.judged(start)
        assert alignment.onset == pytest.approx(start)
        assert alignment.offset == pytest.approx(start + 0.5)
        assert verdict.confidence[-1] == 1.0
        assert verdict.score == 1.0
        assert said == "The word times are those of lrclib: 100% are confirmed"

    def test_are_moved_where_all_are_late(self) -> None:
        alignment, _, said = self.judged(self.onset + 2.0)
        assert alignment.onset == pytest.approx(self.onset)
        assert "moved by -2.0 s" in said

    def test_of_another_version_are_not_used(self) -> None:
        alignment, verdict, said = self.judged(1.3 * self.onset)
        assert alignment.onset == pytest.approx(self.onset)
        assert verdict.score == 0.8
        assert said == "The word times of lrclib do not fit what is sung"

    def test_that_are_known_for_some_words_leave_the_others(self) -> None:
        start = self.onset + 0.1
        start[15:] = np.nan
        alignment, _, _ = self.judged(start)
        assert alignment.onset[:15] == pytest.approx(self.onset[:15] + 0.1)
        assert alignment.onset[15:] == pytest.approx(self.onset[15:])

    def test_cannot_be_judged_by_a_few_words(self) -> None:
        few = tuple(0.9 if at < 5 else 0.3 for at in range(20))
        assert compare(self.stated(self.onset), self.onset, few) is None
        verdict = Verdict(0.3, few, Decision.REVIEW, "doubtful")
        same, unchanged, said = with_stated(
            self.placed(), verdict, self.stated(self.onset + 1.0), THRESHOLDS
        )
        assert same.onset == pytest.approx(self.onset)
        assert unchanged == verdict
        assert said.startswith("Too few words were found")

    def test_never_run_backwards(self) -> None:
        start = self.onset.copy()
        start[4], start[5] = start[5], start[4]
        alignment, _, _ = self.judged(start)
        assert (np.diff(alignment.onset) >= 0).all()
        assert (alignment.offset >= alignment.onset).all()

    def test_do_not_change_what_else_is_known(self) -> None:
        alignment, _, _ = self.judged(self.onset)
        assert dataclasses.replace(alignment, onset=self.onset).acoustic_model == "sphinx"
