"""Decide whether a new result of a song is clearly better than the one that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lyricsyncd.config.paths import present

if TYPE_CHECKING:
    from lyricsyncd.catalog.records import Entry
    from lyricsyncd.pipeline.result import SyncResult

CLEARLY = 0.05
"""Least gain of the score: by chance, the scores of a song by two sets of models differ by less."""
_RANK = {"words": 3, "mixed": 2, "lines": 1}


def is_better(entry: Entry, result: SyncResult) -> bool:
    """Return whether a result may take the place of that of a song."""
    if not result.may_write or _rank(result.decision.value) < _rank(entry.decision):
        return False
    return entry.quality is None or result.quality_score >= entry.quality + CLEARLY


def removed_by_person(entry: Entry) -> bool:
    """Return whether a file that was written for a song is gone, so that it may not be wanted."""
    return not all(present(path) for path in entry.written)


def _rank(decision: str | None) -> int:
    return _RANK.get(decision or "", 0)
