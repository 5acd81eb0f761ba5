"""Would other words have done as well? The lyrics against themselves in another order.

Any words find a place in a song: a search always returns its best walk, and how good "best" is
depends on the voice, the mix and how many places there were to choose from. So the same words are
placed once more in an order that nobody sang, on the same scores, by the same search. Where the
order matters little, these are not the words of this recording, however well each of them fits.
(Scores against a *background* that shares all nuisances are how speakers are verified, too:
Reynolds, Quatieri & Dunn 2000.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from lyricsyncd.align.emissions import CompiledLyrics
from lyricsyncd.align.graph import Graph, build
from lyricsyncd.align.trellis import Trellis
from lyricsyncd.align.viterbi import Path, best_score

_ORDERS = 2


def likelihood_ratio(path: Path, graph: Graph, background_score: float | None) -> float:
    """Nats by which the lyrics beat the best of their rivals, for each frame that words take.

    On songs with their right words 1 to 3, with those of other songs 0 to 0.8; 0 where the words
    are too few or too much alike to be put into another order.

    Parameters
    ----------
    path : Path
        The best path.
    graph : Graph
        What it walks through.
    background_score : float or None
        What `background_score` says.
    """
    in_words = int((~graph.resting[path.states]).sum())
    if background_score is None or in_words == 0:
        return 0.0
    return (path.score - background_score) / in_words


def background_score(song: CompiledLyrics, trellis: Trellis) -> float | None:
    """The score of the best rival; ``None`` where there is none.

    Parameters
    ----------
    song : CompiledLyrics
        What ``trellis`` was built from.
    """
    best = max((_score(shuffled, trellis) for shuffled in _shuffled_orders(song)), default=-np.inf)
    return None if best == -np.inf else best


def _shuffled_orders(song: CompiledLyrics) -> Iterator[CompiledLyrics]:
    """The same words in other orders, lines as long as before."""
    words = [word for line in song.lines for word in line]
    if len(set(words)) < 2:
        return
    for seed in range(_ORDERS):
        order = np.random.default_rng(seed).permutation(len(words))
        shuffled = iter([words[i] for i in order])
        yield replace(song, lines=tuple(tuple(next(shuffled) for _ in line) for line in song.lines))


def _score(shuffled: CompiledLyrics, trellis: Trellis) -> float:
    """The score of a rival's best path, free of what is known about the times of the real words."""
    score = best_score(replace(trellis, graph=build(shuffled), anchors=()))
    return -np.inf if score is None else score
