"""Read the lyrics in a song's tags, as the many programs that write them have them."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lyricsyncd import formats, tagfile
from lyricsyncd.errors import FormatError
from lyricsyncd.formats import charset
from lyricsyncd.formats.text import MAX_BYTES
from lyricsyncd.formats.timing import tidy
from lyricsyncd.lyrics import files
from lyricsyncd.lyrics.base import Candidate, described_content
from lyricsyncd.lyrics.ours import reduced, unedited
from lyricsyncd.lyrics.translations import with_texts
from lyricsyncd.model import Line, Lyrics, ParallelKind, Track, Word
from lyricsyncd.text.language import code as language_code
from lyricsyncd.text.words import split_line

_BULLET = " • "
_FRAMES = ("SYLT", "USLT")
_MOST_TAGS = 16
"""Most tags with lyrics that are read, and most texts in one of them."""
_NAMES = frozenset(
    {
        "lyrics",
        "syncedlyrics",
        "unsyncedlyrics",
        "unsynced lyrics",
        "\xa9lyr",
        "wm/lyrics",
        "txxx:lyrics",
        "txxx:syncedlyrics",
        "txxx:unsyncedlyrics",
        "----:com.apple.itunes:lyrics",
        "----:com.apple.itunes:syncedlyrics",
        "----:com.apple.itunes:unsyncedlyrics",
    }
)


def parse_embedded(song: Path, track: Track | None = None) -> tuple[list[Candidate], list[str]]:
    """Read the lyrics in a song's tags, with a message for each that is broken.

    Parameters
    ----------
    track
        As of `lyrics.local.read_sidecar`.
    """
    found: list[Candidate] = []
    warnings: list[str] = []
    try:
        tags = _tags(song)
    except (tagfile.Unreadable, OSError) as error:
        return [], [f"the tags of {song} cannot be read ({error})"]
    languages: list[str | None] = []
    for tag, value in itertools.islice(tags, _MOST_TAGS):
        try:
            texts = _from_tag(tag, value, f"{song}, tag {tag}")
            for lyrics, data in itertools.islice(texts, _MOST_TAGS):
                ours = unedited(lyrics, data)
                lyrics = reduced(lyrics, track, ours=ours)
                lyrics = dataclasses.replace(lyrics, source="tag", source_id=tag)
                by_us = ", by lyricsyncd" if ours else ""
                why = f"{described_content(lyrics)} in the song's tag {tag}{by_us}"
                found.append(Candidate(lyrics, "tag", tag, 1.0, why, ours))
                languages.append(language_code(getattr(value, "lang", None) or ""))
        except FormatError as error:
            warnings.append(error.message)
    if track is not None:
        found = _of_one_song(found, languages, track.language)
    return found[:_MOST_TAGS], warnings


def _of_one_song(
    found: list[Candidate], languages: list[str | None], sung: str | None
) -> list[Candidate]:
    """Join the frames of several languages to one candidate, where their lines match.

    Most programs write the same language whatever the words are in: alone it says nothing.
    """
    frames = [
        (candidate, language)
        for candidate, language in zip(found, languages, strict=True)
        if candidate.id == "USLT" and not candidate.ours and language is not None
    ]
    frames.sort(key=lambda pair: pair[1] != sung)
    joined = dict.fromkeys(language for _, language in frames)
    if len(joined) < 2 or len(joined) < len(frames):
        return found
    (first, language), *others = frames
    lyrics = first.lyrics
    for other, code in others:
        if len(other.lyrics.lines) != len(lyrics.lines) or other.lyrics.instrumental:
            return found
        texts = [line.text for line in other.lyrics]
        lyrics = with_texts(lyrics, texts, ParallelKind.TRANSLATION, code)
    merged = dataclasses.replace(first, lyrics=dataclasses.replace(lyrics, language=language))
    parts = [candidate for candidate, _ in frames]
    return [merged, *(each for each in found if not any(each is part for part in parts))]


def _tags(song: Path) -> list[tuple[str, Any]]:
    """Return the tags that may hold lyrics: their names and values."""
    file = tagfile.opened(song)
    fields = tagfile.fields(None if file is None else file.tags, _holds_lyrics)
    return [(key[:4] if key.startswith(_FRAMES) else key, value) for key, value in fields]


def _holds_lyrics(name: str) -> bool:
    return name.startswith(_FRAMES) or name.lower() in _NAMES


def _from_tag(tag: str, value: Any, name: str) -> Iterator[tuple[Lyrics, bytes]]:
    """Parse the lyrics in a tag, each with the bytes that its provenance stamp was signed over."""
    from lyricsyncd.tags.id3 import frame_values
    from lyricsyncd.tags.values import encoded

    if tag == "SYLT":
        try:
            lyrics = _from_sylt(value)
        except FormatError as error:
            raise FormatError(f"{name}: {error.message}", remedy=error.remedy) from None
        if lyrics is not None:
            yield lyrics, encoded(frame_values([value])) or b""
        return
    for text in _texts(value, name):
        # A byte order mark, and the zeros that end or separate strings in ID3.
        text = text.strip("\ufeff\0").replace("\0", "\n")
        if len(text) > MAX_BYTES:
            raise FormatError(f"{name} is too large for lyrics")
        if charset.is_binary(text):
            raise FormatError(f"{name} holds no text")
        lyrics = files.parse(_in_lines(_repaired([text], value)[0]), name, blanks=True)
        if lyrics.words or lyrics.instrumental:
            yield lyrics, text.encode("utf-8", "replace")


def _texts(value: Any, name: str) -> Iterator[str]:
    """Return the strings in the value of a tag of any kind."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield charset.decode(value, name)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item, name)
    elif hasattr(value, "text"):
        yield from _texts(value.text, name)
    elif hasattr(value, "value"):
        yield from _texts(value.value, name)


