"""Decode bytes of unknown encoding.

Unicode is recognised for certain. Anything else is in a legacy encoding, which is guessed: the
text in each encoding is compared with the letters and the frequent words of its
languages. Where no guess is clearly the best, the bytes are refused: lyrics with wrong letters are
worse than none.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from lyricsyncd.errors import FormatError
from lyricsyncd.formats.legacy_languages import LANGUAGES, Language

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 1 << 15
"""Bytes by which an encoding is guessed: all of any song but the longest."""
_DECLARED = re.compile(
    rb"^(?:#ENCODING:\s*|\s{0,20}<\?xml\s[^<>]{0,100}?\bencoding=[\"'])([\w-]{2,20})",
    re.IGNORECASE | re.MULTILINE,
)
"""The encoding that a file of UltraStar or XML names."""
_OTHER_FILES = {
    b"krc1": "an encrypted KRC file",
    b"{\\rtf": "an RTF file",
    b"%PDF-": "a PDF file",
    b"PK\x03\x04": "a ZIP file, or one of Word",
    b"\xd0\xcf\x11\xe0": "a file of Word",
    b"<SAMI": "a file of SAMI subtitles",
}
"""Files that people keep words in, by their first bytes, and that are not read."""
_CONTROLS = re.compile("[\x00-\x08\x0e-\x19\x1b-\x1f\x7f-\x84\x86-\x9f]")
_WORDS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_MARKUP = re.compile(
    r"\[[^\[\]\n]{0,200}:[^\[\]\n]{0,200}\]|<[^<>\n]{1,300}>|\{[^{}\n]{0,300}\}|^#\w+:",
    re.MULTILINE,
)
"""Stamps, tags and headers, which are not words."""
_PUNCTUATION = frozenset("’‘‚“”„…–—«»‹›•·°´`€£©®™×½♪\xa0")
"""Characters beyond ASCII that lyrics of any language may have."""
_SYMBOL_IN_WORD = re.compile(r"[^\W\d_][•°€£©®™×½„‹›][^\W\d_]")
_MOST_STRANGE = 0.06
"""Largest share of characters beyond ASCII that are not of a language: of a name, say."""
_MARGIN = 0.04
"""Least difference between the scores of a guess and of the next best with another text."""
_LEAST = 0.02
"""Least score of a guess that is taken: without a frequent word, another language is as likely."""
_FEWEST = 2
"""Least number of frequent words in a guess that is taken: one may be there by chance."""
_FAMILIAR = 0.12
"""Score of frequent words from which a guess is taken for certain in spite of the margin."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A legacy encoding, and how well its text fits one of its languages."""

    encoding: str
    language: str
    text: str
    score: float
    """The share of frequent words, less that of characters that the language does not have."""
    known: int
    """The number of frequent words."""


def decode(data: bytes, name: str = "", *, encoding: str | None = None) -> str:
    """Decode text, without its byte order mark.

    Parameters
    ----------
    name
        The name of the bytes in errors.
    encoding
        Python's name of the encoding, where it is known; otherwise it is guessed.

    Raises
    ------
    FormatError
        The bytes are not text, or not of the given encoding, or no encoding is the likeliest by
        far; then the error names the best guess.
    """
    try:
        other = next((what for begin, what in _OTHER_FILES.items() if data.startswith(begin)), None)
        if other is not None:
            raise FormatError(f"this is {other}", remedy="Save it as plain text or as LRC")
        text = _given(data, encoding or unicode_encoding(data) or _legacy(data))
        if is_binary(text):
            raise FormatError("this is not text", remedy="Give a file of plain text or lyrics")
    except FormatError as error:
        if not name:
            raise
        raise FormatError(f"{name}: {error.message}", remedy=error.remedy) from None
    return text.removeprefix("\ufeff")


def unicode_encoding(data: bytes) -> str | None:
    """Return the Unicode encoding of data; ``None`` if it is not Unicode.

    Raises
    ------
    FormatError
        It is binary data.
    """
    marked = next((encoding for mark, encoding in _BOMS if data.startswith(mark)), None)
    if marked is not None:
        return marked
    if b"\0" in data:
        # UTF-16 without a mark has zeros in every other byte.
        even, odd = data[0::2].count(0), data[1::2].count(0)
        if max(even, odd) < 0.15 * len(data) or min(even, odd) > 0.02 * len(data):
            raise FormatError("this is binary data, not text")
        return "utf-16-be" if even > odd else "utf-16-le"
    return "utf-8" if _strict(data, "utf-8") is not None else None


def repair(texts: list[str]) -> list[str]:
    """Decode anew the texts of a tag that are declared as Latin-1, but in another encoding.

    Western text, and text of which no guess is sure, is returned as it is.
    """
    try:
        pieces = [text.encode("latin-1") for text in texts]
    except UnicodeEncodeError:
        return texts
    data = b"".join(pieces)
    if data.isascii():
        return texts
    encoding = "utf-8"
    if _strict(data, "utf-8") is None:
        best, sure = _best(data)
        if best is None or not sure or best.encoding == "cp1252":
            return texts
        encoding = best.encoding
    repaired = [_strict(piece, encoding) for piece in pieces]
    return [text if new is None else new for text, new in zip(texts, repaired, strict=True)]


def is_binary(text: str) -> bool:
    """Check whether text has more than a few control characters."""
    return "\0" in text or len(_CONTROLS.findall(text)) > max(2, 0.01 * len(text))


