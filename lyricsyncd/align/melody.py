"""Find the pitches of notes and the beats of a song, for karaoke games (extra `karaoke`).

Pitches are the median of the fundamental frequency over each note, by probabilistic YIN (Mauch &
Dixon 2014), on the separated vocals. Beats are those of the mix, by dynamic programming (Ellis
2007), with one tempo: games know no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lyricsyncd.errors import ModelError

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]

MIDDLE_C = 60
"""Its number in MIDI, from which games count pitches."""
_LOWEST_HZ, _HIGHEST_HZ = 65.4, 1046.5
_WINDOW_S, _HOP_S = 0.064, 0.016
_FINEST, _COARSEST = 500.0, 250.0
"""Beats a minute of a game between which the song's, doubled as often as needed, are taken: its
notes then lie on a grid of 30 to 60 ms."""


@dataclass(frozen=True, slots=True)
class Beats:
    """The beats of a song.

    Attributes
    ----------
    bpm : float
        A minute.
    first : float
        Seconds of the first one.
    """

    bpm: float
    first: float

    def grid(self, latest: float) -> Beats:
        """Return a grid fine enough for notes, whose first beat is one of these before ``latest``
        seconds."""
        bpm = self.bpm
        while bpm < _COARSEST:
            bpm *= 2.0
        while bpm >= _FINEST:
            bpm /= 2.0
        period = 60.0 / self.bpm
        beats = max(0.0, np.floor((latest - self.first) / period + 1e-9))
        first = self.first + beats * period
        if first > latest:
            first = latest
        return Beats(round(bpm, 3), round(float(first), 3))


def pitches(vocals: FloatArray, sr: int, notes: Sequence[tuple[float, float]]) -> tuple[int, ...]:
    """Return the pitch of each note in semitones above middle C.

    A note in which no pitch is found has that of the one before.

    Parameters
    ----------
    vocals : ndarray of float32, shape (n,)
        Mono.
    sr : int
        Hz.
    notes : sequence of (float, float)
        Seconds at which each begins and ends.

    Raises
    ------
    ModelError
        The extra `karaoke` is not installed.
    """
    hop = round(_HOP_S * sr)
    frequency, _, _ = _librosa().pyin(
        vocals,
        fmin=_LOWEST_HZ,
        fmax=_HIGHEST_HZ,
        sr=sr,
        frame_length=round(_WINDOW_S * sr),
        hop_length=hop,
    )
    above = 69.0 - MIDDLE_C + 12.0 * np.log2(np.asarray(frequency, np.float64) / 440.0)
    found: list[float] = []
    for start, end in notes:
        first = int(start * sr / hop)
        sung = above[first : max(first + 1, int(np.ceil(end * sr / hop)))]
        sung = sung[~np.isnan(sung)]
        found.append(float(np.median(sung)) if len(sung) else np.nan)
    return tuple(round(pitch) for pitch in _filled(np.array(found)))


def _filled(values: DoubleArray) -> DoubleArray:
    """Return the values with those that are not known as the nearest known before or behind."""
    known = np.flatnonzero(~np.isnan(values))
    if len(known) == 0:
        return np.zeros(len(values))
    before = np.searchsorted(known, np.arange(len(values)), side="right") - 1
    return values[known[np.maximum(before, 0)]]


def beats(mix: FloatArray, sr: int) -> Beats | None:
    """Return the beats of a song; ``None`` where too few are found.

    Parameters
    ----------
    mix : ndarray of float32, shape (n,)
        Mono.
    sr : int
        Hz.

    Raises
    ------
    ModelError
        The extra `karaoke` is not installed.
    """
    _, times = _librosa().beat.beat_track(y=mix, sr=sr, units="time")
    times = np.asarray(times, np.float64)
    if len(times) < 8:
        return None
    # Beats that were passed over count, by the median of the steps.
    steps = np.diff(times)
    numbers = np.append(0.0, np.cumsum(np.maximum(1.0, np.rint(steps / np.median(steps)))))
    slope, first = np.polyfit(numbers, times, 1)
    period = float(slope)
    return Beats(60.0 / period, float(first - period * np.floor(first / period)))


def _librosa() -> Any:
    try:
        import librosa
    except ImportError as error:
        raise ModelError(
            "pitches and beats need the extra `karaoke`, which is not installed",
            remedy="pip install 'lyricsyncd[karaoke]'",
        ) from error
    return librosa
