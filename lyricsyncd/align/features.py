"""From a path through a song to its words: their times, and the features they are judged by.

The path gives frames; the posteriors around it give the times that are reported and how certain
they are. What is measured of each word besides (how well its sounds fit, how active the vocals are,
how much of the singing around it words account for) is what `lyricsyncd.judging` turns into
confidences.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.graph import Graph
from lyricsyncd.align.linetimes import LineTimes
from lyricsyncd.align.onset_priors import OnsetPosteriors
from lyricsyncd.align.options import SearchOptions
from lyricsyncd.align.posterior import Posterior, posterior
from lyricsyncd.align.trellis import Band, Trellis

DoubleArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

COVERAGE_S = 20.0
"""Seconds either way over which the share of singing that words account for is taken: words that
are not those of the song leave much of it unexplained."""
TOLERANCE_S = 0.3
"""Seconds off within which a word counts as in place, for `Alignment.near`."""
_LEAST_S, _SHORT_S = 0.01, 0.2
"""Seconds that a word lasts at least, and one of which nothing but its start is known."""
WORST_FIT = -25.0
"""The fit of a word that was not placed: the floor of the scores."""


@dataclass(frozen=True)
class Alignment:
    """Times and features of N words, in the order of the lyrics.

    Attributes
    ----------
    onset, offset : ndarray of float64, shape (N,)
        Seconds.
    fit : ndarray of float64, shape (N,)
        Mean acoustic score of the word's frames: nats below the best that any unit scores there.
    near : ndarray of float64, shape (N,)
        Posterior probability that the word starts within `TOLERANCE_S` of here.
    spread : ndarray of float64, shape (N,)
        Standard deviation of the onset under the posteriors, in seconds.
    activity : ndarray of float64, shape (N,)
        Mean vocal activity of the word's frames, 0-1.
    coverage : ndarray of float64, shape (N,)
        Share of the vocal activity around the onset that falls on words, 0-1.
    placed : ndarray of bool, shape (N,)
        Words that could be pronounced and found; the others lie between those beside them.
    vowels : tuple of ndarray of float64
        Of each word, the seconds at which its vowels begin; none where they are not known.
    acoustic_model : str
        Name of the acoustic model, with those of a second aligner and a recogniser after a ``+``.
    likelihood_ratio : float
        Nats per frame by which the words beat the same words in another order; see
        `lyricsyncd.align.background`.
    line_times : LineTimes or None
        How the source's line times fit this recording; ``None`` where there were none.
    onset_posteriors : OnsetPosteriors or None
        How likely each word starts at each moment, as a prior for another model's search.
    second_near : ndarray of float64, shape (N,), or None
        The probability by a second aligner that the word starts within `TOLERANCE_S` of here; NaN
        where it cannot say. ``None`` without a second aligner.
    second : str
        Name of the second aligner.
    wordless : ndarray of bool, shape (N,), or None
        Words of lines that are nothing but vocalises ("oh oh", "la la la"); ``None`` for none.
    without_prior : Alignment or None
        What the model finds without the prior of a second aligner, where there was one.
    """

    onset: DoubleArray
    offset: DoubleArray
    fit: DoubleArray
    near: DoubleArray
    spread: DoubleArray
    activity: DoubleArray
    coverage: DoubleArray
    placed: npt.NDArray[np.bool_]
    acoustic_model: str
    vowels: tuple[DoubleArray, ...] = ()
    likelihood_ratio: float = 0.0
    line_times: LineTimes | None = None
    onset_posteriors: OnsetPosteriors | None = None
    second_near: DoubleArray | None = None
    second: str = ""
    wordless: npt.NDArray[np.bool_] | None = None
    without_prior: Alignment | None = None

    def of(self, words: npt.NDArray[np.bool_]) -> Alignment:
        """Return the times and features of some of the words, a mask of shape (N,)."""
        near, other = self.second_near, self.without_prior
        return replace(
            self,
            onset=self.onset[words],
            offset=self.offset[words],
            fit=self.fit[words],
            near=self.near[words],
            spread=self.spread[words],
            activity=self.activity[words],
            coverage=self.coverage[words],
            placed=self.placed[words],
            vowels=tuple(itertools.compress(self.vowels, words)),
            onset_posteriors=None,
            second_near=None if near is None else near[words],
            wordless=None if self.wordless is None else self.wordless[words],
            without_prior=None if other is None else other.of(words),
        )


@dataclass(frozen=True)
class PathPosterior:
    """The posteriors around a path, and the frames that they put the words at.

    Attributes
    ----------
    onset, offset : ndarray of float64, shape (W,)
        Frames with their fraction.
    band : Band
        The states that were summed over.
    """

    onset: DoubleArray
    offset: DoubleArray
    band: Band
    posterior: Posterior


def word_frames(graph: Graph, states: IntArray) -> tuple[IntArray, IntArray]:
    """Return the first frame of each word of a path, and the frame after its last."""
    (frames,) = np.nonzero(~graph.in_silence[states])
    words = graph.word[states[frames]]
    onsets = np.full(graph.n_words, len(states), np.int64)
    offsets = np.zeros(graph.n_words, np.int64)
    np.minimum.at(onsets, words, frames)
    np.maximum.at(offsets, words, frames + 1)
    return onsets, offsets


def path_posterior(
    trellis: Trellis, states: IntArray, options: SearchOptions, other: IntArray | None = None
) -> PathPosterior:
    """Compute the posteriors in a band around a path, and the times of the words under them.

    Parameters
    ----------
    states : ndarray of int64, shape (T,)
        The path.
    other : ndarray of int64, shape (T,), optional
        Another path that the band is to hold, too.
    """
    graph, hop = trellis.graph, trellis.emissions.hop
    onsets, offsets = word_frames(graph, states)
    reach = round(options.band / hop)
    band = Band.around(graph, onsets, offsets, trellis.n_frames, reach)
    if other is not None:
        band = band | Band.around(graph, *word_frames(graph, other), trellis.n_frames, reach)
    band = trellis.band(band)
    found = posterior(
        trellis, band, onsets, offsets, scale=options.scale, near=round(TOLERANCE_S / hop)
    )
    onset, offset = onsets.astype(np.float64), offsets.astype(np.float64)
    if options.expected:
        onset = np.where(np.isfinite(found.onset.median), found.onset.median, onset)
        offset = np.where(np.isfinite(found.offset.median), found.offset.median, offset)
    onset = np.maximum.accumulate(onset)
    offset = np.maximum(offset, onset + 1.0)
    offset[:-1] = np.minimum(offset[:-1], np.maximum(onset[1:], onset[:-1] + 1.0))
    return PathPosterior(onset, offset, band, found)


def rejudged(found: PathPosterior, own: PathPosterior, hop: float) -> Posterior:
    """Return the posteriors of ``own`` with the probabilities of the times of ``found``."""
    near = own.posterior.starts.near(
        np.rint(found.onset).astype(np.int64), round(TOLERANCE_S / hop)
    )
    return replace(own.posterior, onset=replace(own.posterior.onset, near=near))


def alignment(
    n_words: int,
    trellis: Trellis,
    states: IntArray,
    found: PathPosterior,
    certainty: Posterior,
    acoustic_model: str,
    lag: float,
    onset_lag: DoubleArray,
    vowel_lag: float = 0.0,
) -> Alignment:
    """Describe the words of a path.

    Parameters
    ----------
    n_words : int
        Number of all words of the lyrics, N; those that the graph lacks are filled in.
    states : ndarray of int64, shape (T,)
    found : PathPosterior
        Where the posteriors of ``trellis`` have the words.
    certainty : Posterior
        The posteriors that `Alignment.near` and `Alignment.spread` are taken from.
    lag : float
        Seconds to add to offsets.
    onset_lag : ndarray of float64, shape (W,)
        Seconds to add to the onset of each word.
    vowel_lag : float
        Seconds to add to the first frame of each vowel.
    """
    graph, hop = trellis.graph, trellis.emissions.hop
    fit, activity = _word_means(trellis, states)
    onsets, _ = word_frames(graph, states)
    index = graph.index
    onset = np.maximum.accumulate(found.onset * hop + onset_lag)
    offset = np.maximum(found.offset * hop + lag, onset + hop)
    offset[:-1] = np.minimum(offset[:-1], np.maximum(onset[1:], onset[:-1] + hop))
    starts, ends = _interpolated(index, onset, offset, n_words)
    placed = np.zeros(n_words, np.bool_)
    placed[index] = True

    def for_all(values: DoubleArray, otherwise: float) -> DoubleArray:
        result = np.full(n_words, otherwise)
        result[index] = np.where(np.isfinite(values), values, otherwise)
        return result

    return Alignment(
        onset=starts,
        offset=ends,
        fit=for_all(fit, WORST_FIT),
        near=for_all(certainty.onset.near, 0.0),
        spread=for_all(certainty.onset.spread * hop, 10.0),
        activity=for_all(activity, 0.0),
        coverage=for_all(_coverage(trellis, states, onsets), 0.0),
        placed=placed,
        acoustic_model=acoustic_model,
        vowels=_vowels(graph, states, n_words, hop, vowel_lag),
        onset_posteriors=OnsetPosteriors(
            acoustic_model, found.posterior.starts, index, hop, onset_lag
        ),
    )


def _vowels(
    graph: Graph, states: IntArray, n_words: int, hop: float, lag: float
) -> tuple[DoubleArray, ...]:
    """Return the times at which a path enters the vowels of each word."""
    entered = np.append(True, states[1:] != states[:-1]) & graph.vowel[states]
    (frames,) = np.nonzero(entered)
    words = graph.index[graph.word[states[frames]]]
    first = np.searchsorted(words, np.arange(n_words + 1))
    times: DoubleArray = frames.astype(np.float64) * hop + lag
    return tuple(times[a:b] for a, b in itertools.pairwise(first))


def rough_alignment(
    n_words: int,
    trellis: Trellis,
    states: IntArray,
    acoustic_model: str,
    lag: float,
    onset_lag: DoubleArray,
) -> Alignment:
    """Return the times of a path without its posteriors; see `alignment`."""
    graph, hop = trellis.graph, trellis.emissions.hop
    onsets, offsets = word_frames(graph, states)
    onset = np.maximum.accumulate(onsets * hop + onset_lag)
    starts, ends = _interpolated(
        graph.index, onset, offsets.astype(np.float64) * hop + lag, n_words
    )
    placed = np.zeros(n_words, np.bool_)
    placed[graph.index] = True
    unknown = spread_evenly(n_words, 0.0, acoustic_model)
    return replace(unknown, onset=starts, offset=ends, placed=placed)


def spread_evenly(n_words: int, duration: float, acoustic_model: str) -> Alignment:
    """Spread words over a song that no path goes through; their features say so."""
    edges = np.linspace(0.0, duration, n_words + 1)
    nothing = np.zeros(n_words)
    return Alignment(
        onset=edges[:-1],
        offset=edges[1:],
        fit=nothing + WORST_FIT,
        near=nothing,
        spread=nothing + 10.0,
        activity=nothing,
        coverage=nothing,
        placed=np.zeros(n_words, np.bool_),
        acoustic_model=acoustic_model,
    )


def with_pins(placed: Alignment, pins: Sequence[tuple[int, float]]) -> Alignment:
    """Return a placement with the words that a person set exactly there.

    The search has them within a few frames of there; what is between stays in order.

    Parameters
    ----------
    pins : sequence of (int, float)
        Numbers of words, and the seconds at which they start.
    """
    if not pins:
        return placed
    n = len(placed.onset)
    word = np.array(sorted(dict(pins)), np.int64)
    start = np.maximum.accumulate(np.array([dict(pins)[number] for number in word]))
    low, high = np.zeros(n), np.full(n, np.inf)
    low[word] = high[word] = start
    low, high = np.maximum.accumulate(low), np.minimum.accumulate(high[::-1])[::-1]
    onset, offset = np.clip(placed.onset, low, high), placed.offset.copy()
    # Words that could not be placed share the gap between those that could, or were set.
    fixed = placed.placed.copy()
    fixed[word] = True
    limit = np.minimum.accumulate(np.where(fixed, onset, np.inf)[::-1])[::-1]
    (before,) = np.nonzero(placed.placed[:-1] & ~fixed[1:])
    onset[before + 1] = np.clip(offset[before], onset[before], limit[before + 1])
    fixed[before + 1] = True
    (index,) = np.nonzero(fixed)
    at = np.arange(n)
    onset = np.interp(at, index, onset[index])
    onset -= _SHORT_S * np.maximum(index[0] - at, 0)
    onset += _SHORT_S * np.maximum(at - index[-1], 0)
    onset = np.maximum(onset, 0.0)
    following = np.append(onset[1:], np.inf)
    offset = np.where(placed.placed, offset, np.minimum(onset + _SHORT_S, following))
    offset = np.clip(offset, onset + _LEAST_S, np.maximum(following, onset + _LEAST_S))
    return replace(placed, onset=onset, offset=offset)


def _word_means(trellis: Trellis, states: IntArray) -> tuple[DoubleArray, DoubleArray]:
    """Return the mean score and the mean vocal activity over each word's frames, shape (W,)."""
    graph = trellis.graph
    (frames,) = np.nonzero(~graph.in_silence[states])
    word = graph.word[states[frames]]
    count = np.maximum(np.bincount(word, minlength=graph.n_words), 1)
    scores = trellis.emissions.scores[frames, graph.unit[states[frames]]].astype(np.float64)
    active = trellis.activity[frames].astype(np.float64)
    fit = np.bincount(word, weights=scores, minlength=graph.n_words) / count
    return fit, np.bincount(word, weights=active, minlength=graph.n_words) / count


