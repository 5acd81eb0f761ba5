"""A CTC network as an acoustic model of the search.

What is not in the lyrics is absorbed by the silences between lines, whose floor serves as CTC's
star: its score is the same whatever the network writes there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.emissions import SAMPLE_RATE, SCORE_FLOOR, CompiledLyrics, Emissions, Lines
from lyricsyncd.align.emissions.ctc.alphabet import Alphabet
from lyricsyncd.align.emissions.ctc.compiler import Compiler
from lyricsyncd.align.options import Penalties, SearchOptions

FloatArray = npt.NDArray[np.float32]

WINDOW_S, CONTEXT_S = 20.0, 2.0
"""Seconds of a window, and of the context at both of its ends."""
_PENALTIES = Penalties(
    enter_silence_inside=1.0, silence_inside=0.1, stretched_consonant=0.0, skipped_word=10.0
)
SEARCH_OPTIONS = SearchOptions(
    first_penalties=_PENALTIES, penalties=_PENALTIES, adapt=False, scale=0.5
)
"""A CTC network is sure of every frame, and its frames are twice as long as those of the phone
states: its scores are scaled less before they become posteriors."""


class Network(Protocol):
    """Run a CTC network on windows of audio."""

    def __call__(self, windows: FloatArray, *, last: bool = False) -> FloatArray:
        """Compute log-probabilities, shape (windows, frames, vocabulary), for windows of one
        length, shape (windows, samples), mono at 16 kHz. After the ``last`` ones of a song, memory
        that is held for more may be released."""
        ...


@dataclass(frozen=True)
class CtcModel:
    """A CTC network behind the search; its sound units are the alphabet's columns.

    Attributes
    ----------
    network
        Runs windows of audio.
    alphabet : Alphabet
    hop : float
        Seconds from frame to frame.
    reach : float
        Seconds of audio that one frame is computed from: a window gives
        ``floor((samples - reach) / hop) + 1`` frames.
    window, context : float
        Seconds of a window, and of the context at both of its ends.
    normalise : bool
        Whether each window is scaled to mean 0 and variance 1 first.
    batch : int
        Windows that are run at once.
    lag, search_options, calibration, languages
        See `lyricsyncd.align.emissions.Traits`.
    """

    network: Network
    alphabet: Alphabet
    name: str = "ctc"
    hop: float = 0.02
    reach: float = 0.025
    window: float = WINDOW_S
    context: float = CONTEXT_S
    normalise: bool = True
    batch: int = 1
    lag: float = 0.0
    search_options: SearchOptions = field(default_factory=lambda: SEARCH_OPTIONS)
    calibration: Path | None = None
    languages: frozenset[str] | None = None

    def compile(self, lines: Lines, language: str | None) -> CompiledLyrics:
        """Turn words into wordings (numbers in words, or romanised), then into characters."""
        compiler = Compiler(self.alphabet, language)
        compiled = tuple(compiler.line(line) for line in lines)
        units = tuple(compiler.units)
        # Nothing is stretched in CTC: a held vowel is one character and many blanks.
        return CompiledLyrics(compiled, len(units), np.zeros(len(units), np.bool_), units)

    def features(self, audio: npt.NDArray[np.float32]) -> FloatArray:
        """Compute log-probabilities, shape (T, vocabulary), in overlapping windows.

        Raises
        ------
        ModelError
            The network failed, for lack of memory, say.
        """
        hop, reach = round(self.hop * SAMPLE_RATE), round(self.reach * SAMPLE_RATE)
        n_frames = max(1, len(audio) // hop)
        context = round(self.context / self.hop)
        core = round(self.window / self.hop) - 2 * context
        length = (core + 2 * context - 1) * hop + reach
        starts = range(0, n_frames, core)
        padded = np.pad(audio, (context * hop, length))
        result: list[FloatArray] = []
        for first in range(0, len(starts), self.batch):
            some = starts[first : first + self.batch]
            windows = np.stack([padded[s * hop : s * hop + length] for s in some])
            if self.normalise:
                mean = windows.mean(axis=1, keepdims=True)
                deviation = np.sqrt(windows.var(axis=1, keepdims=True) + 1e-7)
                windows = (windows - mean) / deviation
            last = first + self.batch >= len(starts)
            logs = self.network(np.ascontiguousarray(windows, np.float32), last=last)
            result += [window[context : context + core] for window in logs]
        return np.concatenate(result)[:n_frames]

    def score(self, features: FloatArray, lyrics: CompiledLyrics) -> Emissions:
        """Score the characters of the lyrics relative to the frame's best; silence is a blank or
        the sign between words."""
        best = features.max(axis=1, keepdims=True)
        relative = np.maximum(features - best, SCORE_FLOOR)
        silence = relative[:, list(self.alphabet.gap)].max(axis=1)
        columns = [relative[:, unit].max(axis=1) for unit in map(list, lyrics.units)]
        scores = np.stack(columns, axis=1) if columns else np.empty((len(features), 0), np.float32)
        return Emissions(scores.astype(np.float16), silence.astype(np.float32), self.hop)
