"""Spoilt input to every reader: ``python -m benchmarks.fuzz``.

Each reader gets ``--inputs`` pieces of random bytes, rubble of markup, damaged files of every
format, files with absurd times and numbers, in wrong encodings, and very large ones. It must give
lyrics that are sound or say in one error what is wrong, within a second of the processor's time.
Beside the formats there are ``files`` (what lies beside a song, in any encoding) and ``tags``
(songs whose tags were damaged). A number says which input was at fault; ``--only`` makes it again.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import av
import numpy as np

from lyricsyncd import formats
from lyricsyncd.config.schema import Output
from lyricsyncd.errors import FormatError, LyricsNotFound, WriteError
from lyricsyncd.formats.text import MAX_BYTES
from lyricsyncd.formats.timing import tidy
from lyricsyncd.lyrics import files
from lyricsyncd.lyrics.local import LocalSource
from lyricsyncd.model import Line, Lyrics, Track, Word
from lyricsyncd.tags import Journal, write_lyrics
from lyricsyncd.tags.kinds import opened
from lyricsyncd.tags.raw import Untouchable

LIMIT_S = 1.0
SCRIPTS = (
    "row boat stream gently don't (oh) rock'n'roll 1999 café naïve größer żółw "
    "Широка страна моя שלום עולם مرحبا بك 你好 世界 こんにちは 안녕 สวัสดี γειά नमस्ते "
    "👩‍👩‍👧 🎵 <3 [x2] {ooh} &amp; 50% a/b \\o/ -- ... ~"
).split()
RUBBLE = (
    "[00:01.00]|[00:02]|[1:2:3.4]|[99999:99.99]|[-00:01.00]|<00:01.50>|<00:03>|[offset:99]|"
    "[offset:-1e9]|[bg: ]|[ti:x]|v2: |[Script Info]|[Events]|Format: Start, End, Text|"
    "Dialogue: 0,0:00:01.00,0:00:02.00,,,,,,,|{\\k50}|{\\kt9}|{\\kf999999999}|{|}|\\N|\\h|WEBVTT|"
    "00:01.000 --> 00:02.000|00:00:01,000 --> 00:00:02,000|-->|<v Ann>|</v>|<c>|&amp;|&#0;|"
    "&#xFFFFFF;|"
    "<tt>|</tt>|<tt xmlns='http://www.w3.org/ns/ttml'>|<body>|</body>|<p begin='1s' end='2s'>|</p>|"
    "<span begin='1' end='2'>|</span>|<br/>|<?xml version='1.0'?>|<!DOCTYPE x>|<!--|-->|<![CDATA[|"
    "#BPM:300|#BPM:0|#GAP:-5|#RELATIVE:yes|: 0 3 5 word|* 9 1 0 ~|- 7|- 5 9|P1|P 2|E|B 0 4|"
    "version: '1.0'|metadata:|lines:|  - text: a|    start_ms: 1|    words:|plain: ||- |? |!!int 1|"
    '!!python/object:os.system x|&a|*a|<<: *a|[|]|[{|{"word": "a", "start": 1, "line": 0},|'
    '"word"|"start"|NaN|1e999|null|true|:|,|"|\'|%|@|`|~|\t|\x00|\ufeff|\u2028|\u2060|\u202e|\r'
).split("|")
NUMBERS = (
    "0 -1 99 100 999999999 4294967296 99999999999999999999 1e9 1e999 -1e999 NaN inf 0x1f 1_000 "
    "0.0000000001 .5 5. -0 00 ١٢ ² ½ 1,5 1e-320"
).split()
ENCODINGS = (
    *("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1", "cp1251"),
    *("koi8_r", "shift_jis", "euc_kr", "gb18030", "big5", "utf-7", "cp037"),
)
CODECS = {"mp3": "libmp3lame", "flac": "flac", "ogg": "vorbis", "m4a": "aac", "wav": "pcm_s16le",
          "aiff": "pcm_s16be", "wma": "wmav2", "wv": "wavpack"}  # fmt: skip


def sung(chance: random.Random) -> Lyrics:
    """Lyrics with word times, some of their ends unknown."""
    lines, at = [], 0.0
    for _ in range(chance.randint(1, 6)):
        words = []
        for _ in range(chance.randint(1, 6)):
            at += chance.uniform(0, 1)
            end = at + chance.uniform(0, 0.5) if chance.random() < 0.8 else None
            words.append(Word(chance.choice(SCRIPTS), at, end, space=chance.random() < 0.9))
            at = end or at
        voice = chance.choice([None, None, None, "bg", "v2", "Ann"])
        lines.append(Line(tuple(words), words[0].start, words[-1].end, voice))
    return Lyrics(tuple(lines), "en", metadata={"title": "Row", "artist": "A & B"})


def whole(chance: random.Random, name: str) -> bytes:
    """A file as it should be, of a format, or of any."""
    name = name if name in formats.names() else chance.choice(formats.names())
    return formats.write(sung(chance), name).encode()


def noise(chance: random.Random, _name: str) -> bytes:
    return chance.randbytes(chance.randint(0, 400))


def rubble(chance: random.Random, _name: str) -> bytes:
    gaps = ("", "", " ", "\n", "\n  ", "\r\n", "\n\n")
    count = chance.randint(0, 60)
    return "".join(chance.choice(RUBBLE) + chance.choice(gaps) for _ in range(count)).encode()


def damaged(chance: random.Random, name: str) -> bytes:
    data = bytearray(whole(chance, name))
    for _ in range(chance.randint(1, 8)):
        at, width = chance.randint(0, len(data)), chance.choice([0, 1, 1, 1, 8, 60])
        put = chance.choice(
            [b"", chance.randbytes(1), chance.choice(RUBBLE).encode(), bytes(data[at : at + 99])]
        )
        data[at : at + width] = put
    return bytes(data)


def absurd(chance: random.Random, name: str) -> bytes:
    """Every number of a file may be another."""
    share = chance.choice([0.02, 0.2, 1.0])

    def other(found: re.Match[str]) -> str:
        return chance.choice(NUMBERS) if chance.random() < share else found[0]

    return re.sub(r"\d+", other, whole(chance, name).decode()).encode()


def encoded(chance: random.Random, name: str) -> bytes:
    """A file in an encoding, cut or not, with or without the mark of another."""
    data = whole(chance, name).decode().encode(chance.choice(ENCODINGS), errors="replace")
    mark = chance.choice([b"", b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0"])
    return (mark + data)[: chance.choice([None, -1, -3])]


def large(chance: random.Random, name: str) -> bytes:
    """One piece over and over, up to the largest size that is read at all."""
    size = round(2 ** chance.uniform(14, 22))
    head, piece = chance.choice(
        [
            (b"", chance.choice(RUBBLE).encode()),
            (whole(chance, name), chance.choice(RUBBLE).encode()),
            (b"", whole(chance, name)),
            (b"", chance.randbytes(3)),
            (b"", bytes([chance.randrange(256)])),
        ]
    )
    return (head + (piece or b"x") * (size // len(piece or b"x")))[: min(size, MAX_BYTES)]


KINDS: tuple[tuple[Callable[[random.Random, str], bytes], float], ...] = (
    (noise, 0.15), (rubble, 0.2), (damaged, 0.3), (absurd, 0.2), (encoded, 0.13), (large, 0.02),
)  # fmt: skip


def made(name: str, number: int) -> tuple[str, bytes]:
    """The input of a number, always the same, and what kind it is."""
    chance = random.Random(f"{name} {number}")
    (make,) = chance.choices([kind for kind, _ in KINDS], [share for _, share in KINDS])
    return make.__name__, make(chance, name)


def as_format(name: str, data: bytes) -> list[Lyrics]:
    formats.guess(data)
    try:
        return [formats.read(data, name)]
    except FormatError as error:
        check_message(error)
        return []


def as_file(data: bytes, number: int) -> list[Lyrics]:
    """As what lies beside a song."""
    suffix = ("", ".lrc", ".elrc", ".txt", ".ttml", ".yaml", ".srt", ".vtt", ".ass")[number % 9]
    try:
        return [files.from_bytes(data, Path(f"song{suffix}"), source="sidecar")]
    except (FormatError, LyricsNotFound) as error:
        check_message(error)
        return []


def check_message(error: FormatError | LyricsNotFound) -> None:
    assert 0 < len(str(error)) < 400, f"an error of {len(str(error))} characters"
    assert "\n" not in str(error), "an error of several lines"


def check_sound(lyrics: Lyrics) -> None:
    """What was read is what a writer could begin with."""
    plain = dataclasses.replace(lyrics, source="", source_id=None)
    assert tidy(plain) == plain, "the lyrics are not in order"


def songs(folder: Path) -> list[Path]:
    """A small song of each kind, with our lyrics and a title in its tags."""
    found = []
    for suffix, codec in CODECS.items():
        path = folder / f"song.{suffix}"
        kind = {"m4a": "ipod", "wma": "asf"}.get(suffix)
        with av.open(str(path), "w", format=kind) as file:
            stream = file.add_stream(codec, rate=44100, options={"strict": "experimental"})
            stream.layout, stream.bit_rate = "stereo", 96_000
            quiet = np.zeros((1, 2 * 22050), dtype=np.int16)
            frame = av.AudioFrame.from_ndarray(quiet, format="s16", layout="stereo")
            frame.sample_rate = 44100
            for packet in [*stream.encode(frame), *stream.encode(None)]:
                file.mux(packet)
        lyrics = sung(random.Random(suffix))
        report = write_lyrics(
            path, lyrics, Output(preset="embed"), journal=Journal(folder / "journal.db")
        )
        assert report.written == (path,), report
        found.append(path)
    return found


def as_song(data: bytes, path: Path) -> list[Lyrics]:
    """As a song whose tags are read for lyrics, and opened to be written."""
    path.write_bytes(data)
    found = [candidate.lyrics for candidate in LocalSource().find(Track(path))]
    with contextlib.suppress(WriteError, Untouchable):
        there = opened(path)
        if there is not None:
            there.read()
    return found


def spoilt_song(whole_song: bytes, number: int) -> bytes:
    """Tags stand at the beginning or the end."""
    chance = random.Random(f"song {number}")
    data = bytearray(whole_song)
    for _ in range(chance.randint(1, 12)):
        reach = chance.choice([64, 2000, 2000, len(data)])
        at = chance.randrange(min(reach, len(data)))
        at = chance.choice([at, at, len(data) - 1 - at])
        width = chance.choice([1, 1, 4, 16])
        data[at : at + width] = chance.choice(
            [chance.randbytes(width), b"\xff" * width, b"\0" * width, b"", data[at : at + 400]]
        )
    return bytes(data[: chance.choice([None, None, chance.randrange(len(data) + 1)])])


def inputs_of(
    reader: str, numbers: range, folder: Path
) -> Iterator[tuple[int, str, Callable[[], list[Lyrics]]]]:
    """Each input's number, its kind, and the call that reads it."""
    if reader == "tags":
        whole_songs = [(path.suffix, path.read_bytes()) for path in songs(folder)]
        for number in numbers:
            suffix, data = whole_songs[number % len(whole_songs)]
            spoilt, path = spoilt_song(data, number), folder / f"spoilt{suffix}"
            yield number, suffix[1:], partial(as_song, spoilt, path)
        return
    for number in numbers:
        kind, data = made(reader, number)
        if reader == "files":
            yield number, kind, partial(as_file, data, number)
        else:
            yield number, kind, partial(as_format, reader, data)


