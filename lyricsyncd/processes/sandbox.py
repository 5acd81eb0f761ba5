"""Parse a user's files in child processes that have limits of processor time and memory.

Tags, headers and lyrics files are untrusted input, and the libraries that parse them have no limits
of their own: a tag of some hundred kilobytes can keep them busy for minutes or fill the memory. A
file that breaks a limit, or crashes a parser, costs that file an error; the child is replaced.

The children are started when they are needed and end when idle, so that an idle service is as small
as without them. A child serves one caller at a time.
"""

from __future__ import annotations

import copy
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lyricsyncd.errors import AudioError, LyricsyncError, WorkerLost

if TYPE_CHECKING:
    from lyricsyncd.processes.executor import WorkerExecutor

T = TypeVar("T")

_KEEP_ALIVE_S = 30.0
_MAX_REFUSED = 1024
"""Number of files that broke a limit to remember: they are not parsed again until they change."""
_MOST_WARNINGS = 20
"""Most warnings of a call that are logged: a hostile file could give rise to any number."""
_FAULTS = frozenset({"SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP"})
"""Signals that a process causes itself; others were sent from outside."""

FileStamp = tuple[str, int, int, int]
"""Path, inode, size, and time of the last change."""


@dataclass
class Sandbox:
    """A child process for one kind of work, and the limits of each call in it."""

    name: str
    processor_s: float
    """Processor time, which a slow disk does not use up."""
    data_bytes: int
    """Memory that it can allocate."""
    wall_s: float
    """For disks that do not answer."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _executor: WorkerExecutor | None = None
    _owner: int = 0
    _refused: OrderedDict[FileStamp, LyricsyncError] = field(default_factory=OrderedDict)

    def run(self, function: Callable[..., T], path: Path, *args: Any, **kwargs: Any) -> T:
        """Call ``function(path, ...)`` in the child. Both must be picklable.

        Raises
        ------
        AudioError
            The call broke a limit or crashed: at once for a file that did before.
        WorkerLost
            The child was killed from outside, or the service stops.
        """
        path = Path(path)
        # One at a time anyway, and a caller that waited for a file that breaks a limit need not
        # try it again.
        with self._lock:
            stamp = _stamp(path)
            if stamp is not None and (error := self._refused.get(stamp)) is not None:
                raise copy.copy(error)
            folder = None if path.is_absolute() else os.getcwd()  # noqa: PTH109 - as text
            future = self._open().submit_within(
                self.wall_s, None, _call, folder, function, path, args, kwargs
            )
            try:
                result: T
                result, warnings = future.result()
                for warning in warnings:
                    warning.repeat(path)
                return result
            except WorkerLost as lost:
                error = self._as_fault(path, lost)
                if stamp is not None and not error.transient:
                    self._refused[stamp] = error
                    while len(self._refused) > _MAX_REFUSED:
                        self._refused.popitem(last=False)
                raise error from None

    def interrupt(self) -> None:
        """Kill the child; the caller of what runs in it gets `WorkerLost`."""
        if self._executor is not None and self._owner == os.getpid():
            self._executor.kill()

    def close(self) -> None:
        """End the child; the next call starts another one."""
        with self._lock:
            if self._executor is not None and self._owner == os.getpid():
                self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None

    @property
    def pid(self) -> int | None:
        """The id of the child, while there is one."""
        return None if self._executor is None else self._executor.pid

    def _open(self) -> WorkerExecutor:
        from lyricsyncd.processes.executor import WorkerExecutor
        from lyricsyncd.processes.limits import ResourceLimits

        # After a fork the thread that serves the child is the parent's.
        if self._executor is None or self._owner != os.getpid():
            # Its priority is ours. What RLIMIT_DATA does not count is limited by the parent.
            limits = ResourceLimits(
                2 * self.data_bytes, os.nice(0), "", self.data_bytes, self.processor_s
            )
            self._executor = WorkerExecutor(_KEEP_ALIVE_S, limits, name=self.name)
            self._owner = os.getpid()
        return self._executor

    def _as_fault(self, path: Path, lost: WorkerLost) -> LyricsyncError:
        """Return the error for a file with which the child ended."""
        if lost.cause == "SIGPROF":
            why = f"it takes more than {self.processor_s:.0f} s of processor time"
        elif lost.cause in ("memory", "SIGABRT"):
            why = f"it takes more than {self.data_bytes / 2**20:.0f} MB of memory"
        elif lost.cause in _FAULTS:
            why = f"the parser crashed ({lost.cause})"
        elif lost.cause == "time":
            return AudioError(
                f"{path} could not be read within {self.wall_s:.0f} s",
                remedy="Check its disk or network share",
                transient=True,
            )
        else:
            return lost
        return AudioError(
            f"{path} cannot be read safely: {why}",
            remedy="Remove its tags with a tagger, or replace the file",
        )


READER = Sandbox("tag reader", processor_s=3.0, data_bytes=256 * 2**20, wall_s=60.0)
"""Reads tags and lyrics: a few milliseconds for a healthy file."""
WRITER = Sandbox("tag writer", processor_s=30.0, data_bytes=512 * 2**20, wall_s=900.0)
"""Writes tags, which copies the file and compares its audio."""


def _call(
    folder: str | None,
    function: Callable[..., T],
    path: Path,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[T, list[Warned]]:
    """Run a call in the child, where relative paths start from the caller's folder.

    Its warnings come back with the result, and the caller logs them with the file's name.
    """
    if folder is not None:
        os.chdir(folder)
    collector = _Collector()
    logger = logging.getLogger("lyricsyncd")
    logger.addHandler(collector)
    logger.propagate = False
    try:
        return function(path, *args, **kwargs), collector.warnings
    finally:
        logger.removeHandler(collector)
        logger.propagate = True


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning that was logged in the child."""

    logger: str
    level: int
    message: str

    def repeat(self, path: Path) -> None:
        """Log it here, with the file that was parsed."""
        named = self.message if str(path) in self.message else f"{path}: {self.message}"
        logging.getLogger(self.logger).log(self.level, "%s", named)


class _Collector(logging.Handler):
    """Collect warnings, up to `_MOST_WARNINGS` of one call."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.warnings: list[Warned] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record as text, which can be pickled whatever its arguments are."""
        if len(self.warnings) < _MOST_WARNINGS:
            self.warnings.append(Warned(record.name, record.levelno, record.getMessage()))


def _stamp(path: Path) -> FileStamp | None:
    try:
        state = path.stat()
    except (OSError, ValueError):
        return None
    return os.path.abspath(path), state.st_ino, state.st_size, state.st_mtime_ns  # noqa: PTH100
