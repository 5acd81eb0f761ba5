"""The descriptors of ASF files (WMA): ASF specification 3.1, 3.2, 3.11 and 4.8."""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lyricsyncd.tags.raw import MAX_PARTS, Structure, Untouchable
from lyricsyncd.tags.splice import Splice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lyricsyncd.tags.raw import Source


def _guid(text: str) -> bytes:
    return uuid.UUID(text).bytes_le


HEADER = _guid("75B22630-668E-11CF-A6D9-00AA0062CE6C")
_FILE = _guid("8CABDCA1-A947-11CF-8EE4-00C00C205365")
_DESCRIPTORS = _guid("D2D0A440-E307-11D2-97F0-00A0C95EA850")
_EXTENSION = _guid("5FBF03B5-A92E-11CF-8EE3-00C00C205365")
_SIZE_IN_FILE = 40
_LYRICS = "WM/Lyrics".encode("utf-16-le")


@dataclass(frozen=True, slots=True)
class Asf:
    """The object of descriptors in the header of an ASF file."""

    items: tuple[bytes, ...]
    """Each with its name, its type and its length."""
    tail: bytes
    absent: bool
    start: int
    end: int
    """The object; where it is absent, the place for it."""
    header_size: int
    objects: int
    file_size: tuple[int, int] | None
    """Position of the file's size in the header, and that size, if it is correct."""

    @property
    def structure(self) -> Structure:
        """See `Place`."""
        return {"absent": self.absent}

    def splices(self, items: Sequence[bytes], structure: Structure) -> list[Splice]:
        """See `Place`."""
        data, objects = b"", self.objects - (not self.absent)
        if items or self.tail or not (self.absent or structure.get("absent", True)):
            if len(items) >= 2**16:
                raise Untouchable("its tags have no room for them")
            body = struct.pack("<H", len(items)) + b"".join((*items, self.tail))
            data = _DESCRIPTORS + struct.pack("<Q", len(body) + 24) + body
            objects += 1
        more = len(data) - (self.end - self.start)
        found = [
            Splice(16, 28, struct.pack("<QI", self.header_size + more, objects)),
            Splice(self.start, self.end, data),
        ]
        if self.file_size is not None:
            at, size = self.file_size
            found.append(Splice(at, at + 8, struct.pack("<Q", size + more)))
        return found


def asf(source: Source) -> Asf:
    """Find the descriptors of an ASF file."""
    size, count = struct.unpack("<QI", source.read(16, 12))
    if size > source.size:
        raise Untouchable("its header is cut off")
    file_size: tuple[int, int] | None = None
    found: tuple[int, int] | None = None
    for kind, start, end in _objects(source, 30, size, count):
        if kind == _FILE:
            at = start + _SIZE_IN_FILE
            said = struct.unpack("<Q", source.read(at, 8))[0]
            file_size = (at, said) if said == source.size else None
        elif kind == _DESCRIPTORS and found is None:
            found = (start, end)
        elif kind == _EXTENSION and _LYRICS in source.read(start, end - start):
            raise Untouchable("it has lyrics in its library of metadata")
    if found is None:
        return Asf((), b"", True, size, size, size, count, file_size)
    start, end = found
    items, tail = _descriptors(source.read(start + 24, end - start - 24))
    return Asf(items, tail, False, start, end, size, count, file_size)


def _objects(source: Source, at: int, end: int, count: int) -> Iterator[tuple[bytes, int, int]]:
    if count > MAX_PARTS:
        raise Untouchable("its header is damaged")
    for _ in range(count):
        kind, size = struct.unpack("<16sQ", source.read(at, 24))
        if size < 24 or at + size > end:
            raise Untouchable("its header is damaged")
        yield kind, at, at + size
        at += size
    if at != end:
        raise Untouchable("its header has something behind its objects")


def _descriptors(body: bytes) -> tuple[tuple[bytes, ...], bytes]:
    items: list[bytes] = []
    at = 2
    for _ in range(int.from_bytes(body[:2], "little")):
        value = at + 2 + int.from_bytes(body[at : at + 2], "little")
        end = value + 4 + int.from_bytes(body[value + 2 : value + 4], "little")
        if end > len(body):
            raise Untouchable("its tags are damaged")
        items.append(body[at:end])
        at = end
    return tuple(items), body[at:]
