"""Check whether times can be those of a recording: times of another version are worse than none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from lyricsyncd.model import Lyrics

BEYOND_END_S = 5.0
"""Most seconds between the song's end and the beginning of the last line."""
_FEWEST_LINES = 6
"""With fewer lines than these, their span of time is not compared with the song's length."""
_SHORTEST_SPAN = 0.25
"""Least share of a song's length between its first and last line."""
_FASTEST = 40.0
"""Most characters a second that can be sung."""
_BACKWARDS = 0.1
"""Most lines that may begin before the line above, as a share: second voices do."""


def believable(lyrics: Lyrics, duration: float | None) -> bool:
    """Check whether the times of lyrics can belong to a song of this length, in seconds."""
    timed = [(line.start, line.text) for line in lyrics if line.start is not None]
    starts = [start for start, _ in timed]
    if len(starts) < 2:
        return not starts or duration is None or starts[0] <= duration
    if duration is not None and max(starts) > duration + BEYOND_END_S:
        return False
    if _share(b < a for a, b in pairwise(starts)) > _BACKWARDS:
        return False
    if _share(_too_fast(timed)) > 0.5:
        return False
    span = max(starts) - min(starts)
    return duration is None or len(starts) < _FEWEST_LINES or span >= _SHORTEST_SPAN * duration


def _too_fast(timed: Sequence[tuple[float, str]]) -> list[bool]:
    """Check for each line but the last whether it is too long to be sung before the next one."""
    return [
        len(text) > _FASTEST * max(0.05, after - start)
        for (start, text), (after, _) in pairwise(timed)
    ]


def _share(flags: Iterable[bool]) -> float:
    found = list(flags)
    return sum(found) / len(found) if found else 0.0
