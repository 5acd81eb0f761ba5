"""Compare the lyrics with the same words in another order: a log-likelihood ratio.

Any words find a place in a song: a search always returns its best path, and how good "best" is
depends on the voice, the mix and how many places there were to choose from. So the null hypothesis
is scored, too: the same words in an order that is not sung, on the same scores, by the same search.
Where the order matters little, these are not the words of this recording, however well each of them
fits. (Log-likelihood ratios to a *background* that shares all nuisances are how speakers are
verified: Reynolds, Quatieri & Dunn 2000.)
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from statistics import fmean

import numpy as np

from lyricsyncd.align.emissions import CompiledLyrics
from lyricsyncd.align.graph import Graph, build
from lyricsyncd.align.trellis import Trellis
from lyricsyncd.align.viterbi import Path, best_score

_ORDERS, _TRIES = 4, 16


def likelihood_ratio(path: Path, graph: Graph, background_score: float | None) -> float:
    """Return the nats by which the lyrics beat their reorderings, per frame within words.

    0 where the words are too few or too much alike to be put into another order.

    Parameters
    ----------
    path : Path
        The best path.
    graph : Graph
        The states that the path goes through.
    background_score : float or None
        From `background_score`.
    """
    in_words = int((~graph.in_silence[path.states]).sum())
    if background_score is None or in_words == 0:
        return 0.0
    return (path.score - background_score) / in_words


def background_score(lyrics: CompiledLyrics, trellis: Trellis) -> float | None:
    """Return the mean score of reorderings; ``None`` where there is none.

    The mean varies less than the best of them, which in songs of a minute is by chance as good.

    Parameters
    ----------
    lyrics : CompiledLyrics
        What ``trellis`` was built from.
    """
    scores = [_score(reordered, trellis) for reordered in _reorderings(lyrics)]
    found = [score for score in scores if score > -np.inf]
    return fmean(found) if found else None


def _reorderings(lyrics: CompiledLyrics) -> Iterator[CompiledLyrics]:
    """Yield the same words in other orders, lines as long as before."""
    words = [word for line in lyrics.lines for word in line]
    if len(set(words)) < 2:
        return
    shuffled = (
        [words[i] for i in np.random.default_rng(seed).permutation(len(words))]
        for seed in range(_TRIES)
    )
    # Of few words, or with one again and again, a shuffle may be the order that is sung.
    others = (order for order in shuffled if order != words)
    for order in itertools.islice(others, _ORDERS):
        reordered = iter(order)
        lines = tuple(tuple(next(reordered) for _ in line) for line in lyrics.lines)
        yield replace(lyrics, lines=lines)


def _score(reordered: CompiledLyrics, trellis: Trellis) -> float:
    """Return the score of a reordering's best path, without anchors and pins of the real words."""
    score = best_score(replace(trellis, graph=build(reordered), anchors=(), pins=None))
    return -np.inf if score is None else score
