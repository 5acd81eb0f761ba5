"""Sends songs to a cluster of `dask.distributed`: the music is here, the models are elsewhere.

The same call that the local executor hands to its process goes to a worker that ``lyricsyncd
worker`` started (`cluster_worker`). If a worker is lost midway, the scheduler gives its song to
another one; a song that takes several down comes back as `WorkerLost`, as from the local executor.

`distributed` is imported when it is first used: without ``executor: dask`` it costs nothing.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, TypeVar

from lyricsyncd.errors import LyricsyncError, UsageError, WorkerLost

if TYPE_CHECKING:
    from distributed import Client, Security

    from lyricsyncd.config.schema import Daemon, DaskTls
    from lyricsyncd.work.executor import Progress

log = logging.getLogger(__name__)

T = TypeVar("T")

SLOTS = 8
"""Songs that are handed to the cluster at once; it keeps those that it has no worker for."""
TOPIC = "lyricsyncd-progress"
PATIENCE_S = 10.0
"""How long to wait for the scheduler."""


class ClusterAway(LyricsyncError):
    """The cluster cannot be reached, or has let go of a song: none of the song's fault."""

    transient = True


class DaskExecutor:
    """A cluster behind the interface of `executor.SongExecutor`.

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

    def __init__(self, settings: Daemon) -> None:
        check_installed()
        self._address = settings.dask_address or ""
        self._tls = settings.dask_tls
        self._path_map = settings.path_map
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._running: dict[Future[Any], Any] = {}
        self._progress: dict[str, Progress] = {}

    def submit_within(
        self,
        limit_s: float | None,
        progress: Progress | None,
        fn: Callable[..., T],
        /,
        *args: Any,
        **kwargs: Any,
    ) -> Future[T]:
        """Run a function of a module on some worker; see `executor.WorkerExecutor`.

        The limit counts from when a worker begins. Paths of songs are told as the workers know
        them.
        """
        from lyricsyncd.work import dask_worker

        outer: Future[T] = Future()
        outer.set_running_or_notify_cancel()
        name = f"song-{uuid.uuid4().hex}"
        there = tuple(self._there(argument) for argument in args)
        try:
            client = self._connected()
            if progress is not None:
                self._progress[name] = progress
            inner = client.submit(
                dask_worker.run,
                *(name, limit_s, progress is not None, fn, there, kwargs),
                key=name,
                pure=False,
            )
        except (OSError, TimeoutError, RuntimeError) as error:
            self._progress.pop(name, None)
            outer.set_exception(self._away(error))
            return outer
        self._running[outer] = inner

        def done(finished: Any) -> None:
            self._running.pop(outer, None)
            self._progress.pop(name, None)
            if outer.done():
                return
            try:
                outer.set_result(finished.result())
            except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
                outer.set_exception(self._translated(error))

        inner.add_done_callback(done)
        return outer

    def meanwhile(self, fn: Callable[..., None], /, *args: Any) -> None:
        """Nothing: who will have the next song is not known yet."""

    def abandon(self, future: Future[Any]) -> None:
        """Want a result no more. A worker that is at it already brings it to an end."""
        inner = self._running.pop(future, None)
        if inner is not None and not future.done():
            future.set_exception(WorkerLost("The song was given up"))
            inner.cancel()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster, which goes on without us."""
        if cancel_futures:
            for future in list(self._running):
                self.abandon(future)
        elif wait:
            for future in list(self._running):
                future.exception()
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close(timeout=2)

    def _connected(self) -> Client:
        with self._lock:
            if self._client is not None and self._client.status == "running":
                return self._client
            from distributed import Client

            self._client = Client(
                self._address,
                timeout=PATIENCE_S,
                security=security(self._tls),
                set_as_default=False,
                name="lyricsyncd",
            )
            self._client.subscribe_topic(TOPIC, self._heard)
            log.info("the models run on the cluster at %s", self._address)
            return self._client

    def _heard(self, event: tuple[float, Mapping[str, Any]]) -> None:
        _, told = event
        progress = self._progress.get(told["song"])
        if progress is not None:
            progress(told["stage"], told["share"])

    def _there(self, argument: Any) -> Any:
        from lyricsyncd.pipeline.prepared import Prepared

        if not isinstance(argument, Prepared):
            return argument
        return replace(argument, path=Path(mapped(argument.path, self._path_map)))

    def _translated(self, error: BaseException) -> BaseException:
        from concurrent.futures import CancelledError

        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        if isinstance(error, KilledWorker):
            return WorkerLost("The model workers of the cluster were lost on this song")
        if isinstance(error, (FutureCancelledError, CancelledError, OSError, TimeoutError)):
            return self._away(error)
        return error

    def _away(self, error: BaseException) -> ClusterAway:
        why = " ".join(str(error).split()) or type(error).__name__
        return ClusterAway(
            f"The cluster at {self._address} cannot be reached: {why}",
            remedy="Start `dask scheduler` there and `lyricsyncd worker` where the models are",
        )


def mapped(path: PurePath, path_map: Mapping[str, str]) -> str:
    """A path as somebody else calls it: the longest folder of the map that it is in is replaced."""
    for here, there in sorted(path_map.items(), key=lambda pair: -len(pair[0])):
        if PurePath(here) == path or PurePath(here) in path.parents:
            return str(PurePath(there) / path.relative_to(here))
    return str(path)


def security(tls: DaskTls) -> Security | None:
    """What `distributed` wants for TLS; ``None`` without certificates."""
    if tls.ca is None:
        return None
    from distributed import Security

    paths = {"tls_ca_file": tls.ca, "tls_client_cert": tls.cert, "tls_client_key": tls.key}
    paths |= {"tls_worker_cert": tls.cert, "tls_worker_key": tls.key}
    return Security(require_encryption=True, **{name: str(path) for name, path in paths.items()})


def check_installed() -> None:
    """Raises UsageError where ``distributed`` is not installed."""
    import importlib.util

    if importlib.util.find_spec("distributed") is None:
        raise UsageError(
            "The executor dask needs the package distributed",
            remedy="Install it with `pip install 'lyricsyncd[dask]'`",
        )
