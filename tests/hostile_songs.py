"""Song files whose tags or chunks are made to keep a parser busy or to fill its memory."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

SONG = Path(__file__).parent.parent / "demo" / "songs" / "The_Star.mp3"
MB = 2**20


def synchsafe(size: int) -> bytes:
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def frame(name: bytes, data: bytes, flags: int = 0) -> bytes:
    return name + synchsafe(len(data)) + struct.pack(">H", flags) + data


def id3(frames: bytes) -> bytes:
    return b"ID3\x04\x00\x00" + synchsafe(len(frames)) + frames


def compressed(name: bytes, unpacked: int) -> bytes:
    """A frame that is small and unpacks to zeros (ID3v2.4, 4.1.2: compression, data length)."""
    head = b"\x03"
    packer = zlib.compressobj(9)
    data = packer.compress(head)
    for _ in range(unpacked // MB):
        data += packer.compress(bytes(MB))
    data += packer.flush()
    return frame(name, synchsafe(unpacked + len(head)) + data, 0x0009)


def mp3(frames: bytes) -> bytes:
    return id3(frames) + SONG.read_bytes()


def chunk(name: bytes, data: bytes, order: str) -> bytes:
    return name + struct.pack(f"{order}I", len(data)) + data + bytes(len(data) % 2)


def wav(*chunks: bytes) -> bytes:
    form = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    body = b"WAVE" + chunk(b"fmt ", form, "<") + b"".join(chunks) + chunk(b"data", bytes(99), "<")
    return b"RIFF" + struct.pack("<I", len(body)) + body


def aiff(*chunks: bytes) -> bytes:
    rate = b"\x40\x0b\xfa\x00\x00\x00\x00\x00\x00\x00"
    common = struct.pack(">hIh", 1, 50, 16) + rate
    sound = chunk(b"SSND", bytes(108), ">")
    body = b"AIFF" + chunk(b"COMM", common, ">") + b"".join(chunks) + sound
    return b"FORM" + struct.pack(">I", len(body)) + body


def flac_block(kind: int, data: bytes, *, last: bool = False) -> bytes:
    return bytes([kind | last << 7]) + len(data).to_bytes(3, "big") + data


def comments(texts: Iterable[str]) -> bytes:
    encoded = [text.encode() for text in texts]
    parts = [struct.pack("<I", 0), struct.pack("<I", len(encoded))]
    for text in encoded:
        parts += [struct.pack("<I", len(text)), text]
    return b"".join(parts)


def flac(texts: Iterable[str]) -> bytes:
    samples = (44100 << 44) | (1 << 41) | (15 << 36) | 44100
    info = struct.pack(">HH", 4096, 4096) + bytes(6) + samples.to_bytes(8, "big") + bytes(16)
    return b"fLaC" + flac_block(0, info) + flac_block(4, comments(texts), last=True)


def atom(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + name + data


def mp4(*atoms: bytes) -> bytes:
    return atom(b"ftyp", b"M4A \0\0\0\0") + atom(b"moov", b"".join(atoms)) + atom(b"mdat", bytes(9))


def mp4_tags(items: bytes) -> bytes:
    return mp4(atom(b"udta", atom(b"meta", bytes(4) + atom(b"ilst", items))))


def nested(name: bytes, depth: int) -> bytes:
    size = 8 * depth
    return b"".join(struct.pack(">I", size - 8 * at) + name for at in range(depth))


def ape(items: bytes, count: int) -> bytes:
    """A file of Monkey's Audio with a tag (APEv2)."""
    head = b"MAC " + struct.pack("<HHIIIIIIIHHIIIHHI", 3990, 0, 52, 24, 0, 0, 0, 0, 0, 2000, 0,
        73728, 100, 1, 16, 1, 44100)  # fmt: skip
    ends = struct.pack("<III", 2000, len(items) + 32, count)
    first, last = struct.pack("<I", 5 << 29), struct.pack("<I", 1 << 31)
    return b"".join(
        (head, b"APETAGEX", ends, first, bytes(8), items, b"APETAGEX", ends, last, bytes(8))
    )


