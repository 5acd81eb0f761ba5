"""``lyricsyncd convert``: convert lyrics from one format into another."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import click

from lyricsyncd.cli import target
from lyricsyncd.cli.lyrics_files import read_lyrics
from lyricsyncd.cli.options import CONTEXT, dry_run_option, encoding_option
from lyricsyncd.errors import UsageError

_WITH_TEXTS_BESIDE = ("lyricsfile", "ttml")
"""Formats that have translations beside lines; in others they stay the lines that they are."""


@click.command(context_settings=CONTEXT)
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("out", metavar="[OUT|-]", required=False, type=click.Path(path_type=Path))
@click.option("--from", "from_", metavar="F", help="Format of IN; by default that of its contents.")
@click.option("--to", metavar="F", help="Format of OUT; by default that of its suffix, else lrc.")
@click.option(
    "--offset",
    metavar="S",
    type=float,
    default=0.0,
    help="Seconds to add to every time; words that would begin before the song begin with it.",
)
@click.option(
    "--syllables",
    is_flag=True,
    help="In lrc, lyricsfile and json: write a time for every syllable that IN has one of.",
)
@click.option("--notes", is_flag=True, help="In lrc and lrc_standard: write ♪ in long breaks.")
@encoding_option
@dry_run_option
def convert(
    source: Path,
    out: Path | None,
    from_: str | None,
    to: str | None,
    offset: float,
    syllables: bool,
    notes: bool,
    encoding: str | None,
    dry_run: bool,
) -> None:
    """Convert the lyrics in IN (- for standard input) to another format.

    Without OUT, or with -, they go to standard output.
    """
    from lyricsyncd import formats
    from lyricsyncd.lyrics.translations import beside_lines
    from lyricsyncd.tags.stamp import unstamped

    for name in (from_, to):
        if name is not None:
            formats.get(name)
    if not math.isfinite(offset):
        raise click.UsageError(f"--offset: expected seconds, not '{offset}'.")
    to_stdout = out is None or out == Path("-")
    if out is not None and not to_stdout:
        target.check(out, "output")
        to = to or formats.for_suffix(out.suffix)
        if to is None:
            raise UsageError(
                f"the suffix of {out} is that of no format", remedy="Name the format with --to"
            )
    lyrics = unstamped(read_lyrics(source, from_, encoding)).shifted(offset)
    if to in _WITH_TEXTS_BESIDE:
        lyrics = beside_lines(lyrics)
    chosen = {"syllables": syllables, "notes": notes}
    options = {name: True for name, wanted in chosen.items() if wanted}
    content = formats.write(lyrics, to or "lrc", **options).encode(errors="replace")
    if dry_run:
        what = f"would write {len(lyrics.words)} words"
        click.echo(what if to_stdout else f"{what} to {out}", err=to_stdout)
    elif out is None or to_stdout:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        target.write(out, content)
