"""``lyricsyncd sync``: place the words of songs on their audio, now."""

from __future__ import annotations

import difflib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lyricsyncd.cli import target
from lyricsyncd.cli.console import bar, console, note, progress
from lyricsyncd.cli.options import encoding_option
from lyricsyncd.cli.plan import show_plan
from lyricsyncd.cli.songs import known_catalog, targets_of
from lyricsyncd.errors import LyricsNotFound, LyricsyncError, UsageError, WriteError
from lyricsyncd.model import WRITTEN, Decision, Lyrics, SongIdentification, Track
from lyricsyncd.pipeline.result import SyncResult
from lyricsyncd.printable import escaped
from lyricsyncd.processes import memory

if TYPE_CHECKING:
    from lyricsyncd.catalog.drafts import Choices
    from lyricsyncd.config.schema import Config, Output, OutputFile
    from lyricsyncd.library.plan import Planned
    from lyricsyncd.pipeline.pipeline import LyricSyncPipeline
    from lyricsyncd.pipeline.prepared import Prepared

BELOW_THRESHOLD = 4
"""Exit status when a result was too doubtful to write."""
_BY_WEIGHT = (0, BELOW_THRESHOLD, LyricsNotFound.exit_status, 1, UsageError.exit_status)
"""Exit statuses from the lightest to the gravest: of several songs, the gravest counts."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options of the command, for each song."""

    artist: str | None
    title: str | None
    album: str | None
    lyrics: Path | None
    encoding: str | None
    """Of the file of lyrics, where it is not to be detected."""
    language: str | None
    output: Output | tuple[OutputFile, ...]
    """What to write beside or into the song, where no file is named."""
    out: Path | None
    """The one file to write instead; ``-`` for standard output."""
    format: str
    """Of that file."""
    all_words: bool
    """Also the times of words that are too doubtful to be shown."""
    force: bool
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of one song."""

    song: Path
    status: int
    """Exit status."""
    seconds: float
    result: SyncResult | None = None
    error: LyricsyncError | None = None
    written: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()

    def report(self, *, dry_run: bool = False) -> dict[str, Any]:
        """The object that ``--report`` writes; the same keys for a song that failed."""
        nothing = SyncResult(SongIdentification(Track(self.song)), Lyrics(), 0.0, Decision.NONE, "")
        report = (self.result or nothing).report(() if dry_run else self.written)
        if dry_run:
            report["would_write"] = [str(path) for path in self.written]
        if self.error is not None:
            report["reason"] = str(self.error)
            report["error"] = type(self.error).__name__
        return report


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
    pipeline = _pipeline(settings, acoustid_key, device, profile)
    several = len(songs) > 1
    outcomes = []
    for song in songs:
        outcome = _one(pipeline, song, options, _choices(song))
        outcomes.append(outcome)
        if _verbose(context) and outcome.result is not None:
            for line in _details(outcome.result):
                note(line)
        if several and outcome.error is not None:
            said = str(outcome.error)
            note(said if str(song) in said else f"{song}: {said}")
    found = [outcome.report(dry_run=dry_run) for outcome in outcomes]
    # One song gives its report, several a list of them.
    report_text = json.dumps(found if several else found[0], ensure_ascii=False, indent=2)
    if report is not None and not dry_run:
        target.write(report, _encoded(report_text) + b"\n")
    if as_json:
        _print(_encoded(report_text) + b"\n")
    elif not to_stdout:
        _summary(outcomes, dry_run=dry_run)
    for outcome in outcomes:
        for line in outcome.notes:
            note(f"{outcome.song.name}: {line}" if several else line)
    if not several and outcomes[0].error is not None:
        raise outcomes[0].error
    context.exit(max((outcome.status for outcome in outcomes), key=_BY_WEIGHT.index))


# --- before the work -------------------------------------------------------------------------


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
        inside = [each.path for each in _planned([song], settings) if each.work is not Work.SKIPPED]
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
        show_plan(planned, catalog, settings, as_json=as_json)


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


# --- the work --------------------------------------------------------------------------------


def _one(pipeline: LyricSyncPipeline, song: Path, options: Options, choices: Choices) -> Outcome:
    """Do one song; what fails is an outcome, too."""
    from lyricsyncd.work.chosen import with_offset

    begin = time.perf_counter()
    result: SyncResult | None = None
    try:
        with progress(song.name) as show:
            show("lyrics", 0.0)
            prepared = _found(pipeline, song, options, choices)
            result = with_offset(pipeline.place(prepared, progress=show), choices)
        if options.all_words:
            result = result.with_all_words()
        written, notes = _write(song, result, options)
    except LyricsyncError as error:
        seconds = time.perf_counter() - begin
        return Outcome(song, error.exit_status, seconds, result, error)
    return Outcome(
        song,
        _status(result, options),
        time.perf_counter() - begin,
        result,
        written=written,
        notes=(*result.warnings, *notes),
    )


def _found(pipeline: LyricSyncPipeline, song: Path, options: Options, choices: Choices) -> Prepared:
    """Find the words of a song: what the command line says goes over what was set for the song, and
    that over the configuration of its library."""
    from lyricsyncd.library import overrides
    from lyricsyncd.work.chosen import find_chosen

    names = {"artist": options.artist, "title": options.title, "album": options.album}
    config = overrides.with_language(pipeline.config, overrides.of_file(song, pipeline.config))
    finder = pipeline.finder.with_config(config)
    given = _lyrics(options)
    if given is not None:
        language = options.language or choices.language
        return finder.find(song, lyrics=given, language=language, **names)
    if options.language is not None:
        choices = replace(choices, language=options.language)
    found = find_chosen(finder, song, choices, look_up=True, **names)
    assert found is not None, "it was looked up"
    return found


def _choices(song: Path) -> Choices:
    """Return what a person set for a song; nothing where the catalog cannot be read."""
    from lyricsyncd.catalog.drafts import Choices

    try:
        with known_catalog() as catalog:
            # Not resolve(): a link in a library is a song of its own.
            entry = None if catalog is None else catalog.by_path(song.absolute())
            if catalog is not None and entry is not None:
                return catalog.choices(entry.id)
    except LyricsyncError as error:
        note(f"{song.name}: what was set for it is not known: {error}")
    return Choices()


def _status(result: SyncResult, options: Options) -> int:
    if result.lyrics.instrumental and options.out is None:
        return 0
    if not result.lyrics.words:
        return LyricsNotFound.exit_status
    if _may_write(result, options):
        return 0
    return BELOW_THRESHOLD


def _may_write(result: SyncResult, options: Options) -> bool:
    """Return whether to write a result; into a file that was named, doubtful words go, too."""
    if options.out is not None:
        return result.decision is not Decision.NONE
    return result.may_write


def _lyrics(options: Options) -> Lyrics | Path | None:
    """Read the file of lyrics here only where its encoding is named."""
    if options.lyrics is None or options.encoding is None:
        return options.lyrics
    from lyricsyncd.lyrics import files
    from lyricsyncd.lyrics.sung import sung_part

    lyrics = files.load(options.lyrics, encoding=options.encoding, blanks=True)
    return sung_part(lyrics, Track(options.lyrics, title=options.title, artist=options.artist))


def _write(
    song: Path, result: SyncResult, options: Options
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Write what may be written; the files, and what a person should know."""
    if not _may_write(result, options):
        return (), (f"Nothing is written. {_sentence(result.reason)}",)
    if options.out is None:
        from lyricsyncd.tags import Journal, write_sandboxed

        report = write_sandboxed(
            song,
            result.lyrics,
            options.output,
            journal=Journal(),
            force=options.force,
            dry_run=options.dry_run,
        )
        return (*report.written, *report.unchanged), tuple(map(str, report.notes))
    reason = _sentence(result.reason)
    notes: tuple[str, ...] = (reason if result.decision in WRITTEN else f"Doubtful. {reason}",)
    if result.decision is Decision.WORDS:
        notes = ()
    content = _encoded(result.to_format(options.format))
    if options.out == Path("-"):
        if not options.dry_run:
            _print(content)
        return (), notes
    if not options.dry_run:
        target.write(options.out, content)
    return (options.out,), notes


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."


