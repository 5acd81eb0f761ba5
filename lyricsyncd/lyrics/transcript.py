"""Find lyrics by a transcript of the song, which is itself the last resort.

Sources are searched by the most distinctive lines of the transcript; lyrics count only where the
transcript agrees with them, word after word. Requests carry those lines, and nothing else of the
audio.
"""

from __future__ import annotations

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
    from lyricsyncd.http.response_cache import ResponseCache
    from lyricsyncd.lyrics import Found

_log = logging.getLogger(__name__)

AGREES = 0.15
"""Least agreement of lyrics with the transcript of their song. Of thirteen songs with whisper-base,
eleven reach 0.22 to 0.87 with their own lyrics (two are transcribed in the wrong language, or
hardly at all), and none more than 0.00 with the lyrics of any other song."""
RUN = 3
"""Words in a row that must agree before any of them counts: single ones agree by chance."""
FEWEST_WORDS = 8
"""A transcript of fewer words is no lyrics: a shout, or a hallucination of the recogniser."""
_LEAST_SURE = 0.2
"""Confidence below which a recognised word was probably not sung."""
_PAUSE_S = 0.7
"""Silence between words that ends a line."""
_LONGEST_LINE = 10
_MOST_LINES = 3
"""Most lines that are searched for."""
_CACHED_S = 365 * 86400.0


@dataclass(frozen=True, slots=True)
class Recognition:
    """The transcript of a song, and the share of it that is sung."""

    words: tuple[Word, ...]
    """With starts, ends and confidences; empty if no recogniser is installed."""
    sung: float | None = None
    """Share of the song that is sung, where it can be measured."""

    @property
    def is_sung(self) -> bool:
        """Return whether the song is sung; true where that is not known."""
        return self.sung is None or self.sung >= SUNG_SHARE


def credible(words: Sequence[Word]) -> tuple[Word, ...]:
    """Drop hallucinations from a transcript: doubtful words, and one that repeats without end."""
    sure = [word for word in words if (word.confidence or 0.0) >= _LEAST_SURE]
    remaining: list[Word] = []
    for word in sure:
        # A recogniser in a loop repeats one word for minutes.
        if len(remaining) >= 8 and all(word.text == before.text for before in remaining[-8:]):
            continue
        remaining.append(word)
    return tuple(remaining) if len(remaining) >= FEWEST_WORDS else ()


def as_lyrics(words: Sequence[Word], language: str | None = None) -> Lyrics:
    """Make untimed lyrics of a transcript."""
    lines = [Line(tuple(Word(word.text, space=word.space) for word in row)) for row in _rows(words)]
    return Lyrics(tuple(lines), language, source="transcript")


def sureness(words: Sequence[Word]) -> float:
    """Estimate the share of words that are recognised correctly (0-1), by their confidences."""
    return sum(word.confidence or 0.0 for word in words) / len(words) if words else 0.0


def agreement(transcript: Sequence[Word], lyrics: Lyrics) -> float:
    """Measure how much of the shorter of the two is in the other (0-1).

    Words count in order, and in runs of at least `RUN`.
    """
    from lyricsyncd.align.anchors import transcript_starts

    known = lyrics.words
    if not known or not transcript:
        return 0.0
    found = sum(start is not None for start in transcript_starts(transcript, known, RUN))
    return found / min(len(known), len(transcript))


def search(track: Track, transcript: Sequence[Word], config: Config) -> Found | None:
    """Find a song's lyrics by its transcript; ``None`` where no source has them.

    Raises
    ------
    SourceError
        No source could be searched.
    """
    from lyricsyncd.lyrics import Found

    failures: list[SourceError] = []
    compared: list[tuple[float, Candidate]] = []
    for candidate in _candidates(track, transcript, config, failures):
        agreed = agreement(transcript, candidate.lyrics)
        compared.append((agreed, candidate))
        if agreed >= 2 * AGREES:
            break
    agreed, best = max(compared, key=lambda pair: pair[0], default=(0.0, None))
    if best is None or agreed < AGREES:
        if failures and not compared:
            raise failures[0]
        return None
    name = " - ".join(filter(None, (best.lyrics.metadata.get(k) for k in ("artist", "title"))))
    why = (
        f"chosen: {best.source} {best.id or ''}: {agreed:.0%} of the transcript agrees with"
        f" '{name}'; {described(best.lyrics)}"
    )
    others = [f"not taken: {c} ({share:.0%} agrees)" for share, c in compared if c is not best]
    return Found(best.lyrics, best.source, best.id, min(1.0, agreed + 0.5), (why, *others[:5]))


