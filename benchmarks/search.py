"""Measure the search on a long song: seconds and memory, pass by pass and as a whole.

    python -m benchmarks.search [--minutes 10] [--words 1500] [--units 900]

The scores are noise, which takes the search exactly as long as music. The whole is `align` as the
service runs it, with a model that has two front ends and is adapted, and which takes no
time itself; its peak is that of a separate process, above the audio.
"""

from __future__ import annotations

import argparse
import os

# One core, so that a figure means the same everywhere. Before numpy is imported.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import multiprocessing
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.aligner import align
from lyricsyncd.align.emissions import (
    SAMPLE_RATE,
    CompiledLyrics,
    Emissions,
    Lines,
    PronunciationVariant,
)
from lyricsyncd.align.graph import build
from lyricsyncd.align.posterior import posterior
from lyricsyncd.align.trellis import Band, Trellis
from lyricsyncd.align.viterbi import best_path
from lyricsyncd.processes import memory

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
T = TypeVar("T")
HOP = 0.01
PHONES_A_WORD, STATES_A_PHONE, WORDS_A_LINE = 4, 3, 7


def song(n_words: int, n_units: int, rng: np.random.Generator) -> CompiledLyrics:
    """Make random words in random units."""
    length = PHONES_A_WORD * STATES_A_PHONE
    units = rng.integers(0, n_units, (n_words, length))
    words = [(PronunciationVariant(tuple(int(u) for u in row)),) for row in units]
    lines = [tuple(words[i : i + WORDS_A_LINE]) for i in range(0, n_words, WORDS_A_LINE)]
    return CompiledLyrics(tuple(lines), n_units, rng.random(n_units) < 0.5)


def trellis(minutes: float, n_words: int, n_units: int) -> Trellis:
    """Make a trellis of a given size."""
    rng = np.random.default_rng(0)
    compiled = song(n_words, n_units, rng)
    n_frames = round(minutes * 60 / HOP)
    scores = np.empty((n_frames, n_units), np.float16)
    for start in range(0, n_frames, 1000):
        part = scores[start : start + 1000]
        part[:] = -rng.exponential(5.0, part.shape)
    rest = -rng.exponential(5.0, n_frames).astype(np.float32)
    activity = rng.random(n_frames, dtype=np.float32)
    return Trellis(build(compiled), Emissions(scores, rest, HOP), activity, compiled.short)


@dataclass(frozen=True)
class NoisyModel:
    """A model with two front ends, whose units are random and whose scores are noise."""

    n_units: int
    name: str = "noise"
    hop: float = HOP
    lag: float = 0.0

    def compile(self, lines: Lines, language: str | None) -> CompiledLyrics:  # noqa: ARG002
        return song(sum(map(len, lines)), self.n_units, np.random.default_rng(0))

    def features(self, audio: FloatArray) -> FloatArray:
        return np.zeros((round(len(audio) / SAMPLE_RATE / HOP), 1), np.float32)

    def score(self, features: FloatArray, song: CompiledLyrics) -> Emissions:  # noqa: ARG002
        scores = np.empty((len(features), self.n_units), np.float16)
        noise = -np.random.default_rng(0).exponential(5.0, (1000, self.n_units))
        for start in range(0, len(features), 1000):
            part = scores[start : start + 1000]
            part[:] = np.roll(noise, start // 1000, axis=1)[: len(part)]
        return Emissions(scores, np.full(len(features), -5.0, np.float32), HOP)

    def front_ends(self) -> tuple[NoisyModel, ...]:
        return self, self

    def adapted(self, *_: object) -> NoisyModel:
        return self


def as_a_whole(minutes: float, n_words: int, n_units: int) -> tuple[float, float]:
    """Measure seconds of one core and peak megabytes of placing a whole song."""
    rng = np.random.default_rng(0)
    audio = rng.normal(0.0, 0.1, round(minutes * 60 * SAMPLE_RATE)).astype(np.float32)
    lines = [["word"] * WORDS_A_LINE for _ in range(0, n_words, WORDS_A_LINE)]
    base, began = resident_mb(), time.process_time()
    align(audio, lines, None, NoisyModel(n_units))
    return time.process_time() - began, _peak_mb() - base


def resident_mb() -> float:
    """Return the megabytes that this process has in memory now."""
    return memory.resident(os.getpid()) / 2**20


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--words", type=int, default=1500)
    parser.add_argument("--units", type=int, default=900)
    options = parser.parse_args()
    base = _peak_mb()
    whole = trellis(options.minutes, options.words, options.units)
    seconds = options.minutes * 60
    print(f"{options.minutes:g} min, {options.words} words, {whole.graph.n_states} states")
    print(f"{'scores':24s} {'':8s} {'':10s} {_peak_mb() - base:6.0f} MB")

    def measured(name: str, work: Callable[[], T]) -> T:
        begin = time.process_time()
        result = work()
        took = time.process_time() - begin
        print(f"{name:24s} {took:6.2f} s {took / seconds:8.4f} × {_peak_mb() - base:6.0f} MB")
        return result

    path = measured("best path, whole song", lambda: best_path(whole))
    assert path is not None
    graph = whole.graph
    (frames,) = np.nonzero(~graph.in_silence[path.states])
    words = graph.word[path.states[frames]]
    onsets = np.full(graph.n_words, whole.n_frames, np.int64)
    offsets = np.zeros(graph.n_words, np.int64)
    np.minimum.at(onsets, words, frames)
    np.maximum.at(offsets, words, frames + 1)
    band = Band.around(graph, onsets, offsets, whole.n_frames, round(8.0 / HOP))
    measured("best path, band of ± 8 s", lambda: best_path(whole, band))
    measured("posteriors, band of ± 8 s", lambda: posterior(whole, band, onsets, offsets))
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        sizes = options.minutes, options.words, options.units
        took, peak = pool.submit(as_a_whole, *sizes).result()
    own = peak - round(seconds / HOP) * options.units * 2 / 2**20
    print(f"{'all of it, two front ends':24s} {took:6.2f} s {took / seconds:8.4f} × {peak:6.0f} MB")
    print(f"{'  without the scores':24s} {'':8s} {'':10s} {own:6.0f} MB")


if __name__ == "__main__":
    main()
