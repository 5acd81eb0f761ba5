"""Contain unexpected errors, so that an error of one item does not end the loop over all items.

A song, a folder or an event that meets a programming error must not end the service for all others.
The error is not hidden: it is logged with its traceback, and counted. Transient errors of the
system (a full disk, say) are expected and handled where they occur; here they are only logged at a
bounded rate.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from lyricsyncd.printable import escaped

log = logging.getLogger(__name__)

_REMEMBERED = 1000
_REPEAT_S = 600.0


class UnexpectedErrors:
    """Log and count the unexpected errors of a process; repeated ones are logged once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._logged: set[tuple[object, ...]] = set()
        self.count = 0
        """Number of errors since the start."""

    @contextmanager
    def contain(
        self, what: object, *, but: type[Exception] | tuple[type[Exception], ...] = ()
    ) -> Iterator[None]:
        """Run the body of a loop for the item ``what``; errors of the types ``but`` propagate."""
        try:
            yield
        except but:
            raise
        except Exception as error:  # noqa: BLE001 - this is the boundary
            self.record(error, what)

    def record(self, error: Exception, what: object) -> None:
        """Log an error that item ``what`` raised: each traceback and item once."""
        with self._lock:
            self.count += 1
            frames = traceback.extract_tb(error.__traceback__)
            where = (type(error), frames[-1].filename, frames[-1].lineno)
            known, same = where in self._logged, (where, what) in self._logged
            if len(self._logged) > _REMEMBERED:
                self._logged.clear()
            self._logged |= {where, (where, what)}
        if not same:
            text = escaped(str(what))
            log.error("%s: unexpected %r", text, error, exc_info=None if known else error)


class TransientErrors:
    """Log errors that pass by themselves and recur until then, each at a bounded rate."""

    def __init__(self) -> None:
        self._logged: dict[str, float] = {}

    def log(self, error: Exception) -> None:
        """Log an error, unless the same was logged within the last minutes."""
        text, now = escaped(str(error)), time.monotonic()
        if now - self._logged.get(text, -_REPEAT_S) < _REPEAT_S:
            return
        if len(self._logged) > _REMEMBERED:
            self._logged.clear()
        self._logged[text] = now
        log.error("%s", text)


class Once:
    """Recognise texts that came before, of which a bounded number is kept: each is logged once."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def is_new(self, text: str) -> bool:
        """Return whether a text has not come before, and keep it."""
        if text in self._known:
            return False
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known.add(text)
        return True


UNEXPECTED, TRANSIENT = UnexpectedErrors(), TransientErrors()
"""The instances of this process."""
