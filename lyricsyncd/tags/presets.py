"""Define presets: which files and tags a player reads, and which of several files it shows.

A preset of another package is a function ``() -> Preset`` under the entry point group
``lyricsyncd.presets``; `FilePreset` suffices for most players.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from lyricsyncd.model import Timing

if TYPE_CHECKING:
    from lyricsyncd.model import Lyrics

NAVIDROME_ORDER = (".ttml", ".yaml", ".yml", ".elrc", ".lrc", ".srt", ".txt")
"""Navidrome shows the first of these that is there (its default ``LyricsPriority``)."""
JELLYFIN_SUFFIXES: tuple[str, ...] = (".lrc", ".elrc", ".txt")
"""Jellyfin shows one of these, in no order that it promises."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A file to write beside the song."""

    format: str
    path: Path
    decimals: int | None = None
    """Of its times, where the player needs another number than the format has."""
    translations: bool = False
    """Whether texts beside lines are written as lines of the same time, in LRC."""
    syllables: bool = False
    """Whether syllables have times of their own, in LRC, Lyricsfile and JSON."""
    notes: bool = False
    """Whether a note stands for a break, in LRC."""
    romanise: bool = False
    """Whether lines in other scripts are romanised."""


@dataclass(frozen=True, slots=True)
class Tag:
    """The lyrics to write into the song's tags."""

    text: str
    """The format of the text, in tags that hold text and nothing else."""
    synced: Literal["words", "no"]
    """How fine the times are in tags that have room for times (ID3's SYLT)."""


PLAIN_TAG = Tag("txt", "no")
LINES_TAG = Tag("lrc_standard", "no")
"""Line times as text, and no SYLT: a player that reads both, as Navidrome does, would show all
lines twice, and every word of SYLT as a line of its own."""
WORDS_TAG = Tag("lrc_standard", "words")
"""Line times as text, word times as SYLT only: most players would show the marks of word times as
text."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The files and tags to write for one song."""

    sidecars: tuple[Sidecar, ...] = ()
    obsolete: tuple[Path, ...] = ()
    """Sidecars of the same output that these lyrics have nothing for; those of ours are deleted."""
    tag: Tag | None = None


class Preset(Protocol):
    """The files and tags that one player reads."""

    @property
    def sidecars(self) -> bool:
        """Return whether files are written beside the songs, and not tags alone."""
        ...

    def plan(self, song: Path, lyrics: Lyrics) -> Plan:
        """Choose the files and tags for lyrics, which have at least one word."""
        ...

    def hiding(self, shown: Collection[str]) -> tuple[str, tuple[str, ...]]:
        """Return what the player does, and the suffixes of files that hide those just written.

        Parameters
        ----------
        shown : collection of str
            Suffixes of the files that hold the lyrics now.

        Returns
        -------
        reader : str
            For a message, such as "Navidrome shows".
        suffixes : tuple of str
        """
        ...


@dataclass(frozen=True, slots=True)
class File:
    """A file of a preset: its format and suffix."""

    format: str
    suffix: str
    short: str = ""
    """In place of ``suffix`` where the name would be too long for the file system."""
    decimals: int | None = None
    """See `Sidecar`."""

    def path(self, song: Path) -> Path:
        """Return its path beside a song."""
        usual = sidecar_path(song, self.suffix)
        return sidecar_path(song, self.short) if self.short and not has_room(usual) else usual


WORDS, LINES, PLAIN = File("lrc", ".elrc"), File("lrc_standard", ".lrc"), File("txt", ".txt")


