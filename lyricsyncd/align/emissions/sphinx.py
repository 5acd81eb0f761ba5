"""The lite ear: PocketSphinx' en-us phone states, scored in numpy.

Thirty megabytes that ship inside a wheel, made for English dictation; with pronunciations from
espeak-ng mapped onto its phones it hears other languages well enough to place known words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.emissions import SAMPLE_RATE, Emissions, Lines, SpelledSong, Spelling
from lyricsyncd.align.emissions import cepstra, sphinx_model
from lyricsyncd.align.emissions.sphinx_model import BEGIN, END, INSIDE, SINGLE, AcousticModel
from lyricsyncd.align.lexicon import Pronunciation, pronounce

FloatArray = npt.NDArray[np.float32]

VOWELS = frozenset("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split())

_DENSITY_FLOOR = 9.83
"""Nats below the frame's best density at which all others are held, as the decoder does: it keeps
one bad stream from deciding a frame."""
_SCORE_FLOOR = -25.0
_SUNG_DB = 30.0
"""Frames within this of the 95th percentile of energy count as sung for the cepstral mean."""
_FRAMES_AT_ONCE = 1024


@dataclass(frozen=True)
class SphinxEar:
    """Triphone states of the en-us model as sound units; a unit may be several alternatives."""

    model: AcousticModel
    name: str = "sphinx"
    hop: float = cepstra.HOP / SAMPLE_RATE

    @classmethod
    def load(cls) -> SphinxEar:
        """The ear with the installed model.

        Raises
        ------
        ModelError
            The model is not there or cannot be read.
        """
        return cls(sphinx_model.load())

    def spell(self, lines: Lines, language: str | None) -> SpelledSong:
        """Words → espeak-ng pronunciations → sequences of senones."""
        return _Speller(self.model).song(pronounce(lines, language))

    def listen(self, audio: npt.NDArray[np.float32]) -> FloatArray:
        """Cepstral features, shape (T, 39)."""
        return cepstra.features(audio, _sung(audio))

    def score(self, heard: FloatArray, song: SpelledSong) -> Emissions:
        """Senone scores relative to the frame's best phone state, alternatives scored as their
        best."""
        wanted = np.unique(
            np.concatenate([self._alone, self._silence, *map(np.asarray, song.units)])
        )
        column = {int(senone): i for i, senone in enumerate(wanted)}
        silence = [column[int(s)] for s in self._silence]
        alone = [column[int(s)] for s in self._alone]
        units = [[column[s] for s in unit] for unit in song.units]
        first = np.array([unit[0] for unit in units], dtype=np.int64)
        several = [(i, unit) for i, unit in enumerate(units) if len(unit) > 1]
        scores = np.empty((len(heard), len(units)), np.float16)
        rest = np.empty(len(heard), np.float32)
        for start in range(0, len(heard), _FRAMES_AT_ONCE):
            block = slice(start, start + _FRAMES_AT_ONCE)
            logs = _log_likelihoods(self.model, self._gaussians, heard[block], wanted)
            best = logs[:, alone].max(axis=1)
            chosen = logs[:, first]
            for i, unit in several:
                chosen[:, i] = logs[:, unit].max(axis=1)
            scores[block] = np.clip(chosen - best[:, None], _SCORE_FLOOR, None)
            rest[block] = np.minimum(logs[:, silence].max(axis=1) - best, 0.0)
        return Emissions(scores, rest, self.hop)

    def adapted(
        self, heard: FloatArray, song: SpelledSong, units: npt.NDArray[np.int64]
    ) -> SphinxEar:
        """The model's means moved towards the singer (see `lyricsyncd.align.adaptation`)."""
        from lyricsyncd.align.emissions import adaptation

        senones = np.full(len(units), -1, np.int64)
        resting, learning = units == -1, units >= 0
        for start in range(0, len(heard), _FRAMES_AT_ONCE):
            block = slice(start, start + _FRAMES_AT_ONCE)
            senones[block] = self._likeliest(heard[block], song, units[block])
        senones[~(resting | learning)] = -1
        means = adaptation.adapted_means(self.model, heard, senones)
        return SphinxEar(self.model.with_means(means), self.name, self.hop)

    def _likeliest(
        self, heard: FloatArray, song: SpelledSong, units: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Of each frame's unit, the alternative that fits best; of rest, the silence state."""
        senones = np.full(len(units), -1, np.int64)
        for unit in np.unique(units[units >= -1]):
            (frames,) = np.nonzero(units == unit)
            options = self._silence if unit == -1 else np.asarray(song.units[unit])
            if len(options) == 1:
                senones[frames] = options[0]
                continue
            logs = _log_likelihoods(self.model, self._gaussians, heard[frames], options)
            senones[frames] = options[logs.argmax(axis=1)]
        return senones

    @cached_property
    def _gaussians(self) -> _Gaussians:
        return _Gaussians.of(self.model)

    @cached_property
    def _silence(self) -> npt.NDArray[np.int64]:
        silence = self.model.silence
        return np.unique(self.model.states(silence, silence, silence, SINGLE))

    @cached_property
    def _alone(self) -> npt.NDArray[np.int64]:
        """Context-independent states of all speech phones: the yardstick of a frame."""
        speech = np.nonzero(~self.model.filler)[0]
        return np.unique(self.model._senones[speech])


class _Speller:
    """Gives pronunciations their triphone context and numbers the units that come up."""

    def __init__(self, model: AcousticModel) -> None:
        self._model = model
        self._number = model.number
        self._units: dict[tuple[int, ...], int] = {}
        self._short: list[bool] = []

    def song(self, lines: Sequence[Sequence[tuple[Pronunciation, ...]]]) -> SpelledSong:
        spelled = tuple(self._line(line) for line in lines)
        return SpelledSong(
            lines=spelled,
            n_units=len(self._units),
            short=np.array(self._short, dtype=np.bool_),
            units=tuple(self._units),
        )

    def _line(self, words: Sequence[tuple[Pronunciation, ...]]) -> tuple[tuple[Spelling, ...], ...]:
        silence = self._model.phones[self._model.silence]
        heads = [ways[0].slots[0][0] if ways else silence for ways in words]
        tails = [ways[0].slots[-1][0] if ways else silence for ways in words]
        before, after = [silence, *tails[:-1]], [*heads[1:], silence]
        return tuple(
            tuple(self._word(way, left, right) for way in ways)
            for ways, left, right in zip(words, before, after, strict=True)
        )

    def _word(self, way: Pronunciation, left: str, right: str) -> Spelling:
        slots = way.slots
        units: list[int] = []
        for i, slot in enumerate(slots):
            before = self._number[slots[i - 1][0] if i else left]
            after = self._number[slots[i + 1][0] if i + 1 < len(slots) else right]
            place = (
                SINGLE
                if len(slots) == 1
                else BEGIN
                if i == 0
                else END
                if i == len(slots) - 1
                else INSIDE
            )
            options = [self._model.states(self._number[p], before, after, place) for p in slot]
            short = slot[0] not in VOWELS
            units += [self._unit(tuple(sorted(set(state))), short) for state in zip(*options)]
        return Spelling(tuple(units))

    def _unit(self, senones: tuple[int, ...], short: bool) -> int:
        if senones not in self._units:
            self._units[senones] = len(self._units)
            self._short.append(short)
        return self._units[senones]


@dataclass(frozen=True)
class _Gaussians:
    """Diagonal Gaussians as two matrix products and a constant, each (phones, 3, 128[, 13])."""

    linear: FloatArray
    square: FloatArray
    constant: FloatArray

    @classmethod
    def of(cls, model: AcousticModel) -> _Gaussians:
        precision = 1.0 / model.variances
        constant = -0.5 * (
            np.log(2.0 * np.pi * model.variances).sum(axis=-1)
            + (model.means**2 * precision).sum(axis=-1)
        )
        return cls(model.means * precision, -0.5 * precision, constant)


def _log_likelihoods(
    model: AcousticModel,
    gaussians: _Gaussians,
    heard: FloatArray,
    senones: npt.NDArray[np.int64],
) -> FloatArray:
    """Log-likelihoods up to a constant of each frame, shape (T, len(senones))."""
    codebooks = model.codebook[senones]
    wanted = [(int(c), np.nonzero(codebooks == c)[0]) for c in np.unique(codebooks)]
    total = np.zeros((len(heard), len(senones)), np.float32)
    n_codebooks, n_streams, n_densities, dimensions = model.means.shape
    flat = (n_codebooks * n_densities, dimensions)
    for stream in range(n_streams):
        part = heard[:, stream * dimensions : (stream + 1) * dimensions]
        densities = part @ gaussians.linear[:, stream].reshape(flat).T
        densities += (part * part) @ gaussians.square[:, stream].reshape(flat).T
        densities += gaussians.constant[:, stream].reshape(-1)
        densities -= densities.max(axis=1, keepdims=True)
        np.maximum(densities, -_DENSITY_FLOOR, out=densities)
        np.exp(densities, out=densities)
        for codebook, columns in wanted:
            own = densities[:, codebook * n_densities : (codebook + 1) * n_densities]
            mixed = own @ model.weights[stream][:, senones[columns]]
            total[:, columns] += np.log(np.maximum(mixed, 1e-37))
    return total


def _sung(audio: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Frames loud enough to be singing, shape (T,)."""
    from lyricsyncd.align.activity import relative_energy

    frames = cepstra.n_frames(len(audio))
    return relative_energy(audio, frames, cepstra.HOP) > -_SUNG_DB
