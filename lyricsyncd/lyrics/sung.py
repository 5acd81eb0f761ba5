"""Reduce lyrics to what is sung, alike for every source: websites, databases, sidecars and tags.

Cleaned of what surrounds the words, singers' names moved to voices, translations beside the lines
that they translate.
"""

from __future__ import annotations

import dataclasses

from lyricsyncd.lyrics.clean import clean, clean_text, sung_lines
from lyricsyncd.lyrics.translations import beside_lines, parted, with_texts
from lyricsyncd.lyrics.voices import with_voices
from lyricsyncd.model import Line, Lyrics, Track
from lyricsyncd.text import words


def sung_part(lyrics: Lyrics, track: Track) -> Lyrics:
    """Reduce lyrics to what is sung; without words where they hold nothing else.

    Parameters
    ----------
    lyrics
        As they were read. Lines without words part the stanzas of plain lyrics.
    track
        The song, by whose names headings and singers are recognised.
    """
    if any(_is_marked(line) for line in lyrics):
        timed = beside_lines(words.without_blanks(lyrics), track.language)
        cleaned = clean(timed, track)
        return words.split_lyrics(with_voices(cleaned, track))
    text = "\n".join(line.text for line in lyrics)
    return dataclasses.replace(
        from_plain(text, track, instrumental=lyrics.instrumental),
        language=lyrics.language,
        source=lyrics.source,
        source_id=lyrics.source_id,
        metadata=lyrics.metadata,
    )


def from_plain(text: str, track: Track, *, instrumental: bool = False) -> Lyrics:
    """Make lyrics of what is sung in a text without times.

    Parameters
    ----------
    instrumental
        Whether the source calls the song instrumental, besides the text.
    """
    text, blocks = parted(text)
    sung, marked = sung_lines(text, track)
    lines = tuple(
        Line(
            tuple(dataclasses.replace(word, repeat=line.repeat) for word in words.split(line.text))
        )
        for line in sung
    )
    lyrics = Lyrics(lines, instrumental=marked or (instrumental and not lines))
    for block in blocks:
        lyrics = with_texts(lyrics, clean_text(block.text)[0], block.kind)
    return with_voices(beside_lines(lyrics, track.language) if not blocks else lyrics, track)


def _is_marked(line: Line) -> bool:
    """Return whether a line has what plain text cannot express: times, or a voice."""
    timed = line.start is not None or any(word.start is not None for word in line.words)
    return timed or line.voice is not None
