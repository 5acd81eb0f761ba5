"""Adapt a model's Gaussians to a singer.

Two classical steps on the means, from the frames of a first alignment: maximum-likelihood linear
regression (MLLR) with one transform for vowels and one for consonants (Leggetter & Woodland 1995),
regularised towards the identity where there is little data, then maximum a posteriori (MAP, Gauvain
& Lee 1994) for the Gaussians with many frames.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.emissions.sphinx_model import HmmParameters
from lyricsyncd.align.lexicon.phones import VOWELS

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]

PRIOR_FRAMES = 20.0
"""How many frames a Gaussian's prior mean counts as (MAP's τ)."""
RIDGE = 50.0
"""Strength of the ridge that regularises the linear transform towards the identity."""
LEAST_FRAMES = 300.0
"""Fewer frames than these in a class leave its transform at the identity."""


def adapted_means(
    model: HmmParameters, features: FloatArray, senones: npt.NDArray[np.int64]
) -> FloatArray:
    """Return the model's means, adapted to frames whose senones are known.

    Parameters
    ----------
    features : ndarray of float32, shape (T, 39)
    senones : ndarray of int64, shape (T,)
        The senone of each frame, negative for frames that are left out.

    Returns
    -------
    ndarray of float32, shape (phones, 3, 128, 13)
    """
    occupancy, sums = _statistics(model, features, senones)
    means = model.means.astype(np.float64)
    speech = [i for i, filler in enumerate(model.filler) if not filler]
    vowels = [i for i in speech if model.phones[i] in VOWELS]
    for phones in (vowels, [i for i in speech if i not in vowels]):
        for stream in range(means.shape[1]):
            at = (phones, stream)
            if occupancy[at].sum() >= LEAST_FRAMES:
                means[at] = _regressed(
                    model.means[at], 1.0 / model.variances[at], occupancy[at], sums[at]
                )
    weight = occupancy[..., None]
    return ((PRIOR_FRAMES * means + sums) / (PRIOR_FRAMES + weight)).astype(np.float32)


def _statistics(
    model: HmmParameters, features: FloatArray, senones: npt.NDArray[np.int64]
) -> tuple[DoubleArray, DoubleArray]:
    """Accumulate posterior counts and weighted sums of the frames for each Gaussian."""
    occupancy = np.zeros(model.means.shape[:3])
    sums = np.zeros(model.means.shape)
    n_streams, dimensions = model.means.shape[1], model.means.shape[3]
    codebook = np.where(senones >= 0, model.codebook[np.maximum(senones, 0)], -1)
    for phone in np.unique(codebook[codebook >= 0]):
        (frames,) = np.nonzero(codebook == phone)
        for stream in range(n_streams):
            part = features[frames, stream * dimensions : (stream + 1) * dimensions]
            precision = 1.0 / model.variances[phone, stream]
            mean = model.means[phone, stream]
            logs = part @ (mean * precision).T - 0.5 * (part * part) @ precision.T
            logs -= 0.5 * (np.log(model.variances[phone, stream]) + mean**2 * precision).sum(axis=1)
            logs += np.log(model.weights[stream][:, senones[frames]].T + 1e-20)
            posterior = np.exp(logs - logs.max(axis=1, keepdims=True))
            posterior /= posterior.sum(axis=1, keepdims=True)
            occupancy[phone, stream] += posterior.sum(axis=0)
            sums[phone, stream] += posterior.T @ part
    return occupancy, sums


def _regressed(
    means: FloatArray, precisions: FloatArray, occupancy: DoubleArray, sums: DoubleArray
) -> DoubleArray:
    """Transform the means of a class by one affine transform per feature stream.

    Shapes: means and precisions (phones, densities, d); occupancy (phones, densities). The
    variances are diagonal, so each output dimension is a weighted least-squares problem of its
    own.
    """
    d = means.shape[-1]
    flat = means.reshape(-1, d).astype(np.float64)
    weight = occupancy.reshape(-1, 1) * precisions.reshape(-1, d)
    target = sums.reshape(-1, d) * precisions.reshape(-1, d)
    extended = np.concatenate([np.ones((len(flat), 1)), flat], axis=1)
    size = np.concatenate([[1.0], (flat**2).mean(axis=0) + 1e-3])
    adapted = np.empty_like(flat)
    for i in range(d):
        ridge = RIDGE * precisions.reshape(-1, d)[:, i].mean() * size
        left = (extended * weight[:, i : i + 1]).T @ extended + np.diag(ridge)
        right = extended.T @ target[:, i]
        right[1 + i] += ridge[1 + i]
        adapted[:, i] = extended @ np.linalg.solve(left, right)
    return adapted.reshape(means.shape)
