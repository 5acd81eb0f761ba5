"""Lines that are sung again though the lyrics write them once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd import audio
from lyricsyncd.align.emissions.sphinx import PhoneStateModel
from lyricsyncd.align.repeated_lines import (
    SungLine,
    matched,
    path_with_jumps,
    sung_order,
)
from lyricsyncd.align.trellis import Trellis
from lyricsyncd.config.schema import Config
from lyricsyncd.model import Lyrics
from lyricsyncd.pipeline.lyrics_aligner import LyricsAligner, PlacedLyrics
from lyricsyncd.pipeline.model_set import ModelSet
from lyricsyncd.pipeline.optional_models import OptionalModels
from lyricsyncd.pipeline.prepared import Stopwatch
from lyricsyncd.pipeline.settings import placing_settings
from lyricsyncd.separate import Stem
from tests.test_align_search import Dense, trellises

SONG = Path(__file__).parent.parent / "demo" / "songs" / "The_Star.mp3"
RATE = 16_000
HALF = 4
"""The lines of its first verse."""


def _as_textbook(trellis: Trellis, jump: float) -> float:
    """Score the best path over a matrix that has the jumps, too."""
    graph, dense = trellis.graph, Dense.of(trellis)
    last = np.append(graph.first_of_line[1:], True)
    exits = graph.exits[:, 1:][:, last].ravel()
    ends = [*graph.silence[np.append(True, last)], *exits[exits >= 0]]
    entries = graph.entries[graph.first_of_line[graph.entered_from]]
    for end in ends:
        for entry in entries:
            dense.transitions[end, entry] = max(dense.transitions[end, entry], -jump)
    dense.start[entries] = 0.0
    dense.ends[ends] = True
    return dense.best()


class TestTheSearchWithJumps:
    @given(trellises(), st.sampled_from([0.0, 2.0, 10.0]))
    def test_finds_a_path_as_good_as_the_textbooks(self, trellis: Trellis, jump: float) -> None:
        path = path_with_jumps(trellis, jump)
        assert path is not None
        assert path.score == pytest.approx(_as_textbook(trellis, jump), abs=1e-3)

    @given(trellises())
    def test_keeps_the_order_where_jumps_cost_too_much(self, trellis: Trellis) -> None:
        path = path_with_jumps(trellis, 1e6)
        assert path is not None
        known = sorted(set(trellis.graph.line.tolist()))
        assert path.lines == [line for line in known if line in path.lines]


class TestMatching:
    paths = st.lists(st.integers(0, 4), max_size=8)

    @given(st.lists(st.sampled_from("abc"), min_size=5, max_size=5), paths)
    def test_keeps_the_order_and_matches_like_with_like(
        self, lines: list[str], path: list[int]
    ) -> None:
        places = matched(lines, path, [2] * 5)
        found = [place for place in places if place >= 0]
        assert found == sorted(set(found))
        assert all(p < 0 or lines[path[p]] == line for line, p in zip(lines, places, strict=True))

    def test_takes_a_chorus_that_is_written_once_where_it_comes_first(self) -> None:
        verse, chorus, second = 0, 1, 2
        path = [verse, chorus, second, chorus]
        assert matched(["verse", "chorus", "second"], path, [5, 5, 5]) == [0, 1, 2]

    def test_takes_a_run_of_lines_rather_than_single_ones(self) -> None:
        assert matched(["a", "b", "c"], [0, 0, 1, 2], [3, 3, 3]) == [1, 2, 3]

    def test_leaves_out_what_the_path_lacks(self) -> None:
        assert matched(["a", "b", "c"], [0, 2], [3, 3, 3]) == [0, -1, 1]


@pytest.fixture(scope="module")
def lines() -> list[list[str]]:
    text = SONG.with_suffix(".txt").read_text(encoding="utf-8")
    return [line.split() for line in text.splitlines() if line.split()]


@pytest.fixture(scope="module")
def verses(lines: list[list[str]]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The two verses of the song."""
    whole = np.concatenate(list(audio.blocks(SONG, RATE))).mean(axis=1)
    table = np.genfromtxt(SONG.with_suffix(".words.csv"), delimiter=",", skip_header=1)
    cut = round((table[sum(map(len, lines[:HALF])), 0] - 0.1) * RATE)
    return whole[:cut].astype(np.float32), whole[cut:].astype(np.float32)


@pytest.fixture(scope="module")
def acoustic_model() -> PhoneStateModel:
    return PhoneStateModel.load()


