"""Render systemd units for a configuration and an installation.

`system.service` and `user.service` beside this file are complete units; `render` fills in what
differs between installations. Nothing here changes the system.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.config.named_paths import NamedPaths
from lyricsyncd.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lyricsyncd.config.schema import Config

UNIT_NAME = "lyricsyncd.service"
SYSTEM_UNITS = Path("/etc/systemd/system")
ACCOUNT = "lyricsyncd"
"""The user of the system service, where no other is named."""

_HOMES = tuple(map(Path, ("/home", "/root", "/run/user")))
"""Hidden from the system service by ProtectHome= …"""
_TEMPORARY = tuple(map(Path, ("/tmp", "/var/tmp")))
"""… and from both services by PrivateTmp=."""
_EXEC = "ExecStart=/usr/bin/env lyricsyncd run"
_MARK = "# Nothing but its own state, the network and the music.\n"


@dataclass(frozen=True, slots=True)
class UnitSettings:
    """Values of a unit that depend on the installation."""

    libraries: tuple[Path, ...]
    command: tuple[str, ...]
    """The command that starts lyricsyncd, without its subcommand."""
    prefixes: tuple[Path, ...] = ()
    """Folders that it is installed in."""
    config: Path | None = None
    gpu: bool = False
    state: tuple[Path, ...] = ()
    """Folders of the user's service that must be written to."""
    read: tuple[Path, ...] = ()
    """Files and folders of the configuration that are only read: models, secrets, certificates."""
    caches: tuple[Path, ...] = ()
    """Folders in a home that clients of model hubs fetch models into."""
    environment: tuple[tuple[str, str], ...] = ()
    """Variables of the shell that say where those folders are."""
    account: str = ACCOUNT
    groups: tuple[str, ...] = ()
    """Groups that let the system service write to the music."""
    outputs: tuple[Path, ...] = ()
    """Folders beside the libraries that it writes to: that of stems for karaoke."""

    @classmethod
    def of(cls, config: Config, path: Path | None) -> UnitSettings:
        """Derive them from a configuration, its file, and the running Python."""
        named = NamedPaths.of(config)
        return cls(
            libraries=named.libraries,
            command=(sys.executable, "-m", "lyricsyncd"),
            prefixes=_prefixes(),
            config=None if path is None else Path(os.path.abspath(path)),  # noqa: PTH100
            gpu=config.models.device.startswith("cuda"),
            read=named.read,
            outputs=named.outputs,
        )


def _prefixes() -> tuple[Path, ...]:
    """Return the folders of Python, and of this package where it lies outside them (a checkout)."""
    prefixes = dict.fromkeys(Path(each).resolve() for each in (sys.prefix, sys.base_prefix))
    package = Path(__file__).resolve().parent.parent
    if not any(package.is_relative_to(each) for each in prefixes):
        prefixes[package] = None
    return tuple(prefixes)


def user_units(environment: dict[str, str] | os._Environ[str] = os.environ) -> Path:
    """Return the folder of a user's own units."""
    home = environment.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "systemd" / "user"


def render(settings: UnitSettings, *, system: bool) -> str:
    """Render a unit.

    Raises
    ------
    UsageError
        A name that no unit can hold.
    """
    name = "system.service" if system else "user.service"
    text = resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
    option = () if settings.config is None else ("--config", str(settings.config))
    words = (*settings.command, "run", *option)
    # In a command alone, a dollar would name a variable.
    command = " ".join(_quoted(word).replace("$", "$$") for word in words)
    text = text.replace(_EXEC, f"ExecStart={command}")
    if system:
        text = text.replace(f"User={ACCOUNT}\nGroup={ACCOUNT}\n", _account(settings))
    if settings.groups:
        # In a user namespace there are no groups but its own: sidecars could not get the songs'.
        text = text.replace("PrivateUsers=yes\n", "")
    if settings.gpu:
        text = text.replace("PrivateDevices=yes\n", "PrivateDevices=no\n")
        text = text.replace("DevicePolicy=closed\n", _GPU)
        # The driver compiles for the card that is there.
        text = text.replace("MemoryDenyWriteExecute=yes\n", "")
    lines = _folders(settings, system=system)
    if system and any(line.startswith("Bind") for line in lines):
        text = text.replace("ProtectHome=yes\n", "ProtectHome=tmpfs\n")
    return text.replace(_MARK, _MARK + "".join(f"{line}\n" for line in lines))


_GPU = """DevicePolicy=closed
DeviceAllow=char-nvidia-uvm rw
DeviceAllow=char-nvidia-frontend rw
DeviceAllow=char-nvidia rw
DeviceAllow=char-nvidia-caps rw
"""


def _account(settings: UnitSettings) -> str:
    account = f"User={settings.account}\n"
    # Another user's group is the one that the system has for them.
    account += f"Group={ACCOUNT}\n" if settings.account == ACCOUNT else ""
    return account + "".join(f"SupplementaryGroups={group}\n" for group in settings.groups)


def _folders(settings: UnitSettings, *, system: bool) -> list[str]:
    """List the lines that give access to folders; the dash allows a disk that is unplugged.

    A link and what it leads to are opened both.
    """
    lines = [f"Environment={_quoted(f'{name}={value}')}" for name, value in settings.environment]
    for folder in _with_targets((*settings.libraries, *settings.outputs, *settings.caches)):
        unseen = hidden(folder, system=system)
        lines.append(_bound("BindPaths", folder) if unseen else f"ReadWritePaths={_dashed(folder)}")
    for folder in settings.state:
        unseen = hidden(folder, system=system)
        lines.append(_bound("BindPaths", folder) if unseen else f"ReadWritePaths={_quoted(folder)}")
    needed = [*settings.prefixes, *settings.read]
    if settings.config is not None:
        needed.append(settings.config)
    for path in _with_targets(needed):
        if hidden(path, system=system):
            lines.append(_bound("BindReadOnlyPaths", path))
    return lines


def _with_targets(paths: Sequence[Path]) -> list[Path]:
    """List paths, and after them what those that are links lead to."""
    return list(dict.fromkeys((*paths, *(Path(os.path.realpath(path)) for path in paths))))


def _dashed(folder: Path) -> str:
    return _quoted(f"-{folder}")


def _bound(setting: str, path: Path) -> str:
    # An unescaped colon would separate source and destination.
    return f"{setting}=" + _quoted(f"-{path}").replace(":", "\\:")


def hidden(path: Path, *, system: bool = True) -> bool:
    """Return whether ProtectHome= or PrivateTmp= hides a path from the service."""
    folders = (*_HOMES, *_TEMPORARY) if system else _TEMPORARY
    return any(path.is_relative_to(folder) for folder in folders)


def _quoted(word: str | Path) -> str:
    """Quote a word for a line of a unit (systemd.syntax(7)); a % in it is no specifier."""
    text = str(word)
    if any(ord(each) < 32 or 0xD800 <= ord(each) < 0xE000 for each in text):
        raise UsageError(
            f"{text!r} cannot be named in a unit of systemd", remedy="Rename it, or give a link"
        )
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    plain = all(each.isalnum() or each in "/._-+@:,=" for each in text)
    return text if plain else f'"{text}"'
