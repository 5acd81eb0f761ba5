"""What speech models write, read as words with times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lyricsyncd.model import Word
from lyricsyncd.transcribe import granite, whisper, whisperx


class TestGranite:
    def test_a_tag_ends_the_word_before_it(self) -> None:
        assert granite.parse("hello [T:45] world [T:82]") == [
            Word("hello", 0.0, 0.45),
            Word("world", 0.45, 0.82),
        ]

    def test_silence_has_a_tag_of_its_own(self) -> None:
        assert granite.parse("_ [T:120] hello [T:165] _ [T:300] world [T:340]") == [
            Word("hello", 1.2, 1.65),
            Word("world", 3.0, 3.4),
        ]

    def test_the_count_starts_anew_every_ten_seconds(self) -> None:
        words = granite.parse("one [T:950] two [T:30] _ [T:820] three [T:5] four [T:60]")
        assert [(w.start, w.end) for w in words] == [
            (0.0, 9.5), (9.5, 10.3), (18.2, 20.05), (20.05, 20.6),
        ]  # fmt: skip

    def test_a_little_back_is_a_slip_and_not_ten_seconds_more(self) -> None:
        words = granite.parse("one [T:450] two [T:448] three [T:500]")
        assert [(w.start, w.end) for w in words] == [(0.0, 4.5), (4.5, 4.5), (4.5, 5.0)]

    def test_all_digits_are_as_good_as_the_last_three(self) -> None:
        reported = granite.parse("one [T:950] two [T:1030] three [T:123456]")
        assert reported == granite.parse("one [T:950] two [T:30] three [T:456]")

    def test_nothing_is_believed_beyond_the_end(self) -> None:
        words = granite.parse("one [T:450] two [T:300] three [T:350]", duration=5.0)
        assert words == [Word("one", 0.0, 4.5)]

    def test_what_ends_a_little_late_ends_with_the_piece(self) -> None:
        assert granite.parse("one [T:520]", offset=60.0, duration=5.0) == [Word("one", 60.0, 65.0)]

    def test_speakers_and_lone_marks_are_no_words(self) -> None:
        assert granite.parse("[Speaker 1]: hello [T:45] - [T:50]") == [Word("hello", 0.0, 0.45)]

    def test_a_word_is_as_sure_as_its_letters(self) -> None:
        sure = [0.9] * 2 + [0.1] * 7 + [0.5] * 9
        words = granite.parse("ab [T:45] la [T:80]", probability=sure)
        assert [round(w.confidence or 0.0, 3) for w in words] == [0.9, 0.5]

    def test_ten_seconds_themselves_are_written_as_nought(self) -> None:
        assert [w.end for w in granite.parse("one [T:600] two [T:0] three [T:0]")] == [
            6.0, 10.0, 10.0,
        ]  # fmt: skip

    def test_a_window_starts_where_it_starts(self) -> None:
        assert granite.parse("hello [T:45]", offset=60.0) == [Word("hello", 60.0, 60.45)]

    def test_what_has_no_tag_is_dropped(self) -> None:
        assert granite.parse("hello [T:45] and then it was cut o") == [Word("hello", 0.0, 0.45)]
        assert granite.parse("") == []
        assert granite.parse("[T:12] [T:") == []

    def test_words_that_share_a_tag_share_its_time(self) -> None:
        assert granite.parse("good night [T:100]") == [
            Word("good", 0.0, 0.5),
            Word("night", 0.5, 1.0),
        ]

    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 900)), max_size=60))
    @example([(False, 833), (False, 900), (True, 900)])
    def test_every_song_without_a_long_gap_is_read_back(
        self, steps: list[tuple[bool, int]]
    ) -> None:
        at, written, expected = 0, [], []
        for sung, centiseconds in steps:
            start, at = at, at + centiseconds
            written.append(f"{'la' if sung else '_'} [T:{at % 1000}]")
            if sung:
                expected.append(Word("la", start / 100, at / 100))
        assert granite.parse(" ".join(written)) == expected

    @given(st.text(alphabet="la _[T:]019-", max_size=80), st.floats(0.0, 30.0))
    def test_any_text_gives_words_in_order_within_the_piece(
        self, text: str, duration: float
    ) -> None:
        words = granite.parse(text, 7.0, duration, [0.5] * len(text))
        edges = [edge for word in words for edge in (word.start or 0.0, word.end or 0.0)]
        assert edges == sorted(edges)
        assert all(7.0 <= edge <= 7.001 + duration for edge in edges)
        assert all(word.confidence == pytest.approx(0.5) for word in words)

    @given(
        st.lists(st.tuples(st.integers(0, 900), st.booleans()), min_size=1, max_size=40),
        st.data(),
    )
    def test_a_lost_tag_costs_no_other_word_its_time(
        self, steps: list[tuple[int, bool]], data: st.DataObject
    ) -> None:
        """Its word shares the time of the next; the others have theirs."""
        at, whole, written = 0, [], []
        lost = data.draw(st.integers(0, len(steps) - 1))
        shortened = [(min(step, 440), sung) for step, sung in steps]
        for i, (step, sung) in enumerate(shortened):
            at += step
            word, tag = "la" if sung else "_", f"[T:{at % 1000}]"
            whole.append(f"{word} {tag}")
            written.append(word if i == lost else f"{word} {tag}")
        true = granite.parse(" ".join(whole))
        kept = granite.parse(" ".join(written))
        ends = {word.end for word in kept}
        assert len([word for word in true if word.end not in ends]) <= 1


def tokens(*texts: str) -> Iterator[tuple[str, whisper.Token]]:
    """Parts of half a second and a likelihood of 0.5 each."""
    for i, text in enumerate(texts):
        yield text, whisper.Token(i, i / 2, (i + 1) / 2, 0.5)


class TestWhisper:
    def test_a_space_starts_a_word(self) -> None:
        assert whisper.words(tokens(" row", " your", " bo", "at")) == [
            Word("row", 0.0, 0.5, 0.5),
            Word("your", 0.5, 1.0, 0.5),
            Word("boat", 1.0, 2.0, 0.5),
        ]

    def test_marks_go_with_the_word_before_them(self) -> None:
        reported = whisper.words(tokens(" Row", ",", " row", "!", " '", "cause", " 1", ",", "000"))
        assert [word.text for word in reported] == ["Row,", "row!", "'cause", "1,000"]

    def test_what_is_no_word_is_left_out(self) -> None:
        assert whisper.words(tokens("", " ", " ♪", " ...")) == []
        assert whisper.words(iter(())) == []

    def test_signs_without_spaces_are_words_and_say_so(self) -> None:
        reported = whisper.words(tokens("我", "爱", "你", "。", " love"))
        assert [(word.text, word.space) for word in reported] == [
            ("我", False), ("爱", False), ("你。", True), ("love", True),
        ]  # fmt: skip

    def test_a_word_is_as_sure_as_its_parts(self) -> None:
        parts = [(" bo", whisper.Token(0, 0.0, 0.5, 0.9)), ("at", whisper.Token(1, 0.5, 1.0, 0.4))]
        (word,) = whisper.words(parts)
        assert word.confidence == pytest.approx(0.6)


class TestWhisperX:
    def test_words_that_were_not_aligned_are_left_out(self) -> None:
        segments: list[dict[str, Any]] = [
            {"word": "row", "start": 0.5, "end": 0.9, "score": 0.8},
            {"word": "1999"},
        ]
        assert whisperx.words(segments) == [Word("row", 0.5, 0.9, 0.8)]
