"""Keep systemd's watchdog fed while the service works, and show what it does."""

from __future__ import annotations

import logging
from collections.abc import Callable

from lyricsyncd.catalog.catalog import Catalog, State
from lyricsyncd.errors import WriteError
from lyricsyncd.library.status import UNEXPECTED_ERRORS
from lyricsyncd.service.component import Component, Interval
from lyricsyncd.systemd.notify import sd_notify, watchdog_interval
from lyricsyncd.unexpected import TRANSIENT, UNEXPECTED
from lyricsyncd.work.runner import Runner

log = logging.getLogger(__name__)

_BEAT_S = 20.0


class Heartbeat(Component):
    """Proof that the service works: the catalog takes a write, and the threads are alive.

    Parameters
    ----------
    alive : callable
        Return whether all essential components are alive.
    """

    name = "heartbeat"

    def __init__(self, catalog: Catalog, runner: Runner, alive: Callable[[], bool]) -> None:
        self._catalog, self._runner, self._alive = catalog, runner, alive
        self._noted: int | None = None
        self._interval = Interval(min(_BEAT_S, (watchdog_interval() or 3 * _BEAT_S) / 3))

    def tick(self, now: float) -> None:
        if self._interval.due(now):
            self._beat()

    def _beat(self) -> None:
        try:
            self._runner.beat()
            self._note_unexpected_errors()
            self._catalog.check_writer()
            text = self._summary()
        except WriteError as error:
            # A full disk is reported at once; restarting the service would not empty it.
            TRANSIENT.log(error)
            text = error.message
        if not self._alive():
            log.critical("a working thread has ended; the service must be started anew")
            return
        sd_notify("WATCHDOG=1", f"STATUS={text}")

    def _note_unexpected_errors(self) -> None:
        count = UNEXPECTED.count
        if count != self._noted:
            self._catalog.note(UNEXPECTED_ERRORS, str(count))
            self._noted = count

    def _summary(self) -> str:
        counts = self._catalog.counts()
        done = sum(counts[state] for state in (State.DONE, State.MIXED, State.LINES))
        text = f"{done} songs done, {counts[State.PENDING] + counts[State.WORKING]} to do"
        at_work = self._runner.at_work
        if self._catalog.paused:
            return f"Paused; {text}"
        if self._catalog.settings_error:
            return f"No song is taken up: {self._catalog.settings_error}; {text}"
        return f"{at_work[0].name}; {text}" if at_work else f"Idle; {text}"
