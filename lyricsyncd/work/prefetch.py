"""Decode the next song while the models are at work on this one.

Decoding is done in a process of its own, so that a file that crashes or hangs a decoder costs
nothing but the head start: it is then decoded again where its samples are read, and the error is
that song's. One song at most is kept in memory.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.processes.executor import WorkerExecutor
from lyricsyncd.processes.limits import ResourceLimits

if TYPE_CHECKING:
    from lyricsyncd.separate.base import Samples

log = logging.getLogger(__name__)

FileStamp = tuple[int, int, int]
"""Inode, size, and time of the last change."""

LONGEST_S = 600.0
"""Songs longer than this are not prefetched: ten minutes of stereo at 44.1 kHz are 212 MB."""
_LIMIT_S = 120.0
"""Timeout of decoding a song."""
_MEMORY_BYTES = 1024**3
_KEEP_ALIVE_S = 120.0


def decoded(song: Path, rate: int) -> list[Samples]:
    """Decode all blocks of a song, in the decoding process. Raises as `lyricsyncd.audio.blocks`."""
    from lyricsyncd import audio

    return list(audio.blocks(song, rate, max_duration=LONGEST_S))


@dataclass(frozen=True, slots=True)
class _Decoding:
    """A song that is being decoded."""

    song: Path
    rate: int
    stamp: FileStamp | None
    blocks: Future[list[Samples]]

    def is_of(self, song: Path, rate: int) -> bool:
        """Return whether it is this song in its present state, at this rate."""
        return (self.song, self.rate) == (song, rate) and self.stamp == _stamp(song)


class PrefetchingReader:
    """Read songs, and decode the next one in advance where `prefetch` named it.

    `prefetch` may be called in another thread than `blocks`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._decoder: WorkerExecutor | None = None
        self._rate: int | None = None
        self._wanted: Path | None = None
        self._begun: _Decoding | None = None
        self.hits = 0
        """Songs that had been decoded, or were being decoded, when they were read."""

    def prefetch(self, song: Path) -> None:
        """Decode a song soon: at the rate of the one before, as soon as that is known."""
        with self._lock:
            self._wanted = song
            self._begin()

    def blocks(self, song: str | os.PathLike[str], rate: int) -> Iterator[Samples]:
        """Read a song as `lyricsyncd.audio.blocks`, which is used where nothing was prefetched."""
        from lyricsyncd import audio

        with self._lock:
            self._rate = rate
            begun = None
            # What was decoded of the next song stays while this one is read a second time.
            if self._begun is not None and self._begun.is_of(Path(song), rate):
                begun, self._begun = self._begun, None
            if self._wanted == Path(song):
                self._wanted = None
            if begun is None:
                self._begin()
        ready = None
        if begun is not None:
            ready, begun = _result(begun), None
            with self._lock:
                # Only now: two at once would be one more than there is memory for.
                self._begin()
        if ready is None:
            yield from audio.blocks(song, rate)
            return
        self.hits += 1
        # Each block is freed as soon as it has been used.
        ready.reverse()
        while ready:
            yield ready.pop()

    def close(self) -> None:
        """End the decoding process."""
        with self._lock:
            self._begun = self._wanted = None
            if self._decoder is not None:
                self._decoder.shutdown(wait=False, cancel_futures=True)
                self._decoder = None

    def _begin(self) -> None:
        song, rate = self._wanted, self._rate
        if song is None or rate is None:
            return
        self._wanted = None
        if self._begun is not None:
            if self._begun.is_of(song, rate):
                return
            assert self._decoder is not None, "it has begun a song"
            self._decoder.abandon(self._begun.blocks)
        if self._decoder is None:
            # Its priority is ours.
            limits = ResourceLimits(_MEMORY_BYTES, os.nice(0), ionice="")
            self._decoder = WorkerExecutor(_KEEP_ALIVE_S, limits)
        stamp = _stamp(song)
        blocks = self._decoder.submit_within(_LIMIT_S, None, decoded, song, rate)
        self._begun = _Decoding(song, rate, stamp, blocks)


def _result(begun: _Decoding) -> list[Samples] | None:
    """Wait for the blocks; ``None`` where the song has to be decoded again."""
    try:
        return begun.blocks.result()
    except Exception as error:  # noqa: BLE001 - decoding again raises it, or succeeds
        log.debug("%s was not prefetched: %s", begun.song, error)
        return None


def _stamp(song: Path) -> FileStamp | None:
    try:
        stat = song.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
