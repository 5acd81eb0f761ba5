"""Format the log: for people, for systemd's journal, and as JSON for programs that collect logs."""

from __future__ import annotations

import copy
import datetime
import json
import logging
import os
import sys
from typing import Any

from lyricsyncd.printable import escaped

FORMATS = ("text", "json")
_QUIET = ("apscheduler", "distributed", "httpx", "httpx2", "httpcore", "watchdog")
"""Libraries whose own messages are too many."""
_PRIORITY = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}
"""Of syslog, which the journal takes from the start of a line; see sd-daemon(3)."""


def to_stderr(style: str = "text", level: int = logging.INFO) -> None:
    """Log to standard error; nothing else may have set up logging before."""
    handler = logging.StreamHandler()
    if style == "json":
        handler.setFormatter(_Json())
    elif _goes_to_the_journal():
        handler.setFormatter(_Journal())
    else:
        handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class OneLine(logging.Formatter):
    """Format a record as one line, whatever names are in it; its traceback follows, indented."""

    def format(self, record: logging.LogRecord) -> str:
        safe = copy.copy(record)
        safe.msg, safe.args, safe.exc_text = escaped(record.getMessage()), None, None
        first, *more = super().format(safe).split("\n")
        return "\n".join([first, *(f"  {escaped(line)}" for line in more)])


class _Journal(OneLine):
    """Put the priority before each line; the journal has a clock of its own."""

    def format(self, record: logging.LogRecord) -> str:
        mark = f"<{_PRIORITY.get(record.levelname, 6)}>"
        return "\n".join(mark + line for line in super().format(record).split("\n"))


class _Json(logging.Formatter):
    """Format a record as one line of JSON: time, level, logger and message, and what came of a song
    as ``song``."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
        fields: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (song := getattr(record, "song", None)) is not None:
            fields["song"] = song
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        # In ASCII: names of files need not be valid text.
        return json.dumps(fields)


def _goes_to_the_journal() -> bool:
    """Return whether standard error is the journal's; a shell in a unit may have redirected it."""
    stream = os.environ.get("JOURNAL_STREAM", "")
    try:
        stat = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return stream == f"{stat.st_dev}:{stat.st_ino}"
