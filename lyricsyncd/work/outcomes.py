"""Convert results and errors to outcomes, for the catalog and the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from lyricsyncd.catalog.catalog import RETRY_LYRICS, RETRY_SOON, Entry, Outcome, State
from lyricsyncd.catalog.drafts import Draft
from lyricsyncd.errors import Fault, LyricsNotFound, LyricsyncError, NotASong, SourceError
from lyricsyncd.model import Decision

if TYPE_CHECKING:
    from lyricsyncd.model import Word
    from lyricsyncd.pipeline.result import SyncResult
    from lyricsyncd.tags import WriteReport

SETTINGS_RETRY_S = 3600.0
"""Interval of the attempts with a song while the settings are in error: a missing part may have
been installed meanwhile."""

_SAME_S = 0.002
"""Seconds by which a pinned word may lie beside its pin, after rounding."""


def of_result(result: SyncResult, report: WriteReport | None) -> Outcome:
    """Return the outcome of a result and of what was written."""
    if result.decision is Decision.WORDS:
        state = State.DONE
    elif result.decision is Decision.MIXED:
        state = State.MIXED
    elif result.decision is Decision.LINES:
        state = State.LINES
    elif result.lyrics.instrumental:
        state = State.INSTRUMENTAL
    else:
        state = State.REVIEW
    lyrics = result.lyrics
    return Outcome(
        state,
        result.reason,
        quality=result.quality_score,
        decision=result.decision.value,
        source=lyrics.source,
        language=result.language,
        separator=result.separator,
        aligner=result.aligner,
        lines=sum(1 for line in lyrics if line.words),
        words=len(lyrics.words),
        lines_with_words=result.lines_with_words,
        words_timed=result.words_timed,
        stages=result.stages,
        placed_by=result.models,
        written=() if report is None else report.written + report.unchanged,
        notes=result.warnings + (() if report is None else tuple(map(str, report.notes))),
    )


def draft_of(result: SyncResult, pins: Sequence[tuple[int, float]] = ()) -> Draft | None:
    """Return the draft of a result for review; ``None`` where no word has a time.

    Parameters
    ----------
    pins : sequence of (int, float)
        Those that a person chose: of words that lie there, the draft says so.
    """
    if not any(word.start is not None for word in result.lyrics.words):
        return None
    return Draft(
        result.lyrics,
        score=result.quality_score,
        decision=result.decision.value,
        reason=result.reason,
        language=result.language,
        separator=result.separator,
        aligner=result.aligner,
        considered=result.considered,
        offset=result.offset,
        pinned=tuple(sorted(_held(pins, result.lyrics.words))),
    )


def _held(pins: Sequence[tuple[int, float]], words: Sequence[Word]) -> Iterator[int]:
    for number, start in pins:
        placed = words[number].start if number < len(words) else None
        if placed is not None and abs(placed - start) < _SAME_S:
            yield number


def of_error(error: LyricsyncError | OSError) -> Outcome:
    """Return what an error means for its song, by whose fault it is.

    =============  ====================================================================
    settings       the song waits until the settings change; so do all others
    passing        it is tried again, ever more rarely
    the song's     it is set aside, with its reason, until the file changes
    =============  ====================================================================

    That no words are known is not an error: they may be known later.
    """
    if isinstance(error, LyricsNotFound):
        return _without_words(error)
    fault = error.fault if isinstance(error, LyricsyncError) else Fault.PASSING
    return _BY_FAULT[fault](error)


def _without_words(error: LyricsNotFound) -> Outcome:
    kind = type(error).__name__
    if isinstance(error, NotASong):
        return Outcome(State.IGNORED, error.message, None, kind)
    return Outcome(State.NO_LYRICS, error.message, RETRY_LYRICS, kind, str(error))


def _later(error: LyricsyncError | OSError) -> Outcome:
    waits: tuple[float, ...] = RETRY_SOON
    wanted = error.retry_after if isinstance(error, SourceError) else None
    if wanted is not None:
        waits = tuple(max(wait, wanted) for wait in waits)
    return Outcome(State.PENDING, _reason(error), waits, type(error).__name__, str(error))


def _once_settings_change(error: LyricsyncError | OSError) -> Outcome:
    return Outcome(
        State.PENDING, _reason(error), (SETTINGS_RETRY_S,), type(error).__name__, str(error)
    )


def _set_aside(error: LyricsyncError | OSError) -> Outcome:
    return Outcome(State.FAILED, _reason(error), None, type(error).__name__, str(error))


_BY_FAULT: dict[Fault, Callable[[LyricsyncError | OSError], Outcome]] = {
    Fault.SETTINGS: _once_settings_change,
    Fault.PASSING: _later,
    Fault.SONG: _set_aside,
}


def _reason(error: LyricsyncError | OSError) -> str:
    return error.message if isinstance(error, LyricsyncError) else str(error)


def as_fields(entry: Entry, outcome: Outcome, seconds: float) -> dict[str, object]:
    """Return the content of `log_line` as fields, for a log that programs read."""
    return {
        "id": entry.id,
        "path": str(entry.path),
        "state": outcome.state.value,
        "quality": outcome.quality,
        "source": outcome.source,
        "language": outcome.language,
        "seconds": round(seconds, 3),
        "written": [str(path) for path in outcome.written],
        "reason": outcome.reason,
        "error_class": outcome.error_class,
    }


def log_line(entry: Entry, outcome: Outcome, seconds: float) -> str:
    """Return the line of the log for a song."""
    parts = [f"{entry.display_path}: {outcome.state.value.replace('_', ' ')}"]
    if outcome.quality is not None:
        parts.append(f"quality {outcome.quality:.2f}")
    if outcome.source:
        parts.append(f"words from {outcome.source}")
    parts.append(f"{seconds:.1f} s")
    if outcome.written:
        parts.append("wrote " + " ".join(path.name for path in outcome.written))
    elif outcome.reason:
        parts.append((outcome.error or outcome.reason).replace(str(entry.path), "it"))
    return ", ".join(parts)
