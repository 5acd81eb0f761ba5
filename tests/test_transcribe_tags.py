"""What speech models write, read as words with times."""

from __future__ import annotations

from typing import Any

from hypothesis import given
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
        words = granite.parse("one [T:950] two [T:30] _ [T:990] three [T:5] four [T:60]")
        assert [(w.start, w.end) for w in words] == [
            (0.0, 9.5), (9.5, 10.3), (19.9, 20.05), (20.05, 20.6),
        ]  # fmt: skip

    def test_ten_seconds_themselves_are_written_as_nought(self) -> None:
        assert [w.end for w in granite.parse("one [T:990] two [T:0] three [T:0]")] == [
            9.9, 10.0, 10.0,
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

    @given(st.lists(st.tuples(st.booleans(), st.integers(1, 990)), max_size=60))
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

    @given(st.text(alphabet="la _[T:]019-", max_size=80))
    def test_any_text_gives_words_in_order(self, text: str) -> None:
        words = granite.parse(text)
        ends = [word.end or 0.0 for word in words]
        assert ends == sorted(ends)


class TestWhisper:
    def test_the_last_word_may_lack_its_end(self) -> None:
        chunks: list[dict[str, Any]] = [
            {"text": " row", "timestamp": (0.5, 0.9)},
            {"text": " boat", "timestamp": (1.0, None)},
            {"text": " ", "timestamp": (1.0, 1.1)},
        ]
        assert whisper.words(chunks) == [Word("row", 0.5, 0.9), Word("boat", 1.0, 1.0)]


class TestWhisperX:
    def test_words_that_were_not_aligned_are_left_out(self) -> None:
        segments: list[dict[str, Any]] = [
            {"word": "row", "start": 0.5, "end": 0.9, "score": 0.8},
            {"word": "1999"},
        ]
        assert whisperx.words(segments) == [Word("row", 0.5, 0.9, 0.8)]
