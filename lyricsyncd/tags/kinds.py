"""Find the tag of a song by the kind of its file."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from lyricsyncd import media_types
from lyricsyncd.errors import WriteError
from lyricsyncd.tags.container import Container, Opened
from lyricsyncd.tags.id3 import Id3
from lyricsyncd.tags.raw import Place, Source, ape, asf, id3, id3files, mp4, ogg, vorbis
from lyricsyncd.tags.textfield import APE, ASF, MP4, VORBIS

if TYPE_CHECKING:
    from pathlib import Path

_HEAD = 16
"""Bytes from which the kind of a file is recognised."""


def opened(path: Path, name: str | None = None) -> Opened | None:
    """Open the tag of a song; ``None`` for a kind of file that holds no lyrics of ours.

    Parameters
    ----------
    path
        The file.
    name
        Name of the song, where the file has another one.

    Raises
    ------
    Untouchable
        It cannot be written safely.
    WriteError
        The file cannot be read.
    """
    try:
        source = Source(path)
        with source:
            found = _found(source, os.path.splitext(name or path.name)[1].lower())  # noqa: PTH122
    except OSError as error:
        raise WriteError(
            f"the tags of {path} cannot be read: {(error.strerror or str(error)).lower()}",
            remedy="Check the file's permissions, and the disk or network share",
        ) from error
    return None if found is None else Opened(source, *found)


def _found(source: Source, suffix: str) -> tuple[Place, Container] | None:
    """Find the tag of a file by what the file begins with."""
    if not source.size:
        return None
    kind = media_types.by_content(source.peek(0, _HEAD))
    at = 0
    while kind is None and (length := id3.length_at(source, at)):
        at += length
        kind = media_types.by_content(source.peek(at, _HEAD))
    if kind is not None:
        found = _FINDERS.get(kind.suffixes[0])
    else:
        # Some MPEG audio begins with zeros or the like.
        found = _prefixed if suffix == ".mp3" else None
    return None if found is None else found(source)


def _prefixed(source: Source) -> tuple[Place, Container]:
    prefix = id3files.prefix(source)
    return prefix, Id3(prefix.tag)


def _dsf(source: Source) -> tuple[Place, Container]:
    suffixed = id3files.dsf(source)
    return suffixed, Id3(suffixed.tag)


def _wav(source: Source) -> tuple[Place, Container]:
    chunk = id3files.chunk(source, "little", b"id3 ")
    return chunk, Id3(chunk.tag)


def _aiff(source: Source) -> tuple[Place, Container]:
    chunk = id3files.chunk(source, "big", b"ID3 ")
    return chunk, Id3(chunk.tag)


def _flac(source: Source) -> tuple[Place, Container]:
    return vorbis.flac(source), VORBIS


def _ogg(source: Source) -> tuple[Place, Container]:
    return ogg.ogg(source), VORBIS


def _mp4(source: Source) -> tuple[Place, Container]:
    return mp4.mp4(source), MP4


def _asf(source: Source) -> tuple[Place, Container]:
    return asf.asf(source), ASF


def _ape(source: Source) -> tuple[Place, Container]:
    return ape.ape(source, id3_before=bool(id3.length_at(source, 0))), APE


_FINDERS: dict[str, Callable[[Source], tuple[Place, Container]]] = {
    ".mp3": _prefixed,
    ".tta": _prefixed,
    ".dsf": _dsf,
    ".wav": _wav,
    ".aiff": _aiff,
    ".flac": _flac,
    ".ogg": _ogg,
    ".m4a": _mp4,
    ".wma": _asf,
    **dict.fromkeys((".ape", ".mpc", ".wv", ".tak"), _ape),
}
"""Functions that find the tag, by the usual suffix of the kind of file."""
