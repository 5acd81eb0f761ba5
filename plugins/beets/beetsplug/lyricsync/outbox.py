"""What has happened in the library and is still to be told to the service."""

from __future__ import annotations

import threading
from typing import Any


class Outbox:
    """Collects what happens to songs; a song that meets several things is told of once.

    beets' importer works in threads, so it may be called from any.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: dict[str, dict[str, Any]] = {}

    def __len__(self) -> int:
        return len(self._events)

    def imported(self, path: str) -> None:
        """A song has come into the library."""
        with self._lock:
            self._events[path] = {"event": "imported", "path": path}

    def moved(self, source: str, path: str) -> None:
        """A song has another name now."""
        with self._lock:
            before = self._events.pop(source, None)
            if before is not None and before["event"] == "imported":
                self._events[path] = {"event": "imported", "path": path}
            else:
                first = source if before is None else before.get("from", source)
                self._events[path] = {"event": "moved", "path": path, "from": first}

    def removed(self, path: str) -> None:
        """A song has left the library. It may still be there; the service looks."""
        with self._lock:
            self._events[path] = {"event": "removed", "path": path}

    def take(self) -> list[dict[str, Any]]:
        """Everything so far; the box is empty after it."""
        with self._lock:
            events, self._events = list(self._events.values()), {}
        return events
