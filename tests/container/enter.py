"""Become the first process of a container: as root, in namespaces of its own (see `host`).

The root file system is read-only, ``/proc``, ``/dev`` and ``/tmp`` are the container's, only the
loopback device is there; then privileges are dropped, as
``docker run --read-only --cap-drop ALL --security-opt no-new-privileges`` does it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

_SIOCSIFFLAGS, _IFF_UP, _IFF_RUNNING = 0x8914, 0x1, 0x40
_DEVICES = ("null", "zero", "full", "random", "urandom")
_ROOTS_OWN = "+chown,+dac_override,+fowner,+setuid,+setgid,+kill"
"""Capabilities that the first process gets where it is root, as under docker."""


def main() -> None:
    """Mount, drop, and replace this process by the container's command."""
    spec = json.loads(sys.argv[1])
    root = Path(spec["root"])
    # Each container has a name of its own, as under an engine: workers differ by it.
    socket.sethostname(root.name)
    _mount("--make-rprivate", "/")
    _mount("--bind", spec["image"], root)
    if spec["read_only"]:
        _mount("-o", "remount,bind,ro", root)
    for inside, outside in spec["volumes"].items():
        options = "bind,ro" if outside.endswith(":ro") else "bind"
        _mount("--bind", outside.removesuffix(":ro"), root / inside.lstrip("/"))
        _mount("-o", f"remount,{options}", root / inside.lstrip("/"))
    for name in ("tmp", "dev"):
        _mount("-t", "tmpfs", "tmpfs", root / name)
    _mount("-t", "proc", "proc", root / "proc")
    (root / "dev/shm").mkdir(mode=0o1777)
    for name in _DEVICES:
        (root / "dev" / name).touch()
        _mount("--bind", Path("/dev", name), root / "dev" / name)
    if spec["loopback"]:
        _raise_loopback()
    os.chroot(root)
    os.chdir("/")
    user, group = spec["user"]
    bounds = f"-all,{_ROOTS_OWN}" if user == 0 else "-all"
    drop = ["setpriv", "--reuid", str(user), "--regid", str(group), "--clear-groups"]
    drop += [f"--bounding-set={bounds}", "--inh-caps=-all", "--no-new-privs"]
    environment = {name: str(value) for name, value in spec["environment"].items()}
    os.execve("/usr/bin/setpriv", [*drop, "--", *spec["command"]], environment)


def _mount(*arguments: object) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


def _raise_loopback() -> None:
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as any_socket:
        request = struct.pack("16sh", b"lo", _IFF_UP | _IFF_RUNNING)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, request.ljust(40, b"\0"))


if __name__ == "__main__":
    main()
