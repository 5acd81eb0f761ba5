"""Known words onto audio: spell, listen, search, get used to the singer, search again.

The order of things for one song::

    spell ─┐
           ├─► score ─► best path ─► adapt the ear ─► score ─► mean ─► best path ─► posteriors
    listen ┘                │        to the singer              ▲                   (in a band)
                            └─► check the line times            └ of all views of the ear

and at the end the same words in another order, to see how much their order matters.

The two passes differ in their costs: while the ear does not know the singer, the costs that shape
the words in detail do more harm than good. The second pass is as free as the first: it often
mends a stretch that went wrong. Where a source has line times, the first search does without them
and so can tell whether they are of this recording at all; only then is it done again with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from lyricsyncd.align import background
from lyricsyncd.align.activity import vocal_activity
from lyricsyncd.align.emissions import (
    SAMPLE_RATE,
    AcousticModel,
    AdaptableModel,
    CompiledLyrics,
    Emissions,
    Lines,
)
from lyricsyncd.align.graph import Graph, build
from lyricsyncd.align.linetimes import Fit, LineTimes, compare
from lyricsyncd.align.onset_priors import OnsetPosteriors
from lyricsyncd.align.posterior import posterior
from lyricsyncd.align.trellis import Anchors, Band, Penalties, StartTimes, Trellis
from lyricsyncd.align.viterbi import Path, best_path

DoubleArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


COVERAGE_S = 20.0
"""Seconds either way over which the share of singing that words account for is taken: words that
are not those of the song leave much of it unexplained."""

_FRAMES_AT_ONCE = 8192

TOLERANCE_S = 0.3
"""Seconds off that still count as "here" for `Alignment.near`."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to align; the defaults are what measured best."""

    first_penalties: Penalties = field(
        default_factory=lambda: Penalties(stretched_consonant=0.0, silence_inside=0.0)
    )
    costs: Penalties = field(default_factory=Penalties)
    activity: bool = True
    """Take the stem's energy for a sign of where somebody sings."""
    adapt: bool = True
    """Get used to the singer's voice and search again."""
    adaptation_floor: float = -12.0
    """Frames whose unit scores less than this (nats below the frame's best) teach nothing."""
    band: float = 8.0
    """Seconds around the best path that the posteriors look at."""
    scale: float = 0.1
    """What scores are multiplied by before they become posteriors."""
    doubtful_line: float = 110.0
    """Nats that line times may cost a line where the first search lost too much to compare them:
    more, and they are not of this recording."""
    anchor_spread: float = 0.3
    """Seconds off what another ear heard that cost `anchor_step` nats, up to `anchor_cap`."""
    anchor_step: float = 20.0
    anchor_cap: float = 60.0
    prior_weight: float = 0.5
    """What the log-chances of another ear's votes are multiplied by."""
    prior_cap: float = 60.0
    """Nats that votes may cost a word at most, at the scale of the scores."""
    expected: bool = True
    """Report the median onset under the posteriors, not the best path's."""


SecondOnsets = Callable[["Alignment"], OnsetPosteriors | None]
"""Told where one ear has the words, says where another would have them start."""