@dataclass(frozen=True, slots=True)
class FilePreset:
    """A preset that is described by the files and the tag for each kind of timing.

    Attributes
    ----------
    words, lines, plain : tuple of File
        For lyrics with times of words, of lines only, and without times; in the order in which
        they are written.
    tag_words, tag_lines, tag_plain : Tag, optional
        The same for the tag.
    reader : str
        What the player does with a file that hides others, such as "Navidrome shows"; empty where
        none does.
    order : tuple of str
        Suffixes that the player looks for.
    in_order : bool
        Whether it shows the first of them; else it may show any.
    """

    words: tuple[File, ...] = ()
    lines: tuple[File, ...] = ()
    plain: tuple[File, ...] = ()
    tag_words: Tag | None = None
    tag_lines: Tag | None = None
    tag_plain: Tag | None = None
    reader: str = ""
    order: tuple[str, ...] = ()
    in_order: bool = True

    @property
    def sidecars(self) -> bool:
        """Return whether files are written beside the songs."""
        return bool(self.words or self.lines or self.plain)

    def plan(self, song: Path, lyrics: Lyrics) -> Plan:
        """Choose the files and the tag by how finely the lyrics are timed."""
        if has_words(lyrics):
            files, tag = self.words, self.tag_words
        elif has_lines(lyrics):
            files, tag = self.lines, self.tag_lines
        else:
            files, tag = self.plain, self.tag_plain
        sidecars = tuple(Sidecar(file.format, file.path(song), file.decimals) for file in files)
        possible = dict.fromkeys(
            sidecar_path(song, file.suffix) for file in (*self.words, *self.lines, *self.plain)
        )
        written = {sidecar.path for sidecar in sidecars}
        return Plan(sidecars, tuple(path for path in possible if path not in written), tag)

    def hiding(self, shown: Collection[str]) -> tuple[str, tuple[str, ...]]:
        """Return the suffixes before the first that is shown, or all, if there is no order."""
        ranks = [self.order.index(suffix) for suffix in shown if suffix in self.order]
        if not ranks:
            return self.reader, ()
        return self.reader, self.order[: min(ranks)] if self.in_order else self.order


_FILES = FilePreset(
    words=(LINES, WORDS),
    lines=(LINES,),
    plain=(PLAIN,),
    reader="Navidrome shows",
    order=NAVIDROME_ORDER,
)


def navidrome() -> FilePreset:
    """Write files for Navidrome's API and its clients."""
    return _FILES


def generic() -> FilePreset:
    """Write files for any player; Navidrome's rule for which is shown is the strictest."""
    return _FILES


def navidrome_web() -> FilePreset:
    """Write files and the tag: the web page shows the tag only, and clients prefer the files."""
    return FilePreset(
        words=_FILES.words,
        lines=_FILES.lines,
        plain=_FILES.plain,
        tag_words=LINES_TAG,
        tag_lines=LINES_TAG,
        tag_plain=PLAIN_TAG,
        reader=_FILES.reader,
        order=_FILES.order,
    )


def jellyfin() -> FilePreset:
    """Write one file, since Jellyfin may show either of two.

    Two decimals, since its older versions read three of them as ten times as much.
    """
    return FilePreset(
        words=(File("lrc", ".elrc", short=".lrc", decimals=2),),
        lines=(LINES,),
        plain=(PLAIN,),
        reader="Jellyfin may show",
        order=JELLYFIN_SUFFIXES,
        in_order=False,
    )


def plex() -> FilePreset:
    """Write line times, which is all that Plex shows."""
    return FilePreset(words=(LINES,), lines=(LINES,), plain=(PLAIN,))


def kodi() -> FilePreset:
    """Write line times, which is all that Kodi shows."""
    return plex()


def embed() -> FilePreset:
    """Write the song's tags, and no files."""
    return FilePreset(tag_words=WORDS_TAG, tag_lines=WORDS_TAG, tag_plain=PLAIN_TAG)


def sidecar_path(song: Path, suffix: str) -> Path:
    """Return the sidecar with a suffix, with the song's exact stem, where the library has it."""
    return song.parent / f"{song.stem}{suffix}"


def has_room(path: Path) -> bool:
    """Return whether the name is short enough for the file system of its folder."""
    try:
        limit = os.pathconf(path.parent, "PC_NAME_MAX")
    except (OSError, ValueError):
        limit = 255
    return len(os.fsencode(path.name)) <= limit


def has_words(lyrics: Lyrics) -> bool:
    """Return whether some words have times."""
    return has_lines(lyrics) and any(line.timed_words for line in lyrics)


def has_lines(lyrics: Lyrics) -> bool:
    """Return whether lines have times."""
    return lyrics.timing is not Timing.NONE
