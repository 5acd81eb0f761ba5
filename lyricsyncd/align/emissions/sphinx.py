"""The acoustic model of the base install: PocketSphinx' en-us phone states, scored in numpy.

Thirty megabytes that ship inside a wheel, trained for English dictation; with pronunciations from
espeak-ng mapped onto its phones it scores other languages well enough to place known words.

It has three front ends: one as it was trained, and two with VTLN factors for a longer and a shorter
vocal tract than those of the speakers it was trained on (Lee & Rose 1996). None is better than the
others, but their errors differ: the mean of all scores is right more often than any one.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.emissions import (
    SAMPLE_RATE,
    SCORE_FLOOR,
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
from lyricsyncd.align.lexicon.first_sounds import FirstSoundLags
from lyricsyncd.align.lexicon.phones import VOWELS
from lyricsyncd.processes.cores import available_cores
from lyricsyncd.registry import ModelContext

FloatArray = npt.NDArray[np.float32]

CALIBRATION = Path(__file__).with_name("sphinx.calibration.json")
"""The weights of its confidences (`lyricsyncd.judging.calibration`). The offsets of a song's score
are a little below the fitted ones (0.11, and 0.14 beside the phonemes), so that rather too little
is written than something wrong."""
_DENSITY_FLOOR = 9.83
"""Floor of a density in nats below the frame's best, as the decoder has it: it keeps one bad stream
from deciding a frame."""
_SUNG_DB = 30.0
"""Decibels below the 95th percentile of energy down to which a frame counts as sung for the
cepstral mean."""
VTLN_FACTORS = (1.0, 0.9, 1.1)
"""One per front end: what the frequencies of the filters are multiplied by."""
FIRST_SOUND_LAGS = FirstSoundLags(vowel=-0.046, fricative=0.026, sonorant=-0.006, stop=0.011)
_FRAMES_AT_ONCE = 1024
_FRAMES_IN_CACHE = 64


@dataclass(frozen=True)
class PhoneStateModel:
    """Triphone states of the en-us model as sound units; a unit may be several alternatives.

    Attributes
    ----------
    vtln_factor : float
        Of the front end; see `VTLN_FACTORS`.
    lag, vowel_lag, calibration
        See `lyricsyncd.align.emissions.Traits`.
    """

    model: HmmParameters
    vtln_factor: float = 1.0
    name: str = "sphinx"
    hop: float = cepstra.HOP / SAMPLE_RATE
    lag: float = 0.05
    vowel_lag: float = -0.04
    calibration: Path | None = CALIBRATION

    @classmethod
    def load(cls) -> PhoneStateModel:
        """Load the installed model.

        Raises
        ------
        ModelError
            The model is not there or cannot be read.
        """
        return cls(sphinx_model.load())

    def compile(self, lines: Lines, language: str | None) -> CompiledLyrics:
        """Turn words into espeak-ng pronunciations, then into sequences of senones."""
        return _Compiler(self.model).compiled(pronounce(lines, language))

    def features(self, audio: npt.NDArray[np.float32]) -> FloatArray:
        """Compute cepstral features, shape (T, 39)."""
        return cepstra.features(audio, _sung(audio), self.vtln_factor)

    def front_ends(self) -> tuple[PhoneStateModel, ...]:
        """Return the model once per VTLN factor."""
        return tuple(replace(self, vtln_factor=vtln_factor) for vtln_factor in VTLN_FACTORS)

    def score(self, features: FloatArray, lyrics: CompiledLyrics) -> Emissions:
        """Score senones relative to the frame's best phone state, alternatives as their best."""
        wanted = np.unique(
            np.concatenate([self._context_free, self._silence, *map(np.asarray, lyrics.units)])
        )
        column = {int(senone): i for i, senone in enumerate(wanted)}
        silent = [column[int(s)] for s in self._silence]
        context_free = [column[int(s)] for s in self._context_free]
        units = [[column[s] for s in unit] for unit in lyrics.units]
        first = np.array([unit[0] for unit in units], dtype=np.int64)
        several = [(i, unit) for i, unit in enumerate(units) if len(unit) > 1]
        scorer = _Scorer(self.model, wanted)
        scores = np.empty((len(features), len(units)), np.float16)
        silence = np.empty(len(features), np.float32)
        for start in range(0, len(features), _FRAMES_AT_ONCE):
            block = slice(start, start + _FRAMES_AT_ONCE)
            logs = scorer(features[block])
            best = logs[:, context_free].max(axis=1)
            chosen = logs[:, first]
            for i, unit in several:
                chosen[:, i] = logs[:, unit].max(axis=1)
            scores[block] = np.clip(chosen - best[:, None], SCORE_FLOOR, None)
            silence[block] = np.minimum(logs[:, silent].max(axis=1) - best, 0.0)
        return Emissions(scores, silence, self.hop)

    def adapted(
        self, features: FloatArray, lyrics: CompiledLyrics, units: npt.NDArray[np.int64]
    ) -> PhoneStateModel:
        """Move the model's means towards the singer (`lyricsyncd.align.emissions.adaptation`)."""
        from lyricsyncd.align.emissions import adaptation

        senones = self._likeliest(features, lyrics, units)
        means = adaptation.adapted_means(self.model, features, senones)
        return replace(self, model=self.model.with_means(means))

    def _likeliest(
        self, features: FloatArray, lyrics: CompiledLyrics, units: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Return the best alternative of each frame's unit; the silence state in silence, -1 for
        frames that are left out."""
        senones = np.full(len(units), -1, np.int64)
        several: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
        for unit in np.unique(units[units >= -1]):
            (frames,) = np.nonzero(units == unit)
            options = self._silence if unit == -1 else np.asarray(lyrics.units[unit])
            senones[frames] = options[0]
            if len(options) > 1:
                several.append((frames, options))
        if several:
            wanted = np.unique(np.concatenate([options for _, options in several]))
            scored = np.sort(np.concatenate([frames for frames, _ in several]))
            logs = _Scorer(self.model, wanted)(features[scored])
            for frames, options in several:
                rows, columns = np.searchsorted(scored, frames), np.searchsorted(wanted, options)
                senones[frames] = options[logs[np.ix_(rows, columns)].argmax(axis=1)]
        return senones

    @cached_property
    def _silence(self) -> npt.NDArray[np.int64]:
        silence = self.model.silence
        return np.unique(self.model.states(silence, silence, silence, SINGLE))

    @cached_property
    def _context_free(self) -> npt.NDArray[np.int64]:
        """Context-independent states of all speech phones: the reference of a frame's scores."""
        speech = np.nonzero(~self.model.filler)[0]
        return np.unique(self.model._senones[speech])


class _Compiler:
    """Give pronunciations their triphone context and number the units that occur."""

    def __init__(self, model: HmmParameters) -> None:
        self._model = model
        self._number = model.number
        self._units: dict[tuple[int, ...], int] = {}
        self._short: list[bool] = []

    def compiled(self, lines: Sequence[Sequence[tuple[Pronunciation, ...]]]) -> CompiledLyrics:
        return CompiledLyrics(
            lines=tuple(self._line(line) for line in lines),
            n_units=len(self._units),
            short=np.array(self._short, dtype=np.bool_),
            units=tuple(self._units),
            onset_lag=FIRST_SOUND_LAGS.of_all(lines),
        )

    def _line(
        self, words: Sequence[tuple[Pronunciation, ...]]
    ) -> tuple[tuple[PronunciationVariant, ...], ...]:
        if not words:
            return ()
        silence = self._model.phones[self._model.silence]
        heads = [variants[0].slots[0][0] if variants else silence for variants in words]
        tails = [variants[0].slots[-1][0] if variants else silence for variants in words]
        before, after = [silence, *tails[:-1]], [*heads[1:], silence]
        return tuple(
            tuple(self._variant(variant, left, right) for variant in variants)
            for variants, left, right in zip(words, before, after, strict=True)
        )

    def _variant(self, variant: Pronunciation, left: str, right: str) -> PronunciationVariant:
        slots = variant.slots
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
        states = len(units) // len(slots)
        vowels = (at * states for at, slot in enumerate(slots) if slot[0] in VOWELS)
        return PronunciationVariant(tuple(units), vowels=tuple(vowels))

    def _unit(self, senones: tuple[int, ...], short: bool) -> int:
        if senones not in self._units:
            self._units[senones] = len(self._units)
            self._short.append(short)
        return self._units[senones]


class _Scorer:
    """Score frames against some senones of a model; what can be computed once is."""

    def __init__(self, model: HmmParameters, senones: npt.NDArray[np.int64]) -> None:
        precision = 1.0 / model.variances
        constant = -0.5 * (np.log(2.0 * np.pi * model.variances) + model.means**2 * precision).sum(
            axis=-1, keepdims=True
        )
        # A diagonal Gaussian is linear in (x, x², 1): one matrix product per stream scores all.
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

    def __call__(self, features: FloatArray) -> FloatArray:
        """Return log-likelihoods of each frame up to a constant, shape (T, senones)."""
        total = np.empty((len(features), self._n_senones), np.float32)

        def fill(start: int) -> None:
            block = slice(start, start + _FRAMES_IN_CACHE)
            total[block, self._order] = self._block(features[block])

        with ThreadPoolExecutor(available_cores()) as pool:
            list(pool.map(fill, range(0, len(features), _FRAMES_IN_CACHE)))
        return total

    def _block(self, features: FloatArray) -> FloatArray:
        """Score a few frames, senones in the order of their codebooks."""
        # Weights add up to 1 and densities are floored: three streams stay far above underflow.
        product = np.ones((len(features), self._n_senones), np.float32)
        ones = np.ones((len(features), 1), np.float32)
        for stream, density in enumerate(self._density):
            part = features[:, stream * self._dimensions : (stream + 1) * self._dimensions]
            fit = np.concatenate([part, part * part, ones], axis=1) @ density
            fit -= fit.max(axis=1, keepdims=True)
            np.maximum(fit, -_DENSITY_FLOOR, out=fit)
            np.exp(fit, out=fit)
            for own, columns, weights in self._mixtures:
                product[:, columns] *= fit[:, own] @ weights[stream]
        return np.log(product)


def _sung(audio: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Return the frames that are loud enough to be singing, shape (T,)."""
    from lyricsyncd.align.activity import relative_energy

    frames = cepstra.n_frames(len(audio))
    return relative_energy(audio, frames, cepstra.HOP) > -_SUNG_DB


def open_phone_states(_context: ModelContext) -> PhoneStateModel:
    """Open the model for `lyricsyncd.registry`; raises as `PhoneStateModel.load`."""
    return PhoneStateModel.load()
