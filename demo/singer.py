"""A spoken word put on notes: a harmonics-plus-noise vocoder in numpy.

The spectral envelope of the spoken word is kept (it carries the words), its pitch and its pace are
replaced (they carry the tune). Consonants keep their pace, vowels are held. After the idea of the
harmonic plus noise model of Stylianou (1996), much simplified: the spoken pitch is constant and
known, so that harmonics need no search.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.speech import Phone, SpokenWord

FloatArray = NDArray[np.float64]

_HOP_S = 0.005
_WINDOW_S = 0.030
_NOISE_FLOOR_HZ = 4500.0
"""Above this even a vowel is breath rather than tone."""


@dataclass(frozen=True)
class Note:
    """A sung note: seconds on the song's clock, pitch in Hz."""

    start: float
    end: float
    hertz: float


@dataclass(frozen=True)
class SungWord:
    """A word as sung.

    Attributes
    ----------
    start, end : float
        Seconds on the song's clock at which its first sound begins and its last one ends.
    audio : float64 array, shape (samples,)
        Mono, from ``start`` on, at ``sample_rate`` Hz.
    """

    text: str
    start: float
    end: float
    audio: FloatArray
    sample_rate: int


def onset_length(word: SpokenWord) -> float:
    """Seconds of consonants before the first vowel: how far ahead of its note a word begins."""
    before = itertools.takewhile(lambda phone: not phone.vowel, word.phones)
    return sum(phone.end - phone.start for phone in before) / word.sample_rate


def rest_before(word: SpokenWord) -> float:
    """Seconds of silence that a word wants before it, also in the flow of a line.

    Plosives need their closure to be audible at all; a first vowel is set off from what was before.
    """
    return max(word.closure, 0.03 if word.phones[0].vowel else 0.0)


