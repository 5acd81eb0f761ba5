"""Functions for the worker's process in the tests: they behave, raise, hang and die."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lyricsyncd.errors import AudioError
from lyricsyncd.pipeline.prepared import MoreWordsWanted, Prepared
from lyricsyncd.work import worker


def double(number: int) -> int:
    return 2 * number


def pid() -> int:
    return os.getpid()


def heaps_of_eight_threads() -> int:
    """Allocate in eight threads at once; return the number of heaps of the C library."""
    together = threading.Barrier(8)

    def allocate(_number: int) -> None:
        together.wait(20.0)
        blocks = [bytes(40_000) for _ in range(20)]
        together.wait(20.0)
        del blocks

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(allocate, range(8)))
    library = ctypes.CDLL(None)
    library.fopen.restype = ctypes.c_void_p
    with tempfile.NamedTemporaryFile() as file:
        stream = ctypes.c_void_p(library.fopen(file.name.encode(), b"w"))
        library.malloc_info(0, stream)
        library.fclose(stream)
        return Path(file.name).read_bytes().count(b"<heap ")


def talk() -> None:
    """Log as libraries do, and warn as Python does."""
    logging.getLogger("some.library").error("a model is %s", "missing")
    logging.getLogger("some.library").debug("a detail")
    try:
        raise ValueError("no such layer")
    except ValueError:
        logging.getLogger("lyricsyncd.separate").warning("it goes on", exc_info=True)
    warnings.warn("this will be removed", stacklevel=1)
    for number in range(1000):
        logging.getLogger("chatter").warning("%d", number)


def want_more_words(prepared: Prepared) -> MoreWordsWanted:
    """Say in which process the song was, in place of the stages."""
    return MoreWordsWanted({str(prepared.path): os.getpid()})


def pid_for(prepared: Prepared) -> int:  # noqa: ARG001 - it is what is placed
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
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)


def out_of_memory() -> None:
    raise MemoryError


def in_stages(progress: Callable[[str, float], None]) -> str:
    for stage in ("separate", "align"):
        progress(stage, 0.0)
        progress(stage, 1.0)
    return "done"


def write_pid_and_hang(path: str) -> None:
    Path(path).write_text(str(os.getpid()), encoding="ascii")
    time.sleep(600)


def note_and_wait_for(note: str, go: str) -> int:
    """Note that a run began, and wait for a file; the process that came to the end."""
    with Path(note).open("a", encoding="ascii") as file:
        file.write(f"{os.getpid()}\n")
    while not Path(go).exists():
        time.sleep(0.05)
    return os.getpid()


def hoard(mebibytes: int) -> int:
    """Take memory, and use it."""
    taken = [bytearray(b"\1" * 2**20) for _ in range(mebibytes)]
    time.sleep(30)
    return len(taken)


def break_the_card() -> None:
    raise RuntimeError("CUDA error: an illegal memory access was encountered")


def priority() -> tuple[int, str]:
    """Our niceness and our class at the disk, as ionice(1) tells it."""
    import subprocess

    asked = ["ionice", "-p", str(os.getpid())]
    io = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    return os.nice(0), io


def wait_for(flag: Path) -> None:
    while not flag.exists():
        time.sleep(0.01)


def touch(flag: Path) -> None:
    flag.touch()


def read(song: Path, rate: int) -> tuple[int, int]:
    """Read a song as the pipeline does: samples, and how many songs were ready so far."""
    reader = worker._reader()
    return sum(map(len, reader.blocks(song, rate))), reader.hits


def take_memory(size: int) -> None:
    held = bytearray(size)
    held[::4096] = b"x" * len(held[::4096])
    time.sleep(2.5)
