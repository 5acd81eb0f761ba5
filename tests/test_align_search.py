"""The search, held against the textbook: dense matrices over the same graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.align import viterbi
from lyricsyncd.align.emissions import CompiledLyrics, Emissions, PronunciationVariant
from lyricsyncd.align.event_times import LogPosteriors
from lyricsyncd.align.graph import Graph, build, skippable_runs
from lyricsyncd.align.onset_priors import OnsetPosteriors, OnsetPrior
from lyricsyncd.align.options import Penalties
from lyricsyncd.align.posterior import posterior
from lyricsyncd.align.trellis import Anchors, Band, StartTimes, Trellis
from lyricsyncd.align.viterbi import best_path, best_score

HOP = 0.01
UNITS = 5


@dataclass(frozen=True)
class Dense:
    """The trellis as the textbook draws it: a matrix of transitions, a vector of scores a frame."""

    transitions: npt.NDArray[np.float64]
    start: npt.NDArray[np.float64]
    ends: npt.NDArray[np.bool_]
    scores: npt.NDArray[np.float64]
    entry: npt.NDArray[np.float64]

    @classmethod
    def of(cls, trellis: Trellis, scale: float = 1.0) -> Dense:
        graph = trellis.graph
        size = graph.n_states
        transitions = np.full((size, size), -np.inf)
        start = np.full(size, -np.inf)
        silence_entry = trellis.silence_entry
        np.fill_diagonal(transitions, 0.0)
        for s in range(size):
            if graph.chained[s]:
                transitions[s - 1, s] = 0.0
            if graph.skipping[s]:
                transitions[s - 2, s] = 0.0
        for j, rest in enumerate(graph.silence):
            for before in graph.exits[:, j]:
                if before >= 0:
                    transitions[before, rest] = -silence_entry[j] * scale
        start[graph.silence[0]] = -silence_entry[0] * scale
        for skip, j, cost in zip(graph.skips, graph.skipped_from, trellis.skip_entry, strict=True):
            for before in (graph.silence[j], *graph.exits[:, j]):
                if before >= 0:
                    transitions[before, skip] = -cost * scale
            if j == 0:
                start[skip] = -cost * scale
        for entry, j in zip(graph.entries, graph.entered_from, strict=True):
            transitions[graph.silence[j], entry] = 0.0
            for before in graph.exits[:, j]:
                if before >= 0:
                    transitions[before, entry] = 0.0
            if j == 0:
                start[entry] = 0.0
        ends = np.zeros(size, np.bool_)
        ends[graph.silence[-1]] = True
        ends[[e for e in graph.exits[:, -1] if e >= 0]] = True
        n = trellis.n_frames
        scores = trellis.scores(0, n).astype(np.float64)[:, graph.unit] * scale
        entry_cost = np.zeros((n, size))
        costs = trellis.entry_penalties(0, n)
        if costs is not None:
            entry_cost[:, graph.entries] = -costs * scale
        return cls(transitions, start, ends, scores, entry_cost)

    def arriving(self, t: int) -> npt.NDArray[np.float64]:
        """Transitions into frame t, entry costs on those that enter a word."""
        stay = np.eye(len(self.start), dtype=np.bool_)
        return np.where(stay, self.transitions, self.transitions + self.entry[t])

    def best(self) -> float:
        column = self.start + self.entry[0] + self.scores[0]
        for t in range(1, len(self.scores)):
            column = (column[:, None] + self.arriving(t)).max(axis=0) + self.scores[t]
        return float(column[self.ends].max())

    def score_of(self, states: npt.NDArray[np.int64]) -> float:
        total = self.start[states[0]] + self.entry[0, states[0]] + self.scores[0, states[0]]
        for t in range(1, len(states)):
            total += self.arriving(t)[states[t - 1], states[t]] + self.scores[t, states[t]]
        return float(total) if self.ends[states[-1]] else -np.inf

    def onset_posterior(self, graph: Graph) -> npt.NDArray[np.float64]:
        """Probability of each word to start at each frame, shape (W, T)."""
        n, size = self.scores.shape
        forward, backward = np.full((n, size), -np.inf), np.full((n, size), -np.inf)
        forward[0] = self.start + self.entry[0] + self.scores[0]
        for t in range(1, n):
            forward[t] = _log_sum(forward[t - 1][:, None] + self.arriving(t), 0) + self.scores[t]
        backward[-1] = np.where(self.ends, 0.0, -np.inf)
        for t in range(n - 2, -1, -1):
            following = self.arriving(t + 1) + self.scores[t + 1] + backward[t + 1]
            backward[t] = _log_sum(following, 1)
        total = _log_sum(forward[-1] + backward[-1], 0)
        result = np.zeros((graph.n_words, n))
        first_states = set(zip(graph.entries.tolist(), graph.entered_from.tolist(), strict=True))
        for state, word in first_states:
            own = graph.word == word
            outside = ~own | graph.in_silence
            for t in range(n):
                if t == 0:
                    mass = forward[0, state] + backward[0, state]
                else:
                    into = np.where(outside, forward[t - 1] + self.arriving(t)[:, state], -np.inf)
                    mass = _log_sum(into, 0) + self.scores[t, state] + backward[t, state]
                result[word, t] += np.exp(mass - total)
        return result


def _log_sum(values: npt.NDArray[np.float64], axis: int) -> npt.NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        most = np.max(values, axis=axis, keepdims=True)
        safe = np.where(np.isfinite(most), most, 0.0)
        summed = np.log(np.exp(values - safe).sum(axis=axis)) + np.squeeze(safe, axis=axis)
    return np.asarray(summed)


@st.composite
def variants(draw: st.DrawFn) -> PronunciationVariant:
    units = draw(st.lists(st.integers(0, UNITS - 1), min_size=1, max_size=4))
    if draw(st.booleans()) and len(units) > 1:
        optional = [False] * len(units)
        optional[draw(st.integers(1, len(units) - 1))] = True
        return PronunciationVariant(tuple(units), tuple(optional))
    return PronunciationVariant(tuple(units))


words = st.lists(variants(), min_size=1, max_size=2).map(tuple)
songs = st.lists(st.lists(words, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3).map(
    lambda lines: CompiledLyrics(tuple(lines), UNITS, np.arange(UNITS) % 2 == 0)
)


@st.composite
def trellises(draw: st.DrawFn, *, timed: bool = False, skippable: bool = False) -> Trellis:
    song = draw(songs)
    runs: list[tuple[int, int]] = []
    if skippable:
        n_words = sum(len(line) for line in song.lines)
        edges = st.lists(st.integers(0, n_words), min_size=2, max_size=2, unique=True)
        runs = [(min(run), max(run)) for run in draw(st.lists(edges, max_size=4))]
    graph = build(song, runs)
    n = build(song).shortest + draw(st.integers(0, 15))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    emissions = Emissions(
        -rng.exponential(3.0, (n, UNITS)).astype(np.float16),
        -rng.exponential(3.0, n).astype(np.float32),
        HOP,
    )
    anchors: list[Anchors] = []
    for share_known in (0.3, 0.8) if timed else ():
        starts = np.sort(rng.uniform(0.0, n * HOP, graph.n_words))
        starts[rng.random(len(starts)) > share_known] = np.nan
        anchors.append(StartTimes(starts, spread=0.02, step=3.0, most=20.0))
    if timed:
        anchors.append(_onset_prior(graph, n, rng))
    activity = rng.random(n).astype(np.float32)
    penalties = Penalties(skipped_word=draw(st.sampled_from([0.0, 5.0, 60.0])))
    scale = draw(st.sampled_from([1.0, 0.5]))
    return Trellis(graph, emissions, activity, song.short, tuple(anchors), penalties, scale)


def _onset_prior(graph: Graph, n_frames: int, rng: np.random.Generator) -> OnsetPrior:
    """Another model's posteriors of some of the words, over some of the frames each."""
    index = np.flatnonzero(rng.random(graph.n_words) < 0.7)
    first = rng.integers(0, n_frames, len(index))
    base = np.append(0, np.cumsum(rng.integers(1, n_frames + 1, len(index))))
    posteriors = LogPosteriors(-rng.exponential(2.0, base[-1]).astype(np.float32), base, first)
    row = np.full(graph.n_words, -1)
    row[index] = np.arange(len(index))
    return OnsetPrior(
        OnsetPosteriors("other", posteriors, index, HOP, np.zeros(len(index))),
        row,
        np.zeros(graph.n_words),
        2.0,
        9.0,
    )


