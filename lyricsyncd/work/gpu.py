"""What ``nvidia-smi`` tells of the graphics cards: which there are, and who else is at them."""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Collection
from pathlib import Path

log = logging.getLogger(__name__)

LOOK_EVERY_S = 15.0
_PATIENCE_S = 10.0
_DRAWS = 10
"""From this share of the card's time (%) on, who draws counts: a game does, a desktop does not."""


class OtherGpuPrograms:
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


class NoAnswerError(Exception):
    """`nvidia-smi` is not there, or fails."""


def cards() -> list[str]:
    """The names of the cards. Raises `NoAnswerError`."""
    return _told("--query-gpu=name", "--format=csv,noheader")


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
    """What is told, and nothing where there is no answer."""
    try:
        return _told(*arguments)
    except NoAnswerError as error:
        log.debug("%s", error)
        return []


def _told(*arguments: str) -> list[str]:
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
