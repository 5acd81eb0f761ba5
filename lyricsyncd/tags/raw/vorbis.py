"""Read Vorbis comments, and find them in FLAC files (Vorbis I, 5; RFC 9639, 8.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lyricsyncd.tags.raw import MAX_PARTS, Structure, Untouchable, ape, hidden, id3
from lyricsyncd.tags.splice import Splice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lyricsyncd.tags.raw import Source

_VENDOR = b"lyricsyncd"
_COMMENT, _INVALID, _LAST = 4, 127, 0x80
_LARGEST = 2**24


@dataclass(frozen=True, slots=True)
class Comments:
    """A block of comments."""

    vendor: bytes = _VENDOR
    items: tuple[bytes, ...] = ()
    """``KEY=value`` each, without its length."""
    tail: bytes = b""
    """Bytes behind the comments: a framing bit, padding, data of later versions."""

    def rendered(self, items: Sequence[bytes]) -> bytes:
        """Return the block with other comments."""
        strings = [_measured(item) for item in items]
        count = len(strings).to_bytes(4, "little")
        return b"".join((_measured(self.vendor), count, *strings, self.tail))


def parse(data: bytes) -> Comments:
    """Take a block apart.

    Raises
    ------
    Untouchable
        Its lengths do not fit.
    """
    vendor, at = _string(data, 0)
    count = _number(data, at)
    if count > MAX_PARTS:
        raise Untouchable("it has too many comments, or damaged ones")
    at += 4
    items: list[bytes] = []
    for _ in range(count):
        item, at = _string(data, at)
        items.append(item)
    return Comments(vendor, tuple(items), data[at:])


def _measured(data: bytes) -> bytes:
    return len(data).to_bytes(4, "little") + data


def _string(data: bytes, at: int) -> tuple[bytes, int]:
    start = at + 4
    end = start + _number(data, at)
    if end > len(data):
        raise Untouchable("its comments are cut off")
    return data[start:end], end


def _number(data: bytes, at: int) -> int:
    if at + 4 > len(data):
        raise Untouchable("its comments are cut off")
    return int.from_bytes(data[at : at + 4], "little")


@dataclass(frozen=True, slots=True)
class Flac:
    """The block of comments among a FLAC file's blocks of metadata."""

    comments: Comments
    absent: bool
    start: int
    end: int
    """The block with its header; where it is absent, the place for it."""
    is_last: bool
    """No other block follows; where it is absent, the block before is the last."""
    before: int
    """Position of the block before."""
    before_kind: int

    @property
    def items(self) -> tuple[bytes, ...]:
        """See `Place`."""
        return self.comments.items

    @property
    def structure(self) -> Structure:
        """See `Place`."""
        return {"absent": self.absent}

    def splices(self, items: Sequence[bytes], structure: Structure) -> list[Splice]:
        """See `Place`."""
        ours = self.comments.vendor == _VENDOR and not self.comments.tail
        if not items and ours and (self.absent or structure.get("absent", True)):
            block = b""
        else:
            data = self.comments.rendered(items)
            if len(data) >= _LARGEST:
                raise Untouchable("its comments have no room for them")
            kind = _COMMENT | (_LAST if self.is_last else 0)
            block = bytes([kind]) + len(data).to_bytes(3, "big") + data
        found = [Splice(self.start, self.end, block)]
        if self.is_last and self.absent != (not block):
            # The block before is the last one no longer, or again.
            kind = self.before_kind ^ _LAST
            found.append(Splice(self.before, self.before + 1, bytes([kind])))
        return found


def flac(source: Source) -> Flac:
    """Find the comments of a FLAC file."""
    start = 0
    while length := id3.length_at(source, start):
        start += length
    at, before, before_kind = start + 4, 0, 0
    first: tuple[int, int, int, int] | None = None
    for number in range(MAX_PARTS):
        header = source.read(at, 4)
        kind, end = header[0], at + 4 + int.from_bytes(header[1:], "big")
        if end > source.size or kind & ~_LAST == _INVALID:
            raise Untouchable("its metadata is damaged")
        if kind & ~_LAST == _COMMENT:
            comments = parse(source.read(at + 4, end - at - 4))
            return Flac(comments, False, at, end, bool(kind & _LAST), before, before_kind)
        if number == 0:
            first = (at, end, kind, kind & _LAST)
        before, before_kind = at, kind
        if kind & _LAST:
            break
        at = end
    if first is None:
        raise Untouchable("it has no metadata")
    if start or ape.tagged_at_end(source):
        raise hidden()
    # Behind STREAMINFO, which has to be the first.
    begin, end, kind, last = first
    return Flac(Comments(), True, end, end, bool(last), begin, kind)
