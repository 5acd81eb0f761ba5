"""Decide for each line what is written of it: word times, the line's time, or an estimate.

Errors come in stretches: a lost chorus, a verse that is not sung. The confidences are low exactly
there, so the other lines need not suffer for it. On 28 songs with human timings, the lines whose
words have a mean confidence of 0.7 or more hold 94 % of the words, and 98 % of those are in place.

The score of the song decides first: of lyrics that are not those of the recording nothing is
written, however well a line of them fits by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from lyricsyncd.model import Decision

NEARLY_ALL = 0.93
"""Share of words with times from which a song counts as one with word times."""
FEWEST = 1 / 3
"""Share of words that the sure lines must hold: of a song that is mostly doubtful, the few lines
that seem sure are not to be believed either."""
SURE_START = 0.6
"""Confidence of a line's first word from which the line starts where that was placed: of lines
that are doubtful otherwise, 92 % then start within half a second."""
_SUNG = 0.5
"""Vocal activity from which a frame counts as sung."""
_GATES = (Decision.WORDS, Decision.LINES)
"""Decisions about a song under which its lines are written."""


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line as it was placed; N words, at least one.

    Attributes
    ----------
    onset, offset : tuple of float, length N
        Seconds; onsets never decrease, from line to line neither.
    confidence : tuple of float, length N
        Of each word, 0-1.
    stated : float or None
        Seconds at which a source has the line, where its line times fit this recording.
    """

    onset: tuple[float, ...]
    offset: tuple[float, ...]
    confidence: tuple[float, ...]
    stated: float | None = None

    @property
    def sureness(self) -> float:
        """Mean confidence of its words, 0-1, in whole percent: they are no surer than that."""
        return round(sum(self.confidence) / len(self.confidence), 2)


class LineTiming(Enum):
    """Kinds of times that a line is written with."""

    WORDS = "words"
    """The time of each word."""
    START = "start"
    """When it starts."""
    ESTIMATED = "estimated"
    """A start between those of the lines beside it."""


@dataclass(frozen=True, slots=True)
class TimedLine:
    """Times that a line is written with, and its start in seconds."""

    timing: LineTiming
    start: float


@dataclass(frozen=True, slots=True)
class Activity:
    """Vocal activity.

    Attributes
    ----------
    frames : ndarray of float32, shape (T,)
        0 (silent) to 1 (sung).
    hop : float
        Seconds from frame to frame.
    """

    frames: npt.NDArray[np.float32]
    hop: float

    def spread(self, first: float, last: float, shares: Sequence[float]) -> list[float]:
        """Return the moments at which shares, 0-1, of what is sung between two moments are over.

        Where nothing is sung, the shares are those of the time.
        """
        begin = max(0, int(np.ceil(first / self.hop)))
        frames = self.frames[begin : max(begin, int(last / self.hop))]
        sung = np.cumsum(np.where(frames >= _SUNG, frames, 0.0), dtype=np.float64)
        if len(sung) == 0 or sung[-1] == 0.0:
            return spread_evenly(first, last, shares)
        at = np.searchsorted(sung, np.array(shares) * sung[-1], side="right")
        return [float(begin + min(frame, len(sung) - 1)) * self.hop for frame in at]


def spread_evenly(first: float, last: float, shares: Sequence[float]) -> list[float]:
    """Return the moments at which shares, 0-1, of the time between two moments are over."""
    return [first + share * (last - first) for share in shares]


def sure_lines(lines: Sequence[PlacedLine], bar: float) -> tuple[bool, ...]:
    """Return which lines are written with word times: those whose mean confidence reaches the bar,
    unless they are too small a part of the song (`FEWEST`)."""
    sure = tuple(line.sureness >= bar for line in lines)
    return sure if _share(lines, sure) >= FEWEST else (False,) * len(lines)


def song_decision(
    song: Decision, lines: Sequence[PlacedLine], with_words: Sequence[bool]
) -> Decision:
    """Return the decision about a song from that by its score and from its lines."""
    share = _share(lines, with_words)
    if song not in _GATES:
        return song
    if share >= NEARLY_ALL:
        return Decision.WORDS
    return Decision.MIXED if share > 0 else Decision.LINES


def decide_lines(
    song: Decision,
    lines: Sequence[PlacedLine],
    *,
    words: float,
    starts: float = SURE_START,
    activity: Activity | None = None,
) -> tuple[Decision, tuple[TimedLine, ...]]:
    """Decide what is written of each line, and of the song.

    Parameters
    ----------
    song : Decision
        By the score of the song: `WORDS` or `LINES` where anything may be written.
    words : float
        Mean confidence of a line from which on its words are written with their times.
    starts : float
        Confidence of a line's first word from which on the line starts where that was placed.
    activity : Activity, optional
        Where estimated starts are spread over what is sung; over the time otherwise.

    Returns
    -------
    Decision
        As `song_decision` has it.
    tuple of TimedLine
        One per line; starts never decrease.
    """
    with_words = sure_lines(lines, words) if song in _GATES else (False,) * len(lines)
    decision = song_decision(song, lines, with_words)
    known = _known_starts(lines, with_words, starts)
    return decision, _timed(lines, with_words, known, activity)


