"""A song that took the model worker down is tried again with less, and then without the GPU."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lyricsyncd.config import Config

_SHARE = 0.75
"""How much of the computer's memory the worker may take where nothing is set."""
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def eased(config: Config, crashes: int) -> Config:
    """The settings for a song on which the worker was lost so often in a row.

    Once: without a second ear. Twice: on the processor, too, and on the mix. The score of the
    result tells what that cost.
    """
    if crashes <= 0:
        return config
    easier: dict[str, str] = {"transcriber": "none"}
    if crashes > 1:
        easier |= {"device": "cpu", "separator": "none"}
    return config.model_copy(update={"models": config.models.model_copy(update=easier)})


def ceiling(config: Config) -> int:
    """Bytes of memory that the worker may take; beyond them it is ended."""
    if config.models.memory is not None:
        return config.models.memory
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        # A container, or a unit with MemoryMax=, has less than the computer.
        there = min(there, int(_CGROUP_LIMIT.read_text(encoding="ascii")))
    return int(there * _SHARE)
