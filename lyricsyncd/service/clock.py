"""Notice that the system's clock jumped: back, which would make everything wait that long, or far
ahead, which would make everything due at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from lyricsyncd.catalog.catalog import Catalog
from lyricsyncd.service.component import Component

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config

log = logging.getLogger(__name__)

_SLACK_S = 60.0
"""A smaller correction of the clock has no effect worth the effort."""
_AHEAD_S = 86400.0
"""A smaller jump ahead does no more than a computer that was off for as long."""


def _since_boot() -> float:
    """Return seconds since the computer was started, those that it slept for included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Clock(Component):
    """Compare the system's clock with one that never jumps.

    Parameters
    ----------
    went_back : callable
        Called after the clock was set back while the service ran.
    wall : callable, optional
        The system's clock.
    steady : callable, optional
        Seconds since any moment, which no correction of the clock changes.
    """

    name = "clock"
    essential = True

    def __init__(
        self,
        catalog: Catalog,
        went_back: Callable[[], None],
        *,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = _since_boot,
    ) -> None:
        self._catalog, self._went_back = catalog, went_back
        self._wall, self._steady = wall, steady
        self._offset: float | None = None
        self._back = self._ahead = 0.0

    def start(self, config: Config) -> None:  # noqa: ARG002 - part of the protocol
        self._correct(self._catalog.ahead())

    def tick(self, now: float) -> None:  # noqa: ARG002 - it stands still while the computer sleeps
        offset, before = self._wall() - self._steady(), self._offset
        if before is None:
            self._offset = offset
        elif offset - before > _SLACK_S:
            self._offset = offset
            self._went_ahead(offset - before)
        elif before - offset > _SLACK_S:
            self._offset = offset
            self._correct(before - offset)
            self._went_back()

    def _correct(self, seconds: float) -> None:
        if seconds > _SLACK_S:
            log.warning("the clock went back by %.0f s", seconds)
            undone = min(seconds, self._ahead)
            self._ahead -= undone
            self._back += seconds - undone
            self._catalog.clock_went_back(seconds, undone)
        else:
            self._catalog.end_impossible_waits()

    def _went_ahead(self, seconds: float) -> None:
        if seconds > _AHEAD_S:
            log.warning("the clock went ahead by %.0f s", seconds)
            undone = min(seconds, self._back)
            self._back -= undone
            self._ahead += seconds - undone
            self._catalog.clock_went_ahead(seconds, undone)
