"""List the operations of the interface: one table for routes and documentation."""

from __future__ import annotations

from collections.abc import Sequence

from lyricsyncd.web.operation import Operation
from lyricsyncd.web.operations import (
    candidates,
    decisions,
    drafts,
    events,
    first_run,
    lyrics,
    service,
    sessions,
    songs,
    sound,
)

OPERATIONS: Sequence[Operation] = (
    *events.OPERATIONS,
    *songs.OPERATIONS,
    *lyrics.OPERATIONS,
    *drafts.OPERATIONS,
    *candidates.OPERATIONS,
    *decisions.OPERATIONS,
    *sound.OPERATIONS,
    *first_run.OPERATIONS,
    *sessions.OPERATIONS,
    *service.OPERATIONS,
)
