"""``lyricsyncd sync``: place the words of songs on their audio, now."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lyricsyncd.cli import target
from lyricsyncd.cli.console import note
from lyricsyncd.cli.one_song import (
    BELOW_THRESHOLD,
    Options,
    encoded,
    sync_song,
    write_to_stdout,
)
from lyricsyncd.cli.options import encoding_option
from lyricsyncd.cli.outcomes import Outcome, details, show_summary
from lyricsyncd.cli.plan import show_plan
from lyricsyncd.cli.songs import known_catalog, targets_of
from lyricsyncd.errors import LyricsNotFound, UsageError
from lyricsyncd.processes import memory

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config, Output, OutputFile
    from lyricsyncd.library.plan import Planned
    from lyricsyncd.pipeline.pipeline import LyricSyncPipeline

_BY_WEIGHT = (0, BELOW_THRESHOLD, LyricsNotFound.exit_status, 1, UsageError.exit_status)
"""Exit statuses from the lightest to the gravest: of several songs, the gravest counts."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("songs", nargs=-1, metavar="SONG...", type=click.Path(path_type=Path))
@click.option("--artist", metavar="A", help="Who performs it, over what its tags say.")
@click.option("--title", metavar="T", help="Its title, over what its tags say.")
@click.option("--album", metavar="B", help="Its album, over what its tags say.")
@click.option(
    "--lyrics",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A file with the words; they are looked for otherwise.",
)
@encoding_option
@click.option("--language", metavar="L", help="Language of the words, such as en.")
@click.option(
    "--format", "format_name", metavar="F", help="Format to write, such as lrc, ass, json or ttml."
)
@click.option(
    "-o",
    "--output",
    "out",
    metavar="OUT|-",
    type=click.Path(path_type=Path),
    help="Write exactly this file, or to standard output; by default what the configuration says.",
)
@click.option(
    "--report", metavar="FILE", type=click.Path(path_type=Path), help="Write a report as JSON."
)
@click.option("--profile", metavar="auto|lite|full", help="How large the models may be.")
@click.option("--device", metavar="auto|cpu|cuda[:N]", help="What the models run on.")
@click.option("--acoustid-key", metavar="K", help="To identify a song by its sound.")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file.")
@click.option("--json", "as_json", is_flag=True, help="Print the report.")
@click.option(
    "--all-words", is_flag=True, help="Write the time of every word, however doubtful it is."
)
@click.option(
    "--force",
    "--replace",
    "force",
    is_flag=True,
    help="Replace lyrics beside the song that are not ours.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Place the words, and write nothing; for folders, or no SONG: list what would be done.",
)
@click.pass_context
def sync(
    context: click.Context,
    songs: tuple[Path, ...],
    artist: str | None,
    title: str | None,
    album: str | None,
    lyrics: Path | None,
    encoding: str | None,
    language: str | None,
    format_name: str | None,
    out: Path | None,
    report: Path | None,
    profile: str | None,
    device: str | None,
    acoustid_key: str | None,
    config: Path | None,
    as_json: bool,
    all_words: bool,
    force: bool,
    dry_run: bool,
) -> None:
    """Place the words of SONG on its audio.

    Finds the words, unless --lyrics gives them, and writes what the configuration's `output` says
    beside the song, unless -o names a file. Only lines whose words are sure get word times, the
    others the time of the line (--format json has every word with its confidence).

    A folder stands for the songs in it. With --dry-run and a folder, or without SONG for all
    libraries, no song is placed: what would be done is listed, and how long it would take.

    Exit status: 0 done; 1 failed; 2 wrong usage or configuration; 3 no lyrics found; 4 too
    doubtful, nothing written.
    """
    if not songs and not dry_run:
        raise click.UsageError("Name songs or folders; or all libraries, with --dry-run.")
    to_stdout = out == Path("-")
    if to_stdout and as_json:
        raise click.UsageError("-o - and --json both want standard output.")
    settings = _settings(config)
    if dry_run and not (songs and not any(song.is_dir() for song in songs)):
        _show_plan(songs, settings, as_json=as_json)
        return
    songs = _all_songs(songs, settings)
    _check_one_song(songs, title=title, lyrics=lyrics, out=out)
    options = Options(
        artist=artist,
        title=title,
        album=album,
        lyrics=lyrics,
        encoding=encoding,
        language=_language(language),
        output=_output(settings, format_name, out),
        out=out,
        format=_format(format_name, out),
        all_words=all_words,
        force=force,
        dry_run=dry_run,
    )
    _check_files(options, songs, report)
    # What one stage frees is to be there for the next.
    memory.give_back_large_blocks(memory.ARRAYS)
    memory.share_one_heap()
    pipeline = _pipeline(settings, acoustid_key, device, profile)
    outcomes = _synced(pipeline, songs, options, verbose=_verbose(context))
    found = [outcome.report(dry_run=dry_run) for outcome in outcomes]
    # One song gives its report, several a list of them.
    report_text = json.dumps(found if len(found) > 1 else found[0], ensure_ascii=False, indent=2)
    if report is not None and not dry_run:
        target.write(report, encoded(report_text) + b"\n")
    if as_json:
        write_to_stdout(encoded(report_text) + b"\n")
    elif not to_stdout:
        show_summary(outcomes, dry_run=dry_run)
    for outcome in outcomes:
        for line in outcome.notes:
            note(f"{outcome.song.name}: {line}" if len(outcomes) > 1 else line)
    if len(outcomes) == 1 and outcomes[0].error is not None:
        raise outcomes[0].error
    context.exit(max((outcome.status for outcome in outcomes), key=_BY_WEIGHT.index))


