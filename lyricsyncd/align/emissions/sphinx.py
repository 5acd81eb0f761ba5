"""The lite ear: PocketSphinx' en-us phone states, scored in numpy.

Thirty megabytes that ship inside a wheel, made for English dictation; with pronunciations from
espeak-ng mapped onto its phones it hears other languages well enough to place known words.

It listens through two front ends, warped as for a longer and a shorter vocal tract than those of
the speakers it was made from (Lee & Rose 1996). Neither is better than the other or than none, but
they mishear different words: the mean of what both say is right more often than any one.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.emissions import (
    SAMPLE_RATE,
    CompiledLyrics,
    Emissions,
    Lines,
    PronunciationVariant,
    cepstra,
    sphinx_model,
)
from lyricsyncd.align.emissions.sphinx_model import (
    BEGIN,
    END,
    INSIDE,
    SINGLE,
    HmmParameters,
)
from lyricsyncd.align.lexicon import Pronunciation, pronounce
from lyricsyncd.align.lexicon.phones import VOWELS
from lyricsyncd.registry import ModelContext

FloatArray = npt.NDArray[np.float32]

_DENSITY_FLOOR = 9.83
"""Nats below the frame's best density at which all others are held, as the decoder does: it keeps
one bad stream from deciding a frame."""
_SCORE_FLOOR = -25.0
_SUNG_DB = 30.0
"""Frames within this of the 95th percentile of energy count as sung for the cepstral mean."""
VTLN_FACTORS = (0.9, 1.1)
"""Vocal tracts to listen for: what the frequencies of the filters are multiplied by."""
_FRAMES_AT_ONCE = 1024
_FRAMES_IN_CACHE = 64


@dataclass(frozen=True)
class PhoneStateModel:
    """Triphone states of the en-us model as sound units; a unit may be several alternatives."""

    model: HmmParameters
    vtln_factor: float = 1.0
    name: str = "sphinx"
    hop: float = cepstra.HOP / SAMPLE_RATE
    lag: float = 0.05

    @classmethod
    def load(cls) -> PhoneStateModel:
        """The ear with the installed model.

        Raises
        ------
        ModelError
            The model is not there or cannot be read.
        """
        return cls(sphinx_model.load())

    def compile(self, lines: Lines, language: str | None) -> CompiledLyrics:
        """Words → espeak-ng pronunciations → sequences of senones."""
        return _Compiler(self.model).song(pronounce(lines, language))

    def features(self, audio: npt.NDArray[np.float32]) -> FloatArray:
        """Cepstral features, shape (T, 39)."""
        return cepstra.features(audio, _sung(audio), self.vtln_factor)

    def front_ends(self) -> tuple[PhoneStateModel, ...]:
        """One ear a vocal tract."""
        return tuple(replace(self, vtln_factor=vtln_factor) for vtln_factor in VTLN_FACTORS)

    def score(self, heard: FloatArray, song: CompiledLyrics) -> Emissions:
        """Senone scores relative to the frame's best phone state, alternatives scored as their
        best."""
        wanted = np.unique(
            np.concatenate([self._alone, self._silence, *map(np.asarray, song.units)])
        )
        column = {int(senone): i for i, senone in enumerate(wanted)}
        silence = [column[int(s)] for s in self._silence]
        without_prior = [column[int(s)] for s in self._alone]
        units = [[column[s] for s in unit] for unit in song.units]
        first = np.array([unit[0] for unit in units], dtype=np.int64)
        several = [(i, unit) for i, unit in enumerate(units) if len(unit) > 1]
        scorer = _Scorer(self.model, wanted)
        scores = np.empty((len(heard), len(units)), np.float16)
        rest = np.empty(len(heard), np.float32)
        for start in range(0, len(heard), _FRAMES_AT_ONCE):
            block = slice(start, start + _FRAMES_AT_ONCE)
            logs = scorer(heard[block])
            best = logs[:, without_prior].max(axis=1)
            chosen = logs[:, first]
            for i, unit in several:
                chosen[:, i] = logs[:, unit].max(axis=1)
            scores[block] = np.clip(chosen - best[:, None], _SCORE_FLOOR, None)
            rest[block] = np.minimum(logs[:, silence].max(axis=1) - best, 0.0)
        return Emissions(scores, rest, self.hop)

    def adapted(
        self, heard: FloatArray, song: CompiledLyrics, units: npt.NDArray[np.int64]
    ) -> PhoneStateModel:
        """The model's means moved towards the singer (see `lyricsyncd.align.adaptation`)."""
        from lyricsyncd.align.emissions import adaptation

        senones = self._likeliest(heard, song, units)
        means = adaptation.adapted_means(self.model, heard, senones)
        return replace(self, model=self.model.with_means(means))

    def _likeliest(
        self, heard: FloatArray, song: CompiledLyrics, units: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Of each frame's unit, the alternative that fits best; of rest, the silence state; -1
        where nothing should be learnt."""
        senones = np.full(len(units), -1, np.int64)
        several: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
        for unit in np.unique(units[units >= -1]):
            (frames,) = np.nonzero(units == unit)
            options = self._silence if unit == -1 else np.asarray(song.units[unit])
            senones[frames] = options[0]
            if len(options) > 1:
                several.append((frames, options))
        if several:
            wanted = np.unique(np.concatenate([options for _, options in several]))
            asked = np.sort(np.concatenate([frames for frames, _ in several]))
            logs = _Scorer(self.model, wanted)(heard[asked])
            for frames, options in several:
                rows, columns = np.searchsorted(asked, frames), np.searchsorted(wanted, options)
                senones[frames] = options[logs[np.ix_(rows, columns)].argmax(axis=1)]
        return senones

    @cached_property
    def _silence(self) -> npt.NDArray[np.int64]:
        silence = self.model.silence
        return np.unique(self.model.states(silence, silence, silence, SINGLE))

    @cached_property
    def _alone(self) -> npt.NDArray[np.int64]:
        """Context-independent states of all speech phones: the yardstick of a frame."""
        speech = np.nonzero(~self.model.filler)[0]
        return np.unique(self.model._senones[speech])


class _Compiler:
    """Gives pronunciations their triphone context and numbers the units that come up."""

    def __init__(self, model: HmmParameters) -> None:
        self._model = model
        self._number = model.number
        self._units: dict[tuple[int, ...], int] = {}
        self._short: list[bool] = []

    def song(self, lines: Sequence[Sequence[tuple[Pronunciation, ...]]]) -> CompiledLyrics:
        compiled = tuple(self._line(line) for line in lines)
        return CompiledLyrics(
            lines=compiled,
            n_units=len(self._units),
            short=np.array(self._short, dtype=np.bool_),
            units=tuple(self._units),
        )

    def _line(
        self, words: Sequence[tuple[Pronunciation, ...]]
    ) -> tuple[tuple[PronunciationVariant, ...], ...]:
        silence = self._model.phones[self._model.silence]
        heads = [ways[0].slots[0][0] if ways else silence for ways in words]
        tails = [ways[0].slots[-1][0] if ways else silence for ways in words]
        before, after = [silence, *tails[:-1]], [*heads[1:], silence]
        return tuple(
            tuple(self._word(way, left, right) for way in ways)
            for ways, left, right in zip(words, before, after, strict=True)
        )

    def _word(self, way: Pronunciation, left: str, right: str) -> PronunciationVariant:
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
            units += [
                self._unit(tuple(sorted(set(state))), short) for state in zip(*options, strict=True)
            ]
        return PronunciationVariant(tuple(units))

    def _unit(self, senones: tuple[int, ...], short: bool) -> int:
        if senones not in self._units:
            self._units[senones] = len(self._units)
            self._short.append(short)
        return self._units[senones]


class _Scorer:
    """Scores frames against some senones of a model, everything that can be done once done."""

    def __init__(self, model: HmmParameters, senones: npt.NDArray[np.int64]) -> None:
        precision = 1.0 / model.variances
        constant = -0.5 * (np.log(2.0 * np.pi * model.variances) + model.means**2 * precision).sum(
            axis=-1, keepdims=True
        )
        # A diagonal Gaussian is linear in (x, x², 1): one matrix product a stream scores all.
        terms = np.concatenate([model.means * precision, -0.5 * precision, constant], axis=-1)
        n_codebooks, n_streams, n_densities, n_terms = terms.shape
        self._dimensions = model.means.shape[-1]
        self._density = [
            np.ascontiguousarray(terms[:, s].reshape(n_codebooks * n_densities, n_terms).T)
            for s in range(n_streams)
        ]
        # Those that share a codebook side by side: each mixture fills a slice of the result.
        codebooks = model.codebook[senones]
        self._order = np.argsort(codebooks, kind="stable")
        first = np.searchsorted(codebooks[self._order], np.arange(n_codebooks + 1))
        self._mixtures = [
            (
                slice(codebook * n_densities, (codebook + 1) * n_densities),
                slice(begin, end),
                [
                    np.ascontiguousarray(w[:, senones[self._order[begin:end]]])
                    for w in model.weights
                ],
            )
            for codebook, (begin, end) in enumerate(itertools.pairwise(first))
            if begin < end
        ]
        self._n_senones = len(senones)

    def __call__(self, heard: FloatArray) -> FloatArray:
        """Log-likelihoods of each frame up to a constant, shape (T, senones)."""
        total = np.empty((len(heard), self._n_senones), np.float32)

        def fill(start: int) -> None:
            block = slice(start, start + _FRAMES_IN_CACHE)
            total[block, self._order] = self._few(heard[block])

        with ThreadPoolExecutor(_cores()) as pool:
            list(pool.map(fill, range(0, len(heard), _FRAMES_IN_CACHE)))
        return total

    def _few(self, heard: FloatArray) -> FloatArray:
        """The same for a few frames, senones in the order of their codebooks."""
        # Weights add up to 1 and densities are floored: three streams stay far above underflow.
        product = np.ones((len(heard), self._n_senones), np.float32)
        ones = np.ones((len(heard), 1), np.float32)
        for stream, density in enumerate(self._density):
            part = heard[:, stream * self._dimensions : (stream + 1) * self._dimensions]
            fit = np.concatenate([part, part * part, ones], axis=1) @ density
            fit -= fit.max(axis=1, keepdims=True)
            np.maximum(fit, -_DENSITY_FLOOR, out=fit)
            np.exp(fit, out=fit)
            for own, columns, weights in self._mixtures:
                product[:, columns] *= fit[:, own] @ weights[stream]
        return np.log(product)


def _cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _sung(audio: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Frames loud enough to be singing, shape (T,)."""
    from lyricsyncd.align.activity import relative_energy

    frames = cepstra.n_frames(len(audio))
    return relative_energy(audio, frames, cepstra.HOP) > -_SUNG_DB


def open_phone_states(_context: ModelContext) -> PhoneStateModel:
    """Open them for `lyricsyncd.registry`; raises as `PhoneStateModel.load`."""
    return PhoneStateModel.load()
