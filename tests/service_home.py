"""A home of its own for a service that really runs: configuration, state and music."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

ROOT = Path(__file__).parent.parent
SONG = ROOT / "demo" / "songs" / "The_Star.mp3"
TEXT = SONG.with_suffix(".txt").read_text(encoding="utf-8")
TIMED = "[00:05.28]<00:05.28>Twinkle, <00:06.19>twinkle <00:07.09>\n"
TIMEOUT_S = 60
HEAVY = {"numpy", "onnxruntime", "av", "torch", "soxr", "pocketsphinx", "py3langid"}

AnyHome = TypeVar("AnyHome", bound="Home")


class Home:
    """A home of its own for a service: configuration, state and music."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.music = folder / "music"
        self.music.mkdir(parents=True)
        self.config = folder / "config.yaml"
        self.log = folder / "log"
        self.configure()
        self.process: subprocess.Popen[bytes] | None = None

    def configure(self, **changes: Any) -> None:
        settings: dict[str, Any] = {
            "libraries": [{"path": str(self.music)}],
            "lyrics": {"order": ["local"]},
            "models": {"separator": "mix"},
            "daemon": {"settle": 0.3},
        }
        self.config.write_text(json.dumps({**settings, **changes}), encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {
            **kept,
            "HOME": str(self.folder),
            "STATE_DIRECTORY": str(self.folder / "state"),
            "CACHE_DIRECTORY": str(self.folder / "cache"),
            "LYRICSYNCD_CONFIG": str(self.config),
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
        }

    def start(self, **environment: str) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lyricsyncd", "run"],
                env={**self.environment, **environment},
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        self.until(lambda: "watching" in self.said(), "the service is up")

    def __enter__(self: AnyHome) -> AnyHome:
        return self

    def __exit__(self, *_error: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End the service as a crash of the computer would; nothing where none runs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self, by: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(by)
        status = self.process.wait(20)
        self.process = None
        return status

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def call(self, *arguments: str | Path, status: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "lyricsyncd", *map(str, arguments)],
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stderr

    def asked(self, *arguments: str | Path) -> Any:
        return json.loads(self.call(*arguments, "--json"))

    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = self.asked("status")["songs"]
        return {state: count for state, count in counts.items() if count}

    def drop(self, name: str = "song.mp3", words: str | None = TIMED) -> Path:
        """A song with its words, as a person would copy them."""
        song = self.music / name
        song.parent.mkdir(parents=True, exist_ok=True)
        if words is not None:
            suffix = ".elrc" if words.startswith("[") else ".txt"
            song.with_suffix(suffix).write_text(words, encoding="utf-8")
        shutil.copyfile(SONG, song)
        return song

    def until(self, true: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not true():
            alive = self.process is None or self.process.poll() is None
            assert alive, f"the service ended: {self.said()}"
            assert time.monotonic() < deadline, f"waited for: {what}\n{self.said()}"
            time.sleep(0.1)

    def until_counts(self, **counts: int) -> None:
        self.until(lambda: self.counts() == counts, f"{counts}")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home in which no service runs yet; one that is started ends with the test."""
    with Home(tmp_path) as home:
        yield home


def worker_of(pid: int) -> int | None:
    """The process id of a service's model worker."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = status.read_text(encoding="utf-8").rpartition(") ")[2].split()
            command = status.with_name("cmdline").read_bytes()
            if int(fields[1]) == pid and fields[0] != "Z" and b"model worker" in command:
                return int(status.parent.name)
    return None
