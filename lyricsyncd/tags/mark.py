"""The mark in what we write, by which we know it again without the journal.

``lyricsyncd 0.1.0 sha=3f2a…`` stands wherever a format has room for the name of the tool
(``[re:…]`` in LRC). The hash is that of the whole text, with zeros in its own place: after any edit
it no longer fits, and the file is the person's who edited it.
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
_MARK = re.compile(rb"lyricsyncd [0-9A-Za-z.+!-]{1,40} sha=([0-9a-f]{%d})" % _HASH_LENGTH)
TOOL = f"lyricsyncd {__version__} sha={'0' * _HASH_LENGTH}"


def marked(lyrics: Lyrics) -> Lyrics:
    """The lyrics, with us as the tool that made them; `sealed` then fits the hash in."""
    return dataclasses.replace(lyrics, metadata={**lyrics.metadata, "tool": TOOL})


def unmarked(lyrics: Lyrics) -> Lyrics:
    """The lyrics without a mark of ours: what a person writes out is the person's."""
    if not _MARK.search(lyrics.metadata.get("tool", "").encode()):
        return lyrics
    metadata = {key: value for key, value in lyrics.metadata.items() if key != "tool"}
    return dataclasses.replace(lyrics, metadata=metadata)


def sealed(text: str) -> bytes:
    """The text as bytes, the hash in its mark.

    Formats without room for a mark come out as they are; so does a text with two marks, in which
    nobody could tell which one counts.
    """
    # A lone half of a character, as JSON may bring it, is nothing that a file could hold.
    data = text.encode(errors="replace")
    found = _only_mark(data)
    if found is None:
        return data
    return data[: found.start(1)] + _hash(data, found) + data[found.end(1) :]


def intact(data: bytes) -> bool:
    """Whether we made this, and nobody has changed a byte since."""
    found = _only_mark(data)
    return found is not None and found.group(1) == _hash(data, found)


def bare(data: bytes) -> bytes:
    """The data without version and hash: equal where two versions of us wrote the same."""
    found = _only_mark(data)
    return data if found is None else data[: found.start()] + data[found.end() :]


def _only_mark(data: bytes) -> re.Match[bytes] | None:
    marks = list(_MARK.finditer(data))
    return marks[0] if len(marks) == 1 else None


def _hash(data: bytes, found: re.Match[bytes]) -> bytes:
    blank = data[: found.start(1)] + b"0" * _HASH_LENGTH + data[found.end(1) :]
    return hashlib.sha256(blank).hexdigest()[:_HASH_LENGTH].encode()
