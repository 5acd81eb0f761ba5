"""Lines that are in the lyrics and not in the song."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.judging.unsung import unsung_runs

LENGTHS = [4, 5, 3, 6, 4]


def each(*lines: float) -> list[float]:
    """Return the confidence of every word, given that of its line."""
    return [sure for sure, count in zip(lines, LENGTHS, strict=True) for _ in range(count)]


class TestLinesThatASearchPassedOver:
    def test_are_not_sung_where_they_are_placed_without_confidence(self) -> None:
        found = unsung_runs(LENGTHS, each(0.9, 0.1, 0.1, 0.1, 0.9), frozenset({1, 2, 3}))
        assert found == {1, 2, 3}

    def test_are_sung_where_they_are_sure(self) -> None:
        assert not unsung_runs(LENGTHS, each(0.9, 0.8, 0.9, 0.8, 0.9), frozenset({1, 2, 3}))

    def test_begin_and_end_with_unsure_ones(self) -> None:
        found = unsung_runs(LENGTHS, each(0.1, 0.9, 0.1, 0.1, 0.9), frozenset({1, 2, 3, 4}))
        assert found == {2, 3}

    def test_are_taken_whole_where_one_between_looks_right(self) -> None:
        found = unsung_runs(LENGTHS, each(0.9, 0.0, 0.6, 0.0, 0.9), frozenset({1, 2, 3}))
        assert found == {1, 2, 3}

    def test_may_be_sung_where_one_alone_is_unsure(self) -> None:
        assert not unsung_runs(LENGTHS, each(0.9, 0.9, 0.0, 0.9, 0.9), frozenset({2}))


def test_no_line_is_chosen_that_was_not_passed_over() -> None:
    assert unsung_runs(LENGTHS, each(0.0, 0.0, 0.0, 0.0, 0.0), frozenset({0, 1, 3})) == {0, 1}


@given(
    st.lists(st.tuples(st.integers(0, 4), st.floats(0.0, 1.0), st.booleans()), max_size=20),
)
def test_what_is_chosen_is_unsure_as_a_whole(lines: list[tuple[int, float, bool]]) -> None:
    lengths = [count for count, _, _ in lines]
    confidence = [sure for count, sure, _ in lines for _ in range(count)]
    absent = frozenset(i for i, (_, _, passed_over) in enumerate(lines) if passed_over)
    found = unsung_runs(lengths, confidence, absent)
    assert found <= absent
    total = sum(lengths[i] for i in found)
    assert not found or sum(lengths[i] * lines[i][1] for i in found) < 0.5 * total
