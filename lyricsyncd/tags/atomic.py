"""Replace files atomically.

New content is written to a hidden file in the same folder, flushed to the disk and renamed over the
old. A crash leaves the old or the new content; a hidden file that it leaves as well is deleted by
the next write into that folder.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import functools
import os
import re
import secrets
import stat
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.errors import WriteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_BYTES = 8 * 2**20
"""Lyrics are small: a larger file is not ours, whatever its name."""

_TEMPORARY = re.compile(r"\.lyricsyncd-[0-9a-f]{16}\.part")
_ABANDONED_S = 24 * 3600.0
"""Where locks do not work, a temporary file of this age is abandoned."""
_AT_CWD, _RENAME_EXCHANGE = -100, 2
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}
_NO_EXCHANGE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS, errno.EINVAL}


@dataclass(frozen=True, slots=True)
class FileState:
    """The content and state of a file when it was read."""

    data: bytes | None
    """``None`` where it is too large, or not a plain file: a link, a folder."""
    state: os.stat_result


class Changed(Exception):
    """Another program has changed the file since it was read."""


def read_state(path: Path) -> FileState | None:
    """Read what is at ``path``; ``None`` for nothing.

    Raises
    ------
    WriteError
        It cannot be read.
    """
    with write_errors(path):
        try:
            state = path.lstat()
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(state.st_mode) or state.st_size > MAX_BYTES:
            return FileState(None, state)
        try:
            return FileState(path.read_bytes(), state)
        except FileNotFoundError:
            return None


def replace(path: Path, data: bytes, *, song: Path, found: FileState | None) -> None:
    """Write a small file atomically.

    Owner, mode and extended attributes are those of the file it replaces; a new one takes owner and
    mode of the song.

    Parameters
    ----------
    path
        The file.
    data
        Its new content.
    song
        The song it belongs to, which must still exist.
    found
        What `read_state` returned.

    Raises
    ------
    WriteError
        It could not be written; the old content is intact.
    Changed
        The file was changed since; it is left as it is.
    """
    with write_errors(path):
        clear_abandoned(path.parent)
        with temporary_beside(path) as temporary:
            with temporary.open("wb") as file:
                file.write(data)
            finish(temporary, path, song=song, found=found)


def remove(path: Path, *, found: FileState) -> None:
    """Delete a file that is unchanged since `read_state`.

    Raises
    ------
    WriteError, Changed
        As for `replace`.
    """
    with write_errors(path):
        _check_unchanged(path, found)
        path.unlink()
        _flush(path.parent)


@contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """Make a hidden file in the folder of ``path``, deleted after the block unless renamed."""
    while True:
        temporary = path.parent / f".lyricsyncd-{secrets.token_hex(8)}.part"
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            _lock(handle)
            if os.fstat(handle).st_nlink:
                yield temporary
                return
            # Another process deleted it as abandoned before it was locked: try again.
        finally:
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()
            os.close(handle)


def finish(temporary: Path, path: Path, *, song: Path, found: FileState | None) -> None:
    """Give a complete temporary file its attributes and its final name, durably."""
    if found is not None:
        _copy_attributes(temporary, found.state, found.state.st_mode & 0o7777)
        _copy_extended_attributes(temporary, path)
    else:
        like = song.stat()
        # Lyrics stay writable even if the song is read-only.
        _copy_attributes(temporary, like, like.st_mode & 0o666 | stat.S_IWUSR)
    _flush(temporary)
    if not song.exists():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(song))
    if found is None:
        _rename_new(temporary, path)
    else:
        _check_unchanged(path, found)
        _rename_over(temporary, path, found)
    _flush(path.parent)


def clear_abandoned(folder: Path) -> None:
    """Delete our temporary files that no process has locked: what a crash left."""
    for path in folder.iterdir():
        if not _TEMPORARY.fullmatch(path.name):
            continue
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if _is_abandoned(handle):
                    path.unlink()
            finally:
                os.close(handle)


def _is_abandoned(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # One of the future, too: a clock was wrong, and its time may be years away.
        return abs(time.time() - os.fstat(handle).st_mtime) > _ABANDONED_S
    return True


def _lock(handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise


def _rename_new(temporary: Path, path: Path) -> None:
    """Rename a file to a name that must not exist yet."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise Changed from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # exFAT and some shares have no hard links: all that can be done is to check once more.
        if os.path.lexists(path):
            raise Changed from None
        temporary.replace(path)


