"""Detect whether a song has singing, from its separated vocals.

Separators leave a residue of the band in the vocals of an instrumental: it is far weaker than the
band, and has no sustained parts of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from lyricsyncd.separate.base import Stem

if TYPE_CHECKING:
    from lyricsyncd.separate.base import Samples

_Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
_Levels = np.ndarray[tuple[int], np.dtype[np.float64]]

SUNG_SHARE = 0.03
"""Share of a song's loud frames that must be voiced for it to count as sung. On the songs that this
was measured on, sung ones have 0.48 and more; the accompaniments alone mostly below 0.02."""
FRAME_S = 0.1
VOICED_DB = -14.0
"""Level of the vocals relative to the mix in the same frame from which the frame is voiced."""
LOUD_DB = -30.0
"""Level relative to the mix's loud frames below which a frame is not counted: fades, silence."""
LEAD_DB = -18.0
"""Level of the vocals relative to their loud frames below which a frame is not the lead's."""
SILENCE_DB = -80.0
"""Level below which a frame is silent."""
CERTAIN = 0.25
"""Share from which there is singing in a song that is marked as an instrumental."""
EXCERPTS, EXCERPT_S = (0.22, 0.45, 0.7), 10.0
"""Where the excerpts of a song start, as shares of it, and their length in seconds: within the
first verse, the middle, and a later chorus."""
STRETCH_S = 0.6
"""Shorter voiced runs are a snare or a squeak."""


def sung_share(stem: Stem) -> float | None:
    """Return the share of a song's loud frames that are voiced, 0-1.

    ``None`` where the vocals were not separated, so that it is unknown.
    """
    levels = _both_levels(stem)
    if levels is None:
        return None
    mix, vocals = levels
    loud = _loud(mix)
    if not loud.any():
        return 0.0
    return float(_voiced(mix, vocals).sum() / loud.sum())


def excerpts(blocks: Iterable[Samples], rate: int, duration: float) -> Iterator[Samples]:
    """Return some excerpts of a song, which show whether there is singing at all.

    Parameters
    ----------
    blocks : iterable of ndarray of float32, shape (n, 2)
        The song.
    rate : int
        Its sample rate in Hz.
    duration : float
        Its length in seconds; a song that is hardly longer than the excerpts is returned whole.
    """
    whole = duration <= 2 * EXCERPT_S * len(EXCERPTS)
    windows = [
        (share * duration * rate, (share * duration + EXCERPT_S) * rate) for share in EXCERPTS
    ]
    at = 0
    for block in blocks:
        for first, last in [(0, at + len(block))] if whole else windows:
            piece = block[max(0, round(first) - at) : max(0, round(last) - at)]
            if len(piece):
                yield piece
        at += len(block)


def voiced_frames(stem: Stem) -> _Flags | None:
    """Return the frames of `FRAME_S` in which the lead's voice is, shape (T,).

    Frames with much weaker vocals than the song's loud ones do not count: the residue of the band.
    ``None`` where the vocals were not separated.
    """
    levels = _both_levels(stem)
    if levels is None:
        return None
    mix, vocals = levels
    if not len(mix):
        return np.zeros(0, np.bool_)
    strong = vocals >= np.percentile(vocals, 90) + LEAD_DB
    return _long_runs(_voiced(mix, vocals) & strong, round(STRETCH_S / FRAME_S))


def _both_levels(stem: Stem) -> tuple[_Levels, _Levels] | None:
    """Return the levels of the mix and the vocals; ``None`` where these were not separated."""
    if not stem.separated:
        return None
    size = round(FRAME_S * stem.sr)
    count = len(stem.mix) // size
    return _levels(stem.mix, size, count), _levels(stem.vocals, size, count)


def _loud(
    mix: _Levels,
) -> _Flags:
    if not len(mix):
        return np.zeros(0, np.bool_)
    loud: _Flags = mix >= max(float(np.percentile(mix, 95)) + LOUD_DB, SILENCE_DB)
    return loud


def _voiced(
    mix: _Levels,
    vocals: _Levels,
) -> _Flags:
    """Return the voiced ones of the loud frames."""
    return _long_runs(_loud(mix) & (vocals - mix >= VOICED_DB), round(STRETCH_S / FRAME_S))


def _levels(signal: np.ndarray[tuple[int], np.dtype[np.float32]], size: int, count: int) -> _Levels:
    """Return the level of each frame in decibels, shape (count,)."""
    frames = signal[: size * count].reshape(count, size).astype(np.float64)
    levels: _Levels = 10.0 * np.log10((frames**2).mean(axis=1) + 1e-12)
    return levels


def _long_runs(flags: _Flags, shortest: int) -> _Flags:
    """Clear the flags of runs shorter than ``shortest`` frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    result = np.zeros_like(flags)
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        if last - first >= shortest:
            result[first:last] = True
    return result
