"""Check the libraries of the configuration, and whether they can be watched."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.catalog import mounts
from lyricsyncd.config import container
from lyricsyncd.config.paths import read_only, user_name
from lyricsyncd.findings import Finding, failed, ok, warning
from lyricsyncd.library import roots

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config

PROC = Path("/proc")
_COUNT_S = 5.0
"""Longest time for which folders are counted, each of which needs a watch."""


def libraries(config: Config, *, sidecars: bool) -> Iterator[Finding]:
    """Check that each library is there, and can be read and written to.

    Parameters
    ----------
    sidecars : bool
        Whether files are written beside songs, and not tags alone.
    """
    if not config.libraries:
        yield failed(
            "library",
            "no music folder is configured",
            "Choose one on the page, or run `lyricsyncd init --library DIR`",
        )
    for library in config.libraries:
        yield _library(library.path, sidecars=sidecars)


def _library(path: Path, *, sidecars: bool) -> Finding:
    contained = container.inside()
    if not path.is_dir():
        away = container.mount_remedy(path) if contained else "Check the path, or plug the disk in"
        return failed("library", f"{path} is not there", away)
    if not os.access(path, os.R_OK | os.X_OK):
        rights = container.rights_remedy(path) if contained else f"Check the rights: ls -ld {path}"
        return failed("library", f"{path} cannot be read", rights)
    if roots.offline(path):
        if contained and container.unmounted(path):
            text = f"no folder of yours is mounted at {path}"
            return failed("library", text, container.mount_remedy(path))
        return warning("library", f"{path} is empty", "Is its disk plugged in?")
    if read_only(path):
        remedy = "Mount it for writing"
        if contained:
            remedy += ": take `:ro` away from its volume in the compose file"
        text = f"{path} is mounted read-only, so no lyrics can be put there"
        return failed("library", text, remedy)
    if sidecars and not os.access(path, os.W_OK):
        text = f"{path} cannot be written to, so no lyrics can be put there"
        own = (
            container.rights_remedy(path)
            if contained
            else f"Let the user {user_name()} write there"
        )
        return failed("library", text, own)
    kind = mounts.filesystem(path)
    how = "scanned from time to time" if mounts.silent(kind) else "watched"
    return ok("library", f"{path} can be read and written ({kind or 'unknown'}, {how})")


def watches(config: Config) -> Iterator[Finding]:
    """Check that inotify's limits suffice for the folders of the libraries."""
    roots = [
        library.path
        for library in config.libraries
        if library.path.is_dir() and not mounts.silent(mounts.filesystem(library.path))
    ]
    limits = PROC / "sys/fs/inotify"
    try:
        limit = int((limits / "max_user_watches").read_text(encoding="ascii"))
        instances = int((limits / "max_user_instances").read_text(encoding="ascii"))
    except (OSError, ValueError):
        yield warning("inotify", "the limits cannot be read", "Rely on the scheduled scans")
        return
    counted, whole = _folders(roots)
    text = f"{counted}{'' if whole else ' or more'} folders, {limit} watches allowed"
    if counted > limit:
        yield warning(
            "inotify",
            f"{text}: the libraries are scanned from time to time instead",
            f"Raise it: sysctl fs.inotify.max_user_watches={max(524288, 2 * counted)}",
        )
    elif instances < 2 * len(roots) + 2:
        yield warning(
            "inotify",
            f"only {instances} watchers are allowed to a user",
            "Raise it: sysctl fs.inotify.max_user_instances=1024",
        )
    else:
        yield ok("inotify", text)


def _folders(roots: list[Path]) -> tuple[int, bool]:
    """Count folders, for a limited time; return whether all were counted."""
    end, count = time.monotonic() + _COUNT_S, 0
    for root in roots:
        for _folder in os.walk(root):
            count += 1
            if time.monotonic() > end:
                return count, False
    return count, True