def _rename_over(temporary: Path, path: Path, found: FileState) -> None:
    """Replace a file, which must be unchanged since it was read.

    Where the system can do that, the two exchange their names in one step, and the old file is
    checked then: a change of the last moment is restored. Elsewhere it would be lost.
    """
    if not _exchange(temporary, path):
        temporary.replace(path)
        return
    try:
        _check_unchanged(temporary, found)
    except Changed:
        try:
            back = _exchange(temporary, path)
        except OSError:
            back = False
        if not back:
            # It was changed once more: what the other program wrote is restored in any case.
            temporary.replace(path)
        raise
    else:
        if found.state.st_size > MAX_BYTES:
            _free(temporary)


def _free(old: Path) -> None:
    """Delete a large file without waiting until its blocks are freed, which is slow."""
    try:
        handle = os.open(old, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    old.unlink()
    threading.Thread(target=os.close, args=(handle,), name="free").start()


def _exchange(one: Path, other: Path) -> bool:
    """Exchange the names of two files (``renameat2``); false where the system cannot do that.

    Raises
    ------
    OSError
        It failed: one of them does not exist any more, for example.
    """
    call = _of_libc("renameat2")
    if call is None:
        return False
    if not call(_AT_CWD, os.fsencode(one), _AT_CWD, os.fsencode(other), _RENAME_EXCHANGE):
        return True
    code = ctypes.get_errno()
    if code in _NO_EXCHANGE:
        return False
    raise OSError(code, os.strerror(code), str(other))


@functools.cache
def _of_libc(name: str) -> Callable[..., int] | None:
    """Return a system call of Linux that Python lacks; ``None`` elsewhere."""
    try:
        call: Callable[..., int] = getattr(ctypes.CDLL(None, use_errno=True), name)
    except (OSError, AttributeError):
        return None
    return call


def is_changed(path: Path, then: os.stat_result) -> bool:
    """Return whether a file was replaced, changed or deleted since."""
    try:
        now = path.lstat()
    except FileNotFoundError:
        return True
    return (now.st_ino, now.st_size, now.st_mtime_ns) != (
        then.st_ino,
        then.st_size,
        then.st_mtime_ns,
    )


def _check_unchanged(path: Path, found: FileState) -> None:
    if is_changed(path, found.state):
        raise Changed


def _copy_attributes(temporary: Path, like: os.stat_result, mode: int) -> None:
    mine = temporary.stat()
    if (mine.st_uid, mine.st_gid) != (like.st_uid, like.st_gid):
        for owner in (like.st_uid, -1):
            # Only root can change the owner; a user can choose among the own groups.
            with contextlib.suppress(OSError):
                os.chown(temporary, owner, like.st_gid)
                break
    # Shares mounted with fixed modes refuse this, and do not need it.
    with contextlib.suppress(OSError):
        temporary.chmod(mode)


def _copy_extended_attributes(temporary: Path, path: Path) -> None:
    if not hasattr(os, "listxattr"):
        return
    with contextlib.suppress(OSError):
        for name in os.listxattr(path):
            with contextlib.suppress(OSError):
                os.setxattr(temporary, name, os.getxattr(path, name))


def _flush(path: Path) -> None:
    """Flush a file's content, or a folder's names, to the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network shares cannot do it for folders.
        if not (path.is_dir() and error.errno in (errno.EINVAL, errno.EACCES, *_NO_LOCKS)):
            raise
    finally:
        os.close(handle)


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Turn errors of the system while a file is written into a `WriteError` with a remedy."""
    try:
        yield
    except OSError as error:
        raise _refusal(path, error) from error


def _refusal(path: Path, error: OSError) -> WriteError:
    """Return the `WriteError` for an error of the system."""
    folder = path.parent
    what = f"{path} could not be written: {(error.strerror or str(error)).lower()}"
    code = error.errno
    if code in (errno.ENOSPC, errno.EDQUOT):
        return WriteError(what, remedy=f"Free some space on the disk of {folder}", transient=True)
    if code == errno.EFBIG:
        return WriteError(what, remedy="Raise the limit of file sizes (ulimit -f)")
    if code == errno.EROFS:
        remedy = f"Mount the file system of {folder} so that it can be written to"
        return WriteError(what, remedy=remedy)
    if code in (errno.EACCES, errno.EPERM):
        remedy = f"Let the user with id {os.geteuid()} write to {folder}"
        return WriteError(what, remedy=remedy)
    if code == errno.ENOENT:
        remedy = "Scan the library again once the song is back or in its new place"
        return WriteError(f"{what}; the song was moved or deleted", remedy=remedy)
    if code == errno.ENAMETOOLONG:
        return WriteError(what, remedy="Shorten the song's name")
    if code in (errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EBUSY, errno.EAGAIN):
        return WriteError(what, remedy="Check the disk or the network share", transient=True)
    return WriteError(what, remedy=f"Check the file system of {folder}")
