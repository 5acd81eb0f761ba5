"""What the search costs on a long song: seconds and memory, pass by pass.

    python -m benchmarks.search [--minutes 10] [--words 1500] [--units 900]

The scores are noise, which costs the search exactly what music does.
"""

from __future__ import annotations

import argparse
import os

# One core, so that a figure means the same everywhere. Before numpy is imported.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import resource
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from lyricsyncd.align.emissions import Emissions, SpelledSong, Spelling
from lyricsyncd.align.graph import build
from lyricsyncd.align.posterior import posterior
from lyricsyncd.align.trellis import Band, Trellis
from lyricsyncd.align.viterbi import best_path

T = TypeVar("T")
HOP = 0.01
PHONES_A_WORD, STATES_A_PHONE, WORDS_A_LINE = 4, 3, 7


def song(n_words: int, n_units: int, rng: np.random.Generator) -> SpelledSong:
    """Random words, spelled in random units."""
    length = PHONES_A_WORD * STATES_A_PHONE
    units = rng.integers(0, n_units, (n_words, length))
    words = [(Spelling(tuple(int(u) for u in row)),) for row in units]
    lines = [tuple(words[i : i + WORDS_A_LINE]) for i in range(0, n_words, WORDS_A_LINE)]
    return SpelledSong(tuple(lines), n_units, rng.random(n_units) < 0.5)


def trellis(minutes: float, n_words: int, n_units: int) -> Trellis:
    """A trellis of the wanted size."""
    rng = np.random.default_rng(0)
    spelled = song(n_words, n_units, rng)
    n_frames = round(minutes * 60 / HOP)
    scores = np.empty((n_frames, n_units), np.float16)
    for start in range(0, n_frames, 1000):
        part = scores[start : start + 1000]
        part[:] = -rng.exponential(5.0, part.shape)
    rest = -rng.exponential(5.0, n_frames).astype(np.float32)
    activity = rng.random(n_frames, dtype=np.float32)
    return Trellis(build(spelled), Emissions(scores, rest, HOP), activity, spelled.short)


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
    (frames,) = np.nonzero(~graph.resting[path.states])
    words = graph.word[path.states[frames]]
    onsets = np.full(graph.n_words, whole.n_frames, np.int64)
    offsets = np.zeros(graph.n_words, np.int64)
    np.minimum.at(onsets, words, frames)
    np.maximum.at(offsets, words, frames + 1)
    band = Band.around(graph, onsets, offsets, whole.n_frames, round(8.0 / HOP))
    measured("best path, band of ± 8 s", lambda: best_path(whole, band))
    measured("posteriors, band of ± 8 s", lambda: posterior(whole, band, onsets, offsets))


if __name__ == "__main__":
    main()
