"""Can these times be this recording's? Times of another version are worse than none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from lyricsyncd.model import Lyrics

BEYOND_END_S = 5.0
"""Seconds that the last line may begin after the song's end before its times are disbelieved."""
_FEWEST_LINES = 6
"""Fewer lines than these say nothing about where a song ends."""
_SHORTEST_SPAN = 0.25
"""Share of a song within which no song sings all of its lines."""
_FASTEST = 40.0
"""Characters a second that nobody sings."""
_BACKWARDS = 0.1
"""Share of lines that may begin before the one above them: second voices do."""


def believable(lyrics: Lyrics, duration: float | None) -> bool:
    """Whether the times of lyrics can belong to a song of a length, in seconds."""
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
    """For each line but the last, whether it cannot be sung before the next one begins."""
    return [
        len(text) > _FASTEST * max(0.05, after - start)
        for (start, text), (after, _) in pairwise(timed)
    ]


def _share(flags: Iterable[bool]) -> float:
    found = list(flags)
    return sum(found) / len(found) if found else 0.0
