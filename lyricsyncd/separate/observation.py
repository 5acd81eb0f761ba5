"""Fill the holes of separated vocals with a little of the mix, before words are placed on them.

A separator cuts holes: soft vowels at the start of a word, and voices that it takes for an
instrument, are gone from the vocals, and no search finds a word where nothing is left of it. What
is left of the band does less harm to an acoustic model than what is missing of the voice
(observation adding: Iwamoto et al. 2022, "How bad are artifacts?").
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lyricsyncd.separate.base import Samples

SHARE = 0.12
"""Level of what is added against that of the vocals. It is one of their levels, not of the mix's,
so that a loud band does not drown weak vocals."""
SIDE_SHARE = 0.4
"""The same for what is beside the middle: of a voice that is panned a separator leaves less."""
REACH_S = 0.3
"""Seconds from loud vocals within which holes are filled. Where the band plays alone nothing is
added: words would be placed there (with 0.6 s, seven of one song in a break)."""
_FRAME_S = 0.02
_LOUD_DB = 25.0
"""Decibels below the 95th percentile of level down to which vocals are loud."""


def observed(vocals: Samples, mix: Samples, sample_rate: int, share: float = SHARE) -> Samples:
    """Return vocals with a little of the mix beside what is loud of them.

    Parameters
    ----------
    vocals, mix : ndarray of float32, shape (n,)
        On the same time axis, at ``sample_rate`` Hz.
    share : float
        Level of what is added against that of the vocals.

    Returns
    -------
    ndarray of float32, shape (n,)
    """
    size = round(_FRAME_S * sample_rate)
    count = len(vocals) // size
    of_mix = float(np.mean(np.square(mix), dtype=np.float64)) if count else 0.0
    if of_mix == 0.0:
        return vocals
    of_vocals = float(np.mean(np.square(vocals), dtype=np.float64))
    gain = share * math.sqrt(of_vocals / of_mix)
    added = np.zeros_like(vocals)
    power = np.square(vocals[: size * count].reshape(count, size)).mean(axis=1)
    added[: size * count] = np.repeat(np.where(_near(power), np.float32(gain), np.float32(0)), size)
    added *= mix
    added += vocals
    return added


def _near(power: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which frames are within reach of a loud one, shape (T,)."""
    loud = (power > 0.0) & (power >= np.percentile(power, 95) * 10.0 ** (-_LOUD_DB / 10.0))
    reach = round(REACH_S / _FRAME_S)
    near: NDArray[np.bool_] = np.convolve(loud, np.ones(2 * reach + 1), "same") > 0.5
    return near
