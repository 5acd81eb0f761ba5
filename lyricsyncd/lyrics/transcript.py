"""Words by ear: what a recogniser heard is looked for, and is itself the last resort.

The song is searched by its most telling lines; an entry counts only where what was heard agrees
with what it says, word after word. Sources are told those lines, and nothing else of the sound.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.errors import LyricsNotFound, SourceError
from lyricsyncd.lyrics.base import Candidate, described
from lyricsyncd.model import Line, Lyrics, Track, Word
from lyricsyncd.separate.presence import SUNG_SHARE
from lyricsyncd.text import match

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config
    from lyricsyncd.http.answers import Answers
    from lyricsyncd.lyrics import Found

_log = logging.getLogger(__name__)

AGREES = 0.15
"""Agreement from which lyrics are what was heard. On thirteen songs and whisper-base, eleven reach
0.22 to 0.87 with their own words (two are heard in the wrong language, or hardly at all), and none
more than 0.00 with the words of any other song."""
RUN = 3
"""Words in a row that must agree before any of them counts: single ones agree by chance."""
FEWEST_WORDS = 8
"""Fewer heard words than these are no lyrics: a cry, or the recogniser's dreams in the silence."""
_LEAST_SURE = 0.2
"""Confidence below which a heard word was rather not sung."""
_PAUSE_S = 0.7
"""Silence between words that ends a line."""
_LONGEST_LINE = 10
_MOST_LINES = 3
"""Telling lines that are searched for."""
_REMEMBERED_S = 365 * 86400.0


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a recogniser made of a song."""

    words: tuple[Word, ...]
    """With starts, ends and confidences; empty where no recogniser is there."""
    sung: float | None = None
    """Share of the song that is sung, where that can be told."""

    @property
    def is_sung(self) -> bool:
        """Whether there is a singer, as far as is known."""
        return self.sung is None or self.sung >= SUNG_SHARE


def credible(words: Sequence[Word]) -> tuple[Word, ...]:
    """The words that were rather heard than dreamt: sure ones, and none that repeats for ever."""
    sure = [word for word in words if (word.confidence or 0.0) >= _LEAST_SURE]
    kept: list[Word] = []
    for word in sure:
        # A recogniser in a loop says one word for minutes.
        if len(kept) >= 8 and all(word.text == before.text for before in kept[-8:]):
            continue
        kept.append(word)
    return tuple(kept) if len(kept) >= FEWEST_WORDS else ()


def as_lyrics(words: Sequence[Word], language: str | None = None) -> Lyrics:
    """What was heard as lines of words without times, marked as a transcript."""
    lines = [Line(tuple(Word(word.text, space=word.space) for word in row)) for row in _rows(words)]
    return Lyrics(tuple(lines), language, source="transcript")


def sureness(words: Sequence[Word]) -> float:
    """0-1: the share of the words that were heard right, by the recogniser's own belief."""
    return sum(word.confidence or 0.0 for word in words) / len(words) if words else 0.0


def agreement(heard: Sequence[Word], lyrics: Lyrics) -> float:
    """0-1: how much of the shorter of the two is found in the other, in order and in runs of at
    least `RUN` words."""
    from lyricsyncd.align.anchors import transcript_starts

    known = lyrics.words
    if not known or not heard:
        return 0.0
    found = sum(start is not None for start in transcript_starts(heard, known, RUN))
    return found / min(len(known), len(heard))


def search(track: Track, heard: Sequence[Word], config: Config) -> Found | None:
    """The song's words by what was heard of them; ``None`` where no source has them.

    Raises
    ------
    SourceError
        No source could be asked.
    """
    from lyricsyncd.lyrics import Found

    failures: list[SourceError] = []
    judged: list[tuple[float, Candidate]] = []
    for candidate in _candidates(track, heard, config, failures):
        agreed = agreement(heard, candidate.lyrics)
        judged.append((agreed, candidate))
        if agreed >= 2 * AGREES:
            break
    agreed, best = max(judged, key=lambda pair: pair[0], default=(0.0, None))
    if best is None or agreed < AGREES:
        if failures and not judged:
            raise failures[0]
        return None
    name = " - ".join(filter(None, (best.lyrics.metadata.get(k) for k in ("artist", "title"))))
    why = (
        f"chosen: {best.source} {best.id or ''}: {agreed:.0%} of what was heard agrees with"
        f" '{name}'; {described(best.lyrics)}"
    )
    others = [f"not taken: {c} ({share:.0%} agrees)" for share, c in judged if c is not best]
    return Found(best.lyrics, best.source, best.id, min(1.0, agreed + 0.5), (why, *others[:5]))


