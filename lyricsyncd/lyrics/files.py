"""Read lyrics from files and tags of this computer as they are: no word is changed."""

from __future__ import annotations

import dataclasses
import re
import stat
from pathlib import Path

from lyricsyncd import formats
from lyricsyncd.errors import FormatError, LyricsNotFound, UsageError
from lyricsyncd.formats import charset
from lyricsyncd.formats.chords import without_chords
from lyricsyncd.formats.cue_rows import are_two_languages
from lyricsyncd.formats.text import MAX_BYTES, MAX_WORDS, clean, limited, split_lines
from lyricsyncd.formats.timing import check_length
from lyricsyncd.model import Lyrics
from lyricsyncd.text import words

_MAX_CHARACTERS = 8 * MAX_WORDS
"""Most characters of text without markup."""
_STRICT = frozenset({"ass", "json", "lyricsfile", "srt", "ttml", "vtt"})
"""Formats with more than words in a file: where the content is not of the format that the suffix
names, the file is broken, and its text is not taken for plain lyrics. (An .lrc without any time
stamp is plain text.)"""

_WITH_CHORDS = frozenset({"lrc", "lrc_standard"})
"""Formats that people put chords into."""


def load(
    path: Path, *, source: str = "file", encoding: str | None = None, blanks: bool = False
) -> Lyrics:
    """Read a file of lyrics; the format is detected from its content, then from its suffix.

    Parameters
    ----------
    encoding
        Python's name of its encoding; guessed by default.
    blanks
        Whether the blank lines of plain text are kept, which part its stanzas.

    Raises
    ------
    UsageError
        There is no such file.
    LyricsNotFound
        The file is empty.
    FormatError
        It is binary, too large, or not of the format that its suffix names.
    """
    data = read_bytes(path)
    return from_bytes(data, path, source=source, encoding=encoding, blanks=blanks)


def from_bytes(
    data: bytes,
    path: Path,
    *,
    source: str,
    encoding: str | None = None,
    blanks: bool = False,
) -> Lyrics:
    """Parse the content of the file at ``path``; raises as `load` does."""
    text = charset.decode(data, str(path), encoding=encoding)
    lyrics = parse(text, str(path), path.suffix, blanks=blanks)
    if not lyrics.words and not lyrics.instrumental:
        raise LyricsNotFound(f"{path} holds no words", remedy="Put the lyrics into it")
    return dataclasses.replace(lyrics, source=source, source_id=str(path))


def parse(text: str, name: str, suffix: str = "", *, blanks: bool = False) -> Lyrics:
    """Parse text as LRC, subtitles, TTML or Lyricsfile, else as plain lines.

    Parameters
    ----------
    name
        The name of the text in errors.
    suffix
        The file's, if any: decides where the text itself does not.
    blanks
        Whether the blank lines of plain text are kept, which part its stanzas.

    Raises
    ------
    FormatError
        The text breaks the rules of its format.
    """
    text = _without_tabs(text)
    data = text.encode("utf-8", "replace")
    kind = formats.guess(data) or "txt"
    named = formats.for_suffix(suffix)
    if kind == "txt" and named in _STRICT:
        kind = named
    try:
        if kind == "txt":
            return _plain(text, blanks=blanks)
        if kind in _WITH_CHORDS:
            data = without_chords(limited(text)).encode("utf-8", "replace")
        lyrics = words.split_lyrics(words.without_blanks(formats.read(data, kind)))
        check_length(lyrics.lines)
        return lyrics
    except FormatError as error:
        raise FormatError(f"{name}: {error.message}", remedy=error.remedy) from None


_TABBED = re.compile(r"(?P<stamps>\s*(?:\[[^\[\]\t]{1,40}\]\s*)*)(?P<one>[^\t]+)\t+(?P<two>[^\t]+)")
_TABBED_SHARE, _FEWEST_TABBED = 0.7, 3


def _without_tabs(text: str) -> str:
    """Put a slash between a line and its translation on one row, where a tab parts them: it would
    be lost as white space."""
    if "\t" not in text:
        return text
    rows = split_lines(text)
    found = {at: match for at, row in enumerate(rows) if (match := _TABBED.fullmatch(row))}
    written = sum(bool(row.strip()) for row in rows)
    pairs = [(match["one"].strip(), match["two"].strip()) for match in found.values()]
    if len(pairs) < max(_FEWEST_TABBED, _TABBED_SHARE * written) or not are_two_languages(pairs):
        return text
    for (at, match), (one, two) in zip(found.items(), pairs, strict=True):
        rows[at] = f"{match['stamps']}{one} / {two}"
    return "\n".join(rows)


def _plain(text: str, *, blanks: bool) -> Lyrics:
    if len(text) > _MAX_CHARACTERS:
        raise FormatError(f"{len(text)} characters are not the lyrics of one song")
    lyrics = words.from_text(without_chords(clean(limited(text))), blanks=blanks)
    check_length(lyrics.lines)
    return lyrics


def read_bytes(path: Path) -> bytes:
    """Read the bytes of a file of lyrics; raises as `load` does for a file that cannot be one."""
    if "\0" in str(path):
        raise UsageError(f"{path} cannot be read: not a path", remedy="Check the path")
    try:
        kind = path.stat()
        if not stat.S_ISREG(kind.st_mode):
            raise UsageError(f"{path} is not a file", remedy="Name a file of lyrics")
        if kind.st_size > MAX_BYTES:
            raise FormatError(
                f"{path} is too large for lyrics ({kind.st_size / 1e6:.0f} MB)",
                remedy="Is it the right file?",
            )
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}", remedy="Check the path") from None
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", remedy="Check its rights and its disk"
        ) from None
    except UnicodeEncodeError:
        raise UsageError(f"{path} cannot be read: not a path", remedy="Check the path") from None
    if len(data) > MAX_BYTES:
        raise FormatError(f"{path} is too large for lyrics", remedy="Is it the right file?")
    if not data.strip(b"\0 \t\r\n"):
        raise LyricsNotFound(f"{path} is empty", remedy="Put the lyrics into it")
    return data
