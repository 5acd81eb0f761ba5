"""Place known words on audio: compile, score, search, adapt to the singer, search again.

The order of steps for one song::

    compile ─┐
             ├─► score ─► best path ─► adapt the model ─► score ─► mean ─► best path ─► posteriors
    features ┘                │        to the singer               ▲                   (in a band)
                              └─► check the line times             └ over the front ends

and at the end the same words in another order, to see how much their order matters.

The two passes differ in their penalties: while the model is not adapted to the singer, those that
shape the words in detail do more harm than good. The second pass is as free as the first: it often
repairs a stretch that went wrong. Where a source has line times, the first pass does without them
and so can check whether they are of this recording at all; only then is it repeated with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from lyricsyncd.align import background, features
from lyricsyncd.align.activity import vocal_activity
from lyricsyncd.align.emissions import (
    SAMPLE_RATE,
    AcousticModel,
    AdaptableModel,
    CompiledLyrics,
    Emissions,
    Lines,
    Traits,
)
from lyricsyncd.align.features import Alignment, word_frames
from lyricsyncd.align.graph import Graph, build
from lyricsyncd.align.linetimes import Fit, LineTimes, compare
from lyricsyncd.align.onset_priors import OnsetPosteriors
from lyricsyncd.align.options import SearchOptions
from lyricsyncd.align.posterior import Posterior
from lyricsyncd.align.trellis import Anchors, Band, StartTimes, Trellis
from lyricsyncd.align.viterbi import Path, best_path

__all__ = ["Alignment", "Debug", "SecondOnsets", "align"]

IntArray = npt.NDArray[np.int64]

_FRAMES_AT_ONCE = 8192

SecondOnsets = Callable[[Alignment], OnsetPosteriors | None]
"""Returns the onset posteriors of a second aligner, given the placement of the first."""


@dataclass
class Debug:
    """The search of one song in full, for research: `align` fills it in.

    All of it is of the last search (the one with the prior of a second aligner, where there is
    one), but for ``first_paths``. What there is no path for stays ``None``.

    Attributes
    ----------
    lyrics : CompiledLyrics
        The words in the units of the acoustic model.
    first_paths : list of Path
        The best path of the first pass, through each front end.
    trellis : Trellis
        The graph, the scores, the vocal activity and the priors.
    path : Path
        The best path.
    band : Band
        The states that the posteriors are summed over.
    posterior : Posterior
        Those of onsets and offsets; its ``starts`` have each word's onset over time.

    Examples
    --------
    >>> debug = Debug()
    >>> align(vocals, lines, "en", model, debug=debug)  # doctest: +SKIP
    >>> units = debug.graph.unit[debug.path.states]  # doctest: +SKIP
    """

    lyrics: CompiledLyrics | None = None
    first_paths: list[Path] = field(default_factory=list)
    trellis: Trellis | None = None
    path: Path | None = None
    band: Band | None = None
    posterior: Posterior | None = None

    @property
    def graph(self) -> Graph | None:
        """The states of the song."""
        return None if self.trellis is None else self.trellis.graph

    @property
    def scores(self) -> Emissions | None:
        """The score of every unit at every frame."""
        return None if self.trellis is None else self.trellis.emissions


def align(
    audio: npt.NDArray[np.float32],
    lines: Lines,
    language: str | None,
    acoustic_model: AcousticModel,
    *,
    line_starts: Sequence[float | None] | None = None,
    transcript_starts: Sequence[float | None] | None = None,
    second_onsets: SecondOnsets | None = None,
    options: SearchOptions | None = None,
    debug: Debug | None = None,
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
        Starts of lines as far as a source knows them, one a line. Checked before they are used.
    transcript_starts : sequence of float, optional
        Starts of words that a recogniser recognised, one a word; see `lyricsyncd.align.anchors`.
    second_onsets : callable, optional
        Called with the placement of this model alone; returns the onset posteriors of a second
        aligner, which become a prior of one more search; see `lyricsyncd.align.onset_priors`.
    options : SearchOptions, optional
        Those of the model where omitted.
    debug : Debug, optional
        Filled in with the scores, the graph, the path and the posteriors.

    Returns
    -------
    Alignment
        Always: where no path through the song exists, the words are spread over it evenly, and
        their ``fit`` and ``near`` say that they cannot be trusted.
    """
    traits = Traits.of(acoustic_model)
    # The products are small: the linear algebra library's threads would only wait for each other.
    # Where there is enough work, a model runs threads of its own.
    with threadpool_limits(1, user_api="blas"):
        return _aligned(
            audio,
            lines,
            language,
            acoustic_model,
            line_starts,
            transcript_starts,
            second_onsets,
            traits.lag,
            options or traits.search_options,
            debug or Debug(),
        )