def _share(lines: Sequence[PlacedLine], chosen: Sequence[bool]) -> float:
    """Return the share of words that are in chosen lines."""
    counts = [len(line.onset) for line in lines]
    total = sum(counts)
    return (
        sum(n for n, is_in in zip(counts, chosen, strict=True) if is_in) / total if total else 0.0
    )


def _known_starts(
    lines: Sequence[PlacedLine], with_words: Sequence[bool], bar: float
) -> list[float | None]:
    """Return the starts that are sure, in an order that holds: that of a line with word times, else
    the source's, else that of a first word that is sure by itself."""
    ceilings, ceiling = [], np.inf
    for line, is_sure in zip(reversed(lines), reversed(with_words), strict=True):
        ceilings.append(ceiling)
        ceiling = line.onset[0] if is_sure else ceiling
    known: list[float | None] = []
    floor = 0.0
    for line, is_sure, ceiling in zip(lines, with_words, reversed(ceilings), strict=True):
        candidates = [line.onset[0]] if is_sure else _candidates(line, bar)
        fitting = (start for start in candidates if is_sure or floor <= start <= ceiling)
        start = next(fitting, None)
        known.append(start)
        if start is not None:
            floor = max(start, line.onset[-1]) if is_sure else start
    return known


def _candidates(line: PlacedLine, bar: float) -> list[float]:
    stated = [] if line.stated is None else [line.stated]
    return [*stated, *([line.onset[0]] if line.confidence[0] >= bar else [])]


def _timed(
    lines: Sequence[PlacedLine],
    with_words: Sequence[bool],
    known: Sequence[float | None],
    activity: Activity | None,
) -> tuple[TimedLine, ...]:
    """Fill in the starts that are not known, each run of lines between those beside it."""
    timed = [
        TimedLine(LineTiming.WORDS if is_sure else LineTiming.START, start or 0.0)
        for start, is_sure in zip(known, with_words, strict=True)
    ]
    sure = [at for at, start in enumerate(known) if start is not None]
    for before, after in pairwise([-1, *sure, len(lines)]):
        if after - before == 1:
            continue
        first, last = _room(lines, with_words, known, before, after)
        # A line before them whose end is not known takes its share of the time, too.
        led = before >= 0 and not with_words[before]
        counts = [len(line.onset) for line in lines[before + (not led) : after]]
        shares = (np.cumsum([0, *counts[:-1]]) / sum(counts))[led:].tolist()
        spread = spread_evenly if activity is None else activity.spread
        for at, start in enumerate(spread(first, last, shares), start=before + 1):
            timed[at] = TimedLine(LineTiming.ESTIMATED, min(max(start, first), last))
    return tuple(timed)


def _room(
    lines: Sequence[PlacedLine],
    with_words: Sequence[bool],
    known: Sequence[float | None],
    before: int,
    after: int,
) -> tuple[float, float]:
    """Return between which moments the lines between two others lie; at the song's edges, between
    its first word and its last."""
    first = known[before] if before >= 0 else lines[0].onset[0]
    last = known[after] if after < len(lines) else lines[-1].offset[-1]
    assert first is not None, "the line before is known"
    assert last is not None, "the line after is known"
    if before >= 0 and with_words[before]:
        first = max(lines[before].onset[-1], lines[before].offset[-1])
    return (min(first, last), last) if after < len(lines) else (first, max(first, last))


def explained(
    expected: str, decision: Decision, lines: Sequence[PlacedLine], timed: Sequence[TimedLine]
) -> str:
    """Return a sentence about what is written of the lines of a song.

    Parameters
    ----------
    expected : str
        The share of words that are expected to be in place, as `quality.expected` has it.
    """
    counts = {timing: sum(line.timing is timing for line in timed) for timing in LineTiming}
    n, estimated = counts[LineTiming.WORDS], counts[LineTiming.ESTIMATED]
    if n == len(lines):
        return f"{expected}: every line is sure enough for word times"
    times = "a time of their own" if not estimated else f"one time each, {estimated} estimated"
    if decision is Decision.LINES:
        return f"{expected}: too few lines are sure enough for word times, they have {times}"
    return (
        f"{expected}: {n} of {len(lines)} lines are sure enough for word times, others have {times}"
    )
