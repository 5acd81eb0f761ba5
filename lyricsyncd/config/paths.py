"""Locate the configuration, the state that must last, and the cache that need not.

A service manager sets the folders (``STATE_DIRECTORY``, ``CACHE_DIRECTORY`` of systemd); otherwise
the XDG base directory specification applies. For root, which administers the service of the whole
computer, they are that service's. No function here makes a folder.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


NAME = "lyricsyncd"
CONFIG_NAME = "config.yaml"
SYSTEM_CONFIG = Path("/etc") / NAME / CONFIG_NAME
SYSTEM_STATE = Path("/var/lib") / NAME
SYSTEM_CACHE = Path("/var/cache") / NAME


_SYSTEM_FOLDERS = ("/dev", "/proc", "/run", "/sys")
_REMOVABLE = "/run/media"
"""Where desktop systems mount the disks that a person plugs in."""


def is_system_folder(path: Path) -> bool:
    """Return whether a path leads to the whole computer, or into what is no disk: a scan of these
    would not end well."""
    real = Path(os.path.realpath(path))
    if real.is_relative_to(_REMOVABLE):
        return False
    return real == Path("/") or any(real.is_relative_to(each) for each in _SYSTEM_FOLDERS)


def state_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the catalog and the journal, which must outlive a restart."""
    return _directory(
        environment, "STATE_DIRECTORY", "XDG_STATE_HOME", ".local/state", SYSTEM_STATE
    )


def kept_by_root(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether the service is that of the whole computer, which only root administers."""
    own = state_dir(environment)
    return (
        os.geteuid() != 0
        and own != SYSTEM_STATE
        and config_path(None, environment) == SYSTEM_CONFIG
        and SYSTEM_STATE.is_dir()
        and not own.is_dir()
    )


def cache_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of what can be fetched or computed again."""
    return _directory(environment, "CACHE_DIRECTORY", "XDG_CACHE_HOME", ".cache", SYSTEM_CACHE)


def models_dir(configured: Path | None = None) -> Path:
    """Return the folder that models are installed in: as configured, else one in the cache."""
    return cache_dir() / "models" if configured is None else configured


def present(path: Path) -> bool:
    """Return whether something is at a path by exactly this name.

    File systems that ignore case (exFAT, many shares) find a file by other forms of its name, too:
    after ``Song.mp3`` was renamed to ``song.mp3`` both seem to exist.
    """
    if not os.path.lexists(path):
        return False
    for part in (path, *path.parents):
        swapped = part.name.swapcase()
        # Where case matters, as nearly everywhere, no folder has to be read: that of a large
        # library takes longer than all the rest.
        if swapped == part.name or not os.path.lexists(part.parent / swapped):
            continue
        try:
            if part.name not in os.listdir(part.parent):  # noqa: PTH208 - only names
                return False
        except OSError:
            # A folder that may be passed and not listed.
            continue
    return True


def user_config_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the path of a person's own configuration, whether or not it exists."""
    return _home(environment, "XDG_CONFIG_HOME", ".config") / NAME / CONFIG_NAME


def config_path(
    given: Path | None = None, environment: Mapping[str, str] = os.environ
) -> Path | None:
    """Return the configuration to read, or ``None`` where there is none.

    A path from the command line (``given``) or ``LYRICSYNCD_CONFIG`` is returned even if no file is
    there, so that settings are never ignored silently. The user's and the computer's
    (`SYSTEM_CONFIG`) are used where they exist.
    """
    if given is not None:
        return given
    named = environment.get("LYRICSYNCD_CONFIG")
    if named:
        return Path(named).expanduser()
    for path in (user_config_path(environment), SYSTEM_CONFIG):
        if os.path.lexists(path):
            return path
    return None


def hand_over(path: Path) -> None:
    """Give a file that root has made to the owner of its folder, so that the service can use it."""
    if os.geteuid() != 0:
        return
    with contextlib.suppress(OSError):
        owner, now = path.parent.stat(), path.stat()
        if now.st_uid != owner.st_uid:
            os.chown(path, owner.st_uid, owner.st_gid)


def _directory(
    environment: Mapping[str, str], service: str, home: str, default: str, system: Path
) -> Path:
    # systemd separates several directories by colons; the first is ours.
    given = environment.get(service, "").split(":")[0]
    if given:
        return Path(given)
    if _for_the_system(environment, home) and system.is_dir():
        return system
    return _home(environment, home, default) / NAME


def _for_the_system(environment: Mapping[str, str], home: str) -> bool:
    """Return whether the user is root, without a configuration or folders of its own."""
    own = environment.get(home) or config_path(None, environment) != SYSTEM_CONFIG
    return os.geteuid() == 0 and not own


def _home(environment: Mapping[str, str], variable: str, default: str) -> Path:
    given = environment.get(variable, "")
    # The specification: relative paths are to be ignored.
    if given and Path(given).is_absolute():
        return Path(given)
    return Path(environment.get("HOME") or Path.home()) / default


def read_only(path: Path) -> bool:
    """Return whether a path is on a file system that is mounted read-only."""
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def user_name() -> str:
    """Return the name of the user that this process runs as, for messages."""
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
