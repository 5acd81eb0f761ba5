"""Bytes to text, and text that every format can carry."""

from __future__ import annotations

import html
import logging
import re

from lyricsyncd.errors import FormatError
from lyricsyncd.formats import charset

_log = logging.getLogger(__name__)

MAX_BYTES = 2**20
"""No song's lyrics come near this; what does is a mistake or an attack. Navidrome draws the same
line."""
MAX_WORDS = 50_000
"""An opera has 15,000."""
_MAX_ROWS = 2 * MAX_WORDS
_MAX_PIECES = 4 * MAX_WORDS
"""What white space parts: in some formats many a word."""

GUARD = "\u2060"
"""WORD JOINER: invisible, and put inside lyrics that would otherwise read as markup
("<00:12.00>" as a sung word). Readers of the same format take it out again."""

# Controls that are no white space, lone surrogates, byte order marks and non-characters: no
# reader shows them, and XML cannot carry them.
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_LIKE_ENTITY = rf"(?={GUARD}*(?:#\d+|#[xX][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);)"
_ENTITY_TO_GUARD = re.compile(rf"&{_LIKE_ENTITY}")
_GUARDED_ENTITY = re.compile(rf"&{GUARD}{_LIKE_ENTITY}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


def decode(data: bytes, *, legacy: bool = True, encoding: str | None = None) -> str:
    """Decode the text of a file.

    Parameters
    ----------
    legacy
        Whether text that is not Unicode is allowed; its encoding is guessed.
    encoding
        Python's name of the encoding, where the user knows it.

    Raises
    ------
    FormatError
        For more than ``MAX_BYTES``, for binary data, and for an encoding that is not certain.
    """
    if len(data) > MAX_BYTES:
        raise FormatError(
            f"{len(data)} bytes are too many for the lyrics of one song",
            remedy=f"Lyrics may have {MAX_BYTES} bytes at most",
        )
    if not legacy and encoding is None:
        encoding = charset.unicode_encoding(data) or "utf-8"
    text = charset.decode(data, encoding=encoding)
    if "\x00" in text:
        raise FormatError("this is binary data, not text")
    return limited(text)


def limited(text: str) -> str:
    """Return a text that may be the lyrics of one song by its length; raises FormatError if not."""
    rows = text.count("\n") + text.count("\r") - text.count("\r\n")
    if rows > _MAX_ROWS or len(text.split()) > _MAX_PIECES:
        raise FormatError(f"more than {MAX_WORDS} words or lines are not the lyrics of one song")
    return text


def report(what: str, where: str) -> None:
    """Log what of a file is not kept, so that no word or time is lost in silence."""
    place = one_line(where)[:60]
    _log.warning("%s%s", what, f": {place!r}" if place else "")


def guard_entities(text: str) -> str:
    """Return text in which nothing reads as a character reference of HTML."""
    return _ENTITY_TO_GUARD.sub(f"&{GUARD}", text)


def unescape(text: str) -> str:
    """Return text with HTML's character references as characters, as websites leave them.

    Those that `guard_entities` has guarded stay what they are.
    """
    if "&" not in text:
        return text
    return _GUARDED_ENTITY.sub("&", _ENTITY.sub(lambda found: html.unescape(found[0]), text))


def clean(text: str) -> str:
    """Remove what cannot be seen or written: controls, lone surrogates, byte marks.

    White space stays, and so do joiners, direction marks, combining marks and emoji.
    """
    return text if text.isprintable() else _UNPRINTABLE.sub("", text)


def pieces(text: str) -> list[str]:
    """Split a text into words, at white space."""
    return clean(text).split()


def one_line(text: str) -> str:
    """Return a text on one line, with single spaces."""
    return " ".join(pieces(text))


def split_lines(text: str) -> list[str]:
    """Split lines at CR, LF or both, and at nothing else: a form feed is part of a line."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def language_code(text: str | None) -> str | None:
    """Return a text that looks like a language code (``en``, ``pt-BR``), else nothing."""
    return text if text is not None and _LANGUAGE.fullmatch(text) else None
