"""Make the first pass: where the words are about, and which other times are of this recording.

Line times of a source and onsets of a second aligner are compared with a path that was found
without them. Where the lyrics lack words that are sung, or have some that are not, the settings for
complete lyrics lead astray, and more so the better of two models. So others are tried, and those
taken with which most words are where a second aligner has them: two models rarely err alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lyricsyncd.align import background
from lyricsyncd.align.features import Alignment, word_frames
from lyricsyncd.align.graph import Graph, build, skippable_runs
from lyricsyncd.align.linetimes import Fit, LineTimes, compare
from lyricsyncd.align.onset_priors import OnsetPosteriors, OnsetPrior
from lyricsyncd.align.task import Task
from lyricsyncd.align.trellis import Anchors, StartTimes, Trellis
from lyricsyncd.align.viterbi import Path, best_path

BoolArray = npt.NDArray[np.bool_]

SecondOnsets = Callable[[Alignment], OnsetPosteriors | None]
"""Returns the onset posteriors of a second aligner, given the placement of the first; of its words,
those that are not ``placed`` are left out."""
SecondUnsung = Callable[[], "BoolArray | None"]
"""Returns the words that a second aligner leaves out as not sung, shape (N,)."""


@dataclass(frozen=True)
class Second:
    """The functions of a second aligner, as far as there is one."""

    onsets: SecondOnsets | None
    unsung: SecondUnsung | None


@dataclass(frozen=True)
class FirstPass:
    """The result of the first pass.

    Attributes
    ----------
    task : Task
        Without words that are not sung.
    trellis : Trellis
        Without anchors that were rejected; with the floor of the silence between lines that fits.
    guided : Trellis
        The same with a second aligner's onsets where they were accepted.
    free, path : Path
        The best path without a second aligner's onsets, and with them where they were accepted.
    line_times : LineTimes or None
    likelihood_ratio : float
    onset_posteriors : OnsetPosteriors or None
        Those of the second aligner.
    agreed : float
        Share of the words that both aligners have in the same place, 0-1; 0 without a second one.
    """

    task: Task
    trellis: Trellis
    guided: Trellis
    free: Path
    path: Path
    line_times: LineTimes | None
    likelihood_ratio: float
    onset_posteriors: OnsetPosteriors | None
    agreed: float = 0.0


def first_pass(
    task: Task,
    trellis: Trellis,
    line_starts: Sequence[float | None] | None,
    second: Second,
    two_passes: bool,
) -> FirstPass | None:
    """Find where the words are about, and which other times are of this recording.

    Without a second aligner, the second pass tells how much the order of the words matters, on
    adapted scores: there is no likelihood ratio then.

    Parameters
    ----------
    two_passes : bool
        Whether a second pass follows.

    Returns
    -------
    FirstPass or None
        ``None`` where no path through the song exists.
    """
    free = best_path(trellis)
    if free is None:
        return None
    line_times: LineTimes | None = None
    if line_starts is not None and any(start is not None for start in line_starts):
        line_times, free, anchors = _with_line_times(task, trellis, free, line_starts)
        trellis = replace(trellis, anchors=anchors)
    onsets = None if second.onsets is None else second.onsets(task.rough(trellis, free))
    if onsets is None:
        alone = two_passes and second.onsets is None
        ratio = 0.0 if alone else likelihood_ratio(task, trellis, free)
        return FirstPass(task, trellis, trellis, free, free, line_times, ratio, None)
    as_usual = found = _Agreed.of(task, trellis, free, onsets)
    doubtful = found.share < task.options.sure_prior
    for floor in task.options.other_floors if doubtful else ():
        penalties = replace(trellis.penalties, floor_between=floor)
        found = found.or_better(task, replace(trellis, penalties=penalties), onsets)
    if second.unsung is not None and line_times is None:
        found = _without_unsung(found, second)
    path: Path | None = None
    if found.share < task.options.trusted_prior:
        found = as_usual
    guided = found.trellis
    if found is not as_usual or found.share >= task.options.trusted_prior:
        anchors = (*guided.anchors, onset_prior(found.task, found.onsets))
        guided = replace(guided, anchors=anchors)
        path = best_path(guided)
    ratio = likelihood_ratio(found.task, found.trellis, found.path)
    return FirstPass(
        found.task,
        found.trellis,
        guided,
        found.path,
        path or found.path,
        line_times,
        ratio,
        found.onsets,
        found.share,
    )


def likelihood_ratio(task: Task, trellis: Trellis, path: Path) -> float:
    """Compare a path with the background: how much does the order of the words matter?"""
    if not task.options.background:
        return 0.0
    score = background.background_score(task.lyrics, trellis)
    return background.likelihood_ratio(path, task.graph, score)


@dataclass(frozen=True)
class _Agreed:
    """A path, and the number of words that it has where a second aligner has them."""

    task: Task
    trellis: Trellis
    path: Path
    onsets: OnsetPosteriors
    words: int

    @property
    def share(self) -> float:
        """The number of words as a share of those that both can pronounce."""
        return self.words / max(1, len(self.onsets.index))

    @classmethod
    def of(cls, task: Task, trellis: Trellis, path: Path, onsets: OnsetPosteriors) -> _Agreed:
        rough = task.rough(trellis, path)
        onsets = onsets.debiased(rough.onset)
        return cls(task, trellis, path, onsets, onsets.agreed(rough.onset, rough.placed))

    def or_better(self, task: Task, trellis: Trellis, onsets: OnsetPosteriors) -> _Agreed:
        """Return the best path of another trellis if it agrees on more words, else this one."""
        path = best_path(trellis)
        if path is None:
            return self
        other = _Agreed.of(task, trellis, path, onsets)
        return other if other.words > self.words else self


def _without_unsung(found: _Agreed, second: Second) -> _Agreed:
    """Leave out the words that both models leave out, if they agree on more of the others then."""
    assert second.unsung is not None, "there is a second aligner"
    assert second.onsets is not None, "there is a second aligner"
    ours = skipped_words(found.task, found.trellis)
    if not ours.any():
        return found
    theirs = second.unsung()
    if theirs is None or not (ours & theirs).any() or (ours & theirs)[found.task.graph.index].all():
        return found
    task = found.task.without(ours & theirs)
    # Without line times, what is anchored are words of a transcript.
    kept = np.searchsorted(found.task.graph.index, task.graph.index)
    anchors = (each.of(kept) for each in found.trellis.anchors if isinstance(each, StartTimes))
    trellis = replace(found.trellis, graph=task.graph, anchors=tuple(anchors))
    path = best_path(trellis)
    if path is None:
        return found
    rough = task.rough(trellis, path)
    onsets = second.onsets(rough)
    if onsets is None:
        return found
    other = _Agreed.of(task, trellis, path, onsets)
    before = found.task.rough(found.trellis, found.path).onset
    trusted = other.share >= task.options.trusted_unsung
    better = other.words > found.onsets.agreed(before, rough.placed)
    return other if trusted and better else found


def skipped_words(task: Task, trellis: Trellis) -> BoolArray:
    """Return the words that a path leaves out where it may leave out lines and words in brackets,
    shape (N,)."""
    graph = build(task.lyrics, skippable_runs(task.lines))
    path = best_path(replace(trellis, graph=graph, anchors=(), pins=None))
    left_out = np.zeros(task.n_words, np.bool_)
    if path is not None:
        _, offsets = word_frames(graph, path.states)
        left_out[graph.index[offsets == 0]] = True
    if task.pins is not None:
        left_out[task.pins.word] = False
    return left_out


def onset_prior(task: Task, onsets: OnsetPosteriors) -> OnsetPrior:
    """Return the onsets of a second aligner as a prior of the search."""
    # At this scale the probabilities of both are multiplied in the posteriors.
    weight = task.options.prior_weight / task.options.scale
    return onsets.as_prior(task.graph, task.onset_lag, weight, task.options.prior_cap)


def _with_line_times(
    task: Task, trellis: Trellis, free: Path, line_starts: Sequence[float | None]
) -> tuple[LineTimes, Path, tuple[Anchors, ...]]:
    """Check line times against a search without them; search again with those that fit."""
    graph, options = task.graph, task.options
    onsets, _ = word_frames(graph, free.states)
    found: list[float | None] = [None] * len(line_starts)
    for word in np.flatnonzero(graph.first_of_line):
        found[graph.line[word]] = float(onsets[word] * trellis.emissions.hop + task.lag)
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
        if free.score - path.score > options.doubtful_line * trellis.entry_scale * n_known:
            return replace(times, fit=Fit.DOUBTFUL), free, trellis.anchors
    return times, path, anchored.anchors


def _line_anchors(graph: Graph, line_starts: Sequence[float | None]) -> StartTimes:
    """Anchor the first word of each line that the graph has."""
    by_line = np.array([np.nan if s is None else s for s in line_starts], np.float64)
    return StartTimes(np.where(graph.first_of_line, by_line[graph.line], np.nan))
