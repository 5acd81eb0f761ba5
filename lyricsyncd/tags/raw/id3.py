"""ID3v2 tags of all versions, as their frames' bytes (ID3v2.2, ID3v2.3, ID3v2.4-structure).

Frames stay as they are in the file: compressed, encrypted, grouped, unsynchronised.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from lyricsyncd.tags.raw import MAX_PARTS, Untouchable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lyricsyncd.tags.raw import Source

HEADER = 10
_UNSYNCHRONISED, _EXTENDED, _FOOTER = 0x80, 0x40, 0x10
_LARGEST = 2**28
_NAME = re.compile(rb"[A-Z][A-Z0-9]{2}[A-Z0-9 \0]")
"""Of a frame. Some writers keep ID3v2.2's three letters in later versions."""
_OLD_NAME = re.compile(rb"[A-Z][A-Z0-9]{2}")


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag."""

    version: int
    """2, 3 or 4 of ID3v2."""
    revision: int = 0
    flags: int = 0
    extended: bytes = b""
    """The extended header."""
    frames: tuple[bytes, ...] = ()
    """As they are in the file, headers included."""
    tail: bytes = b""
    """Padding; or what no reader knows to be frames."""
    plain_sizes: bool = False
    """Frames of ID3v2.4 have their sizes as ID3v2.3 has them: so iTunes wrote them once."""

    @property
    def unsynchronised(self) -> bool:
        """Return whether frames are unsynchronised: all at once before ID3v2.4, then each one."""
        return bool(self.flags & _UNSYNCHRONISED)

    @property
    def form(self) -> str:
        """Return the form of frames, on which their bytes depend."""
        unsynchronised = "u" if self.unsynchronised and self.version < 4 else ""
        return f"id3v2.{self.version}{unsynchronised}{'p' if self.plain_sizes else ''}"

    def rendered(self, frames: Sequence[bytes]) -> bytes:
        """Return the bytes of the tag with other frames.

        Raises
        ------
        Untouchable
            They are too many.
        """
        body = b"".join((self.extended, *frames, self.tail))
        if len(body) >= _LARGEST:
            raise Untouchable("its ID3 tag has no room for them")
        rest = bytes((self.version, self.revision, self.flags)) + _synchsafe(len(body))
        footer = b"3DI" + rest if self._has_footer else b""
        return b"ID3" + rest + body + footer

    @property
    def _has_footer(self) -> bool:
        return self.version == 4 and bool(self.flags & _FOOTER)


def length_at(source: Source, start: int) -> int:
    """Return how many bytes the tag at a place takes; 0 where there is none.

    Raises
    ------
    Untouchable
        It says that it takes more than there are.
    """
    header = source.peek(start, HEADER)
    if len(header) < HEADER or not header.startswith(b"ID3"):
        return 0
    if header[3] == 0xFF or header[4] == 0xFF or max(header[6:10]) >= 0x80:
        raise Untouchable("the header of its ID3 tag is damaged")
    length = HEADER + _from_synchsafe(header[6:10])
    if header[3] == 4 and header[5] & _FOOTER:
        length += HEADER
    if start + length > source.size:
        raise Untouchable("its ID3 tag is cut off")
    return length


def parse(data: bytes) -> Tag:
    """Take a whole tag apart.

    Raises
    ------
    Untouchable
        Its frames could not be changed without harm.
    """
    version, revision, flags = data[3:6]
    tag = Tag(version, revision, flags)
    if version not in (2, 3, 4):
        raise Untouchable(f"its ID3 tag is of the unknown version 2.{version}")
    if version == 2 and flags & _EXTENDED:
        raise Untouchable("its ID3 tag is compressed")
    body = data[HEADER : HEADER + _from_synchsafe(data[6:10])]
    whole = tag.unsynchronised and version < 4
    plain, stuffed = _resynchronised(body) if whole else (body, [])
    start = _extended_length(plain, tag)
    ends, clean = _frame_ends(plain, start, tag)
    if version == 4 and not clean:
        other, other_clean = _frame_ends(plain, start, replace(tag, plain_sizes=True))
        if other_clean:
            tag, ends = replace(tag, plain_sizes=True), other
    # A stuffed zero belongs to the byte before it.
    cuts = [cut + bisect_left(stuffed, cut) for cut in (start, *ends)]
    return replace(
        tag,
        extended=body[: cuts[0]],
        frames=tuple(body[one:two] for one, two in pairwise(cuts)),
        tail=body[cuts[-1] :],
    )


def framed(name: str, data: bytes, tag: Tag) -> bytes:
    """Return a frame as a tag holds it; ``name`` has four letters, or three in ID3v2.2."""
    key = name.encode()
    if tag.version == 2:
        frame = key + len(data).to_bytes(3, "big") + data
    elif tag.version == 3:
        frame = key + len(data).to_bytes(4, "big") + b"\0\0" + data
    elif tag.unsynchronised:
        data = _synchsafe(len(data)) + unsynchronised(data)
        frame = key + _size(len(data), tag) + b"\0\x03" + data
    else:
        frame = key + _size(len(data), tag) + b"\0\0" + data
    return unsynchronised(frame) if tag.version < 4 and tag.unsynchronised else frame


def unframed(frame: bytes, tag: Tag) -> tuple[str, int, bytes]:
    """Return a frame's name, its flags (0 in ID3v2.2) and the data after its header."""
    if tag.version < 4 and tag.unsynchronised:
        frame, _ = _resynchronised(frame)
    if tag.version == 2:
        return frame[:3].decode("latin-1"), 0, frame[6:]
    return frame[:4].decode("latin-1"), int.from_bytes(frame[8:10], "big"), frame[10:]


