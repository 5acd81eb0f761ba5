"""Ways to write lyrics down: one file a format, pure text ↔ ``Lyrics``, both ways.

>>> from lyricsyncd import formats
>>> lyrics = formats.read(b"[00:01.00]<00:01.00>Row <00:01.50>row<00:02.00>", "lrc")
>>> formats.write(lyrics, "srt").splitlines()
['1', '00:00:01,000 --> 00:00:02,000', 'Row row']

Formats of other packages register in the entry point group ``lyricsyncd.formats`` (see ``base``).
"""

from __future__ import annotations

import dataclasses
import functools
import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lyricsyncd import registry
from lyricsyncd.errors import FormatError, ModelError, UsageError

if TYPE_CHECKING:
    from lyricsyncd.formats.base import Format
    from lyricsyncd.model import Lyrics

__all__ = ["FormatError", "for_suffix", "get", "guess", "names", "project", "read", "write"]

_log = logging.getLogger(__name__)


@functools.cache
def _formats() -> Mapping[str, Format]:
    """Open every format; a plug-in that cannot be opened is left out with a warning."""
    from lyricsyncd.formats.base import Format

    opened: dict[str, Format] = {}
    for name in registry.formats.names():
        try:
            found = registry.formats.open(name)
        except ModelError as error:
            _log.warning("%s", error)
            continue
        if isinstance(found, Format):
            opened[name] = found
        else:
            _log.warning("the format '%s' is left out: it lacks parts of formats.base.Format", name)
    opened["txt"] = opened.pop("txt")  # any text at all is one: tried last
    return MappingProxyType(opened)


def forget_plugins() -> None:
    """Open the formats anew when one is next asked for."""
    _formats.cache_clear()


def names() -> tuple[str, ...]:
    """List the names of all formats."""
    return tuple(sorted(_formats()))


def get(name: str, **options: Any) -> Format:
    """Return the format of that name, with options (``decimals`` for ``lrc`` and ``lrc_standard``).

    Raises
    ------
    UsageError
        For an unknown name or option.
    """
    if name not in _formats():
        raise UsageError(f"no format is called {name!r}", remedy=f"Use one of {', '.join(names())}")
    found = _formats()[name]
    if not options:
        return found
    known = [field.name for field in _fields(found)]
    if not set(options) <= set(known):
        raise UsageError(
            f"the format {name!r} has no option {', '.join(sorted(set(options) - set(known)))}",
            remedy=f"Its options are: {', '.join(known) or 'none'}",
        )
    changed: Format = type(found)(**options)
    return changed


def _fields(found: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(found) if dataclasses.is_dataclass(found) else ()


def read(data: bytes, name: str) -> Lyrics:
    """Read the lyrics in the bytes of a file.

    Raises
    ------
    FormatError
        Where the bytes are not of that format, are hostile, or are more than 1 MiB.
    UsageError
        For an unknown format.
    """
    return get(name).read(data)


def write(lyrics: Lyrics, name: str, **options: Any) -> str:
    """Write lyrics as text.

    Raises
    ------
    FormatError
        Where the lyrics lack times that the format cannot do without.
    UsageError
        For an unknown format or option.
    """
    return get(name, **options).write(lyrics)


def project(lyrics: Lyrics, name: str, **options: Any) -> Lyrics:
    """Return what the format can express of the lyrics: the result of reading after writing."""
    return get(name, **options).project(lyrics)


def for_suffix(suffix: str) -> str | None:
    """Return the format that files of a suffix (dot included, in any case) usually have.

    ``.lrc`` is ``lrc``, which reads ``lrc_standard`` as well.
    """
    suffix = suffix.lower()
    return next((f.name for f in _formats().values() if suffix in f.suffixes), None)


def guess(data: bytes) -> str | None:
    """Return the format that the bytes look like; ``None`` for what is no text at all.

    Text that looks like nothing else is ``txt``. A guess is no promise that ``read`` succeeds.
    """
    from lyricsyncd.formats.text import decode

    try:
        text = decode(data)
    except FormatError:
        return None
    return next((f.name for f in _formats().values() if f.looks_like(text)), None)
