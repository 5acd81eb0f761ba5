"""Keep what is made of songs for the page in a folder of bounded size.

Files are named for the song's file as it looks, so that another file at the same path never gets
them; the catalog need not know of them, and all may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lyricsyncd.config.paths import cache_dir

PEAKS_BYTES = 300 * 2**20
"""About 8,000 songs."""
RENDITIONS_BYTES = 1024 * 2**20
"""About 250 songs."""
_PRUNE_EVERY = 50
_FILLED = 0.8
"""Share of its bound that a folder keeps when it is pruned."""


class FileCache:
    """A folder of files, of which those are deleted that were not read for longest.

    Parameters
    ----------
    folder : Path
        Made when it is first needed.
    most_bytes : int
        Of all files together, nearly: the folder is pruned now and then.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder = folder
        self._most_bytes = most_bytes
        self._added = 0

    def get(self, name: str) -> Path | None:
        """Return the file of a name, if there is one, and note that it was used."""
        path = self.folder / name
        try:
            # The time of the last change stays: clients know the file by it.
            os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
        except OSError:
            return None
        return path

    def has(self, name: str) -> bool:
        """Return whether there is a file of a name; that is no use of it."""
        return (self.folder / name).exists()

    def put(self, name: str, content: bytes) -> None:
        """Store a file.

        Raises
        ------
        OSError
            The disk is full, say.
        """
        self.make(name, lambda path: path.write_bytes(content))

    def make(self, name: str, write: Callable[[Path], object]) -> Path:
        """Have a file written, which appears as a whole or not at all.

        Raises
        ------
        OSError
            It cannot be made; and whatever ``write`` raises.
        """
        # Private: it shows which songs are in the library.
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        number, unfinished = tempfile.mkstemp(prefix=".", dir=self.folder)
        os.close(number)
        fresh, path = Path(unfinished), self.folder / name
        try:
            write(fresh)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
        if self._added % _PRUNE_EVERY == 0:
            self.prune()
        self._added += 1
        return path

    def rename(self, name: str, new_name: str) -> None:
        """Give a file another name; nothing where there is none."""
        with contextlib.suppress(OSError):
            (self.folder / name).replace(self.folder / new_name)

    def copy(self, name: str, new_name: str) -> None:
        """Give a file a second name; nothing where there is none."""
        with contextlib.suppress(OSError):
            os.link(self.folder / name, self.folder / new_name)

    def prune(self) -> None:
        """Delete the files that were not used for longest, if all are larger than the bound."""
        found: list[tuple[float, int, str]] = []
        with contextlib.suppress(OSError), os.scandir(self.folder) as files:
            for file in files:
                with contextlib.suppress(OSError):
                    stat = file.stat(follow_symlinks=False)
                    found.append((stat.st_atime, stat.st_size, file.path))
        size = sum(each[1] for each in found)
        if size <= self._most_bytes:
            return
        for _, bytes_of_it, path in sorted(found):
            if size <= _FILLED * self._most_bytes:
                break
            with contextlib.suppress(OSError):
                Path(path).unlink()
                size -= bytes_of_it


PEAKS = ("vocals", "mix")
"""Of what there are peaks: the suffixes of their files."""


def file_changed(key: str, new_key: str) -> None:
    """Keep the peaks of a song whose tags were written: it sounds as before."""
    if key != new_key:
        peaks = peaks_cache()
        for kind in PEAKS:
            peaks.rename(f"{key}.{kind}", f"{new_key}.{kind}")


def peaks_cache() -> FileCache:
    """Open the cache of peaks."""
    return FileCache(cache_dir() / "peaks", PEAKS_BYTES)


def rendition_cache() -> FileCache:
    """Open the cache of renditions."""
    return FileCache(cache_dir() / "audio", RENDITIONS_BYTES)
