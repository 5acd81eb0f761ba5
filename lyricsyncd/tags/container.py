"""What the kinds of song files have for lyrics, under one roof.

A kind of tags has *slots*: the places that hold lyrics, such as ID3's ``USLT`` and ``SYLT``. What a
slot holds is read as plain values (lists, text, numbers), so that it can be compared and journalled
as JSON. To put it back as it was, byte for byte, its items are journalled with it.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from lyricsyncd import media_types
from lyricsyncd.errors import WriteError
from lyricsyncd.tags.raw import Place, Source, Structure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lyricsyncd.model import Lyrics
    from lyricsyncd.tags.presets import Tag
    from lyricsyncd.tags.splice import Splice

Value = Any
"""What a slot holds: JSON's values only. ``None``: nothing."""


class Container(Protocol):
    """One kind of tags."""

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of its places for lyrics."""

    @property
    def form(self) -> str:
        """Names what the bytes of an item depend on: items of one form can be exchanged."""

    def slot_of(self, item: bytes) -> str | None:
        """The slot that an item belongs to."""

    def value(self, slot: str, items: Sequence[bytes]) -> Value:
        """What the items of a slot hold; there is one at least."""

    def encode(self, slot: str, value: Value) -> list[bytes]:
        """Items that hold a value; raises Untouchable where this kind of tags cannot hold it."""

    def content(self, lyrics: Lyrics, tag: Tag, *, by_hand: bool) -> Mapping[str, Value]:
        """What the slots are to hold of these lyrics; raises FormatError where they cannot."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What a slot held, so exactly that it can be put back."""

    value: Value
    items: tuple[tuple[int, bytes], ...] = ()
    """The items, and which of all items of the tag they were."""
    form: str = ""
    structure: Structure = field(default_factory=dict)
    """What the tag was like."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The tag of a file, in memory."""

    source: Source
    place: Place
    container: Container

    def read(self) -> dict[str, Value]:
        """The slots that hold something."""
        held: dict[str, list[bytes]] = {}
        for item in self.place.items:
            slot = self.container.slot_of(item)
            if slot is not None:
                held.setdefault(slot, []).append(item)
        return {slot: self.container.value(slot, items) for slot, items in held.items()}

    def save(self, slot: str) -> Saved:
        """What a slot holds, with its bytes."""
        items = tuple(
            (number, item)
            for number, item in enumerate(self.place.items)
            if self.container.slot_of(item) == slot
        )
        value = self.container.value(slot, [item for _, item in items]) if items else None
        return Saved(value, items, self.container.form, self.place.structure)

    def edit(self, changes: Mapping[str, Saved]) -> list[Splice]:
        """Tell what to change in the file for slots to hold this, and nothing else to be changed.

        What was held once goes back to where it was; new items take the place of those that the
        slot has, or follow all others.

        Raises
        ------
        Untouchable
            The file cannot hold it.
        OSError
            It cannot be read.
        """
        new: dict[str, list[bytes]] = {}
        old: list[tuple[int, bytes]] = []
        structure: Structure = {}
        for slot, saved in changes.items():
            if saved.form == self.container.form:
                old += saved.items
            elif saved.value is not None:
                new[slot] = self.container.encode(slot, saved.value)
            structure = structure or saved.structure
        items: list[bytes] = []
        for item in self.place.items:
            its_slot = self.container.slot_of(item)
            if its_slot is None or its_slot not in changes:
                items.append(item)
            else:
                items += new.pop(its_slot, ())
        for slot in self.container.slots:
            items += new.pop(slot, ())
        for number, item in sorted(old):
            items.insert(number, item)
        with self.source:
            return self.place.splices(items, structure)


def encoded(value: Value) -> bytes | None:
    """A slot's value as it is compared; equal values are equal bytes."""
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


