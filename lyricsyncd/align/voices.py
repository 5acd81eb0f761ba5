"""Place voices that sing at once: one chain of words for each, against the same audio.

In one chain each word follows the one before it, so where a second singer comes in before a line is
over, the words of both are squeezed. Here the lead is placed by itself, and then each other voice,
whose lines lie somewhere between the lead's lines around them. It is looked for in what is not in
the middle of the stereo image, too, where producers put other voices than the lead's; and the lead
again in what is left without that. Where voices take turns one chain is better, since its order
says more; so what the lead gains decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.features import Alignment

BoolArray = npt.NDArray[np.bool_]
DoubleArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

GAIN = 0.2
"""Nats a frame that the words of the lead fit better by themselves, from which on voices are
taken to sing at once."""
_LESS_FIT = 1.5
"""Nats a frame that words may fit the side of the vocals less than the vocals."""
_ECHO_S = 0.3
"""Seconds by which an echo is at least behind what it repeats."""
_TOGETHER = 1.8
"""Nats a frame that words fit less as an echo, from which on they are sung with the lead."""
_SLACK_S = 0.3
"""Seconds beyond the lines of the lead around it within which a line of another voice may lie."""


def chains(voices: Sequence[str | None], counts: Sequence[int]) -> tuple[BoolArray, ...]:
    """Return the words of each voice, shape (N,), the lead first; nothing for a single voice.

    Parameters
    ----------
    voices : sequence of str or None
        The voice of each line.
    counts : sequence of int
        The number of its words.
    """
    words: dict[str | None, int] = {}
    for voice, count in zip(voices, counts, strict=True):
        words[voice] = words.get(voice, 0) + count
    names = [name for name, count in words.items() if count]
    if len(names) < 2:
        return ()
    lead = None if words.get(None) else max(names, key=lambda name: words[name])
    of_word = np.repeat([names.index(voice) if voice in names else -1 for voice in voices], counts)
    order = sorted(names, key=lambda name: name != lead)
    return tuple(of_word == names.index(name) for name in order)


def gain(together: Alignment, lead: Alignment, words: BoolArray, line: IntArray) -> float:
    """Return by how many nats a frame the lead's words fit better in a chain of their own.

    It is the median over the lead's lines beside those of other voices: one line that was lost
    says nothing of the song.

    Parameters
    ----------
    words : ndarray of bool, shape (N,)
        Those of the lead.
    line : ndarray of int64, shape (N,)
        The line of each word.
    """
    own, others = np.unique(line[words]), np.unique(line[~words])
    after = np.searchsorted(own, others)
    beside = np.union1d(own[after[after < len(own)]], own[after[after > 0] - 1])
    better = lead.fit - together.fit
    return float(np.median([better[words & (line == number)].mean() for number in beside]))


def fit(placed: Alignment, words: BoolArray) -> float:
    """Return the mean fit of some words, in nats a frame."""
    return float(np.mean(placed.fit[words]))


def are_aside(vocals: Alignment, side: Alignment, words: BoolArray) -> bool:
    """Return whether words are sung beside the middle, by where they are on both signals.

    On the vocals the words fit what the lead sings, too, so they need not fit the side as well.
    """
    return fit(side, words) >= fit(vocals, words) - _LESS_FIT


def are_echoes(echoes: Alignment, together: Alignment, words: BoolArray) -> bool:
    """Return whether words that the lead sings, too, are sung behind it, not together with it."""
    return fit(echoes, words) >= fit(together, words) - _TOGETHER


def without(
    vocals: npt.NDArray[np.float32], side: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return the vocals without what is also in their side: a voice panned to one place goes."""
    size = min(len(vocals), len(side))
    energy = float(side[:size] @ side[:size])
    share = float(vocals[:size] @ side[:size]) / energy if energy > 0.0 else 0.0
    middle = np.array(vocals, np.float32)
    middle[:size] -= np.float32(share) * side[:size]
    return middle


def windows(
    lead: Alignment, words: BoolArray, line: IntArray, duration: float
) -> list[tuple[int, float, float]]:
    """Return between which seconds each word of another voice starts.

    Lyrics have lines in the order in which they begin, and mostly end: the first word of a line
    starts before the lead's next line does, and its last word after that of the lead's line before.

    Parameters
    ----------
    lead : Alignment
        Where the lead's words are.
    words : ndarray of bool, shape (N,)
        The other words.
    line : ndarray of int64, shape (N,)
        The line of each word.
    duration : float
        Seconds of the song.
    """
    found = []
    others = np.unique(line[words])
    sung = np.flatnonzero(~words & lead.placed)
    for number in others:
        before, after = sung[line[sung] < number], sung[line[sung] > number]
        own = np.flatnonzero(line == number)
        earliest, latest = np.zeros(len(own)), np.full(len(own), duration)
        if len(before):
            of_line = before[line[before] == line[before[-1]]]
            earliest[:] = max(0.0, float(lead.onset[of_line[0]]) - _SLACK_S)
            earliest[-1] = max(0.0, float(lead.onset[of_line[-1]]) - _SLACK_S)
        if len(after):
            of_line = after[line[after] == line[after[0]]]
            latest[:] = min(duration, float(lead.offset[of_line[-1]]) + _SLACK_S)
            latest[0] = min(duration, float(lead.onset[of_line[0]]) + _SLACK_S)
        found += [
            (int(at), float(first), float(max(first, last)))
            for at, first, last in zip(own, earliest, latest, strict=True)
        ]
    return found


