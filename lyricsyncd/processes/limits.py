"""Limit how much of the computer a child process takes, and tie its life to its parent's."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "riscv64": 30, "armv7l": 314, "i686": 289}
_IO_CLASSES = {"best-effort": (2 << 13) | 7, "idle": 3 << 13}
"""Class and level as ioprio_set(2) wants them."""


@dataclass(frozen=True, slots=True)
class ResourceLimits:
    """Limits of the memory, priority and processor time of a process."""

    memory_bytes: int | None = None
    """Resident memory above which the parent ends the process; ``None``: no limit."""
    nice: int = 10
    ionice: str = "idle"
    """``best-effort``, ``idle``, or anything else to inherit the parent's class."""
    data_bytes: int | None = None
    """What it can allocate at all (RLIMIT_DATA): asking for more ends it."""
    processor_s: float | None = None
    """Processor time that one function may use before the system ends the process."""

    def to_arguments(self) -> list[str]:
        """Return the limits that the process sets for itself as arguments of its command line."""
        return [
            str(self.nice),
            self.ionice,
            str(self.data_bytes or 0),
            str(self.processor_s or 0.0),
        ]

    @classmethod
    def from_arguments(cls, arguments: Sequence[str]) -> ResourceLimits:
        """Read what `to_arguments` returned."""
        nice, ionice, data_bytes, processor_s = arguments
        return cls(None, int(nice), ionice, int(data_bytes) or None, float(processor_s) or None)


def become_child(parent: int, limits: ResourceLimits) -> None:
    """Set this process up as a child: it dies with its parent and yields to other programs.

    Ends the process if the parent is gone already.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)
    # Ctrl-C, a closed terminal and many a supervisor's stop reach the whole group; the parent
    # decides what follows, and kills.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    _lower_priority(limits.nice, limits.ionice)
    with contextlib.suppress(OSError):
        # If memory runs out, this process is killed, and not the service or the music player.
        Path("/proc/self/oom_score_adj").write_text("800", encoding="ascii")
    if limits.data_bytes:
        limit_data(limits.data_bytes)


def limit_data(limit: int) -> None:
    """Let this process allocate at most so many bytes, and leave no core when it fails."""
    # Where a sandbox forbids it the parent's own check of the memory remains.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _lower_priority(nice: int, ionice: str) -> None:
    with contextlib.suppress(OSError):
        os.nice(nice - os.nice(0))
    if ionice in _IO_CLASSES and platform.machine() in _IOPRIO_SET:
        with contextlib.suppress(OSError, AttributeError):
            call = ctypes.CDLL(None).syscall
            call(_IOPRIO_SET[platform.machine()], 1, 0, _IO_CLASSES[ionice])
