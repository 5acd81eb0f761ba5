"""Measure the memory that processes use, and how much of it there is."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
from pathlib import Path

from lyricsyncd.processes import cgroup

DEFAULT_SHARE = 0.8
"""Share of the available memory that is allowed by default; other programs keep the rest."""
_LARGE = 128 * 1024
ARRAYS = 8 * 1024 * 1024
"""Bytes of a large block for processes that place words."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""glibc's names and numbers, see mallopt(3)."""


def default_limit() -> int | None:
    """Return the bytes that a process may use by default: a share of the computer's memory, or of
    what this control group may use. ``None`` if neither is known."""
    limits = [limit for limit in (_physical(), _granted()) if limit]
    return int(DEFAULT_SHARE * min(limits)) if limits else None


def resident(pid: int, proc: Path = cgroup.PROC) -> int:
    """Return the bytes of memory that a process has in use; 0 if it is gone."""
    try:
        pages = int((proc / str(pid) / "statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def is_zombie(pid: int, proc: Path = cgroup.PROC) -> bool:
    """Return whether a process is dead and only waits to be reaped.

    `subprocess.Popen.poll` cannot say so of a process some threads of which are still ending.
    """
    try:
        stat = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    # The name in parentheses can hold anything, further parentheses among it.
    return stat.rpartition(")")[2].split()[:1] == ["Z"]


def give_back_large_blocks(size: int = _LARGE) -> bool:
    """Make the C library return large blocks to the system as soon as they are freed.

    glibc raises the size from which it does so with every such block, up to 32 MiB: a process that
    runs for months and now and then needs a table of a few MB (Python's of interned names, when it
    is rebuilt) then grows by each.

    Parameters
    ----------
    size
        Bytes of a large block. What is returned must be fetched, and cleared, anew: where arrays
        come and go all the time, as in the search, a small size costs a third more time.

    Returns
    -------
    bool
        False where the C library is another one.
    """
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    set_option(_M_MMAP_THRESHOLD, size)
    set_option(_M_TRIM_THRESHOLD, size)
    return True


def share_one_heap() -> None:
    """Make all threads allocate from one heap, so that each can take what another has freed.

    With heaps of their own, the threads that place a song hold 25 MB more. Call it before they are
    started; with another C library than glibc nothing happens.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def trim() -> None:
    """Return free memory to the system, whatever the size of its blocks."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _physical(proc: Path = cgroup.PROC) -> int | None:
    with contextlib.suppress(OSError):
        found = re.search(r"MemTotal:\s+(\d+) kB", (proc / "meminfo").read_text(encoding="ascii"))
        return None if found is None else int(found.group(1)) * 1024
    return None


def _granted(proc: Path = cgroup.PROC, root: Path = cgroup.ROOT) -> int | None:
    """Return the smallest limit on the path to our control group."""
    limits: list[int] = []
    for text in cgroup.limits("memory.max", proc, root):
        # There is no limit where it says "max".
        with contextlib.suppress(ValueError):
            limits.append(int(text))
    return min(limits, default=None)
