"""What separating costs and what it gives, for several ways to cut a song into chunks.

    python -m benchmarks.separation SONGS MODEL.onnx [--threads N] [--seconds S]

SONGS is a folder of songs, each with NAME.words.csv beside it (columns that begin with an onset
and an offset in seconds). For each variant: seconds of work a minute of audio, the process' peak
memory, and by how many dB the loudness of what is left between the sung words falls more than
that of the words themselves (higher is better; 0 is the mix).
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import resource
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Variant = tuple[int, int, int]

SOUNDS = {".mp3", ".ogg", ".flac", ".m4a", ".opus", ".wav"}
VARIANTS: tuple[Variant, ...] = (
    (22_050, 384, 64),
    (22_050, 512, 0),
    (22_050, 256, 64),
    (22_050, 256, 0),
    (22_050, 128, 64),
    (44_100, 384, 64),
)
"""Sample rate, frames a chunk, frames of context."""


def sung(words: Path, length: int, rate: int) -> NDArray[np.bool_]:
    """Which samples lie within a word; shape (length,)."""
    inside = np.zeros(length, np.bool_)
    with words.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            try:
                start, end = float(row[0]), float(row[1])
            except (ValueError, IndexError):
                continue  # a header
            inside[round(start * rate) : round(end * rate)] = True
    return inside


def contrast(samples: Samples, inside: NDArray[np.bool_]) -> float:
    """Loudness of the sung over that of the unsung parts, in dB."""
    power = np.square(samples.mean(axis=1), dtype=np.float64)
    return float(10 * np.log10(power[inside].mean() / (power[~inside].mean() + 1e-12)))


def measure(
    variant: Variant, model: Path, songs: list[Path], threads: int, seconds: float
) -> tuple[float, float, int, list[float]]:
    """Wall and CPU seconds a minute, peak memory in MB, gain in contrast song by song."""
    from lyricsyncd import audio
    from lyricsyncd.separate.spleeter import Spleeter

    rate, chunk, context = variant
    separator = Spleeter(model, threads=threads, chunk=chunk, context=context)
    wall = cpu = length = 0.0
    gains = []
    for song in songs:
        mix = np.concatenate(list(audio.blocks(song, rate)))[: round(seconds * rate)]
        began, spent = time.perf_counter(), time.process_time()
        vocals = np.concatenate(list(separator.separate(np.array_split(mix, 100), rate)))
        wall += time.perf_counter() - began
        cpu += time.process_time() - spent
        length += len(mix) / rate
        inside = sung(song.with_suffix(".words.csv"), len(mix), rate)
        gains.append(contrast(vocals, inside) - contrast(mix, inside))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return wall / length * 60, cpu / length * 60, peak, gains


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("songs", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each song")
    given = parser.parse_args()
    songs = sorted(path for path in given.songs.iterdir() if path.suffix in SOUNDS)
    print(f"{len(songs)} songs, {given.seconds:.0f} s of each, {given.threads} thread(s)")
    print("rate   chunk  context  wall s/min  CPU s/min  peak MB  gain dB: mean, song by song")
    # A process each: peak memory never falls.
    spawn = multiprocessing.get_context("spawn")
    for variant in VARIANTS:
        with spawn.Pool(1) as pool:
            arguments = (variant, given.model, songs, given.threads, given.seconds)
            wall, cpu, peak, gains = pool.apply(measure, arguments)
        rate, chunk, context = variant
        each = " ".join(f"{gain:5.1f}" for gain in gains)
        print(
            f"{rate:5}  {chunk:5}  {context:7}  {wall:10.2f}  {cpu:9.2f}  {peak:7}"
            f"  {np.mean(gains):5.2f}: {each}",
            flush=True,
        )


if __name__ == "__main__":
    main()
