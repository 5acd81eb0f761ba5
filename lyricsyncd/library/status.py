"""Report the progress of the service as plain values, for the command line and over HTTP alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lyricsyncd.catalog.catalog import Catalog, State
from lyricsyncd.library.roots import offline
from lyricsyncd.library.rules import Rules
from lyricsyncd.sqlite_files import last_repairs

UNEXPECTED_ERRORS = "unexpected_errors"
"""Name under which the service notes the count for other processes."""
COULD_BE_BETTER = "could_be_better"
"""Name of the count of songs that other models placed than those of now."""
_LATEST = 5
"""Results that are listed."""
_RATE_S = 3600.0
"""Seconds within which songs are counted for the rate."""
_RATE_OF = 3
"""Least number of songs for which a rate is reported."""


def status(catalog: Catalog, libraries: Iterable[Rules], *, running: bool) -> dict[str, Any]:
    """Report songs by state, those in work, those that wait and why, and the libraries."""
    counts = catalog.counts()
    total = sum(counts.values())
    unfinished = counts[State.PENDING] + counts[State.WORKING]
    waiting = _waiting(catalog)
    later, later_from = catalog.due_later()
    held = sum(wait["songs"] for wait in waiting if wait["until"] is not None)
    hourly = catalog.songs_per_hour(_RATE_S, _RATE_OF) if running else None
    due = max(0, unfinished - held - later)
    return {
        "running": running,
        "paused": catalog.paused,
        "settings_error": catalog.settings_error,
        "unexpected_errors": _noted_count(catalog, UNEXPECTED_ERRORS),
        "resting": catalog.quiet if running else None,
        "songs": {state.value: count for state, count in counts.items()},
        "total": total,
        "finished": total - unfinished,
        "percent": round(100 * (total - unfinished) / total, 1) if total else None,
        "songs_per_hour": None if hourly is None else round(hourly, 1),
        "could_be_better": _noted_count(catalog, COULD_BE_BETTER),
        "seconds_left": round(3600 * due / hourly) if hourly and due else None,
        "working": [entry.as_dict() for entry in catalog.entries(states=[State.WORKING])],
        "waiting": waiting,
        "later": {"songs": later, "from": later_from},
        "latest": [entry.as_dict() for entry in catalog.latest(_LATEST)],
        "libraries": [
            {
                "path": str(rules.root),
                "online": not offline(rules.root),
                "scanned_at": catalog.scanned_at(rules.root),
            }
            for rules in libraries
        ],
        "repairs": [
            {"at": repair.at, "text": repair.text, "report": repair.report}
            for repair in last_repairs(catalog.path.parent)
        ],
        "state": str(catalog.path.parent),
    }


def _noted_count(catalog: Catalog, name: str) -> int:
    """Return a count that the service noted under a name; 0 before it did."""
    noted = catalog.noted(name) or ""
    return int(noted) if noted.isdecimal() else 0


def _waiting(catalog: Catalog) -> list[dict[str, Any]]:
    """List the hosts that songs wait for, why, and when each is tried next (``None``: at once)."""
    now, rests = catalog.clock(), {rest.host: rest for rest in catalog.rests()}
    found = []
    for host, songs in sorted(catalog.waiting().items()):
        rest = rests.get(host)
        until = rest.until if rest is not None and rest.until > now else None
        why = "" if rest is None else rest.why
        found.append({"host": host, "songs": songs, "why": why, "until": until})
    return found
