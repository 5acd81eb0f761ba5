"""Divide lines into words: by spaces, Chinese and Japanese by characters, Thai by a dictionary."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from lyricsyncd.model import Line, Lyrics, Word
from lyricsyncd.readings import thai

# Han, its extensions and marks, kana, bopomofo: the scripts that are timed a character at a time.
_CJK = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3041-\u3096\u309d-\u309f\u30a1-\u30fa"
    "\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U000323af"
)
# Sung with the character before: small kana, the long mark, voicing marks, variation selectors.
_TRAILING_KANA = (
    "\u3041\u3043\u3045\u3047\u3049\u3063\u3083\u3085\u3087\u308e\u3095\u3096\u30a1\u30a3\u30a5"
    "\u30a7\u30a9\u30c3\u30e3\u30e5\u30e7\u30ee\u30f5\u30f6\u30fc\u31f0-\u31ff\uff67-\uff70"
    "\uff9e\uff9f\u3099-\u309c\ufe00-\ufe0f\U000e0100-\U000e01ef"
)
_OPENING = (
    "\u3008\u300a\u300c\u300e\u3010\u3014\u3016\u3018\u301a\u301d\uff08\uff3b\uff5b\uff5f([{“‘«\"'"
)
_HAS_CJK = re.compile(f"[{_CJK}]")
_PIECES = re.compile(
    rf"[{_OPENING}]*"  # belongs to what it opens
    rf"(?:[{_CJK}][{_TRAILING_KANA}]*|[^{_CJK}{_OPENING}]+)"
    rf"(?:[^\w{_OPENING}]+)?"  # other punctuation belongs to what it closes
)


_HAN = "々〇\u3400-\u4dbf\u4e00-\u9fff"
# Tried once for a run of characters, not at each of them: a line may be very long.
_FURIGANA = re.compile(
    rf"(?:[｜|]|(?<![{_HAN}]))[{_HAN}]+"
    r"(?:[(（][\u3041-\u3096\u30a1-\u30fa\u30fc・]+[)）]"
    r"|《[\u3041-\u3096\u30a1-\u30fa\u30fc・]+》)"
)
"""Characters and their reading in brackets: sung once, so one word."""
_THAI = re.compile("[\u0e01-\u0e4e]{2}")


def split(text: str) -> tuple[Word, ...]:
    """Divide one line into words, without times.

    Whitespace parts words; within CJK text every character is one, ``space`` false, while runs of
    other letters stay whole, and Thai is divided into its words where the extra for it is
    installed. Characters with their reading in brackets are one word. Joined again, the words are
    the text.

    >>> [word.text for word in split("我 love你")]
    ['我', 'love', '你']
    """
    return tuple(word for token in text.split() for word in _split_token(token))


def has_cjk(text: str) -> bool:
    """Return whether any character is of a script without spaces."""
    return _HAS_CJK.search(text) is not None


def _is_unspaced(text: str) -> bool:
    """Return whether a text has letters of a script that has no spaces between words."""
    return _HAS_CJK.search(text) is not None or _THAI.search(text) is not None


def _split_token(token: str) -> Iterator[Word]:
    if not _is_unspaced(token):
        yield Word(token)
        return
    pieces = _with_furigana(token) if _HAS_CJK.search(token) else _thai_words(token)
    for piece in pieces[:-1]:
        yield Word(piece, space=False)
    yield Word(pieces[-1])


def _with_furigana(token: str) -> list[str]:
    """Divide into characters, but for those with their reading in brackets."""
    pieces: list[str] = []
    at = 0
    for found in _FURIGANA.finditer(token):
        pieces += [*_characters(token[at : found.start()]), found[0]]
        at = found.end()
    rest = _characters(token[at:])
    if at and rest and not any(character.isalnum() for character in rest[0]):
        pieces[-1] += rest.pop(0)
    return pieces + rest


def _thai_words(token: str) -> list[str]:
    """Divide into Thai words; punctuation goes with the word that it opens or closes."""
    pieces: list[str] = []
    opening = ""
    for piece in thai.split(token):
        if any(character.isalnum() for character in piece):
            pieces.append(opening + piece)
            opening = ""
        elif piece[-1] in _OPENING or not pieces:
            opening += piece
        else:
            pieces[-1] += piece
    if opening:
        pieces = [*pieces[:-1], pieces[-1] + opening] if pieces else [opening]
    return pieces


def _characters(token: str) -> list[str]:
    pieces: list[str] = []
    end = 0
    for match in _PIECES.finditer(token):
        pieces.append(token[end : match.end()])
        end = match.end()
    if end < len(token):
        # Opening marks with nothing behind them.
        pieces = [*pieces[:-1], pieces[-1] + token[end:]] if pieces else [token]
    return pieces


def split_line(line: Line) -> Line:
    """Return the line with its CJK words divided into characters, and its Thai into words.

    A word that has a time of its own is left whole: how the time divides is not known.
    """
    if not any(_is_unspaced(word.text) for word in line.words):
        return line
    words: list[Word] = []
    for word in line.words:
        pieces = (word,) if word.start is not None else tuple(_split_token(word.text))
        rest = (dataclasses.replace(piece, repeat=word.repeat) for piece in pieces[:-1])
        words += [*rest, dataclasses.replace(word, text=pieces[-1].text)]
    return dataclasses.replace(line, words=tuple(words))


def split_lyrics(lyrics: Lyrics) -> Lyrics:
    """Apply `split_line` to every line."""
    return lyrics.with_lines(map(split_line, lyrics))


def without_blanks(lyrics: Lyrics) -> Lyrics:
    """Drop lines that have no words. A time that one had is where the line before it
    ends, if that is not known otherwise."""
    lines: list[Line] = []
    for line in lyrics:
        if line.words:
            lines.append(line)
        elif lines and lines[-1].end is None and line.start is not None:
            lines[-1] = dataclasses.replace(lines[-1], end=line.start)
    return lyrics.with_lines(lines)


def from_text(text: str, *, blanks: bool = False) -> Lyrics:
    """Make plain lyrics: a line a line, no word changed; blank ones are dropped or kept."""
    lines = (Line(split(line)) for line in text.splitlines())
    return Lyrics(tuple(line for line in lines if line.words or blanks))


def letters(text: str) -> str:
    """Return the letters and digits of a text alone, case-folded, to compare it with another."""
    return "".join(character for character in text.casefold() if character.isalnum())
