"""Open what runs the models: a process of this computer, or a cluster of others."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from lyricsyncd.work import policy
from lyricsyncd.work.worker_pool import WorkerPool

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config
    from lyricsyncd.processes.executor import Progress
    from lyricsyncd.processes.limits import ResourceLimits

T = TypeVar("T")


class SongExecutor(Protocol):
    """Place songs in another process."""

    slots: int
    """How many songs it can have at once."""

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes of this computer in which it runs models now."""

    def submit_within(
        self,
        limit_s: float | None,
        progress: Progress | None,
        fn: Callable[..., T],
        /,
        *args: Any,
        **kwargs: Any,
    ) -> Future[T]: ...

    def configure(self, keep_alive_s: float, limits: ResourceLimits) -> None:
        """Use other limits for the processes of this computer, from the next one on."""

    def end_if_idle(self) -> None:
        """End such processes that are idle at once."""

    def call_out_of_band(self, fn: Callable[..., None], /, *args: Any) -> None:
        """Make a brief call beside the task that runs; without one it is dropped."""

    def abandon(self, future: Future[Any]) -> None:
        """Give up what was submitted, even if it runs."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None: ...


def executor_of(config: Config) -> SongExecutor:
    """Open the executor that the configuration names."""
    if config.daemon.executor == "dask":
        from lyricsyncd.work.dask_executor import DaskExecutor

        return DaskExecutor(config.daemon)
    return WorkerPool(
        policy.workers(config), config.models.keep_alive, policy.resource_limits(config)
    )


def placement_of_models(config: Config) -> tuple[object, ...]:
    """Return the settings that decide where the models run."""
    daemon = config.daemon
    return (
        daemon.executor,
        policy.workers(config),
        daemon.dask_address,
        daemon.dask_tls,
        daemon.path_map,
    )
