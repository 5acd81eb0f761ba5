"""``lyricsyncd karaoke``: write a song without its vocals, and the vocals alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lyricsyncd.cli import console
from lyricsyncd.cli.options import CONTEXT, config_option, dry_run_option, json_option
from lyricsyncd.errors import UsageError

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config


@click.command(context_settings=CONTEXT)
@click.argument("song", metavar="SONG")
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the files, made where it is missing; by default the one you are in, unless "
    "that is of a library.",
)
@click.option(
    "--format",
    "suffix",
    type=click.Choice(("flac", "opus")),
    help="flac keeps every sample, opus takes a sixth of the room; by default what the "
    "configuration says.",
)
@click.option("--device", metavar="D", default="auto", help="auto, cpu or cuda[:N].")
@config_option
@json_option
@dry_run_option
def karaoke(
    song: str,
    folder: Path | None,
    suffix: str | None,
    device: str,
    config: Path | None,
    as_json: bool,
    dry_run: bool,
) -> None:
    """Write the instrumental and the vocals of SONG to NAME.instrumental.flac and NAME.vocals.flac.

    Both are as long and as loud as the song: together they are the song. SONG is a path, or the
    number or a part of the name of one that `scan` knows.
    """
    from lyricsyncd.config.reader import load
    from lyricsyncd.config.schema import Output
    from lyricsyncd.pipeline.model_set import ModelSet
    from lyricsyncd.pipeline.settings import placing_settings
    from lyricsyncd.separate.stems import stems_of, write_stems

    settings = load(config)
    path = _path(song)
    into = _folder(folder, settings)
    if suffix is None:
        suffix = settings.output.karaoke_format if isinstance(settings.output, Output) else "flac"
    stems = stems_of(path, into, suffix)
    if not dry_run:
        separator = ModelSet(placing_settings(settings, device).models).separator()
        with console.progress(path.name, shown=not as_json) as progress:
            write_stems(path, into, separator.opened(), suffix, progress)
    if as_json:
        console.print_json(
            {
                "song": str(path),
                "instrumental": str(stems.instrumental),
                "vocals": str(stems.vocals),
                "dry_run": dry_run,
            }
        )
        return
    for stem in (stems.instrumental, stems.vocals):
        console.say(f"{'would write' if dry_run else 'wrote'} {stem}")


def _path(song: str) -> Path:
    """Return the path of a song: as it is named, or that of the one that the catalog knows."""
    from lyricsyncd.cli import songs

    path = songs.absolute(song)
    if path.is_file():
        return path
    if "/" in song:
        raise UsageError(f"the song {song} is not there", remedy="Check the path")
    with songs.open_catalog() as catalog:
        return songs.one_song(catalog, song).path


def _folder(named: Path | None, settings: Config) -> Path:
    """Return the folder that a person named, or else the one they are in.

    Raises
    ------
    UsageError
        That is in a library, where players would show the files as songs.
    """
    if named is not None:
        return named
    here = Path.cwd()
    for library in settings.libraries:
        root = library.path.resolve()
        if here.resolve().is_relative_to(root):
            raise UsageError(
                f"this folder is in the library {library.path}, where players show what is new",
                remedy="Name another with -o DIR, or this one with -o .",
            )
    return here
