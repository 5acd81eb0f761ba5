"""Count the processor cores that this process may use."""

from __future__ import annotations

import contextlib
import math
import os
from pathlib import Path

from lyricsyncd.processes import cgroup

_ALL = 1024.0
"""More cores than any computer has that this runs on."""


def available_cores(proc: Path = cgroup.PROC, root: Path = cgroup.ROOT) -> int:
    """Return the number of cores that this process may run on, as far as its control group (that of
    a container, say) grants processor time for them."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(affinity or 1, math.ceil(_granted(proc, root))))


def _granted(proc: Path, root: Path) -> float:
    """Return the least quota on the path to our control group, in cores."""
    quotas: list[float] = []
    for text in cgroup.limits("cpu.max", proc, root):
        # There is no quota where it says "max".
        with contextlib.suppress(ValueError):
            quota, period = text.split()
            quotas.append(int(quota) / int(period))
    return min(quotas, default=_ALL)
