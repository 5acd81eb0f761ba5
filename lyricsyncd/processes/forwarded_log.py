"""Log what a child process logs in its parent, which knows where to, how, and from what level on.

A process of its own without any handler would write bare messages to standard error.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable

MOST_RECORDS = 100
"""Most records of one task: a hostile file could give rise to any number."""

Record = tuple[str, int, str]
"""Logger, level and message."""


class ForwardingHandler(logging.Handler):
    """Send records to the parent.

    Parameters
    ----------
    send : callable
        Called with each record, in the thread that logged it.
    """

    def __init__(self, send: Callable[[Record], None]) -> None:
        super().__init__()
        self._send = send
        self._left = MOST_RECORDS

    def begin(self) -> None:
        """Begin to count anew, for the next task."""
        self._left = MOST_RECORDS

    def emit(self, record: logging.LogRecord) -> None:
        if self._left <= 0:
            return
        self._left -= 1
        message = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            message = f"{message} ({type(error).__name__}: {error})"
        # Where the parent is gone, nobody logs.
        with contextlib.suppress(OSError):
            self._send((record.name, record.levelno, message))


def forward(send: Callable[[Record], None], level: int) -> ForwardingHandler:
    """Have this process's log, and its warnings, sent to its parent.

    Parameters
    ----------
    level : int
        The least that the parent logs.
    """
    handler = ForwardingHandler(send)
    logging.basicConfig(handlers=[handler], level=level)
    logging.captureWarnings(True)
    return handler


def repeat(record: Record) -> None:
    """Log in this process what a child sent."""
    name, level, message = record
    # A warning of Python shows its line of code below it.
    logging.getLogger(name).log(level, "%s", " ".join(message.split()))
