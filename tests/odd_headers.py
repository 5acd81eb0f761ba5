"""Songs whose headers do not tell the truth: lengths, positions and sizes that are wrong."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

FAR = 20 * 3600 * 48_000
"""20 hours, in samples at 48 kHz."""


def pages_of(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each page of an Ogg file begins and ends."""
    at = 0
    while at < len(data):
        count = data[at + 26]
        end = at + 27 + count + sum(data[at + 27 : at + 27 + count])
        yield at, end
        at = end


def with_positions(data: bytes, change: Callable[[int, int, int], int]) -> bytes:
    """An Ogg file with other granule positions, and right checksums.

    Parameters
    ----------
    change : callable
        From a page's number, the number of pages and its position to another position.
    """
    made = b""
    pages = list(pages_of(data))
    for number, (begin, end) in enumerate(pages):
        page = bytearray(data[begin:end])
        (position,) = struct.unpack_from("<q", page, 6)
        struct.pack_into("<q", page, 6, change(number, len(pages), position))
        made += resealed(page)
    return made


def resealed(page: bytearray) -> bytes:
    page[22:26] = bytes(4)
    struct.pack_into("<I", page, 22, _crc(bytes(page)))
    return bytes(page)


def _crc(data: bytes) -> int:
    """The checksum of Ogg: polynomial 0x04c11db7, nothing reflected or inverted."""
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFFFFFFFF) ^ _TABLE[crc >> 24 ^ byte]
    return crc


def _row(value: int) -> int:
    value <<= 24
    for _ in range(8):
        value = (value << 1 ^ (0x04C11DB7 if value >> 31 else 0)) & 0xFFFFFFFF
    return value


_TABLE = tuple(map(_row, range(256)))


def last(number: int, count: int) -> bool:
    return number == count - 1


OGG: dict[str, Callable[[bytes], bytes]] = {
    "20 hours": lambda data: with_positions(
        data, lambda at, count, position: FAR if last(at, count) else position
    ),
    "the greatest": lambda data: with_positions(
        data, lambda at, count, position: 2**63 - 1 if last(at, count) else position
    ),
    "negative": lambda data: with_positions(
        data, lambda at, count, position: -(2**62) if last(at, count) else position
    ),
    "all zero": lambda data: with_positions(data, lambda _at, _count, _position: 0),
    "no position": lambda data: with_positions(
        data, lambda at, _count, position: -1 if at > 1 else position
    ),
    "backwards": lambda data: with_positions(
        data, lambda at, _count, position: FAR - at * 48_000 if at > 1 else position
    ),
    "begins late": lambda data: with_positions(
        data, lambda at, _count, position: position + FAR if at > 1 else position
    ),
    "chained": lambda data: data + _other_serial(data),
    "chained with the same serial number": lambda data: data + data,
    "the end is lost": lambda data: data[: len(data) * 2 // 3],
}


def _other_serial(data: bytes) -> bytes:
    made = b""
    for begin, end in pages_of(data):
        page = bytearray(data[begin:end])
        struct.pack_into("<I", page, 14, 0x1234)
        made += resealed(page)
    return made


def wav_of(data: bytes, size: int, riff: int | None = None) -> bytes:
    """A WAV file with other sizes in the headers of its data and of the whole."""
    at = data.index(b"data") + 4
    changed = bytearray(data)
    struct.pack_into("<I", changed, at, size)
    struct.pack_into("<I", changed, 4, size if riff is None else riff)
    return bytes(changed)


def aiff_of(data: bytes, size: int, frames: int | None = None) -> bytes:
    """The same of an AIFF file, whose header has the number of frames, too."""
    changed = bytearray(data)
    struct.pack_into(">I", changed, data.index(b"SSND") + 4, size)
    if frames is not None:
        struct.pack_into(">I", changed, data.index(b"COMM") + 10, frames)
    return bytes(changed)


def flac_of(data: bytes, samples: int) -> bytes:
    """A FLAC file that claims another number of samples (36 bits of STREAMINFO)."""
    changed = bytearray(data)
    at = 8 + 13
    changed[at] = changed[at] & 0xF0 | samples >> 32 & 0xF
    struct.pack_into(">I", changed, at + 1, samples & 0xFFFFFFFF)
    return bytes(changed)