def asf(count: int) -> bytes:
    def object_(guid: str, data: bytes) -> bytes:
        return bytes.fromhex(guid) + struct.pack("<Q", 24 + len(data)) + data

    name, value = "a\0".encode("utf-16-le"), "b\0".encode("utf-16-le")
    one = struct.pack("<H", len(name)) + name + struct.pack("<HH", 0, len(value)) + value
    content = object_("40a4d0d207e3d21197f000a0c95ea850", struct.pack("<H", 65535) + one * 65535)
    header = content * (count // 65535)
    head = struct.pack("<IBB", count // 65535, 1, 2)
    return object_("3026b2758e66cf11a6d900aa0062ce6c", head + header)


def ebml(id: str, data: bytes) -> bytes:
    return bytes.fromhex(id) + (1 << 56 | len(data)).to_bytes(8, "big") + data


def matroska(tags: int) -> bytes:
    head = ebml("1a45dfa3", ebml("4282", b"matroska"))
    simple = ebml("67c8", ebml("45a3", b"A") + ebml("4487", b"b"))
    audio = ebml("e1", ebml("b5", struct.pack(">d", 44100.0)))
    track = ebml("ae", ebml("d7", b"\1") + ebml("83", b"\2") + ebml("86", b"A_PCM/INT/LIT") + audio)
    body = ebml("1654ae6b", track) + ebml("1254c367", ebml("7373", simple * tags))
    return head + ebml("18538067", body)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "compressed 200 MB.mp3": lambda: mp3(compressed(b"TIT2", 200 * MB)),
    "compressed 20 MB.mp3": lambda: mp3(compressed(b"TIT2", 20 * MB)),
    "TIT2.mp3": lambda: mp3(frame(b"TIT2", b"\x03" + bytes(4 * MB))),
    "TIT2 UTF-16.mp3": lambda: mp3(frame(b"TIT2", b"\x01\xff\xfe" + bytes(4 * MB))),
    "COMM.mp3": lambda: mp3(frame(b"COMM", b"\x03eng" + bytes(4 * MB))),
    "ETCO.mp3": lambda: mp3(frame(b"ETCO", b"\x02" + bytes(4 * MB))),
    "SYLT.mp3": lambda: mp3(frame(b"SYLT", b"\x03eng\x02\x01" + bytes(4 * MB))),
    "TIPL.mp3": lambda: mp3(frame(b"TIPL", b"\x03" + bytes(4 * MB))),
    "TXXX.mp3": lambda: mp3(frame(b"TXXX", b"\x03" + bytes(4 * MB))),
    "USLT 50 MB.mp3": lambda: mp3(frame(b"USLT", b"\x03eng\0" + b"la la\n" * (50 * MB // 6))),
    "1M equal frames.mp3": lambda: mp3(frame(b"TPE1", b"\x03a") * 1_000_000),
    "1M frames.mp3": lambda: mp3(
        b"".join(frame(b"TXXX", b"\x03%d\0a" % number) for number in range(1_000_000))
    ),
    "picture 200 MB.mp3": lambda: mp3(frame(b"APIC", b"\0image/png\0\3\0" + bytes(200 * MB))),
    "50k names.flac": lambda: flac(f"K{number}=v" for number in range(50_000)),
    "800k names.flac": lambda: flac(f"K{number}=v" for number in range(800_000)),
    "500k lyrics.flac": lambda: flac("LYRICS=la" for _ in range(500_000)),
    "OggS.ogg": lambda: b"OggS" * (10 * MB),
    "zeros.wav": lambda: bytes(20 * MB),
    "chunks.wav": lambda: wav(chunk(b"junk", b"", "<") * 1_000_000),
    "ID3.wav": lambda: wav(chunk(b"id3 ", id3(compressed(b"TIT2", 20 * MB)), "<")),
    "chunks.aiff": lambda: aiff(chunk(b"ANNO", b"", ">") * 1_000_000),
    "ID3.aiff": lambda: aiff(chunk(b"ID3 ", id3(compressed(b"TIT2", 20 * MB)), ">")),
    "nested.m4a": lambda: mp4(nested(b"udta", 100_000)),
    "items.m4a": lambda: mp4_tags(
        atom(b"\xa9nam", atom(b"data", b"\0\0\0\1\0\0\0\0a")) * 1_000_000
    ),
    "lyrics 50 MB.m4a": lambda: mp4_tags(
        atom(b"\xa9lyr", atom(b"data", b"\0\0\0\1\0\0\0\0" + b"la la\n" * (50 * MB // 6)))
    ),
    "items.ape": lambda: ape(
        b"".join(struct.pack("<II", 1, 0) + b"k%d\0v" % number for number in range(1_000_000)),
        1_000_000,
    ),
    "attributes.wma": lambda: asf(1_000_000),
    # Half as many are read within the limit by a quick processor.
    "tags.mka": lambda: matroska(4_000_000),
}
"""By file name: the content of a song that costs a parser without limits seconds, minutes or
hundreds of megabytes."""
