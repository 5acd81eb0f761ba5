"""``lyricsyncd service install|uninstall``: start with the computer, through systemd."""

from __future__ import annotations

import dataclasses
import grp
import importlib.util
import json
import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lyricsyncd.cli.console import note
from lyricsyncd.cli.options import config_option, dry_run_option, json_option
from lyricsyncd.errors import LyricsyncError, UsageError, WriteError

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config
    from lyricsyncd.systemd import UnitSettings

_RUNNING = Path("/run/systemd/system")
"""There while systemd is what runs this computer; see sd_booted(3)."""
_system = click.option("--system", is_flag=True, help="For the whole computer, not for you alone.")


@click.group()
def service() -> None:
    """Let systemd keep lyricsyncd running."""


@service.command()
@_system
@click.option("--as", "account", metavar="USER", help="With --system: the user that it runs as.")
@config_option
@json_option
@dry_run_option
def install(
    system: bool, account: str | None, config: Path | None, as_json: bool, dry_run: bool
) -> None:
    """Write the unit, and start it now and with the computer.

    As your own service it can do what you can. With --system it runs as the user `lyricsyncd`,
    which is made where it is missing, or as the one that --as names.
    """
    from lyricsyncd.config import paths
    from lyricsyncd.config.reader import load
    from lyricsyncd.systemd import SYSTEM_UNITS, UNIT_NAME, UnitSettings, render, user_units

    if account is not None and not system:
        raise UsageError("--as goes with --system", remedy="Add --system, or leave it out")
    settings, file = load(config), paths.config_path(config)
    if not settings.libraries:
        raise UsageError(
            "There is no library in the configuration",
            remedy="Add one: `lyricsyncd init --library DIR`",
        )
    target = (SYSTEM_UNITS if system else user_units()) / UNIT_NAME
    unit = UnitSettings.of(settings, file)
    unit = _for_system(unit, settings, account) if system else _for_user(unit)
    text = render(unit, system=system)
    done: list[str] = []
    if dry_run:
        if not as_json:
            note(f"Would write {target}:")
            click.echo(text, nl=False)
    else:
        _must_be_root(system)
        done = _installed(unit, target, text, system=system)
    to_do = _left_to_do(unit, system=system, has_models=settings.models.dir is not None)
    if as_json:
        shown = {"unit": str(target), "system": system, "written": not dry_run, "next": to_do}
        click.echo(json.dumps({**shown, "text": text} if dry_run else shown, indent=2))
        return
    for line in (*done, *to_do):
        click.echo(line, err=dry_run)


def _for_system(unit: UnitSettings, config: Config, account: str | None) -> UnitSettings:
    """Complete the settings of a unit that runs as an account of the system."""
    from lyricsyncd.systemd import ACCOUNT

    if account is None:
        return dataclasses.replace(unit, account=ACCOUNT, groups=_groups_for(config))
    return dataclasses.replace(unit, account=account, groups=(), caches=_caches_of(account))


def _for_user(unit: UnitSettings) -> UnitSettings:
    """Complete the settings of a unit that runs as this user, with the folders of this shell."""
    from lyricsyncd.config import paths
    from lyricsyncd.models.hub import cache_folders

    return dataclasses.replace(
        unit,
        state=(paths.state_dir(), paths.cache_dir()),
        caches=cache_folders(Path.home(), os.environ),
        environment=_variables(),
    )


def _installed(unit: UnitSettings, target: Path, text: str, *, system: bool) -> list[str]:
    """Write a unit with the accounts and folders that it needs, and start it; return what was
    done."""
    from lyricsyncd.systemd import UNIT_NAME

    done: list[str] = []
    if system:
        done += _account_made(unit.account)
    else:
        for folder in (*unit.state, *(unit.caches if _has_hub() else ())):
            folder.mkdir(parents=True, exist_ok=True)
    done += _outputs_made(unit, system=system)
    _write(target, text)
    done.append(f"Wrote {target}")
    steps = (("daemon-reload",), ("enable", UNIT_NAME), ("restart", UNIT_NAME))
    return done + _systemctl(*steps, system=system)


