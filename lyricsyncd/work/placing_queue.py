"""Hand out songs to be placed, in their order, but the copies of one recording one after the other.

The second copy takes the times of the first (`same_recording`), which has to be done by then. What
waits for another copy holds up no other song.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PlacingQueue(Generic[T]):
    """A queue for several threads.

    Parameters
    ----------
    alike : callable
        Return whether the first of two songs has to wait while the second is being placed.
    """

    def __init__(self, alike: Callable[[T, T], bool]) -> None:
        self._alike = alike
        self._waiting: list[T] = []
        self._taken: list[T] = []
        self._closed = False
        self._changed = threading.Condition()

    def put(self, song: T) -> None:
        """Add a song."""
        with self._changed:
            self._waiting.append(song)
            self._changed.notify_all()

    def take(self) -> T | None:
        """Wait for the next song that may be placed now; ``None`` once the queue is closed and
        empty. What is taken has to be reported with `done`."""
        with self._changed:
            while True:
                for at, song in enumerate(self._waiting):
                    if not any(self._alike(song, other) for other in self._taken):
                        self._taken.append(self._waiting.pop(at))
                        return song
                if self._closed and not self._waiting:
                    return None
                self._changed.wait()

    def done(self, song: T) -> None:
        """Report that a song is not being placed any more."""
        with self._changed:
            self._taken = [other for other in self._taken if other is not song]
            self._changed.notify_all()

    def close(self) -> None:
        """Let the threads end once no song is left."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
