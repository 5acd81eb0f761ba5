"""Sends songs to a `distributed` cluster: the music in one computer, the GPU in another.

The scheduler is `dask scheduler`; each computer with a GPU runs ``lyricsyncd worker ADDRESS``. Only
words, settings and results travel. The worker reads the audio from the share itself, under the name
that it has there; what is written, the service writes.

If a worker is lost, the scheduler gives its song to another one. A song that took several down with
it fails with `WorkerLost`, as with a process of our own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lyricsyncd.errors import LyricsyncError, ModelError, WorkerLost

if TYPE_CHECKING:
    from distributed import Client, Security

    from lyricsyncd.config import Config, DaskTls
    from lyricsyncd.model import SyncResult
    from lyricsyncd.pipeline import Prepared

log = logging.getLogger(__name__)

T = TypeVar("T")

SLOT = "lyricsyncd"
"""The resource of which a worker has one for each song that it can do at a time."""
SETTINGS_VARIABLE = "LYRICSYNCD_WORKER_SETTINGS"
"""How a worker's own settings reach its process: JSON of ``path_map`` and ``models``."""
CONNECT_S = 10.0


# In the cluster's workers


def place(config: Config, prepared: Prepared) -> SyncResult:
    """Place words on the audio as this computer sees it, with its own models."""
    from lyricsyncd.config import Models
    from lyricsyncd.daemon import worker

    settings = json.loads(os.environ.get(SETTINGS_VARIABLE, "{}"))
    models = Models.model_validate(settings.get("models", {}))
    track = prepared.track
    assert track.path is not None, "a track read from a file has a path"
    here = dataclasses.replace(track, path=mapped(track.path, settings.get("path_map", {})))
    result = worker.place(
        config.model_copy(update={"models": models}), dataclasses.replace(prepared, track=here)
    )
    return dataclasses.replace(result, song=track)


def mapped(path: Path, folders: Mapping[str, str]) -> Path:
    """A path under the name that its folder has here; the longest match counts."""
    for theirs in sorted(folders, key=len, reverse=True):
        if Path(theirs) in (path, *path.parents):
            return Path(folders[theirs]) / path.relative_to(theirs)
    return path


# In the service


class ClusterExecutor(Executor):
    """A cluster behind the interface of `lyricsyncd.daemon.executor.WorkerExecutor`.

    Parameters
    ----------
    address : str
        Of the scheduler: ``tcp://…`` or ``tls://…``.
    tls : DaskTls, optional
        Keys, where the cluster wants them.
    """

    pid = None

    def __init__(self, address: str, tls: DaskTls | None = None) -> None:
        self.address = address
        self._tls = tls
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._remote: dict[Future[Any], Any] = {}

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run a function of a module in a worker."""
        return self.submit_within(None, None, fn, *args, **kwargs)

    def submit_within(
        self,
        limit_s: float | None,
        progress: Callable[[str, float], None] | None,
        fn: Callable[..., T],
        /,
        *args: Any,
        **kwargs: Any,
    ) -> Future[T]:
        """The same with a limit of time, after which the worker is started anew.

        Of the progress, only the beginning is told: ``fn`` is not given ``progress``.
        """
        if progress is not None:
            progress("place", 0.0)
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        thread = threading.Thread(
            target=self._run, args=(future, limit_s, fn, args, kwargs), name="cluster", daemon=True
        )
        thread.start()
        return future

    def wait_for_a_worker(self, patience_s: float) -> None:
        """Wait until somebody is there to do the work. Raises `TimeoutError`."""
        self._connected().wait_for_workers(1, timeout=patience_s)

    def abandon(self, future: Future[Any]) -> None:
        """Give up what is wanted no more."""
        remote = self._remote.get(future)
        if remote is not None:
            with contextlib.suppress(Exception):
                remote.cancel(force=True)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Leave the cluster; it goes on for others."""
        for future in list(self._remote):
            self.abandon(future)
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):
                client.close(timeout=1)

    # In a thread for each song: they only wait

    def _run(
        self,
        future: Future[Any],
        limit_s: float | None,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        try:
            future.set_result(self._result(future, limit_s, fn, args, kwargs))
        except BaseException as error:  # noqa: BLE001 - raised again where the result is wanted
            future.set_exception(error)

    def _result(
        self,
        future: Future[Any],
        limit_s: float | None,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        from distributed import KilledWorker

        client = self._connected()
        if not client.nthreads():
            # Nobody's fault, least of all the song's.
            raise ModelError(
                f"The cluster at {self.address} has no worker",
                remedy=f"Run `lyricsyncd worker {self.address}` where the GPU is",
                transient=True,
            )
        try:
            remote = client.submit(fn, *args, pure=False, resources={SLOT: 1}, **kwargs)
            self._remote[future] = remote
            return remote.result(timeout=limit_s)
        except LyricsyncError:
            # The function's own.
            raise
        except KilledWorker as error:
            raise WorkerLost("Several workers of the cluster were lost on this song") from error
        except TimeoutError as error:
            self._start_anew(client, remote)
            raise WorkerLost(f"The cluster gave no result after {limit_s:.0f} s") from error
        except Exception as error:
            if client.status == "running":
                raise WorkerLost(f"The cluster could not do it: {error!r}") from error
            raise self._away(error) from error
        finally:
            self._remote.pop(future, None)

    def _start_anew(self, client: Client, remote: Any) -> None:
        """End what hangs: a thread of a worker cannot be ended alone."""
        with contextlib.suppress(Exception):
            at_it = [name for name, keys in client.processing().items() if remote.key in keys]
            remote.cancel(force=True)
            if at_it:
                client.restart_workers(at_it, timeout=10, raise_for_error=False)

    def _connected(self) -> Client:
        from distributed import Client

        with self._lock:
            if self._client is not None and self._client.status in ("running", "connecting"):
                return self._client
            try:
                self._client = Client(
                    self.address,
                    security=security(self._tls),
                    timeout=CONNECT_S,
                    set_as_default=False,
                    name="lyricsyncd",
                )
            except (OSError, ValueError) as error:
                raise self._away(error) from error
            return self._client

    def _away(self, error: BaseException) -> ModelError:
        return ModelError(
            f"The cluster at {self.address} cannot be reached: {error}",
            remedy="Is `dask scheduler` running there?",
            transient=True,
        )


def security(tls: DaskTls | None) -> Security | None:
    """The keys as distributed has them."""
    if tls is None:
        return None
    from distributed import Security

    return Security(
        tls_ca_file=str(tls.ca),
        tls_client_cert=str(tls.cert),
        tls_client_key=str(tls.key),
        tls_worker_cert=str(tls.cert),
        tls_worker_key=str(tls.key),
        require_encryption=True,
    )


def without_secrets(config: Config) -> Config:
    """What of the settings travels: all but keys and tokens."""
    from lyricsyncd.config import Identify, LyricsSources, Web

    return config.model_copy(
        update={"web": Web(), "identify": Identify(), "lyrics": LyricsSources(), "libraries": ()}
    )
