"""The boundary around one turn of a loop: what nobody expected costs that turn, and no more.

A song, a folder or an event that meets a programming error must not end the service for all others.
The error is not hidden: it is logged as one, with its traceback, and counted.
"""

from __future__ import annotations

import errno
import logging
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from lyricsyncd.errors import LyricsyncError
from lyricsyncd.patterns import one_line

log = logging.getLogger(__name__)

_REMEMBERED = 1000
_PASSING = frozenset(
    (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOSPC, errno.EDQUOT)
)


def passes(error: Exception) -> bool:
    """Whether an error is of the computer's state just now, and not of the file it was met on."""
    if isinstance(error, LyricsyncError):
        return error.transient
    return isinstance(error, OSError) and error.errno in _PASSING


class Mishaps:
    """The unexpected errors of a process, each logged once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: set[tuple[object, ...]] = set()
        self.count = 0
        """How many there were."""

    @contextmanager
    def cost_only(self, what: object) -> Iterator[None]:
        """Run one turn of a loop, on ``what``. Errors that a turn may meet are for its caller."""
        try:
            yield
        except (LyricsyncError, OSError):
            raise
        except Exception as error:  # noqa: BLE001 - the boundary that this module is about
            self._note(error, what)

    def _note(self, error: Exception, what: object) -> None:
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


MISHAPS = Mishaps()
"""Those of this process."""
