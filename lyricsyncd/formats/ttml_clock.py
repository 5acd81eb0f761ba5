"""Convert the times of TTML to seconds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lyricsyncd.formats.timing import checked, clock_ms

_CLOCK = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,6})(?:\.(\d{1,9}))?s?")
_OFFSET = re.compile(r"(\d{1,12})(?:\.(\d{1,9}))?(h|m|ms|f|t)")
_FRAMES = re.compile(r"(\d{1,4}):(\d{1,2}):(\d{1,2}):(\d{1,4})(?:\.\d{1,9})?")


@dataclass(frozen=True)
class Clock:
    """Convert the times of a document that declares these rates."""

    frame_rate: float = 30.0
    tick_rate: float = 1.0

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Clock:
        """Read the rates that a document declares, from the attributes of its root."""
        rate = _positive(values.get("frameRate"))
        frames = rate or 30.0
        numbers = values.get("frameRateMultiplier", "1 1").replace(":", " ").split()
        multiplier = [_positive(number) for number in numbers]
        if len(multiplier) == 2 and all(multiplier):
            frames *= (multiplier[0] or 1.0) / (multiplier[1] or 1.0)
        ticks = _positive(values.get("tickRate"))
        subframes = _positive(values.get("subFrameRate")) or 1.0
        return cls(frames, ticks or (frames * subframes if rate else 1.0))

    def seconds(self, text: str) -> float | None:
        """Return a time in seconds; ``None`` for text that is no time."""
        if match := _CLOCK.fullmatch(text):
            return clock_ms(*match.groups()) / 1000
        if match := _FRAMES.fullmatch(text):
            whole = clock_ms(match[1], match[2], match[3], None) / 1000
            return checked(round(whole + int(match[4]) / self.frame_rate, 3))
        if match := _OFFSET.fullmatch(text):
            number = float(f"{match[1]}.{match[2] or 0}")
            unit = {"h": 3600, "m": 60, "ms": 0.001, "f": 1 / self.frame_rate}
            return checked(round(number * unit.get(match[3], 1 / self.tick_rate), 3))
        return None


def _positive(text: str | None) -> float | None:
    try:
        value = float(text or 0)
    except ValueError:
        return None
    return value if 0 < value < 1e9 else None
