"""Run slow jobs (scans, backups) one after the other, in a thread beside the main loop."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lyricsyncd.errors import LyricsyncError
from lyricsyncd.service.component import Component
from lyricsyncd.unexpected import UNEXPECTED

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config

log = logging.getLogger(__name__)

_STOP_S = 1.0


@dataclass(frozen=True, slots=True)
class _Job:
    name: str
    run: Callable[[], None]


class Background(Component):
    """A queue of jobs and the thread that runs them; the first clears up after a crash."""

    name = "background jobs"
    essential = True

    def __init__(self) -> None:
        self.stopping = threading.Event()
        """Set when jobs should end early."""
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="background", daemon=True)

    def submit(self, name: str, job: Callable[[], None]) -> None:
        """Queue a job; an unexpected error of it is logged under its name."""
        self._jobs.put(_Job(name, job))

    def start(self, config: Config) -> None:  # noqa: ARG002 - part of the protocol
        self.submit("clearing up", _clear_after_crash)
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self._jobs.put(None)
        self._thread.join(_STOP_S)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None and not self.stopping.is_set():
            with UNEXPECTED.contain(job.name):
                job.run()


def _clear_after_crash() -> None:
    from lyricsyncd.tags import Journal, clear_after_crash

    try:
        Journal().check()
        clear_after_crash(Journal())
    except LyricsyncError as error:
        log.warning("%s", error)
