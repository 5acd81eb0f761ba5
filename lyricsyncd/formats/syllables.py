"""Syllables as formats mark them: stretches of text that no space parts.

A file marks a syllable as it marks a word. What is not parted by white space, and is of a script
that has spaces, is one word of several syllables.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterable, Sequence

from lyricsyncd.formats.text import pieces
from lyricsyncd.model import Syllable, Word

# Thai to Tibetan, Burmese, Khmer, Chinese and Japanese: every word or character by itself.
_WITHOUT_SPACES = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u312f\u31a0-\ua4cf\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U000323af]"
)


def parted(words: Iterable[Word]) -> tuple[Word, ...]:
    """Return a word for each syllable; those without syllables stay as they are."""
    return tuple(part for word in words for part in _parts(word))


def joined(words: Iterable[Word]) -> tuple[Word, ...]:
    """Join words that no space parts to words of several syllables, where all have starts."""
    runs: list[list[Word]] = []
    for word in words:
        if runs and _continues(runs[-1][-1], word):
            runs[-1].append(word)
        else:
            runs.append([word])
    return tuple(run[0] if len(run) == 1 else _of_syllables(run) for run in runs)


def in_order(words: Sequence[Word]) -> tuple[Word, ...]:
    """Return words without syllables that begin after their word has ended, or are blank."""
    pairs = itertools.zip_longest(words, [word.start for word in words[1:]])
    return tuple(
        dataclasses.replace(word, syllables=()) if _is_broken(word, later) else word
        for word, later in pairs
    )


def _is_broken(word: Word, later: float | None) -> bool:
    if any(pieces(part.text) != [part.text] for part in word.syllables):
        return True
    starts = [part.start for part in word.syllables]
    limits = [time for time in (word.end, later) if time is not None]
    return starts != sorted(starts) or any(starts[-1:] > [limit] for limit in limits)


def _parts(word: Word) -> tuple[Word, ...]:
    if not word.syllables:
        return (word,)
    last = len(word.syllables) - 1
    return tuple(
        Word(
            part.text,
            part.start,
            word.end if at == last else part.end,
            word.confidence,
            word.space and at == last,
        )
        for at, part in enumerate(word.syllables)
    )


def _continues(word: Word, following: Word) -> bool:
    """Return whether a word continues in the one behind it."""
    if word.space or word.start is None or following.start is None:
        return False
    return not _WITHOUT_SPACES.search(word.text + following.text)


def _of_syllables(run: Sequence[Word]) -> Word:
    run = parted(run)
    known = [word.confidence for word in run if word.confidence is not None]
    return Word(
        "".join(part.text for part in run),
        run[0].start,
        run[-1].end,
        min(known, default=None),
        run[-1].space,
        tuple(Syllable(part.text, part.start or 0.0, part.end) for part in run),
    )
