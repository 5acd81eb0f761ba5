"""Notice that the system's clock was set back, which would make everything wait that long."""

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


class Clock(Component):
    """Compares the system's clock with the monotonic one.

    Parameters
    ----------
    went_back : callable
        Called after the clock was set back while the service ran.
    wall : callable, optional
        The system's clock.
    """

    name = "clock"
    essential = True

    def __init__(
        self,
        catalog: Catalog,
        went_back: Callable[[], None],
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._catalog, self._went_back, self._wall = catalog, went_back, wall
        self._offset: float | None = None

    def start(self, config: Config) -> None:  # noqa: ARG002 - part of the protocol
        self._correct(self._catalog.ahead())

    def tick(self, now: float) -> None:
        offset, before = self._wall() - now, self._offset
        if before is None or offset - before > _SLACK_S:
            # Forward, after the computer slept, say: what became due meanwhile is due.
            self._offset = offset
        elif before - offset > _SLACK_S:
            self._offset = offset
            self._correct(before - offset)
            self._went_back()

    def _correct(self, seconds: float) -> None:
        if seconds > _SLACK_S:
            log.warning("the clock went back by %.0f s", seconds)
            self._catalog.clock_went_back(seconds)
