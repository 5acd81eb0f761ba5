"""Run functions in one child process, and survive its end, however it ends.

The process is started when it is needed, stays warm between calls, and is *ended* when idle: that
releases all its memory. If it is killed, crashes or hangs, the call's future fails with
`WorkerLost`, and the next call gets a new process.

A plain child with a socket rather than a pool: a pool of `concurrent.futures` stays broken after
one death, cannot end a hanging function, and keeps a second process for its locks.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from lyricsyncd.errors import WorkerLost
from lyricsyncd.processes import forwarded_log, memory, protocol
from lyricsyncd.processes.limits import ResourceLimits

log = logging.getLogger(__name__)

T = TypeVar("T")
Progress = Callable[[str, float], None]

_MODULE = "lyricsyncd.processes.child"
_GRACE_S = 2.0
"""How long an idle process may take to end by itself."""
_MEMORY_CHECK_S = 1.0
"""Interval of the checks of the memory that the process uses."""


@dataclass(slots=True)
class _Task:
    future: Future[Any]
    payload: bytes
    limit_s: float | None
    progress: Progress | None


_END_IF_IDLE = _Task(Future(), b"", None, None)
"""No task: a request to end the process if it is idle."""


class WorkerExecutor(Executor):
    """Run functions in one worker process, with the interface of `concurrent.futures`.

    Parameters
    ----------
    keep_alive_s : float
        How long an idle process is kept; 0 ends it after each call.
    limits : ResourceLimits, optional
        How much of the computer the process may take; changes apply to the next process.
    environment : mapping, optional
        Environment variables of the process, besides those of this one.
    name : str
        Name of the process in errors and in lists of processes.
    """

    slots = 1

    def __init__(
        self,
        keep_alive_s: float = 600.0,
        limits: ResourceLimits | None = None,
        environment: Mapping[str, str] | None = None,
        name: str = "model worker",
    ) -> None:
        self.name = name
        self.keep_alive_s = keep_alive_s
        self.limits = limits or ResourceLimits()
        self.sharing: Callable[[], Iterable[int]] = tuple
        """Return the ids of processes that share its memory with this one: of those, the largest is
        ended when all together take too much."""
        self._environment = dict(environment or {})
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._killed: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._running = False
        self._out_of_band: bytes | None = None
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
        """Run a function as `submit` does, with a limit of time and reports of the progress.

        Parameters
        ----------
        limit_s : float, optional
            Seconds after which the process is killed and the future fails with `WorkerLost`.
        progress : callable, optional
            Called in the executor's thread with a stage and its share done (0 to 1). ``fn`` is then
            passed a keyword argument ``progress``.
        """
        if self._closing:
            raise RuntimeError("the executor has been shut down")
        payload = protocol.task(fn, args, kwargs, progress is not None)
        task: _Task = _Task(Future(), payload, limit_s, progress)
        self._tasks.put(task)
        return task.future

    def call_out_of_band(self, fn: Callable[..., None], /, *args: Any) -> None:
        """Make a brief call in the process beside the task that runs, within a second.

        Only the latest call is kept, and none when no task runs. If it fails, the task goes on.
        """
        if self._running:
            self._out_of_band = protocol.out_of_band(fn, args)

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
                self._killed = self._process

    def abandon(self, future: Future[Any]) -> None:
        """Give up what was submitted; if it runs, its process is killed."""
        if not future.cancel() and not future.done():
            self.kill()

    def end_if_idle(self) -> None:
        """End the process at once if it is idle, without waiting for ``keep_alive_s``."""
        self._tasks.put(_END_IF_IDLE)

    @property
    def pid(self) -> int | None:
        """The id of the process, while there is one."""
        with self._lock:
            return None if self._process is None else self._process.pid

    def _cancel_waiting(self) -> None:
        while True:
            try:
                task = self._tasks.get_nowait()
            except queue.Empty:
                return
            if task is not None and task is not _END_IF_IDLE:
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
            if task is _END_IF_IDLE:
                self._end()
                continue
            if task.future.set_running_or_notify_cancel():
                self._running = True
                self._run(task)
                self._running, self._out_of_band = False, None
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
            task.future.set_result(self._result(pipe, task))
        except _RaisedInChildError as raised:
            task.future.set_exception(raised.error)
        except (EOFError, OSError) as error:
            task.future.set_exception(self._loss(error))
        except WorkerLost as error:
            self._end()
            task.future.set_exception(error)
        except Exception as error:  # noqa: BLE001 - the thread must live on; the caller gets it
            self._end()
            task.future.set_exception(error)

    def _result(self, pipe: Connection, task: _Task) -> Any:
        check_at = time.monotonic() + _MEMORY_CHECK_S
        deadline = math.inf if task.limit_s is None else time.monotonic() + task.limit_s
        while True:
            if (message := self._out_of_band) is not None:
                self._out_of_band = None
                pipe.send_bytes(message)
            answered = pipe.poll(max(0.0, min(check_at, deadline) - time.monotonic()))
            if time.monotonic() >= check_at:
                check_at = time.monotonic() + _MEMORY_CHECK_S
                self._check_memory()
            if not answered:
                if time.monotonic() >= deadline:
                    self.kill()
                    raise WorkerLost(
                        f"The {self.name} was ended: no result after {task.limit_s:.0f} s",
                        cause="time",
                    )
                continue
            kind, values = protocol.read_answer(pipe.recv_bytes())
            if kind == protocol.PROGRESS and task.progress is not None:
                task.progress(*values)
            elif kind == protocol.LOGGED:
                forwarded_log.repeat(values[0])
            elif kind == protocol.RESULT:
                return values[0]
            elif kind == protocol.ERROR:
                raise _RaisedInChildError(values[0])
            elif kind == protocol.LOST:
                raise WorkerLost(f"The {self.name} was ended: {values[0]}")

    def _check_memory(self) -> None:
        allowed, pid = self.limits.memory_bytes, self.pid
        if allowed is None or pid is None:
            return
        used = memory.resident(pid)
        others = [memory.resident(other) for other in self.sharing() if other != pid]
        if used + sum(others) > allowed and used >= max(others, default=0):
            self.kill()
            beside = f" beside {sum(others) / 2**30:.1f} GiB of others" if others else ""
            raise WorkerLost(
                f"The {self.name} was ended: it took {used / 2**30:.1f} GiB of memory{beside}, and"
                f" {allowed / 2**30:.1f} GiB are allowed",
                cause="memory",
            )

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            # It must find the modules that this process finds, as with multiprocessing's spawn.
            path = os.pathsep.join(folder or os.curdir for folder in sys.path)
            environment = {**os.environ, "PYTHONPATH": path, **self._environment}
            ends = (str(theirs.fileno()), str(os.getpid()))
            level = str(logging.getLogger().getEffectiveLevel())
            own = (*ends, *self.limits.to_arguments(), level, self.name)
            process = subprocess.Popen(
                [sys.executable, "-m", _MODULE, *own],
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
        # One that was killed may take a moment to die.
        if process is None or process is self._killed:
            return True
        return process.poll() is not None or memory.is_zombie(process.pid)

    def _loss(self, error: BaseException) -> WorkerLost:
        """Reap the process whose socket broke, and describe its end."""
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
        """End the process: close its socket, and kill it if it does not end then."""
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
            # One that waits for a dead disk cannot even be killed: it ends when the disk answers.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_S)
        with self._lock:
            self._process = None


class _RaisedInChildError(Exception):
    """An error that the function itself raised, in its process."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
