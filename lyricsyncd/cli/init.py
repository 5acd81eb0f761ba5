"""``lyricsyncd init``: write a configuration to begin with."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from lyricsyncd.cli.console import note, person_there
from lyricsyncd.config import setup
from lyricsyncd.errors import ConfigError, UsageError


@click.command()
@click.option(
    "--library",
    "libraries",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="A music folder; may be given several times.",
)
@click.option("--player", metavar="P", help="What your player is: navidrome, jellyfin, plex …")
@click.option("--config", type=click.Path(path_type=Path), help="Where to write it.")
@click.option("--force", is_flag=True, help="Replace the one that is there; it is kept as .bak.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
def init(
    libraries: tuple[Path, ...],
    player: str | None,
    config: Path | None,
    force: bool,
    as_json: bool,
    dry_run: bool,
) -> None:
    """Write a configuration with your music folders and what your player reads.

    Asks for what is not given, at a terminal.
    """
    from lyricsyncd.config import paths, reader, template

    target = paths.config_path(config)
    if target is None or (config is None and target == paths.SYSTEM_CONFIG):
        target = paths.user_config_path()
    if os.path.lexists(target) and not (force or dry_run):
        raise ConfigError(
            f"there is a configuration already: {target}", remedy="Edit it, or add --force"
        )
    ask = person_there() and not as_json
    if not libraries and ask:
        libraries = (_prompted_library(),)
    folders = [_checked(library) for library in libraries]
    if player is None and ask:
        player = _prompted_player()
    preset = setup.checked_preset(player)
    text = template.chosen(folders, preset)
    # As the commands that follow would read it: the environment may name the folder of models.
    models = paths.models_dir(reader.read(text.encode(), target).models.dir)
    if not dry_run:
        setup.write(target, text)
    following = _following(target, models, given=config is not None, music=bool(folders))
    if as_json:
        shown = {
            "config": str(target),
            "libraries": [str(folder) for folder in folders],
            "preset": preset,
            "written": not dry_run,
            "next": following,
        }
        click.echo(json.dumps(shown, indent=2))
    elif dry_run:
        note(f"Would write {target}:")
        click.echo(text, nl=False)
    else:
        click.echo(f"Wrote {target}")
        if not folders:
            click.echo("It names no music folder yet: put yours under `libraries`.")
        click.echo("Next:")
        for command in following:
            click.echo(f"  {command}")


def _checked(library: Path) -> Path:
    folder = setup.checked_folder(library)
    if not os.access(folder, os.W_OK):
        note(f"Note: {folder} cannot be written to, so no lyrics can be put beside the songs.")
    return folder


def _prompted_library() -> Path:
    default = next((str(folder) for folder in setup.likely_folders()), None)
    while True:
        answer = click.prompt("Where is your music?", default=default, err=True)
        try:
            return _checked(Path(answer))
        except UsageError as error:
            note(str(error))


def _prompted_player() -> str:
    from lyricsyncd.registry import presets

    return str(
        click.prompt(
            "What plays it? (generic suits any; embed puts the words into the tags)",
            type=click.Choice(presets.names(), case_sensitive=False),
            default="generic",
            err=True,
        )
    )


def _following(target: Path, models: Path, *, given: bool, music: bool) -> list[str]:
    """Return the commands that come next, as they are typed."""
    import shlex

    from lyricsyncd.models.installable import LITE, missing

    option = f" --config {shlex.quote(str(target))}" if given else ""
    install = [f"models install {LITE}"] if missing(models) else []
    commands = [*install, "sync SONG"]
    commands += ["run"] if music else []
    return [f"lyricsyncd {command}{option}" for command in commands]
