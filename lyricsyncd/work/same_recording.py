"""The same recording at two places, an album and a compilation say, is placed once.

The catalog gives songs of the same length with as many words; the audio packets of the files,
hashed in the model worker, must be the same to the last bit. The times are read back from what was
written for the first, so only where that is ours and nobody has edited it since.
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
    """The result of a song whose recording was placed as another: its words with those times."""
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
    )


def placed_before(first: Entry, wanted: Lyrics) -> Lyrics | None:
    """The wanted words with the times that another song's have; ``None`` where that has others, or
    its file or its lyrics are not as we left them."""
    try:
        if Fingerprint.of(first.path) != first.fingerprint:
            return None
    except OSError:
        return None
    needed = {Decision.WORDS.value: Timing.WORD, Decision.LINES.value: Timing.LINE}
    timing = needed.get(first.decision or "")
    ours = (
        candidate.lyrics
        for candidate in LocalSource().find(Track(path=first.path))
        if candidate.ours and candidate.lyrics.timing is timing
    )
    return _with_times(wanted, ours)


def _with_times(wanted: Lyrics, written: Iterable[Lyrics]) -> Lyrics | None:
    for lyrics in written:
        timed = iter([line for line in lyrics if line.words])
        lines = [_timed(line, next(timed, None)) if line.words else line for line in wanted]
        complete = [line for line in lines if line is not None]
        if len(complete) == len(lines) and next(timed, None) is None:
            return wanted.with_lines(complete)
    return None


def _timed(line: Line, like: Line | None) -> Line | None:
    """A line with the times of another; ``None`` unless both have the same words."""
    if like is None or [word.text for word in line.words] != [word.text for word in like.words]:
        return None
    words: tuple[Word, ...] = tuple(
        dataclasses.replace(word, start=timed.start, end=timed.end, confidence=timed.confidence)
        for word, timed in zip(line.words, like.words, strict=True)
    )
    return dataclasses.replace(line, words=words, start=like.start, end=like.end)
