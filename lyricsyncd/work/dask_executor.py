"""Send songs to a cluster of `dask.distributed`: the music is here, the models are elsewhere.

The call that the local executor sends to its process goes to a worker that ``lyricsyncd worker``
started (`dask_worker`). If a worker is lost midway, the scheduler gives its song to another one; a
song that takes several down ends as `WorkerLost`, as with the local executor.

`distributed` is imported when it is first used: without ``executor: dask`` it costs nothing.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lyricsyncd.config.path_map import translated
from lyricsyncd.errors import LyricsyncError, WorkerLost
from lyricsyncd.work import dask_worker
from lyricsyncd.work.dask_protocol import TOPIC, check_installed, security

if TYPE_CHECKING:
    from distributed import Client

    from lyricsyncd.config.schema import Daemon
    from lyricsyncd.processes.executor import Progress
    from lyricsyncd.processes.limits import ResourceLimits

log = logging.getLogger(__name__)

T = TypeVar("T")

SLOTS = 8
"""Songs that are sent to the cluster at once; it queues those that it has no worker for."""
CONNECT_TIMEOUT_S = 10.0
"""Timeout of the connection to the scheduler."""


class ClusterAway(LyricsyncError):
    """Raised where the cluster cannot be reached, or has lost a song: not the song's fault."""

    transient = True


class DaskExecutor:
    """Place songs on a cluster, with the interface of `SongExecutor`.

    Parameters
    ----------
    settings : Daemon
        ``dask_address``, ``dask_tls`` and ``path_map`` are used.

    Raises
    ------
    UsageError
        ``distributed`` is not installed.
    """

    slots = SLOTS
    pids: tuple[int, ...] = ()

    def __init__(self, settings: Daemon) -> None:
        check_installed()
        self._address = settings.dask_address or ""
        self._tls = settings.dask_tls
        self._path_map = settings.path_map
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._running: dict[Future[Any], Any] = {}
        self._progress: dict[str, Progress] = {}
        self._unfinished: dict[Path, Any] = {}
        """Answers, on their workers, of songs that more words are being found for."""

    def submit_within(
        self,
        limit_s: float | None,
        progress: Progress | None,
        fn: Callable[..., T],
        /,
        *args: Any,
        **kwargs: Any,
    ) -> Future[T]:
        """Run a function of a module on any worker; see `WorkerExecutor`.

        The limit counts from when a worker begins. Paths of songs are translated by the path map. A
        song that comes back with more words goes to the worker that has its vocals: tasks run where
        what they depend on lies.
        """
        from lyricsyncd.pipeline.prepared import Prepared, unfinished

        song = next((each.path for each in args if isinstance(each, Prepared)), None)
        outer: Future[T] = Future()
        outer.set_running_or_notify_cancel()
        name = f"song-{uuid.uuid4().hex}"
        remote_args = tuple(self._to_remote(argument) for argument in args)
        try:
            client = self._connected()
            before = None if song is None else self._unfinished.pop(song, None)
            if before is not None and before.status != "finished":
                # Its worker is lost.
                before = None
            if progress is not None:
                self._progress[name] = progress
            inner = client.submit(
                dask_worker.run,
                *(name, limit_s, progress is not None, fn, remote_args, kwargs, before),
                key=name,
                pure=False,
            )
        except (OSError, TimeoutError, RuntimeError) as error:
            self._progress.pop(name, None)
            outer.set_exception(self._unreachable(error))
            return outer
        self._running[outer] = inner

        def done(finished: Any) -> None:
            self._running.pop(outer, None)
            self._progress.pop(name, None)
            if outer.done():
                return
            try:
                answer = finished.result()
                if song is not None and unfinished(answer):
                    self._keep(song, finished)
                outer.set_result(answer)
            except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
                outer.set_exception(self._translated(error))

        inner.add_done_callback(done)
        return outer

    def _keep(self, song: Path, answer: Any) -> None:
        self._unfinished[song] = answer
        while len(self._unfinished) > SLOTS:
            # One that did not come back: no words were found for it.
            del self._unfinished[next(iter(self._unfinished))]

    def configure(self, keep_alive_s: float, limits: ResourceLimits) -> None:
        """Do nothing: limits are those of the computers with the models."""

    def end_if_idle(self) -> None:
        """Do nothing: the models run on other computers."""

    def call_out_of_band(self, fn: Callable[..., None], /, *args: Any) -> None:
        """Drop the call: which worker will get the next song is not known yet."""

    def abandon(self, future: Future[Any]) -> None:
        """Give up a song. A worker that has begun it finishes it; its result is dropped."""
        inner = self._running.pop(future, None)
        if inner is not None and not future.done():
            future.set_exception(WorkerLost("The song was given up"))
            inner.cancel()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Disconnect from the cluster, which goes on running."""
        if cancel_futures:
            for future in list(self._running):
                self.abandon(future)
        elif wait:
            for future in list(self._running):
                future.exception()
        self._unfinished.clear()
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close(timeout=2)

    def _connected(self) -> Client:
        with self._lock:
            if self._client is not None and self._client.status == "running":
                return self._client
            from distributed import Client

            self._unfinished.clear()
            self._client = Client(
                self._address,
                timeout=CONNECT_TIMEOUT_S,
                security=security(self._tls),
                set_as_default=False,
                name="lyricsyncd",
            )
            self._client.subscribe_topic(TOPIC, self._on_progress)
            log.info("the models run on the cluster at %s", self._address)
            return self._client

    def _on_progress(self, event: tuple[float, Mapping[str, Any]]) -> None:
        _, report = event
        progress = self._progress.get(report["song"])
        if progress is not None:
            progress(report["stage"], report["share"])

    def _to_remote(self, argument: Any) -> Any:
        from lyricsyncd.pipeline.prepared import Prepared

        if not isinstance(argument, Prepared):
            return argument
        return replace(argument, path=Path(translated(str(argument.path), self._path_map)))

    def _translated(self, error: BaseException) -> BaseException:
        from concurrent.futures import CancelledError

        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        if isinstance(error, KilledWorker):
            return WorkerLost("The model workers of the cluster were lost on this song")
        if isinstance(error, (FutureCancelledError, CancelledError, OSError, TimeoutError)):
            return self._unreachable(error)
        return error

    def _unreachable(self, error: BaseException) -> ClusterAway:
        why = " ".join(str(error).split()) or type(error).__name__
        return ClusterAway(
            f"The cluster at {self._address} cannot be reached: {why}",
            remedy="Start `dask scheduler` there and `lyricsyncd worker` where the models are",
        )
