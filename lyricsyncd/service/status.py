"""How far the service is, as plain values: for the command line and over HTTP alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lyricsyncd.catalog.catalog import Catalog, State
from lyricsyncd.library.scan import Rules, offline


def status(catalog: Catalog, libraries: Iterable[Rules], *, running: bool) -> dict[str, Any]:
    """Songs in each state, what is in work, and how the libraries are."""
    return {
        "running": running,
        "paused": catalog.paused,
        "songs": {state.value: count for state, count in catalog.counts().items()},
        "working": [entry.as_dict() for entry in catalog.entries(states=[State.WORKING])],
        "libraries": [
            {
                "path": str(rules.root),
                "online": not offline(rules.root),
                "scanned_at": catalog.scanned_at(rules.root),
            }
            for rules in libraries
        ],
        "state": str(catalog.path.parent),
    }
