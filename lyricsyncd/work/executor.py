"""Runs functions in one process of its own, and survives whatever becomes of it.

The process is started when it is needed, stays warm between songs, and is *ended* when idle: that
gives all memory back. If it is killed, crashes or hangs, the function's future fails with
`WorkerLost`, and the next one gets a new process.

A plain child with a socket rather than a pool: a pool of `concurrent.futures` stays broken after
one death, cannot end a hanging function, and keeps a second process for its locks.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import pickle
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Protocol, TypeVar

from lyricsyncd.errors import WorkerLost
from lyricsyncd.work import memory
from lyricsyncd.work.worker import ASIDE

log = logging.getLogger(__name__)

T = TypeVar("T")
Progress = Callable[[str, float], None]

_MODULE = "lyricsyncd.work.worker"
_GRACE_S = 2.0
"""How long an idle process may take to end by itself."""
_MEMORY_LOOK_S = 1.0


class SongExecutor(Protocol):
    """Where the models run: in a process of this computer, or on others."""

    slots: int
    """How many songs it can have at once."""

    def submit_within(
        self,
        limit_s: float | None,
        progress: Progress | None,
        fn: Callable[..., T],
        /,
        *args: Any,
        **kwargs: Any,
    ) -> Future[T]: ...

    def meanwhile(self, fn: Callable[..., None], /, *args: Any) -> None:
        """Do something brief beside what runs; lost without a trace where nothing runs."""

    def abandon(self, future: Future[Any]) -> None:
        """Give up what was submitted, even if it runs."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None: ...


@dataclass(frozen=True, slots=True)
class ResourceLimits:
    """How much of the computer the process may take."""

    memory_bytes: int | None = None
    """Above this it is ended; ``None``: there is no limit."""
    nice: int = 10
    ionice: str = "idle"
    data_bytes: int | None = None
    """What it can allocate at all (RLIMIT_DATA): asking for more ends it."""
    processor_s: float | None = None
    """Processor time that one function may use before the system ends the process."""

    def as_arguments(self) -> list[str]:
        """The command line of the worker, as far as it says what the process may take."""
        limits = (self.data_bytes or 0, self.processor_s or 0.0)
        return [str(self.nice), self.ionice, *map(str, limits)]


@dataclass(slots=True)
class _Task:
    future: Future[Any]
    payload: bytes
    limit_s: float | None
    progress: Progress | None


_REST = _Task(Future(), b"", None, None)
"""No task: the process is to end if it is idle."""


