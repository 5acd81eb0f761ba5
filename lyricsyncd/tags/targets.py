"""What is written for a song: the presets, the names of sidecars, and what hides them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lyricsyncd.config.schema import Output
from lyricsyncd.errors import ConfigError
from lyricsyncd.media_types import sidecar_suffix
from lyricsyncd.model import Timing
from lyricsyncd.tags.report import Note

if TYPE_CHECKING:
    from collections.abc import Collection

    from lyricsyncd.config.schema import OutputFile
    from lyricsyncd.model import Lyrics

TOO_LONG = "the name is too long for its file system"
NAVIDROME_ORDER = (".ttml", ".yaml", ".yml", ".elrc", ".lrc", ".srt", ".txt")
"""Navidrome shows the first of these that is there (its default ``LyricsPriority``)."""
JELLYFIN_SUFFIXES: tuple[str, ...] = (".lrc", ".elrc", ".txt")
"""Jellyfin shows one of these, in no order that it promises."""

_WORDS, _LINES, _PLAIN = ("lrc", ".elrc"), ("lrc_standard", ".lrc"), ("txt", ".txt")
_WORDS_IN_LRC = ("lrc", ".lrc")
"""For readers that know word marks there, where the longer suffix has no room."""
_TAG_FORMATS = ("lrc", "lrc_standard", "txt")


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A file to write beside the song."""

    format: str
    path: Path


@dataclass(frozen=True, slots=True)
class Tag:
    """What to write into the song's tags."""

    text: str
    """The format of the text, in tags that hold text and nothing else."""
    synced: Literal["words", "no"]
    """How fine the times are in tags that have room for times (ID3's SYLT)."""


_PLAIN_TAG = Tag("txt", "no")
_LINES_TAG = Tag("lrc_standard", "no")
"""A text and nothing beside it: what reads both texts and SYLT, as Navidrome does, would show all
lines twice, and every word of SYLT as a line of its own."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write for one song."""

    sidecars: tuple[Sidecar, ...] = ()
    obsolete: tuple[Path, ...] = ()
    """Sidecars of the same output that these lyrics have nothing for; ours among them go."""
    tag: Tag | None = None


def plan(song: Path, lyrics: Lyrics, output: Output | tuple[OutputFile, ...]) -> Plan:
    """What to write for ``song``.

    Raises
    ------
    ConfigError
        Two outputs have one name, or the name is that of the song.
    """
    if not any(line.words for line in lyrics):
        return Plan()
    if isinstance(output, Output):
        return _preset(song, lyrics, output.preset)
    return _listed(song, lyrics, output)


def hiders(
    song: Path,
    shown: Collection[Path],
    output: Output | tuple[OutputFile, ...],
    gone: Collection[Path] = (),
) -> tuple[Note, ...]:
    """What readers may show in place of the sidecars that were written.

    Parameters
    ----------
    song
        The song.
    shown
        The sidecars that hold its lyrics now.
    output
        What they were written for.
    gone
        Files to be looked upon as deleted.
    """
    preset = output.preset if isinstance(output, Output) else None
    ranks = [NAVIDROME_ORDER.index(path.suffix) for path in shown if path.suffix in NAVIDROME_ORDER]
    if not ranks or preset in ("plex", "kodi", "embed"):
        return ()
    if preset == "jellyfin":
        reader, before = "Jellyfin may show", JELLYFIN_SUFFIXES
    else:
        reader, before = "Navidrome shows", NAVIDROME_ORDER[: min(ranks)]
    others = [sidecar_path(song, suffix) for suffix in before]
    return tuple(
        Note(other, f"{reader} it in place of the lyrics just written")
        for other in others
        if other not in shown and other not in gone and os.path.lexists(other)
    )


def sidecar_path(song: Path, suffix: str) -> Path:
    """The sidecar with this suffix: beside the song as the library has it, with its exact stem."""
    return song.parent / f"{song.stem}{suffix}"


def has_room(path: Path) -> bool:
    """Whether the name is short enough for the file system of its folder."""
    try:
        limit = os.pathconf(path.parent, "PC_NAME_MAX")
    except (OSError, ValueError):
        limit = 255
    return len(os.fsencode(path.name)) <= limit


def is_of_song(song: Path, path: Path) -> bool:
    """Whether a sidecar's name says which song it is for."""
    return path.name.startswith(f"{song.stem}.")


def _preset(song: Path, lyrics: Lyrics, preset: str) -> Plan:
    if preset == "embed":
        # Text with word marks would show as rubbish in most players, so these go into SYLT only.
        return Plan(tag=Tag("lrc_standard", "words") if _has_lines(lyrics) else _PLAIN_TAG)
    possible = [_LINES, _PLAIN] if preset in ("plex", "kodi") else [_WORDS, _LINES, _PLAIN]
    if not _has_lines(lyrics):
        wanted = [_PLAIN]
    elif preset in ("plex", "kodi") or not _has_words(lyrics):
        wanted = [_LINES]
    elif preset == "jellyfin":
        # Of two files it would show either, so it gets one.
        wanted = [_WORDS] if has_room(sidecar_path(song, _WORDS[1])) else [_WORDS_IN_LRC]
    else:
        wanted = [_WORDS, _LINES]
    tag = None
    if preset == "navidrome_web":
        # Its own web page shows no sidecars, its clients none of the tags where there are some.
        tag = _LINES_TAG if _has_lines(lyrics) else _PLAIN_TAG
    return Plan(
        tag=tag,
        sidecars=tuple(
            Sidecar(name, sidecar_path(song, suffix)) for name, suffix in reversed(wanted)
        ),
        obsolete=tuple(
            sidecar_path(song, suffix)
            for _, suffix in possible
            if suffix not in {suffix for _, suffix in wanted}
        ),
    )


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
        if path.suffix == ".elrc" and not _has_words(lyrics):
            obsolete.append(path)
        else:
            sidecars.append(Sidecar(item.format, path))
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
    if formats[0] == "txt" or not _has_lines(lyrics):
        return _PLAIN_TAG
    return Tag("lrc", "words") if formats[0] == "lrc" else _LINES_TAG


def _name(song: Path, item: OutputFile, *, words_apart: bool) -> str:
    """``{stem}`` in a name is the song's; a name that starts with a dot is a suffix."""
    if item.name is not None:
        name = item.name if not item.name.startswith(".") else "{stem}" + item.name
        return name.replace("{stem}", song.stem)
    if item.format == "lrc" and words_apart:
        return f"{song.stem}.elrc"
    return song.stem + sidecar_suffix(item.format)


def _has_words(lyrics: Lyrics) -> bool:
    return _has_lines(lyrics) and any(line.timed_words for line in lyrics)


def _has_lines(lyrics: Lyrics) -> bool:
    return lyrics.timing is not Timing.NONE
