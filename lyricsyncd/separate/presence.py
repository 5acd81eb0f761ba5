"""Detect whether a song has singing, from its separated vocals.

Separators leave a residue of the band in the vocals of an instrumental: it is far weaker than the
band, and has no sustained parts of its own.
"""

from __future__ import annotations

import numpy as np

from lyricsyncd.separate.base import Stem

SUNG_SHARE = 0.03
"""Share of a song's loud frames that must be voiced for it to count as sung. On the songs that this
was measured on, sung ones have 0.48 and more; the accompaniments alone mostly below 0.02."""
FRAME_S = 0.1
VOICED_DB = -14.0
"""Level of the vocals relative to the mix in the same frame from which the frame is voiced."""
LOUD_DB = -30.0
"""Level relative to the mix's loud frames below which a frame is not counted: fades, silence."""
SILENCE_DB = -80.0
"""Level below which a frame is silent."""
STRETCH_S = 0.6
"""Shorter voiced runs are a snare or a squeak."""


def sung_share(stem: Stem) -> float | None:
    """Return the share of a song's loud frames that are voiced, 0-1.

    ``None`` where the vocals were not separated, so that it is unknown.
    """
    if not stem.separated:
        return None
    size = round(FRAME_S * stem.sr)
    count = len(stem.mix) // size
    if count == 0:
        return 0.0
    mix, vocals = (_levels(signal, size, count) for signal in (stem.mix, stem.vocals))
    loud = mix >= max(float(np.percentile(mix, 95)) + LOUD_DB, SILENCE_DB)
    if not loud.any():
        return 0.0
    voiced = loud & (vocals - mix >= VOICED_DB)
    return float(_long_runs(voiced, round(STRETCH_S / FRAME_S)).sum() / loud.sum())


def _levels(
    signal: np.ndarray[tuple[int], np.dtype[np.float32]], size: int, count: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the level of each frame in decibels, shape (count,)."""
    frames = signal[: size * count].reshape(count, size).astype(np.float64)
    levels: np.ndarray[tuple[int], np.dtype[np.float64]] = 10.0 * np.log10(
        (frames**2).mean(axis=1) + 1e-12
    )
    return levels


def _long_runs(
    flags: np.ndarray[tuple[int], np.dtype[np.bool_]], shortest: int
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Clear the flags of runs shorter than ``shortest`` frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    result = np.zeros_like(flags)
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        if last - first >= shortest:
            result[first:last] = True
    return result
