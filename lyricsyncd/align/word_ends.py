"""Find where words stop sounding: a vowel held over a break belongs to its word.

The search leaves a word where silence scores better, which on a held note is too early, and in its
reverberation too late. So each word ends where the level of the vocals first falls `_FALL_DB` below
the word's own, and stays there for `_QUIET_S` or until the next word.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]

_HOP_S = 0.01
_WINDOW_S = 0.05
_NEXT_FRAMES = 3
"""Frames before the next word whose window reaches into it."""
_FALL_DB = 12.0
_QUIET_S = 0.2
_LOUD_PERCENT = 90.0
"""Percentile of a word's level that counts as its own: a plosive is louder than what is sung."""
_MOST_HELD_S = 4.0
"""Seconds that a word may go on behind the end that the search has found."""
SHORTEST_S = 0.03


def word_ends(onset: DoubleArray, offset: DoubleArray, vocals: FloatArray, sr: int) -> DoubleArray:
    """Return the seconds at which words end, shape (N,); none ends behind the next one's onset.

    Parameters
    ----------
    onset, offset : ndarray of float64, shape (N,)
        Seconds of the words in singing order; the offsets are those of the search.
    vocals : ndarray of float32, shape (n,)
        Mono vocals.
    sr : int
        Their sample rate in Hz.
    """
    level = _level(vocals, sr)
    ends = np.array(offset, np.float64)
    latest = np.minimum(np.append(onset[1:], np.inf), offset + _MOST_HELD_S)
    latest = np.maximum(latest, onset + SHORTEST_S)
    first, found, stop = (
        np.clip(np.rint(times / _HOP_S).astype(np.int64), 0, len(level))
        for times in (onset, np.minimum(offset, latest), latest)
    )
    for i, (a, b, c) in enumerate(zip(first, found, stop, strict=True)):
        own = level[a : max(b, a + 1)]
        if len(own) > 0:
            quiet = level[a:c] < np.percentile(own, _LOUD_PERCENT) - _FALL_DB
            quiet[: int(own.argmax()) + 1] = False
            # The next word is within the window already.
            quiet[-_NEXT_FRAMES:] = quiet[-_NEXT_FRAMES - 1 : -_NEXT_FRAMES].any()
            ends[i] = (a + _lasting(quiet, round(_QUIET_S / _HOP_S))) * _HOP_S
    return np.clip(ends, onset + SHORTEST_S, latest)


def _lasting(quiet: npt.NDArray[np.bool_], frames: int) -> int:
    """Return the first of so many quiet frames, or of all that are left; the length where none."""
    loud_before = np.append(0, np.cumsum(~quiet))
    ahead = np.minimum(np.arange(len(quiet)) + frames, len(quiet))
    stays = quiet & (loud_before[ahead] == loud_before[:-1])
    return int(stays.argmax()) if stays.any() else len(quiet)


def _level(vocals: FloatArray, sr: int) -> DoubleArray:
    """Return the level in decibels around every hop, shape (frames,)."""
    hop, half = round(_HOP_S * sr), round(_WINDOW_S * sr / 2)
    power = np.append(0.0, np.cumsum(np.square(vocals, dtype=np.float64)))
    centres = np.arange(0, len(vocals), hop)
    begin, end = np.maximum(centres - half, 0), np.minimum(centres + half, len(vocals))
    mean = (power[end] - power[begin]) / np.maximum(end - begin, 1)
    return np.asarray(10.0 * np.log10(np.maximum(mean, 1e-12)), np.float64)
