"""Wait until files are copied completely: their size and time have not changed for a while.

Nothing is read here: the caller supplies the time and the fingerprints of files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lyricsyncd.catalog.records import Fingerprint


@dataclass(frozen=True, slots=True)
class StableFile:
    """A file that has stopped changing; without a fingerprint it is deleted."""

    path: Path
    fingerprint: Fingerprint | None


@dataclass(slots=True)
class _Waiting:
    fingerprint: Fingerprint | None
    since: float


class Debouncer:
    """Hold files with events until they have not changed for ``wait_s`` seconds."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s
        self._waiting: dict[Path, _Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def touch(self, path: Path, fingerprint: Fingerprint | None, now: float) -> None:
        """Hold a file that has an event, with its present fingerprint."""
        waiting = self._waiting.get(path)
        if waiting is None or waiting.fingerprint != fingerprint:
            self._waiting[path] = _Waiting(fingerprint, now)

    def due(
        self, now: float, fingerprint_of: Callable[[Path], Fingerprint | None]
    ) -> list[StableFile]:
        """Return the files that have stopped changing, and hold them no longer.

        Only files whose wait is over are examined; one that has changed waits anew.
        """
        stable = []
        for path, waiting in list(self._waiting.items()):
            if now - waiting.since < self.wait_s:
                continue
            fingerprint = fingerprint_of(path)
            if fingerprint == waiting.fingerprint:
                stable.append(StableFile(path, fingerprint))
                del self._waiting[path]
            else:
                self._waiting[path] = _Waiting(fingerprint, now)
        return stable

    def put_back(self, file: StableFile, now: float, after: float) -> None:
        """Hold a file once more, to be due again after ``after`` seconds."""
        waiting = _Waiting(file.fingerprint, now + after - self.wait_s)
        self._waiting.setdefault(file.path, waiting)

    def next_due(self) -> float | None:
        """Return the time to call `due` next; ``None`` while no file is held."""
        if not self._waiting:
            return None
        return min(waiting.since for waiting in self._waiting.values()) + self.wait_s
