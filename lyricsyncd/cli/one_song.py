"""Do one song of ``lyricsyncd sync``: find its words, place them, and write what may be written."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.cli import target
from lyricsyncd.cli.console import note, progress
from lyricsyncd.cli.outcomes import Outcome
from lyricsyncd.cli.songs import known_catalog
from lyricsyncd.errors import LyricsNotFound, LyricsyncError, WriteError
from lyricsyncd.model import WRITTEN, Decision, Lyrics, Track
from lyricsyncd.pipeline.result import SyncResult

if TYPE_CHECKING:
    from lyricsyncd.catalog.drafts import Choices
    from lyricsyncd.config.schema import Output, OutputFile
    from lyricsyncd.pipeline.pipeline import LyricSyncPipeline
    from lyricsyncd.pipeline.prepared import Prepared

BELOW_THRESHOLD = 4
"""Exit status when a result was too doubtful to write."""


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


def sync_song(pipeline: LyricSyncPipeline, song: Path, options: Options) -> Outcome:
    """Do one song; what fails is an outcome, too."""
    from lyricsyncd.work.chosen import with_offset

    choices = _choices(song)
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
    content = encoded(result.to_format(options.format))
    if options.out == Path("-"):
        if not options.dry_run:
            write_to_stdout(content)
        return (), notes
    if not options.dry_run:
        target.write(options.out, content)
    return (options.out,), notes


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."


def encoded(text: str) -> bytes:
    """Encode text as UTF-8, as far as it can be: names of files need not be UTF-8."""
    return text.encode("utf-8", "replace")


def write_to_stdout(content: bytes) -> None:
    """Write lyrics, which are UTF-8 whatever the terminal's encoding."""
    try:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise WriteError(
            f"standard output cannot be written: {error.strerror}", remedy="Make room there"
        ) from error
