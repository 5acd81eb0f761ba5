"""Place known words on audio: compile, score, search, adapt to the singer, search again.

The order of steps for one song::

    compile ─┐   1st pass, coarse                          2nd pass, in a band around the first
             ├─► score ─► best path ─► adapt the model ─► score ─► mean ─► best path ─► posteriors
    features ┘                │        to the singer               ▲
                              │                                    └ over the front ends
                              ├─► check the line times
                              ├─► the same words in another order: how much does their order matter?
                              └─► check the onsets of a second aligner, and search again with them

Beside a second aligner, the first pass takes every second frame: it is to find out where the words
are about. Without one there is no check on it, so it takes all of them, and the second pass is as
free as the first. The two passes differ in their penalties, too: while the model is not adapted to
the singer, those that shape the words in detail do more harm than good. Line times of a source and
onsets of a second aligner are compared with a path that was found without them, so that those of
another recording, or of a model that is lost in this one, are left out. Words that a person set are
no hints: every search keeps to them, and takes all frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from lyricsyncd.align import features
from lyricsyncd.align.activity import vocal_activity
from lyricsyncd.align.emissions import (
    SAMPLE_RATE,
    SCORE_FLOOR,
    AcousticModel,
    AdaptableModel,
    CompiledLyrics,
    Emissions,
    Lines,
    Traits,
)
from lyricsyncd.align.features import TOLERANCE_S, Alignment, PathPosterior, word_frames
from lyricsyncd.align.first_pass import (
    FirstPass,
    Second,
    SecondOnsets,
    SecondUnsung,
    first_pass,
    likelihood_ratio,
    onset_prior,
    skipped_words,
)
from lyricsyncd.align.graph import Graph
from lyricsyncd.align.lexicon import wordless_lines
from lyricsyncd.align.options import SearchOptions
from lyricsyncd.align.posterior import Posterior
from lyricsyncd.align.task import Task
from lyricsyncd.align.trellis import Anchors, Band, StartTimes, Trellis
from lyricsyncd.align.viterbi import Path, best_path

__all__ = ["Alignment", "Debug", "SecondOnsets", "align"]

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

_FRAMES_AT_ONCE = 1024


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
    pins: Sequence[tuple[int, float]] = (),
    windows: Sequence[tuple[int, float, float]] = (),
    second_onsets: SecondOnsets | None = None,
    second_unsung: SecondUnsung | None = None,
    unsung: BoolArray | None = None,
    frames: Any = None,
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
    pins : sequence of (int, float), optional
        Words that a person set, by their numbers, and the seconds at which they start; in order.
        Each is found within `lyricsyncd.align.pins.REACH_S` of there.
    windows : sequence of (int, float, float), optional
        Words, by their numbers, and the seconds between which they start; in place of pins.
    second_onsets : callable, optional
        Called with where the first pass of this model alone has the words; returns the onset
        posteriors of a second aligner, which become a prior of one more search; see
        `lyricsyncd.align.onset_priors`.
    second_unsung : callable, optional
        Returns the words that the second aligner leaves out as not sung. Those that this model
        leaves out, too, are left out where the two agree on more words then.
    unsung : ndarray of bool, shape (N,), optional
        Words that are known not to be sung: they are placed between those beside them.
    frames : optional
        What the model's ``features`` returned for the audio, where it has been computed; not for
        models with several front ends.
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
    options = options or Traits.of(acoustic_model).search_options
    # The products are small: the linear algebra library's threads would only wait for each other.
    # Where there is enough work, a model runs threads of its own.
    with threadpool_limits(1, user_api="blas"):
        task = Task.of(acoustic_model, lines, language, options, unsung, pins, windows)
        second = Second(second_onsets, second_unsung)
        return _aligned(
            audio, frames, task, line_starts, transcript_starts, second, debug or Debug()
        )


def unsung_words(
    audio: npt.NDArray[np.float32],
    lines: Lines,
    language: str | None,
    acoustic_model: AcousticModel,
    *,
    frames: Any = None,
) -> BoolArray:
    """Return the words that one pass of the model leaves out as not sung, shape (N,).

    Lines, and words in brackets, are left out where a silence in their place scores better than
    they do, whatever is sung there: lines of another song or of another version, say.

    Parameters
    ----------
    frames : optional
        See `align`.
    """
    with threadpool_limits(1, user_api="blas"):
        options = Traits.of(acoustic_model).search_options
        task = Task.of(acoustic_model, lines, language, options)
        frames = acoustic_model.features(audio) if frames is None else frames
        emissions = acoustic_model.score(frames, task.lyrics)
        trellis = Trellis(
            task.graph,
            emissions,
            _activity(audio, emissions, options),
            task.lyrics.short,
            penalties=options.first_penalties,
        )
        return skipped_words(task, trellis)


def _aligned(
    audio: npt.NDArray[np.float32],
    given_frames: Any,
    task: Task,
    line_starts: Sequence[float | None] | None,
    transcript_starts: Sequence[float | None] | None,
    second: Second,
    debug: Debug,
) -> Alignment:
    debug.lyrics, options = task.lyrics, task.options
    duration = len(audio) / SAMPLE_RATE
    if task.graph.n_words == 0:
        return task.spread_evenly(duration)
    model = task.model
    two_passes = options.adapt and isinstance(model, AdaptableModel)
    front_ends = model.front_ends() if isinstance(model, AdaptableModel) else (model,)
    if given_frames is None or len(front_ends) > 1:
        frames = [front_ends[0].features(audio)]
    else:
        frames = [given_frames]
    # A coarse first pass and a band around it need the check by another model.
    coarse = two_passes and second.onsets is not None and task.pins is None
    step = options.first_step if coarse else 1
    emissions = front_ends[0].score(frames[0][::step] if step > 1 else frames[0], task.lyrics)
    emissions = replace(emissions, hop=model.hop * step)
    task = task.fitting(emissions)
    if task.graph.n_words == 0:
        return task.spread_evenly(duration)
    trellis = Trellis(
        task.graph,
        emissions,
        _activity(audio, emissions, options),
        task.lyrics.short,
        _transcript_anchors(task.graph, transcript_starts, options),
        options.first_penalties,
        entry_scale=1.0 / step,
        pins=task.pins,
    )
    first = first_pass(task, trellis, line_starts, second, two_passes)
    if first is None:
        return task.spread_evenly(duration)
    task = first.task
    debug.lyrics = task.lyrics
    debug.first_paths += [first.free] if first.path is first.free else [first.free, first.path]
    if not two_passes:
        if options.penalties != options.first_penalties:
            trellis = replace(first.trellis, penalties=options.penalties)
            path = best_path(trellis) or first.free
            return _placed(task, trellis, None, path, first, debug)
        return _placed(task, first.trellis, None, first.free, first, debug)
    n_frames = len(frames[0])
    del trellis, emissions
    if first.agreed < options.confirmed:
        frames += [front_end.features(audio) for front_end in front_ends[1:]]
    else:
        front_ends = front_ends[:1]
    adapted = [
        front_end.adapted(some, task.lyrics, _own_units(task, first, front_end, some, number))
        for number, (front_end, some) in enumerate(zip(front_ends, frames, strict=True))
        if isinstance(front_end, AdaptableModel)
    ]
    band = _band(task, first, n_frames, step) if coarse else None
    scores = _mean_scores(adapted, frames, task, band)
    trellis = Trellis(
        task.graph,
        scores,
        _activity(audio, scores, options),
        task.lyrics.short,
        first.trellis.anchors,
        replace(options.penalties, floor_between=first.trellis.penalties.floor_between),
        pins=task.pins,
    )
    path = best_path(trellis, band) or Path(
        _stretched(first.free, step, n_frames), step * first.free.score
    )
    if second.onsets is None:
        ratio = likelihood_ratio(task, trellis, path)
        first = replace(first, likelihood_ratio=ratio)
    return _placed(task, trellis, band, path, first, debug)


def _activity(
    audio: npt.NDArray[np.float32], emissions: Emissions, options: SearchOptions
) -> npt.NDArray[np.float32]:
    if not options.activity:
        return np.ones(emissions.n_frames, np.float32)
    return vocal_activity(audio, emissions.n_frames, round(emissions.hop * SAMPLE_RATE))


def _band(task: Task, first: FirstPass, n_frames: int, step: int) -> Band:
    """Return the band around the paths of the first pass, in frames of the second."""
    reach = round(task.options.band / task.model.hop)
    band: Band | None = None
    for path in (first.free,) if first.path is first.free else (first.free, first.path):
        onsets, offsets = (step * frames for frames in word_frames(task.graph, path.states))
        around = Band.around(task.graph, onsets, offsets, n_frames, reach)
        band = around if band is None else band | around
    assert band is not None, "there is a path"
    return band


def _stretched(path: Path, step: int, n_frames: int) -> IntArray:
    """Return the states of a path of the first pass at every frame."""
    return np.repeat(path.states, step)[:n_frames]


def _mean_scores(
    front_ends: Sequence[AdaptableModel], frames: Sequence[Any], task: Task, band: Band | None
) -> Emissions:
    """Return the mean scores over the front ends, of the units that the band can reach."""
    band = band or Band.whole(task.graph, len(frames[0]))
    n_frames, n_units = len(frames[0]), task.lyrics.n_units
    means = Emissions(
        np.full((n_frames, n_units), SCORE_FLOOR, np.float16),
        np.empty(n_frames, np.float32),
        task.model.hop,
    )
    for start in range(0, n_frames, _FRAMES_AT_ONCE):
        block = slice(start, start + _FRAMES_AT_ONCE)
        low, high = int(band.first[block].min()), int(band.end[block].max())
        units = np.unique(task.graph.unit[low:high])
        units = units[units < n_units]
        wanted = task.lyrics.restricted(units)
        parts = [
            front_end.score(some[block], wanted)
            for front_end, some in zip(front_ends, frames, strict=True)
        ]
        means.scores[block, units] = np.mean([p.scores for p in parts], axis=0)
        means.silence[block] = np.mean([p.silence for p in parts], axis=0)
    return means


def _transcript_anchors(
    graph: Graph, starts: Sequence[float | None] | None, options: SearchOptions
) -> tuple[Anchors, ...]:
    """Anchor the words of the graph that a recogniser recognised."""
    if starts is None or all(start is None for start in starts):
        return ()
    by_word = np.array([np.nan if s is None else s for s in starts], np.float64)[graph.index]
    return (StartTimes(by_word, options.anchor_spread, options.anchor_step, options.anchor_cap),)


def _placed(
    task: Task,
    trellis: Trellis,
    band: Band | None,
    path: Path,
    first: FirstPass,
    debug: Debug,
) -> Alignment:
    """Return the words of a path, and those of the path with a second aligner's prior."""
    options, hop = task.options, trellis.emissions.hop
    step = -(-trellis.n_frames // len(first.path.states))
    guided = None if first.path is first.free else _stretched(first.path, step, trellis.n_frames)
    own = features.path_posterior(trellis, path.states, options, guided)
    debug.trellis, debug.path = trellis, path
    debug.band, debug.posterior = own.band, own.posterior
    wordless = wordless_lines(task.lines)

    def described(at: Path, found: PathPosterior, certainty: Posterior) -> Alignment:
        words = features.alignment(
            task.n_words,
            trellis,
            at.states,
            found,
            certainty,
            task.model.name,
            task.lag,
            task.onset_lag,
            Traits.of(task.model).vowel_lag,
        )
        return replace(words, wordless=wordless)

    placed = replace(
        described(path, own, own.posterior),
        line_times=first.line_times,
        likelihood_ratio=first.likelihood_ratio,
    )
    if first.onset_posteriors is None:
        return placed
    second = first.onset_posteriors.debiased(placed.onset)
    placed = replace(
        placed,
        second=second.acoustic_model,
        second_near=second.near(placed.onset, TOLERANCE_S),
    )
    prior = onset_prior(task, second)
    both = replace(trellis, anchors=(*trellis.anchors, prior))
    with_prior = best_path(both, band)
    if with_prior is None:
        return placed
    found = features.path_posterior(both, with_prior.states, options)
    debug.trellis, debug.path = both, with_prior
    debug.band, debug.posterior = found.band, found.posterior
    # Judged by this model's own posteriors at the times that both found: only those are calibrated.
    again = described(with_prior, found, features.rejudged(found, own, hop))
    onsets, _ = word_frames(trellis.graph, with_prior.states)
    own_score = with_prior.score + prior.total(onsets.astype(np.float64) * hop)
    lost = (path.score - own_score) / max(1, int((~trellis.graph.in_silence[path.states]).sum()))
    return replace(
        again,
        acoustic_model=f"{task.model.name}+{first.onset_posteriors.acoustic_model}",
        likelihood_ratio=first.likelihood_ratio - lost,
        line_times=first.line_times,
        second=second.acoustic_model,
        second_near=second.near(again.onset, TOLERANCE_S),
        without_prior=placed,
    )


def _own_units(
    task: Task, first: FirstPass, front_end: AcousticModel, frames: Any, number: int
) -> IntArray:
    """Return what a front end learns from, by a first pass of its own: no error is learnt by all.

    The first front end made the first pass; the others follow the settings that it chose.
    """
    trellis, path = first.guided, first.path
    step = -(-len(frames) // trellis.n_frames)
    if number > 0:
        emissions = front_end.score(frames[::step], task.lyrics)
        trellis = replace(trellis, emissions=replace(emissions, hop=trellis.emissions.hop))
        path = best_path(trellis) or path
    units = _adaptation_units(task, trellis.emissions, path.states)
    return np.repeat(units, step)[: len(frames)]


def _adaptation_units(task: Task, emissions: Emissions, states: IntArray) -> IntArray:
    """Return the unit of each frame; -1 in silence, -2 where it fits too badly to learn from."""
    units = task.graph.unit[states]
    silent = units >= task.lyrics.n_units
    at = np.arange(len(states))
    scores = emissions.scores[at, np.where(silent, 0, units)]
    floor = task.options.adaptation_floor
    return np.where(silent, -1, np.where(scores > floor, units, -2))
