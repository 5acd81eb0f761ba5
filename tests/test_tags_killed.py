"""Writers killed at random points: no song damaged, no temporary file left after the next start."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

from lyricsyncd.tags import Journal, clear_after_crash
from lyricsyncd.tags.songfile import same_audio

KILLS = 500
_WRITER = """
import os, sys
from pathlib import Path
from lyricsyncd import formats
from lyricsyncd.config.schema import OutputFile
from lyricsyncd.tags import Journal, write_lyrics
import av, mutagen.flac
song, state = Path(sys.argv[1]), Path(sys.argv[2])
output = tuple(OutputFile(format="lrc_standard", to=to) for to in ("tag", "sidecar"))
print("ready", flush=True)
# Each fork is killed on its own: a Python need not start five hundred times.
for row in sys.stdin:
    child = os.fork()
    if not child:
        number = int(row)
        while True:
            number += 1
            lyrics = formats.read(f"[00:01.00]Words {number}".encode(), "lrc")
            write_lyrics(song, lyrics, output, journal=Journal(state))
    print(child, flush=True)
    os.waitpid(child, 0)
    print("dead", flush=True)
"""


def until_writing(folder: Path) -> None:
    deadline = time.monotonic() + 10
    while not any(path.name.startswith(".") for path in folder.iterdir()):
        assert time.monotonic() < deadline, "nothing was written"


@pytest.mark.slow
def test_five_hundred_kills_damage_nothing(tmp_path: Path) -> None:
    song = tmp_path / "music" / "song.flac"
    song.parent.mkdir()
    noise = np.random.default_rng(3).normal(0, 3000, (1, 400_000)).astype(np.int16)
    with av.open(str(song), "w") as file:
        stream = file.add_stream("flac", rate=44100, layout="stereo")
        frame = av.AudioFrame.from_ndarray(noise, format="s16", layout="stereo")
        frame.sample_rate = 44100
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packet)
    shutil.copy(song, tmp_path / "whole.flac")
    state = tmp_path / "journal.db"
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(song), str(state)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdin is not None
    assert writer.stdout is not None
    chance = random.Random(13)
    left = 0
    try:
        assert writer.stdout.readline() == "ready\n"
        for number in range(KILLS):
            writer.stdin.write(f"{number * 10_000}\n")
            writer.stdin.flush()
            child = int(writer.stdout.readline())
            if number % 2:
                # However slow the computer is: these fall into a write.
                until_writing(song.parent)
                time.sleep(chance.uniform(0, 0.02))
            else:
                time.sleep(chance.uniform(0, 0.08))
            os.kill(child, signal.SIGKILL)
            assert writer.stdout.readline() == "dead\n"
            left += len(list(song.parent.glob(".*")))
            clear_after_crash(Journal(state))
            names = {path.name for path in song.parent.iterdir()}
            assert names <= {"song.flac", "song.lrc"}
            assert same_audio(tmp_path / "whole.flac", song)
            sidecar = song.with_suffix(".lrc")
            if sidecar.exists():
                assert "Words" in sidecar.read_text()
    finally:
        writer.stdin.close()
        writer.terminate()
        writer.wait()
    # Some of them met a write halfway, or this would show nothing.
    assert left > 0
