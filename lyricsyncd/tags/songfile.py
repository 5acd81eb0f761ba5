"""Change the tags of a song, and nothing else of it.

The change is made to a copy in the same folder. The copy replaces the song only after it was
compared with the song: its tags by the caller, its audio here, packet by packet. A fault of the
code that writes tags cannot cost a song. Files whose data is shared under another name (seeding
torrents, snapshots) are not changed.
"""

from __future__ import annotations

import array
import errno
import fcntl
import os
import stat
import struct
import time
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lyricsyncd.audio import open_container, refusals
from lyricsyncd.tags import atomic
from lyricsyncd.tags.raw import Untouchable
from lyricsyncd.tags.splice import copy_spliced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from av.container import InputContainer
    from av.packet import Packet

    from lyricsyncd.tags.splice import Splice

_CHUNK = 1 << 18
_FIEMAP = 0xC020660B
_EXTENTS = 64
_SHARED, _LAST = 0x2000, 0x1


def why_locked(song: Path) -> str:
    """Return why a song's file must not be replaced; empty if it may be.

    Raises
    ------
    WriteError
        It does not exist, or cannot be read.
    """
    with atomic.write_errors(song):
        state = song.lstat()
        if not stat.S_ISREG(state.st_mode):
            return "the song is a link to a file elsewhere"
        if state.st_nlink > 1:
            return "the song's file has other names too (hard links)"
        if not state.st_mode & 0o222 or not os.access(song, os.W_OK):
            return "the song's file is read-only"
        if not os.access(song.parent, os.W_OK):
            return "the song's folder is read-only"
        if is_shared(song):
            return "the song's file shares its data with a copy (reflink)"
    return ""


def is_shared(path: Path) -> bool:
    """Return whether another file shares blocks of this one (ioctl FIEMAP)."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = 0
        while start < size:
            request = struct.pack("=QQIIII", start, size - start, 0, 0, _EXTENTS, 0)
            buffer = array.array("B", request + bytes(56 * _EXTENTS))
            try:
                fcntl.ioctl(file, _FIEMAP, buffer, True)
            except OSError:
                return False
            count = struct.unpack_from("=I", buffer, 20)[0]
            for at in range(count):
                logical, _physical, length = struct.unpack_from("=QQQ", buffer, 32 + 56 * at)
                flags = struct.unpack_from("=I", buffer, 32 + 56 * at + 40)[0]
                if flags & _SHARED:
                    return True
                if flags & _LAST:
                    return False
                start = logical + length
            if not count:
                return False
    return False


def rewrite(
    song: Path,
    splices: Sequence[Splice],
    check: Callable[[Path], None],
    *,
    state: os.stat_result,
) -> None:
    """Replace a song by a copy with other tags.

    Parameters
    ----------
    splices
        What to change.
    check
        Raises `Untouchable` if the copy must not replace the song.
    state
        The song's file as it was when its tags were read.

    Raises
    ------
    Untouchable
        Something else than its tags would have changed; it is as it was.
    WriteError
        It could not be written; it is as it was.
    Changed
        Another program changed it meanwhile; it is left as it is.
    """
    with atomic.write_errors(song):
        atomic.clear_abandoned(song.parent)
        with atomic.temporary_beside(song) as temporary:
            copy_spliced(song, temporary, splices)
            check(temporary)
            if not same_audio(song, temporary, min(splice.start for splice in splices)):
                raise Untouchable("its audio cannot be read, or would not have been the same")
            # Servers read a file again only if it seems newer.
            newer = max(time.time_ns(), state.st_mtime_ns + 1_000_000)
            os.utime(temporary, ns=(newer, newer))
            atomic.finish(temporary, song, song=song, found=atomic.FileState(None, state))


def same_audio(one: Path, other: Path, same_until: int = 0) -> bool:
    """Return whether two files hold the same audio, packet by packet.

    Parameters
    ----------
    same_until
        Number of bytes at the start of the files that are known to be equal. The last packet of
        Monkey's Audio reaches into the tags behind it, and may differ there.
    """
    changed, other_changed = (path.stat().st_size - same_until for path in (one, other))
    with one.open("rb") as file, other.open("rb") as copy:
        try:
            first, second = (open_container(each, one.suffix) for each in (file, copy))
        except refusals():
            return False
        except OSError as error:
            if error.errno == errno.EINVAL:
                # A damaged file refers to positions before its start.
                return False
            raise
        with first, second:
            if not first.streams.audio or len(first.streams.audio) != len(second.streams.audio):
                return False
            pairs = zip_longest(_packets(first), _packets(second))
            for number, (mine, theirs) in enumerate(pairs):
                if mine is None or theirs is None:
                    return False
                if number == 0 and _same_from(one, mine.pos, other, theirs.pos):
                    return True
                if mine.stream_index != theirs.stream_index:
                    return False
                if bytes(mine) == bytes(theirs):
                    continue
                # Both ways, so that what was written can be removed again.
                if not (
                    _same_head(mine, theirs, changed) or _same_head(theirs, mine, other_changed)
                ):
                    return False
    return True


def _packets(container: InputContainer) -> Iterator[Packet[Any]]:
    """Read the packets of all audio, up to where the file is unreadable."""
    try:
        yield from container.demux(container.streams.audio)
    except refusals():
        return


def _same_head(mine: Packet[Any], theirs: Packet[Any], changed: int) -> bool:
    """Return whether packets are equal but for so many bytes at the end of mine."""
    length = mine.size - changed
    return length > 0 and bytes(mine)[:length] == bytes(theirs)[:length]


def _same_from(one: Path, start: int | None, other: Path, other_start: int | None) -> bool:
    """Return whether files are equal from these positions to their ends: faster than packets."""
    if not start or not other_start:
        return False
    if one.stat().st_size - start != other.stat().st_size - other_start:
        return False
    mine, theirs = bytearray(_CHUNK), bytearray(_CHUNK)
    with one.open("rb", buffering=0) as first, other.open("rb", buffering=0) as second:
        first.seek(start)
        second.seek(other_start)
        # After a short read, the ends of both buffers are of the chunk before, and equal.
        while count := first.readinto(mine):
            if second.readinto(theirs) != count or mine != theirs:
                return False
    return True