def unsynchronised(data: bytes) -> bytes:
    """Keep what looks like the start of MPEG audio out of data (ID3v2.4-structure, 6.1)."""
    data = re.sub(rb"\xff(?=[\x00\xe0-\xff])", b"\xff\x00", data)
    return data + b"\0" if data.endswith(b"\xff") else data


def resynchronised(data: bytes) -> bytes:
    """Undo `unsynchronised`."""
    return data.replace(b"\xff\x00", b"\xff")


def _resynchronised(data: bytes) -> tuple[bytes, list[int]]:
    """Return the data, and behind which of its bytes a zero was stuffed."""
    stuffed: list[int] = []
    for at, found in enumerate(re.finditer(rb"\xff\x00", data)):
        stuffed.append(found.start() - at)
    return resynchronised(data), stuffed


def _extended_length(body: bytes, tag: Tag) -> int:
    """Return how long the extended header is; its checksum would no longer hold."""
    if tag.version == 2 or not tag.flags & _EXTENDED or _NAME.match(body):
        # Some writers set the flag and have no such header.
        return 0
    if len(body) < 6:
        raise Untouchable("the extended header of its ID3 tag is damaged")
    if tag.version == 3:
        length, checksum = 4 + int.from_bytes(body[:4], "big"), body[4] & 0x80
    else:
        if max(body[:4]) >= 0x80:
            raise Untouchable("the extended header of its ID3 tag is damaged")
        length, checksum = _from_synchsafe(body[:4]), body[5] & 0x20
    if not 6 <= length <= len(body):
        raise Untouchable("the extended header of its ID3 tag is damaged")
    if checksum:
        raise Untouchable("its ID3 tag has a checksum")
    return length


def _frame_ends(body: bytes, start: int, tag: Tag) -> tuple[list[int], bool]:
    """Return where frames end, and whether nothing but padding follows them."""
    header = 6 if tag.version == 2 else 10
    ends: list[int] = []
    at = start
    while at + header <= len(body):
        name = body[at : at + header]
        if not (_OLD_NAME if tag.version == 2 else _NAME).match(name):
            break
        size = _frame_size(name, tag)
        if size is None or at + header + size > len(body):
            break
        at += header + size
        ends.append(at)
        if len(ends) > MAX_PARTS:
            raise Untouchable("its ID3 tag has too many frames")
    return ends, not body[at:].strip(b"\0")


def _frame_size(header: bytes, tag: Tag) -> int | None:
    if tag.version == 2:
        return int.from_bytes(header[3:6], "big")
    if tag.version == 3 or tag.plain_sizes:
        return int.from_bytes(header[4:8], "big")
    return None if max(header[4:8]) >= 0x80 else _from_synchsafe(header[4:8])


def _size(size: int, tag: Tag) -> bytes:
    return size.to_bytes(4, "big") if tag.plain_sizes else _synchsafe(size)


def _synchsafe(number: int) -> bytes:
    return bytes((number >> shift) & 0x7F for shift in (21, 14, 7, 0))


def _from_synchsafe(data: bytes) -> int:
    number = 0
    for byte in data:
        number = number << 7 | byte & 0x7F
    return number
