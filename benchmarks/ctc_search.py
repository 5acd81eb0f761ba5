"""Time the search on the emissions of a CTC model: seconds of one core.

    python -m benchmarks.ctc_search [--minutes 5] [--words 600]

The scores are noise, which takes the search exactly as long as music.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from threadpoolctl import threadpool_limits

from lyricsyncd.align.activity import vocal_activity
from lyricsyncd.align.emissions.ctc import Alphabet, CtcModel
from lyricsyncd.align.emissions.ctc.model import FloatArray
from lyricsyncd.align.graph import build
from lyricsyncd.align.posterior import posterior
from lyricsyncd.align.trellis import Band, Trellis
from lyricsyncd.align.viterbi import best_path

LETTERS_A_WORD, WORDS_A_LINE = 4, 7
VOCABULARY = {"<pad>": 0, "|": 1, **{c: 2 + i for i, c in enumerate("abcdefghijklmnopqrstuvwxyz")}}


class Noise:
    """A network that writes at random."""

    def __call__(self, windows: FloatArray, *, last: bool = False) -> FloatArray:  # noqa: ARG002
        rng = np.random.default_rng(0)
        n = (windows.shape[1] - 400) // 320 + 1
        shape = (len(windows), n, len(VOCABULARY))
        return -rng.exponential(8.0, shape).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--words", type=int, default=600)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    letters = list("abcdefghijklmnopqrstuvwxyz")
    words = ["".join(rng.choice(letters, LETTERS_A_WORD)) for _ in range(given.words)]
    lines = [words[i : i + WORDS_A_LINE] for i in range(0, len(words), WORDS_A_LINE)]
    audio = rng.normal(0.0, 0.1, round(given.minutes * 60 * 16_000)).astype(np.float32)
    acoustic_model = CtcModel(Noise(), Alphabet.of(VOCABULARY, "<pad>", "|"))
    with threadpool_limits(1):
        song = acoustic_model.compile(lines, "en")
        emissions = acoustic_model.score(acoustic_model.features(audio), song)
        activity = vocal_activity(audio, emissions.n_frames, 320)
        trellis = Trellis(build(song), emissions, activity, song.short)
        began = time.process_time()
        path = best_path(trellis)
        found = time.process_time()
        assert path is not None
        graph, n_frames = trellis.graph, trellis.n_frames
        (frames,) = np.nonzero(~graph.in_silence[path.states])
        words_sung = graph.word[path.states[frames]]
        (starts,) = np.nonzero(np.diff(words_sung, prepend=-1))
        onsets = frames[starts]
        offsets = frames[np.append(starts[1:], len(frames)) - 1] + 1
        options = acoustic_model.search_options
        band = Band.around(
            graph, onsets, offsets, n_frames, round(options.band / acoustic_model.hop)
        )
        posterior(trellis, band, onsets, offsets, scale=options.scale)
        sure = time.process_time()
    print(f"{given.minutes:g} min, {given.words} words, {graph.n_states} states")
    print(f"best path:  {found - began:.2f} s of one core")
    print(f"posteriors: {sure - found:.2f} s")


if __name__ == "__main__":
    main()
