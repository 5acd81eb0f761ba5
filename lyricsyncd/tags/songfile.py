"""Change the tags of a song, and nothing else of it.

The change is made to a copy in the same folder. The copy takes the song's place only after its
audio was compared with the song's, packet by packet: a fault in what writes tags cannot cost a
song. Files that others hold by another name (seeding torrents, snapshots) are left alone.
"""

from __future__ import annotations

import array
import fcntl
import os
import shutil
import stat
import struct
import time
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.errors import LyricsyncError, WriteError
from lyricsyncd.tags import atomic, damage

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 1 << 18
_FIEMAP = 0xC020660B
_EXTENTS = 64
_SHARED, _LAST = 0x2000, 0x1


def why_locked(song: Path) -> str:
    """Why a song's file is not to be replaced; empty if it may be.

    Raises
    ------
    WriteError
        It is not there, or cannot be looked at.
    """
    try:
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
    except OSError as error:
        raise atomic.refusal(song, error) from error
    return ""


def is_shared(path: Path) -> bool:
    """Whether the file system says that another file has the same blocks (ioctl FIEMAP)."""
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


def rewrite(song: Path, edit: Callable[[Path], None], *, state: os.stat_result) -> None:
    """Replace a song by a copy that ``edit`` changed the tags of.

    Parameters
    ----------
    edit
        Changes the tags of the file it is given.
    state
        The song's file as it was when its tags were read.

    Raises
    ------
    WriteError
        It could not be written, or its audio would not have been the same; it is as it was.
    Changed
        Somebody else changed it meanwhile; it is as they left it.
    """
    try:
        atomic.clear_abandoned(song.parent)
        with atomic.temporary_beside(song) as temporary:
            shutil.copyfile(song, temporary)
            _edited(song, temporary, edit)
            if not same_audio(song, temporary):
                raise WriteError(
                    f"the tags of {song} were not written: its audio would have changed",
                    remedy="Choose a preset that writes files beside the song",
                )
            # Servers look again only at what seems newer.
            newer = max(time.time_ns(), state.st_mtime_ns + 1_000_000)
            os.utime(temporary, ns=(newer, newer))
            atomic.finish(temporary, song, song=song, found=atomic.Found(None, state))
    except OSError as error:
        raise atomic.refusal(song, error) from error


def _edited(song: Path, temporary: Path, edit: Callable[[Path], None]) -> None:
    try:
        edit(temporary)
    except (LyricsyncError, OSError):
        raise
    except damage.kinds() as error:
        cause = error.__cause__ or error.__context__ or next(iter(error.args), None)
        if isinstance(cause, OSError):
            raise cause from error
        raise WriteError(
            f"the tags of {song} could not be written ({type(error).__name__}: {error})",
            remedy="Choose a preset that writes files beside the song",
        ) from error


def same_audio(one: Path, other: Path) -> bool:
    """Whether two files hold the same audio, packet by packet."""
    import av

    try:
        with av.open(str(one)) as first, av.open(str(other)) as second:
            streams = first.streams.audio, second.streams.audio
            if not streams[0] or len(streams[0]) != len(streams[1]):
                return False
            packets = zip_longest(first.demux(streams[0]), second.demux(streams[1]))
            for number, (mine, theirs) in enumerate(packets):
                if mine is None or theirs is None:
                    return False
                if number == 0 and _same_from(one, mine.pos, other, theirs.pos):
                    return True
                if mine.stream_index != theirs.stream_index or bytes(mine) != bytes(theirs):
                    return False
    except av.FFmpegError:
        return False
    return True


def _same_from(one: Path, start: int | None, other: Path, other_start: int | None) -> bool:
    """Whether files are equal from these places to their ends: no need to take packets apart."""
    if not start or not other_start:
        return False
    if one.stat().st_size - start != other.stat().st_size - other_start:
        return False
    mine, theirs = bytearray(_CHUNK), bytearray(_CHUNK)
    with one.open("rb", buffering=0) as first, other.open("rb", buffering=0) as second:
        first.seek(start)
        second.seek(other_start)
        # What a short read leaves at the end of both is of the chunk before, and equal.
        while count := first.readinto(mine):
            if second.readinto(theirs) != count or mine != theirs:
                return False
    return True