def _in_lines(text: str) -> str:
    """Split one line at bullets, which iTunes and programs that copy from it put between lines."""
    line = text.strip()
    if (
        _BULLET in line
        and len(line.splitlines()) == 1
        and formats.guess(line.encode("utf-8", "replace")) == "txt"
    ):
        return line.replace(_BULLET, "\n")
    return text


def _repaired(texts: list[str], frame: Any) -> list[str]:
    """Decode text anew whose encoding is declared wrongly: only Latin-1 ever is."""
    latin_1 = 0
    return charset.repair(texts) if getattr(frame, "encoding", None) == latin_1 else texts


def _from_sylt(frame: Any) -> Lyrics | None:
    """Parse synchronised lyrics of ID3v2 (frames 4.9): pieces of text, each with a time.

    By the standard a piece that begins with a newline begins a line, and pieces are syllables with
    the spaces around them; many programs write one piece for each line, without either.
    """
    milliseconds, lyrics_kind = 2, (0, 1, 2)
    if frame.format != milliseconds or frame.type not in lyrics_kind:
        return None
    texts = _repaired([text for text, _ in frame.text], frame)
    pieces = [
        (text.replace("\r", ""), time / 1000)
        for text, (_, time) in zip(texts, frame.text, strict=True)
    ]
    if not any("\n" in text for text, _ in pieces):
        lines = [Line.from_text(text, start) for text, start in pieces]
    else:
        lines = _lines_of_pieces(pieces)
    lyrics = Lyrics(
        tuple(split_line(line) for line in lines if line.words),
        language=language_code(frame.lang or ""),
        metadata={"tool": frame.desc} if frame.desc else {},
    )
    # Any program may have written the times: impossible ones are an error, decreasing ones dropped.
    lyrics = tidy(lyrics)
    return lyrics if lyrics.words else None


def _lines_of_pieces(pieces: Iterable[tuple[str, float]]) -> list[Line]:
    grouped: list[list[tuple[str, float]]] = [[]]
    for text, start in pieces:
        if text.startswith("\n"):
            grouped.append([])
        parts = text.strip("\n").split("\n")
        grouped[-1].append((parts[0], start))
        # Text after a newline within a piece has no time of its own.
        grouped += [[(part, start)] for part in parts[1:]]
        if text.endswith("\n") and len(text) > 1:
            grouped.append([])
    return [_line_of_pieces(group) for group in grouped if any(text.strip() for text, _ in group)]


def _line_of_pieces(pieces: list[tuple[str, float]]) -> Line:
    """Join timed syllables to a line; those without a space between are of one word.

    A piece without text is a rest: the word before ends there.
    """
    found: list[Word] = []
    spaced = any(text != text.strip() for text, _ in pieces)
    open_word = False
    for text, start in pieces:
        parts = text.split()
        if not parts and found:
            found[-1] = dataclasses.replace(found[-1], end=start)
        if not text:
            continue
        for at, part in enumerate(parts):
            timed = start if at == 0 else None
            if at == 0 and open_word and spaced and not text[:1].isspace():
                found[-1] = dataclasses.replace(found[-1], space=False)
            found.append(Word(part, timed))
        open_word = bool(found) and not text[-1:].isspace() if parts else False
    words = tuple(found)
    end = words[-1].end if words else None
    if len([text for text, _ in pieces if text.strip()]) == 1 and len(words) > 1:
        # The time of a piece that is the whole line is the line's, not its first word's.
        words = tuple(dataclasses.replace(word, start=None, end=None) for word in words)
    return Line(words, pieces[0][1], end)
