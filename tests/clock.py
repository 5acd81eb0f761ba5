"""A clock that tests set forward."""

from __future__ import annotations


class Clock:
    """Seconds since 1970, as `time.time` tells them; ``now`` may be set."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now
