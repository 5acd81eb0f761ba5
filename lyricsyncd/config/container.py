"""Describe folders inside a container, where rights and mounts are set from outside."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_ROOT = Path("/")


def inside(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether this process runs in a container: images set ``container``, ours does
    (see https://systemd.io/CONTAINER_INTERFACE)."""
    return bool(environment.get("container"))


def unmounted(folder: Path) -> bool:
    """Return whether a folder is in the container's own file system, which goes with it."""
    return os.path.realpath(folder) == "/" or folder.stat().st_dev == _ROOT.stat().st_dev


def mount_remedy(folder: Path) -> str:
    """Return the remedy for a folder to which nothing of the host's is mounted."""
    return f"Mount yours there, in the compose file: volumes: ['/path/of/yours:{folder}']"


def rights_remedy(folder: Path) -> str:
    """Return the remedy for a folder to which this process may not write, by its owner."""
    status = folder.stat()
    owner = f"PUID={status.st_uid} PGID={status.st_gid}"
    if status.st_uid == 0:
        me = f"{os.geteuid()}:{os.getegid()}"
        return f"It is root's: give it to the container's user, with chown -R {me} on the host"
    return f"Run the container as the folder's owner ({owner}), or give user {os.geteuid()} rights"
