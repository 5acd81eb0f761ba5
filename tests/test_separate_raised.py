"""Quiet vocals are raised by what a first pass found of them, and separated again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lyricsyncd.separate.base import Stem
from lyricsyncd.separate.raised import GAIN, QUIET_DB, level_db, separate_raised

Samples = NDArray[Any]
RATE = 22_050


@dataclass
class Share:
    """A separator that takes half of the mix for vocals, in blocks of a size of its own."""

    size: int
    name: str = "share"
    sample_rates: tuple[int, ...] = (RATE,)

    def separate(self, blocks: Iterable[Samples], sample_rate: int) -> Iterator[Samples]:
        assert sample_rate == RATE
        held = np.zeros((0, 2), np.float32)
        for block in blocks:
            held = np.concatenate([held, block])
            while len(held) >= self.size:
                yield 0.5 * held[: self.size]
                held = held[self.size :]
        if len(held):
            yield 0.5 * held


@given(st.lists(st.integers(1, 40), max_size=8), st.integers(1, 60))
def test_every_sample_of_the_mix_meets_its_own_vocals(lengths: list[int], size: int) -> None:
    mix = np.random.default_rng(0).standard_normal((sum(lengths), 2)).astype(np.float32)
    vocals = (0.25 * mix).astype(np.float16)
    blocks = np.split(mix, np.cumsum(lengths)[:-1]) if lengths else []
    found = list(separate_raised(Share(size), blocks, RATE, vocals))
    expected = 0.5 * (mix + GAIN * vocals.astype(np.float32)) / (1.0 + GAIN)
    np.testing.assert_allclose(np.concatenate([np.zeros((0, 2)), *found]), expected, rtol=1e-5)


def test_no_more_of_the_song_is_held_than_the_separator_holds() -> None:
    read = 0

    def blocks() -> Iterator[Samples]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield np.zeros((10, 2), np.float32)

    found = separate_raised(Share(20), blocks(), RATE, np.zeros((1000, 2), np.float16))
    next(found)
    assert read < 10


def test_the_level_is_that_of_the_vocals_against_the_rest_where_they_are_loud() -> None:
    rng = np.random.default_rng(0)
    rest = rng.standard_normal(16_000 * 10).astype(np.float32)
    vocals = np.float32(10 ** (-10 / 20)) * rng.standard_normal(len(rest)).astype(np.float32)
    vocals[: len(vocals) // 2] = 0.0
    stem = Stem(vocals, rest + vocals, 16_000, "spleeter")
    assert abs(level_db(stem) + 10.0) < 0.2
    assert level_db(stem) < QUIET_DB < level_db(Stem(3 * vocals, rest + 3 * vocals, 16_000, "x"))
    assert level_db(Stem(rest[:0], rest[:0], 16_000, "x")) == 0.0
