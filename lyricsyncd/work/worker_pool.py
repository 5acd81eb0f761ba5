"""Place several songs at once on this computer, each in a model worker of its own.

The models of a song run on all cores only in part: much of the search is on one. Two songs at once
fill the gaps of each other. A worker is started when the ones before it are busy, so that a song
that comes alone finds warm models, and takes no more memory than one. A song that comes back with
more words is placed by the worker that has its vocals, which takes no other song meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lyricsyncd.processes.executor import WorkerExecutor

if TYPE_CHECKING:
    from lyricsyncd.processes.executor import Progress
    from lyricsyncd.processes.limits import ResourceLimits

T = TypeVar("T")


class WorkerPool:
    """Place songs in processes of this computer, with the interface of `SongExecutor`.

    Parameters
    ----------
    count : int
        Most workers, and so songs at once.
    keep_alive_s : float
        How long an idle worker is kept.
    limits : ResourceLimits, optional
        How much of the computer all workers together may take.
    """

    def __init__(
        self, count: int = 1, keep_alive_s: float = 600.0, limits: ResourceLimits | None = None
    ) -> None:
        self.slots = count
        self._workers = [WorkerExecutor() for _ in range(count)]
        for worker in self._workers:
            worker.sharing = lambda: self.pids
        self._lock = threading.Lock()
        self._running: dict[Future[Any], WorkerExecutor] = {}
        self._placed: dict[WorkerExecutor, tuple[Path, Future[Any]]] = {}
        """The latest song of each worker, and what it came to."""
        self.configure(keep_alive_s, limits)

    def configure(self, keep_alive_s: float, limits: ResourceLimits | None) -> None:
        """Use other limits, from the next process on. The memory is that of all together, so that
        a long song may take most of it."""
        for worker in self._workers:
            worker.keep_alive_s = keep_alive_s
            if limits is not None:
                worker.limits = limits

    def submit_within(
        self,
        limit_s: float | None,
        progress: Progress | None,
        fn: Callable[..., T],
        /,
        *args: Any,
        **kwargs: Any,
    ) -> Future[T]:
        """Run a function in the first worker that is idle; see `WorkerExecutor`."""
        from lyricsyncd.pipeline.prepared import Prepared

        song = next((each.path for each in args if isinstance(each, Prepared)), None)
        with self._lock:
            worker = self._worker_for(song)
            future = worker.submit_within(limit_s, progress, fn, *args, **kwargs)
            self._running[future] = worker
            if song is not None:
                self._placed[worker] = song, future
        future.add_done_callback(lambda done: self._running.pop(done, None))
        return future

    def call_out_of_band(self, fn: Callable[..., None], /, *args: Any) -> None:
        """Make a brief call beside the task that runs; dropped where several run, since which of
        them will be followed by the next song is not known."""
        if self.slots == 1:
            self._workers[0].call_out_of_band(fn, *args)

    def abandon(self, future: Future[Any]) -> None:
        """Give up what was submitted; if it runs, its process is killed."""
        worker = self._running.get(future)
        if worker is not None:
            worker.abandon(future)

    def end_if_idle(self) -> None:
        """End the processes that are idle at once."""
        for worker in self._workers:
            worker.end_if_idle()

    @property
    def pids(self) -> tuple[int, ...]:
        """The ids of the processes that there are."""
        return tuple(pid for worker in self._workers if (pid := worker.pid) is not None)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes: after what was submitted, or with ``cancel_futures`` at once."""
        for worker in self._workers:
            worker.shutdown(wait=False, cancel_futures=cancel_futures)
        if wait:
            for worker in self._workers:
                worker.shutdown(wait=True)

    def _worker_for(self, song: Path | None) -> WorkerExecutor:
        # The callbacks of what is done come a little later.
        busy = [worker for future, worker in list(self._running.items()) if not future.done()]

        def preference(worker: WorkerExecutor) -> tuple[int, bool, bool]:
            kept = self._song_kept(worker)
            return busy.count(worker), kept not in (None, song), kept != song

        return min(self._workers, key=preference)

    def _song_kept(self, worker: WorkerExecutor) -> Path | None:
        """Return the song whose vocals a worker keeps, since more words are being found for it."""
        from lyricsyncd.pipeline.prepared import unfinished

        if worker.pid is None or worker not in self._placed:
            return None
        song, future = self._placed[worker]
        if not future.done() or future.cancelled() or future.exception() is not None:
            return None
        return song if unfinished(future.result()) else None
