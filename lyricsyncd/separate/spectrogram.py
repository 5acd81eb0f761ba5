"""Short-time Fourier transform of a stream, and its inverse."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Spectra = NDArray[np.complex64]

OVERLAP = 4
"""Windows that cover each sample."""
_WINDOW_POWER = 1.5
"""Sum of the squares of periodic Hann windows a quarter apart."""


def hann(size: int) -> Samples:
    """Return the periodic Hann window, shape (size,), float32."""
    return np.hanning(size + 1)[:-1].astype(np.float32)


def stft(samples: Samples, window: Samples) -> Spectra:
    """Compute spectra of windows a quarter of a window apart, without padding.

    Parameters
    ----------
    samples
        Shape (size + (frames − 1)·size/4, channels), float32.
    window
        Shape (size,), float32.

    Returns
    -------
    Shape (channels, frames, size/2 + 1), complex64.
    """
    size = len(window)
    channels = np.ascontiguousarray(samples.T)
    frames = np.lib.stride_tricks.sliding_window_view(channels, size, axis=1)
    frames = frames[:, :: size // OVERLAP]
    spectra = np.empty((*frames.shape[:2], size // 2 + 1), np.complex64)
    # One channel at a time takes half of the memory.
    for channel, transformed in zip(frames, spectra, strict=True):
        transformed[:] = np.fft.rfft(channel * window, axis=-1)
    return spectra


def overlap_add(spectra: Spectra, window: Samples) -> Samples:
    """Invert `stft`; exact where `OVERLAP` windows cover a sample.

    Returns
    -------
    Shape (size + (frames − 1)·size/4, channels), float32. The first and the last three quarters
    of a window are partial sums, to which those of adjacent frames must be added.
    """
    size = len(window)
    hop = size // OVERLAP
    channels, frames, _ = spectra.shape
    out = np.zeros((channels, frames + OVERLAP - 1, hop), np.float32)
    for channel, sums in zip(spectra, out, strict=True):
        inverse: NDArray[Any] = np.fft.irfft(channel, n=size, axis=-1)
        pieces = inverse.astype(np.float32, copy=False)
        pieces *= window / np.float32(_WINDOW_POWER)
        quarters = pieces.reshape(frames, OVERLAP, hop)
        for quarter in range(OVERLAP):
            sums[quarter : quarter + frames] += quarters[:, quarter]
    samples: Samples = out.reshape(channels, -1).T
    return samples
