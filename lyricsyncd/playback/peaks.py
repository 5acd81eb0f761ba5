"""Reduce a song to the peaks that a page draws: a byte for each hundredth of a second."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

RATE = 100
"""Peaks a second."""
_DECODING_HZ = 8000
"""Sample rate at which a song is decoded for its peaks alone: the loudest is below 4 kHz."""


@dataclass(frozen=True, slots=True)
class Peaks:
    """The peaks of a song, see `envelope`, on the same time axis."""

    vocals: bytes
    """Those of the mix, where no vocals were separated."""
    mix: bytes


def envelope(samples: NDArray[np.float32], sample_rate: int) -> bytes:
    """Compute peaks.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
        Mono, full scale ±1.
    sample_rate : int
        Hz.

    Returns
    -------
    bytes
        ``ceil(n / sample_rate * RATE)`` of them: 255 times the square root of the largest
        magnitude in each hundredth of a second, since quiet singing would hardly be seen otherwise.
    """
    import numpy as np

    count = -(-len(samples) * RATE // sample_rate)
    if not count:
        return b""
    starts = np.arange(count) * sample_rate // RATE
    highest = np.maximum.reduceat(samples, starts)
    lowest = np.minimum.reduceat(samples, starts)
    magnitude = np.clip(np.maximum(highest, -lowest), 0.0, 1.0)
    peaks: bytes = np.rint(255 * np.sqrt(magnitude)).astype(np.uint8).tobytes()
    return peaks


def of_song(song: Path) -> bytes:
    """Decode a song for the peaks of its mix.

    Raises
    ------
    AudioError
        It cannot be decoded.
    """
    from lyricsyncd import audio

    return _joined(audio.blocks(song, _DECODING_HZ))


def _joined(blocks: Iterable[NDArray[np.float32]]) -> bytes:
    """Compute the peaks of a stream of stereo blocks, shape (n, 2), that is never held whole."""
    import numpy as np

    hop = _DECODING_HZ // RATE
    pieces: list[bytes] = []
    rest = np.zeros(0, np.float32)
    for block in blocks:
        samples = np.concatenate([rest, block.mean(axis=1)])
        whole = len(samples) // hop * hop
        pieces.append(envelope(samples[:whole], _DECODING_HZ))
        rest = samples[whole:]
    return b"".join([*pieces, envelope(rest, _DECODING_HZ)])
