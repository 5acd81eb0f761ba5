"""A real beets library: songs made for it, and `beet` as a process."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import mutagen
import numpy as np

from tests.service_home import ROOT

_ROWS = 24
CODECS = {"mp3": "mp3", "flac": "flac", "opus": "libopus", "m4a": "aac"}


def make_song(path: Path, *, title: str = "Song", artist: str = "Ann", words: str = "") -> Path:
    """Two seconds of hum, tagged; the words go where each format has lyrics."""
    from mediafile import MediaFile

    path.parent.mkdir(parents=True, exist_ok=True)
    hum = np.sin(np.arange(2 * 48000) / 20).astype(np.float32) * 0.1
    with av.open(path, "w") as container:
        stream = container.add_stream(CODECS[path.suffix[1:]], rate=48000, layout="mono")
        samples = (hum * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.rate = 48000
        for resampled in av.AudioResampler(
            format=stream.format, layout="mono", rate=48000, frame_size=stream.frame_size
        ).resample(frame):
            container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))
    file = MediaFile(path)
    file.title, file.artist, file.album = title, artist, "Album"
    file.lyrics = words or None
    file.save()
    return path


def lyrics_tag(path: Path) -> str:
    """The lyrics in a file, read by mutagen and by nothing of beets'."""
    tags = mutagen.File(path).tags
    for key in tags.keys():  # noqa: SIM118 - those of FLAC iterate over pairs
        if key.startswith("USLT"):
            return str(tags[key].text)
    found = tags.get("lyrics") or tags.get("\xa9lyr") or [""]
    return str(found[0])


@dataclass(frozen=True, slots=True)
class Shown:
    """What was to be seen in a terminal."""

    moments: list[list[str]]
    """Its lines, each time after they changed."""
    cursor_is_gone: bool

    @property
    def at_last(self) -> list[str]:
        return self.moments[-1]


def _read(master: int) -> Iterator[bytes]:
    """What is written to a terminal until nobody has it open."""
    with contextlib.suppress(OSError):
        while piece := os.read(master, 65536):
            yield piece


class Beets:
    """A library of beets.

    Parameters
    ----------
    folder : Path
        For its configuration and database.
    music : Path
        Where the songs go.
    """

    def __init__(self, folder: Path, music: Path, **config: Any) -> None:
        folder.mkdir()
        self.folder = folder
        self.music = music
        self.environment: dict[str, str] = {}
        self.module = "beets"
        self.configure(**config)

    def configure(self, **config: Any) -> None:
        settings: dict[str, Any] = {
            "directory": str(self.music),
            "library": str(self.folder / "library.db"),
            "plugins": "lyricsync",
            "paths": {"default": "$artist/$title", "comp": "$artist/$title"},
            "import": {"copy": True, "log": None},
            **config,
        }
        (self.folder / "config.yaml").write_text(json.dumps(settings), encoding="utf-8")

    def run(self, *arguments: str | Path, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", self.module, *map(str, arguments)],
            env=self._surroundings(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def _surroundings(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {
            **kept,
            "HOME": str(self.folder),
            "BEETSDIR": str(self.folder),
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
            **self.environment,
        }

    def at_terminal(self, *arguments: str | Path, columns: int = 70) -> Shown:
        """What a person sees of `beet`."""
        import pyte

        master, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, columns, 0, 0))
        with subprocess.Popen(
            [sys.executable, "-m", "beets", *map(str, arguments)],
            env={**self._surroundings(), "TERM": "xterm-256color"},
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=terminal,
        ) as process:
            os.close(terminal)
            written = b"".join(_read(master))
            assert process.wait() == 0, written
        os.close(master)
        screen = pyte.Screen(columns, _ROWS)
        stream = pyte.ByteStream(screen)
        moments = []
        for piece in re.split(rb"(?=\r)", written):
            stream.feed(piece)
            moments.append([line.rstrip() for line in screen.display if line.strip()])
        return Shown(moments, screen.cursor.hidden)

    def __call__(self, *arguments: str | Path) -> str:
        """Standard output of `beet`."""
        return self.run(*arguments).stdout

    def take_in(self, folder: Path) -> subprocess.CompletedProcess[str]:
        """`beet import`, as the files are."""
        return self.run("import", "-A", "-q", folder)

    def shown(self, template: str, *query: str) -> list[str]:
        """A line for each song."""
        return self("ls", "-f", template, *query).splitlines()


def made(folder: Path, count: int, words: str = "", suffix: str = ".mp3") -> Iterator[Path]:
    """Songs to be imported, of one album."""
    for number in range(count):
        yield make_song(folder / f"{number}{suffix}", title=f"Song {number}", words=words)
