"""Find ID3v2 tags: before the audio, in a chunk of RIFF and AIFF, behind the audio of DSF."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lyricsyncd import media_types
from lyricsyncd.tags.raw import MAX_PARTS, Source, Structure, Untouchable, ape, hidden, id3
from lyricsyncd.tags.splice import Splice

if TYPE_CHECKING:
    from collections.abc import Sequence

_NEW = id3.Tag(4)
_GARBAGE = 1 << 20
"""So many bytes may lie before the audio."""


@dataclass(frozen=True, slots=True)
class _Found:
    """The common part of all places of ID3 tags."""

    tag: id3.Tag
    absent: bool
    start: int
    end: int
    """The bytes of the tag, none where it is absent."""

    @property
    def items(self) -> tuple[bytes, ...]:
        """See `Place`."""
        return self.tag.frames

    @property
    def structure(self) -> Structure:
        """See `Place`."""
        return {"absent": self.absent}

    def _rendered(self, frames: Sequence[bytes], structure: Structure) -> bytes:
        """Return the tag, empty where nothing would be in it and none was there before."""
        if not frames and not self.tag.tail and (self.absent or structure.get("absent", True)):
            return b""
        return self.tag.rendered(frames)


class Prefix(_Found):
    """A tag at the start of a file: MP3, TTA."""

    def splices(self, items: Sequence[bytes], structure: Structure) -> list[Splice]:
        """See `Place`."""
        return [Splice(self.start, self.end, self._rendered(items, structure))]


def prefix(source: Source) -> Prefix:
    """Find the tag at the start of a file."""
    length = id3.length_at(source, 0)
    found = Prefix(_NEW, True, 0, 0)
    if length:
        found = Prefix(id3.parse(source.read(0, length)), False, 0, length)
    if not found.items and (ape.tagged_at_end(source) or _is_further_on(source, length)):
        raise hidden()
    return found


def _is_further_on(source: Source, start: int) -> bool:
    """Return whether there may be a tag behind garbage, where some readers search for it."""
    head = source.peek(start, _GARBAGE)
    return media_types.by_content(head[:16]) is None and b"ID3" in head


@dataclass(frozen=True, slots=True)
class Suffix(_Found):
    """A tag at the end of a DSF file, whose head says where."""

    total: int
    """The size of the file as its head has it."""

    def splices(self, items: Sequence[bytes], structure: Structure) -> list[Splice]:
        """See `Place`."""
        data = self._rendered(items, structure)
        total = self.total + len(data) - (self.end - self.start)
        pointer = self.start if data else 0
        return [
            Splice(12, 28, struct.pack("<QQ", total, pointer)),
            Splice(self.start, self.end, data),
        ]


def dsf(source: Source) -> Suffix:
    """Find the tag of a DSF file."""
    total, pointer = struct.unpack("<QQ", source.read(12, 16))
    if not pointer:
        return Suffix(_NEW, True, source.size, source.size, total)
    length = id3.length_at(source, pointer)
    if not length:
        raise Untouchable("its head refers to an ID3 tag where there is none")
    tag = id3.parse(source.read(pointer, length))
    return Suffix(tag, False, pointer, pointer + length, total)


@dataclass(frozen=True, slots=True)
class Chunk(_Found):
    """A tag in a chunk of a RIFF or AIFF file."""

    order: Literal["little", "big"]
    name: bytes
    form_size: int
    """Size of all chunks by the file's header."""
    pad: bytes
    """The byte behind a chunk of odd length; it may be missing at the end of the file."""
    rest: bytes
    """Bytes of the chunk behind its tag."""

    @property
    def structure(self) -> Structure:
        """See `Place`."""
        return {"absent": self.absent, "unpadded": self._unpadded}

    @property
    def _unpadded(self) -> bool:
        """Return whether the last chunk has an odd length, and lacks its padding byte."""
        return not self.pad and bool((self.start if self.absent else self._chunk_end) % 2)

    @property
    def _chunk_end(self) -> int:
        return self.end + len(self.rest)

    def splices(self, items: Sequence[bytes], structure: Structure) -> list[Splice]:
        """See `Place`."""
        data = self._rendered(items, structure)
        start, end = self._whole
        content = b""
        if data or self.rest:
            length = len(data) + len(self.rest)
            content = self.name + length.to_bytes(4, self.order) + data + self.rest
            unpadded = structure.get("unpadded") and not structure.get("absent")
            content += b"" if unpadded and self._last else b"\0" * (length % 2)
            if self.absent and self._unpadded:
                content = b"\0" + content
        elif structure.get("unpadded"):
            # The pad of the chunk before came with this one.
            start -= 1
        size = self.form_size + len(content) - (end - start)
        if size >= 2**32:
            raise Untouchable("its kind of file cannot be larger than 4 GB")
        return [Splice(4, 8, size.to_bytes(4, self.order)), Splice(start, end, content)]

    @property
    def _last(self) -> bool:
        return self._whole[1] == 8 + self.form_size

    @property
    def _whole(self) -> tuple[int, int]:
        """Return the chunk with its header and its padding byte."""
        if self.absent:
            return self.start, self.start
        return self.start - 8, self._chunk_end + len(self.pad)


def chunk(source: Source, order: Literal["little", "big"], name: bytes) -> Chunk:
    """Find the tag in a file of chunks; ``name`` is what a chunk for it is called."""
    form_size = int.from_bytes(source.read(4, 4), order)
    form_end = 8 + form_size
    if form_end > source.size:
        raise Untouchable("it is cut off, or was never finished")
    at, end, named = 12, 12, False
    for _ in range(MAX_PARTS):
        if at + 8 > form_end:
            break
        header = source.read(at, 8)
        size = int.from_bytes(header[4:], order)
        end = at + 8 + size
        if end > form_end:
            raise Untouchable("one of its chunks is longer than the file")
        padded = min(end + size % 2, form_end)
        if header[:4].upper() == b"ID3 ":
            pad = source.read(end, padded - end)
            length = id3.length_at(source, at + 8)
            if not length or length > size:
                raise Untouchable("its chunk for ID3 holds no whole tag")
            tag = id3.parse(source.read(at + 8, length))
            rest = source.read(at + 8 + length, size - length)
            return Chunk(
                tag, False, at + 8, at + 8 + length, order, header[:4], form_size, pad, rest
            )
        named = named or _is_named(header[:4], source, at + 8, size)
        at = padded
    if named and order == "little":
        raise hidden()
    if at != form_end:
        raise Untouchable("there is something between its chunks and its end")
    return Chunk(_NEW, True, at, at, order, name, form_size, b"", b"")


def _is_named(name: bytes, source: Source, start: int, size: int) -> bool:
    """Return whether a chunk has tags of RIFF: anything but the name of a program."""
    if name != b"LIST" or source.peek(start, 4) != b"INFO":
        return False
    at, end = start + 4, start + size
    while at + 8 <= end:
        header = source.read(at, 8)
        length = int.from_bytes(header[4:], "little")
        if header[:4] != b"ISFT" and length:
            return True
        at += 8 + length + length % 2
    return False
