"""Functions that the tests run in a sandbox: they behave, spin, hang, hoard and die."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import signal
import sys
import time
from pathlib import Path

from lyricsyncd import formats
from lyricsyncd.errors import AudioError, FormatError

MB = 2**20


def pid_of(_path: Path) -> int:
    return os.getpid()


def limits_of(_path: Path) -> tuple[int, int]:
    return resource.getrlimit(resource.RLIMIT_DATA)[0], resource.getrlimit(resource.RLIMIT_CORE)[0]


def spin(_path: Path) -> None:
    while True:
        pass


def load(path: Path) -> str:
    """Load a module from a file, and return its name for itself."""
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    return str(__import__(path.stem).NAME)


def load_and_spin(path: Path) -> None:
    """Load a module, and ask for it for ever, as code with an import in a loop does."""
    while True:
        load(path)


def hang(path: Path) -> None:
    path.with_name("pid").write_text(str(os.getpid()), encoding="ascii")
    time.sleep(600)


def hoard(_path: Path) -> int:
    return len([bytearray(b"\1" * MB) for _ in range(1000)])


def die(_path: Path, by: int) -> None:
    os.kill(os.getpid(), by)


def refuse(path: Path) -> None:
    raise AudioError(f"{path} is not for us", remedy="Choose another")


def note_and_crash(_path: Path, log: Path) -> None:
    with log.open("a") as file:
        file.write("tried\n")
    os.kill(os.getpid(), signal.SIGSEGV)


def warn(song: Path, times: int) -> None:
    """Log a warning so often."""
    for at in range(times):
        logging.getLogger("lyricsyncd.test").warning("%s: number %d", song.name, at)


def read_lyrics(path: Path, name: str) -> None:
    """Read a file as lyrics of a format, or refuse it."""
    with contextlib.suppress(FormatError):
        formats.read(path.read_bytes(), name)