class WorkerExecutor(Executor):
    """One worker process behind the interface of `concurrent.futures`.

    Parameters
    ----------
    keep_alive_s : float
        How long an idle process stays; 0 ends it after each function.
    manners : Manners, optional
        What it may take of the computer; changes hold from the next process on.
    environment : mapping, optional
        Variables that the process has besides ours.
    name : str
        What errors and lists of processes call the process.
    """

    slots = 1

    def __init__(
        self,
        keep_alive_s: float = 600.0,
        manners: ResourceLimits | None = None,
        environment: Mapping[str, str] | None = None,
        name: str = "model worker",
    ) -> None:
        self.name = name
        self.keep_alive_s = keep_alive_s
        self.manners = manners or ResourceLimits()
        self._environment = dict(environment or {})
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._running = False
        self._aside: bytes | None = None
        self._closing = False
        self._stopping = False
        # The process dies with the thread that started it (PDEATHSIG): one thread, for good.
        self._thread = threading.Thread(target=self._serve, name="worker", daemon=True)
        self._thread.start()

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run a function of a module in the process; its arguments and result are pickled."""
        return self.submit_within(None, None, fn, *args, **kwargs)

    def submit_within(
        self,
        limit_s: float | None,
        progress: Progress | None,
        fn: Callable[..., T],
        /,
        *args: Any,
        **kwargs: Any,
    ) -> Future[T]:
        """The same, with a limit of time and word of the progress.

        Parameters
        ----------
        limit_s : float, optional
            Seconds after which the process is killed and the future fails with `WorkerLost`.
        progress : callable, optional
            Called in the executor's thread. ``fn`` is given a keyword ``progress`` then.
        """
        if self._closing:
            raise RuntimeError("the executor has been shut down")
        payload = pickle.dumps((fn, args, kwargs, progress is not None))
        task: _Task = _Task(Future(), payload, limit_s, progress)
        self._tasks.put(task)
        return task.future

    def meanwhile(self, fn: Callable[..., None], /, *args: Any) -> None:
        """Let the process do something brief beside the task that runs, within a second.

        Only the latest is kept. Whatever becomes of it, the task goes on.
        """
        if self._running:
            self._aside = ASIDE + pickle.dumps((fn, args))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the process: after what was submitted, or with ``cancel_futures`` at once."""
        self._closing = True
        if cancel_futures:
            self._stopping = True
            self._cancel_waiting()
            self.kill()
        self._tasks.put(None)
        if wait:
            self._thread.join()

    def kill(self) -> None:
        """Kill the process now; what runs in it fails with `WorkerLost`."""
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def abandon(self, future: Future[Any]) -> None:
        """Give up what was submitted; if it runs, its process is killed."""
        if not future.cancel() and not future.done():
            self.kill()

    def rest(self) -> None:
        """End the process if it is idle, now and not after ``keep_alive_s``."""
        self._tasks.put(_REST)

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        with self._lock:
            return None if self._process is None else self._process.pid

    def _cancel_waiting(self) -> None:
        while True:
            try:
                task = self._tasks.get_nowait()
            except queue.Empty:
                return
            if task is not None and task is not _REST:
                task.future.cancel()

    # In the executor's thread

    def _serve(self) -> None:
        while True:
            try:
                task = self._tasks.get(timeout=None if self._pipe is None else self.keep_alive_s)
            except queue.Empty:
                log.debug("the %s was idle and ends", self.name)
                self._end()
                continue
            if task is None:
                break
            if task is _REST:
                self._end()
                continue
            if task.future.set_running_or_notify_cancel():
                self._running = True
                self._run(task)
                self._running, self._aside = False, None
                if self.keep_alive_s <= 0:
                    self._end()
        self._end()

    def _run(self, task: _Task) -> None:
        try:
            if self._pipe is not None and self._died_while_idle():
                self._end()
            if self._pipe is None:
                self._start()
            pipe = self._pipe
            assert pipe is not None, "started just now"
            pipe.send_bytes(task.payload)
            task.future.set_result(self._answer(pipe, task))
        except _RaisedThereError as raised:
            task.future.set_exception(raised.error)
        except (EOFError, OSError) as error:
            task.future.set_exception(self._how_it_ended(error))
        except WorkerLost as error:
            self._end()
            task.future.set_exception(error)
        except Exception as error:  # noqa: BLE001 - the thread must live on; the caller is told
            self._end()
            task.future.set_exception(error)

    def _answer(self, pipe: Connection, task: _Task) -> Any:
        look_at = time.monotonic() + _MEMORY_LOOK_S
        deadline = math.inf if task.limit_s is None else time.monotonic() + task.limit_s
        while True:
            if (aside := self._aside) is not None:
                self._aside = None
                pipe.send_bytes(aside)
            answered = pipe.poll(max(0.0, min(look_at, deadline) - time.monotonic()))
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + _MEMORY_LOOK_S
                self._check_memory()
            if not answered:
                if time.monotonic() >= deadline:
                    self.kill()
                    raise WorkerLost(
                        f"The {self.name} was ended: no result after {task.limit_s:.0f} s",
                        cause="time",
                    )
                continue
            kind, *values = pickle.loads(pipe.recv_bytes())
            if kind == "progress" and task.progress is not None:
                task.progress(*values)
            elif kind == "result":
                return values[0]
            elif kind == "error":
                raise _RaisedThereError(values[0])
            elif kind == "lost":
                raise WorkerLost(f"The {self.name} was ended: {values[0]}")

    def _check_memory(self) -> None:
        allowed, pid = self.manners.memory_bytes, self.pid
        if allowed is None or pid is None:
            return
        taken = memory.resident(pid)
        if taken > allowed:
            self.kill()
            raise WorkerLost(
                f"The {self.name} was ended: it took {taken / 2**30:.1f} GiB of memory, and"
                f" {allowed / 2**30:.1f} GiB are allowed",
                cause="memory",
            )

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            # It must find what we find, as with multiprocessing's spawn.
            path = os.pathsep.join(folder or os.curdir for folder in sys.path)
            environment = {**os.environ, "PYTHONPATH": path, **self._environment}
            ends = (str(theirs.fileno()), str(os.getpid()))
            process = subprocess.Popen(
                [sys.executable, "-m", _MODULE, *ends, *self.manners.as_arguments(), self.name],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=environment,
            )
            with self._lock:
                self._process = process
            self._pipe = Connection(ours.detach())
        if self._stopping:
            self.kill()

    def _died_while_idle(self) -> bool:
        process = self._process
        return process is None or process.poll() is not None or memory.is_zombie(process.pid)

    def _how_it_ended(self, error: BaseException) -> WorkerLost:
        """What became of the process whose socket broke; it is waited for."""
        process = self._process
        self._end()
        status = None if process is None else process.returncode
        if status is None:
            return WorkerLost(f"The {self.name} was lost: {error}")
        if status < 0:
            name = signal.Signals(-status).name
            hint = " (out of memory?)" if name == "SIGKILL" else ""
            return WorkerLost(f"The {self.name} was killed by {name}{hint}", cause=name)
        return WorkerLost(f"The {self.name} ended with status {status}")

    def _end(self) -> None:
        """End the process: it goes when its socket closes, or is killed."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        process = self._process
        if process is None:
            return
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            # One that waits for a dead disk cannot even be killed: it goes when the disk answers.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_S)
        with self._lock:
            self._process = None


class _RaisedThereError(Exception):
    """The function itself raised this, in its process."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
