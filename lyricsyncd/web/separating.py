"""Separate songs that a person wants to sing along to, in a process of its own.

The process that places words is busy with other songs; this one starts when it is needed, has the
same limits, and ends when it is idle.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config
    from lyricsyncd.processes.executor import WorkerExecutor

_KEEP_ALIVE_S = 60.0


class SongSeparator:
    """Write stems of songs; see `lyricsyncd.separate.stems.write_pair`. Close it.

    Parameters
    ----------
    config : callable
        Returns the configuration as it is now.
    """

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config
        self._executor: WorkerExecutor | None = None

    def __call__(self, song: Path, target: Path) -> bytes:
        """Write the vocals and the rest of a song to a file; return the peaks of the vocals.

        Raises
        ------
        LyricsyncError
            As `write_pair`; `WorkerLost` where the process broke a limit.
        """
        from lyricsyncd.pipeline.settings import placing_settings
        from lyricsyncd.processes.executor import WorkerExecutor
        from lyricsyncd.work import policy, worker

        config = self._config()
        if self._executor is None:
            limits = policy.resource_limits(config)
            self._executor = WorkerExecutor(_KEEP_ALIVE_S, limits, name="stem separator")
        limit_s = policy.time_limit(None)
        settings = placing_settings(config)
        future = self._executor.submit_within(limit_s, None, worker.pair, settings, song, target)
        return future.result()

    def close(self) -> None:
        """End the process; what it does is given up."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