@dataclass(frozen=True)
class Alignment:
    """Where the words lie; N words, in the order of the lyrics.

    Attributes
    ----------
    onset, offset : ndarray of float64, shape (N,)
        Seconds.
    fit : ndarray of float64, shape (N,)
        Mean acoustic score of the word's frames: nats below the best any phone could do there.
    near : ndarray of float64, shape (N,)
        Posterior probability that the word starts within 0.3 s of here.
    spread : ndarray of float64, shape (N,)
        Standard deviation of the onset under the posteriors, in seconds.
    activity : ndarray of float64, shape (N,)
        Mean vocal activity over the word, 0-1.
    coverage : ndarray of float64, shape (N,)
        Share of the vocal activity around the word (`COVERAGE_S` either way) that words account
        for.
    placed : ndarray of bool, shape (N,)
        False for words that could not be pronounced and were put between their neighbours.
    acoustic_model : str
    likelihood_ratio : float
        How much better these words fit than the same in another order
        (`lyricsyncd.align.background`).
    line_times : LineTimes or None
        What became of the source's line times, where it had any.
    onset_posteriors : OnsetPosteriors or None
        How likely each word starts when, as a prior for the search of another acoustic model
        (`lyricsyncd.align.onset_priors`); ``None`` where there is no path.
    without_prior : Alignment or None
        What the ear has without the votes of another, where there were any.
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
    likelihood_ratio: float = 0.0
    line_times: LineTimes | None = None
    onset_posteriors: OnsetPosteriors | None = None
    without_prior: Alignment | None = None


def align(
    audio: npt.NDArray[np.float32],
    lines: Lines,
    language: str | None,
    acoustic_model: AcousticModel,
    *,
    line_starts: Sequence[float | None] | None = None,
    transcript_starts: Sequence[float | None] | None = None,
    onset_posteriors_of: SecondOnsets | None = None,
    options: Options = Options(),
) -> Alignment:
    """Place every word of the lyrics on the audio.

    Parameters
    ----------
    audio : ndarray of float32, shape (n,)
        Mono vocals at 16 kHz.
    lines : sequence of lines, each a sequence of words
    language : str or None
        ISO 639-1.
    line_starts : sequence of float, optional
        Where lines start as far as a source knows, one a line. Checked before they are used.
    transcript_starts : sequence of float, optional
        Where another ear heard words start, one a word; see `lyricsyncd.align.anchors`.
    onset_posteriors_of : callable, optional
        Asks another listener about the same words, once this one has placed them by itself; see
        `lyricsyncd.align.onset_priors`.

    Returns
    -------
    Alignment
        Always: where no walk through the song exists, the words are spread over it, and say by
        their ``fit`` and ``near`` that they are not to be trusted.
    """
    # The products are small: the linear algebra library's threads would only wait for each other.
    # Where there is enough to do, an ear runs threads of its own.
    with threadpool_limits(1, user_api="blas"):
        return _aligned(
            audio,
            lines,
            language,
            acoustic_model,
            line_starts,
            transcript_starts,
            onset_posteriors_of,
            options,
        )


def _aligned(
    audio: npt.NDArray[np.float32],
    lines: Lines,
    language: str | None,
    acoustic_model: AcousticModel,
    line_starts: Sequence[float | None] | None,
    transcript_starts: Sequence[float | None] | None,
    onset_posteriors_of: SecondOnsets | None,
    options: Options,
) -> Alignment:
    song = acoustic_model.compile(lines, language)
    graph = build(song)
    n_words = sum(len(line) for line in lines)
    duration = len(audio) / SAMPLE_RATE
    if graph.n_words == 0:
        return _spread_evenly(n_words, duration, acoustic_model.name)
    anchors = _word_anchors(graph, transcript_starts, options)
    line_times: LineTimes | None = None
    adapted_front_ends: list[tuple[AcousticModel, Any]] = []
    path: Path | None = None
    front_ends = (
        acoustic_model.front_ends()
        if isinstance(acoustic_model, AdaptableModel)
        else (acoustic_model,)
    )
    once = len(front_ends) == 1 and not (
        options.adapt and isinstance(acoustic_model, AdaptableModel)
    )
    for number, front_end in enumerate(front_ends):
        heard = front_end.features(audio)
        emissions = front_end.score(heard, song)
        activity = vocal_activity(
            audio, emissions.n_frames, round(acoustic_model.hop * SAMPLE_RATE)
        )
        if not options.activity:
            activity = np.ones_like(activity)
        trellis = Trellis(graph, emissions, activity, song.short, anchors, options.first_penalties)
        path = best_path(trellis)
        if path is None:
            return _spread_evenly(n_words, duration, acoustic_model.name)
        if number == 0 and line_starts is not None and any(s is not None for s in line_starts):
            line_times, path, anchors = _with_line_times(
                trellis, path, line_starts, acoustic_model.lag, options
            )
        if options.adapt and isinstance(front_end, AdaptableModel):
            units = _adaptation_units(song, graph, emissions, path.states, options.adaptation_floor)
            front_end = front_end.adapted(heard, song, units)
        adapted_front_ends.append((front_end, heard))
        if not once:
            del trellis, emissions  # the largest things there are
    assert path is not None, "an ear has a view"
    scores = emissions if once else _mean_scores(adapted_front_ends, song)
    trellis = Trellis(graph, scores, activity, song.short, anchors, options.costs)
    if not once or options.costs != options.first_penalties:
        path = best_path(trellis) or path
    background_score = background.background_score(song, trellis)
    placed = replace(
        _alignment(n_words, trellis, path.states, acoustic_model, options),
        line_times=line_times,
        likelihood_ratio=background.likelihood_ratio(path, graph, background_score),
    )
    onset_posteriors = None if onset_posteriors_of is None else onset_posteriors_of(placed)
    if onset_posteriors is None:
        return placed
    return _with_onset_prior(
        placed, onset_posteriors, trellis, background_score, acoustic_model, options
    )


def _mean_scores(
    adapted_front_ends: Sequence[tuple[AcousticModel, Any]], song: CompiledLyrics
) -> Emissions:
    """The mean of what several views of an ear say, of which only one is ever whole in memory."""
    (first, heard), *others = adapted_front_ends
    means = first.score(heard, song)
    for weight, (front_end, heard) in enumerate(others, 1):
        for start in range(0, means.n_frames, _FRAMES_AT_ONCE):
            some = slice(start, start + _FRAMES_AT_ONCE)
            part = Emissions(means.scores[some], means.rest[some], means.hop)
            part.averaged(front_end.score(heard[some], song), weight)
    return means


def _with_line_times(
    trellis: Trellis,
    free: Path,
    line_starts: Sequence[float | None],
    lag: float,
    options: Options,
) -> tuple[LineTimes, Path, tuple[Anchors, ...]]:
    """Check line times against a search without them; search again with what can be used."""
    graph = trellis.graph
    onsets, _ = _word_frames(graph, free.states)
    found: list[float | None] = [None] * len(line_starts)
    for word in np.flatnonzero(graph.first_of_line):
        found[graph.line[word]] = float(onsets[word] * trellis.emissions.hop + lag)
    times = compare(line_starts, found)
    if not times.belong:
        return times, free, trellis.anchors
    anchored = replace(
        trellis, anchors=(*trellis.anchors, _line_anchors(graph, times.corrected(line_starts)))
    )
    path = best_path(anchored)
    if path is None:
        return times, free, trellis.anchors
    if times.fit is Fit.UNCLEAR:
        n_known = sum(start is not None for start in line_starts)
        if free.score - path.score > options.doubtful_line * n_known:
            return replace(times, fit=Fit.DOUBTFUL), free, trellis.anchors
    return times, path, anchored.anchors


def _line_anchors(graph: Graph, line_starts: Sequence[float | None]) -> StartTimes:
    """Line times, on the first word of each line that the graph has."""
    by_line = np.array([np.nan if s is None else s for s in line_starts], np.float64)
    return StartTimes(np.where(graph.first_of_line, by_line[graph.line], np.nan))


def _word_anchors(
    graph: Graph, heard: Sequence[float | None] | None, options: Options
) -> tuple[Anchors, ...]:
    """Words that another ear heard, on the words of the graph."""
    if heard is None or all(start is None for start in heard):
        return ()
    by_word = np.array([np.nan if s is None else s for s in heard], np.float64)[graph.index]
    return (StartTimes(by_word, options.anchor_spread, options.anchor_step, options.anchor_cap),)


def _with_onset_prior(
    without_prior: Alignment,
    onset_posteriors: OnsetPosteriors,
    trellis: Trellis,
    background_score: float | None,
    acoustic_model: AcousticModel,
    options: Options,
) -> Alignment:
    """The words placed once more with another ear's votes, on the same scores."""
    # At this scale the chances of both are multiplied in the posteriors.
    weight = options.prior_weight / options.scale
    anchors = onset_posteriors.debiased(without_prior.onset).as_prior(
        trellis.graph, acoustic_model.lag, weight, options.prior_cap
    )
    both = replace(trellis, anchors=(*trellis.anchors, anchors))
    path = best_path(both)
    if path is None:
        return without_prior
    placed = _alignment(
        len(without_prior.onset), both, path.states, acoustic_model, options, own=trellis
    )
    # What this ear thinks of where both would have the words: only that is calibrated.
    onsets, _ = _word_frames(trellis.graph, path.states)
    own_score = path.score + anchors.paid(onsets.astype(np.float64) * trellis.emissions.hop)
    return replace(
        placed,
        acoustic_model=f"{acoustic_model.name}+{onset_posteriors.acoustic_model}",
        likelihood_ratio=background.likelihood_ratio(
            replace(path, score=own_score), trellis.graph, background_score
        ),
        line_times=without_prior.line_times,
        without_prior=without_prior,
    )


