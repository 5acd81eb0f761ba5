"""The units of systemd, with the lines that follow from a configuration and an installation.

`system.service` and `user.service` beside this file are whole units; `render` names in them what
differs between computers. Nothing here touches the system.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.errors import UsageError

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config

UNIT_NAME = "lyricsyncd.service"
SYSTEM_UNITS = Path("/etc/systemd/system")
ACCOUNT = "lyricsyncd"
"""The user of the system service, where no other is named."""

_HOMES = tuple(map(Path, ("/home", "/root", "/run/user")))
_EXEC = "ExecStart=/usr/bin/env lyricsyncd run"
_MARK = "# Nothing but its own state, the network and the music.\n"


@dataclass(frozen=True, slots=True)
class UnitSettings:
    """What differs from one installation to the next."""

    libraries: tuple[Path, ...]
    command: tuple[str, ...]
    """What starts lyricsyncd, without the command's name."""
    prefixes: tuple[Path, ...] = ()
    """Folders that it is installed in."""
    config: Path | None = None
    gpu: bool = False
    state: tuple[Path, ...] = ()
    """Folders of the user's service that must be written to."""
    models: Path | None = None
    """Where models are read from, if it is no folder of ours."""
    account: str = ACCOUNT
    groups: tuple[str, ...] = ()
    """Groups that let the system service write to the music."""

    @classmethod
    def of(cls, config: Config, path: Path | None, **more: object) -> UnitSettings:
        """From a configuration, the file that it is in, and the Python that runs this."""
        prefixes = dict.fromkeys(Path(each).resolve() for each in (sys.prefix, sys.base_prefix))
        return cls(
            # A link stays a link here, and what it leads to must be reached, too.
            libraries=tuple(Path(os.path.abspath(each.path)) for each in config.libraries),  # noqa: PTH100
            command=(sys.executable, "-m", "lyricsyncd"),
            prefixes=tuple(prefixes),
            config=None if path is None else Path(os.path.abspath(path)),  # noqa: PTH100
            gpu=config.models.device.startswith("cuda"),
            models=config.models.dir,
            **more,  # type: ignore[arg-type]
        )


def user_units(environment: dict[str, str] | os._Environ[str] = os.environ) -> Path:
    """The folder of a user's own units."""
    home = environment.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "systemd" / "user"


def render(unit: UnitSettings, *, system: bool) -> str:
    """The unit's text.

    Raises
    ------
    UsageError
        A name that no unit can hold.
    """
    name = "system.service" if system else "user.service"
    text = resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
    option = () if unit.config is None else ("--config", str(unit.config))
    words = (*unit.command, "run", *option)
    # In a command alone, a dollar would name a variable.
    command = " ".join(_quoted(word).replace("$", "$$") for word in words)
    text = text.replace(_EXEC, f"ExecStart={command}")
    if system:
        text = text.replace(f"User={ACCOUNT}\nGroup={ACCOUNT}\n", _account(unit))
    if unit.groups:
        # In a user namespace there are no groups but its own: sidecars could not get the songs'.
        text = text.replace("PrivateUsers=yes\n", "")
    if unit.gpu:
        text = text.replace("PrivateDevices=yes\n", "PrivateDevices=no\n")
        text = text.replace("DevicePolicy=closed\n", _GPU)
        # The driver compiles for the card that is there.
        text = text.replace("MemoryDenyWriteExecute=yes\n", "")
    lines = _folders(unit, system=system)
    if system and any(line.startswith("Bind") for line in lines):
        text = text.replace("ProtectHome=yes\n", "ProtectHome=tmpfs\n")
    return text.replace(_MARK, _MARK + "".join(f"{line}\n" for line in lines))


_GPU = """DevicePolicy=closed
DeviceAllow=char-nvidia-uvm rw
DeviceAllow=char-nvidia-frontend rw
DeviceAllow=char-nvidia rw
DeviceAllow=char-nvidia-caps rw
"""


def _account(unit: UnitSettings) -> str:
    account = f"User={unit.account}\n"
    # Another user's group is the one that the system has for them.
    account += f"Group={ACCOUNT}\n" if unit.account == ACCOUNT else ""
    return account + "".join(f"SupplementaryGroups={group}\n" for group in unit.groups)


def _folders(unit: UnitSettings, *, system: bool) -> list[str]:
    """The lines that open folders. The dash: a disk that is not plugged in is no failure."""
    lines = []
    for folder in dict.fromkeys((*unit.libraries, *map(_real, unit.libraries))):
        unseen = system and hidden(folder)
        lines.append(_bound("BindPaths", folder) if unseen else f"ReadWritePaths={_dashed(folder)}")
    if not system:
        return [*lines, *(f"ReadWritePaths={_quoted(folder)}" for folder in unit.state)]
    needed = [*unit.prefixes, unit.config, unit.models]
    for path in dict.fromkeys(each for each in needed if each is not None and hidden(each)):
        lines.append(_bound("BindReadOnlyPaths", path))
    return lines


def _dashed(folder: Path) -> str:
    return _quoted(f"-{folder}")


def _bound(setting: str, path: Path) -> str:
    # A colon would part what is bound from where to.
    return f"{setting}=" + _quoted(f"-{path}").replace(":", "\\:")


def _real(folder: Path) -> Path:
    return Path(os.path.realpath(folder))


def hidden(path: Path) -> bool:
    """Whether a path lies where a system service with ProtectHome= sees nothing."""
    return any(home in (path, *path.parents) for home in _HOMES)


def _quoted(word: str | Path) -> str:
    """A word as a unit's line has it (systemd.syntax(7)); a % in it is no specifier."""
    text = str(word)
    if any(ord(each) < 32 or 0xD800 <= ord(each) < 0xE000 for each in text):
        raise UsageError(
            f"{text!r} cannot be named in a unit of systemd", remedy="Rename it, or give a link"
        )
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    plain = all(each.isalnum() or each in "/._-+@:,=" for each in text)
    return text if plain else f'"{text}"'
