"""What the kinds of song files have for lyrics, under one roof.

A kind of tags has *slots*: the places that hold lyrics, such as ID3's ``USLT`` and ``SYLT``. What a
slot holds is read as plain values (lists, text, numbers), so that it can be compared, journalled as
JSON and put back as it was.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lyricsyncd.errors import WriteError
from lyricsyncd.media_types import TAGS_OF

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lyricsyncd.model import Lyrics
    from lyricsyncd.tags.targets import Tag

Value = Any
"""What a slot holds: JSON's values only. ``None``: nothing."""


class Container(Protocol):
    """One kind of tags."""

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of its places for lyrics."""

    def read(self, file: Any, slot: str) -> Value:
        """What a slot of an open file holds."""

    def put(self, file: Any, slot: str, value: Value) -> None:
        """Have a slot hold this, or nothing (``None``)."""

    def content(self, lyrics: Lyrics, tag: Tag, *, by_hand: bool) -> Mapping[str, Value]:
        """What the slots are to hold of these lyrics; raises FormatError where they cannot."""

    def save(self, file: Any, path: Path) -> None:
        """Write the tags of an open file to a copy of it."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file with its tags in memory."""

    file: Any
    container: Container

    def read(self) -> dict[str, Value]:
        """The slots that hold something."""
        found = {slot: self.container.read(self.file, slot) for slot in self.container.slots}
        return {slot: value for slot, value in found.items() if value is not None}


def encoded(value: Value) -> bytes | None:
    """A slot's value as the journal keeps it; equal values are equal bytes."""
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


def decoded(data: bytes | None) -> Value:
    """The value again."""
    return None if data is None else json.loads(data)


def opened(path: Path) -> Opened | None:
    """The tags of a song; ``None`` for a kind that we put no lyrics into.

    Raises
    ------
    WriteError
        They cannot be read.
    """
    import mutagen

    from lyricsyncd.tags import damage

    try:
        kind = mutagen.File(path)
    except damage.kinds() as error:
        raise WriteError(
            f"the tags of {path} cannot be read ({type(error).__name__})",
            remedy="Mend them with a tagger, or choose a preset that writes files beside the song",
        ) from None
    if kind is None:
        return None
    # A kind that inherits from another (OggFLAC, say) is found by its own name first.
    for parent in type(kind).__mro__:
        tags = TAGS_OF.get(parent.__name__)
        if tags is not None:
            return _OPENERS[tags](kind)
    return None


def _id3(file: Any) -> Opened:
    from lyricsyncd.tags import id3

    return Opened(id3.reopened(file), id3.Id3())


def _vorbis(file: Any) -> Opened:
    from lyricsyncd.tags.textfield import VORBIS

    return Opened(file, VORBIS)


def _ape(file: Any) -> Opened:
    from lyricsyncd.tags.textfield import APE

    return Opened(file, APE)


def _mp4(file: Any) -> Opened:
    from lyricsyncd.tags.textfield import MP4

    return Opened(file, MP4)


def _asf(file: Any) -> Opened:
    from lyricsyncd.tags.textfield import ASF

    return Opened(file, ASF)


_OPENERS: dict[str, Callable[[Any], Opened]] = {
    "id3": _id3,
    "vorbis": _vorbis,
    "ape": _ape,
    "mp4": _mp4,
    "asf": _asf,
}
