"""Decode bytes of unknown encoding.

Unicode is recognised for certain. Anything else is in one of the few encodings of old lyrics files,
which is guessed from the characters beyond ASCII.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable

from lyricsyncd.errors import FormatError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decode(data: bytes, name: str) -> str:
    """The text in ``data``, without its byte order mark.

    Parameters
    ----------
    name
        What the bytes are called in the error.

    Raises
    ------
    FormatError
        The bytes are no text.
    """
    text = _decoded(data)
    if text is None or is_binary(text):
        raise FormatError(f"{name} is not text", remedy="Give a file of plain text or lyrics")
    return text.removeprefix("\ufeff")


def repair(text: str) -> str:
    """Text that an old tagger wrote in its own encoding under the label of Latin-1.

    Western text comes back as it is.
    """
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        return text
    if data.isascii():
        return text
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        guessed = _guessed(data)
        return text if guessed is None or guessed[0] == "cp1252" else guessed[1]


def _decoded(data: bytes) -> str | None:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _strict(data[len(mark) :], encoding)
    if b"\0" in data:
        # UTF-16 without a mark has its zeros on one side only.
        even, odd = data[0::2].count(0), data[1::2].count(0)
        if max(even, odd) < 0.3 * len(data) / 2 or min(even, odd) > 0.02 * len(data):
            return None
        return _strict(data, "utf-16-be" if even > odd else "utf-16-le")
    text = _strict(data, "utf-8")
    if text is not None:
        return text
    guessed = _guessed(data)
    return guessed[1] if guessed else data.decode("latin-1")


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _start(data: bytes, encoding: str, *, whole: bool) -> str | None:
    """The text of data that may end within a character, unless it is ``whole``."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data, final=whole)
    except UnicodeDecodeError:
        return None


def is_binary(text: str) -> bool:
    """Return whether there are more control characters than a stray one."""
    return "\0" in text or len(_CONTROLS.findall(text)) > max(2, 0.01 * len(text))


_CONTROLS = re.compile("[\x00-\x08\x0e-\x19\x1b-\x1f\x7f-\x84\x86-\x9f]")
_SAMPLE = 1 << 16
"""Bytes by which an encoding is judged: all of any song but the strangest."""


def _guessed(data: bytes) -> tuple[str, str] | None:
    """The likeliest encoding of bytes that are not UTF-8, and the text in it."""
    sample = data[:_SAMPLE]
    high = sum(1 for byte in sample if byte >= 0x80)
    letters = high + sum(1 for byte in sample if byte < 0x80 and chr(byte).isalpha())
    # Western text has its accents here and there among plain letters.
    if high > 0.3 * letters:
        for encoding, is_plausible in _ENCODINGS:
            start = _start(sample, encoding, whole=len(sample) == len(data))
            if start is not None and is_plausible(start):
                text = _strict(data, encoding)
                if text is not None:
                    return encoding, text
    western = _strict(data, "cp1252")
    return None if western is None else ("cp1252", western)


_Character = Callable[[str], bool]


def _mostly(belongs: _Character) -> Callable[[str], bool]:
    """Return whether what is beyond ASCII belongs, letters and punctuation alike."""

    def is_plausible(text: str) -> bool:
        beyond = [character for character in text if character > "\x7f"]
        return sum(map(belongs, beyond)) >= 0.95 * len(beyond)

    return is_plausible


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] in "PZ"


def _is_kana(character: str) -> bool:
    return "\u3041" <= character <= "\u30ff"


def _is_han(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fa5" or _is_mark(character)


def _is_hangul(character: str) -> bool:
    return "\uac00" <= character <= "\ud7a3" or _is_mark(character)


def _is_cyrillic(character: str) -> bool:
    return "\u0401" <= character <= "\u0491" or _is_mark(character)


def _is_greek(character: str) -> bool:
    return "\u0384" <= character <= "\u03ce" or _is_mark(character)


def _is_hebrew(character: str) -> bool:
    return "\u05d0" <= character <= "\u05ea" or _is_mark(character)


def _japanese(text: str) -> bool:
    # Half-width kana, which this leaves out, is what other encodings look like in Shift-JIS.
    beyond = sum(character > "\x7f" for character in text)
    if sum(map(_is_kana, text)) < 0.15 * beyond:
        return False
    return _mostly(lambda character: _is_kana(character) or _is_han(character))(text)


def _lower_cyrillic(text: str) -> bool:
    # KOI8-R has capitals where Windows-1251 has small letters.
    letters = [character for character in text if character > "\x7f" and character.isalpha()]
    return _mostly(_is_cyrillic)(text) and sum(map(str.islower, letters)) > 0.7 * len(letters)


def _upper_cyrillic(text: str) -> bool:
    letters = [character for character in text if character > "\x7f" and character.isalpha()]
    return _mostly(_is_cyrillic)(text) and sum(map(str.isupper, letters)) > 0.95 * len(letters)


def _greek(text: str) -> bool:
    # Final sigma ends words; the letter in its place in Cyrillic stands anywhere.
    words = [word.rstrip(".,;:!?'\"») ") for word in text.split()]
    final = [word for word in words if "ς" in word]
    return (
        bool(final)
        and all(word.count("ς") == word.endswith("ς") for word in final)
        and _mostly(_is_greek)(text)
    )


def _hebrew(text: str) -> bool:
    # Letters of the alphabet only; Cyrillic reaches to either side of them.
    return sum(map(_is_hebrew, text)) > 40 and _mostly(_is_hebrew)(text)


_ENCODINGS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("shift_jis", _japanese),
    ("euc_jp", _japanese),
    ("euc_kr", _mostly(_is_hangul)),
    ("cp1253", _greek),
    ("cp1255", _hebrew),
    ("cp1251", _lower_cyrillic),
    ("koi8_r", _lower_cyrillic),
    ("cp1251", _upper_cyrillic),
    ("gb2312", _mostly(_is_han)),
    ("big5", _mostly(_is_han)),
    ("gb18030", _mostly(_is_han)),
)
"""Narrow claims before wide ones: nearly all bytes are Chinese of some kind."""
