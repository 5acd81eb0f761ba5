"""Separate vocals that are quiet against the band: raise what was found of them, and look again.

The networks learnt from mixes in which the voice is about as loud as the band. Of one that is much
quieter they find a little, with gaps; added to the mix, that little brings the voice to the level
that they know, and far more of it is found. Measured on songs whose vocals were 10 dB lower
(`benchmarks.hard`, docs/alignment.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lyricsyncd.separate.base import Found, Samples, Separator, Stem

GAIN = 3.0
"""How much of the vocals that were found is added to the mix: 12 dB more of them in all."""

QUIET_DB = -7.0
"""Level against the rest below which vocals are raised whatever the words. The songs that this was
chosen on have -5.5 to +4 dB; with vocals 6 dB lower -12.5 to -2, and those below -7 gain 4 points
by it."""
_FRAME_S = 0.1
_LOUD_SHARE = 0.05
"""Share of the energy of the vocals' loud frames from which a frame counts."""


def level_db(stem: Stem) -> float:
    """Return the level of the vocals against the rest of the mix, where they are loud, in dB."""
    import numpy as np

    size = round(_FRAME_S * stem.sr)
    count = len(stem.mix) // size
    if count == 0:
        return 0.0
    vocals, rest = (
        np.square(signal[: size * count].reshape(count, size)).mean(axis=1, dtype=np.float64)
        for signal in (stem.vocals, stem.mix - stem.vocals)
    )
    loud = vocals >= _LOUD_SHARE * np.percentile(vocals, 95)
    silence = 1e-12
    return float(10 * np.log10((vocals[loud].mean() + silence) / (rest[loud].mean() + silence)))


def separate_raised(
    separator: Separator,
    blocks: Iterable[Samples],
    sample_rate: int,
    found: Found,
    gain: float = GAIN,
) -> Iterator[Samples]:
    """Separate a stream with the vocals that were found of it added to it.

    Parameters
    ----------
    found : ndarray of float16, shape (n, 2)
        Those vocals, of the whole song.

    Returns
    -------
    iterator of ndarray of float32, shape (n, 2)
        The vocals at their level in the mix; as many samples as the input in all.
    """

    def raised() -> Iterator[Samples]:
        import numpy as np

        at = 0
        for block in blocks:
            yield block + gain * found[at : at + len(block)].astype(np.float32)
            at += len(block)

    for vocals in separator.separate(raised(), sample_rate):
        yield vocals / (1.0 + gain)
