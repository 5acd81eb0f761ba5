"""Refine onsets and offsets to a few milliseconds, by the spectral flux of the vocals.

The search works in steps of 10 ms on features of 70 ms around each; the vocals themselves show more
sharply where sound begins. With the magnitudes ``X(t, f)`` of the short-time Fourier transform,
compressed as ``Y = log(1 + 100 X / X₉₉.₅)`` (by their 99.5th percentile), and the half-wave
rectifier ``h(x) = max(x, 0)``, the onset strength is the spectral flux of onset detection (Dixon
2006)::

    SF(t) = Σ_f h(Y(t, f) − Y(t − 2, f))                      every 5 ms, smoothed by a Gaussian

and an onset τ moves, by at most ``max_shift``, to::

    τ' = argmax_t SF(t) · exp(−(t − τ)² / 2 prior_std²) − backtrack

in the order of the words. A word's offset moves back to where its level falls ``silent_db`` below
its own maximum.

S. Dixon, "Onset detection revisited", Proc. DAFx 2006.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lyricsyncd.audio import mono
from lyricsyncd.model import Word

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Options:
    """Limits of the movement of onsets; the defaults are those that measured best."""

    max_shift: float = 0.06
    """Seconds that an onset may move."""
    prior_std: float = 0.04
    """Standard deviation of the Gaussian prior around the onset that was given, in seconds."""
    backtrack: float = 0.01
    """Seconds from the perceived start of a word to the maximum of the flux."""
    silent_db: float = -30.0
    """Level relative to a word's own maximum at which it has ended."""


_HOP_S = 0.005
_WINDOW_S = 0.025
_LAG = 2
"""Hops between the two spectra whose difference is taken."""
_FRAMES_AT_ONCE = 4096
_SAMPLED = 2000
"""Frames, about, that the loudness of the spectra is taken from."""


def refine_timings(
    vocals: FloatArray, sr: int, words: Sequence[Word], options: Options = Options()
) -> list[Word]:
    """Move the onsets and offsets of timed words to where the vocals show them.

    Onsets move by at most `Options.max_shift` to the strongest spectral flux; offsets move back
    over the silence behind a word. The module has the formula.

    Parameters
    ----------
    vocals : ndarray of float32, shape (n,) or (n, channels)
        Separated vocals, full scale ±1; channels are mixed down.
    sr : int
        Their sample rate in Hz; finer than 16 kHz adds nothing.
    words : sequence of Word
        In singing order, with starts in seconds. Words without a start stay as they are.

    Returns
    -------
    list of Word
        The same words in the same order; starts stay non-decreasing.

    Raises
    ------
    ValueError
        The vocals have another shape.

    Examples
    --------
    >>> refine_timings(vocals, 44_100, [Word("row", 1.02, 2.8)])  # doctest: +SKIP
    [Word(text='row', start=1.0, end=1.9, confidence=None, space=True)]
    """
    vocals = mono(vocals)
    timed = [i for i, word in enumerate(words) if word.start is not None]
    onset = np.array([words[i].start for i in timed], np.float64)
    offset = np.array(
        [words[i].start if words[i].end is None else words[i].end for i in timed], np.float64
    )
    onset, offset = refine(onset, offset, vocals, sr, options)
    result = list(words)
    for at, i in enumerate(timed):
        start, end = round(float(onset[at]), 3), round(float(offset[at]), 3)
        known = words[i].end is not None
        result[i] = dataclasses.replace(words[i], start=start, end=end if known else None)
    return result


def refine(
    onset: DoubleArray,
    offset: DoubleArray,
    vocals: FloatArray,
    sr: int,
    options: Options = Options(),
) -> tuple[DoubleArray, DoubleArray]:
    """Refine onsets and offsets given as arrays of seconds, shape (N,)."""
    if len(onset) == 0:
        return onset, offset
    return Strength.of(vocals, sr).refined(onset, offset, options)


