"""A song's placed words as they are kept for review: plain data, and its compact form.

What is written beside a song has no confidences, and where a song is left for review nothing is
written at all. A draft keeps the whole result: the words with times and confidences, the decision,
and the other words that were considered.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lyricsyncd.model import Line, Lyrics, ParallelKind, ParallelText, Syllable, Word

_DECIMALS = 3
"""Of seconds and of confidences: finer than a person can perceive."""


@dataclass(frozen=True, slots=True)
class Considered:
    """Words that may be a song's.

    Attributes
    ----------
    score : float or None
        The predicted share of words within 0.3 s; ``None`` where they were not placed.
    """

    lyrics: Lyrics
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """The result of placing a song's words.

    Attributes
    ----------
    score : float
        0-1: the predicted share of word onsets within 0.3 s of the truth.
    decision : str
        What may be written of it; see `lyricsyncd.model.Decision`.
    offset : float
        Seconds by which a person shifted all words since they were placed.
    by_hand : bool
        Whether a person changed words or times.
    pinned : tuple of int
        Numbers of the words whose starts a person set: pins of the placing, and words that were
        moved or agreed with since.
    revision : int
        Counts the changes of a song's draft; 0 before it is stored.
    at : float
        When it was stored; seconds since the epoch.
    """

    lyrics: Lyrics
    score: float
    decision: str
    reason: str
    language: str | None = None
    separator: str | None = None
    aligner: str | None = None
    considered: tuple[Considered, ...] = ()
    offset: float = 0.0
    by_hand: bool = False
    pinned: tuple[int, ...] = ()
    revision: int = 0
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Choices:
    """Choices of a person for a song, which every later run respects.

    Attributes
    ----------
    language : str or None
        ISO 639-1.
    lyrics : Lyrics or None
        The words to place, in place of those that sources have.
    rejected : frozenset of str
        Words that are not the song's, by `words_key`.
    pins : tuple of (int, float)
        The number of a word, and the second at which it starts.
    only_draft : bool
        Whether the next result is kept for review and not written, however good it is.
    offset : float
        Seconds by which all words are shifted once they are placed.
    instrumental : bool
        Whether nothing is sung: no words are looked for.
    """

    language: str | None = None
    lyrics: Lyrics | None = None
    rejected: frozenset[str] = field(default_factory=frozenset)
    pins: tuple[tuple[int, float], ...] = ()
    only_draft: bool = False
    offset: float = 0.0
    instrumental: bool = False


def words_key(lyrics: Lyrics) -> str:
    """Return what words are known by again: spelling and line breaks make no other words."""
    letters = "".join(filter(str.isalnum, lyrics.text.casefold()))
    return hashlib.sha256(letters.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def pack(draft: Draft) -> bytes:
    """Encode a draft: deflated JSON, 3 to 6 kB for most songs."""
    values = {
        "lyrics": lyrics_as_plain(draft.lyrics),
        "considered": [
            {"lyrics": lyrics_as_plain(each.lyrics), "score": each.score}
            for each in draft.considered
        ],
        "pinned": draft.pinned,
        **{name: getattr(draft, name) for name in _PLAIN},
    }
    return _deflated(values)


def unpack(body: bytes, *, revision: int, at: float, by_hand: bool) -> Draft | None:
    """Decode a draft; ``None`` where it is damaged: a flipped bit costs this draft alone."""
    try:
        values = _inflated(body)
        lyrics = lyrics_of_plain(values["lyrics"])
        return Draft(
            lyrics=lyrics,
            considered=tuple(
                Considered(lyrics_of_plain(each["lyrics"]), each["score"])
                for each in values["considered"]
            ),
            revision=revision,
            at=at,
            by_hand=by_hand,
            pinned=_pinned(values.get("pinned"), lyrics, by_hand=by_hand),
            **{name: values[name] for name in _PLAIN},
        )
    except _DAMAGE:
        return None


def _pinned(stored: list[int] | None, lyrics: Lyrics, *, by_hand: bool) -> tuple[int, ...]:
    """Return the pinned words; earlier versions only had their confidence for it."""
    if stored is not None:
        return tuple(map(int, stored))
    words = enumerate(lyrics.words)
    return tuple(i for i, word in words if by_hand and word.confidence == 1.0)


def pack_choices(choices: Choices) -> bytes:
    """Encode a person's choices."""
    lyrics = None if choices.lyrics is None else lyrics_as_plain(choices.lyrics)
    return _deflated(
        {
            "language": choices.language,
            "lyrics": lyrics,
            "rejected": sorted(choices.rejected),
            "pins": choices.pins,
            "only_draft": choices.only_draft,
            "offset": choices.offset,
            "instrumental": choices.instrumental,
        }
    )


