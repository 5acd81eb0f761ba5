"""How far the service is, as plain values: for the command line and over HTTP alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lyricsyncd.catalog.catalog import Catalog, State
from lyricsyncd.library.scan import Rules, offline
from lyricsyncd.sqlite_files import last_repairs

_LATEST = 5
"""Results that are named."""
_PACE_S = 3600.0
"""The pace is that of the songs that were finished within this."""
_PACE_OF = 3
"""Fewer songs than these tell nothing of the pace."""


def status(catalog: Catalog, libraries: Iterable[Rules], *, running: bool) -> dict[str, Any]:
    """Songs in each state, what is in work, what waits and why, and how the libraries are."""
    counts = catalog.counts()
    total = sum(counts.values())
    left = counts[State.PENDING] + counts[State.WORKING]
    waiting = _waiting(catalog)
    later, later_from = catalog.due_later()
    held = sum(wait["songs"] for wait in waiting if wait["until"] is not None)
    hourly = catalog.songs_per_hour(_PACE_S, _PACE_OF) if running else None
    due = max(0, left - held - later)
    return {
        "running": running,
        "paused": catalog.paused,
        "settings_error": catalog.settings_error,
        "resting": catalog.hush if running else None,
        "songs": {state.value: count for state, count in counts.items()},
        "total": total,
        "finished": total - left,
        "percent": round(100 * (total - left) / total, 1) if total else None,
        "songs_per_hour": None if hourly is None else round(hourly, 1),
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


def _waiting(catalog: Catalog) -> list[dict[str, Any]]:
    """The hosts that songs wait for, why, and when each is tried next (``None``: at once)."""
    now, rests = catalog.clock(), {rest.host: rest for rest in catalog.rests()}
    found = []
    for host, songs in sorted(catalog.waiting().items()):
        rest = rests.get(host)
        until = rest.until if rest is not None and rest.until > now else None
        why = "" if rest is None else rest.why
        found.append({"host": host, "songs": songs, "why": why, "until": until})
    return found