@given(trellises() | trellises(timed=True) | trellises(skippable=True))
def test_the_best_path_is_as_good_as_the_textbooks(trellis: Trellis) -> None:
    path, dense = best_path(trellis), Dense.of(trellis)
    assert path is not None
    assert path.score == pytest.approx(dense.best(), abs=1e-3)
    assert dense.score_of(path.states) == pytest.approx(path.score, abs=1e-3)
    assert best_score(trellis) == path.score


@given(trellises())
def test_every_word_is_passed_once_and_in_order(trellis: Trellis) -> None:
    path = best_path(trellis)
    assert path is not None
    graph = trellis.graph
    sung = path.states[~graph.in_silence[path.states]]
    passed = graph.word[sung]
    assert (np.diff(passed) >= 0).all()
    assert set(passed.tolist()) == set(range(graph.n_words))


@given(trellises() | trellises(timed=True) | trellises(skippable=True))
def test_walking_in_blocks_changes_nothing(trellis: Trellis) -> None:
    whole = best_path(trellis)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(viterbi, "_POINTER_BUDGET", 1)
        patch.setattr(viterbi, "_SCORES_AT_ONCE", 4)
        in_blocks = best_path(trellis)
    assert whole is not None
    assert in_blocks is not None
    assert in_blocks.score == pytest.approx(whole.score, abs=1e-4)
    assert Dense.of(trellis).score_of(in_blocks.states) == pytest.approx(whole.score, abs=1e-3)


