"""``lyricsyncd karaoke``: write a song without its vocals, and the vocals alone."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lyricsyncd.cli import console, target
from lyricsyncd.cli.options import CONTEXT, config_option, dry_run_option, json_option
from lyricsyncd.errors import UsageError

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config
    from lyricsyncd.model import Lyrics
    from lyricsyncd.separate.stems import Stems

_BEATS_HZ, _PITCH_HZ = 22_050, 16_000


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
@click.option(
    "--ultrastar",
    is_flag=True,
    help="Also write NAME.ultrastar.txt, a song for karaoke games, with pitches and on the song's "
    "beats (needs the extra `karaoke`).",
)
@click.option(
    "--lyrics",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Words for --ultrastar, with their times or without; by default they are found.",
)
@click.option("--device", metavar="D", default="auto", help="auto, cpu or cuda[:N].")
@config_option
@json_option
@dry_run_option
def karaoke(
    song: str,
    folder: Path | None,
    suffix: str | None,
    ultrastar: bool,
    lyrics: Path | None,
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
    game = into / f"{path.stem}.ultrastar.txt" if ultrastar else None
    words = None if game is None or dry_run else _words(path, lyrics, settings, device)
    if not dry_run:
        separator = ModelSet(placing_settings(settings, device).models).separator()
        with console.progress(path.name, shown=not as_json) as progress:
            write_stems(path, into, separator.opened(), suffix, progress)
    if game is not None and words is not None:
        target.write(game, _song_of_game(path, stems, words, into).encode(errors="replace"))
    if as_json:
        console.print_json(
            {
                "song": str(path),
                "instrumental": str(stems.instrumental),
                "vocals": str(stems.vocals),
                "ultrastar": None if game is None else str(game),
                "dry_run": dry_run,
            }
        )
        return
    for file in filter(None, (stems.instrumental, stems.vocals, game)):
        console.say(f"{'would write' if dry_run else 'wrote'} {file}")


def _words(song: Path, file: Path | None, settings: Config, device: str) -> Lyrics:
    """Return the words of a song with their times: those of a file that has them, or placed."""
    from lyricsyncd.cli.lyrics_files import read_lyrics
    from lyricsyncd.model import Timing
    from lyricsyncd.pipeline.pipeline import LyricSyncPipeline

    given = None if file is None else read_lyrics(file, None)
    if given is not None and given.timing in (Timing.WORD, Timing.MIXED):
        return given
    result = LyricSyncPipeline(device=device, config=settings).sync(song, lyrics=given)
    if not result.may_write or not result.words_timed:
        raise UsageError(
            f"the words of {song.name} could not be placed: {result.reason}",
            remedy="Give them with their times: --lyrics FILE",
        )
    return result.lyrics


def _song_of_game(song: Path, stems: Stems, lyrics: Lyrics, folder: Path) -> str:
    """Write a song for karaoke games: its notes on the grid of its beats, with their pitches."""
    from lyricsyncd import audio
    from lyricsyncd.align import melody
    from lyricsyncd.formats.ultrastar import Ultrastar
    from lyricsyncd.identify import read_tags

    start = min((word.start for word in lyrics.words if word.start is not None), default=0.0)
    found = melody.beats(audio.decode(song, _BEATS_HZ), _BEATS_HZ)
    grid = None if found is None else found.grid(start)
    source = os.path.relpath(song.absolute(), folder.absolute())
    writer = Ultrastar(
        headers=(
            ("MP3", source),
            ("AUDIO", source),
            ("VOCALS", stems.vocals.name),
            ("INSTRUMENTAL", stems.instrumental.name),
            ("CREATOR", "lyricsyncd"),
        )
    )
    if grid is not None:
        writer = dataclasses.replace(writer, bpm=grid.bpm, gap=grid.first)
    track = read_tags(song)
    names = {"title": track.title, "artist": track.artist}
    known = {key: value for key, value in names.items() if value}
    lyrics = dataclasses.replace(lyrics, metadata={**known, **lyrics.metadata})
    vocals = audio.decode(stems.vocals, _PITCH_HZ)
    pitches = melody.pitches(vocals, _PITCH_HZ, writer.notes(lyrics))
    return dataclasses.replace(writer, pitches=pitches).write(lyrics)


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
