"""Read the limits of the control groups that this process is in: those of a container, say."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

PROC, ROOT = Path("/proc"), Path("/sys/fs/cgroup")


def limits(name: str, proc: Path = PROC, root: Path = ROOT) -> Iterator[str]:
    """Yield what a file says in our control group (version 2), and in those that it lies in.

    Parameters
    ----------
    name : str
        The file, such as ``memory.max``; groups without it are passed over.
    """
    try:
        text = (proc / "self" / "cgroup").read_text(encoding="utf-8")
    except OSError:
        return
    found = re.search(r"^0::/(.*)$", text, re.MULTILINE)
    group = root if found is None else root / found.group(1)
    for folder in (group, *group.parents):
        with contextlib.suppress(OSError):
            yield (folder / name).read_text(encoding="ascii")
        if folder == root:
            return
