"""``lyricsyncd uninstall``: remove the service, its state its models and, if asked to, lyrics."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lyricsyncd.cli.console import note, person_there, print_json, say
from lyricsyncd.cli.lyrics_files import notes, texts
from lyricsyncd.cli.options import CONTEXT, config_option, dry_run_option, json_option
from lyricsyncd.errors import LyricsyncError, UsageError, WriteError

if TYPE_CHECKING:
    from lyricsyncd.tags import UndoReport

_CACHE = ("answers.sqlite*", "peaks", "audio", "models")
"""Names of ours in the cache, as patterns."""
_PROGRAM = "Last, the program itself: pipx uninstall lyricsyncd (or uv tool, or pip)"
_IN_CONTAINER = "Last, remove the container, its image and the folder mounted at /config"


@dataclass(frozen=True)
class Plan:
    """The files that an uninstall removes, none of which is a person's own."""

    units: tuple[Path, ...]
    lyrics: UndoReport
    """What taking the lyrics back would do."""
    state: tuple[Path, ...]
    cache: tuple[Path, ...]
    models: tuple[Path, ...]
    """Models in a folder that the configuration names; others are in the cache."""
    config: Path | None
    """Stays: its words are a person's."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Files and folders to be deleted."""
        return self.state + self.cache + self.models

    @property
    def written(self) -> int:
        """Count the files that hold lyrics of ours."""
        return len(self.lyrics.removed) + len(self.lyrics.cleared) + len(self.lyrics.restored)


@click.command(context_settings=CONTEXT)
@click.option(
    "--lyrics",
    type=click.Choice(["keep", "undo"]),
    help="keep: the lyrics that were written stay (with --yes, the default); undo: give back what"
    " was there before them.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
@json_option
@dry_run_option
def uninstall(
    lyrics: str | None, yes: bool, config: Path | None, as_json: bool, dry_run: bool
) -> None:
    """Stop the service and remove its unit, its state, its cache and its models.

    It shows what it will do, and asks first. Lyrics that were written stay, or what was there
    before them is given back, as you choose; later that can no longer be undone. Your music, your
    own lyrics and the configuration are not touched.

    The exit status is 1 if something could not be taken back or removed; the state stays then.
    """
    from lyricsyncd.config import container, paths

    if paths.kept_by_root():
        raise UsageError(
            f"The service of this computer has its state in {paths.SYSTEM_STATE}",
            remedy="Put sudo before it",
        )
    found = _plan(config)
    asks = not (yes or dry_run)
    if asks and (as_json or not person_there()):
        raise UsageError("Nothing is removed before you agree", remedy="Add --yes, or --dry-run")
    if not as_json:
        _show(found, lyrics)
    if asks:
        lyrics = lyrics or _wanted(found)
        click.confirm("Remove all this?", abort=True, err=True)
    report = None if dry_run else _remove(found, undo=lyrics == "undo")
    failed = () if report is None else report.failed
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "lyrics": lyrics or "keep",
                "lyrics_files": found.written,
                "kept": [] if report is None else notes(report.kept),
                "failed": notes(failed),
                "units": texts(found.units),
                "files": texts(found.files),
                "config": None if found.config is None else str(found.config),
            }
        )
    elif report is not None:
        for one in (*report.kept, *failed):
            note(f"kept {one.path}: {one.why}")
        if not failed:
            click.echo(_IN_CONTAINER if container.inside() else _PROGRAM)
    if failed:
        raise LyricsyncError(
            f"{len(failed)} files could not be given back, so the state stays",
            remedy="Mend that and run it again, or add --lyrics keep",
        )


def _plan(config: Path | None) -> Plan:
    from lyricsyncd.cli.service import unit_file
    from lyricsyncd.config import paths, private
    from lyricsyncd.library.undoing import take_back
    from lyricsyncd.tags import Journal

    systems = (False, True) if os.geteuid() == 0 else (False,)
    units = tuple(file for system in systems if os.path.lexists(file := unit_file(system=system)))
    settings = paths.config_path(config)
    cache = paths.cache_dir()
    return Plan(
        units=units,
        lyrics=take_back(Journal(), None, dry_run=True).report,
        state=tuple(private.state_files(paths.state_dir())),
        cache=tuple(sorted(path for name in _CACHE for path in cache.glob(name))),
        models=_models(config),
        config=settings if settings is not None and settings.exists() else None,
    )


def _models(config: Path | None) -> tuple[Path, ...]:
    """List the models in a folder that a person chose, which may hold other things, too."""
    from lyricsyncd.config.reader import load
    from lyricsyncd.models.hub import HUB_MODELS
    from lyricsyncd.models.installable import MODELS, paths_of

    try:
        folder = load(config).models.dir
    except LyricsyncError as error:
        note(f"The configuration cannot be read, so models that it places stay: {error.message}")
        return ()
    if folder is None:
        return ()
    names = [path for model in MODELS.values() for path in paths_of(model, folder)]
    names += [folder / model.folder_name for model in HUB_MODELS.values()]
    return tuple(path for path in dict.fromkeys(names) if os.path.lexists(path))


def _show(found: Plan, lyrics: str | None) -> None:
    for unit in found.units:
        say(f"stop the service and remove {unit}")
    for path in found.files:
        say(f"remove {path}")
    if found.written:
        undone = "is given back" if lyrics == "undo" else "stays, or is given back if you choose so"
        say(f"{found.written} files hold lyrics that were written: what was there {undone}")
    if lyrics != "undo":
        say("what `undo` needs goes with the state: it cannot be done later")
    if found.config is not None:
        say(f"stays: the configuration {found.config}")


def _wanted(found: Plan) -> str:
    if not found.written:
        return "keep"
    return str(
        click.prompt(
            f"Keep the lyrics in {found.written} files, or undo them?",
            type=click.Choice(["keep", "undo"]),
            default="keep",
            err=True,
        )
    )


def _remove(found: Plan, *, undo: bool) -> UndoReport:
    """Do what was planned; where lyrics cannot be taken back, the state stays.

    Raises
    ------
    UsageError
        A service that systemd does not run is at work.
    WriteError
        Something cannot be removed.
    """
    from lyricsyncd.cli.service import remove_unit, unit_file
    from lyricsyncd.cli.songs import known_catalog
    from lyricsyncd.config import paths, private
    from lyricsyncd.library.undoing import take_back
    from lyricsyncd.service.lock import StateLock
    from lyricsyncd.tags import Journal, UndoReport

    for unit in found.units:
        remove_unit(system=unit == unit_file(system=True))
    folder = paths.state_dir()
    if not folder.is_dir():
        _delete(found.files)
        return UndoReport()
    with StateLock(folder):
        with known_catalog() as catalog:
            report = take_back(Journal(), catalog).report if undo else UndoReport()
        if report.failed:
            return report
        # Listed again: the lock and the databases made files of their own meanwhile.
        _delete((*found.cache, *found.models, *private.state_files(folder)))
    for own in (folder, paths.cache_dir()):
        _delete_if_empty(own)
    return report


def _delete(paths: Sequence[Path]) -> None:
    for path in paths:
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise WriteError(
                f"{path} cannot be removed: {error.strerror}", remedy="Check its permissions"
            ) from error


def _delete_if_empty(folder: Path) -> None:
    """Delete a folder of ours, unless others put something there or it is a mount."""
    try:
        folder.rmdir()
    except OSError:
        return
