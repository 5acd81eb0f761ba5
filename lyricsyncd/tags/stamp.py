"""Stamp what we write, so that it is recognised as ours without the journal.

The stamp ``lyricsyncd 0.1.0 sha=3f2a…`` is written wherever a format has room for the name of the
tool (``[re:…]`` in LRC). The hash is that of the whole text with zeros in place of the hash: after
any edit it no longer fits, and the file belongs to the person that edited it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from typing import TYPE_CHECKING

from lyricsyncd import __version__

if TYPE_CHECKING:
    from lyricsyncd.model import Lyrics

_HASH_LENGTH = 16
_STAMP = re.compile(rb"lyricsyncd [0-9A-Za-z.+!-]{1,40} sha=([0-9a-f]{%d})" % _HASH_LENGTH)
TOOL = f"lyricsyncd {__version__} sha={'0' * _HASH_LENGTH}"
"""The stamp before `signed` writes the hash into it."""


def stamped(lyrics: Lyrics) -> Lyrics:
    """Name us as the tool that made the lyrics; `signed` writes the hash into the stamp."""
    return dataclasses.replace(lyrics, metadata={**lyrics.metadata, "tool": TOOL})


def unstamped(lyrics: Lyrics) -> Lyrics:
    """Remove our stamp from lyrics: a file that a person converts belongs to the person."""
    if not _STAMP.search(lyrics.metadata.get("tool", "").encode()):
        return lyrics
    metadata = {key: value for key, value in lyrics.metadata.items() if key != "tool"}
    return dataclasses.replace(lyrics, metadata=metadata)


def signed(text: str) -> bytes:
    """Encode a text, with the hash in its stamp.

    A text without a stamp (its format has no room for one) is only encoded; so is a text with two
    stamps, as it would be unknown which one counts.
    """
    # A lone surrogate, which JSON can contain, cannot be encoded.
    data = text.encode(errors="replace")
    found = _only_stamp(data)
    if found is None:
        return data
    return data[: found.start(1)] + _hash(data, found) + data[found.end(1) :]


def verify(data: bytes) -> bool:
    """Return whether we made this, and not a byte was changed since."""
    found = _only_stamp(data)
    return found is not None and found.group(1) == _hash(data, found)


def stripped(data: bytes) -> bytes:
    """Remove version and hash: the rest is equal where two versions of us wrote the same."""
    found = _only_stamp(data)
    return data if found is None else data[: found.start()] + data[found.end() :]


def _only_stamp(data: bytes) -> re.Match[bytes] | None:
    stamps = list(_STAMP.finditer(data))
    return stamps[0] if len(stamps) == 1 else None


def _hash(data: bytes, found: re.Match[bytes]) -> bytes:
    blank = data[: found.start(1)] + b"0" * _HASH_LENGTH + data[found.end(1) :]
    return hashlib.sha256(blank).hexdigest()[:_HASH_LENGTH].encode()