def guesses(data: bytes) -> list[Guess]:
    """Return the legacy encodings of data that fit one of their languages, the best first."""
    found = []
    texts = {}
    for language in LANGUAGES:
        for rank, encoding in enumerate(language.encodings):
            if encoding not in texts:
                texts[encoding] = _Text.of(_start(data, encoding))
            text = texts[encoding]
            fit = None if text is None else _fit(text, language)
            if text is not None and fit is not None:
                score, known = fit
                # Of encodings with the same text the first is named.
                score -= 1e-3 * rank
                found.append(Guess(encoding, language.name, text.whole, score, known))
    return sorted(found, key=lambda guess: -guess.score)


def _given(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except LookupError:
        raise FormatError(
            f"'{encoding}' is not an encoding of text", remedy="Name one such as cp1250 or gb18030"
        ) from None
    except UnicodeDecodeError as error:
        raise FormatError(
            f"the text is not valid {encoding} (byte {error.start})",
            remedy="Save the file as UTF-8",
        ) from None


def _legacy(data: bytes) -> str:
    """Return the encoding that data declares, or the one that is guessed with certainty."""
    declared = _DECLARED.search(data[:4096])
    if declared is not None:
        encoding = _python_name(declared.group(1).decode("ascii"))
        if encoding is not None and _strict(data, encoding) is not None:
            return encoding
    best, sure = _best(data)
    if best is not None and sure and _strict(data, best.encoding) is not None:
        return best.encoding
    guess = "" if best is None else f", perhaps {best.encoding} ({best.language})"
    raise FormatError(
        f"the text is not Unicode, and its encoding is not certain{guess}",
        remedy="Save the file as UTF-8, or name its encoding with --encoding",
    )


def _python_name(encoding: str) -> str | None:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        return None


def _best(data: bytes) -> tuple[Guess | None, bool]:
    """Return the best guess, and whether it is better by far than any with another text."""
    found = guesses(data)
    if not found:
        return None, False
    best = found[0]
    if best.score < _LEAST or best.known < _FEWEST:
        return best, False
    other = next((guess.score for guess in found if _differ(guess.text, best.text)), None)
    if other is None or best.score >= other + _MARGIN:
        return best, True
    return best, best.score >= max(_FAMILIAR, 1.5 * other)


def _differ(one: str, two: str) -> bool:
    """Check whether two texts differ in more than a few characters.

    Variants of one encoding, such as Windows-1253 and ISO 8859-7, differ in a letter or two: there
    the better guess is taken, by whatever margin.
    """
    if len(one) != len(two):
        return True
    beyond = sum(character > "\x7f" for character in one)
    return sum(a != b for a, b in zip(one, two, strict=True)) > 0.1 * beyond


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _start(data: bytes, encoding: str) -> str | None:
    """Decode the sample of data that is judged, which may end within a character."""
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        return decoder.decode(data[:_SAMPLE], final=len(data) <= _SAMPLE)
    except UnicodeDecodeError:
        return None


@dataclass(frozen=True, slots=True)
class _Text:
    """The text of the bytes in an encoding, split once for all languages."""

    whole: str
    words: tuple[str, ...]
    """In small letters, without markup."""
    beyond: Counter[str]
    """Characters beyond ASCII, and how often each is there."""
    broken: int
    """Words with a capital after a small letter, or with a symbol within: "êÎÅ", "Na•ve"."""
    mixed: int
    """Words with letters of ASCII beside others."""

    @classmethod
    def of(cls, text: str | None) -> _Text | None:
        if text is None:
            return None
        plain = _MARKUP.sub(" ", text)
        words = _WORDS.findall(plain)
        foreign = [word for word in words if not word.isascii()]
        broken = len(_SYMBOL_IN_WORD.findall(plain)) + sum(
            any(a.islower() and b.isupper() for a, b in pairwise(word)) for word in foreign
        )
        mixed = sum(any(c.isascii() and c.isalpha() for c in word) for word in foreign)
        small = tuple(word.lower().replace("’", "'") for word in words)
        beyond = Counter(character for character in plain if character > "\x7f")
        return cls(text, small, beyond, broken, mixed)


def _fit(text: _Text, language: Language) -> tuple[float, int] | None:
    """Measure how well a text fits a language; ``None`` where its characters do not.

    Returns
    -------
    score : float
        The share of frequent words, less twice the share of strange characters.
    known : int
        The number of frequent words.
    """
    total = sum(text.beyond.values())
    strange = text.broken + sum(
        count for character, count in text.beyond.items() if not _belongs(character, language)
    )
    if language.scripts and language.has_spaces:
        strange += text.mixed
    if not total or strange > _MOST_STRANGE * total:
        return None
    if language.has_spaces:
        units = len(text.words)
        known = sum(word in language.words for word in text.words)
    else:
        # Words of ASCII are units, too: in a Latin text only few characters are beyond.
        letters = {c: count for c, count in text.beyond.items() if c.isalnum()}
        units = sum(letters.values()) + sum(word.isascii() for word in text.words)
        known = sum(count for c, count in letters.items() if c in language.words)
    share = known / units if units else 0.0
    return share - 2.0 * strange / total, known


def _belongs(character: str, language: Language) -> bool:
    if character in _PUNCTUATION or character in language.letters:
        return True
    if not language.scripts:
        return False
    in_script = any(first <= character <= last for first, last in language.scripts)
    return in_script or (character > "\xff" and unicodedata.category(character)[0] in "PZM")
