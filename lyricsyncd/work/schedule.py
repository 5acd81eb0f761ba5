"""Compute when the next scan is due, and when the models are idle. All in local time."""

from __future__ import annotations

import datetime

from lyricsyncd.config import crontab
from lyricsyncd.config.values import hours


def next_scan(line: str, after: float) -> float | None:
    """Return when a line of a crontab is next due, both in seconds since the epoch.

    ``None`` where it never is (30 February).
    """
    trigger = crontab.trigger(line)
    # One microsecond on, or a scan that just began would be due at once.
    moment = datetime.datetime.fromtimestamp(after + 1e-6, tz=trigger.timezone)
    due: datetime.datetime | None = trigger.get_next_fire_time(None, moment)
    return None if due is None else due.timestamp()


def quiet(quiet_hours: str | None, now: datetime.time) -> bool:
    """Return whether a time of the day is within hours such as ``22:00-07:00``, without the end."""
    if quiet_hours is None:
        return False
    begin, end = hours(quiet_hours)
    return begin <= now < end if begin < end else now >= begin or now < end


def is_idle(quiet_hours: str | None, active_hours: str | None, now: datetime.time) -> bool:
    """Return whether the models are idle at a time of the day: in the quiet hours, and outside the
    active ones."""
    return quiet(quiet_hours, now) or (active_hours is not None and not quiet(active_hours, now))
