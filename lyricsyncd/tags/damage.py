"""What damaged and hostile tags make mutagen raise."""

from __future__ import annotations

import struct
import zlib


def kinds() -> tuple[type[Exception], ...]:
    """Give the kinds of errors that are a file's doing.

    Mutagen has one of its own, and lets others slip through its readers where numbers and texts in
    a file make no sense. `TypeError`, `AttributeError` and the like are left out on purpose: those
    are bugs, and a bug must not pass for a broken file.
    """
    import mutagen

    numbers = (ArithmeticError, LookupError, ValueError, struct.error, zlib.error)
    return mutagen.MutagenError, *numbers, EOFError, OSError, MemoryError, RecursionError
