"""Have songs placed anew that newer models may place better: slowly, and if nothing else is due."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from lyricsyncd.catalog.catalog import Catalog, State
from lyricsyncd.catalog.queries import MODELS
from lyricsyncd.library.status import COULD_BE_BETTER
from lyricsyncd.pipeline.identity import models_identity
from lyricsyncd.pipeline.settings import placing_settings
from lyricsyncd.service.component import Component, Interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from lyricsyncd.config.schema import Config

log = logging.getLogger(__name__)

_CHECK_S = 30.0
_RECOUNT_S = 300.0
IDLE_S = 600.0
"""Seconds for which no song was queued or in work before one is improved."""
PAUSE_S = 120.0
"""Least seconds between the end of one improvement and the next."""
_BUSY = 0.5
"""Load, per processor, from which on other programs are at work."""


class Improvements(Component):
    """Queue one song at a time whose result could be better.

    Parameters
    ----------
    wake : callable
        Called when a song was queued.
    load : callable, optional
        Return the load of the last minute, per processor.
    """

    name = "improvements"

    def __init__(
        self,
        catalog: Catalog,
        wake: Callable[[], None],
        *,
        idle_s: float = IDLE_S,
        pause_s: float = PAUSE_S,
        load: Callable[[], float] = lambda: os.getloadavg()[0] / (os.cpu_count() or 1),
    ) -> None:
        self._catalog, self._wake, self._load = catalog, wake, load
        self._idle_s, self._pause_s = idle_s, pause_s
        self._check = Interval(min(_CHECK_S, pause_s))
        self._recount = Interval(_RECOUNT_S, first=_RECOUNT_S)
        self._wanted = False
        self._tried: set[int] = set()
        self._last: int | None = None
        self._begin_at: float | None = None

    def start(self, config: Config) -> None:
        self.reload(config)

    def reload(self, config: Config) -> None:
        self._wanted = config.quality.improve
        self._catalog.keep_all()
        if config.daemon.executor == "process":
            identity = models_identity(placing_settings(config).models)
            if self._catalog.noted(MODELS) not in (None, identity):
                log.info("the models or their calibrations have changed since the last start")
            self._catalog.note(MODELS, identity)
        if count := self._count():
            log.info("%d songs could be better now, see quality.improve", count)

    def tick(self, now: float) -> None:
        if self._recount.due(now):
            self._count()
        if not self._wanted or not self._check.due(now):
            return
        if at_work := self._at_work():
            # A song that was improved, and nothing else, has the next one follow sooner.
            own = self._last is not None and at_work == {self._last}
            self._begin_at = now + (self._pause_s if own else self._idle_s)
        elif self._begin_at is None:
            self._begin_at = now + self._idle_s
        elif now >= self._begin_at and self._load() < _BUSY:
            self._queue_one()

    def _count(self) -> int:
        """Count the songs that could be better, and note that for `status`, which may not: there
        can be very many."""
        count = self._catalog.count_improvable()
        if self._catalog.noted(COULD_BE_BETTER) != str(count):
            self._catalog.note(COULD_BE_BETTER, str(count))
        return count

    def _at_work(self) -> set[int]:
        """Return songs that are in work, or due; two of them tell whether there are others."""
        now = self._catalog.clock()
        return {
            entry.id
            for entry in self._catalog.queue(2)
            if entry.state is State.WORKING or (entry.next_attempt_at or 0.0) <= now
        }

    def _queue_one(self) -> None:
        for id in self._catalog.improvable(len(self._tried) + 1):
            if id not in self._tried:
                # What fails is not tried again before the next start.
                self._tried.add(id)
                if self._catalog.improve(id):
                    self._last = id
                    self._wake()
                return
