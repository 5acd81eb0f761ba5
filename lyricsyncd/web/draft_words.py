"""Convert the words of drafts between the shapes of the interface and lyrics."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from lyricsyncd.model import Line, Lyrics, Syllable, Word
from lyricsyncd.web.shapes.review import DraftLyrics


def parallel(line: Line) -> list[dict[str, Any]]:
    """Return the translations and romanisations of a line for an answer."""
    return [
        {"text": each.text, "kind": each.kind.value, "language": each.language}
        for each in line.parallel
    ]


def with_parallel(lyrics: Lyrics, before: Lyrics) -> Lyrics:
    """Keep translations, which a page does not send, where no line was added or removed."""
    if len(lyrics.lines) != len(before.lines):
        return lyrics
    return lyrics.with_lines(
        dataclasses.replace(line, parallel=old.parallel)
        for line, old in zip(lyrics, before, strict=True)
    )


def with_syllables(lyrics: Lyrics, before: Lyrics) -> Lyrics:
    """Keep the syllables of words that a page sent without them, whose times are as before."""
    known = {(word.text, word.start, word.end): word.syllables for word in before.words}
    return lyrics.with_lines(
        dataclasses.replace(
            line,
            words=tuple(
                dataclasses.replace(
                    word,
                    syllables=word.syllables or known.get((word.text, word.start, word.end), ()),
                )
                for word in line.words
            ),
        )
        for line in lyrics
    )


def lyrics_of(shape: DraftLyrics) -> Lyrics:
    """Return the lyrics that a request has."""
    return Lyrics(
        tuple(
            Line(tuple(map(_word, line.words)), line.start, line.end, line.voice)
            for line in shape.lines
        ),
        language=shape.language,
    )


def _word(values: Sequence[Any]) -> Word:
    given: list[Any] = list(values)
    given += [None] * (4 - len(given))
    text, start, end, confidence = given[:4]
    syllables = given[5] if len(given) > 5 else ()
    return Word(
        text,
        start,
        end,
        confidence,
        len(given) < 5 or bool(given[4]),
        tuple(Syllable(*part) for part in syllables),
    )


def as_row(word: Word) -> list[Any]:
    """Return a word for an answer."""
    row: list[Any] = [word.text, word.start, word.end, word.confidence, word.space]
    if word.syllables:
        row.append([[part.text, part.start, part.end] for part in word.syllables])
    return row
