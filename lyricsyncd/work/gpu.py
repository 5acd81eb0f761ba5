"""Query ``nvidia-smi`` for the graphics cards, and for other programs that use them."""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Collection
from pathlib import Path

log = logging.getLogger(__name__)

CHECK_EVERY_S = 15.0
_TIMEOUT_S = 10.0
_DRAWING_PERCENT = 10
"""Share of the card's time from which a drawing program counts: a game does, a desktop does not."""


class OtherGpuPrograms:
    """Check for other programs on the graphics card, at a limited rate."""

    def __init__(self, check_every_s: float = CHECK_EVERY_S) -> None:
        self._check_every_s = check_every_s
        self._checked_at = float("-inf")
        self._busy = False

    def busy(self, own: Collection[int] = ()) -> bool:
        """Return whether a process other than our own uses the card."""
        now = time.monotonic()
        if now - self._checked_at >= self._check_every_s:
            self._checked_at = now
            before, self._busy = self._busy, bool(other_processes(own))
            if self._busy and not before:
                log.info("another program uses the graphics card: the models wait")
            elif before and not self._busy:
                log.info("the graphics card is free again")
        return self._busy


class NoAnswerError(Exception):
    """Raised where `nvidia-smi` is not there, or fails."""


def cards() -> list[str]:
    """List the names of the cards. Raises `NoAnswerError`."""
    return _lines("--query-gpu=name", "--format=csv,noheader")


def other_processes(own: Collection[int] = (), proc: Path = Path("/proc")) -> set[int]:
    """List the ids of other processes that use a card; none where there is no ``nvidia-smi``."""
    using = _computing() | _drawing()
    known = {pid for pid in using if (proc / str(pid)).exists()}
    unknown = sorted(using - known)
    # In a container the card's processes have the ids of the host: one of them may be ours.
    if own and unknown and not known & set(own):
        unknown = unknown[1:]
    return (known - set(own) - {os.getpid()}) | set(unknown)


def _computing() -> set[int]:
    lines = _lines_or_none("--query-compute-apps=pid", "--format=csv,noheader")
    return {int(line) for line in map(str.strip, lines) if line.isdigit()}


def _drawing() -> set[int]:
    """Read the columns of ``pmon``: gpu, pid, type (C, G), sm %, …; a dash for no value."""
    found = set()
    for line in _lines_or_none("pmon", "-c", "1", "-s", "u"):
        fields = line.split()
        if len(fields) >= 4 and fields[1].isdigit() and "G" in fields[2] and fields[3].isdigit():
            found |= {int(fields[1])} if int(fields[3]) >= _DRAWING_PERCENT else set()
    return found


def _lines_or_none(*arguments: str) -> list[str]:
    """Run ``nvidia-smi``; no lines where it fails."""
    try:
        return _lines(*arguments)
    except NoAnswerError as error:
        log.debug("%s", error)
        return []


def _lines(*arguments: str) -> list[str]:
    try:
        done = subprocess.run(
            ["nvidia-smi", *arguments],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoAnswerError(f"nvidia-smi does not answer: {error}") from error
    if done.returncode:
        message = (done.stderr or done.stdout).strip().splitlines()
        raise NoAnswerError(f"nvidia-smi fails: {message[0] if message else done.returncode}")
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]