def _coverage(trellis: Trellis, states: IntArray, onsets: IntArray) -> DoubleArray:
    """Return the share of the vocal activity around each onset that falls on words, (W,)."""
    activity = trellis.activity.astype(np.float64)
    sung = np.append(0.0, np.cumsum(activity))
    explained = np.append(0.0, np.cumsum(activity * ~trellis.graph.in_silence[states]))
    reach = round(COVERAGE_S / trellis.emissions.hop)
    first = np.maximum(onsets - reach, 0)
    last = np.minimum(onsets + reach, len(activity))
    share = (explained[last] - explained[first]) / np.maximum(sung[last] - sung[first], 1e-6)
    return np.asarray(share, np.float64)


def _interpolated(
    index: IntArray, onset: DoubleArray, offset: DoubleArray, n_words: int
) -> tuple[DoubleArray, DoubleArray]:
    """Return times for all words: those that the graph lacks share the gap they lie in."""
    starts, ends = np.full(n_words, np.nan), np.full(n_words, np.nan)
    starts[index], ends[index] = onset, offset
    at = 0
    while at < n_words:
        if not np.isnan(starts[at]):
            at += 1
            continue
        stop = at
        while stop < n_words and np.isnan(starts[stop]):
            stop += 1
        left = ends[at - 1] if at else max(0.0, starts[stop] - 0.2 * (stop - at))
        right = starts[stop] if stop < n_words else left + 0.2 * (stop - at)
        edges = np.linspace(left, max(left, right), stop - at + 1)
        starts[at:stop], ends[at:stop] = edges[:-1], edges[1:]
        at = stop
    return starts, ends
