"""Place voices that sing at once: each by itself, where one chain of all words fits worse."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lyricsyncd.model import Lyrics
from lyricsyncd.text.match import normalise

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from lyricsyncd.align.features import Alignment
    from lyricsyncd.separate import Stem


@dataclass(frozen=True, slots=True)
class Chain:
    """The words of a voice, where they are by themselves, and the vocals they were placed on."""

    words: npt.NDArray[np.bool_]
    placed: Alignment
    stem: Stem


def has_voices(lyrics: Lyrics) -> bool:
    """Return whether lines have more than one voice."""
    return len({line.voice for line in lyrics if line.words}) > 1


def voices_apart(
    lyrics: Lyrics, together: Alignment, stem: Stem, place: Callable[..., Alignment]
) -> list[Chain]:
    """Place each voice by itself, the lead first; return nothing where one chain of all words fits
    as well."""
    import numpy as np

    from lyricsyncd.align import voices

    counts = [len(line.words) for line in lyrics]
    chains = voices.chains([line.voice for line in lyrics], counts)
    if not chains:
        return []
    lead = Chain(chains[0], place(stem, ~chains[0]), stem)
    if voices.gain(together, lead.placed, lead.words) < voices.GAIN:
        return []
    line = np.repeat(np.arange(len(counts)), counts)
    duration = len(stem.vocals) / stem.sr
    sides = stem if stem.side is None else dataclasses.replace(stem, vocals=stem.side)
    texts = [[normalise(word.text) for word in line.words] for line in lyrics]

    def best(words: npt.NDArray[np.bool_], windows: Sequence[tuple[int, float, float]]) -> Chain:
        chosen = Chain(words, place(stem, ~words, windows), stem)
        if stem.side is None:
            return chosen
        aside = Chain(words, place(sides, ~words, windows), sides)
        return aside if voices.are_aside(chosen.placed, aside.placed, words) else chosen

    others = []
    for words in chains[1:]:
        windows = voices.windows(lead.placed, words, line, duration)
        behind = voices.echo_windows(lead.placed, windows, words, texts)
        chosen = best(words, behind)
        if behind != windows:
            with_lead = best(words, windows)
            if not voices.are_echoes(chosen.placed, with_lead.placed, words):
                chosen = with_lead
        others.append(chosen)
    if any(chain.stem is sides for chain in others) and stem.side is not None:
        middle = voices.without(stem.vocals, stem.side)
        alone = dataclasses.replace(stem, vocals=middle)
        again = Chain(lead.words, place(alone, ~lead.words), alone)
        lead = max(lead, again, key=lambda chain: voices.fit(chain.placed, chain.words))
    return [lead, *others]