def _candidates(
    track: Track, heard: Sequence[Word], config: Config, failures: list[SourceError]
) -> Iterator[Candidate]:
    """Words that the sources have for the telling lines, a source that fails passed over."""
    from lyricsyncd.lyrics import find_lyrics, sources

    lines = telling(heard)
    asked = sources(config)
    for source in asked:
        search_names = getattr(source, "with_words", None)
        if search_names is None:
            continue
        artist = match.main_artist(track)
        phrases = refrains(heard)
        # The artist that is named may be the wrong one, too.
        named_so = [f"{artist} {phrase}" for phrase in phrases] if artist else []
        for words in (*named_so, *phrases):
            try:
                yield from (c for c in search_names(track, words) if c.lyrics.words)
            except SourceError as error:
                failures.append(error)
                break
    named: dict[tuple[str, str], None] = {}
    for source in asked:
        search_lyrics = getattr(source, "named_by", None)
        if search_lyrics is None:
            continue
        for line in lines:
            try:
                named.update(dict.fromkeys(search_lyrics(line)))
            except SourceError as error:
                failures.append(error)
                break
    for artist, title in list(named)[: 2 * _MOST_LINES]:
        other = Track(
            artist=artist, artists=(artist,), title=title, album=None, duration=track.duration
        )
        try:
            found = find_lyrics(other, config)
        except LyricsNotFound:
            continue
        except SourceError as error:
            failures.append(error)
            continue
        for lyrics in (found.lyrics, *found.others):
            yield Candidate(lyrics, found.source, found.id, found.score, found.why[0])


def telling(heard: Sequence[Word]) -> list[str]:
    """The lines to search by: sung more than once, long, and well heard."""
    rows = [row for row in _rows(heard) if len(row) >= 4]
    counts = Counter(_plain(row) for row in rows)

    def rank(row: Sequence[Word]) -> float:
        different = len({word.text.casefold() for word in row})
        return different * sureness(row) * (1.5 if counts[_plain(row)] > 1 else 1.0)

    chosen: dict[str, str] = {}
    for row in sorted(rows, key=rank, reverse=True):
        chosen.setdefault(_plain(row), " ".join(_bare(word.text) for word in row))
    return list(chosen.values())[:_MOST_LINES]


def refrains(heard: Sequence[Word]) -> list[str]:
    """What is sung most often, two to four words of it: titles are made of such."""
    plain = [_bare(word.text).casefold() for word in heard]
    counts: Counter[str] = Counter()
    for length in (2, 3, 4):
        for at in range(len(plain) - length + 1):
            piece = plain[at : at + length]
            if len(set(piece)) == length and all(piece):
                counts[" ".join(piece)] += 1
    often = [(count * len(phrase.split()), phrase) for phrase, count in counts.items() if count > 2]
    return [phrase for _, phrase in sorted(often, reverse=True)[:_MOST_LINES]]


def _rows(words: Sequence[Word]) -> list[list[Word]]:
    """Words parted into lines at pauses, and where a line would grow too long at a comma or a
    capital letter."""
    rows: list[list[Word]] = []
    for word in words:
        before = rows[-1][-1] if rows else None
        if before is not None and not _ends(before, word, len(rows[-1])):
            rows[-1].append(word)
        else:
            rows.append([word])
    return rows


def _ends(before: Word, word: Word, length: int) -> bool:
    pause = (word.start or 0.0) - (before.end or 0.0) if word.start is not None else 0.0
    if pause >= _PAUSE_S or length >= _LONGEST_LINE or before.text[-1:] in ".?!。？！":
        return True
    return length >= _LONGEST_LINE // 2 and before.text[-1:] in ",;、，"


def _plain(row: Sequence[Word]) -> str:
    return " ".join(_bare(word.text).casefold() for word in row)


def _bare(text: str) -> str:
    return re.sub(r"^\W+|\W+$", "", text)


class RecognitionCache:
    """What was heard of songs, kept on disk: listening costs minutes, and a song whose words nobody
    has is taken up again and again."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    def get(self, song: Path, ear: str) -> Recognition | None:
        """What was heard of a song as it is now, by this ear."""
        from lyricsyncd.errors import Refused

        try:
            kept = self._answers.get(_key(song, ear))
            if kept is None or kept.body is None:
                return None
            data = json.loads(kept.body)
            return Recognition(tuple(Word(*row) for row in data["words"]), data["sung"])
        except (OSError, Refused, ValueError, KeyError, TypeError):
            return None

    def put(self, song: Path, ear: str, heard: Recognition) -> None:
        """Keep what was heard."""
        rows = [dataclasses.astuple(word) for word in heard.words]
        body = json.dumps({"words": rows, "sung": heard.sung}).encode()
        try:
            self._answers.put(_key(song, ear), body, lasts=_REMEMBERED_S)
        except OSError as error:
            _log.debug("%s", error)


def _key(song: Path, ear: str) -> bytes:
    from lyricsyncd.http.answers import key

    stat = song.stat()
    return key("HEAR", f"{song.absolute()}|{stat.st_size}|{stat.st_mtime_ns}", ear)
