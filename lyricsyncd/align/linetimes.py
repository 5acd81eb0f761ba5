"""Check whether a source's line times belong to this recording.

Line times are made for one release of a song and found again with another: a remaster that starts
half a second later, a video with an intro, a live version, a radio edit without the second verse.
The differences to the lines that a search without them found decide: all the same is a constant
offset, growing is a version at another speed, the same on each side of a jump is a version with a
part more or less. Lines that the search misplaced are outliers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

DoubleArray = npt.NDArray[np.float64]

AGREE_S = 0.5
"""Seconds within which a line agrees with an offset: line times are set by hand."""
LEAST_SHARE = 0.6
"""Share of lines that must agree before anything is believed of them all."""
LEAST_LINES = 4
"""Fewer lines than these decide nothing."""
LEAST_OFFSET_S = 0.15
"""A smaller offset is within what sources mean by the start of a line."""
LEAST_STRETCH = 0.004
"""Share of the time by which a file for another speed drifts at least."""
LEAST_JUMP_S = 1.0
"""Seconds by which a part more or less moves what follows at least."""
_KERNEL_S = 0.15
_MEAN_SHIFTS = 4


class Fit(Enum):
    """Agreement of line times with a recording."""

    GOOD = "good"
    """As they are."""
    SHIFTED = "shifted"
    """All too late or too early by the same."""
    DRIFTING = "drifting"
    """Made for a version at another speed."""
    JUMPING = "jumping"
    """Made for a version with a part more or less."""
    UNCLEAR = "unclear"
    """The search misplaced too many lines to decide; nothing speaks against them."""
    DOUBTFUL = "doubtful"
    """The same, and the audio does not fit the lines at these times."""


@dataclass(frozen=True, slots=True)
class LineTimes:
    """The result of the check of a source's line times.

    Attributes
    ----------
    offset : float
        Seconds that the file is late (negative: early); of a `JUMPING` one before its jump.
    stretch : float
        Share by which its clock runs fast: 0.04 where four minutes take 4 min 10 s.
    jump : float
        Seconds that it is later after its jump than before.
    agreeing : float
        Share of lines within `AGREE_S` of what this says, 0-1.
    """

    fit: Fit
    offset: float = 0.0
    stretch: float = 0.0
    jump: float = 0.0
    agreeing: float = 0.0

    @property
    def belong(self) -> bool:
        """Return whether the times, once `corrected`, count as those of this recording."""
        return self.fit not in (Fit.DRIFTING, Fit.JUMPING, Fit.DOUBTFUL)

    def corrected(self, stated: Sequence[float | None]) -> list[float | None]:
        """Remove a constant offset from line times; those of another version become ``None``."""
        if not self.belong:
            return [None] * len(stated)
        if self.fit is not Fit.SHIFTED:
            return list(stated)
        return [None if start is None else max(0.0, start - self.offset) for start in stated]

    @property
    def reason(self) -> str | None:
        """A sentence where they were changed or dropped; ``None`` where they are used as is."""
        if self.fit is Fit.SHIFTED:
            early_or_late = "late" if self.offset > 0 else "early"
            return f"The line times were {abs(self.offset):.1f} s {early_or_late} and were moved"
        if self.fit is Fit.DRIFTING:
            return (
                f"The line times drift by {abs(self.stretch):.1%}: they belong to a version at "
                "another speed and were not used"
            )
        if self.fit is Fit.JUMPING:
            return (
                f"The line times jump by {abs(self.jump):.0f} s: they belong to a version with a "
                "part more or less and were not used"
            )
        if self.fit is Fit.DOUBTFUL:
            return "The line times do not fit what is sung and were not used"
        return None


def compare(stated: Sequence[float | None], found: Sequence[float | None]) -> LineTimes:
    """Compare line times with those that a search without them found.

    Parameters
    ----------
    stated, found : sequence of float or None
        Seconds, one a line; ``None`` where nothing is known.
    """
    at, late = _differences(stated, found)
    if len(at) < LEAST_LINES:
        return LineTimes(Fit.UNCLEAR)
    offset, agreeing = _mode(late)
    stretched = _stretched(at, late)
    if stretched.agreeing >= max(LEAST_SHARE, agreeing + 0.15):
        return stretched
    jumping = _jumping(late)
    if jumping is not None and jumping.agreeing >= max(LEAST_SHARE, agreeing + 0.1):
        return jumping
    if agreeing < LEAST_SHARE:
        return LineTimes(Fit.UNCLEAR, agreeing=agreeing)
    if abs(offset) < LEAST_OFFSET_S:
        return LineTimes(Fit.GOOD, offset, agreeing=agreeing)
    return LineTimes(Fit.SHIFTED, offset, agreeing=agreeing)


def constant_offset(stated: Sequence[float | None], found: Sequence[float | None]) -> float | None:
    """Return the seconds that all line times are late; ``None`` where no single offset fits."""
    times = compare(stated, found)
    return times.offset if times.fit in (Fit.GOOD, Fit.SHIFTED) else None


def of_another_version(stated: Sequence[float | None], found: Sequence[float | None]) -> bool:
    """Return whether line times drift or jump, as those of another version of the song do."""
    return not compare(stated, found).belong


def _differences(
    stated: Sequence[float | None], found: Sequence[float | None]
) -> tuple[DoubleArray, DoubleArray]:
    """Return when lines known to both were found, in order, and how late the file has them."""
    pairs = [
        (f, s - f) for s, f in zip(stated, found, strict=True) if s is not None and f is not None
    ]
    ordered = np.array(sorted(pairs), np.float64).reshape(-1, 2)
    return ordered[:, 0], ordered[:, 1]


def _mode(late: DoubleArray) -> tuple[float, float]:
    """Return the offset that most lines agree on, and their share.

    Each line counts by its distance from where they are densest (mean shift, Comaniciu and Meer
    2002): over a dozen lines this errs less than their median, and outliers hardly weigh.
    """
    apart = late[:, None] - late
    density = np.exp(-0.5 * (apart / _KERNEL_S) ** 2).sum(axis=1)
    offset = float(late[density.argmax()])
    for _ in range(_MEAN_SHIFTS):
        weight = np.exp(-0.5 * ((late - offset) / _KERNEL_S) ** 2)
        offset = float((weight * late).sum() / weight.sum())
    return offset, float((np.abs(late - offset) <= AGREE_S).mean())


def _stretched(at: DoubleArray, late: DoubleArray) -> LineTimes:
    """Fit the best straight line through any two differences that are far apart."""
    i, j = np.triu_indices(len(at), 1)
    far = at[j] - at[i] > 0.3 * (at[-1] - at[0])
    i, j = i[far], j[far]
    slope = (late[j] - late[i]) / (at[j] - at[i])
    # No version is more than a quarter faster or slower.
    sane = np.abs(slope) <= 0.25
    i, slope = i[sane], slope[sane]
    if len(slope) == 0:
        return LineTimes(Fit.UNCLEAR)
    offset = late[i] - slope * at[i]
    off = np.abs(late - offset[:, None] - slope[:, None] * at)
    best = int(np.exp(-0.5 * (off / _KERNEL_S) ** 2).sum(axis=1).argmax())
    agreeing = float((off[best] <= AGREE_S).mean())
    if abs(slope[best]) < LEAST_STRETCH:
        return LineTimes(Fit.UNCLEAR)
    return LineTimes(Fit.DRIFTING, float(offset[best]), float(slope[best]), agreeing=agreeing)


def _jumping(late: DoubleArray) -> LineTimes | None:
    """Find the best split into lines before and after a jump, each side in agreement."""
    best: LineTimes | None = None
    for cut in range(LEAST_LINES, len(late) - LEAST_LINES + 1):
        before, share_before = _mode(late[:cut])
        after, share_after = _mode(late[cut:])
        if abs(after - before) < LEAST_JUMP_S or min(share_before, share_after) < LEAST_SHARE:
            continue
        agreeing = (cut * share_before + (len(late) - cut) * share_after) / len(late)
        if best is None or agreeing > best.agreeing:
            best = LineTimes(Fit.JUMPING, before, jump=after - before, agreeing=agreeing)
    return best
