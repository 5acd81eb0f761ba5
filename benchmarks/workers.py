"""Measure songs an hour of one and of several model workers on this computer, in one run.

    python -m benchmarks.workers [--songs 8] [--rounds 3] [--counts 1 2]

The demo songs are placed by pools of different sizes, in turn, so
that what else the computer does meets all of them; ratios are those of the medians. The load at the
begin of each round is printed with it. Models are warm: each pool places a song per worker first.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lyricsyncd import audio
from lyricsyncd.config.schema import Config
from lyricsyncd.model import Lyrics, SongIdentification, Track
from lyricsyncd.pipeline.prepared import Prepared
from lyricsyncd.pipeline.settings import placing_settings
from lyricsyncd.processes.limits import ResourceLimits
from lyricsyncd.work import worker
from lyricsyncd.work.worker_pool import WorkerPool

SONGS = Path(__file__).parent.parent / "demo" / "songs"


def songs(folder: Path, count: int) -> list[Prepared]:
    """Copy the demo songs, in turn, until there are enough."""
    found = sorted(SONGS.glob("*.mp3"))
    prepared = []
    for number in range(count):
        source = found[number % len(found)]
        path = folder / f"{number:03}.mp3"
        shutil.copyfile(source, path)
        text = source.with_suffix(".txt").read_text(encoding="utf-8")
        track = Track(path, title=source.stem, duration=audio.probe(path).duration)
        lyrics = Lyrics.from_text(text, source="given")
        prepared.append(Prepared(path, SongIdentification(track), lyrics, None, all_found=True))
    return prepared


def songs_an_hour(pool: WorkerPool, some: Sequence[Prepared]) -> float:
    """Place songs, as many at once as the pool takes."""
    settings = placing_settings(Config())

    def place(song: Prepared) -> None:
        pool.submit_within(None, None, worker.place, settings, song).result()

    began = time.perf_counter()
    with ThreadPoolExecutor(pool.slots) as threads:
        list(threads.map(place, some))
    return 3600 * len(some) / (time.perf_counter() - began)


def main() -> None:
    """Print songs an hour for each size of the pool."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 2])
    given = parser.parse_args()
    rates: dict[int, list[float]] = {count: [] for count in given.counts}
    limits = ResourceLimits(nice=os.nice(0), ionice="none")
    pools = {count: WorkerPool(count, 3600, limits) for count in given.counts}
    with tempfile.TemporaryDirectory() as folder:
        some = songs(Path(folder), given.songs)
        try:
            for count, pool in pools.items():
                songs_an_hour(pool, some[:count])
            for number in range(given.rounds):
                for count, pool in pools.items():
                    load = os.getloadavg()[0]
                    rates[count].append(songs_an_hour(pool, some))
                    print(
                        f"round {number + 1}: {count} at once, {rates[count][-1]:.0f} songs an hour"
                        f" (load {load:.1f} on {os.cpu_count()} cores)",
                        flush=True,
                    )
        finally:
            for pool in pools.values():
                pool.shutdown(wait=False, cancel_futures=True)
    one = statistics.median(rates[given.counts[0]])
    for count, found in rates.items():
        median = statistics.median(found)
        print(f"{count} at once: {median:.0f} songs an hour, {median / one:.2f} ×")


if __name__ == "__main__":
    main()
