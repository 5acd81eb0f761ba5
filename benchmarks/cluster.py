"""Measure a cluster on a network of this machine: two computers against one, and what is lost.

    sudo python -m benchmarks.cluster [--songs 10] [--rounds 3] [--library 200] [--models DIR]

Network namespaces stand for the computers (`tests.namespaces`); each worker has one core of its
own. Two services, one with a single worker and one with two, are given the same number of short
songs in turn, so that what else the machine does meets both. Then a library is placed while a
worker is added, and another one killed and started again: each song must be done, and once.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from lyricsyncd.config.paths import models_dir
from tests.namespaces import SONGS, Cluster, Computer, computers, first_seconds

WORDS = "Twinkle, twinkle, little star,\n"
_LONGEST_S = 3600.0


def started(network: list[Computer], folder: Path, models: Path, workers: int) -> Cluster:
    """Start a scheduler, workers with a core each, and the service."""
    folder.mkdir()
    cluster = Cluster(network, folder, models)
    cluster.start_scheduler()
    for number in range(workers):
        cluster.start_worker(number, cores=str(number % (os.cpu_count() or 1)))
    cluster.start_service()
    return cluster


def songs_an_hour(cluster: Cluster, clip: Path, count: int) -> float:
    """Add songs, and wait until they are done."""
    wanted = len(cluster.times_done()) + count
    began = time.perf_counter()
    cluster.add_songs(count, clip, WORDS)
    cluster.until(lambda: len(cluster.times_done()) >= wanted, "songs", _LONGEST_S)
    return 3600 * count / (time.perf_counter() - began)


def ratio(clip: Path, folder: Path, given: argparse.Namespace) -> None:
    """Print songs an hour of one worker and of two, in turn."""
    with computers(2) as first, computers(3) as second:
        clusters = {
            1: started(first, folder / "one", given.models, 1),
            2: started(second, folder / "two", given.models, 2),
        }
        rates: dict[int, list[float]] = {1: [], 2: []}
        for count, cluster in clusters.items():
            songs_an_hour(cluster, clip, 2 * count)
        for number in range(given.rounds):
            for count, cluster in clusters.items():
                load = os.getloadavg()[0]
                rates[count].append(songs_an_hour(cluster, clip, given.songs))
                print(
                    f"round {number + 1}: {count} workers, {rates[count][-1]:.0f} songs an hour"
                    f" (load {load:.1f})",
                    flush=True,
                )
    one, two = (statistics.median(found) for found in rates.values())
    print(f"two workers: {two / one:.2f} × the songs an hour of one")


def comings_and_goings(clip: Path, folder: Path, given: argparse.Namespace) -> None:
    """Place a library while workers come and go; print what became of it."""
    with computers(3) as network:
        folder.mkdir()
        cluster = Cluster(network, folder, given.models)
        cluster.add_songs(given.library, clip, WORDS)
        cluster.start_scheduler()
        computer, process = cluster.start_worker(0, cores="0")
        began = time.perf_counter()
        cluster.start_service()

        def after(share: float) -> None:
            wanted = round(share * given.library)
            cluster.until(lambda: len(cluster.times_done()) >= wanted, "songs", _LONGEST_S)

        after(0.2)
        cluster.start_worker(1, cores="1")
        print(f"a worker was added after {len(cluster.times_done())} songs", flush=True)
        after(0.5)
        computer.end(process)
        print(f"a worker was killed after {len(cluster.times_done())} songs", flush=True)
        after(0.7)
        cluster.start_worker(0, cores="0")
        after(1.0)
        took = time.perf_counter() - began
        time.sleep(5)
        cluster.stop_service()
        done = cluster.times_done()
        written = len(list(cluster.music.glob("*.lrc")))
        print(
            f"{given.library} songs: {given.library - len(done)} lost, "
            f"{sum(times > 1 for times in done.values())} done twice, {written} with lyrics, "
            f"{took:.0f} s (load {os.getloadavg()[0]:.1f})"
        )


def main() -> None:
    """Print both parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--library", type=int, default=200)
    parser.add_argument("--models", type=Path, default=models_dir())
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        clip = first_seconds(SONGS / "The_Star.mp3", 9, folder / "clip.wav")
        ratio(clip, folder, given)
        comings_and_goings(clip, folder / "library", given)


if __name__ == "__main__":
    main()
