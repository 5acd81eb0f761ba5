"""The rules by which files of a library are songs: names, patterns and ignore files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TypeAlias

from pathspec import PathSpec

from lyricsyncd import media_types, patterns
from lyricsyncd.catalog import mounts
from lyricsyncd.config.schema import Library, Override
from lyricsyncd.library import ignore_file
from lyricsyncd.patterns import Glob

IGNORE_FILE = ".lyricsyncignore"
"""Empty: this folder is left out. Otherwise a pattern a line, relative to the folder."""
NO_MEDIA = ".nomedia"

_FOREIGN_FOLDERS = frozenset(
    (
        "@eadir",
        "#recycle",
        "#snapshot",
        "@recycle",
        "$recycle.bin",
        "__macosx",
        "lost+found",
        "system volume information",
    )
)
"""Folders that NAS and desktop systems reserve; others of theirs start with a dot, hence hidden."""
_PARTIAL_STEMS = (".part", ".partial", ".tmp", ".temp", ".crdownload")
"""Endings of partial downloads before the song's own suffix: ``song.part.mp3``."""


def is_song(path: PurePath) -> bool:
    """Check whether a name is that of a song, and not of a hidden file, a partial download or the
    stem of a song."""
    name = path.name
    stem, _, suffix = name.lower().rpartition(".")
    return (
        f".{suffix}" in media_types.SONG_SUFFIXES
        and not name.startswith((".", "~"))
        and stem != ""
        and not stem.endswith((*_PARTIAL_STEMS, *media_types.STEM_ENDINGS))
    )


def is_lyrics(path: PurePath) -> bool:
    """Check whether a name may be that of a lyrics file."""
    return path.suffix.lower() in media_types.lyrics_suffixes() and not path.name.startswith(
        (".", "~")
    )


Identity = tuple[int, int]
"""Device and inode of a folder: the same for all of its paths."""


def identity(folder: Path) -> Identity | None:
    """Return the identity of the folder at a path; ``None`` if there is none."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


@dataclass(frozen=True, slots=True)
class Overridden:
    """Settings of one song in place of those of all songs.

    Attributes
    ----------
    skipped_by : str
        The pattern by which it is left alone; empty where it is not.
    language : str or None
        ISO 639 code, or ``auto``.
    """

    skipped_by: str = ""
    language: str | None = None

    @property
    def key(self) -> str:
        """Return what of it decides how a song is placed, as the catalog keeps it; empty where
        nothing does."""
        return "" if self.language is None else f"language={self.language}"

    def agrees(self, key: str | None, language: str | None) -> bool:
        """Return whether a song would be placed as it was.

        Parameters
        ----------
        key
            Of the settings that it was placed with; ``None`` where they are not known.
        language
            In which it was placed.
        """
        return self.key == (key or "") or (language is not None and language == self.language)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a library: its patterns, and the ignore files in its folders."""

    root: Path
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    others: frozenset[Identity] = frozenset()
    """Folders of other libraries: the songs of one within this library belong to that library."""
    overrides: tuple[Override, ...] = ()
    follow_links: bool = True
    """Whether links to folders outside are part of the library."""

    @classmethod
    def of(cls, library: Library) -> Rules:
        # Not resolve(): sidecars are written beside the songs as the library shows them.
        root = Path(os.path.abspath(library.path))  # noqa: PTH100
        return cls(
            root,
            library.include,
            library.exclude,
            overrides=library.overrides,
            follow_links=library.follow_links,
        )

    def admits_name(self, path: Path) -> bool:
        """Check a file against the patterns alone, without the ignore files."""
        if not (self.include or self.exclude):
            return True
        relative = path.relative_to(self.root).as_posix()
        if patterns.compiled(self.exclude).match_file(relative):
            return False
        return not self.include or patterns.compiled(self.include).match_file(relative)

    def overridden(self, path: Path) -> Overridden:
        """Return what the configuration sets for a song; the last override counts, key by key."""
        if not self.overrides:
            return Overridden()
        relative = path.relative_to(self.root).as_posix()
        skipped_by, language = "", None
        for override in self.overrides:
            if patterns.compiled((override.match,)).match_file(relative):
                if override.skip is not None:
                    skipped_by = override.match if override.skip else ""
                language = override.language or language
        return Overridden(skipped_by, language)

    def admits_folder(self, folder: Path) -> bool:
        """Check a folder by its name and the patterns, without the ignore files."""
        if folder == self.root:
            return True
        name = folder.name.lower()
        if name.startswith(".") or name in _FOREIGN_FOLDERS:
            return False
        if self.others and identity(folder) in self.others:
            return False
        if folder.is_symlink() and not self._admits_link(folder):
            return False
        if not self.exclude:
            return True
        relative = folder.relative_to(self.root).as_posix()
        return not patterns.compiled(self.exclude).match_file(f"{relative}/")

    def _admits_link(self, link: Path) -> bool:
        if not self.follow_links or mounts.is_of_the_system(link):
            return False
        return not self._is_walked_elsewhere(Path(os.path.realpath(link)))

    def _is_walked_elsewhere(self, folder: Path) -> bool:
        """Check whether the songs in the target of a link have other paths, by which they go.

        It contains the library, is in another library, or is walked at its place in this one.
        """
        root = Path(os.path.realpath(self.root))
        if root.is_relative_to(folder):
            return True
        if self.others and any(identity(each) in self.others for each in folder.parents):
            return True
        if not folder.is_relative_to(root):
            return False
        own = self.root / folder.relative_to(root)
        return IgnoreFiles().down_to(str(own), self) is not None

    def admits(self, path: Path, ignore_files: IgnoreFiles | None = None) -> bool:
        """Check a song against the patterns, and the ignore files of all folders above it.

        Parameters
        ----------
        ignore_files : IgnoreFiles, optional
            Those already read for other songs of the same request.
        """
        read = IgnoreFiles() if ignore_files is None else ignore_files
        ignored = read.down_to(os.path.dirname(path), self)  # noqa: PTH120 - many songs at once
        if ignored is None:
            return False
        return not is_ignored(path, ignored, folder=False) and self.admits_name(path)