def _word_frames(graph: Graph, states: IntArray) -> tuple[IntArray, IntArray]:
    """First frame of each word, and the frame after its last."""
    (frames,) = np.nonzero(~graph.resting[states])
    words = graph.word[states[frames]]
    onsets = np.full(graph.n_words, len(states), np.int64)
    offsets = np.zeros(graph.n_words, np.int64)
    np.minimum.at(onsets, words, frames)
    np.maximum.at(offsets, words, frames + 1)
    return onsets, offsets


def _adaptation_units(
    song: CompiledLyrics, graph: Graph, emissions: Emissions, states: IntArray, least: float
) -> IntArray:
    """The unit of each frame; -1 for rests, -2 where the unit fits too badly to learn from."""
    units = graph.unit[states]
    resting = units >= song.n_units
    frames = np.arange(len(states))
    scores = emissions.scores[frames, np.where(resting, 0, units)]
    return np.where(resting, -1, np.where(scores > least, units, -2))


def _alignment(
    n_words: int,
    trellis: Trellis,
    states: IntArray,
    acoustic_model: AcousticModel,
    options: Options,
    own: Trellis | None = None,
) -> Alignment:
    """An alignment from a walk; ``own`` is the trellis to be judged by, where it is another."""
    graph, hop = trellis.graph, trellis.emissions.hop
    onsets, offsets = _word_frames(graph, states)
    band = Band.around(graph, onsets, offsets, trellis.n_frames, round(options.band / hop))
    near = round(TOLERANCE_S / hop)
    sure = posterior(trellis, band, onsets, offsets, scale=options.scale, near=near)
    chances = sure.starts
    onset, offset = onsets.astype(np.float64), offsets.astype(np.float64)
    if options.expected:
        onset = np.where(np.isfinite(sure.onset.median), sure.onset.median, onset)
        offset = np.where(np.isfinite(sure.offset.median), sure.offset.median, offset)
    onset = np.maximum.accumulate(onset)
    offset = np.maximum(offset, onset + 1.0)
    offset[:-1] = np.minimum(offset[:-1], np.maximum(onset[1:], onset[:-1] + 1.0))

    if own is not None:
        found = np.rint(onset).astype(np.int64), np.rint(offset).astype(np.int64)
        sure = posterior(own, band, *found, scale=options.scale, near=near)

    (frames,) = np.nonzero(~graph.resting[states])
    word = graph.word[states[frames]]
    count = np.maximum(np.bincount(word, minlength=graph.n_words), 1)
    fits = trellis.emissions.scores[frames, graph.unit[states[frames]]].astype(np.float64)
    fit = np.bincount(word, weights=fits, minlength=graph.n_words) / count
    active = trellis.activity[frames].astype(np.float64)
    activity = np.bincount(word, weights=active, minlength=graph.n_words) / count

    coverage = _coverage(trellis, states, onsets)

    known = graph.index
    placed = np.zeros(n_words, np.bool_)
    placed[known] = True

    def everywhere(values: DoubleArray, otherwise: float) -> DoubleArray:
        result = np.full(n_words, otherwise)
        result[known] = np.where(np.isfinite(values), values, otherwise)
        return result

    starts, ends = _between_neighbours(
        known, onset * hop + acoustic_model.lag, offset * hop + acoustic_model.lag, n_words
    )
    return Alignment(
        onset=starts,
        offset=ends,
        fit=everywhere(fit, -25.0),
        near=everywhere(sure.onset.near, 0.0),
        spread=everywhere(sure.onset.spread * hop, 10.0),
        activity=everywhere(activity, 0.0),
        coverage=everywhere(coverage, 0.0),
        placed=placed,
        acoustic_model=acoustic_model.name,
        onset_posteriors=OnsetPosteriors(
            acoustic_model.name, chances, known, hop, acoustic_model.lag
        ),
    )


