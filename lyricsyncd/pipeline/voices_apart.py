"""Place voices that sing at once: each by itself, where one chain of all words fits worse.

Beside lines of voices that the lyrics name, words in brackets at the ends of lines are tried as
those of a second voice, "All in the sky (in the sky)", as most lyrics write backing vocals. Where
they are sung in turn with the lead, all stays as it is written.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lyricsyncd.model import Line, Lyrics
from lyricsyncd.text.match import normalise

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from lyricsyncd.align.features import Alignment
    from lyricsyncd.separate import Stem

_BACKING = "bg"
"""The voice of words in brackets; see `lyricsyncd.model.Line.voice`."""
_BRACKETS = {"(": ")", "（": "）"}


@dataclass(frozen=True, slots=True)
class Chain:
    """The words of a voice, where they are by themselves, and the vocals they were placed on."""

    words: npt.NDArray[np.bool_]
    placed: Alignment
    stem: Stem


def has_voices(lyrics: Lyrics) -> bool:
    """Return whether lines have more than one voice."""
    return len({line.voice for line in lyrics if line.words}) > 1


def may_have_voices(lyrics: Lyrics) -> bool:
    """Return whether lines have more than one voice, or end in brackets, which may be another."""
    return has_voices(with_backing(lyrics))


def with_backing(lyrics: Lyrics) -> Lyrics:
    """Return lyrics whose words in brackets at the ends of lines are lines of another voice.

    The words and their order stay the same. Lyrics that name voices say themselves which these are.
    """
    if has_voices(lyrics):
        return lyrics
    lines = [part for line in lyrics for part in _parts(line)]
    return lyrics.with_lines(lines) if any(line.voice is None for line in lines) else lyrics


def _parts(line: Line) -> tuple[Line, ...]:
    """Return a line without the words in brackets at its end, and these; or all of it."""
    closing = next((c for c in _BRACKETS.values() if line.text.rstrip().endswith(c)), None)
    if line.voice is not None or closing is None:
        return (line,)
    opened = [at for at, word in enumerate(line.words) if word.text[:1] in _BRACKETS]
    closed = [at for at, word in enumerate(line.words) if closing in word.text]
    if not opened or [at for at in closed if at >= opened[-1]] != [len(line.words) - 1]:
        return (line,)
    head, tail = line.words[: opened[-1]], line.words[opened[-1] :]
    backing = Line(tail, voice=_BACKING)
    return (dataclasses.replace(line, words=head), backing) if head else (backing,)


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
    line = np.repeat(np.arange(len(counts)), counts)
    lead = Chain(chains[0], place(stem, ~chains[0]), stem)
    if voices.gain(together, lead.placed, lead.words, line) < voices.GAIN:
        return []
    duration = len(stem.vocals) / stem.sr
    sides = stem.aside
    texts = [[normalise(word.text) for word in line.words] for line in lyrics]

    def best(words: npt.NDArray[np.bool_], windows: Sequence[tuple[int, float, float]]) -> Chain:
        chosen = Chain(words, place(stem, ~words, windows), stem)
        if sides is None:
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
    if sides is not None and any(chain.stem is sides for chain in others):
        middle = voices.without(stem.vocals, sides.vocals)
        alone = dataclasses.replace(stem, vocals=middle)
        again = Chain(lead.words, place(alone, ~lead.words), alone)
        lead = max(lead, again, key=lambda chain: voices.fit(chain.placed, chain.words))
    return [lead, *others]
