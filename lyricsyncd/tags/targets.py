"""Plan what is written for a song, and find files that hide it from a player."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd import registry
from lyricsyncd.config.schema import Output
from lyricsyncd.errors import ConfigError
from lyricsyncd.media_types import sidecar_suffix
from lyricsyncd.tags.presets import (
    LINES_TAG,
    PLAIN_TAG,
    Plan,
    Sidecar,
    Tag,
    has_lines,
    has_words,
    sidecar_path,
)
from lyricsyncd.tags.report import Note

if TYPE_CHECKING:
    from collections.abc import Collection

    from lyricsyncd.config.schema import OutputFile
    from lyricsyncd.model import Lyrics

TOO_LONG = "the name is too long for its file system"
_TAG_FORMATS = ("lrc", "lrc_standard", "txt")


def plan(song: Path, lyrics: Lyrics, output: Output | tuple[OutputFile, ...]) -> Plan:
    """Choose what to write for ``song``.

    Raises
    ------
    ConfigError
        Two outputs have one name, or the name is that of the song.
    """
    if not any(line.words for line in lyrics):
        return Plan()
    if isinstance(output, Output):
        return registry.presets.open(output.preset).plan(song, lyrics)
    return _listed(song, lyrics, output)


def hiders(
    song: Path,
    shown: Collection[Path],
    output: Output | tuple[OutputFile, ...],
    gone: Collection[Path] = (),
) -> tuple[Note, ...]:
    """Find the files that a player may show in place of the sidecars that were written.

    Parameters
    ----------
    song
        The song.
    shown
        The sidecars that hold its lyrics now.
    output
        The output that they were written for.
    gone
        Files that count as deleted.
    """
    preset = output.preset if isinstance(output, Output) else "generic"
    reader, before = registry.presets.open(preset).hiding([path.suffix for path in shown])
    others = [sidecar_path(song, suffix) for suffix in before]
    return tuple(
        Note(other, f"{reader} it in place of the lyrics just written")
        for other in others
        if other not in shown and other not in gone and os.path.lexists(other)
    )


def is_of_song(song: Path, path: Path) -> bool:
    """Return whether a sidecar belongs to a song by its name."""
    return path.name.startswith(f"{song.stem}.")


def _listed(song: Path, lyrics: Lyrics, output: tuple[OutputFile, ...]) -> Plan:
    both = {"lrc", "lrc_standard"} <= {
        item.format for item in output if item.to == "sidecar" and item.name is None
    }
    sidecars: list[Sidecar] = []
    obsolete: list[Path] = []
    for item in output:
        if item.to == "tag":
            continue
        path = song.parent / _name(song, item, words_apart=both)
        if path.name == song.name or path in {sidecar.path for sidecar in sidecars}:
            raise ConfigError(
                f"the output {item.format} would be written to {path.name}, which is taken",
                remedy="Give each output a `name` of its own, such as '{stem}.words.lrc'",
            )
        if path.suffix == ".elrc" and not has_words(lyrics):
            obsolete.append(path)
        else:
            sidecars.append(
                Sidecar(
                    item.format,
                    path,
                    translations=item.translations,
                    syllables=item.syllables,
                    notes=item.notes,
                    romanise=item.romanise,
                )
            )
    return Plan(tuple(sidecars), tuple(obsolete), _listed_tag(lyrics, output))


def _listed_tag(lyrics: Lyrics, output: tuple[OutputFile, ...]) -> Tag | None:
    formats = [item.format for item in output if item.to == "tag"]
    if not formats:
        return None
    if len(formats) > 1 or formats[0] not in _TAG_FORMATS:
        raise ConfigError(
            f"tags cannot hold {' and '.join(formats)}",
            remedy=f"Choose one of {', '.join(_TAG_FORMATS)} with `to: tag`",
        )
    if formats[0] == "txt" or not has_lines(lyrics):
        return PLAIN_TAG
    return Tag("lrc", "words") if formats[0] == "lrc" else LINES_TAG


def _name(song: Path, item: OutputFile, *, words_apart: bool) -> str:
    """Name a file: ``{stem}`` is the song's, and a name that starts with a dot is a suffix."""
    if item.name is not None:
        name = item.name if not item.name.startswith(".") else "{stem}" + item.name
        return name.replace("{stem}", song.stem)
    if item.format == "lrc" and words_apart:
        return f"{song.stem}.elrc"
    return song.stem + sidecar_suffix(item.format)
