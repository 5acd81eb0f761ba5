"""Vorbis comments in Ogg: Vorbis, Opus, Speex, FLAC and Theora (RFC 3533).

The pages of the comments are made anew. Where that takes more or fewer pages than before, the later
pages of the same stream get other numbers, and so other checksums, and nothing else.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lyricsyncd.tags.raw import MAX_TAG, Structure, Untouchable, vorbis
from lyricsyncd.tags.splice import Splice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lyricsyncd.tags.raw import Source
    from lyricsyncd.tags.raw.vorbis import Comments

_HEADER = 27
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_SEGMENTS, _SEGMENT = 255, 255
_NOTHING_ENDS = 2**64 - 1
_FLAC, _FLAC_COMMENT = b"\x7fFLAC", 4
_STREAMS = (
    (b"\x01vorbis", b"\x03vorbis", 2),
    (b"OpusHead", b"OpusTags", 1),
    (_FLAC, b"", 1),
    (b"Speex   ", b"", 1),
    (b"\x80theora", b"\x81theora", 2),
)
"""Beginnings of a stream's first packet and of the packet with its comments, and the number of
packets in its head from there on. Audio is preferred to video."""
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class _Page:
    """The header of a page."""

    start: int
    flags: int
    granule: int
    serial: int
    number: int
    lacing: bytes

    @property
    def body(self) -> int:
        return self.start + _HEADER + len(self.lacing)

    @property
    def end(self) -> int:
        return self.body + sum(self.lacing)


@dataclass(frozen=True, slots=True)
class Ogg:
    """The packet with the comments, and the pages from its first to its last.

    Where more packets belong to the head of the stream, as in Vorbis, they are on these pages too.
    """

    source: Source
    comments: Comments
    prefix: bytes
    """Bytes of the packet before its comments."""
    is_flac: bool
    following: tuple[bytes, ...]
    """Further packets on the same pages."""
    pages: tuple[_Page, ...]

    @property
    def items(self) -> tuple[bytes, ...]:
        """See `Place`."""
        return self.comments.items

    @property
    def structure(self) -> Structure:
        """See `Place`. Granule positions are text: they do not fit the numbers of all of JSON."""
        return {"pages": [[len(page.lacing), str(page.granule)] for page in self.pages]}

    def splices(self, items: Sequence[bytes], structure: Structure) -> list[Splice]:
        """See `Place`."""
        data = self.comments.rendered(items)
        prefix = self.prefix
        if self.is_flac:
            if len(data) >= 2**24:
                raise Untouchable("its comments have no room for them")
            prefix = prefix[:1] + len(data).to_bytes(3, "big")
        lacing, body = b"", b""
        for packet in (prefix + data, *self.following):
            lacing += bytes([_SEGMENT]) * (len(packet) // _SEGMENT)
            lacing += bytes([len(packet) % _SEGMENT])
            body += packet
        pages = self._paged(lacing, body, structure)
        start, end = self.pages[0].start, self.pages[-1].end
        more = len(pages) - len(self.pages)
        return [Splice(start, end, b"".join(pages)), *self._renumbered(more)]

    def _paged(self, lacing: bytes, body: bytes, structure: Structure) -> list[bytes]:
        """Return the pages for these segments, divided as once before where that fits."""
        layout = [(int(count), int(granule)) for count, granule in structure.get("pages", ())]
        if sum(count for count, _ in layout) != len(lacing):
            layout = [(_SEGMENTS, -1)] * (-(-len(lacing) // _SEGMENTS))
        first = self.pages[0]
        pages: list[bytes] = []
        at = 0
        for number, (count, known) in enumerate(layout, first.number):
            segments = lacing[at : at + count]
            granule = known
            if known < 0:
                granule = 0 if any(size < _SEGMENT for size in segments) else _NOTHING_ENDS
            flags = _CONTINUED if at and lacing[at - 1] == _SEGMENT else 0
            length = sum(segments)
            pages.append(_page(flags, granule, first.serial, number, segments, body[:length]))
            body = body[length:]
            at += count
        return pages

    def _renumbered(self, more: int) -> Iterator[Splice]:
        """Change the numbers of the stream's later pages."""
        if not more:
            return
        serial = self.pages[0].serial
        at = self.pages[-1].end
        while self.source.peek(at, 4):
            page = _header(self.source, at)
            at = page.end
            if page.serial != serial:
                continue
            if page.flags & _FIRST:
                # A chained stream that has the same serial number.
                return
            number = (page.number + more) % 2**32
            body = self.source.read(page.body, page.end - page.body)
            data = _page(page.flags, page.granule, serial, number, page.lacing, body)
            yield Splice(page.start + 18, page.start + 26, data[18:26])
            if page.flags & _LAST:
                return