Ignored: TypeAlias = "tuple[tuple[Path, PathSpec[Glob]], ...]"
"""Folders with an ignore file, and the patterns in it."""


def is_ignored(path: Path, ignored: Ignored, *, folder: bool) -> bool:
    """Check whether the patterns of ignore files exclude a file or folder."""
    # The nearest ignore file with a matching pattern decides.
    for above, spec in reversed(ignored):
        relative = path.relative_to(above).as_posix() + ("/" if folder else "")
        verdict = spec.check_file(relative).include
        if verdict is not None:
            return verdict
    return False


class IgnoreFiles:
    """Read the ignore files of folders, each once: for many songs in few folders."""

    def __init__(self) -> None:
        self._down_to: dict[tuple[str, str], Ignored | None] = {}

    def down_to(self, folder: str, rules: Rules) -> Ignored | None:
        """Read the ignore files from the top of a library down to a folder.

        Returns
        -------
        tuple of pairs, or None
            ``None`` if they exclude the folder.
        """
        top = str(rules.root)
        new: list[str] = []
        while (folder, top) not in self._down_to:
            new.append(folder)
            if folder == top:
                break
            if folder == "/":
                return None
            folder = os.path.dirname(folder)  # noqa: PTH120 - many songs at once
        ignored = self._down_to.get((folder, top), ())
        for each in reversed(new):
            ignored = self._down_to[each, top] = _ignored_in(Path(each), ignored, rules)
        return ignored


def _ignored_in(folder: Path, above: Ignored | None, rules: Rules) -> Ignored | None:
    """Add the patterns of a folder to those of the folder above; ``None`` if it is excluded."""
    if above is None or not rules.admits_folder(folder):
        return None
    if is_ignored(folder, above, folder=True) or os.path.lexists(folder / NO_MEDIA):
        return None
    return with_ignore_file(folder, above)


def with_ignore_file(folder: Path, above: Ignored) -> Ignored | None:
    """Add the patterns of a folder's ignore file; ``None`` if it excludes the whole folder."""
    lines = ignore_file.read(folder / IGNORE_FILE)
    if lines is None:
        return above
    return None if lines.empty else (*above, (folder, lines.spec))
