"""The recipe's sequence alignment: times of recognised words for known ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.align import align_words
from lyricsyncd.align.transfer import matched
from lyricsyncd.model import Word


def recognised(text: str, start: float = 0.0) -> list[Word]:
    """Words a second apart, half a second long."""
    return [Word(word, start + i, start + i + 0.5, 0.9) for i, word in enumerate(text.split())]


def known(text: str) -> list[Word]:
    return [Word(word) for word in text.split()]


def test_equal_words_take_the_recognised_times() -> None:
    words, stats = align_words(
        recognised("row row row your boat"), known("Row, row, row your boat!")
    )
    assert [word.start for word in words] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert [word.text for word in words] == ["Row,", "row,", "row", "your", "boat!"]
    assert (stats.equal, stats.near, stats.interpolated) == (5, 0, 0)
    assert stats.recognised == 1.0


def test_a_near_match_counts() -> None:
    words, stats = align_words(
        recognised("gently down the streem"), known("gently down the stream")
    )
    assert words[3].start == 3.0
    assert stats.near == 1


def test_a_word_that_was_not_recognised_is_put_between_adjacent_words() -> None:
    asr = [Word("life", 10.0, 10.5), Word("but", 12.5, 13.0)]
    words, stats = align_words(asr, known("life is just but"))
    assert [word.start for word in words] == [10.0, 10.5, 11.5, 12.5]
    assert words[1].confidence == 0.0
    assert stats.interpolated == 2


def test_words_before_and_after_everything_recognised_get_a_place() -> None:
    words, _ = align_words([Word("dream", 1.0, 1.4)], known("but a dream a boat"))
    assert [round(word.start or 0.0, 2) for word in words] == [0.4, 0.7, 1.0, 1.4, 1.7]


def test_accents_case_and_punctuation_do_not_matter() -> None:
    pairs = matched(recognised("ÇA VA"), known("ça, va?"))
    assert [pair.exact for pair in pairs if pair] == [True, True]


def test_nothing_recognised_leaves_the_words_as_they_are() -> None:
    words, stats = align_words([], known("row your boat"))
    assert words == known("row your boat")
    assert stats.recognised == 0.0
    assert align_words([], []) == ([], stats.__class__(0, 0, 0))


tokens = st.lists(st.sampled_from(["a", "b", "c", "d", "dream", "dreams", "stream"]), max_size=40)


@given(tokens, tokens)
def test_every_known_word_comes_back_in_order(asr: list[str], ref: list[str]) -> None:
    words, stats = align_words(recognised(" ".join(asr)), known(" ".join(ref)))
    assert [word.text for word in words] == ref
    assert stats.equal + stats.near + stats.interpolated == len(ref)
    starts = [word.start for word in words if word.start is not None]
    assert starts == sorted(starts)
    assert len(starts) == (len(ref) if stats.equal + stats.near else 0)
    assert all((word.end or 0.0) >= (word.start or 0.0) for word in words)
