"""Wait for what other threads and processes do."""

from __future__ import annotations

import time
from collections.abc import Callable

from lyricsyncd.catalog.catalog import Catalog
from lyricsyncd.config.schema import Config
from lyricsyncd.work.runner import Runner

TIMEOUT_S = 120.0
"""Longer than anything takes on a slow machine."""


def until(true: Callable[[], object], what: str) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + TIMEOUT_S
    while not true():
        assert time.monotonic() < deadline, f"waited for: {what}"
        time.sleep(0.02)


def work_off(catalog: Catalog, config: Config) -> None:
    """Work on the songs of a catalog until none is queued."""
    runner = Runner(catalog, config)
    runner.start()
    try:
        until(lambda: not catalog.queue(), "an empty queue")
    finally:
        runner.stop(5.0)
