"""APEv2 tags at the end of a file (Monkey's Audio, Musepack, WavPack, OptimFROG, TAK)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lyricsyncd.tags.raw import MAX_PARTS, Structure, Untouchable, hidden
from lyricsyncd.tags.splice import Splice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lyricsyncd.tags.raw import Source

_MAGIC = b"APETAGEX"
_SIZE = 32
_HAS_HEADER, _IS_HEADER = 1 << 31, 1 << 29
_ID3V1 = 128


@dataclass(frozen=True, slots=True)
class Ape:
    """A tag, or the position for a new one."""

    items: tuple[bytes, ...]
    """Each with its length, its flags and its key."""
    tail: bytes
    """Bytes behind the items."""
    absent: bool
    start: int
    """Position of the first item."""
    end: int
    """Position of the footer."""
    header: bytes
    """Empty where there is none, as in APEv1."""
    footer: bytes

    @property
    def structure(self) -> Structure:
        """See `Place`."""
        return {"absent": self.absent}

    def splices(self, items: Sequence[bytes], structure: Structure) -> list[Splice]:
        """See `Place`."""
        body = b"".join((*items, self.tail))
        if self.absent:
            data = b""
            if items:
                ends = [_end(flags, len(body), len(items)) for flags in (_IS_HEADER, 0)]
                data = ends[0] + body + ends[1]
            return [Splice(self.start, self.end, data)]
        start, end = self.start - len(self.header), self.end + len(self.footer)
        if not items and not self.tail and structure.get("absent", True):
            return [Splice(start, end, b"")]
        ends = [
            old[:12] + struct.pack("<II", len(body) + _SIZE, len(items)) + old[20:] if old else b""
            for old in (self.header, self.footer)
        ]
        return [Splice(start, end, ends[0] + body + ends[1])]


def ape(source: Source, *, id3_before: bool) -> Ape:
    """Find the tag at the end of a file.

    Raises
    ------
    Untouchable
        It is damaged, or lies elsewhere.
    """
    end = _before_id3v1(source)
    if _has_lyrics3(source, end):
        raise Untouchable("it has a Lyrics3 tag")
    if source.peek(0, 8) == _MAGIC:
        raise Untouchable("its APE tag lies before the audio")
    footer = source.peek(max(0, end - _SIZE), _SIZE)
    if not footer.startswith(_MAGIC):
        if id3_before or end != source.size:
            raise hidden()
        return Ape((), b"", True, end, end, b"", b"")
    size, count, flags = struct.unpack("<III", footer[12:24])
    if size < _SIZE or flags & _IS_HEADER or count > MAX_PARTS:
        raise Untouchable("its APE tag is damaged")
    start, end = end - size, end - _SIZE
    header = b""
    if flags & _HAS_HEADER:
        header = source.read(start - _SIZE, _SIZE)
        if not header.startswith(_MAGIC) or header[12:20] != footer[12:20]:
            raise Untouchable("header and footer of its APE tag differ")
    body = source.read(start, end - start)
    items, at = _items(body, count)
    return Ape(items, body[at:], False, start, end, header, footer)


def tagged_at_end(source: Source) -> bool:
    """Return whether a file ends with a tag of any kind: APE, Lyrics3 or ID3v1."""
    end = _before_id3v1(source)
    has_ape = source.peek(max(0, end - _SIZE), _SIZE).startswith(_MAGIC)
    return end != source.size or has_ape or _has_lyrics3(source, end)


def _before_id3v1(source: Source) -> int:
    """Return where an ID3v1 tag starts, or else the file ends."""
    start = source.size - _ID3V1
    return start if start >= 0 and source.peek(start, 3) == b"TAG" else source.size


def _has_lyrics3(source: Source, end: int) -> bool:
    return source.peek(max(0, end - 9), 9) in (b"LYRICS200", b"LYRICSEND")


def _items(body: bytes, count: int) -> tuple[tuple[bytes, ...], int]:
    items: list[bytes] = []
    at = 0
    for _ in range(count):
        key_end = body.find(b"\0", at + 8)
        end = key_end + 1 + int.from_bytes(body[at : at + 4], "little")
        if key_end < 0 or end > len(body):
            raise Untouchable("its APE tag is damaged")
        items.append(body[at:end])
        at = end
    return tuple(items), at


def _end(flags: int, length: int, count: int) -> bytes:
    """Return the header or footer of a new tag."""
    return _MAGIC + struct.pack("<IIIIQ", 2000, length + _SIZE, count, flags | _HAS_HEADER, 0)
