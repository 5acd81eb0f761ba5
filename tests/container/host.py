"""Run the image without a container engine: its file system, in namespaces of the kernel.

``unshare`` gives the container processes, mounts, names and a network of its own; `enter` does the
rest. This asks for root and for util-linux, and for none of what an engine needs (cgroups, a
daemon, a registry).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAME = os.environ.get("IMAGE", "localhost/lyricsyncd") + ":lite"
ROOT = Path(__file__).parents[2]
USER = (1000, 1000)
_ENTER = "tests.container.enter"


@dataclass(frozen=True)
class Image:
    """An image whose file system is mounted."""

    root: Path
    settings: Mapping[str, Any]
    """As docker inspect shows them: Env, Entrypoint, Cmd, User, …"""

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the image sets."""
        return dict(line.split("=", 1) for line in self.settings["Env"])


def here(name: str = NAME) -> bool:
    """Return whether the image is there, and can be run."""
    if os.geteuid() != 0 or shutil.which("buildah") is None:
        return False
    found = subprocess.run(["buildah", "inspect", "--type", "image", name], capture_output=True)
    return found.returncode == 0


@contextmanager
def opened(name: str = NAME) -> Iterator[Image]:
    """Mount an image's file system while the block lasts."""
    container = _buildah("from", "--pull-never", name)
    try:
        root = Path(_buildah("mount", container))
        inspected = json.loads(_buildah("inspect", "--type", "image", name))
        yield Image(root, inspected["Docker"]["config"])
    finally:
        _buildah("rm", container)


def _buildah(*arguments: str) -> str:
    done = subprocess.run(
        ["buildah", *arguments], check=True, stdout=subprocess.PIPE, text=True, timeout=120
    )
    return done.stdout.strip()


@dataclass
class Container:
    """A container that was started."""

    process: subprocess.Popen[bytes]
    log: Path
    environment: Mapping[str, str]
    user: tuple[int, int]
    pid: int = field(init=False, default=0)
    """Of its first process, as the host sees it."""

    def __post_init__(self) -> None:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        while self.process.poll() is None and not self.pid:
            found = children.read_text().split()
            self.pid = int(found[0]) if found else 0
            time.sleep(0.02)

    def output(self) -> str:
        """Return what it wrote so far, of both streams."""
        return self.log.read_text(errors="replace")

    def exec(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as ``docker exec`` does."""
        user, group = map(str, self.user)
        enter = ["nsenter", "--target", str(self.pid), "-m", "-p", "-n", "-i", "-u", "-r", "-w"]
        enter += ["--setuid", user, "--setgid", group]
        return subprocess.run(
            [*enter, *command],
            env=dict(self.environment),
            capture_output=True,
            text=True,
            timeout=180,
        )

    def json(self, *command: str) -> Any:
        """Run a command of lyricsyncd in it, and return the JSON that it prints."""
        done = self.exec("lyricsyncd", *command, "--json")
        return json.loads(done.stdout) if done.stdout.strip() else {"failed": done.stderr}

    def stop(self) -> float:
        """Stop it as ``docker stop`` does; return the seconds that it took."""
        # A namespace's first process gets no signal that it neither handles nor blocks: a stop that
        # came before tini would be lost.
        end = time.monotonic() + 10.0
        while self.process.poll() is None and not self._gets_sigterm() and time.monotonic() < end:
            time.sleep(0.01)
        begun = time.monotonic()
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.kill(self.pid, signal.SIGKILL)
            self.process.wait()
        return time.monotonic() - begun

    def _gets_sigterm(self) -> bool:
        """Return whether its first process is the container's own, and gets SIGTERM."""
        proc = Path("/proc", str(self.pid))
        try:
            if _ENTER in proc.joinpath("cmdline").read_bytes().decode():
                return False
            status = proc.joinpath("status").read_text()
        except OSError:
            return False
        masks = re.findall(r"^Sig(?:Blk|Cgt):\s*([0-9a-f]+)$", status, re.MULTILINE)
        return any(int(mask, 16) >> (signal.SIGTERM - 1) & 1 for mask in masks)


@contextmanager
def started(
    image: Image,
    work: Path,
    *command: str,
    volumes: Mapping[str, str | Path],
    environment: Mapping[str, str] | None = None,
    user: tuple[int, int] = USER,
    entrypoint: Sequence[str] | None = None,
    beside: Container | None = None,
) -> Iterator[Container]:
    """Start a container, and stop it at the end of the block.

    Parameters
    ----------
    work : Path
        A folder for its log and its mounts.
    command : str
        In place of the image's own.
    volumes : mapping
        Path inside → folder outside, with ``:ro`` behind it where it is mounted read-only.
    beside : Container, optional
        Whose network it shares. None reaches another network: each has only its loopback.
    """
    place = Path(tempfile.mkdtemp(prefix="root-", dir=work))
    variables = {**image.environment, **(environment or {})}
    start = image.settings["Entrypoint"] if entrypoint is None else entrypoint
    spec = {
        "root": str(place),
        "image": str(image.root),
        "read_only": True,
        "volumes": {inside: str(outside) for inside, outside in volumes.items()},
        "loopback": beside is None,
        "user": user,
        "environment": variables,
        # Another entry point gets none of the image's arguments.
        "command": [*start, *(command or image.settings["Cmd"] if entrypoint is None else command)],
    }
    spaces = ["--mount", "--pid", "--ipc", "--uts", *(["--net"] if beside is None else [])]
    join = [] if beside is None else ["nsenter", "--target", str(beside.pid), "--net"]
    log = place.with_suffix(".log")
    enter = [sys.executable, "-m", _ENTER, json.dumps(spec)]
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [*join, "unshare", *spaces, "--fork", "--kill-child", *enter],
            stdout=sink,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=ROOT,
        )
    container = Container(process, log, variables, user)
    try:
        yield container
    finally:
        container.stop()
        place.rmdir()
