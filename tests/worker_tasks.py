"""Functions for the worker's process in the tests: they behave, raise, hang and die."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from lyricsyncd.errors import AudioError


def double(number: int) -> int:
    return 2 * number


def pid() -> int:
    return os.getpid()


def refuse(path: str) -> None:
    raise AudioError(f"{path} cannot be listened to", remedy="Get another copy")


class StubbornError(Exception):
    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


def raise_unpicklable() -> None:
    raise StubbornError("cannot ", "travel")


def unpicklable_result() -> object:
    return lambda: None


def die(by: int = signal.SIGKILL) -> None:
    os.kill(os.getpid(), by)
    time.sleep(60)


def exit_quietly() -> None:
    os._exit(7)


def hang() -> None:
    # Deaf to everything but SIGKILL.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)


def hang_once(path: str) -> str:
    """Hangs for the first that tries; the next one finds its mark."""
    try:
        Path(path).touch(exist_ok=False)
    except FileExistsError:
        return "done elsewhere"
    time.sleep(600)
    return "never"


def out_of_memory() -> None:
    raise MemoryError


def eat(mebibytes: int) -> None:
    held = bytearray(mebibytes * 1024**2)
    held[::4096] = b"x" * len(held[::4096])
    time.sleep(600)


def niceness() -> int:
    return os.nice(0)


def in_stages(progress: Callable[[str, float], None]) -> str:
    for stage in ("separate", "align"):
        progress(stage, 0.0)
        progress(stage, 1.0)
    return "done"


def write_pid_and_hang(path: str) -> None:
    Path(path).write_text(str(os.getpid()), encoding="ascii")
    time.sleep(600)
