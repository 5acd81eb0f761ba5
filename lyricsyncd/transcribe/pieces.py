"""Cut a song into pieces for a recogniser: between sung parts, with long silences left out.

A piece that starts in the middle of a word loses that word; and recognisers that take half a minute
at once hallucinate words when all of it is silent.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000
_HOP = 320
_QUIET_DB = -45.0
"""Level relative to the loud parts below which a frame is silent. Separators leave the band at some
-40 dB, which therefore counts as singing rather than the reverse."""
_SILENCE_S = 2.0
"""Longer silences are left out."""
_AROUND_S = 0.3
"""Margin before and after loud frames: consonants are quiet."""
_SHORTEST_S = 0.1


def pieces(audio: npt.NDArray[np.float32], longest: float) -> list[tuple[int, int]]:
    """Return where to cut a song.

    Parameters
    ----------
    audio : ndarray of float32, shape (n,)
        Mono vocals at 16 kHz.
    longest : float
        Seconds that a recogniser takes at once, at least 1.

    Returns
    -------
    list of (int, int)
        First sample and the one after the last of each piece: in order, disjoint, none longer than
        ``longest``. What they leave out is silent.
    """
    level = _level(audio)
    if not len(level):
        return []
    loud = np.flatnonzero(level > max(float(np.percentile(level, 95)) + _QUIET_DB, -80.0))
    around, gap = (round(s * SAMPLE_RATE / _HOP) for s in (_AROUND_S, _SILENCE_S))
    most = int(longest * SAMPLE_RATE / _HOP)
    found: list[tuple[int, int]] = []
    for run in np.split(loud, np.flatnonzero(np.diff(loud) > gap) + 1):
        if len(run):
            first, last = max(0, run[0] - around), min(len(level), run[-1] + 1 + around)
            found += _cut(level, int(first), int(last), most)
    return [
        (first * _HOP, min(last * _HOP, len(audio)))
        for first, last in found
        if (last - first) * _HOP >= _SHORTEST_S * SAMPLE_RATE
    ]


def _cut(level: npt.NDArray[np.float64], first: int, last: int, most: int) -> list[tuple[int, int]]:
    """Cut a run of frames into parts of limited length, where the second half is quietest."""
    parts = []
    while last - first > most:
        half = first + most // 2
        # A cut in a silence is better than one in a short dip, such as a plosive.
        smooth = np.convolve(level[half - 5 : first + most + 5], np.ones(11) / 11, "valid")
        at = half + int(np.argmin(smooth))
        parts.append((first, at))
        first = at
    return [*parts, (first, last)]


def _level(audio: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the level of frames of 20 ms, in decibels of full scale."""
    n = len(audio) // _HOP
    frames = audio[: n * _HOP].reshape(n, _HOP).astype(np.float64)
    result: npt.NDArray[np.float64] = 10.0 * np.log10(np.square(frames).mean(axis=1) + 1e-10)
    return result
