"""Read the ignore files of folders, which every user with write access to the library can make.

Only regular files of a bounded size are opened: opening a FIFO would block, and a link to a device
might have no end.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
from pathlib import Path

from lyricsyncd import patterns
from lyricsyncd.printable import escaped
from lyricsyncd.unexpected import Once

log = logging.getLogger(__name__)

MOST_BYTES = 64_000
_LINES_LOGGED = 3
_problems = Once()
"""Those that were logged: a folder's file is read for every song in it."""
_EMPTY = b""


def read(file: Path) -> patterns.Lines | None:
    """Read the patterns of an ignore file; ``None`` where there is no such file.

    A file without read permission, or too large a one, is taken for an empty file, which excludes
    the folder: its patterns are not known.

    Raises
    ------
    OSError
        It cannot be read at present: too many files are open, or the disk fails.
    """
    content = _content(file)
    if content is None:
        return None
    lines = patterns.read_lines(content)
    if lines.bad:
        more = len(lines.bad) - _LINES_LOGGED
        problems = "; ".join(lines.bad[:_LINES_LOGGED]) + (
            f" (and {more} more)" if more > 0 else ""
        )
        _log_once(file, f"{problems}; skipped, the other lines apply")
    return lines


def _content(file: Path) -> bytes | None:
    try:
        # Before it is opened, since opening alone may affect a device.
        if not _is_plain(file, file.stat()):
            return None
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as opened:
            # It may have been replaced since.
            if not _is_plain(file, os.fstat(descriptor)):
                return None
            content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO):
            return None
        if error.errno in (errno.EACCES, errno.EPERM):
            _log_once(file, "no permission to read it, so its folder is left out")
            return _EMPTY
        raise
    if len(content) > MOST_BYTES:
        _log_once(file, f"it is larger than {MOST_BYTES // 1000} kB, so its folder is left out")
        return _EMPTY
    return content


def _is_plain(file: Path, status: os.stat_result) -> bool:
    if stat.S_ISREG(status.st_mode):
        return True
    _log_once(file, "not a regular file: skipped")
    return False


def _log_once(file: Path, problem: str) -> None:
    """Log a problem of a file, unless the same was logged before."""
    text = f"{escaped(str(file))}: {problem}"
    if _problems.is_new(text):
        log.warning("%s", text)
