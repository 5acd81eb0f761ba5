"""How long a tag write takes, against copying the file: ``python -m benchmarks.tags``.

A FLAC file of 30 MB of noise; the copy is forced to the disk, as the write is. Medians of 21. On a
busy machine only ``chrt -f 10 ionice -c1 python -m benchmarks.tags`` tells (as root).
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import av
import numpy as np

from lyricsyncd import formats
from lyricsyncd.config.schema import Output
from lyricsyncd.tags import Journal, write_lyrics

BYTES = 30_000_000


def make(path: Path) -> None:
    """Noise does not shrink: two bytes a sample stay two bytes."""
    noise = np.random.default_rng(1).integers(-30_000, 30_000, (1, BYTES // 2), dtype=np.int16)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("flac", rate=44100, layout="stereo")
        frame = av.AudioFrame.from_ndarray(noise, format="s16", layout="stereo")
        frame.sample_rate = 44100
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packet)


def copy(song: Path, to: Path) -> float:
    began = time.perf_counter()
    shutil.copyfile(song, to)
    with to.open("rb") as file:
        os.fsync(file)
    return time.perf_counter() - began


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        song = folder / "song.flac"
        make(song)
        copies, writes = [], []
        for number in range(21):
            copies.append(copy(song, folder / f"copy{number}"))
            lyrics = formats.read(f"[00:01.00]Words {number}\n".encode() * 40, "lrc")
            began = time.perf_counter()
            report = write_lyrics(
                song,
                lyrics,
                Output.model_validate({"preset": "embed"}),
                journal=Journal(folder / "journal.db"),
            )
            writes.append(time.perf_counter() - began)
            assert report.written == (song,), report
        copied, written = statistics.median(copies), statistics.median(writes)
        print(f"{song.stat().st_size / 1e6:.0f} MB: copy {copied:.3f} s, tag {written:.3f} s")
        print(f"ratio {written / copied:.2f} (first, which imports: {writes[0] / copied:.2f})")


if __name__ == "__main__":
    main()
