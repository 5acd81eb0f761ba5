"""What the plugin adds to `beet import`.

::

    python -m benchmarks.beets [--songs 500] [--rounds 5] [--megabytes 4] [--ways without,up]

Imports the same songs into fresh libraries: without the plugin, with the service up, with nobody
at its address, and with an address where nobody even refuses. The ways take turns, and each figure
is the ratio within its round. The processor's time is that of `beet` alone, and steadier than the
clock's where others use the machine. Steadier still is the share of the time in which beets was
in the plugin's hands: loading it, and each time that it is called; one more import with the service
up a round is for that. It leaves out what a thread loads meanwhile, which the other figures
have. Songs are tiny by default, so that an import is as fast as can
be: real ones take longer to copy, and what the plugin does takes no longer. All lies below
``$TMPDIR``; where other programs write to the same disk, ``TMPDIR=/dev/shm`` leaves theirs out.
Needs what `make test-plugins` installs.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import shutil
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import beets

from benchmarks import beets_hooks
from tests.plugins.beets_library import Beets, make_song
from tests.plugins.conftest import OpenHome

ALBUM = 10
WAYS = ("without", "up", "down", "silent")


def main() -> None:
    parser = argparse.ArgumentParser(description="What the plugin adds to `beet import`.")
    parser.add_argument("--songs", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=float, default=0.0, help="of each song, at least")
    parser.add_argument("--ways", type=lambda text: text.split(","), default=list(WAYS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="beets-") as name:
        folder = Path(name)
        incoming = folder / "incoming"
        make_songs(incoming, options.songs, int(options.megabytes * 1e6))
        ways, shares = options.ways, []
        seconds: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for at in range(options.rounds):
            turn = at % len(ways)
            for way in ways[turn:] + ways[:turn]:
                took, _ = imported(folder / f"{at}-{way}", incoming, way, options.songs)
                seconds[way].append(took)
            _, said = imported(folder / f"{at}-in", incoming, "up", options.songs, beets_hooks)
            shares.append(float(said.partition(beets_hooks.MARK)[2].split()[0]))
        report(seconds, options.songs)
        share, low, high = statistics.median(shares), min(shares), max(shares)
        print(f"in the plugin's hands: {share:.2%} (median of rounds, {low:.2%}-{high:.2%})")


def make_songs(folder: Path, count: int, size: int = 0) -> None:
    """Albums of real files, of so many bytes each."""
    from mediafile import MediaFile
    from mutagen.id3 import ID3

    first = make_song(folder / "first.mp3")
    sound = first.read_bytes()[ID3(first).size :]
    with first.open("ab") as file:
        file.write(sound * (size // len(sound)))
    for number in range(count):
        path = folder / f"album {number // ALBUM}" / f"{number}.mp3"
        path.parent.mkdir(exist_ok=True)
        shutil.copyfile(first, path)
        file = MediaFile(path)
        file.title, file.album = f"Song {number}", f"Album {number // ALBUM}"
        file.save()
    first.unlink()


def imported(
    folder: Path, incoming: Path, way: str, songs: int, program: ModuleType = beets
) -> tuple[tuple[float, float], str]:
    """Seconds that an import takes by the clock, and of the processor; and what it says."""
    home = OpenHome(folder)
    # Nothing is to be worked on meanwhile: the plugin is measured, not the service.
    home.configure(daemon={"settle": 3600, "rescan": None})
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(silent()) if way == "silent" else home.url
        plugins = "" if way == "without" else "lyricsync"
        library = Beets(folder / "beets", home.music, plugins=plugins, lyricsync={"url": url})
        library("ls")
        library.module = program.__name__
        # The service watches in every other way, too, so that the machine has the same to do.
        if way != "down":
            home.start()
            stack.callback(home.stop)
        began, used = time.perf_counter(), _children()
        said = library.take_in(incoming).stderr
        seconds = time.perf_counter() - began, _children() - used
        assert ("are not reported" in said) is (way in ("down", "silent")), said
        if way == "up":
            library.module = beets.__name__
            assert len(library.shown("$title", "lyricsync_state:pending")) == songs
    shutil.rmtree(folder)
    return seconds, said


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """An address that takes no connection and does not refuse one either: its queue is full."""
    with socket.socket() as server, contextlib.ExitStack() as stack:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def _children() -> float:
    """Processor time of the processes that have ended; the service is still running."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def report(seconds: dict[str, list[tuple[float, float]]], songs: int) -> None:
    base = seconds["without"]
    plain = min(clock for clock, _ in base)
    print(f"{songs} songs, {len(base)} rounds; without the plugin {plain:.2f} s at best")
    for way in [way for way in seconds if way != "without"]:
        for at, what in enumerate(("clock", "processor")):
            shares = [
                mine[at] / theirs[at] for mine, theirs in zip(seconds[way], base, strict=True)
            ]
            best = min(each[at] for each in seconds[way]) / min(each[at] for each in base)
            print(
                f"{way:8} {what:9} x{best:.3f} (best to best), x{statistics.median(shares):.3f}"
                f" (median of rounds, {min(shares):.3f}-{max(shares):.3f})"
            )
        clock, processor = (
            statistics.median(
                mine[at] - theirs[at] for mine, theirs in zip(seconds[way], base, strict=True)
            )
            for at in (0, 1)
        )
        print(f"{way:8} adds {clock:+.3f} s, {processor:+.3f} s of the processor (medians)")


if __name__ == "__main__":
    main()