def _synced(
    pipeline: LyricSyncPipeline, songs: Sequence[Path], options: Options, *, verbose: bool
) -> list[Outcome]:
    """Place the words of songs one by one; of several, note each error as it comes."""
    outcomes: list[Outcome] = []
    for song in songs:
        outcome = sync_song(pipeline, song, options)
        outcomes.append(outcome)
        if verbose and outcome.result is not None:
            for line in details(outcome.result):
                note(line)
        if len(songs) > 1 and outcome.error is not None:
            said = str(outcome.error)
            note(said if str(song) in said else f"{song}: {said}")
    return outcomes


def _check_one_song(
    songs: Sequence[Path], *, title: str | None, lyrics: Path | None, out: Path | None
) -> None:
    """Refuse options that belong to one song where several are given."""
    if len(songs) > 1:
        for option, value in (("-o", out), ("--lyrics", lyrics), ("--title", title)):
            if value is not None:
                raise click.UsageError(f"{option} is for one song, and {len(songs)} are given.")


def _check_files(options: Options, songs: Sequence[Path], report: Path | None) -> None:
    lyrics, out = options.lyrics, options.out
    if lyrics is not None and not lyrics.is_file():
        what = "is not a file" if lyrics.exists() else "is not there"
        raise UsageError(f"the lyrics file {lyrics} {what}", remedy="Check the path")
    if out is not None and out != Path("-"):
        target.check(out, "output")
    if report is not None:
        target.check(report, "report")
        if out is not None and report.absolute() == out.absolute():
            raise click.UsageError("-o and --report name the same file.")
    for path in (out, report):
        for kept in (*songs, lyrics):
            if path is not None and kept is not None and _same(path, kept):
                raise UsageError(f"{path} would be overwritten", remedy="Name another file")


def _all_songs(songs: Sequence[Path], settings: Config) -> tuple[Path, ...]:
    """Replace folders by the songs in them that neither the configuration nor a person skips.

    Raises
    ------
    UsageError
        There is no song in one.
    """
    from lyricsyncd.library.plan import Work

    found: list[Path] = []
    for song in songs:
        if not song.is_dir():
            found.append(song)
            continue
        planned = _planned([song], settings)
        inside = [each.path for each in planned if each.work is not Work.SKIPPED]
        if planned and not inside:
            raise UsageError(
                f"All songs in {song} are skipped: {planned[0].reason}",
                remedy="Name a song itself to have it placed",
            )
        if not inside:
            raise UsageError(f"There is no song in {song}", remedy="Name another folder")
        found += inside
    return tuple(found)


def _planned(songs: Sequence[Path], settings: Config) -> list[Planned]:
    """List songs with what would become of each: here all are placed that are not skipped."""
    from lyricsyncd.library.plan import Work, plan

    targets = targets_of(songs, settings)
    with known_catalog() as catalog:
        return [
            each if each.work is Work.SKIPPED else replace(each, work=Work.NEW)
            for rules, start in targets
            for each in plan(catalog, rules, start)
        ]


def _show_plan(songs: Sequence[Path], settings: Config, *, as_json: bool) -> None:
    planned = _planned(songs, settings)
    with known_catalog() as catalog:
        show_plan(planned, catalog, settings, as_json=as_json, what="placed")


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False


def _settings(path: Path | None) -> Config:
    from lyricsyncd.config.reader import load

    return load(path)


def _language(code: str | None) -> str | None:
    if code is None or code == "auto":
        return None
    from lyricsyncd.config.values import language_code

    try:
        return language_code(code)
    except ValueError as error:
        raise click.UsageError(f"--language: {error}, not '{code}'.") from None


def _format(name: str | None, out: Path | None) -> str:
    """Return the format of the named file: as requested, else by its suffix, else enhanced LRC."""
    from lyricsyncd import formats

    if name is not None:
        if name not in formats.names():
            near = difflib.get_close_matches(name, formats.names(), n=1)
            hint = f"Did you mean '{near[0]}'?" if near else f"There are {_listed()}."
            raise click.UsageError(f"There is no format '{name}'. {hint}")
        return name
    if out is None or not out.suffix:
        return "lrc"
    return formats.for_suffix(out.suffix.lower()) or "lrc"


def _listed() -> str:
    from lyricsyncd import formats

    return ", ".join(formats.names())


def _output(
    settings: Config, format_name: str | None, out: Path | None
) -> Output | tuple[OutputFile, ...]:
    """Return the output: as configured, or a sidecar of the requested format."""
    if format_name is None or out is not None:
        return settings.output
    from lyricsyncd.config.schema import OutputFile

    return (OutputFile(format=_format(format_name, None)),)


def _pipeline(
    settings: Config, acoustid_key: str | None, device: str | None, profile: str | None
) -> LyricSyncPipeline:
    from lyricsyncd.models.device import check
    from lyricsyncd.pipeline.pipeline import LyricSyncPipeline

    pipeline = LyricSyncPipeline(acoustid_key, device or "auto", settings, profile)
    # Even where no model will be needed: the next song needs one.
    check(pipeline.device)
    return pipeline


def _verbose(context: click.Context) -> bool:
    from lyricsyncd.cli import Invocation

    return context.ensure_object(Invocation).verbose