def echo_windows(
    lead: Alignment,
    found: Sequence[tuple[int, float, float]],
    words: BoolArray,
    lines: Sequence[Sequence[str]],
) -> list[tuple[int, float, float]]:
    """Return the windows of another voice with those of its echoes after what they repeat.

    A line whose words the lead sings in a line beside it fits best where the lead sings them. So
    each of its words starts after the lead's.

    Parameters
    ----------
    found : sequence of (int, float, float)
        From `windows`.
    words : ndarray of bool, shape (N,)
        The words of the other voice.
    lines : sequence of lines, each a sequence of words
        All lines, their words in a form in which those that sound alike are equal.
    """
    begin = np.append(0, np.cumsum([len(line) for line in lines]))
    earliest: dict[int, float] = {}
    for number in np.unique(np.searchsorted(begin, np.flatnonzero(words), side="right") - 1):
        line = tuple(lines[number])
        before = [n for n in range(number) if len(lines[n]) and not words[begin[n]]]
        if not before:
            continue
        sung, size = tuple(lines[before[-1]]), len(line)
        for at in reversed(range(len(sung) - size + 1)):
            if sung[at : at + size] == line:
                own = begin[number] + np.arange(size)
                theirs = lead.onset[begin[before[-1]] + at :][:size] + _ECHO_S
                earliest.update(zip(own.tolist(), theirs.tolist(), strict=True))
                break
    return [
        (word, max(first, earliest.get(word, first)), max(last, earliest.get(word, last)))
        for word, first, last in found
    ]


def merged(words: Sequence[BoolArray], placed: Sequence[Alignment]) -> Alignment:
    """Return one placement of all words, each as in the chain of its voice.

    Parameters
    ----------
    words : sequence of ndarray of bool, shape (N,)
        Those of each voice.
    placed : sequence of Alignment
        Each has all words; those of other voices are interpolated.
    """
    lead = placed[0]
    without = [each.without_prior or each for each in placed]
    share = np.array([mask.mean() for mask in words])
    return replace(
        lead,
        onset=_chosen(words, [each.onset for each in placed]),
        offset=_chosen(words, [each.offset for each in placed]),
        fit=_chosen(words, [each.fit for each in placed]),
        near=_chosen(words, [each.near for each in placed]),
        spread=_chosen(words, [each.spread for each in placed]),
        activity=_chosen(words, [each.activity for each in placed]),
        placed=np.any([m & p.placed for m, p in zip(words, placed, strict=True)], axis=0),
        coverage=_coverage(words, placed),
        vowels=_vowels(words, placed),
        likelihood_ratio=float(share @ [each.likelihood_ratio for each in placed] / share.sum()),
        second_near=_second_near(words, placed),
        onset_posteriors=None,
        without_prior=(
            merged(words, without)
            if any(each.without_prior is not None for each in placed)
            else None
        ),
    )


def _chosen(words: Sequence[BoolArray], values: Sequence[DoubleArray]) -> DoubleArray:
    chosen = np.array(values[0], np.float64)
    for mask, value in zip(words, values, strict=True):
        chosen[mask] = value[mask]
    return chosen


def _coverage(words: Sequence[BoolArray], placed: Sequence[Alignment]) -> DoubleArray:
    """Return the share of the singing around each word that all voices account for together."""
    onset = _chosen(words, [each.onset for each in placed])
    total = np.zeros(len(onset))
    for mask, each in zip(words, placed, strict=True):
        known = np.flatnonzero(mask & each.placed)
        if len(known):
            known = known[np.argsort(each.onset[known], kind="stable")]
            total += np.interp(onset, each.onset[known], each.coverage[known])
    return np.asarray(np.minimum(total, 1.0), np.float64)


def _vowels(words: Sequence[BoolArray], placed: Sequence[Alignment]) -> tuple[DoubleArray, ...]:
    if not all(each.vowels for each in placed):
        return ()
    number = np.argmax(words, axis=0)
    return tuple(placed[chain].vowels[at] for at, chain in enumerate(number))


def _second_near(words: Sequence[BoolArray], placed: Sequence[Alignment]) -> DoubleArray | None:
    known = [each.second_near for each in placed if each.second_near is not None]
    return _chosen(words, known) if len(known) == len(placed) else None
