"""Bytes to text, and text that every format can carry."""

from __future__ import annotations

import codecs
import html
import logging
import re

from lyricsyncd.errors import FormatError

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

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# Controls that are no white space, lone surrogates, byte order marks and non-characters: no
# reader shows them, and XML cannot carry them.
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_LIKE_ENTITY = rf"(?={GUARD}*(?:#\d+|#[xX][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);)"
_ENTITY_TO_GUARD = re.compile(rf"&{_LIKE_ENTITY}")
_GUARDED_ENTITY = re.compile(rf"&{GUARD}{_LIKE_ENTITY}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


def decode(data: bytes, *, legacy: bool = True) -> str:
    """The text of a file: UTF-8, or UTF-16/32 by its mark (UTF-16 also by its zero bytes).

    With ``legacy`` a file that is none of these is read as Windows-1252 (a superset of Latin-1),
    but only where most of its letters are ASCII: Cyrillic or Chinese read that way would be
    wrong words, which are worse than none.

    Raises
    ------
    FormatError
        For more than ``MAX_BYTES``, for binary data and for an unknown encoding.
    """
    if len(data) > MAX_BYTES:
        raise FormatError(
            f"{len(data)} bytes are too many for the lyrics of one song",
            remedy=f"Lyrics may have {MAX_BYTES} bytes at most",
        )
    if data.startswith(b"krc1"):
        raise FormatError("this is an encrypted KRC file", remedy="Save it as plain KRC or as LRC")
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), None)
    if encoding is None and b"\x00" in data:
        encoding = _utf16_without_mark(data)
    try:
        text = data.decode(encoding or "utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        if encoding is not None or not legacy:
            raise FormatError(
                f"the text is not valid {encoding or 'utf-8'} (byte {error.start})",
                remedy="Save the file as UTF-8",
            ) from None
        text = _decode_western(data)
    if "\x00" in text:
        raise FormatError("this is binary data, not text")
    return limited(text)


def limited(text: str) -> str:
    """The text, if it may be the lyrics of one song by its length; raises FormatError if not."""
    rows = text.count("\n") + text.count("\r") - text.count("\r\n")
    if rows > _MAX_ROWS or len(text.split()) > _MAX_PIECES:
        raise FormatError(f"more than {MAX_WORDS} words or lines are not the lyrics of one song")
    return text


def _utf16_without_mark(data: bytes) -> str:
    zeros_at_even, zeros_at_odd = data[0::2].count(0), data[1::2].count(0)
    if len(data) % 2 == 0 and max(zeros_at_even, zeros_at_odd) * 4 > len(data):
        return "utf-16-be" if zeros_at_even > zeros_at_odd else "utf-16-le"
    raise FormatError("this is binary data, not text")


def _decode_western(data: bytes) -> str:
    high = sum(byte >= 0x80 for byte in data)
    ascii_letters = sum(65 <= byte & 0xDF <= 90 for byte in data if byte < 0x80)
    if high > ascii_letters:
        raise FormatError(
            "the text is in an unknown encoding",
            remedy="Save the file as UTF-8 (it is not Unicode, and reading it by guess "
            "would give wrong words)",
        )
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


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
    """The text without what nobody can see or write: controls, lone surrogates, byte marks.

    White space stays, and so do joiners, direction marks, combining marks and emoji.
    """
    return text if text.isprintable() else _UNPRINTABLE.sub("", text)


def pieces(text: str) -> list[str]:
    """The words of a text: what white space parts."""
    return clean(text).split()


def one_line(text: str) -> str:
    """The text on one line, with single spaces."""
    return " ".join(pieces(text))


def split_lines(text: str) -> list[str]:
    """Lines by CR, LF or both, and by nothing else: a form feed is part of a line."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def language_code(text: str | None) -> str | None:
    """The text if it looks like a language code (``en``, ``pt-BR``), else nothing."""
    return text if text is not None and _LANGUAGE.fullmatch(text) else None