def ogg(source: Source) -> Ogg:
    """Find the comments of the first stream that has any."""
    first, start = _stream(source)
    head = source.read(first.body, min(16, first.end - first.body))
    start_of, prefix, count = next(kind for kind in _STREAMS if head.startswith(kind[0]))
    pages = tuple(_headers(source, start, first.serial, count))
    packet, *following = _packets(source, pages)
    is_flac = start_of == _FLAC
    if is_flac:
        prefix = packet[:4]
    if not packet.startswith(prefix) or (is_flac and (prefix + b"\0")[0] & 0x7F != _FLAC_COMMENT):
        raise Untouchable("its comments are not where they belong")
    comments = vorbis.parse(packet[len(prefix) :])
    return Ogg(source, comments, prefix, is_flac, tuple(following), pages)


def _packets(source: Source, pages: Sequence[_Page]) -> list[bytes]:
    """Put the packets of pages together; the last one ends with the last page."""
    packets: list[bytes] = []
    parts: list[bytes] = []
    for page in pages:
        data = source.read(page.body, page.end - page.body)
        at = 0
        for size in page.lacing:
            parts.append(data[at : at + size])
            at += size
            if size < _SEGMENT:
                packets.append(b"".join(parts))
                parts = []
    return packets


def _stream(source: Source) -> tuple[_Page, int]:
    """Return the first page of the stream whose comments count, and where its second is."""
    at = 0
    first: list[_Page] = []
    while True:
        page = _header(source, at)
        if not page.flags & _FIRST:
            break
        first.append(page)
        at = page.end
    for known in sorted(first, key=lambda page: _rank(source, page)):
        if _rank(source, known) < len(_STREAMS):
            while page.serial != known.serial:
                page = _header(source, page.end)
            return known, page.start
    raise Untouchable("it holds no stream of audio whose comments are known")


def _rank(source: Source, page: _Page) -> int:
    """Rank a stream: audio before video."""
    head = source.peek(page.body, 16)
    starts = [start for start, *_ in _STREAMS]
    return next((rank for rank, start in enumerate(starts) if head.startswith(start)), len(starts))


def _headers(source: Source, start: int, serial: int, packets: int) -> Iterator[_Page]:
    """Read the pages of so many packets, to the first page that a packet ends with."""
    at, size, ended, goes_on = start, 0, 0, False
    while True:
        page = _header(source, at)
        if page.serial != serial:
            raise Untouchable("its comments lie among the pages of another stream")
        if page.flags & (_FIRST | _LAST) or goes_on != bool(page.flags & _CONTINUED):
            raise Untouchable("the pages of its comments are damaged")
        yield page
        size += page.end - page.start
        if size > MAX_TAG:
            raise Untouchable(f"its tags are larger than {MAX_TAG >> 20} MB")
        ended += sum(segment < _SEGMENT for segment in page.lacing)
        goes_on = page.lacing[-1:] == bytes([_SEGMENT]) or (goes_on and not page.lacing)
        if ended >= packets and not goes_on:
            return
        at = page.end


def _header(source: Source, at: int) -> _Page:
    data = source.read(at, _HEADER)
    if not data.startswith(b"OggS\0"):
        raise Untouchable("it has something else between its pages")
    lacing = source.read(at + _HEADER, data[26])
    page = _Page(
        at,
        data[5],
        int.from_bytes(data[6:14], "little"),
        int.from_bytes(data[14:18], "little"),
        int.from_bytes(data[18:22], "little"),
        lacing,
    )
    if page.end > source.size:
        raise Untouchable("it is cut off")
    return page


def _page(flags: int, granule: int, serial: int, number: int, lacing: bytes, body: bytes) -> bytes:
    head = (
        b"OggS\0"
        + bytes([flags])
        + granule.to_bytes(8, "little")
        + serial.to_bytes(4, "little")
        + number.to_bytes(4, "little")
    )
    rest = bytes([len(lacing)]) + lacing + body
    return head + _checksum(head + bytes(4) + rest) + rest


def _checksum(data: bytes) -> bytes:
    """Return the CRC of a page: zlib's, with the bits of each byte the other way round."""
    crc = zlib.crc32(data.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return crc.to_bytes(4, "little").translate(_MIRRORED)[::-1]