def unpack_choices(body: bytes) -> Choices:
    """Decode a person's choices; none where they are damaged."""
    try:
        values = _inflated(body)
        lyrics = values["lyrics"]
        return Choices(
            language=values["language"],
            lyrics=None if lyrics is None else lyrics_of_plain(lyrics),
            rejected=frozenset(values["rejected"]),
            pins=tuple((int(number), float(start)) for number, start in values["pins"]),
            only_draft=bool(values["only_draft"]),
            # Choices of earlier versions have none of these.
            offset=float(values.get("offset", 0.0)),
            instrumental=bool(values.get("instrumental", False)),
        )
    except _DAMAGE:
        return Choices()


def lyrics_as_plain(lyrics: Lyrics) -> dict[str, Any]:
    """Encode lyrics as values of JSON, without loss but for the finest digits of times."""
    plain: dict[str, Any] = {"lines": list(map(_line, lyrics))}
    for name in ("language", "source", "source_id", "instrumental"):
        if value := getattr(lyrics, name):
            plain[name] = value
    if lyrics.metadata:
        plain["metadata"] = dict(lyrics.metadata)
    return plain


def lyrics_of_plain(plain: Mapping[str, Any]) -> Lyrics:
    """Decode `lyrics_as_plain`."""
    return Lyrics(
        tuple(map(_line_of, plain["lines"])),
        language=plain.get("language"),
        source=plain.get("source", ""),
        source_id=plain.get("source_id"),
        instrumental=plain.get("instrumental", False),
        metadata=plain.get("metadata", {}),
    )


_PLAIN = ("score", "decision", "reason", "language", "separator", "aligner", "offset")
_DOUBTFUL, _ESTIMATED = 1, 2
"""Bits of the last value of a line, which is left out where all are 0."""
_DAMAGE = (zlib.error, ValueError, KeyError, TypeError, AttributeError)


def _deflated(values: Mapping[str, Any]) -> bytes:
    # ASCII: names of files and tags need not be valid text, and survive as escapes.
    return zlib.compress(json.dumps(values, separators=(",", ":")).encode("ascii"), 9)


def _inflated(body: bytes) -> Any:
    return json.loads(zlib.decompress(body))


def _line(line: Line) -> list[Any]:
    values = [_rounded(line.start), _rounded(line.end), line.voice, list(map(_word, line.words))]
    beside = list(map(_beside, line.parallel))
    marks = _DOUBTFUL * line.doubtful + _ESTIMATED * line.estimated
    if marks:
        return [*values, beside, marks]
    return [*values, beside] if beside else values


def _line_of(values: list[Any]) -> Line:
    start, end, voice, words = values[:4]
    beside = values[4] if len(values) > 4 else []
    marks = values[5] if len(values) > 5 else 0
    return Line(
        tuple(map(_word_of, words)),
        start,
        end,
        voice,
        tuple(ParallelText(text, ParallelKind(kind), lang) for text, kind, lang in beside),
        doubtful=bool(marks & _DOUBTFUL),
        estimated=bool(marks & _ESTIMATED),
    )


def _beside(text: ParallelText) -> list[str | None]:
    return [text.text, text.kind.value, text.language]


def _word(word: Word) -> str | list[Any]:
    times = (word.start, word.end, word.confidence)
    if word.space and times == (None, None, None) and not word.repeat:
        return word.text
    parts = [[s.text, _rounded(s.start), _rounded(s.end)] for s in word.syllables]
    values = [word.text, *map(_rounded, times), int(word.space), parts, word.repeat]
    # The last values are left out where they say nothing.
    usual = [1, [], 0]
    while usual and values[-1] == usual[-1]:
        values.pop()
        usual.pop()
    return values


def _word_of(plain: Any) -> Word:
    if isinstance(plain, str):
        return Word(plain)
    text, start, end, confidence, *further = plain
    space = not further or bool(further[0])
    parts = further[1] if len(further) > 1 else ()
    repeat = int(further[2]) if len(further) > 2 else 0
    syllables = tuple(Syllable(*part) for part in parts)
    return Word(text, start, end, confidence, space, syllables, repeat)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), _DECIMALS)