def journalled(saved: Saved) -> bytes:
    """What a slot held, as the journal keeps it."""
    data = encoded(
        {
            "value": saved.value,
            "items": [[number, item.hex()] for number, item in saved.items],
            "form": saved.form,
            "structure": saved.structure,
        }
    )
    assert data is not None, "a dictionary is not nothing"
    return data


def from_journal(data: bytes | None) -> Saved:
    """What a slot held; of what earlier versions journalled, its value only."""
    kept = None if data is None else json.loads(data)
    if not isinstance(kept, dict):
        return Saved(kept)
    items = tuple((number, bytes.fromhex(item)) for number, item in kept["items"])
    return Saved(kept["value"], items, kept["form"], kept["structure"])


def opened(path: Path, name: str | None = None) -> Opened | None:
    """The tag of a song; ``None`` for a kind that we put no lyrics into.

    Parameters
    ----------
    path
        The file.
    name
        What the song is called, where the file has another name.

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
            remedy="See to the file's permissions, and to the disk or network share",
        ) from error
    return None if found is None else Opened(source, *found)


def _found(source: Source, suffix: str) -> tuple[Place, Container] | None:
    """The place of a file's tag, by what the file begins with."""
    from lyricsyncd.tags.raw import id3

    if not source.size:
        return None
    kind = media_types.by_content(source.peek(0, _HEAD))
    at = 0
    while kind is None and (length := id3.length_at(source, at)):
        at += length
        kind = media_types.by_content(source.peek(at, _HEAD))
    if kind is not None:
        found = _BY_SUFFIX.get(kind.suffixes[0])
    else:
        # Some MPEG audio begins with zeros or the like.
        found = _prefixed if suffix == ".mp3" else None
    return None if found is None else found(source)


_HEAD = 16


def _prefixed(source: Source) -> tuple[Place, Container]:
    from lyricsyncd.tags.id3 import Id3
    from lyricsyncd.tags.raw import id3files

    prefix = id3files.prefix(source)
    return prefix, Id3(prefix.tag)


def _dsf(source: Source) -> tuple[Place, Container]:
    from lyricsyncd.tags.id3 import Id3
    from lyricsyncd.tags.raw import id3files

    suffixed = id3files.dsf(source)
    return suffixed, Id3(suffixed.tag)


def _wav(source: Source) -> tuple[Place, Container]:
    from lyricsyncd.tags.id3 import Id3
    from lyricsyncd.tags.raw import id3files

    chunk = id3files.chunk(source, "little", b"id3 ")
    return chunk, Id3(chunk.tag)


def _aiff(source: Source) -> tuple[Place, Container]:
    from lyricsyncd.tags.id3 import Id3
    from lyricsyncd.tags.raw import id3files

    chunk = id3files.chunk(source, "big", b"ID3 ")
    return chunk, Id3(chunk.tag)


def _flac(source: Source) -> tuple[Place, Container]:
    from lyricsyncd.tags.raw import vorbis
    from lyricsyncd.tags.textfield import VORBIS

    return vorbis.flac(source), VORBIS


def _ogg(source: Source) -> tuple[Place, Container]:
    from lyricsyncd.tags.raw import ogg
    from lyricsyncd.tags.textfield import VORBIS

    return ogg.ogg(source), VORBIS


def _mp4(source: Source) -> tuple[Place, Container]:
    from lyricsyncd.tags.raw import mp4
    from lyricsyncd.tags.textfield import MP4

    return mp4.mp4(source), MP4


def _asf(source: Source) -> tuple[Place, Container]:
    from lyricsyncd.tags.raw import asf
    from lyricsyncd.tags.textfield import ASF

    return asf.asf(source), ASF


def _ape(source: Source) -> tuple[Place, Container]:
    from lyricsyncd.tags.raw import ape, id3
    from lyricsyncd.tags.textfield import APE

    return ape.ape(source, id3_before=bool(id3.length_at(source, 0))), APE


_BY_SUFFIX: dict[str, Callable[[Source], tuple[Place, Container]]] = {
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
"""Usual suffix of a kind of file → what finds its tag."""
