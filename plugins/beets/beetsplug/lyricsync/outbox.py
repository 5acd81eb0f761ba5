"""Events in the library that are still to be sent to the service."""

from __future__ import annotations

import threading
from typing import Any


class Outbox:
    """Collect the events of songs, and merge several events of one song.

    beets' importer works in threads, so it may be called from any.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: dict[str, dict[str, Any]] = {}

    def __len__(self) -> int:
        return len(self._events)

    def imported(self, path: str) -> None:
        """Add a song that was imported."""
        with self._lock:
            self._events[path] = {"event": "imported", "path": path}

    def moved(self, source: str, path: str) -> None:
        """Add a song that was moved."""
        with self._lock:
            before = self._events.pop(source, None)
            if before is not None and before["event"] == "imported":
                self._events[path] = {"event": "imported", "path": path}
            else:
                first = source if before is None else before.get("from", source)
                self._events[path] = {"event": "moved", "path": path, "from": first}

    def removed(self, path: str) -> None:
        """Add a song that was removed. Its file may still be there, which the service checks."""
        with self._lock:
            self._events[path] = {"event": "removed", "path": path}

    def take(self) -> list[dict[str, Any]]:
        """Return all events so far, and remove them."""
        with self._lock:
            events, self._events = list(self._events.values()), {}
        return events