def sing(word: SpokenWord, notes: tuple[Note, ...], until: float, seed: int) -> SungWord:
    """The word on its notes: the n-th vowel begins with the n-th note.

    Notes beyond the vowels are sung on the last vowel; the last consonants end at ``until``.

    Parameters
    ----------
    word : SpokenWord
    notes : tuple of Note
        At least one for each vowel of the word.
    until : float
        Second at which the word must be over.
    seed : int
        Of the breath noise.

    Raises
    ------
    ValueError
        If the word has more vowels than notes.
    """
    spoken_s, sung_s = _time_map(word, notes, until)
    start, end = float(sung_s[0]), float(sung_s[-1])
    rate = word.sample_rate
    clock = start + np.arange(round((end - start) * rate)) / rate
    spoken_clock = np.interp(clock, sung_s, spoken_s)
    envelope, voicing = _analyse(word)
    frames = spoken_clock / _HOP_S
    pitch = _melody(clock, notes)
    phase = np.cumsum(pitch) / rate
    voiced = _harmonics(envelope, voicing, frames, pitch, phase, rate)
    breath = _noise(envelope, voicing, frames, rate, np.random.default_rng(seed))
    edge = min(int(0.004 * rate), clock.size // 4)
    fade = np.minimum(1.0, np.arange(1, clock.size + 1) / edge)
    return SungWord(word.text, start, end, (voiced + breath) * fade * fade[::-1], rate)


def _time_map(
    word: SpokenWord, notes: tuple[Note, ...], until: float
) -> tuple[FloatArray, FloatArray]:
    """Phone edges on the spoken and on the song's clock, in seconds, both rising."""
    vowels = [index for index, phone in enumerate(word.phones) if phone.vowel]
    if len(vowels) > len(notes) or not vowels:
        raise ValueError(f"{word.text!r} has {len(vowels)} vowels for {len(notes)} notes")

    def length(phones: tuple[Phone, ...]) -> float:
        return sum(phone.end - phone.start for phone in phones) / word.sample_rate

    starts: dict[int, float] = {}
    for vowel, note in zip(vowels, notes, strict=False):
        starts[vowel] = note.start
    first = notes[0].start - length(word.phones[: vowels[0]])
    edges = [first]
    for index, phone in enumerate(word.phones):
        following = min((v for v in vowels if v > index), default=None)
        goal = starts[following] if following is not None else until
        if phone.vowel:
            stop = following if following is not None else len(word.phones)
            natural = length(word.phones[index + 1 : stop])
            # Consonants may take at most half of a note.
            edges.append(goal - min(natural, (goal - edges[-1]) / 2))
        elif following is not None and index < vowels[0]:
            edges.append(edges[-1] + length((phone,)))
        else:
            stop = following if following is not None else len(word.phones)
            rest = length(word.phones[index:stop])
            share = length((phone,)) / rest if rest else 1.0
            edges.append(edges[-1] + (goal - edges[-1]) * share)
    spoken = [0.0, *(phone.end / word.sample_rate for phone in word.phones)]
    return np.array(spoken), np.array(edges)


def _melody(clock: FloatArray, notes: tuple[Note, ...]) -> FloatArray:
    """Pitch in Hz at each second of ``clock``: glides between notes, vibrato on long ones."""
    log_pitch = np.full(clock.size, np.log2(notes[0].hertz))
    depth = np.zeros(clock.size)
    for before, note in itertools.pairwise(notes):
        glide = np.clip((clock - note.start + 0.03) / 0.06, 0, 1)
        log_pitch += glide * (np.log2(note.hertz) - np.log2(before.hertz))
    for note in notes:
        inside = (clock >= note.start) & (clock < note.end)
        depth[inside] = np.clip((clock[inside] - note.start - 0.2) / 0.3, 0, 1) * (25 / 1200)
    log_pitch += depth * np.sin(2 * np.pi * 5.5 * clock)
    # Notes are approached from a little below, as voices do.
    log_pitch -= (60 / 1200) * np.exp(-np.clip(clock - notes[0].start + 0.05, 0, None) / 0.04)
    result: FloatArray = np.exp2(log_pitch)
    return result


def _spoken_pitch(audio: FloatArray, rate: int) -> float:
    """The constant pitch of a spoken word in Hz, from the autocorrelation of all of it."""
    size = 1 << (2 * audio.size - 1).bit_length()
    correlation = np.fft.irfft(np.abs(np.fft.rfft(audio, size)) ** 2)
    shortest, longest = int(rate / 250), int(rate / 70)
    return rate / (shortest + int(np.argmax(correlation[shortest:longest])))


def _analyse(word: SpokenWord) -> tuple[FloatArray, FloatArray]:
    """What the vocoder needs of a spoken word.

    Returns
    -------
    envelope : shape (frames, bins)
        Log magnitude of the spectrum without its harmonics; a frame each 5 ms.
    voicing : shape (frames,)
        0 (noise) to 1 (tone).
    """
    rate = word.sample_rate
    audio = word.audio.astype(np.float64)
    pitch = _spoken_pitch(audio, rate)
    hop, size = int(_HOP_S * rate), int(_WINDOW_S * rate)
    count = audio.size // hop + 2
    padded = np.pad(audio, (size // 2, size + hop * 2))
    pieces = np.stack([padded[index * hop : index * hop + size] for index in range(count)])
    window = np.hanning(size)
    fft_size = 2048
    spectrum = np.abs(np.fft.rfft(pieces * window, fft_size)) / window.sum() * 2
    hertz = np.fft.rfftfreq(fft_size, 1 / rate)
    # The largest bin about each harmonic, joined by straight lines in log magnitude.
    harmonics = np.arange(1, int(rate / 2 / pitch))
    reach = round(pitch / 2 / hertz[1])
    centres = np.round(harmonics * pitch / hertz[1]).astype(int)
    index = np.clip(centres[:, None] + np.arange(-reach, reach + 1), 0, hertz.size - 1)
    peaks = np.log(spectrum[:, index].max(axis=2) + 1e-7)
    envelope = np.stack([np.interp(hertz, harmonics * pitch, row) for row in peaks])
    # Voiced where a frame resembles itself one period later.
    lag = round(rate / pitch)
    ahead = np.stack(
        [padded[index * hop + lag : index * hop + lag + size] for index in range(count)]
    )
    energy = np.sqrt((pieces**2).sum(1) * (ahead**2).sum(1)) + 1e-9
    likeness = (pieces * ahead).sum(1) / energy
    voicing = np.clip((likeness - 0.4) / 0.35, 0, 1)
    return envelope, voicing


def _at(table: FloatArray, frames: FloatArray) -> FloatArray:
    """Rows of ``table`` at fractional frame numbers."""
    low = np.clip(frames.astype(int), 0, len(table) - 2)
    share = np.clip(frames - low, 0, 1)
    if table.ndim > 1:
        share = share[:, None]
    result: FloatArray = table[low] * (1 - share) + table[low + 1] * share
    return result


def _harmonics(
    envelope: FloatArray,
    voicing: FloatArray,
    frames: FloatArray,
    hertz: FloatArray,
    turns: FloatArray,
    rate: int,
) -> FloatArray:
    """The tonal part: a sum of sines under the envelope, samples as ``frames``.

    ``hertz`` is the pitch at each sample and ``turns`` its integral, in turns.
    """
    hop = int(_HOP_S * rate)
    coarse = np.arange(0, frames.size + hop, hop)
    samples = np.arange(frames.size)
    rows = _at(envelope, np.interp(coarse, samples, frames))
    loud = _at(voicing, np.interp(coarse, samples, frames))
    coarse_hertz = np.interp(coarse, samples, hertz)
    bin_hz = rate / 2 / (envelope.shape[1] - 1)
    phase = 2 * np.pi * turns
    result = np.zeros(frames.size)
    for number in range(1, int(rate / 2 / hertz.min())):
        place = number * coarse_hertz / bin_hz
        low = np.clip(place.astype(int), 0, envelope.shape[1] - 2)
        share = place - low
        each = np.arange(coarse.size)
        level = rows[each, low] * (1 - share) + rows[each, low + 1] * share
        breathy = 1 / (1 + np.exp((number * coarse_hertz - _NOISE_FLOOR_HZ) / 400))
        level = np.exp(level) * loud * breathy * (number * coarse_hertz < rate / 2 - 200)
        # Phases spread by number keep the sum from being one sharp pulse a period.
        result += np.interp(samples, coarse, level) * np.sin(number * phase + 0.7 * number**2)
    return result


def _noise(
    envelope: FloatArray,
    voicing: FloatArray,
    frames: FloatArray,
    rate: int,
    random: np.random.Generator,
) -> FloatArray:
    """The unvoiced part: white noise shaped by the envelope, samples as ``frames``."""
    hop, size = int(_HOP_S * rate), 4 * int(_HOP_S * rate)
    window = np.hanning(size + 1)[:-1]
    places = np.arange(0, frames.size, hop)
    rows = np.exp(_at(envelope, frames[places]))
    loud = _at(voicing, frames[places])
    white = random.standard_normal(frames.size + 2 * size)
    hertz = np.fft.rfftfreq(size, 1 / rate)
    bins = np.linspace(0, rate / 2, envelope.shape[1])
    high = 1 / (1 + np.exp(-(hertz - _NOISE_FLOOR_HZ) / 400))
    result = np.zeros(frames.size + 2 * size)
    for place, row, tone in zip(places, rows, loud, strict=True):
        spectrum = np.fft.rfft(white[place : place + size] * window)
        share = np.sqrt(1 - tone**2) + tone * 0.5 * high
        shape = np.interp(hertz, bins, row) * share * (hertz > 150)
        result[place : place + size] += np.fft.irfft(spectrum * shape, size) * window
    # Magnitudes are those of sines under a 30 ms window: bring noise to the same power.
    scale = np.sqrt(_WINDOW_S * rate / 3) / 1.5
    shaped: FloatArray = result[size // 2 : size // 2 + frames.size] * scale
    return shaped
