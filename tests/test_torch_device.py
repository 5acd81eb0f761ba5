"""What models compute in, by the memory that there is. Needs no torch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.torch_device import precision

GB = 1_000_000_000
TORCH, CTRANSLATE2 = ("float32", "float16"), ("float16", "int8_float16")


@pytest.mark.parametrize(
    ("weights", "free", "offered", "expected"),
    [
        (95_000_000, 8 * GB, TORCH, "float32"),
        (315_000_000, 2 * GB, TORCH, "float16"),
        (1_550_000_000, 24 * GB, CTRANSLATE2, "float16"),
        (1_550_000_000, 4 * GB, CTRANSLATE2, "int8_float16"),
        (1_550_000_000, 1 * GB, CTRANSLATE2, "int8_float16"),
        (2_100_000_000, None, TORCH, "float32"),
    ],
)
def test_the_finest_that_leaves_room_is_taken(
    weights: int, free: int | None, offered: tuple[str, ...], expected: str
) -> None:
    assert precision(weights, free, offered) == expected


@given(st.integers(1, 10**10), st.integers(0, 10**11), st.integers(0, 10**11))
def test_more_memory_is_never_coarser(weights: int, some: int, more: int) -> None:
    offered = ("float32", "float16", "int8")
    less, greater = sorted((some, more))
    at = [offered.index(precision(weights, free, offered)) for free in (less, greater)]
    assert at[1] <= at[0]