def fuzz(reader: str, numbers: range) -> list[str]:
    """Feed one reader; prints a line, and returns what went wrong."""
    faults: list[str] = []
    tally: Counter[bool] = Counter()
    slowest = (0.0, 0, "")
    with tempfile.TemporaryDirectory() as name:
        for number, kind, read in inputs_of(reader, numbers, Path(name)):
            began = time.process_time()
            took = 0.0
            try:
                found = read()
                took = time.process_time() - began
                tally[bool(found)] += 1
                for lyrics in found:
                    check_sound(lyrics)
            except Exception as error:  # noqa: BLE001 - that there is none is what is looked for
                faults.append(f"{reader} {number} ({kind}): {type(error).__name__}: {error}"[:300])
            slowest = max(slowest, (took, number, kind))
            if took > LIMIT_S:
                faults.append(f"{reader} {number} ({kind}): {took:.2f} s")
    print(
        f"{reader:12} {len(numbers):6} inputs: {tally[True]:6} read, {tally[False]:6} refused, "
        f"{len(faults)} faults; slowest {slowest[0]:.2f} s ({slowest[2]}, number {slowest[1]})",
        flush=True,
    )
    return faults


def main() -> None:
    readers = (*formats.names(), "files", "tags")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("readers", nargs="*", metavar="READER", help=f"of {', '.join(readers)}")
    parser.add_argument("--inputs", type=int, default=10_000, metavar="N")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="this input alone")
    arguments = parser.parse_args()
    only = arguments.only
    numbers = range(arguments.inputs) if only is None else range(only, only + 1)
    faults = [fault for reader in arguments.readers or readers for fault in fuzz(reader, numbers)]
    print("\n".join(faults[:100]))
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
