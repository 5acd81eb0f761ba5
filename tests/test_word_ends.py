"""Ends of words: where they stop sounding."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from lyricsyncd.align.word_ends import word_ends

SR = 16_000


def sung(*parts: tuple[float, float]) -> npt.NDArray[np.float32]:
    """Make a tone of parts, each its seconds and its amplitude."""
    amplitude = np.concatenate([np.full(round(s * SR), a) for s, a in parts])
    return np.asarray(amplitude * np.sin(np.arange(len(amplitude)) * 0.1), np.float32)


def ends(vocals: npt.NDArray[np.float32], *words: tuple[float, float]) -> list[float]:
    onset, offset = np.array(words).T
    return list(word_ends(onset, offset, vocals, SR).tolist())


class TestAWordEnds:
    def test_where_it_falls_silent_though_the_search_left_it_early(self) -> None:
        vocals = sung((1.0, 0.0), (2.0, 0.5), (2.0, 0.0))
        assert ends(vocals, (1.0, 1.4)) == pytest.approx([3.0], abs=0.05)

    def test_before_its_reverberation(self) -> None:
        vocals = sung((1.0, 0.0), (1.0, 0.5), (1.0, 0.02), (1.0, 0.0))
        assert ends(vocals, (1.0, 3.0)) == pytest.approx([2.0], abs=0.05)

    def test_where_the_next_begins_at_the_latest(self) -> None:
        vocals = sung((1.0, 0.0), (3.0, 0.5))
        assert ends(vocals, (1.0, 1.5), (2.0, 3.9))[0] == pytest.approx(2.0)

    def test_behind_a_short_pause_within_it(self) -> None:
        vocals = sung((1.0, 0.0), (0.5, 0.5), (0.1, 0.0), (0.5, 0.5), (1.0, 0.0))
        assert ends(vocals, (1.0, 1.8)) == pytest.approx([2.1], abs=0.05)

    def test_in_a_pause_before_the_next_however_short(self) -> None:
        vocals = sung((1.0, 0.0), (0.5, 0.5), (0.1, 0.0), (0.5, 0.5))
        assert ends(vocals, (1.0, 1.6), (1.6, 2.0))[0] == pytest.approx(1.5, abs=0.05)

    def test_a_few_seconds_behind_the_search_at_most(self) -> None:
        assert ends(sung((1.0, 0.0), (30.0, 0.5)), (1.0, 2.0)) == pytest.approx([6.0])

    def test_somewhere_even_in_silence_and_behind_the_audio(self) -> None:
        found = ends(np.zeros(SR, np.float32), (0.5, 0.7), (0.9, 3.0), (2.0, 4.0))
        assert all(np.isfinite(found))
        assert found[0] >= 0.5
        assert found[2] >= 2.0