def _aligned(
    audio: npt.NDArray[np.float32],
    lines: Lines,
    language: str | None,
    acoustic_model: AcousticModel,
    line_starts: Sequence[float | None] | None,
    transcript_starts: Sequence[float | None] | None,
    second_onsets: SecondOnsets | None,
    lag: float,
    options: SearchOptions,
    debug: Debug,
) -> Alignment:
    lyrics = debug.lyrics = acoustic_model.compile(lines, language)
    graph = build(lyrics)
    n_words = sum(len(line) for line in lines)
    duration = len(audio) / SAMPLE_RATE
    if graph.n_words == 0:
        return features.spread_evenly(n_words, duration, acoustic_model.name)
    anchors = _transcript_anchors(graph, transcript_starts, options)
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
        frames = front_end.features(audio)
        emissions = front_end.score(frames, lyrics)
        activity = vocal_activity(
            audio, emissions.n_frames, round(acoustic_model.hop * SAMPLE_RATE)
        )
        if not options.activity:
            activity = np.ones_like(activity)
        trellis = Trellis(
            graph, emissions, activity, lyrics.short, anchors, options.first_penalties
        )
        path = best_path(trellis)
        if path is None:
            return features.spread_evenly(n_words, duration, acoustic_model.name)
        if number == 0 and line_starts is not None and any(s is not None for s in line_starts):
            line_times, path, anchors = _with_line_times(trellis, path, line_starts, lag, options)
        debug.first_paths.append(path)
        if options.adapt and isinstance(front_end, AdaptableModel):
            units = _adaptation_units(
                lyrics, graph, emissions, path.states, options.adaptation_floor
            )
            front_end = front_end.adapted(frames, lyrics, units)
        adapted_front_ends.append((front_end, frames))
        if not once:
            del trellis, emissions  # the largest objects in memory
    assert path is not None, "a model has a front end"
    scores = emissions if once else _mean_scores(adapted_front_ends, lyrics)
    trellis = Trellis(graph, scores, activity, lyrics.short, anchors, options.penalties)
    if not once or options.penalties != options.first_penalties:
        path = best_path(trellis) or path
    background_score = background.background_score(lyrics, trellis)
    found = features.path_posterior(trellis, path.states, options)
    debug.trellis, debug.path = trellis, path
    debug.band, debug.posterior = found.band, found.posterior
    placed = replace(
        features.alignment(
            n_words, trellis, path.states, found, found.posterior, acoustic_model.name, lag
        ),
        line_times=line_times,
        likelihood_ratio=background.likelihood_ratio(path, graph, background_score),
    )
    onset_posteriors = None if second_onsets is None else second_onsets(placed)
    if onset_posteriors is None:
        return placed
    return _with_onset_prior(
        placed, onset_posteriors, trellis, background_score, acoustic_model, lag, options, debug
    )


def _mean_scores(
    adapted_front_ends: Sequence[tuple[AcousticModel, Any]], lyrics: CompiledLyrics
) -> Emissions:
    """Return the mean scores of several front ends, only one of which is ever whole in memory."""
    (first, frames), *others = adapted_front_ends
    means = first.score(frames, lyrics)
    for weight, (front_end, frames) in enumerate(others, 1):
        for start in range(0, means.n_frames, _FRAMES_AT_ONCE):
            some = slice(start, start + _FRAMES_AT_ONCE)
            part = Emissions(means.scores[some], means.silence[some], means.hop)
            part.averaged(front_end.score(frames[some], lyrics), weight)
    return means


def _with_line_times(
    trellis: Trellis,
    free: Path,
    line_starts: Sequence[float | None],
    lag: float,
    options: SearchOptions,
) -> tuple[LineTimes, Path, tuple[Anchors, ...]]:
    """Check line times against a search without them; search again with those that fit."""
    graph = trellis.graph
    onsets, _ = word_frames(graph, free.states)
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
    """Anchor the first word of each line that the graph has."""
    by_line = np.array([np.nan if s is None else s for s in line_starts], np.float64)
    return StartTimes(np.where(graph.first_of_line, by_line[graph.line], np.nan))


def _transcript_anchors(
    graph: Graph, starts: Sequence[float | None] | None, options: SearchOptions
) -> tuple[Anchors, ...]:
    """Anchor the words of the graph that a recogniser recognised."""
    if starts is None or all(start is None for start in starts):
        return ()
    by_word = np.array([np.nan if s is None else s for s in starts], np.float64)[graph.index]
    return (StartTimes(by_word, options.anchor_spread, options.anchor_step, options.anchor_cap),)


def _with_onset_prior(
    without_prior: Alignment,
    onset_posteriors: OnsetPosteriors,
    trellis: Trellis,
    background_score: float | None,
    acoustic_model: AcousticModel,
    lag: float,
    options: SearchOptions,
    debug: Debug,
) -> Alignment:
    """Place the words once more with a second aligner's prior, on the same scores."""
    # At this scale the probabilities of both are multiplied in the posteriors.
    weight = options.prior_weight / options.scale
    prior = onset_posteriors.debiased(without_prior.onset).as_prior(
        trellis.graph, lag, weight, options.prior_cap
    )
    both = replace(trellis, anchors=(*trellis.anchors, prior))
    path = best_path(both)
    if path is None:
        return without_prior
    found = features.path_posterior(both, path.states, options)
    debug.trellis, debug.path = both, path
    debug.band, debug.posterior = found.band, found.posterior
    # Judged by this model's own posteriors at the times that both found: only those are calibrated.
    placed = features.alignment(
        len(without_prior.onset),
        both,
        path.states,
        found,
        features.rejudged(found, trellis, options),
        acoustic_model.name,
        lag,
    )
    onsets, _ = word_frames(trellis.graph, path.states)
    own_score = path.score + prior.total(onsets.astype(np.float64) * trellis.emissions.hop)
    return replace(
        placed,
        acoustic_model=f"{acoustic_model.name}+{onset_posteriors.acoustic_model}",
        likelihood_ratio=background.likelihood_ratio(
            replace(path, score=own_score), trellis.graph, background_score
        ),
        line_times=without_prior.line_times,
        without_prior=without_prior,
    )


def _adaptation_units(
    lyrics: CompiledLyrics, graph: Graph, emissions: Emissions, states: IntArray, least: float
) -> IntArray:
    """Return the unit of each frame; -1 in silence, -2 where it fits too badly to learn from."""
    units = graph.unit[states]
    silent = units >= lyrics.n_units
    at = np.arange(len(states))
    scores = emissions.scores[at, np.where(silent, 0, units)]
    return np.where(silent, -1, np.where(scores > least, units, -2))
