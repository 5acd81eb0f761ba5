"""The front end of the PocketSphinx en-us model: audio → cepstral features.

The model was trained on exactly these features, so every constant here is from its ``feat.params``
or a default of CMU Sphinx (sphinxbase ``fe_sigproc.c`` and ``fe_noise.c``); deliberate differences
are marked.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from lyricsyncd.align import compiled
from lyricsyncd.align.emissions import SAMPLE_RATE

HOP = 160
"""Samples from frame to frame: 10 ms."""
WINDOW = 410
"""Samples in a frame: 25.6 ms."""
FFT_SIZE = 512
N_FILTERS = 25
LOW_HZ, HIGH_HZ = 130.0, 6800.0
N_CEPSTRA = 13
LIFTER = 22
PRE_EMPHASIS = 0.97
_FRAMES_AT_ONCE = 1024

FloatArray = npt.NDArray[np.float64]


def features(
    audio: npt.NDArray[np.float32],
    sung: npt.NDArray[np.bool_] | None = None,
    vtln_factor: float = 1.0,
) -> npt.NDArray[np.float32]:
    """Compute cepstra with first and second differences.

    Parameters
    ----------
    audio : ndarray of float32, shape (n,)
        Mono, `SAMPLE_RATE`, full scale ±1.
    sung : ndarray of bool, shape (T,), optional
        Frames whose mean is subtracted (cepstral mean normalisation). A recogniser takes all of
        them; in separated vocals most frames may be near silence, whose mean is not the channel's.
    vtln_factor : float
        What the filters' frequencies are multiplied by (vocal tract length normalisation): above
        1 for a singer with a shorter vocal tract than the speakers of the model.

    Returns
    -------
    ndarray of float32, shape (T, 39)
        Three streams of 13: static, difference over ±2 frames, difference of differences.
    """
    cepstra = _cepstra(_without_noise(_mel_power(audio, vtln_factor)))
    if sung is None or not sung.any():
        sung = np.ones(len(cepstra), dtype=np.bool_)
    return _with_differences(cepstra - cepstra[sung].mean(axis=0))


def n_frames(n_samples: int) -> int:
    """Return the number of frames, T, that `features` returns for a number of samples."""
    return max(1, (n_samples - WINDOW) // HOP + 1)


def _mel_power(audio: npt.NDArray[np.float32], vtln_factor: float) -> FloatArray:
    """Compute mel filter-bank power of 16-bit samples, shape (T, N_FILTERS), block by block: whole
    songs in double precision would be most of the memory that placing takes."""
    audio = np.pad(audio, (0, max(0, WINDOW - len(audio))))
    # A little noise: separated vocals have digital silence, whose logarithm no model has seen.
    noise = np.random.default_rng(0).standard_normal(len(audio), np.float64)
    window, filters = np.hamming(WINDOW), _mel_filters(vtln_factor)
    power = np.empty((n_frames(len(audio)), N_FILTERS))
    for start in range(0, len(power), _FRAMES_AT_ONCE):
        stop = min(start + _FRAMES_AT_ONCE, len(power))
        # One sample more, for the first difference.
        first, end = start * HOP, (stop - 1) * HOP + WINDOW
        before = max(0, first - 1)
        block = audio[before:end] + 1e-4 * noise[before:end]
        samples = np.clip(np.round(block * 32768.0), -32768, 32767)
        differences = samples[1:] - PRE_EMPHASIS * samples[:-1]
        emphasised = np.concatenate([samples[:1], differences])[first - before :]
        frames = np.lib.stride_tricks.sliding_window_view(emphasised, WINDOW)[::HOP]
        spectrum = np.fft.rfft(frames * window, FFT_SIZE)
        power[start:stop] = (spectrum.real**2 + spectrum.imag**2) @ filters
    return power


@lru_cache(maxsize=8)
def _mel_filters(vtln_factor: float) -> FloatArray:
    """Return triangular filters of unit area, shape (257, N_FILTERS); without warping, their edges
    are rounded to FFT bins as the model's are."""

    def mel(hz: float) -> float:
        return float(2595.0 * np.log10(1.0 + hz / 700.0))

    def hz(mel: float) -> float:
        return float(700.0 * (10.0 ** (mel / 2595.0) - 1.0))

    bin_hz = SAMPLE_RATE / FFT_SIZE
    width = (mel(HIGH_HZ) - mel(LOW_HZ)) / (N_FILTERS + 1)
    bins = np.arange(FFT_SIZE // 2 + 1) * bin_hz
    filters = np.zeros((len(bins), N_FILTERS))
    for i in range(N_FILTERS):
        edges = (hz(mel(LOW_HZ) + (i + j) * width) for j in range(3))
        low, centre, high = (
            int(edge / bin_hz + 0.5) * bin_hz if vtln_factor == 1.0 else edge * vtln_factor
            for edge in edges
        )
        rise, fall = (bins - low) / (centre - low), (high - bins) / (high - centre)
        filters[:, i] = np.maximum(np.minimum(rise, fall), 0.0) * 2.0 / (high - low)
    filters[-1] = 0.0
    return filters


def _without_noise(power: FloatArray) -> FloatArray:
    """Remove spectral noise with temporal masking, as the model's front end does.

    A running noise estimate per filter is subtracted, sudden decays are masked, and the gain is
    smoothed over adjacent filters (CMU Sphinx ``fe_noise.c``; power-normalised cepstra after
    Kim & Stern 2012). Recursive in time, hence the loop.
    """
    least, most, reach = 0.05, 20.0, 4
    gain = (
        _gains(power) if compiled.LIBRARY is None else compiled.noise_gains(compiled.LIBRARY, power)
    )
    np.clip(gain, least, most, out=gain)
    sums = np.concatenate([np.zeros((len(gain), 1)), np.cumsum(gain, axis=1)], axis=1)
    first = np.maximum(np.arange(N_FILTERS) - reach, 0)
    last = np.minimum(np.arange(N_FILTERS) + reach, N_FILTERS - 1) + 1
    result: FloatArray = power * (sums[:, last] - sums[:, first]) / (last - first)
    return result


def _gains(power: FloatArray) -> FloatArray:
    """Compute the gain of each filter frame by frame: what `compiled.noise_gains` does."""
    smooth, rise, fall = 0.7, 0.995, 0.5
    decay, masked, most = 0.85, 0.2, 20.0
    running = power[0].copy()
    noise, floor = power[0] / most, power[0] / most
    peak = np.zeros(N_FILTERS)
    gain = np.empty_like(power)
    for t, now in enumerate(power):
        running = smooth * running + (1.0 - smooth) * now
        noise = np.where(
            running >= noise,
            rise * noise + (1.0 - rise) * running,
            fall * noise + (1.0 - fall) * running,
        )
        signal = np.maximum(running - noise, 1.0)
        floor = np.where(
            signal >= floor,
            rise * floor + (1.0 - rise) * signal,
            fall * floor + (1.0 - fall) * signal,
        )
        decayed = peak * decay
        unmasked = np.where(signal < decay * decayed, decayed * masked, signal)
        peak = np.maximum(signal, decayed)
        gain[t] = np.maximum(unmasked, floor) / np.maximum(running, 1e-30)
    return gain


def _cepstra(mel_power: FloatArray) -> FloatArray:
    """Compute the liftered cosine transform of the log filter bank, shape (T, N_CEPSTRA)."""
    orders = np.arange(N_CEPSTRA)
    angles = np.outer(orders, np.arange(N_FILTERS) + 0.5) * np.pi / N_FILTERS
    scale = np.where(orders == 0, np.sqrt(1.0 / N_FILTERS), np.sqrt(2.0 / N_FILTERS))
    lifter = 1.0 + LIFTER / 2 * np.sin(orders * np.pi / LIFTER)
    weight: FloatArray = np.multiply(scale, lifter)
    cepstra: FloatArray = np.log(mel_power + 1e-4) @ np.cos(angles).T * weight
    return cepstra


def _with_differences(cepstra: FloatArray) -> npt.NDArray[np.float32]:
    reach = 3
    padded = np.pad(cepstra, ((reach, reach), (0, 0)), mode="edge")

    def shifted(by: int) -> FloatArray:
        return padded[reach + by : reach + by + len(cepstra)]

    first = shifted(2) - shifted(-2)
    second = (shifted(3) - shifted(-1)) - (shifted(1) - shifted(-3))
    return np.concatenate([cepstra, first, second], axis=1).astype(np.float32)