# --- after the work --------------------------------------------------------------------------


def _encoded(text: str) -> bytes:
    # Names of files need not be UTF-8.
    return text.encode("utf-8", "replace")


def _print(content: bytes) -> None:
    """Lyrics are UTF-8, whatever the terminal's encoding."""
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise WriteError(
            f"standard output cannot be written: {error.strerror}", remedy="Make room there"
        ) from error


def _verbose(context: click.Context) -> bool:
    from lyricsyncd.cli import Invocation

    return context.ensure_object(Invocation).verbose


def _details(result: SyncResult) -> list[str]:
    """List the song's names, the source of its words, and the time of each stage."""
    lyrics = result.lyrics
    words = " ".join(filter(None, (lyrics.source, lyrics.source_id))) or "none"
    models = [name for name in (result.separator, result.aligner) if name not in ("", "none")]
    took = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in result.stages.items())
    return [
        f"song: {result.song.track.name} ({result.song.why or result.song.source})",
        f"words: {words}, language: {result.language or lyrics.language or 'unknown'}",
        f"models: {', '.join(models) or 'none'}, stages: {took or 'none'}",
        f"result: {result.decision.value}, quality {result.quality_score:.2f}, {result.reason}",
    ]


def _summary(outcomes: Sequence[Outcome], *, dry_run: bool) -> None:
    """A line for each song: how good, how many words, how long it took, where they are.

    A song that failed has its line of error in place of it.
    """
    done = [outcome for outcome in outcomes if outcome.error is None]
    if not sys.stdout.isatty():
        for outcome in done:
            click.echo("\t".join(map(escaped, _cells(outcome, dry_run=dry_run))))
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    for outcome in done:
        song, quality, *rest = map(escaped, _cells(outcome, dry_run=dry_run))
        meter = Text(_bar(outcome, quality), _colour(outcome))
        table.add_row(Text(song), meter, *map(Text, rest))
    console().print(table)


def _cells(outcome: Outcome, *, dry_run: bool) -> tuple[str, ...]:
    result = outcome.result
    assert result is not None, "a song that failed has its line of error"
    where = ", ".join(path.name for path in outcome.written) or "nothing written"
    if outcome.written and dry_run:
        where = f"would write {where}"
    return (
        outcome.song.name,
        f"{result.quality_score:.2f}",
        f"{len(result.lyrics.words)} words",
        f"{outcome.seconds:.1f} s",
        result.decision.value,
        where,
    )


def _bar(outcome: Outcome, quality: str) -> str:
    assert outcome.result is not None
    return f"{bar(outcome.result.quality_score)} {quality}"


def _colour(outcome: Outcome) -> str:
    assert outcome.result is not None
    colours = {
        Decision.WORDS: "green",
        Decision.MIXED: "green3",
        Decision.LINES: "yellow",
        Decision.REVIEW: "dark_orange",
    }
    return colours.get(outcome.result.decision, "red")
