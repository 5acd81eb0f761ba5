"""The predictors of the regression that turns features of words into confidences."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.features import Alignment

DoubleArray = npt.NDArray[np.float64]

PREDICTORS = (
    "constant",
    "fit",
    "fit nearby",
    "sureness",
    "sureness nearby",
    "spread",
    "spread nearby",
    "activity",
    "length",
    "length squared",
    "coverage",
    "likelihood ratio",
    "vocalises",
)
"""Their names, which are the keys of a calibration's file."""
WITH_SECOND = (
    *PREDICTORS,
    "second",
    "second nearby",
    "second song",
    "second by ratio",
    "second nearby by ratio",
)
"""Those where there is a second aligner, too."""

_NEARBY_WORDS = 4.0
"""Standard deviation, in words, of the window that counts as nearby."""
_FEW_WORDS = 8.0
"""Words at which a likelihood ratio counts by half: a few fit somewhere in most songs."""
_LEAST_RATIO, _MOST_RATIO = 0.1, 3.0
"""Nats per frame of the likelihood ratio. Below the least, the order of the words does not matter;
above the most, how much it does says nothing more."""


def predictors(alignment: Alignment) -> DoubleArray:
    """Compute the predictors of every word, shape (N, len(PREDICTORS))."""
    near = np.clip(alignment.near, 1e-3, 1.0 - 1e-3)
    sureness = np.log(near / (1.0 - near)) / 3.0
    spread = np.log(alignment.spread + 0.02)
    length = np.log(np.clip(alignment.offset - alignment.onset, 0.03, 10.0))
    return np.stack(
        [
            np.ones(len(near)),
            alignment.fit,
            nearby(alignment.fit),
            sureness,
            nearby(sureness),
            spread,
            nearby(spread),
            alignment.activity,
            length,
            length**2,
            alignment.coverage,
            np.full(len(near), _log_likelihood_ratio(alignment)),
            np.zeros(len(near)) if alignment.wordless is None else alignment.wordless,
        ],
        axis=1,
    )


def all_predictors(alignment: Alignment) -> DoubleArray:
    """Compute those with a second aligner, shape (N, len(WITH_SECOND))."""
    return np.concatenate([predictors(alignment), second_predictors(alignment)], axis=1)


def second_predictors(alignment: Alignment) -> DoubleArray:
    """Compute the predictors that a second aligner adds, shape (N, 5).

    How likely it has the word here, the words beside it, and all words of the song: where it is
    lost in the whole song, its doubts say little about a word. What it has of a word beyond the
    song says the more, the more the order of the words matters: two models may agree on words of
    another song, too, where these have the rhythm of this one.
    """
    near = alignment.second_near
    assert near is not None, "there is a second aligner"
    near = np.clip(near, 0.01, 0.99)
    known = ~np.isnan(near)
    song = float(near[known].mean()) if known.any() else 0.5
    near = np.where(known, near, song)
    sureness = np.log(near / (1.0 - near)) / 3.0
    of_song = np.full(len(near), np.log(song / (1.0 - song)) / 3.0)
    beside = nearby(sureness)
    order_matters = _log_likelihood_ratio(alignment) - math.log(_LEAST_RATIO)
    return np.stack(
        [
            sureness,
            beside,
            of_song,
            order_matters * (sureness - of_song),
            order_matters * (beside - of_song),
        ],
        axis=1,
    )


def nearby(values: DoubleArray) -> DoubleArray:
    """Average each word's value with those of the words beside it: errors come in stretches."""
    reach = round(3 * _NEARBY_WORDS)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _NEARBY_WORDS) ** 2)
    total = np.convolve(values, kernel, mode="full")[reach : reach + len(values)]
    weight = np.convolve(np.ones(len(values)), kernel, mode="full")[reach : reach + len(values)]
    result: DoubleArray = total / weight
    return result


def _log_likelihood_ratio(alignment: Alignment) -> float:
    """Return the logarithm of the likelihood ratio, which counts the less the fewer words there
    are."""
    n = len(alignment.onset)
    ratio = alignment.likelihood_ratio * n / (n + _FEW_WORDS)
    return math.log(min(max(ratio, _LEAST_RATIO), _MOST_RATIO))
