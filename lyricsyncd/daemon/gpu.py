"""What NVIDIA's own tool tells of the graphics cards: which there are, and who else uses them."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Collection

from lyricsyncd.errors import LyricsyncError

_PATIENCE_S = 10.0


class NoAnswerError(LyricsyncError):
    """`nvidia-smi` is not there, or fails."""


def cards() -> list[str]:
    """The names of the cards. Raises `NoAnswerError`."""
    return _asked("--query-gpu=name", "--format=csv,noheader")


def others(ours: Collection[int]) -> list[str]:
    """The names of other programs that compute on a card: games, other models.

    Parameters
    ----------
    ours : collection of int
        Process ids that do not count.

    Raises
    ------
    NoAnswerError
        There is no answer; nothing is known then.
    """
    found = []
    for line in _asked("--query-compute-apps=pid,process_name", "--format=csv,noheader"):
        pid, _, name = line.partition(",")
        # In a container the numbers may be another's, and are not told: [N/A].
        if not pid.strip().isdigit() or int(pid) not in ours:
            found.append(name.strip() or f"process {pid.strip()}")
    return found


class Politeness:
    """Whether another program computes on a card; asked now and then only."""

    def __init__(self, every_s: float = 15.0) -> None:
        self._every_s = every_s
        self._lock = threading.Lock()
        self._asked_at = -every_s
        self.user: str = ""
        """Who does; empty for nobody, or where it cannot be known."""

    def taken(self, ours: Collection[int]) -> bool:
        """Whether somebody else is at it, as of a moment ago."""
        with self._lock:
            now = time.monotonic()
            if now - self._asked_at >= self._every_s:
                self._asked_at = now
                try:
                    self.user = next(iter(others(ours)), "")
                except NoAnswerError:
                    self.user = ""
            return bool(self.user)


def _asked(*arguments: str) -> list[str]:
    try:
        done = subprocess.run(
            ["nvidia-smi", *arguments],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoAnswerError(f"nvidia-smi does not answer: {error}") from error
    if done.returncode:
        told = (done.stderr or done.stdout).strip().splitlines()
        raise NoAnswerError(f"nvidia-smi fails: {told[0] if told else done.returncode}")
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]
