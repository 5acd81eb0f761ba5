"""Hostile input to a running service, which must stay up and do its work meanwhile.

    python -m benchmarks.torture connections [--count 10000] [--descriptors 1024]

``connections``: as many connections as told to the control interface, of every kind that does harm
(idle, half a request, byte by byte, reset, rubbish, TLS, answers that are not read, floods of
listeners), some hundred of them open at once. All the while ``/healthz`` must answer, songs that
come must be done, and the log must stay short. It ends with status 1 where that was not so.

Only loopback is used; the service is a process of its own, in a folder of its own.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.daemon import ServiceContext
from tests.hostile_clients import attack, watched

SONG = Path(__file__).parent.parent / "demo" / "songs" / "The_Star.mp3"
TIMED = "[00:05.28]<00:05.28>Twinkle, <00:06.19>twinkle <00:07.09>\n"
SONGS = 10
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
        house = ServiceContext(Path(folder))
        with house.service() as process:
            parts = urlsplit(house.url)
            address = parts.hostname or "", parts.port or 0
            most = 0
            awaited: list[Path] = []
            every = options.count // SONGS

            def between(opened: int) -> None:
                nonlocal most
                most = max(most, descriptors(process))
                while len(awaited) < min(opened // every, SONGS):
                    awaited.append(drop(house.music, f"song {len(awaited)}.mp3"))

            began = time.monotonic()
            with watched(address) as watch:
                attack(address, options.count, held=options.held, between=between)
                took = time.monotonic() - began
                house.until(lambda: all(map(Path.exists, awaited)), "the songs are done")
            done_after = time.monotonic() - began - took
            log = (house.folder / "log").stat().st_size
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


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("connections", help="hostile clients of the control interface")
    command.add_argument("--count", type=int, default=10_000)
    command.add_argument("--held", type=int, default=600, help="open at once")
    command.add_argument("--descriptors", type=int, default=1024, help="limit of open files")
    command.set_defaults(run=connections)
    options = parser.parse_args()
    run: Callable[[argparse.Namespace], bool] = options.run
    return 0 if run(options) else 1


if __name__ == "__main__":
    sys.exit(main())