@given(trellises(skippable=True))
def test_a_word_is_left_out_only_within_a_run_that_may_be(trellis: Trellis) -> None:
    path = best_path(trellis)
    assert path is not None
    graph = trellis.graph
    passed = graph.word[path.states[~graph.in_silence[path.states]]]
    assert (np.diff(passed) >= 0).all()
    may_be = np.zeros(graph.n_words, np.bool_)
    for begin, count in zip(graph.skipped_from, graph.skipped_words, strict=True):
        may_be[begin : begin + count] = True
    assert may_be[np.setdiff1d(np.arange(graph.n_words), passed)].all()


def test_lines_and_words_in_brackets_may_be_left_out() -> None:
    lines = [["one", "(two", "three)", "four"], [], ["(five)", "six"], ["[seven", "eight"], ["9)"]]
    assert skippable_runs(lines) == [(0, 4), (1, 3), (4, 6), (4, 5), (6, 8), (8, 9)]


def _frames(graph: Graph, states: npt.NDArray[np.int64]) -> tuple[list[int], list[int]]:
    sung = [
        np.nonzero((graph.word[states] == w) & ~graph.in_silence[states])[0]
        for w in range(graph.n_words)
    ]
    return [int(f[0]) for f in sung], [int(f[-1]) + 1 for f in sung]


@given(trellises(), st.integers(0, 30))
def test_a_band_around_the_best_path_keeps_it(trellis: Trellis, reach: int) -> None:
    path = best_path(trellis)
    assert path is not None
    onsets, offsets = map(np.array, _frames(trellis.graph, path.states))
    band = Band.around(trellis.graph, onsets, offsets, trellis.n_frames, reach)
    assert (band.first <= path.states).all()
    assert (path.states < band.end).all()
    again = best_path(trellis, band)
    assert again is not None
    assert again.score == pytest.approx(path.score, abs=1e-3)


@given(trellises() | trellises(timed=True), st.sampled_from([0.1, 0.5, 1.0]))
def test_the_median_onset_is_the_textbooks(trellis: Trellis, scale: float) -> None:
    path = best_path(trellis)
    assert path is not None
    graph, n = trellis.graph, trellis.n_frames
    onsets, offsets = map(np.array, _frames(graph, path.states))
    found = posterior(trellis, Band.whole(graph, n), onsets, offsets, scale=scale, near=2)
    expected = Dense.of(trellis, scale).onset_posterior(graph)
    frames, edges = np.arange(n), np.arange(n + 1) - 0.5
    assert expected.sum(axis=1) == pytest.approx(np.ones(graph.n_words), abs=1e-6)
    for own, median in zip(expected, found.onset.median, strict=True):
        assert np.interp(median, edges, np.append(0.0, own.cumsum())) == pytest.approx(
            0.5, abs=1e-3
        )
    close = np.abs(frames - onsets[:, None]) <= 2
    assert found.onset.near == pytest.approx((expected * close).sum(axis=1), abs=1e-4)
    assert (found.offset.median > found.onset.median).all()


def test_a_song_shorter_than_its_words_has_no_path() -> None:
    song = CompiledLyrics(
        ((((PronunciationVariant((0, 1, 2)),),) * 3),), UNITS, np.zeros(UNITS, np.bool_)
    )
    graph = build(song)
    emissions = Emissions(np.zeros((5, UNITS), np.float16), np.zeros(5, np.float32), HOP)
    trellis = Trellis(graph, emissions, np.ones(5, np.float32), song.short)
    assert best_path(trellis) is None


def test_an_anchor_pulls_a_word_to_where_it_starts() -> None:
    """Two equally good places for a word: the known time decides, and a wild one is overruled."""
    song = CompiledLyrics((((PronunciationVariant((0,)),),),), UNITS, np.zeros(UNITS, np.bool_))
    graph = build(song)
    scores = np.full((100, UNITS), -20.0, np.float16)
    scores[20:30, 0] = scores[70:80, 0] = 0.0
    rest = np.zeros(100, np.float32)
    rest[20:30] = rest[70:80] = -20.0
    emissions = Emissions(scores, rest, HOP)

    def onset(start: float, most: float) -> int:
        anchors = (StartTimes(np.array([start]), spread=0.1, step=20.0, most=most),)
        trellis = Trellis(graph, emissions, np.ones(100, np.float32), song.short, anchors)
        path = best_path(trellis)
        assert path is not None
        return int(np.nonzero(~graph.in_silence[path.states])[0][0])

    assert onset(0.2, 600.0) == 20
    assert onset(0.7, 600.0) == 70
    assert onset(0.45, 5.0) in (20, 70)
