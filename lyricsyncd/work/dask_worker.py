"""Place songs on a computer of a cluster, in a model worker for each slot.

A `distributed` worker is started for each graphics card; where there is none, for each song that
the service would place at once on this computer (`daemon.workers`). Its songs go to
a `WorkerExecutor`: the models stay warm there, a hanging or crashing song costs that process only,
and memory is released when there is nothing to do, all as on a single computer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lyricsyncd.config.path_map import translated
from lyricsyncd.errors import LyricsyncError
from lyricsyncd.processes.executor import WorkerExecutor
from lyricsyncd.work import gpu, policy
from lyricsyncd.work.dask_protocol import TOPIC, security

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Slot:
    """One graphics card, or a share of the processor: one song at a time."""

    executor: WorkerExecutor
    config: Config
    path_map: Mapping[str, str]


_slots: dict[str, Slot] = {}
"""Slots by the name of the `distributed` worker in this process."""
_slots_lock = threading.Lock()


def run(
    name: str,
    limit_s: float | None,
    wants_progress: bool,
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    before: object = None,  # noqa: ARG001 - where it lies is all that counts
) -> Any:
    """Run a function in this worker's own process; called by `distributed`, in a thread.

    Parameters
    ----------
    before
        The answer of the call before, for the same song: it lies on the worker with its vocals.

    Raises
    ------
    LyricsyncError
        The song's file is not found here; or what the function raises.
    """
    from distributed import get_worker

    worker = get_worker()
    slot = _slot(str(worker.name))

    def report(stage: str, share: float) -> None:
        with contextlib.suppress(Exception):
            worker.log_event(TOPIC, {"song": name, "stage": stage, "share": share})

    local_args = tuple(_to_local(argument, slot) for argument in args)
    return slot.executor.submit_within(
        limit_s, report if wants_progress else None, fn, *local_args, **kwargs
    ).result()


def _slot(name: str) -> Slot:
    with _slots_lock:
        if name not in _slots:
            # A plain `dask worker`, which has no settings of ours.
            from lyricsyncd.config.schema import Config

            _slots[name] = slot_of(Config(), {})
        return _slots[name]


def slot_of(config: Config, path_map: Mapping[str, str], card: int | None = None) -> Slot:
    """Make a slot with an executor of its own, which sees the given graphics card only, and shares
    the memory of the computer with those of the other slots."""
    limits = policy.resource_limits(config)
    environment = {} if card is None else {"CUDA_VISIBLE_DEVICES": str(card)}
    executor = WorkerExecutor(config.models.keep_alive, limits, environment)
    executor.sharing = _pids
    return Slot(executor, config, path_map)


def _pids() -> list[int]:
    """Return the ids of the model processes of all slots."""
    executors = [slot.executor for slot in list(_slots.values())]
    return [pid for executor in executors if (pid := executor.pid) is not None]


def _to_local(argument: Any, slot: Slot) -> Any:
    """Translate paths by the path map, and replace the models by this computer's own choice."""
    from lyricsyncd.pipeline.prepared import Prepared
    from lyricsyncd.pipeline.settings import PlacingSettings, placing_settings

    if isinstance(argument, PlacingSettings):
        # A reduction because the song took a worker down before applies here, too.
        requested, models = argument.models, placing_settings(slot.config).models
        if requested.device == "cpu":
            models = replace(models, device="cpu")
        if requested.recogniser == "none":
            models = replace(models, recogniser="none")
        return replace(argument, models=replace(models, profile=requested.profile))
    if not isinstance(argument, Prepared):
        return argument
    path = Path(translated(str(argument.path), slot.path_map))
    if not path.is_file():
        raise LyricsyncError(
            f"{path} is not there on {socket.gethostname()}",
            remedy="Mount the music there, and set daemon.path_map to where it is",
            transient=True,
        )
    return replace(argument, path=path)


def worker_name(kind: str) -> str:
    """Return a name that no other worker of a cluster has: hosts may share theirs, and in
    containers the ids of the processes are the same, too."""
    return f"lyricsyncd-{socket.gethostname()}-{uuid.uuid4().hex[:12]}-{kind}"


def gpus() -> int:
    """Count the graphics cards that `nvidia-smi` lists."""
    try:
        return len(gpu.cards())
    except gpu.NoAnswerError:
        return 0


def serve(address: str, config: Config, path_map: Mapping[str, str]) -> None:
    """Work for a scheduler until SIGTERM or SIGINT, or until the scheduler is lost for good.

    Raises
    ------
    LyricsyncError
        The scheduler cannot be reached.
    """
    asyncio.run(_serve(address, config, path_map))


async def _serve(address: str, config: Config, path_map: Mapping[str, str]) -> None:
    from distributed import Worker

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    cards: list[int | None] = list(range(gpus()))
    cards = cards or [None] * policy.workers(config)
    workers = []
    for at, card in enumerate(cards):
        name = worker_name(f"cpu{at}" if card is None else str(card))
        _slots[name] = slot_of(config, path_map, card)
        workers.append(
            Worker(
                address,
                name=name,
                nthreads=1,
                security=security(config.daemon.dask_tls),
                # Songs are not data: nothing to spill, nothing to pause for.
                memory_limit=0,
                dashboard=False,
            )
        )
    try:
        try:
            await asyncio.wait_for(asyncio.gather(*workers), 30)
        except (OSError, asyncio.TimeoutError) as error:
            raise LyricsyncError(
                f"The scheduler at {address} cannot be reached: {error or 'no answer'}",
                remedy="Start it with `dask scheduler`, and check the address",
                transient=True,
            ) from error
        log.info("working for %s with %d slots", address, len(workers))
        ended = [asyncio.ensure_future(worker.finished()) for worker in workers]
        await asyncio.wait(
            [asyncio.ensure_future(stop.wait()), *ended], return_when=asyncio.FIRST_COMPLETED
        )
        log.info("stopping" if stop.is_set() else "the scheduler has gone")
    finally:
        for slot in _slots.values():
            slot.executor.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            with contextlib.suppress(Exception):
                await worker.close(timeout=3)
