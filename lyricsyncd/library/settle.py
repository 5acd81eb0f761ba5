"""When a file has been copied completely: its size and time have not changed for a while.

Pure bookkeeping: who calls brings the time and how the files look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lyricsyncd.catalog.records import Fingerprint


@dataclass(frozen=True, slots=True)
class StableFile:
    """A file that has come to rest; without a fingerprint it is gone."""

    path: Path
    fingerprint: Fingerprint | None


@dataclass(slots=True)
class _Waiting:
    looks: Fingerprint | None
    since: float


class Debouncer:
    """Files that something was heard of, until they have been still for ``wait_s`` seconds."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s
        self._waiting: dict[Path, _Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def touch(self, path: Path, looks: Fingerprint | None, now: float) -> None:
        """Something happened to a file, which now looks like this."""
        waiting = self._waiting.get(path)
        if waiting is None or waiting.looks != looks:
            self._waiting[path] = _Waiting(looks, now)

    def due(self, now: float, look: Callable[[Path], Fingerprint | None]) -> list[StableFile]:
        """The files that have come to rest; they are waited for no longer.

        Only those whose wait is over are looked at; one that changed waits from now on.
        """
        settled = []
        for path, waiting in list(self._waiting.items()):
            if now - waiting.since < self.wait_s:
                continue
            looks = look(path)
            if looks == waiting.looks:
                settled.append(StableFile(path, looks))
                del self._waiting[path]
            else:
                self._waiting[path] = _Waiting(looks, now)
        return settled

    def put_back(self, settled: StableFile, now: float, after: float) -> None:
        """Wait for a file once more, which is due again after so many seconds."""
        waiting = _Waiting(settled.fingerprint, now + after - self.wait_s)
        self._waiting.setdefault(settled.path, waiting)

    def next_due(self) -> float | None:
        """When to call `due` next; ``None`` while nothing waits."""
        if not self._waiting:
            return None
        return min(waiting.since for waiting in self._waiting.values()) + self.wait_s
