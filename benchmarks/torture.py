"""Hostile input to a running service, which must stay up and do its work meanwhile.

    python -m benchmarks.torture connections [--count 10000] [--descriptors 1024]
    python -m benchmarks.torture patterns [--count 10000] [--names 500]
    python -m benchmarks.torture files [--count 500] [--timeout 600]

``connections``: a given number of connections to the control interface, of every harmful kind
(idle, half a request, byte by byte, reset, rubbish, TLS, answers that are not read, floods of
listeners), some hundred of them open at once. All the while ``/healthz`` must answer, songs that
come must be done, and the log must stay short. It ends with status 1 where that was not so.

``patterns``: as many hostile patterns in ``exclude`` and in ignore files (runs of wildcards, ranges
that run backwards, bytes at random), over names that are as long as names can be, and ignore files
that are a FIFO, a device or too large. ``/healthz`` must answer, and every healthy song be done.

``files``: as many hostile songs as healthy ones (tags that keep a parser busy or fill its memory,
headers that claim hours, streams chained and cut, bits flipped, bytes at random), each with words
beside it, so that they are decoded. Every healthy song must be done, and every hostile one come to
an end with a reason; the memory of the service and its processes is measured.

Only loopback is used; the service is a process of its own, in a folder of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.daemon import ServiceContext
from lyricsyncd.library.rules import IGNORE_FILE
from lyricsyncd.patterns import Glob, PatternError
from tests.hostile_clients import attack, watched
from tests.hostile_songs import HOSTILE
from tests.odd_headers import OGG, flac_of, wav_of
from tests.test_audio import clicks, encode

SONG = Path(__file__).parent.parent / "demo" / "songs" / "The_Star.mp3"
TIMED = "[00:05.28]<00:05.28>Twinkle, <00:06.19>twinkle <00:07.09>\n"
SONGS = 10
HEALTHY = (
    *(f"song {number}.mp3" for number in range(SONGS)),
    *(f"album {number}/" for number in range(100)),
    *(f"ignored by a {kind}/" for kind in ("fifo", "device", "folder", "circle")),
    "album 0/song 1.mp3",
    "album 1/album 2/album 3/song 2.mp3",
)
"""Names that no hostile pattern matches; that of a folder ends in a slash."""
LOG_BYTES = 100_000


def drop(music: Path, name: str) -> Path:
    """A song with its words beside it; where the line-timed words will be."""
    song = music / name
    song.with_suffix(".elrc").write_text(TIMED, encoding="utf-8")
    shutil.copyfile(SONG, song)
    return song.with_suffix(".lrc")


def descriptors(process: int) -> int:
    return len(list(Path(f"/proc/{process}/fd").iterdir()))


def connections(options: argparse.Namespace) -> bool:
    """Whether the service stands many hostile connections."""
    # The service inherits the limit.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (options.descriptors, hard))
    with tempfile.TemporaryDirectory() as folder:
        api = ServiceContext(Path(folder))
        with api.service() as process:
            parts = urlsplit(api.url)
            address = parts.hostname or "", parts.port or 0
            most = 0
            awaited: list[Path] = []
            every = options.count // SONGS

            def between(opened: int) -> None:
                nonlocal most
                most = max(most, descriptors(process))
                while len(awaited) < min(opened // every, SONGS):
                    awaited.append(drop(api.music, f"song {len(awaited)}.mp3"))

            began = time.monotonic()
            with watched(address) as watch:
                attack(address, options.count, held=options.held, between=between)
                took = time.monotonic() - began
                api.until(lambda: all(map(Path.exists, awaited)), "the songs are done")
            done_after = time.monotonic() - began - took
            log = (api.folder / "log").stat().st_size
    print(f"{options.count} connections in {took:.0f} s, {options.held} of them open at once")
    print(f"{len(awaited)} songs came meanwhile, the last was done {done_after:.1f} s after it")
    print(
        f"/healthz: {len(watch.took)} asked, {len(watch.wrong)} wrong, median "
        f"{statistics.median(watch.took) * 1e3:.0f} ms, longest {max(watch.took) * 1e3:.0f} ms"
    )
    print(f"descriptors of the service: {most} at most; its log: {log} bytes")
    if watch.wrong:
        print("wrong:", *sorted(set(watch.wrong)))
    return not watch.wrong and log < LOG_BYTES


def hostile_patterns(count: int, chance: random.Random) -> list[str]:
    """Make patterns that are slow or bad, and match no healthy song."""
    made: list[str] = []
    while len(made) < count:
        text = (
            chance.choice(
                (
                    lambda: "*a" * chance.randrange(5, 60) + "b",
                    lambda: "**/" * chance.randrange(2, 30) + "*a*a*a*a*b",
                    lambda: "[z-a]" * chance.randrange(1, 9) + "*.mp3",
                    lambda: "".join(chance.choices("a*?[]!-/\\", k=chance.randrange(1, 60))),
                    lambda: "".join(chr(chance.randrange(1, 0x3000)) for _ in range(20)),
                    lambda: "?" * chance.randrange(200, 256) + "*",
                )
            )()
            .replace("\n", "")
            .replace("\r", "")
        )
        with contextlib.suppress(PatternError):
            if any(map(Glob(text).match_file, HEALTHY)):
                continue
        made.append(text)
    return made


def hostile_ignore_files(music: Path) -> None:
    """Make a folder for each kind of ignore file that is none, or cannot be read."""
    for kind in ("fifo", "device", "folder", "circle", "large", "binary"):
        file = music / f"ignored by a {kind}" / IGNORE_FILE
        file.parent.mkdir()
        if kind == "fifo":
            os.mkfifo(file)
        elif kind == "folder":
            file.mkdir()
        elif kind in ("device", "circle"):
            file.symlink_to("/dev/zero" if kind == "device" else file.name)
        else:
            file.write_bytes(b"*a*a*a*b\n" * 2_000_000 if kind == "large" else os.urandom(60_000))


def fill_with_patterns(music: Path, patterns: Sequence[str], names: int) -> list[Path]:
    """Spread patterns over nested folders with hostile names; the folders."""
    folders = [music / "album 0"]
    lines: list[str] = []
    for text in (*patterns, None):
        if text is None or sum(map(len, lines)) > 15_000:
            folders[-1].mkdir()
            (folders[-1] / IGNORE_FILE).write_text("\n".join(lines), encoding="utf-8")
            # Within each other: what lies deepest is compared with all of them.
            folders.append(folders[-1] / f"album {len(folders)}")
            lines = []
        if text is not None:
            lines.append(text)
    folders.pop()
    for number in range(names):
        folder = folders[number % len(folders)]
        # Songs that are none: each costs one try.
        (folder / ("a" * (240 - number % 7) + f"{number:04}.mp3")).write_bytes(b"no song")
    return folders


def patterns(options: argparse.Namespace) -> bool:
    """Whether the service stands many hostile patterns, ignore files and names."""
    made = hostile_patterns(options.count, random.Random(options.seed))
    with tempfile.TemporaryDirectory() as folder:
        api = ServiceContext(Path(folder))
        exclude = [text for text in made[: options.count // 50] if _is_pattern(text)]
        settings = json.loads(api.config.read_text(encoding="utf-8"))
        settings["libraries"][0]["exclude"] = exclude
        api.config.write_text(json.dumps(settings), encoding="utf-8")
        hostile_ignore_files(api.music)
        folders = fill_with_patterns(api.music, made[options.count // 50 :], options.names)
        with api.service():
            parts = urlsplit(api.url)
            with watched((parts.hostname or "", parts.port or 0)) as watch:
                began = time.monotonic()
                awaited = [
                    drop(chosen, f"song {number}.mp3")
                    for number in range(SONGS)
                    for chosen in (api.music, folders[-1 - number % len(folders)])
                ]
                awaited += [
                    drop(api.music / f"ignored by a {kind}", "song.mp3")
                    for kind in ("fifo", "device", "folder", "circle")
                ]
                api.until(lambda: all(map(Path.exists, awaited)), "the songs are done")
                took = time.monotonic() - began
            log = (api.folder / "log").read_text(encoding="utf-8")
    print(f"{len(exclude)} patterns to exclude, the others of {len(made)} in {len(folders)} files")
    print(f"{options.names} hostile names; {len(awaited)} songs came, all done in {took:.0f} s")
    print(
        f"/healthz: {len(watch.took)} asked, {len(watch.wrong)} wrong, median "
        f"{statistics.median(watch.took) * 1e3:.0f} ms, longest {max(watch.took) * 1e3:.0f} ms"
    )
    print(f"tracebacks in the log: {log.count('Traceback')}; its length: {len(log)} characters")
    return not watch.wrong and "Traceback" not in log


def hostile_files(music: Path, count: int, chance: random.Random) -> None:
    """Write hostile songs, with words beside them: each dear kind once, the others at random."""
    whole = [SONG.read_bytes(), *(make(music) for make in (_opus, _wav, _flac))]
    dear = [(name, make) for name, make in HOSTILE.items()]
    for number in range(count):
        if number < len(dear):
            name, make = dear[number]
            content = make()
        else:
            data = chance.choice(whole)
            name = {b"ID3": "x.mp3", b"Ogg": "x.opus", b"RIF": "x.wav", b"fLa": "x.flac"}.get(
                data[:3], "x.mp3"
            )
            content = _harmed(data, chance)
        song = music / f"album {number // 100}" / f"hostile {number} {name}"
        song.parent.mkdir(exist_ok=True)
        song.with_suffix(".txt").write_text("Twinkle twinkle\n", encoding="utf-8")
        song.write_bytes(content)


def _encoded(folder: Path, name: str, rate: int, codec: str) -> bytes:
    song = encode(folder.parent / name, clicks(rate), rate, codec)
    content = song.read_bytes()
    song.unlink()
    return content


def _opus(folder: Path) -> bytes:
    return _encoded(folder, "x.opus", 48_000, "libopus")


def _wav(folder: Path) -> bytes:
    return _encoded(folder, "x.wav", 44_100, "pcm_s16le")


def _flac(folder: Path) -> bytes:
    return _encoded(folder, "x.flac", 44_100, "flac")


def _harmed(data: bytes, chance: random.Random) -> bytes:
    """The content of a song, harmed in one of many ways."""
    kind = chance.randrange(8)
    if kind == 0:
        return data[: chance.randrange(1, len(data))]
    if kind == 1:
        return chance.randbytes(chance.randrange(1, 50_000))
    if kind == 2:
        return data[:4] + chance.randbytes(20_000)
    if kind == 3 and data[:4] == b"OggS":
        return chance.choice(list(OGG.values()))(data)
    if kind == 4 and data[:4] == b"RIFF":
        return wav_of(data, chance.choice((0, 1, 0xFFFFFFFF, 2**31, len(data) * 9)))
    if kind == 5 and data[:4] == b"fLaC":
        return flac_of(data, chance.choice((0, 1, 2**36 - 1, 44_100 * 72_000)))
    changed = bytearray(data)
    # Within the headers, mostly.
    reach = len(data) if kind == 6 else min(len(data), 4000)
    for _ in range(chance.randrange(1, 200)):
        changed[chance.randrange(reach)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def memory_of(process: int) -> tuple[int, int]:
    """MB resident of a process now, and of it and all its children together."""
    sizes: dict[int, int] = {}
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            fields = (folder / "stat").read_text().rpartition(") ")[2].split()
            parents[int(folder.name)] = int(fields[1])
            sizes[int(folder.name)] = int(fields[21]) * resource.getpagesize() >> 20
    total, family = 0, [process]
    while family:
        one = family.pop()
        total += sizes.get(one, 0)
        family += [child for child, parent in parents.items() if parent == one]
    return sizes.get(process, 0), total


def files(options: argparse.Namespace) -> bool:
    """Whether the service does every healthy song among as many hostile ones."""
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        api = ServiceContext(Path(folder))
        settings = json.loads(api.config.read_text(encoding="utf-8"))
        settings["models"] = {"separator": "mix"}
        settings["daemon"]["nice"] = 0
        api.config.write_text(json.dumps(settings), encoding="utf-8")
        hostile_files(api.music, options.count, chance)
        for number in range(options.count):
            drop(api.music / f"album {number // 100}", f"song {number}.mp3")
        began = time.monotonic()
        with api.service() as process:
            parts = urlsplit(api.url)
            peak, peak_of_all = 0, 0
            with watched((parts.hostname or "", parts.port or 0)) as watch:
                while time.monotonic() - began < options.timeout:
                    own, every = memory_of(process)
                    peak, peak_of_all = max(peak, own), max(peak_of_all, every)
                    left = api.rows(
                        "SELECT 1 FROM tracks WHERE state IN ('pending', 'working') LIMIT 1"
                    )
                    if not left and api.known() >= 2 * options.count - _EMPTY:
                        break
                    time.sleep(0.5)
                took = time.monotonic() - began
        rows = api.rows("SELECT path, state, COALESCE(reason, '') FROM tracks")
        log = (api.folder / "log").read_text(encoding="utf-8")
    healthy = Counter(state for path, state, _ in rows if b"/song " in _bytes(path))
    hostile = [(state, reason) for path, state, reason in rows if b"/hostile " in _bytes(path)]
    ended = [(state, reason) for state, reason in hostile if state not in ("pending", "working")]
    refused = [1 for state, reason in ended if state not in ("done", "lines") and reason]
    print(f"healthy songs done: {healthy['done']} of {options.count}")
    print(
        f"hostile songs: {len(refused)} refused with a reason, "
        f"{sum(state in ('done', 'lines') for state, _ in ended)} placed for all that, "
        f"{len(hostile) - len(ended)} without an end, {options.count - len(hostile)} no song"
    )
    print(f"all in {took:.0f} s; peak memory {peak} MB, with all its processes {peak_of_all} MB")
    print(
        f"/healthz: {len(watch.took)} asked, {len(watch.wrong)} wrong, median "
        f"{statistics.median(watch.took) * 1e3:.0f} ms, longest {max(watch.took) * 1e3:.0f} ms"
    )
    print(f"tracebacks in the log: {log.count('Traceback')}; its length: {len(log)} characters")
    print("reasons:", *Counter(_kind(reason) for _, reason in ended).most_common(8), sep="\n  ")
    return (
        healthy["done"] == options.count
        and len(ended) == len(hostile)
        and not watch.wrong
        and "Traceback" not in log
    )


_EMPTY = 2
"""Hostile files that may be no songs at all: empty ones."""


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes)
    return value


def _kind(reason: object) -> str:
    """A reason without the name and the numbers of its song."""
    text = re.sub(r"^.*/hostile \d+ .*?\.[a-z0-9]+ ", "", str(reason))
    return re.sub(r"\d+", "N", text)[:70]


def _is_pattern(text: str) -> bool:
    try:
        Glob(text)
    except PatternError:
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("connections", help="hostile clients of the control interface")
    command.add_argument("--count", type=int, default=10_000)
    command.add_argument("--held", type=int, default=600, help="open at once")
    command.add_argument("--descriptors", type=int, default=1024, help="limit of open files")
    command.set_defaults(run=connections)
    command = commands.add_parser("patterns", help="hostile patterns, ignore files and names")
    command.add_argument("--count", type=int, default=10_000)
    command.add_argument("--names", type=int, default=500)
    command.add_argument("--seed", type=int, default=1)
    command.set_defaults(run=patterns)
    command = commands.add_parser("files", help="hostile songs among healthy ones")
    command.add_argument("--count", type=int, default=500, help="of each of both")
    command.add_argument("--timeout", type=float, default=600.0, help="seconds")
    command.add_argument("--seed", type=int, default=1)
    command.set_defaults(run=files)
    options = parser.parse_args()
    run: Callable[[argparse.Namespace], bool] = options.run
    return 0 if run(options) else 1


if __name__ == "__main__":
    sys.exit(main())
