"""The boundary around one turn of a loop: what nobody expected costs that turn, and no more.

A song, a folder or an event that meets a programming error must not end the service for all others.
The error is not hidden: it is logged as one, with its traceback, and counted. What is expected, and
passes by itself (a full disk, say), is told apart: it costs nothing but time.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from lyricsyncd.patterns import one_line

log = logging.getLogger(__name__)

_REMEMBERED = 1000
_TOLD_EVERY_S = 600.0


class Mishaps:
    """The unexpected errors of a process, each logged once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: set[tuple[object, ...]] = set()
        self.count = 0
        """How many there were."""

    @contextmanager
    def cost_only(
        self, what: object, *, but: type[Exception] | tuple[type[Exception], ...] = ()
    ) -> Iterator[None]:
        """Run one turn of a loop, on ``what``. Errors in ``but`` are expected: they go on."""
        try:
            yield
        except but:
            raise
        except Exception as error:  # noqa: BLE001 - the boundary that this module is about
            self.note(error, what)

    def note(self, error: Exception, what: object) -> None:
        """Log an unexpected error that was met on ``what``: its traceback once, each file once."""
        with self._lock:
            self.count += 1
            frames = traceback.extract_tb(error.__traceback__)
            where = (type(error), frames[-1].filename, frames[-1].lineno)
            known, same = where in self._told, (where, what) in self._told
            if len(self._told) > _REMEMBERED:
                self._told.clear()
            self._told |= {where, (where, what)}
        if not same:
            text = one_line(str(what))
            log.error("%s: unexpected %r", text, error, exc_info=None if known else error)


class Trouble:
    """Trouble that passes by itself, and is met again and again until then: logged now and then."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def met(self, error: Exception) -> None:
        """Log an error, unless the same was logged a short while ago."""
        text, now = one_line(str(error)), time.monotonic()
        if now - self._told.get(text, -_TOLD_EVERY_S) < _TOLD_EVERY_S:
            return
        if len(self._told) > _REMEMBERED:
            self._told.clear()
        self._told[text] = now
        log.error("%s", text)


MISHAPS, TROUBLE = Mishaps(), Trouble()
"""Those of this process."""