def _coverage(trellis: Trellis, states: IntArray, onsets: IntArray) -> DoubleArray:
    """Share of the vocal activity around each onset that falls on words, shape (W,)."""
    activity = trellis.activity.astype(np.float64)
    sung = np.append(0.0, np.cumsum(activity))
    explained = np.append(0.0, np.cumsum(activity * ~trellis.graph.resting[states]))
    reach = round(COVERAGE_S / trellis.emissions.hop)
    first = np.maximum(onsets - reach, 0)
    last = np.minimum(onsets + reach, len(activity))
    share = (explained[last] - explained[first]) / np.maximum(sung[last] - sung[first], 1e-6)
    return np.asarray(share, np.float64)


def _between_neighbours(
    known: IntArray, onset: DoubleArray, offset: DoubleArray, n_words: int
) -> tuple[DoubleArray, DoubleArray]:
    """Times for all words from those of the pronounceable ones: the rest share the gaps."""
    starts, ends = np.full(n_words, np.nan), np.full(n_words, np.nan)
    starts[known], ends[known] = onset, offset
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


def _spread_evenly(n_words: int, duration: float, acoustic_model: str) -> Alignment:
    edges = np.linspace(0.0, duration, n_words + 1)
    nothing = np.zeros(n_words)
    return Alignment(
        onset=edges[:-1],
        offset=edges[1:],
        fit=nothing - 25.0,
        near=nothing,
        spread=nothing + 10.0,
        activity=nothing,
        coverage=nothing,
        placed=np.zeros(n_words, np.bool_),
        acoustic_model=acoustic_model,
    )
