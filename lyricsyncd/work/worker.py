"""What runs in the model worker's process: functions handed over a socket, the pipeline kept warm.

Started as ``python -m lyricsyncd.work.worker SOCKET PARENT NICE IONICE DATA_BYTES PROCESSOR_S
NAME`` (0: no limit; the name is for lists of processes). It ends when the socket closes: with the
service, however that ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import logging
import os
import pickle
import platform
import queue
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lyricsyncd.pipeline.placer import Placer
    from lyricsyncd.pipeline.prepared import Answer, Prepared
    from lyricsyncd.pipeline.settings import PlacingSettings
    from lyricsyncd.work.prefetch import Prefetched

log = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "riscv64": 30, "armv7l": 314, "i686": 289}
_IO_CLASSES = {"best-effort": (2 << 13) | 7, "idle": 3 << 13}
"""Class and level as ioprio_set(2) wants them."""
_PROGRESS_S = 0.5
"""Least seconds between words of the progress within a stage."""
ASIDE = b"aside "
"""What a message begins with that is no task: something brief, done while a task runs."""


def place(
    settings: PlacingSettings,
    prepared: Prepared,
    *,
    progress: Callable[[str, float], None] | None = None,
) -> Answer:
    """Place words that were found, with models that stay loaded between calls."""
    return _placer(settings).place(prepared, progress=progress)


def expect(song: Path) -> None:
    """Decode a song while another one is being placed: it comes next."""
    _reader().expect(song)


def packets_digest(song: Path) -> str:
    """The hash of a song's audio packets; see `lyricsyncd.audio.packets_digest`."""
    from lyricsyncd import audio

    return audio.packets_digest(song)


_warm: Placer | None = None


def _placer(settings: PlacingSettings) -> Placer:
    global _warm
    if _warm is None or _warm.settings != settings:
        from lyricsyncd.pipeline.placer import Placer

        _warm = Placer(settings, read=_reader().blocks)
    return _warm


@functools.cache
def _reader() -> Prefetched:
    from lyricsyncd.work.prefetch import Prefetched

    return Prefetched()


def serve(pipe: Connection, processor_s: float = 0.0) -> None:
    """Run what comes through a connection until it closes, one function at a time.

    Parameters
    ----------
    processor_s
        Processor time that a function may use before SIGPROF ends the process; 0: no limit.
    """
    tasks: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def receive() -> None:
        # A thread of its own, so that the service's end is seen in the middle of a song.
        with contextlib.suppress(EOFError, OSError):
            while True:
                message = pipe.recv_bytes()
                if message.startswith(ASIDE):
                    _do_aside(message[len(ASIDE) :])
                else:
                    tasks.put(message)
        os._exit(0)

    threading.Thread(target=receive, daemon=True).start()
    while True:
        payload = tasks.get()
        answer, fit = _done(payload, pipe, processor_s)
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        pipe.send_bytes(answer)
        if not fit:
            os._exit(0)


def _do_aside(payload: bytes) -> None:
    try:
        function, args = pickle.loads(payload)
        function(*args)
    except Exception:
        # Of no consequence to the task that runs.
        log.debug("what was to be done aside failed", exc_info=True)


def _done(payload: bytes, pipe: Connection, processor_s: float) -> tuple[bytes, bool]:
    """The answer to a task, and whether this process is fit for another one."""
    try:
        function, args, kwargs, wants_progress = pickle.loads(payload)
        # Not before: what is imported for the first function is no work of its. Nothing handles
        # SIGPROF, so that code which never returns to the interpreter does not escape it.
        signal.setitimer(signal.ITIMER_PROF, processor_s)
        if wants_progress:
            kwargs["progress"] = _Throttled(pipe)
        return pickle.dumps(("result", function(*args, **kwargs))), True
    except MemoryError:
        # What is left of this process is not worth keeping.
        os.abort()
    except Exception as error:  # noqa: BLE001 - it is raised again in the service
        if device_failed(error):
            return pickle.dumps(("lost", _in_words(error))), False
        return _pickled(error), True


def device_failed(error: BaseException | None) -> bool:
    """Whether an error is a graphics card's: after one, nothing works any more in its process."""
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


def _in_words(error: BaseException) -> str:
    return " ".join("".join(traceback.format_exception_only(type(error), error)).split())


def _pickled(error: Exception) -> bytes:
    """An error for the service; one that cannot travel is told in words."""
    try:
        data = pickle.dumps(("error", error))
        pickle.loads(data)
    except Exception:  # noqa: BLE001 - any error can fail to pickle, in any way
        data = pickle.dumps(("error", RuntimeError(_in_words(error))))
    return data


class _Throttled:
    """Hands on the progress, not more often than anybody can use."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._stage, self._at = "", 0.0

    def __call__(self, stage: str, share: float) -> None:
        now = time.monotonic()
        if stage != self._stage or now - self._at >= _PROGRESS_S:
            self._stage, self._at = stage, now
            self._pipe.send_bytes(pickle.dumps(("progress", stage, float(share))))


def _be_a_good_child(parent: int, nice: int, ionice: str) -> None:
    """Die with the service, leave its signals to it, and let everybody else go first."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)
    # Ctrl-C and a closed terminal reach the whole group; the service decides what follows.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.nice(nice - os.nice(0))
    if ionice in _IO_CLASSES and platform.machine() in _IOPRIO_SET:
        with contextlib.suppress(OSError, AttributeError):
            call = ctypes.CDLL(None).syscall
            call(_IOPRIO_SET[platform.machine()], 1, 0, _IO_CLASSES[ionice])
    with contextlib.suppress(OSError):
        # If memory runs out, it is us, and not the service or the music player.
        Path("/proc/self/oom_score_adj").write_text("800", encoding="ascii")


def limit_data(limit: int) -> None:
    """Let this process allocate at most so many bytes, and leave no core when it fails."""
    # Where a sandbox forbids it the parent's own look at the memory remains.
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def main() -> None:
    """Serve the socket whose number is the first argument."""
    descriptor, parent = int(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(descriptor, False)
    _be_a_good_child(parent, int(sys.argv[3]), sys.argv[4])
    # Functions are pickled by the name of this module, not as __main__: one warm pipeline.
    from lyricsyncd.work import worker

    if data_bytes := int(sys.argv[5]):
        limit_data(data_bytes)
    worker.serve(Connection(descriptor), float(sys.argv[6]))


if __name__ == "__main__":
    main()
