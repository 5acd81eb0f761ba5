"""Measure a cluster on a network of this machine: two computers against one, and what is lost.

    sudo python -m benchmarks.cluster [--library 200] [--seconds 240] [--models DIR]

Network namespaces stand for the computers (`tests.namespaces`). Two services, one with a single
worker and one with two, place short songs at the same time, so that what else the machine does, and
that its cores are few, meets each worker alike: the ratio is what the network and the scheduler
leave of two. Then a library is placed, without separating vocals, while a worker is added, and
another one killed and started again: each song must be done, and once.
"""

from __future__ import annotations

import argparse
import os
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
        cluster.start_worker(number)
    cluster.start_service()
    return cluster


def ratio(clip: Path, folder: Path, given: argparse.Namespace) -> None:
    """Print songs an hour of one worker and of two, both at work at the same time."""
    with computers(2) as first, computers(3) as second:
        clusters = {
            count: started(network, folder / str(count), given.models, count)
            for count, network in ((1, first), (2, second))
        }
        for count, cluster in clusters.items():
            cluster.add_songs(2 * count, clip, WORDS)
        for count, cluster in clusters.items():
            # The models are loaded then.
            cluster.until(lambda: len(cluster.times_done()) >= 2 * count, "songs", _LONGEST_S)  # noqa: B023
        for cluster in clusters.values():
            cluster.add_songs(given.library, clip, WORDS)
        before = {count: len(cluster.times_done()) for count, cluster in clusters.items()}
        load = os.getloadavg()[0]
        time.sleep(given.seconds)
        done = {
            count: len(cluster.times_done()) - before[count] for count, cluster in clusters.items()
        }
    rates = {count: 3600 * songs / given.seconds for count, songs in done.items()}
    print(
        f"one worker: {rates[1]:.0f} songs an hour, two: {rates[2]:.0f}, "
        f"{rates[2] / max(rates[1], 1e-9):.2f} × (in {given.seconds} s of the same time, load "
        f"{load:.1f} before and {os.getloadavg()[0]:.1f} after)",
        flush=True,
    )


def comings_and_goings(clip: Path, folder: Path, given: argparse.Namespace) -> None:
    """Place a library while workers come and go; print what became of it."""
    with computers(3) as network:
        folder.mkdir()
        cluster = Cluster(network, folder, None)
        cluster.add_songs(given.library, clip, WORDS)
        cluster.start_scheduler()
        computer, process = cluster.start_worker(0)
        began = time.perf_counter()
        cluster.start_service()

        def after(share: float) -> None:
            wanted = round(share * given.library)
            cluster.until(lambda: len(cluster.times_done()) >= wanted, "songs", _LONGEST_S)

        after(0.2)
        cluster.start_worker(1)
        print(f"a worker was added after {len(cluster.times_done())} songs", flush=True)
        after(0.5)
        computer.end(process)
        print(f"a worker was killed after {len(cluster.times_done())} songs", flush=True)
        after(0.7)
        cluster.start_worker(0)
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
    parser.add_argument("--library", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=240)
    parser.add_argument("--models", type=Path, default=models_dir())
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        clip = first_seconds(SONGS / "The_Star.mp3", 9, folder / "clip.wav")
        ratio(clip, folder, given)
        comings_and_goings(clip, folder / "library", given)


if __name__ == "__main__":
    main()
