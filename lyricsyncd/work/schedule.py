"""When the next scan is due, and when the models rest. All in local time."""

from __future__ import annotations

import datetime
import re

from lyricsyncd.config.schema import hours

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")


def next_scan(crontab: str, after: float) -> float | None:
    """When a line of a crontab is next due after a moment, both in seconds since the epoch.

    ``None`` where it never is (30 February).
    """
    from apscheduler.triggers.cron import CronTrigger

    minute, hour, day, month, weekday = crontab.split()
    trigger = CronTrigger.from_crontab(" ".join((minute, hour, day, month, _named(weekday))))
    # One microsecond on, or a scan that just began would be due at once.
    moment = datetime.datetime.fromtimestamp(after + 1e-6, tz=trigger.timezone)
    due: datetime.datetime | None = trigger.get_next_fire_time(None, moment)
    return None if due is None else due.timestamp()


def _named(weekdays: str) -> str:
    """Weekday numbers as names: 0 is Sunday in a crontab, and Monday to APScheduler 3."""
    if re.search(r"/", weekdays):
        # A step counts from its start: spell out the days that it meets.
        return ",".join(
            _stepped(part) if "/" in part else _named(part) for part in weekdays.split(",")
        )
    if re.search(r"\d-\d", weekdays):
        return ",".join(_ranged(part) for part in weekdays.split(","))
    return re.sub(r"\d", lambda match: _day(int(match.group())), weekdays)


def _ranged(part: str) -> str:
    match = re.fullmatch(r"(\d)-(\d)", part)
    if match is None:
        return re.sub(r"\d", lambda found: _day(int(found.group())), part)
    first, last = int(match.group(1)), int(match.group(2))
    return ",".join(_day(day) for day in range(first, last + 1))


def _stepped(part: str) -> str:
    span, step = part.split("/")
    match = re.fullmatch(r"(\d)-(\d)", span)
    if span == "*":
        first, last = 0, 6
    elif match is not None:
        first, last = int(match.group(1)), int(match.group(2))
    elif span.isdigit():
        first, last = int(span), 6
    else:
        return part
    return ",".join(_day(day) for day in range(first, last + 1, int(step)))


def _day(number: int) -> str:
    return _DAYS[number] if number < len(_DAYS) else str(number)


def quiet(quiet_hours: str | None, now: datetime.time) -> bool:
    """Whether a time of the day is within ``22:00-07:00``, say; the end is not."""
    if quiet_hours is None:
        return False
    begin, end = hours(quiet_hours)
    return begin <= now < end if begin < end else now >= begin or now < end


def resting(quiet_hours: str | None, active_hours: str | None, now: datetime.time) -> bool:
    """Whether the models rest at a time of the day: in the quiet hours, and outside the active."""
    return quiet(quiet_hours, now) or (active_hours is not None and not quiet(active_hours, now))