@dataclass(frozen=True)
class Strength:
    """The evidence of the vocals for onsets and offsets, every 5 ms.

    Attributes
    ----------
    flux : ndarray of float64, shape (frames,)
        Spectral flux.
    level : ndarray of float64, shape (frames,)
        Decibels.
    """

    flux: DoubleArray
    level: DoubleArray

    @classmethod
    def of(cls, vocals: FloatArray, sr: int) -> Strength:
        """Compute both from mono vocals, shape (n,), at a sample rate in Hz."""
        return cls(*_flux_and_level(vocals, sr))

    def refined(
        self, onset: DoubleArray, offset: DoubleArray, options: Options = Options()
    ) -> tuple[DoubleArray, DoubleArray]:
        """Return onsets and offsets, in seconds, shape (N,), where the vocals show them."""
        if len(onset) == 0:
            return onset, offset
        onset = np.maximum.accumulate(_snapped(onset, self.flux, options))
        return onset, _ended(onset, offset, self.level, options)


def _snapped(onset: DoubleArray, flux: DoubleArray, options: Options) -> DoubleArray:
    """Move each onset to the maximum of the flux under the prior."""
    most = round(options.max_shift / _HOP_S)
    steps = np.arange(-most, most + 1)
    centre = np.round(onset / _HOP_S).astype(np.int64)
    at = centre[:, None] + steps
    inside = (at >= 0) & (at < len(flux))
    strength = np.where(inside, flux[np.clip(at, 0, len(flux) - 1)], 0.0)
    away = at * _HOP_S - onset[:, None]
    weight = strength * np.exp(-0.5 * (away / options.prior_std) ** 2)
    best = weight.argmax(axis=1)
    rows = np.arange(len(onset))
    found = weight[rows, best] > 0.0
    return np.maximum(np.where(found, at[rows, best] * _HOP_S, onset) - options.backtrack, 0.0)


def _ended(
    onset: DoubleArray, offset: DoubleArray, level: DoubleArray, options: Options
) -> DoubleArray:
    """Move each word's end back over the silence behind it, and never into the next word."""
    ends = np.maximum(offset, onset + _HOP_S)
    ends[:-1] = np.minimum(ends[:-1], np.maximum(onset[1:], onset[:-1] + _HOP_S))
    first = np.clip(np.round(onset / _HOP_S).astype(np.int64), 0, len(level) - 1)
    last = np.clip(np.round(ends / _HOP_S).astype(np.int64), first + 1, len(level))
    for i, (a, b) in enumerate(zip(first, last, strict=True)):
        own = level[a:b]
        if len(own) == 0:
            continue
        loud = np.nonzero(own > own.max() + options.silent_db)[0]
        ends[i] = min(ends[i], max((a + loud[-1] + 1) * _HOP_S, onset[i] + _HOP_S))
    return ends


def _flux_and_level(vocals: FloatArray, sr: int) -> tuple[DoubleArray, DoubleArray]:
    """Compute spectral flux and level in dB every `_HOP_S`, both shape (frames,)."""
    hop, window = round(_HOP_S * sr), round(_WINDOW_S * sr)
    padded = np.pad(vocals.astype(np.float32), (window // 2, window))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    frames = frames[: len(vocals) // hop + 1]
    hann = np.hanning(window).astype(np.float32)
    size = 1 << (window - 1).bit_length()
    level = np.empty(len(frames))

    def magnitude(some: FloatArray) -> FloatArray:
        return np.abs(np.fft.rfft(some * hann, size)).astype(np.float32)

    sample = magnitude(frames[:: max(1, len(frames) // _SAMPLED)])
    loud = max(float(np.percentile(sample, 99.5)), 1e-9)
    rise = np.zeros(max(0, len(frames) - _LAG), np.float32)
    # Block by block: the spectra of a whole song would be the largest array in memory.
    for start in range(0, len(frames), _FRAMES_AT_ONCE):
        block = frames[start : start + _FRAMES_AT_ONCE] * hann
        level[start : start + len(block)] = np.einsum("ij,ij->i", block, block)
        logs = np.log1p(
            magnitude(frames[start : start + _FRAMES_AT_ONCE + _LAG]) * np.float32(100.0 / loud)
        )
        rises = np.maximum(logs[_LAG:] - logs[:-_LAG], 0.0).sum(axis=1)
        rise[start : start + len(rises)] = rises
    flux = np.pad(rise.astype(np.float64), (_LAG // 2, _LAG - _LAG // 2))
    smooth = np.exp(-0.5 * np.arange(-4, 5) ** 2.0)
    flux = np.convolve(flux, smooth / smooth.sum(), mode="same")
    return flux, 10.0 * np.log10(level + 1e-10)