@service.command()
@_system
@json_option
@dry_run_option
def uninstall(system: bool, as_json: bool, dry_run: bool) -> None:
    """Stop the service and remove its unit; the configuration, the catalog and all lyrics stay."""
    target = unit_file(system=system)
    here = os.path.lexists(target)
    done = remove_unit(system=system) if here and not dry_run else []
    if as_json:
        click.echo(json.dumps({"unit": str(target), "removed": here and not dry_run}, indent=2))
    elif not here:
        click.echo(f"There is no {target}")
    else:
        for line in done or [f"Would stop the service and remove {target}"]:
            click.echo(line)


def unit_file(*, system: bool) -> Path:
    """Return the path of the unit, whether it is there or not."""
    from lyricsyncd.systemd import SYSTEM_UNITS, UNIT_NAME, user_units

    return (SYSTEM_UNITS if system else user_units()) / UNIT_NAME


def remove_unit(*, system: bool) -> list[str]:
    """Stop the service and remove its unit; return what was done, in lines for a person.

    Raises
    ------
    LyricsyncError
        systemd, or the file's permissions, do not allow it.
    """
    target = unit_file(system=system)
    _must_be_root(system)
    done = _systemctl(("disable", "--now", target.name), system=system)
    try:
        target.unlink()
    except OSError as error:
        raise WriteError(
            f"{target} cannot be removed: {error.strerror}", remedy="Check the rights of its folder"
        ) from error
    return [*done, *_systemctl(("daemon-reload",), system=system), f"Removed {target}"]


def _must_be_root(system: bool) -> None:
    if system and os.geteuid() != 0:
        raise UsageError(
            "Only root can install services of the computer",
            remedy="Put sudo before it, or leave --system out",
        )


def _write(target: Path, text: str) -> None:
    from lyricsyncd.config.files import write

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            f"{target.parent} cannot be made: {error.strerror}",
            remedy="Check the rights of the folder above it",
        ) from error
    write(target, text.encode())


def _systemctl(*calls: tuple[str, ...], system: bool) -> list[str]:
    """Have systemd do it; where that fails, print what a person has to type."""
    command = ["systemctl"] if system else ["systemctl", "--user"]
    if shutil.which("systemctl") is None or not _RUNNING.is_dir():
        return [f"systemd does not run here; where it does: {' '.join([*command, *calls[-1]])}"]
    for call in calls:
        done = subprocess.run([*command, *call], capture_output=True, text=True)
        if done.returncode:
            raise LyricsyncError(
                f"`{' '.join([*command, *call])}` failed: {done.stderr.strip().rstrip('.')}",
                remedy="See `journalctl -u lyricsyncd`" if system else "See `journalctl --user`",
            )
    return []


def _account_made(account: str) -> list[str]:
    from lyricsyncd.config.paths import SYSTEM_STATE
    from lyricsyncd.systemd import ACCOUNT

    try:
        pwd.getpwnam(account)
    except KeyError:
        pass
    else:
        return []
    if account != ACCOUNT:
        raise UsageError(f"There is no user {account}", remedy="Check the name after --as")
    command = ["useradd", "--system", "--user-group", "--home-dir", str(SYSTEM_STATE), account]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        raise LyricsyncError(
            f"The user {account} cannot be made: there is no useradd ({error.strerror})",
            remedy="Make it by hand, or name one with --as",
        ) from error
    if done.returncode:
        raise LyricsyncError(
            f"`{' '.join(command)}` failed: {done.stderr.strip().rstrip('.')}",
            remedy="Make the user by hand, or name one with --as",
        )
    return [f"Made the user {account}"]


