"""The backing: chords, an arpeggio, a bass and soft drums, all from numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from demo.score import hertz

FloatArray = NDArray[np.float64]

_ROOTS = {"C": 1, "F": 4, "G": 5}


def play(chords: list[str], beat: float, tonic: float, total_s: float, rate: int) -> FloatArray:
    """The backing of a song.

    Parameters
    ----------
    chords : list of str
        Names in C major, one each two beats from the first second on.
    beat, total_s : float
        Seconds.
    tonic : float
        Hz of the first degree.

    Returns
    -------
    float64 array, shape (2, samples)
        Stereo at ``rate`` Hz; it ends with a bar that fades away.
    """
    song = np.zeros((2, round(total_s * rate)))
    random = np.random.default_rng(1806)
    for number, chord in enumerate(chords):
        at = number * 2 * beat
        root = _ROOTS[chord]
        triad = [hertz(tonic * 2, root + step) for step in (0, 2, 4)]
        length = 2 * beat if number + 1 < len(chords) else max(2 * beat, total_s - at)
        for pitch, pan in zip(triad, (-0.6, 0.1, 0.6), strict=True):
            _add(song, _pad(pitch, length, rate), at, 0.045, pan, rate)
        for step, tone in enumerate((0, 2, 1, 2)):
            pluck = _pluck(triad[tone] * 2, 1.2, rate)
            _add(song, pluck, at + step * beat / 2, 0.06, 0.5 if step % 2 else -0.5, rate)
        low = hertz(tonic / 2, root)
        _add(song, _pluck(low, min(length, 2 * beat), rate, bright=0.35), at, 0.22, 0, rate)
        if number + 1 < len(chords):
            _add(song, _kick(rate), at, 0.3, 0, rate)
            _add(song, _brush(0.12, 1500, rate, random), at + beat, 0.06, 0.1, rate)
            for step in range(4):
                level = 0.025 if step % 2 else 0.015
                _add(song, _brush(0.04, 6000, rate, random), at + step * beat / 2, level, 0.4, rate)
    fade = np.clip((total_s - np.arange(song.shape[1]) / rate) / (2 * beat), 0, 1)
    result: FloatArray = song * fade
    return result


def _add(
    song: FloatArray, sound: FloatArray, at: float, level: float, pan: float, rate: int
) -> None:
    """Mix a mono sound in place at second ``at``; ``pan`` from -1 (left) to 1 (right)."""
    start = round(at * rate)
    piece = sound[: max(0, song.shape[1] - start)] * level
    song[0, start : start + piece.size] += piece * np.cos((pan + 1) * np.pi / 4)
    song[1, start : start + piece.size] += piece * np.sin((pan + 1) * np.pi / 4)


def _pad(pitch: float, length: float, rate: int) -> FloatArray:
    clock = np.arange(round((length + 0.15) * rate)) / rate
    sound = sum(
        np.sin(2 * np.pi * number * pitch * detune * clock + number) / number**1.8
        for number in range(1, 7)
        for detune in (0.9985, 1.0015)
    )
    envelope = np.clip(clock / 0.08, 0, 1) * np.clip((length + 0.15 - clock) / 0.15, 0, 1)
    result: FloatArray = sound * envelope
    return result


def _pluck(pitch: float, length: float, rate: int, bright: float = 1.0) -> FloatArray:
    clock = np.arange(round(length * rate)) / rate
    result = np.zeros(clock.size)
    for number in range(1, 9):
        if number * pitch < rate / 2:
            decay = np.exp(-clock * (2.5 + 1.6 * number))
            result += (
                bright ** (number - 1) / number * decay * np.sin(2 * np.pi * number * pitch * clock)
            )
    result *= np.clip(clock / 0.004, 0, 1) * np.clip((length - clock) / 0.03, 0, 1)
    return result


def _kick(rate: int) -> FloatArray:
    clock = np.arange(round(0.25 * rate)) / rate
    pitch = 48 + 70 * np.exp(-clock / 0.03)
    result: FloatArray = np.sin(2 * np.pi * np.cumsum(pitch) / rate) * np.exp(-clock / 0.08)
    return result


def _brush(length: float, above: float, rate: int, random: np.random.Generator) -> FloatArray:
    """Noise above a frequency in Hz, dying away."""
    count = round(length * 4 * rate)
    spectrum = np.fft.rfft(random.standard_normal(count))
    hertz_ = np.fft.rfftfreq(count, 1 / rate)
    noise = np.fft.irfft(spectrum / (1 + np.exp(-(hertz_ - above) / (above / 8))), count)
    result: FloatArray = noise * np.exp(-np.arange(count) / rate / (length / 2))
    return result
