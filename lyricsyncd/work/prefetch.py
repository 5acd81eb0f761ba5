"""The next song, decoded while the models are at work on this one.

Decoding is done in a process of its own, so that a file that crashes or hangs a decoder costs
nothing but the head start: whoever wants its samples then decodes it himself, and the song answers
for itself. One song at most is held.
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

from lyricsyncd.work.executor import ResourceLimits, WorkerExecutor

if TYPE_CHECKING:
    from lyricsyncd.separate.base import Samples

log = logging.getLogger(__name__)

LONGEST_S = 600.0
"""Songs longer than this are not decoded ahead: ten minutes of stereo at 44.1 kHz are 212 MB."""
_LIMIT_S = 120.0
"""How long the decoding process may take over a song."""
_MEMORY_BYTES = 1024**3
_KEEP_ALIVE_S = 120.0


def decoded(song: Path, rate: int) -> list[Samples]:
    """All blocks of a song; runs in the decoding process. Raises as `lyricsyncd.audio.blocks`."""
    from lyricsyncd import audio

    return list(audio.blocks(song, rate, max_duration=LONGEST_S))


@dataclass(frozen=True, slots=True)
class _Begun:
    """A song that is being decoded."""

    song: Path
    rate: int
    looks: tuple[int, int, int] | None
    blocks: Future[list[Samples]]

    def is_of(self, song: Path, rate: int) -> bool:
        """Whether it is this song as it is now, at this rate."""
        return (self.song, self.rate) == (song, rate) and self.looks == _looks(song)


class Prefetched:
    """Reads songs, and has the next one ready where it was told which that is.

    `expect` may be called in another thread than `blocks`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._decoder: WorkerExecutor | None = None
        self._rate: int | None = None
        self._wanted: Path | None = None
        self._begun: _Begun | None = None
        self.in_time = 0
        """Songs that had been decoded, or were being decoded, when they were asked for."""

    def expect(self, song: Path) -> None:
        """Decode a song soon: at the rate of the one before, as soon as that is known."""
        with self._lock:
            self._wanted = song
            self._begin()

    def blocks(self, song: str | os.PathLike[str], rate: int) -> Iterator[Samples]:
        """As `lyricsyncd.audio.blocks`, which does it where nothing is ready."""
        from lyricsyncd import audio

        with self._lock:
            self._rate = rate
            begun, self._begun = self._begun, None
            if self._wanted == Path(song):
                self._wanted = None
            if begun is not None and not begun.is_of(Path(song), rate):
                begun = None
            if begun is None:
                self._begin()
        held = None
        if begun is not None:
            held, begun = _outcome(begun), None
            with self._lock:
                # Only now: two at once would be one more than there is room for.
                self._begin()
        if held is None:
            yield from audio.blocks(song, rate)
            return
        self.in_time += 1
        held.reverse()
        while held:
            yield held.pop()

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
            # It stands back as far as we do: what is not said is inherited.
            manners = ResourceLimits(_MEMORY_BYTES, os.nice(0), ionice="")
            self._decoder = WorkerExecutor(_KEEP_ALIVE_S, manners)
        looks = _looks(song)
        blocks = self._decoder.submit_within(_LIMIT_S, None, decoded, song, rate)
        self._begun = _Begun(song, rate, looks, blocks)


def _outcome(begun: _Begun) -> list[Samples] | None:
    """The blocks, waited for; ``None`` where the song is better decoded anew."""
    try:
        return begun.blocks.result()
    except Exception as error:  # noqa: BLE001 - of whatever kind: it comes up again, or is mended
        log.debug("%s was not decoded ahead: %s", begun.song, error)
        return None


def _looks(song: Path) -> tuple[int, int, int] | None:
    try:
        stat = song.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
