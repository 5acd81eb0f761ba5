"""Make files for the cache, one at a time, while requests for them wait or come again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path

from lyricsyncd.errors import LyricsyncError
from lyricsyncd.playback.cache import FileCache, peaks_cache, rendition_cache
from lyricsyncd.playback.renditions import CONVERTER, STEMS, Rendition, convert, kind_of, renditions

WAIT_S = 3.0
"""How long a request waits for what is being made, before it is asked to come again."""
_MOST_KINDS = 1024
"""Songs whose kinds of files are remembered: a browser asks for many parts of one."""


Separate = Callable[[Path, Path], bytes]
"""Writes the vocals and the rest of a song as one file, and returns the peaks of the vocals."""


class Maker:
    """Makes peaks and renditions of songs. Close it.

    Parameters
    ----------
    separate : callable, optional
        Takes much longer than the rest, which does not wait for it.
    """

    def __init__(self, separate: Separate | None = None) -> None:
        self._separate = separate
        self._thread = ThreadPoolExecutor(1, "playback")
        self._separating = ThreadPoolExecutor(1, "separation")
        self._lock = threading.Lock()
        self._making: dict[str, Future[Path]] = {}
        self._closed = False
        self._kinds: dict[str, str] = {}

    def renditions(self, song: Path, key: str) -> list[Rendition]:
        """List the renditions of a song; its file is only read the first time.

        Raises
        ------
        AudioError
            It cannot be read.
        """
        kind = self._kinds.get(key)
        if kind is None:
            kind = kind_of(song)
            while len(self._kinds) >= _MOST_KINDS:
                # Another thread may be at it, too.
                self._kinds.pop(next(iter(self._kinds), ""), None)
            self._kinds[key] = kind
        return renditions(kind)

    def rendition(self, song: Path, key: str, name: str) -> Path | None:
        """Return the file of a rendition; ``None`` while it is being made.

        Parameters
        ----------
        key : str
            What the song's file is known by, see `Fingerprint.key`.
        name : str
            ``mp4`` or ``aac``.

        Raises
        ------
        LyricsyncError, OSError
            It cannot be made.
        """
        return self._made(
            rendition_cache(), f"{key}.{name}", lambda target: convert(song, name, target)
        )

    def stems(self, song: Path, key: str) -> Path | None:
        """Return the file of a song's vocals and the rest of it; ``None`` while it is being made.

        Raises
        ------
        ModelError
            No separator is installed, or it fails.
        LyricsyncError, OSError
            It cannot be made.
        """
        return self._made(
            rendition_cache(),
            f"{key}.{STEMS.name}",
            lambda target: peaks_cache().put(f"{key}.vocals", self._separated(song, target)),
            self._separating,
        )

    def vocal_peaks(self, song: Path, key: str) -> Path | None:
        """Return the file of the peaks of a song's vocals, which are separated where it is not
        kept; ``None`` while it is being made.

        Raises
        ------
        As `stems`.
        """

        def write(target: Path) -> None:
            # The stems are kept, too: a person is at work on the song.
            rendition_cache().make(
                f"{key}.{STEMS.name}",
                lambda stems: target.write_bytes(self._separated(song, stems)),
            )

        return self._made(peaks_cache(), f"{key}.vocals", write, self._separating)

    def _separated(self, song: Path, target: Path) -> bytes:
        if self._separate is None:
            raise _stops()
        return self._separate(song, target)

    def peaks(self, song: Path, key: str, of: str) -> Path | None:
        """Return the file of a song's peaks; ``None`` while they are being made, and where they
        are those of vocals that were not kept (`vocal_peaks`).

        Raises
        ------
        LyricsyncError, OSError
            They cannot be made.
        """
        if of == "mix":
            return self._made(peaks_cache(), f"{key}.mix", lambda target: _draw(song, target))
        return peaks_cache().get(f"{key}.{of}")

    def kept_peaks(self, key: str) -> list[str]:
        """List of what a song's peaks are kept: ``vocals``, ``mix``."""
        return [of for of in ("vocals", "mix") if peaks_cache().has(f"{key}.{of}")]

    def close(self) -> None:
        """Make nothing more."""
        with self._lock:
            self._closed = True
        for thread in (self._thread, self._separating):
            thread.shutdown(wait=False, cancel_futures=True)
        CONVERTER.interrupt()

    def _made(
        self,
        cache: FileCache,
        name: str,
        write: Callable[[Path], None],
        thread: ThreadPoolExecutor | None = None,
    ) -> Path | None:
        if (found := cache.get(name)) is not None:
            return found
        with self._lock:
            if self._closed:
                raise _stops()
            making = self._making.get(name)
            if making is None:
                making = (thread or self._thread).submit(cache.make, name, write)
                self._making[name] = making
                making.add_done_callback(lambda _: self._forget(name))
        try:
            return making.result(WAIT_S)
        except NotYet:
            return None
        except CancelledError:
            raise _stops() from None

    def _forget(self, name: str) -> None:
        # An error is for those who waited; the next request tries anew.
        self._making.pop(name, None)


def _stops() -> LyricsyncError:
    return LyricsyncError("The service stops", remedy="Ask again", transient=True)


def _draw(song: Path, target: Path) -> None:
    from lyricsyncd.playback.peaks import of_song

    target.write_bytes(CONVERTER.run(of_song, song))
