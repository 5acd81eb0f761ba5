"""Vocal activity: a probability per frame from the energy of the separated vocals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MIDDLE_DB = -35.0
"""Level relative to the loud parts at which singing and silence are equally likely."""
SLOPE_DB = 3.0
_SAMPLES_AT_ONCE = 2**18
_REACH = 240
"""Samples around a frame's start and hop that count for its energy (640 in all at 16 kHz)."""


def relative_energy(
    audio: npt.NDArray[np.float32], n_frames: int, hop: int
) -> npt.NDArray[np.float64]:
    """Compute the energy of each frame relative to the song's loud parts.

    Parameters
    ----------
    audio : ndarray of float32, shape (n,)
        Mono vocals at 16 kHz.
    n_frames, hop : int
        Frames wanted, and samples from one to the next.

    Returns
    -------
    ndarray of float64, shape (T,)
        Decibels over the 95th percentile: near 0 where it is loud.
    """
    first = np.clip(np.arange(n_frames) * hop - _REACH // 2, 0, len(audio))
    last = np.clip(first + 640, 1, len(audio))
    first = np.minimum(first, last - 1)
    energy = _energy_before(audio, last) - _energy_before(audio, first)
    level = 10.0 * np.log10(np.maximum(energy, 0.0) / (last - first) + 1e-10)
    result: npt.NDArray[np.float64] = level - np.percentile(level, 95)
    return result


def _energy_before(
    audio: npt.NDArray[np.float32], samples: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Sum the squares of all samples before each of some, which are in order.

    Block by block: all sums at once would be the largest array in memory.
    """
    energy, total = np.zeros(len(samples)), 0.0
    for start in range(0, len(audio), _SAMPLES_AT_ONCE):
        part = audio[start : start + _SAMPLES_AT_ONCE].astype(np.float64) ** 2
        sums = np.cumsum(np.append(total, part))
        low, high = np.searchsorted(samples, [start, start + len(part) + 1])
        energy[low:high] = sums[samples[low:high] - start]
        total = float(sums[-1])
    return energy


def vocal_activity(
    audio: npt.NDArray[np.float32], n_frames: int, hop: int
) -> npt.NDArray[np.float32]:
    """Compute the vocal activity of each frame, from the energy alone.

    Returns
    -------
    ndarray of float32, shape (T,)
        0 (silent) to 1 (loud): a logistic around `MIDDLE_DB`.
    """
    level = relative_energy(audio, n_frames, hop)
    return (1.0 / (1.0 + np.exp(-(level - MIDDLE_DB) / SLOPE_DB))).astype(np.float32)
