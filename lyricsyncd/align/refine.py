"""Onsets and offsets to a few milliseconds, where the vocals show them.

The search works in steps of 10 ms on features that look at 70 ms around each; the vocals
themselves show more sharply where sound begins. Each onset moves to the strongest rise in the
spectrum near it (spectral flux as in onset detection: Dixon 2006), never past its neighbours. A
word's end moves back to where its sound has died away.
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
    """How far to go; the defaults are what measured best."""

    reach: float = 0.06
    """Seconds an onset may move."""
    pull: float = 0.04
    """Standard deviation, in seconds, of the preference for staying put."""
    rise: float = 0.01
    """Seconds from where a listener hears a word begin to where the spectrum rises most."""
    silent_db: float = -30.0
    """Level under a word's own loudest moment at which it has died away."""


_HOP_S = 0.005
_WINDOW_S = 0.025
_LAG = 2
"""Hops between the two spectra whose difference counts as a rise."""
_FRAMES_AT_ONCE = 4096


def refine_timings(
    vocals: FloatArray, sr: int, words: Sequence[Word], options: Options = Options()
) -> list[Word]:
    """Move the onsets and offsets of timed words to where the vocals show them.

    Onsets move by at most `Options.reach` to the strongest spectral flux (Dixon, "Onset detection
    revisited", 2006); offsets move back over the silence behind a word.

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
    """The same on arrays of seconds, shape (N,): refined onsets and offsets."""
    if len(onset) == 0:
        return onset, offset
    flux, level = _flux_and_level(vocals, sr)
    onset = np.maximum.accumulate(_snapped(onset, flux, options))
    return onset, _ended(onset, offset, level, options)


def _snapped(onset: DoubleArray, flux: DoubleArray, options: Options) -> DoubleArray:
    """Each onset at the strongest rise near it, nearer ones preferred."""
    reach = round(options.reach / _HOP_S)
    steps = np.arange(-reach, reach + 1)
    centre = np.round(onset / _HOP_S).astype(np.int64)
    at = centre[:, None] + steps
    inside = (at >= 0) & (at < len(flux))
    strength = np.where(inside, flux[np.clip(at, 0, len(flux) - 1)], 0.0)
    away = at * _HOP_S - onset[:, None]
    weight = strength * np.exp(-0.5 * (away / options.pull) ** 2)
    best = weight.argmax(axis=1)
    rows = np.arange(len(onset))
    found = weight[rows, best] > 0.0
    return np.maximum(np.where(found, at[rows, best] * _HOP_S, onset) - options.rise, 0.0)


def _ended(
    onset: DoubleArray, offset: DoubleArray, level: DoubleArray, options: Options
) -> DoubleArray:
    """Each word's end, moved back over the silence it was given; never into the next word."""
    ends = np.maximum(offset, onset + _HOP_S)
    ends[:-1] = np.minimum(ends[:-1], np.maximum(onset[1:], onset[:-1] + _HOP_S))
    first = np.clip(np.round(onset / _HOP_S).astype(np.int64), 0, len(level) - 1)
    last = np.clip(np.round(ends / _HOP_S).astype(np.int64), first + 1, len(level))
    for i, (a, b) in enumerate(zip(first, last, strict=True)):
        own = level[a:b]
        if len(own) == 0:
            continue
        heard = np.nonzero(own > own.max() + options.silent_db)[0]
        ends[i] = min(ends[i], max((a + heard[-1] + 1) * _HOP_S, onset[i] + _HOP_S))
    return ends


def _flux_and_level(vocals: FloatArray, sr: int) -> tuple[DoubleArray, DoubleArray]:
    """Spectral flux and level in dB every `_HOP_S`, both shape (frames,)."""
    hop, window = round(_HOP_S * sr), round(_WINDOW_S * sr)
    padded = np.pad(vocals.astype(np.float32), (window // 2, window))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    frames = frames[: len(vocals) // hop + 1]
    hann = np.hanning(window).astype(np.float32)
    size = 1 << (window - 1).bit_length()
    spectra = []
    level = np.empty(len(frames))
    for start in range(0, len(frames), _FRAMES_AT_ONCE):
        block = frames[start : start + _FRAMES_AT_ONCE] * hann
        level[start : start + len(block)] = np.einsum("ij,ij->i", block, block)
        spectra.append(np.abs(np.fft.rfft(block, size)).astype(np.float32))
    magnitude = np.concatenate(spectra)
    loud = max(float(np.percentile(magnitude[:: max(1, len(magnitude) // 2000)], 99.5)), 1e-9)
    magnitude = np.log1p(magnitude * np.float32(100.0 / loud))
    rise = np.maximum(magnitude[_LAG:] - magnitude[:-_LAG], 0.0).sum(axis=1)
    flux = np.pad(rise.astype(np.float64), (_LAG // 2, _LAG - _LAG // 2))
    smooth = np.exp(-0.5 * np.arange(-4, 5) ** 2.0)
    flux = np.convolve(flux, smooth / smooth.sum(), mode="same")
    return flux, 10.0 * np.log10(level + 1e-10)
