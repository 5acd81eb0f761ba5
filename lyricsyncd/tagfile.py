"""Open a song's tags with mutagen, and refuse what is beyond all measure."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lyricsyncd.errors import AudioError

_MOST = 10_000
"""Tags of one file. mutagen may read more in time, but FFmpeg, which decodes the song later, takes
the square of their number: half a minute for 50,000."""


class Unreadable(Exception):
    """mutagen cannot make anything of a file's tags."""


def opened(path: Path) -> Any:
    """Open the file as mutagen reads it; ``None`` for a kind that it does not know.

    Raises
    ------
    Unreadable
        Its tags are damaged.
    AudioError
        It has more tags than any song.
    OSError
        The system does not let us read it.
    """
    import mutagen

    try:
        file = mutagen.File(path)
    except MemoryError:
        # Not the place to judge it: it ends a process with limits, and says what ended it.
        raise
    except mutagen.MutagenError as error:
        # It wraps what the system says, and calls a file that ends too early an OSError, too.
        cause = error.args[0] if error.args else None
        if isinstance(cause, OSError) and cause.errno is not None:
            raise cause from None
        raise Unreadable(type(error).__name__) from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise Unreadable(type(error).__name__) from None
    except _damage() as error:
        raise Unreadable(type(error).__name__) from None
    count = len(getattr(file, "tags", None) or ())
    if count > _MOST:
        raise AudioError(
            f"{path} has {count} tags, and no song more than {_MOST}",
            remedy="Remove its tags with a tagger",
        )
    return file


def _damage() -> tuple[type[Exception], ...]:
    """Give the kinds of errors that damaged and hostile tags make mutagen raise.

    It has one of its own, and lets others slip through its readers where numbers and texts in a
    file make no sense. `TypeError`, `AttributeError` and the like are left out on purpose: those
    are bugs, and a bug must not pass for a broken file.
    """
    import mutagen

    numbers = (ArithmeticError, LookupError, ValueError, struct.error, zlib.error)
    return mutagen.MutagenError, *numbers, EOFError, OSError, MemoryError, RecursionError


def fields(tags: Any, wanted: Callable[[str], bool]) -> Iterator[tuple[str, Any]]:
    """Return the fields of tags whose name is wanted; a name comes once."""
    # ASF's tags iterate over pairs. Vorbis comments search all of themselves for each value, so
    # that values are asked for only where they are wanted.
    for key in () if tags is None else tags.keys():
        if wanted(str(key)):
            yield str(key), tags[key]