class TestASongWithAVerseSungAgain:
    def test_has_its_lines_in_the_order_of_singing(
        self,
        acoustic_model: PhoneStateModel,
        verses: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]],
        lines: list[list[str]],
    ) -> None:
        first, second = verses
        order = sung_order(
            np.concatenate([first, second, first]),
            [*lines[:HALF], [], *lines[HALF:]],
            "en",
            acoustic_model,
        ).lines
        n = len(lines)
        written = [SungLine(line, True) for line in range(n + 1) if line != HALF]
        assert order == (*written, *(SungLine(line, False) for line in range(HALF)))

    def test_and_as_written_where_none_is_sung_again(
        self,
        acoustic_model: PhoneStateModel,
        verses: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]],
        lines: list[list[str]],
    ) -> None:
        order = sung_order(np.concatenate(verses), lines, "en", acoustic_model)
        assert order.lines == tuple(SungLine(line, True) for line in range(len(lines)))
        assert order.absent == frozenset()

    def test_no_line_is_in_silence(
        self, acoustic_model: PhoneStateModel, lines: list[list[str]]
    ) -> None:
        silence = np.zeros(20 * RATE, np.float32)
        order = sung_order(silence, lines, "en", acoustic_model).lines
        assert [each.line for each in order if each.written] == list(range(len(lines)))

    def test_has_its_words_where_they_are_written(
        self,
        verses: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]],
        lines: list[list[str]],
    ) -> None:
        first, second = verses
        sung = np.concatenate([first, second, first])
        stem = Stem(sung, sung, RATE, "none")
        text = "\n".join(" ".join(line) for line in lines)
        lyrics = Lyrics.from_text(text, source="file", language="en")
        settings = placing_settings(Config())
        models = ModelSet(settings.models)
        aligner = LyricsAligner(models, OptionalModels(models), settings)
        numbers = [*range(len(lines)), *range(HALF)]
        order = [SungLine(line, at < len(lines)) for at, line in enumerate(numbers)]
        placed = aligner.placed(stem, lyrics, "en", None, Stopwatch(), order=order)
        table = np.genfromtxt(SONG.with_suffix(".words.csv"), delimiter=",", skip_header=1)
        assert placed.lyrics == lyrics
        assert len(placed.verdict.confidence) == len(table)
        assert np.mean(np.abs(placed.alignment.onset - table[:, 0]) <= 0.3) >= 0.9


class TestVersesOfAnotherSong:
    OTHER = tuple(
        line.split()
        for line in (
            "Baa, baa, black sheep,",
            "Have you any wool?",
            "Yes sir, yes sir,",
            "Three bags full.",
            "One for the master,",
            "And one for the dame,",
            "And one for the little boy",
            "Who lives down the lane.",
        )
    )
    AT = 2
    NUMBERS = frozenset(range(AT, AT + len(OTHER)))

    def mixed(self, lines: list[list[str]]) -> list[list[str]]:
        """Return the lyrics with the other verses within their first."""
        return [*lines[: self.AT], *self.OTHER, *lines[self.AT :]]

    def test_are_absent(
        self,
        acoustic_model: PhoneStateModel,
        verses: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]],
        lines: list[list[str]],
    ) -> None:
        order = sung_order(np.concatenate(verses), self.mixed(lines), "en", acoustic_model)
        assert order.as_written
        assert order.absent == self.NUMBERS

    @pytest.fixture
    def lyrics(self, lines: list[list[str]]) -> Lyrics:
        text = "\n".join(" ".join(line) for line in self.mixed(lines))
        return Lyrics.from_text(text, source="file", language="en")

    @pytest.fixture
    def aligner(self, tmp_path: Path) -> LyricsAligner:
        """Without a second aligner, which would find the verses in the first pass."""
        settings = placing_settings(Config.model_validate({"models": {"dir": str(tmp_path)}}))
        models = ModelSet(settings.models)
        return LyricsAligner(models, OptionalModels(models), settings)

    def off(self, placed: PlacedLyrics, lyrics: Lyrics) -> npt.NDArray[np.float64]:
        """Return how far each word of the song itself is off, in seconds."""
        table = np.genfromtxt(SONG.with_suffix(".words.csv"), delimiter=",", skip_header=1)
        off: npt.NDArray[np.float64] = np.abs(
            placed.alignment.onset[~self.theirs(lyrics)] - table[:, 0]
        )
        return off

    def theirs(self, lyrics: Lyrics) -> npt.NDArray[np.bool_]:
        numbers = [number for number, line in enumerate(lyrics) for _ in line.words]
        return np.isin(numbers, list(self.NUMBERS))

    def test_are_left_out_where_the_other_words_are_surer_without_them(
        self,
        verses: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]],
        lyrics: Lyrics,
        aligner: LyricsAligner,
    ) -> None:
        sung = np.concatenate(verses)
        stem = Stem(sung, sung, RATE, "none")
        before = aligner.placed(stem, lyrics, "en", None, Stopwatch())
        assert np.mean(self.off(before, lyrics) <= 0.3) < 0.8
        placed = aligner.placed_without_unsung(before, "en", Stopwatch())
        assert placed.unsung == self.NUMBERS
        assert placed.doubt_of_all_but(self.NUMBERS) < before.doubt_of_all_but(self.NUMBERS)
        assert placed.left_out == pytest.approx(np.mean(self.theirs(lyrics)))
        assert np.mean(self.off(placed, lyrics) <= 0.3) >= 0.9
        assert np.array(placed.verdict.confidence)[self.theirs(lyrics)].max() < 0.01
