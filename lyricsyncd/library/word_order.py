"""Check the times that a person set: words follow each other, and so do pins."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from lyricsyncd.errors import LyricsyncError, UsageError

if TYPE_CHECKING:
    from lyricsyncd.model import Lyrics, Word

LEAST_S = 0.03
"""Seconds between the starts of two words of one voice, and from the start of one to its end."""
_STEP = 1e-6
"""Times are compared with this tolerance: they are rounded to milliseconds."""


class BrokenTimes(LyricsyncError):
    """Times that no song can have."""


def check_times(lyrics: Lyrics) -> None:
    """Check that words follow each other, within each voice.

    Raises
    ------
    BrokenTimes
        It names the first word that does not.
    """
    last: dict[str | None, Word] = {}
    words = ((line, word) for line in lyrics for word in line.words)
    for number, (line, word) in enumerate(words):
        problem = _problem(word, last.get(line.voice))
        if problem:
            raise BrokenTimes(f"The word {number} ({word.text[:40]!r}) {problem}", remedy="Move it")
        if word.start is not None:
            last[line.voice] = word


def check_pins(pins: Sequence[tuple[int, float]]) -> None:
    """Check that pins, (number of a word, seconds), have the order of their words.

    Raises
    ------
    UsageError
        It names the first two that have not.
    """
    in_order = sorted(pins)
    for (number, start), (following, later) in pairwise(in_order):
        if number == following or later < start + LEAST_S - _STEP:
            raise UsageError(
                f"The pins of the words {number} and {following} are not in order",
                remedy="Take one of them back",
            )


def _problem(word: Word, before: Word | None) -> str:
    """Return what is wrong with the times of a word; empty where nothing is."""
    start, end = word.start, word.end
    if start is None:
        return "" if end is None else "ends without a start"
    if start < 0:
        return "starts before the song"
    if before is not None and before.start is not None:
        if start < before.start + LEAST_S - _STEP:
            return "starts before the word before it"
        if before.end is not None and before.end > start + _STEP:
            return "starts within the word before it"
    if end is not None and end < start + LEAST_S - _STEP:
        return "ends before it starts"
    return ""
