"""Computers on one machine: network namespaces on a bridge, each with an address of its own.

They need root and `ip`. What runs in one sees no other loopback than its own, so that nothing is
reached but over the (virtual) network.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SONGS = ROOT / "demo" / "songs"
SECRET = "do-not-send-this-token"
_NUMBERS = itertools.count(1)


def available() -> bool:
    """Return whether namespaces can be made here."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"lyr-try-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True)
    subprocess.run(["ip", "netns", "del", name], capture_output=True)
    return made.returncode == 0


@dataclass
class Computer:
    """A network namespace, and the processes in it."""

    name: str
    address: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Run Python here, with its home, state and log in a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        within = ["ip", "netns", "exec", self.name]
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [*within, sys.executable, *arguments],
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(folder),
                    "STATE_DIRECTORY": str(folder / "state"),
                    "CACHE_DIRECTORY": str(folder / "cache"),
                    "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
                    **environment,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def end(self, process: subprocess.Popen[bytes], by: int = signal.SIGKILL) -> None:
        """End a process and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, by)
        process.wait(30)
        self.processes.remove(process)


@contextlib.contextmanager
def computers(count: int) -> Iterator[list[Computer]]:
    """Make computers on one network, and take them away with all that runs in them."""
    tag = f"{os.getpid() % 10000}{next(_NUMBERS)}"
    bridge, net = f"lyrb{tag}", f"10.{77 + os.getpid() % 100}.{os.getpid() % 250}"
    made = [Computer(f"lyr{tag}-{number}", f"{net}.{number + 1}") for number in range(count)]
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("link", "set", bridge, "up")
        for number, each in enumerate(made):
            ours, theirs = f"lyrv{tag}{number}", f"lyrp{tag}{number}"
            _ip("netns", "add", each.name)
            _ip("link", "add", ours, "type", "veth", "peer", "name", theirs)
            _ip("link", "set", theirs, "netns", each.name)
            _ip("link", "set", ours, "master", bridge)
            _ip("link", "set", ours, "up")
            _ip("-n", each.name, "addr", "add", f"{each.address}/24", "dev", theirs)
            _ip("-n", each.name, "link", "set", theirs, "up")
            _ip("-n", each.name, "link", "set", "lo", "up")
        yield made
    finally:
        for each in made:
            for process in list(each.processes):
                each.end(process)
            subprocess.run(["ip", "netns", "del", each.name], capture_output=True)
        subprocess.run(["ip", "link", "del", bridge], capture_output=True)


class Cluster:
    """A service with a scheduler on one computer, and workers on others.

    The workers have the music under another name, and settings of their own without any source.
    """

    def __init__(self, network: Sequence[Computer], folder: Path, models: Path | None) -> None:
        self.here, *self.there = network
        self.folder = folder
        self.music = folder / "music"
        self.music.mkdir()
        (folder / "mnt").mkdir()
        (folder / "mnt" / "their name").symlink_to(self.music)
        self.models = models
        self.address = f"tcp://{self.here.address}:8786"
        placing = {"separator": "none" if models is None else "spleeter", "transcriber": "none"}
        if models is not None:
            placing["dir"] = str(models)
        self._write("here", {
            "libraries": [{"path": str(self.music)}],
            "lyrics": {"order": ["local"]},
            "models": placing,
            "web": {"listen": None, "token": SECRET},
            "daemon": {"settle": 0, "executor": "dask", "dask_address": self.address},
        })  # fmt: skip
        self._write("there", {"models": placing, "daemon": {"workers": 1}})
        self.service: subprocess.Popen[bytes] | None = None

    def _write(self, name: str, settings: dict[str, Any]) -> None:
        (self.folder / f"{name}.yaml").write_text(json.dumps(settings), encoding="utf-8")

    def add_songs(self, count: int, clip: Path, words: str) -> None:
        """Copy a song under many names."""
        begin = len(list(self.music.glob(f"*{clip.suffix}")))
        for number in range(begin, begin + count):
            path = self.music / f"song {number:03}{clip.suffix}"
            path.with_suffix(".txt").write_text(words, encoding="utf-8")
            shutil.copyfile(clip, path)

    def start_scheduler(self) -> None:
        """Start the scheduler, and wait until it listens."""
        self.here.start(
            self.folder / "scheduler",
            *("-m", "distributed.cli.dask_scheduler", "--host", self.here.address),
            *("--port", "8786", "--no-dashboard"),
        )
        self.until(lambda: "Scheduler at" in self.said("scheduler"), "the scheduler listens")

    def start_service(self) -> None:
        """Start the service."""
        self.service = self.here.start(
            self.folder / "service", "-m", "lyricsyncd", "run", LYRICSYNCD_CONFIG=self._config
        )

    def stop_service(self) -> None:
        """Stop the service as systemd would."""
        assert self.service is not None
        self.here.end(self.service, signal.SIGTERM)

    @property
    def _config(self) -> str:
        return str(self.folder / "here.yaml")

    def start_worker(self, number: int) -> tuple[Computer, subprocess.Popen[bytes]]:
        """Start a worker on a computer of its own, and wait until it is ready."""
        name, computer = f"worker {number}", self.there[number]
        before = self.said(name).count("working for")
        process = computer.start(
            self.folder / name,
            *("-m", "lyricsyncd", "worker", self.address, "--config"),
            *(str(self.folder / "there.yaml"), "--path-map"),
            f"{self.music}={self.folder / 'mnt' / 'their name'}",
        )
        self.until(lambda: self.said(name).count("working for") > before, f"{name} is ready")
        return computer, process

    def said(self, name: str) -> str:
        """Return the log of a part."""
        log = self.folder / name / "log"
        return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""

    def times_done(self) -> Counter[str]:
        """Count how often each song came to its end."""
        found: Counter[str] = Counter()
        for line in self.said("service").splitlines():
            for state in (": done,", ": mixed,", ": lines,", ": review,", ": failed,"):
                if state in line and "song " in line:
                    found["song " + line.split("song ")[1].split(".")[0]] += 1
        return found

    def until(self, true: Callable[[], object], what: str, seconds: float = 120.0) -> None:
        """Wait for something."""
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, (
                f"waited for: {what}\n{self.said('service')[-2000:]}"
            )
            time.sleep(0.1)


def reaches(computer: Computer, address: str, port: int) -> bool:
    """Return whether a connection can be made from a computer."""
    code = f"import socket; socket.create_connection(({address!r}, {port}), 3)"
    command = ["ip", "netns", "exec", computer.name, sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True).returncode == 0


def first_seconds(song: Path, seconds: float, target: Path) -> Path:
    """Cut the begin of a song."""
    import wave

    import numpy as np

    from lyricsyncd import audio

    samples = np.concatenate(list(audio.blocks(song, 16_000)))[: round(seconds * 16_000)]
    with wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((samples.mean(axis=1) * 32000).astype("<i2").tobytes())
    return target


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
