"""Place a recording once that is in the library twice, on an album and a compilation for example.

The catalog lists songs of the same length with as many words; the audio packets of the files,
hashed in the model worker, must be equal. The times are read from what was written for the first
song, if that is ours and was not edited since. Two that come at once are placed one after the other
(`placing_queue`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from lyricsyncd.catalog.records import Entry, Fingerprint
from lyricsyncd.lyrics.local import LocalSource
from lyricsyncd.model import Decision, Line, Lyrics, Timing, Track, Word
from lyricsyncd.pipeline.prepared import Prepared
from lyricsyncd.pipeline.result import SyncResult


def reused(prepared: Prepared, first: Entry, placed: Lyrics) -> SyncResult:
    """Make the result of a song whose recording was placed before: its words with those times."""
    return SyncResult(
        song=prepared.song,
        lyrics=placed,
        quality_score=first.quality or 0.0,
        decision=Decision(first.decision),
        reason=f"The same recording as {first.path}, whose times it takes",
        language=first.language,
        separator=first.separator or "none",
        aligner=first.aligner or "none",
        stages=dict(prepared.stages),
        warnings=prepared.warnings,
        models=first.placed_by or "",
    )


def placed_before(first: Entry, wanted: Lyrics) -> Lyrics | None:
    """Return the wanted words with the times of another song; ``None`` where its words differ, or
    its file or its lyrics were changed since we wrote them."""
    try:
        if Fingerprint.of(first.path) != first.fingerprint:
            return None
    except OSError:
        return None
    ours = (
        candidate.lyrics
        for candidate in LocalSource().find(Track(path=first.path))
        if candidate.ours and _is_as_written(candidate.lyrics, first)
    )
    return _with_times(wanted, ours)


def _is_as_written(lyrics: Lyrics, first: Entry) -> bool:
    """Return whether lyrics have the times that were written for a song.

    Some formats have fewer, and `json` no times of lines.
    """
    if lyrics.timing is Timing.NONE or any(line.doubtful for line in lyrics):
        return False
    return sum(line.timed_words for line in lyrics) == first.lines_with_words


def _with_times(wanted: Lyrics, written: Iterable[Lyrics]) -> Lyrics | None:
    for lyrics in written:
        timed = iter([line for line in lyrics if line.words])
        lines = [_timed(line, next(timed, None)) if line.words else line for line in wanted]
        complete = [line for line in lines if line is not None]
        if len(complete) == len(lines) and next(timed, None) is None:
            return wanted.with_lines(complete)
    return None


def _timed(line: Line, like: Line | None) -> Line | None:
    """Copy the times of another line; ``None`` unless both have the same words."""
    if like is None or [word.text for word in line.words] != [word.text for word in like.words]:
        return None
    words: tuple[Word, ...] = tuple(
        dataclasses.replace(
            word,
            start=timed.start,
            end=timed.end,
            confidence=timed.confidence,
            syllables=timed.syllables,
        )
        for word, timed in zip(line.words, like.words, strict=True)
    )
    return dataclasses.replace(
        line, words=words, start=like.start, end=like.end, estimated=like.estimated
    )