def _candidates(
    track: Track, transcript: Sequence[Word], config: Config, failures: list[SourceError]
) -> Iterator[Candidate]:
    """Search the sources by phrases of the transcript; a source that fails is skipped."""
    from lyricsyncd.lyrics import find_lyrics, opened

    lines = distinctive_lines(transcript)
    sources = opened.sources(config)
    for source in sources:
        search_names = getattr(source, "with_words", None)
        if search_names is None:
            continue
        artist = match.main_artist(track)
        phrases = refrains(transcript)
        # The song's tags may name the wrong artist, too.
        with_artist = [f"{artist} {phrase}" for phrase in phrases] if artist else []
        for words in (*with_artist, *phrases):
            try:
                yield from (c for c in search_names(track, words) if c.lyrics.words)
            except SourceError as error:
                failures.append(error)
                break
    named: dict[tuple[str, str], None] = {}
    for source in sources:
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


def distinctive_lines(transcript: Sequence[Word]) -> list[str]:
    """Return the lines to search by: long, sung more than once, and recognised with confidence."""
    rows = [row for row in _rows(transcript) if len(row) >= 4]
    counts = Counter(_plain(row) for row in rows)

    def rank(row: Sequence[Word]) -> float:
        different = len({word.text.casefold() for word in row})
        return different * sureness(row) * (1.5 if counts[_plain(row)] > 1 else 1.0)

    chosen: dict[str, str] = {}
    for row in sorted(rows, key=rank, reverse=True):
        chosen.setdefault(_plain(row), " ".join(_stripped(word.text) for word in row))
    return list(chosen.values())[:_MOST_LINES]


def refrains(transcript: Sequence[Word]) -> list[str]:
    """Return the phrases of two to four words that are sung most often: titles are among them."""
    plain = [_stripped(word.text).casefold() for word in transcript]
    counts: Counter[str] = Counter()
    for length in (2, 3, 4):
        for at in range(len(plain) - length + 1):
            piece = plain[at : at + length]
            if len(set(piece)) == length and all(piece):
                counts[" ".join(piece)] += 1
    often = [(count * len(phrase.split()), phrase) for phrase, count in counts.items() if count > 2]
    return [phrase for _, phrase in sorted(often, reverse=True)[:_MOST_LINES]]


def _rows(words: Sequence[Word]) -> list[list[Word]]:
    """Split words into lines at pauses and ends of sentences, and long lines at commas."""
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
    return " ".join(_stripped(word.text).casefold() for word in row)


def _stripped(text: str) -> str:
    return re.sub(r"^\W+|\W+$", "", text)


class RecognitionCache:
    """Cache transcripts on disk.

    Recognition takes minutes, and a song whose lyrics no source has is tried again and again.
    """

    def __init__(self, answers: ResponseCache) -> None:
        self._answers = answers

    def get(self, song: Path, recogniser: str) -> Recognition | None:
        """Return the transcript of a song's present file by a recogniser, if it is cached."""
        from lyricsyncd.errors import Refused

        try:
            cached = self._answers.get(_key(song, recogniser))
            if cached is None or cached.body is None:
                return None
            data = json.loads(cached.body)
            return Recognition(tuple(Word(*row) for row in data["words"]), data["sung"])
        except (OSError, Refused, ValueError, KeyError, TypeError):
            return None

    def put(self, song: Path, recogniser: str, recognition: Recognition) -> None:
        """Cache the transcript of a song by a recogniser."""
        rows = [
            (word.text, word.start, word.end, word.confidence, word.space)
            for word in recognition.words
        ]
        body = json.dumps({"words": rows, "sung": recognition.sung}).encode()
        try:
            self._answers.put(_key(song, recogniser), body, lasts=_CACHED_S)
        except OSError as error:
            _log.debug("%s", error)


def _key(song: Path, recogniser: str) -> bytes:
    from lyricsyncd.http.response_cache import key

    stat = song.stat()
    # "HEAR" is the method under which earlier versions have cached transcripts.
    return key("HEAR", f"{song.absolute()}|{stat.st_size}|{stat.st_mtime_ns}", recogniser)