def _caches_of(account: str) -> tuple[Path, ...]:
    """Return where a user's models of hubs are; for one that is not there, the command stops
    later."""
    from lyricsyncd.models.hub import cache_folders

    try:
        return cache_folders(Path(pwd.getpwnam(account).pw_dir), {})
    except KeyError:
        return ()


def _variables() -> tuple[tuple[str, str], ...]:
    """Return the variables of this shell that say where folders are: systemd has others."""
    from lyricsyncd.models.hub import CACHE_VARIABLES

    names = dict.fromkeys(("XDG_STATE_HOME", *CACHE_VARIABLES))
    return tuple((name, value) for name in names if (value := os.environ.get(name)))


def _has_hub() -> bool:
    """Return whether models are fetched from hubs: into folders that have to be there when the
    service starts."""
    return importlib.util.find_spec("huggingface_hub") is not None


def _outputs_made(unit: UnitSettings, *, system: bool) -> list[str]:
    """Make the folders that are written to beside the libraries: what is not there when the service
    starts stays closed to it."""
    made = []
    for folder in unit.outputs:
        if folder.exists():
            continue
        try:
            folder.mkdir(parents=True)
            if system:
                shutil.chown(folder, unit.account)
        except OSError as error:
            raise WriteError(
                f"{folder} cannot be made: {error.strerror}",
                remedy="Make it by hand, or set output.karaoke_folder to another one",
            ) from error
        made.append(f"Made the folder {folder}")
    return made


def _groups_for(settings: Config) -> tuple[str, ...]:
    """Return the groups that own the libraries and may write to them."""
    groups: dict[str, None] = {}
    for library in settings.libraries:
        try:
            status = library.path.stat()
            if status.st_mode & stat.S_IWGRP and status.st_gid != 0:
                groups[grp.getgrgid(status.st_gid).gr_name] = None
        except (OSError, KeyError):
            # Away, or of a group without a name.
            continue
    return tuple(groups)


def _left_to_do(unit: UnitSettings, *, system: bool, has_models: bool) -> list[str]:
    """Return the command for what only a person can decide.

    Parameters
    ----------
    has_models : bool
        Whether the configuration names a folder of models.
    """
    import shlex

    from lyricsyncd.config.paths import SYSTEM_CACHE
    from lyricsyncd.models.installable import LITE, missing

    if not system:
        return ["To have it run while you are not logged in: loginctl enable-linger"]
    lines = []
    needed = unit.read if unit.config is None else (unit.config, *unit.read)
    for path in needed:
        # What is not there yet may come later.
        if path.exists() and not _may(path, unit, stat.S_IROTH):
            # Not for all others: secrets may stand in it.
            quoted = shlex.quote(str(path))
            lines.append(
                f"{unit.account} must be able to read {path}: chgrp {unit.account} {quoted}"
                f" && chmod g+r {quoted}"
            )
    for folder in (*unit.libraries, *unit.outputs):
        if not _may(folder, unit, stat.S_IWOTH):
            lines.append(
                f"{unit.account} must be able to write to {folder}: setfacl -R -m "
                f"u:{unit.account}:rwX -m d:u:{unit.account}:rwX {shlex.quote(str(folder))}"
            )
    if not has_models and missing(SYSTEM_CACHE / "models"):
        lines.append(
            "Once it runs, give it the models that separate the vocals and recognise phonemes: "
            f"lyricsyncd models install {LITE}"
        )
    return lines


def _may(path: Path, unit: UnitSettings, right: int) -> bool:
    """Return whether the service's account has a right, which is given as that of all others."""
    try:
        status = path.stat()
        owner = pwd.getpwuid(status.st_uid).pw_name
        group = grp.getgrgid(status.st_gid)
    except (OSError, KeyError):
        return False
    if owner == unit.account:
        return bool(status.st_mode & right << 6)
    groups = (unit.account, *unit.groups)
    member = group.gr_name in groups or unit.account in group.gr_mem
    return bool(status.st_mode & (right << 3 if member else right))
