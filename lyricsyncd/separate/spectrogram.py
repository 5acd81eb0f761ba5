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
    frames = np.lib.stride_tricks.sliding_window_view(samples, size, axis=0)[:: size // OVERLAP]
    windowed = frames.transpose(1, 0, 2) * window
    return np.fft.rfft(windowed, axis=-1).astype(np.complex64, copy=False)


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
    pieces: NDArray[Any] = np.fft.irfft(spectra, n=size, axis=-1).astype(np.float32, copy=False)
    pieces *= window / np.float32(_WINDOW_POWER)
    quarters = pieces.reshape(channels, frames, OVERLAP, hop)
    out = np.zeros((channels, frames + OVERLAP - 1, hop), np.float32)
    for quarter in range(OVERLAP):
        out[:, quarter : quarter + frames] += quarters[:, :, quarter]
    samples: Samples = out.reshape(channels, -1).T
    return samples
