"""Count the processor cores that this process may use."""

from __future__ import annotations

import contextlib
import math
import os
import re
from pathlib import Path

_ALL = 1024.0
"""More cores than any computer has that this runs on."""
_PROC, _CGROUP = Path("/proc"), Path("/sys/fs/cgroup")


def available_cores(proc: Path = _PROC, cgroup: Path = _CGROUP) -> int:
    """Return the number of cores that this process may run on, as far as its control group (that of
    a container, say) grants processor time for them."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(affinity or 1, math.ceil(_granted(proc, cgroup))))


def _granted(proc: Path, root: Path) -> float:
    """Return the least quota on the path to our control group (version 2), in cores."""
    quotas: list[float] = []
    with contextlib.suppress(OSError):
        text = (proc / "self" / "cgroup").read_text(encoding="utf-8")
        found = re.search(r"^0::/(.*)$", text, re.MULTILINE)
        group = root if found is None else root / found.group(1)
        for folder in (group, *group.parents):
            with contextlib.suppress(OSError, ValueError):
                quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
                quotas.append(int(quota) / int(period))
            if folder == root:
                break
    return min(quotas, default=_ALL)
