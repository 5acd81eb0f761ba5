"""Whether somebody else is at the graphics card, as ``nvidia-smi`` tells it."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import time
from collections.abc import Collection
from pathlib import Path

log = logging.getLogger(__name__)

LOOK_EVERY_S = 15.0
_PATIENCE_S = 5.0
_DRAWS = 10
"""From this share of the card's time (%) on, who draws counts: a game does, a desktop does not."""


class Neighbours:
    """Other programs on the graphics card, looked for not more often than is sensible."""

    def __init__(self, look_every_s: float = LOOK_EVERY_S) -> None:
        self._look_every_s = look_every_s
        self._looked_at = float("-inf")
        self._busy = False

    def busy(self, own: Collection[int] = ()) -> bool:
        """Whether a process other than our own uses the card."""
        now = time.monotonic()
        if now - self._looked_at >= self._look_every_s:
            self._looked_at = now
            before, self._busy = self._busy, bool(strangers(own))
            if self._busy and not before:
                log.info("another program uses the graphics card: the models wait")
            elif before and not self._busy:
                log.info("the graphics card is free again")
        return self._busy


def strangers(own: Collection[int] = (), proc: Path = Path("/proc")) -> set[int]:
    """The process ids of other programs that use a card; none where there is no ``nvidia-smi``."""
    using = _computing() | _drawing()
    known = {pid for pid in using if (proc / str(pid)).exists()}
    unknown = sorted(using - known)
    # In a container the card's processes bear the numbers of the host: one of them may be ours.
    if own and unknown and not known & set(own):
        unknown = unknown[1:]
    return (known - set(own) - {os.getpid()}) | set(unknown)


def _computing() -> set[int]:
    lines = _asked("--query-compute-apps=pid", "--format=csv,noheader")
    return {int(line) for line in map(str.strip, lines) if line.isdigit()}


def _drawing() -> set[int]:
    """Columns of ``pmon``: gpu, pid, type (C, G), sm %, …; a dash where there is nothing."""
    found = set()
    for line in _asked("pmon", "-c", "1", "-s", "u"):
        fields = line.split()
        if len(fields) >= 4 and fields[1].isdigit() and "G" in fields[2] and fields[3].isdigit():
            found |= {int(fields[1])} if int(fields[3]) >= _DRAWS else set()
    return found


def _asked(*arguments: str) -> list[str]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        done = subprocess.run(
            [program, *arguments],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.debug("nvidia-smi does not answer: %s", error)
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []
