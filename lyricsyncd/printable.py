"""Foreign text as it may be shown in a log or on a terminal.

Names of files, tags and answers of servers are chosen by others. A newline in one would forge a
line of the log, an escape sequence would command the terminal, and a bidirectional override would
show another name than there is.
"""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL and C1 controls
    "\u2028\u2029"  # line and paragraph separators
    "\u202a-\u202e\u2066-\u2069"  # bidirectional embeddings, overrides and isolates
    "\ud800-\udfff"  # what is no character: bytes of names that are not UTF-8
    "]"
)


def escaped(text: str) -> str:
    """Return a text on one line, what is unsafe in it as Python's escapes: ``\\n``, ``\\x1b``."""
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if "\udc80" <= character <= "\udcff":
        # A byte that `os.fsdecode` could not read.
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
