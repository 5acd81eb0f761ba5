"""Define what a component of the service is: something to start, reload, tick, and stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config


class Component:
    """A part of the service; all methods are called by the main thread, and do nothing by default.

    Attributes
    ----------
    name : str
        What messages call it.
    essential : bool
        Whether the service is of no use without it: an error at its start ends the service, and
        the watchdog is no longer fed when it is not alive.
    """

    name = ""
    essential = False

    def validate(self, config: Config) -> None:
        """Check a configuration before any component starts with it or reloads it.

        Raises
        ------
        LyricsyncError
            It cannot be used.
        """

    def start(self, config: Config) -> None:
        """Begin to work with a configuration."""

    def reload(self, config: Config) -> None:
        """Continue with another configuration."""

    def tick(self, now: float) -> None:
        """Do what is due; called at least every two seconds, with the monotonic clock."""

    def next_due(self) -> float | None:
        """Return the monotonic time of the next `tick` that must not be late, if there is one."""
        return None

    def stop(self) -> None:
        """End the work, within the time that the service has for it."""

    @property
    def alive(self) -> bool:
        """Return whether the threads of an essential component run."""
        return True


class Stoppable(Protocol):
    """A thread that has been started."""

    def stop(self) -> None:
        """Ask the thread to end, and wait for a moment."""


class ThreadComponent(Component):
    """A thread that is replaced whenever the configuration is read again.

    Parameters
    ----------
    name : str
    start : callable
        Starts the thread; ``None`` where the configuration wants none.
    """

    def __init__(self, name: str, start: Callable[[Config], Stoppable | None]) -> None:
        self.name = name
        self._start = start
        self._thread: Stoppable | None = None

    def start(self, config: Config) -> None:
        self.stop()
        self._thread = self._start(config)

    def reload(self, config: Config) -> None:
        self.start(config)

    def stop(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.stop()


class Interval:
    """Decide in `Component.tick` what is due only every so many seconds.

    Parameters
    ----------
    seconds : float
        Between two times that it is due.
    first : float
        Seconds from the first call to the first time that it is due.
    """

    def __init__(self, seconds: float, first: float = 0.0) -> None:
        self._seconds, self._first = seconds, first
        self._next: float | None = None

    def due(self, now: float) -> bool:
        """Return whether the interval is over; the next one then begins."""
        if self._next is None:
            self._next = now + self._first
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True
