"""Serve a `WorkerExecutor`: run the functions that come over a socket, one at a time.

Started as ``python -m lyricsyncd.processes.child SOCKET PARENT NICE IONICE DATA_BYTES PROCESSOR_S
LEVEL NAME`` (0: no limit; the level is that of the parent's log; the name is for lists of
processes). The process ends when the socket closes, and so with its parent, however that ends.
"""

from __future__ import annotations

import builtins
import contextlib
import logging
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from functools import partial
from multiprocessing.connection import Connection
from types import ModuleType

from lyricsyncd.processes import forwarded_log, memory, protocol
from lyricsyncd.processes.limits import ResourceLimits, become_child

log = logging.getLogger(__name__)

_PROGRESS_S = 0.5
"""Least seconds between two messages of progress within a stage."""


def serve(pipe: Connection, processor_s: float = 0.0, log_level: int = logging.WARNING) -> None:
    """Run what comes through a connection until it closes, one function at a time.

    Parameters
    ----------
    processor_s
        Processor time that a function may use before SIGPROF ends the process; 0: no limit.
        Loading modules takes nothing of it.
    log_level
        The least that is logged, by the parent.
    """
    answers = _Answers(pipe)
    logged = forwarded_log.forward(partial(answers.send, protocol.LOGGED), log_level)
    tasks: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def receive() -> None:
        # A thread of its own, so that the parent's end is noticed in the middle of a task.
        with contextlib.suppress(EOFError, OSError):
            while True:
                message = pipe.recv_bytes()
                if not _ran_out_of_band(message):
                    tasks.put(message)
        os._exit(0)

    threading.Thread(target=receive, daemon=True).start()
    if processor_s:
        _load_modules_without_limit()
    while True:
        payload = tasks.get()
        logged.begin()
        answer, fit = _run(payload, answers, processor_s)
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        answers.send_encoded(answer)
        if not fit:
            os._exit(0)


def _load_modules_without_limit() -> None:
    """Hold the limit of processor time while a function loads modules, however late it does.

    They are not part of its work, and a slow processor takes seconds for them.
    """
    load = builtins.__import__
    known: set[tuple[object, ...]] = set()

    def load_without_limit(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        # Once for each: a limit that is held again and again, in a loop, is never reached.
        one = (name, level, level and globals and globals.get("__package__"), *(fromlist or ()))
        if one in known:
            return load(name, globals, locals, fromlist, level)
        known.add(one)
        left, _ = signal.setitimer(signal.ITIMER_PROF, 0.0)
        try:
            return load(name, globals, locals, fromlist, level)
        finally:
            # Those that a module loads itself find no time left, and change nothing.
            if left:
                signal.setitimer(signal.ITIMER_PROF, left)

    builtins.__import__ = load_without_limit


class _Answers:
    """Send answers to the parent, from any thread."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def send(self, kind: str, *values: object) -> None:
        self.send_encoded(protocol.answer(kind, *values))

    def send_encoded(self, answer: bytes) -> None:
        # Of a large one, the length goes first by itself.
        with self._lock:
            self._pipe.send_bytes(answer)


def _ran_out_of_band(message: bytes) -> bool:
    """Make an out-of-band call; false for a message that is a task."""
    try:
        call = protocol.read_out_of_band(message)
        if call is None:
            return False
        function, args = call
        function(*args)
    except Exception:
        # Of no consequence to the task that runs.
        log.debug("an out-of-band call failed", exc_info=True)
    return True


def _run(payload: bytes, answers: _Answers, processor_s: float) -> tuple[bytes, bool]:
    """Run a task; return its answer, and whether this process is fit for another task."""
    try:
        function, args, kwargs, wants_progress = protocol.read_task(payload)
        # Not before: what is imported for the function is not part of its work. Nothing
        # handles SIGPROF, so that code which never returns to the interpreter does not escape it.
        signal.setitimer(signal.ITIMER_PROF, processor_s)
        if wants_progress:
            kwargs["progress"] = _ThrottledProgress(answers)
        return protocol.answer(protocol.RESULT, function(*args, **kwargs)), True
    except MemoryError:
        # What is left of this process cannot be relied on.
        os.abort()
    except Exception as error:  # noqa: BLE001 - it is raised again in the parent
        if device_failed(error):
            return protocol.answer(protocol.LOST, _summary(error)), False
        return _encoded(error), True


def device_failed(error: BaseException | None) -> bool:
    """Return whether an error is a graphics card's: after one, its process cannot use the card."""
    while error is not None:
        kinds = {kind.__name__ for kind in type(error).__mro__}
        if kinds & {"OutOfMemoryError", "AcceleratorError"}:
            return True
        if isinstance(error, RuntimeError) and any(
            name in str(error) for name in ("CUDA error", "CUDA out of memory", "CUDNN", "cuBLAS")
        ):
            return True
        error = error.__cause__ or error.__context__
    return False


def _summary(error: BaseException) -> str:
    return " ".join("".join(traceback.format_exception_only(type(error), error)).split())


def _encoded(error: Exception) -> bytes:
    """Encode an error for the parent; one that cannot be pickled is replaced by its text."""
    try:
        data = protocol.answer(protocol.ERROR, error)
        protocol.read_answer(data)
    except Exception:  # noqa: BLE001 - any error can fail to pickle, in any way
        data = protocol.answer(protocol.ERROR, RuntimeError(_summary(error)))
    return data


class _ThrottledProgress:
    """Send the progress to the parent, at most twice a second within a stage."""

    def __init__(self, answers: _Answers) -> None:
        self._answers = answers
        self._stage, self._at = "", 0.0

    def __call__(self, stage: str, share: float) -> None:
        now = time.monotonic()
        if stage != self._stage or now - self._at >= _PROGRESS_S:
            self._stage, self._at = stage, now
            self._answers.send(protocol.PROGRESS, stage, float(share))


def main() -> None:
    """Serve the socket whose number is the first argument."""
    descriptor, parent = int(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(descriptor, False)
    limits = ResourceLimits.from_arguments(sys.argv[3:7])
    become_child(parent, limits)
    memory.give_back_large_blocks(memory.ARRAYS)
    memory.share_one_heap()
    serve(Connection(descriptor), limits.processor_s or 0.0, int(sys.argv[7]))


if __name__ == "__main__":
    main()
