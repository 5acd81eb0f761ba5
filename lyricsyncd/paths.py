"""Where things lie: the configuration, the state that must last, the cache that need not.

A service manager names the folders (``STATE_DIRECTORY``, ``CACHE_DIRECTORY`` of systemd), else the
XDG base directory specification does. Nothing here makes a folder.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lyricsyncd.config import Config

NAME = "lyricsyncd"
CONFIG_NAME = "config.yaml"
SYSTEM_CONFIG = Path("/etc") / NAME / CONFIG_NAME


def state_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of the catalog and the journal: what must outlive a restart."""
    return _directory(environment, "STATE_DIRECTORY", "XDG_STATE_HOME", ".local/state")


def cache_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder of what can be fetched or made again."""
    return _directory(environment, "CACHE_DIRECTORY", "XDG_CACHE_HOME", ".cache")


def models_dir(config: Config) -> Path:
    """The folder that models are installed in."""
    return config.models.dir if config.models.dir is not None else cache_dir() / "models"


def present(path: Path) -> bool:
    """Whether something is at a path by exactly this name.

    File systems that ignore case (exFAT, many shares) know a file by other spellings, too: after
    ``Song.mp3`` was renamed to ``song.mp3`` both seem to exist.
    """
    if not os.path.lexists(path):
        return False
    for part in (path, *path.parents):
        try:
            if part.name and part.name not in os.listdir(part.parent):  # noqa: PTH208 - only names
                return False
        except OSError:
            # A folder that may be passed and not listed.
            continue
    return True


def user_config_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Where a person's own configuration belongs, whether or not it is there."""
    return _home(environment, "XDG_CONFIG_HOME", ".config") / NAME / CONFIG_NAME


def config_path(
    given: Path | None = None, environment: Mapping[str, str] = os.environ
) -> Path | None:
    """The configuration to read, or ``None`` where there is none.

    A path that was named, on the command line (``given``) or by ``LYRICSYNCD_CONFIG``, is the one,
    there or not: nobody's settings are passed over in silence. The user's and the machine's
    (`SYSTEM_CONFIG`) are taken where they exist.
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


def _directory(environment: Mapping[str, str], service: str, home: str, default: str) -> Path:
    # systemd parts several directories by colons; the first is ours.
    given = environment.get(service, "").split(":")[0]
    return Path(given) if given else _home(environment, home, default) / NAME


def _home(environment: Mapping[str, str], variable: str, default: str) -> Path:
    given = environment.get(variable, "")
    # The specification: relative paths are to be ignored.
    if given and Path(given).is_absolute():
        return Path(given)
    return Path(environment.get("HOME") or Path.home()) / default
