"""Lines of a crontab as triggers of APScheduler, which counts weekdays otherwise than cron."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""By their numbers in a crontab: 0 and 7 are Sunday. To APScheduler 3, 0 is Monday."""


def trigger(line: str, timezone: datetime.tzinfo | None = None) -> CronTrigger:
    """Make the trigger of five fields of a crontab; by default in local time.

    Raises
    ------
    ValueError
        It is not such a line.
    """
    from apscheduler.triggers.cron import CronTrigger

    *fields, weekdays = line.split()
    return CronTrigger.from_crontab(" ".join([*fields, _named(weekdays)]), timezone=timezone)


def _named(weekdays: str) -> str:
    """List the names of the weekdays of a field, such as ``mon,tue`` for ``1-2``."""
    if weekdays == "*":
        return weekdays
    days: list[str] = []
    for part in weekdays.lower().split(","):
        span, stepped, step = part.partition("/")
        first, ranged, last = span.partition("-")
        begin = 0 if span == "*" else _number(first)
        end = _number(last) if ranged else 6 if span == "*" or (stepped and begin < 7) else begin
        if begin > end:
            raise ValueError(part)
        days += _NAMES[begin : end + 1 : int(step or "1")]
    return ",".join(dict.fromkeys(days))


def _number(day: str) -> int:
    number = int(day) if day.isdecimal() else _NAMES.index(day)
    if number >= len(_NAMES):
        raise ValueError(day)
    return number
