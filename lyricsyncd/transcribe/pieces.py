"""A song in pieces that a recogniser takes at once: cut where nobody sings, long rests left out.

A piece that starts in the middle of a word costs that word; and recognisers that know half a minute
at once dream up words when all of it is silent.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000
_HOP = 320
_QUIET_DB = -45.0
"""Below the loud parts: nobody sings. Separators leave the band at some -40 dB, and so it is heard
for a voice rather than lost."""
_REST_S = 2.0
"""A rest this long is not listened to."""
_AROUND_S = 0.3
"""Kept before and after what is loud: consonants are quiet."""
_SHORTEST_S = 0.1


def pieces(audio: npt.NDArray[np.float32], longest: float) -> list[tuple[int, int]]:
    """Where a song is to be cut.

    Parameters
    ----------
    audio : ndarray of float32, shape (n,)
        Mono vocals at 16 kHz.
    longest : float
        Seconds that a recogniser takes at once, at least 1.

    Returns
    -------
    list of (int, int)
        First sample and the one after the last of each piece: in order, apart, none longer than
        ``longest``. What they leave out is silent.
    """
    level = _level(audio)
    if not len(level):
        return []
    loud = np.flatnonzero(level > max(float(np.percentile(level, 95)) + _QUIET_DB, -80.0))
    around, rest = round(_AROUND_S * SAMPLE_RATE / _HOP), round(_REST_S * SAMPLE_RATE / _HOP)
    most = int(longest * SAMPLE_RATE / _HOP)
    found: list[tuple[int, int]] = []
    for run in np.split(loud, np.flatnonzero(np.diff(loud) > rest) + 1):
        if len(run):
            first, last = max(0, run[0] - around), min(len(level), run[-1] + 1 + around)
            found += _cut(level, int(first), int(last), most)
    return [
        (first * _HOP, min(last * _HOP, len(audio)))
        for first, last in found
        if (last - first) * _HOP >= _SHORTEST_S * SAMPLE_RATE
    ]


def _cut(level: npt.NDArray[np.float64], first: int, last: int, most: int) -> list[tuple[int, int]]:
    """A run of frames in parts of at most so many, each cut where the second half is quietest."""
    parts = []
    while last - first > most:
        half = first + most // 2
        # A cut in a rest beats one in a short dip, such as a plosive.
        smooth = np.convolve(level[half - 5 : first + most + 5], np.ones(11) / 11, "valid")
        at = half + int(np.argmin(smooth))
        parts.append((first, at))
        first = at
    return [*parts, (first, last)]


def _level(audio: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Energy of frames of 20 ms, in decibels of full scale."""
    n = len(audio) // _HOP
    frames = audio[: n * _HOP].reshape(n, _HOP).astype(np.float64)
    result: npt.NDArray[np.float64] = 10.0 * np.log10(np.square(frames).mean(axis=1) + 1e-10)
    return result
