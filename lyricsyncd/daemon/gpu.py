"""What NVIDIA's own tool tells of the graphics cards: which there are, and who else uses them."""

from __future__ import annotations

import subprocess
from collections.abc import Collection

_PATIENCE_S = 10.0


class NoAnswerError(Exception):
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
