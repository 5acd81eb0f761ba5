"""Take reports of what happened to songs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lyricsyncd.catalog.catalog import Queued
from lyricsyncd.library.events import EventHandler, Kind, Result, Taken
from lyricsyncd.web.operation import PREFIX, Call, Operation
from lyricsyncd.web.reply import Problem
from lyricsyncd.web.shapes import events as shapes
from lyricsyncd.web.webhooks import read_events

_REFUSALS: Mapping[Queued | Result, tuple[int, str, str]] = {
    Result.OUTSIDE: (403, "It is in no library", "Name a path below a library, or set path_map"),
    Result.NOT_FOUND: (404, "There is no such song", "Check the path or the tags"),
}


def take_events(call: Call) -> dict[str, Any]:
    single, events = read_events(call.body)
    handler = EventHandler(call.context.catalog, call.context.lookup(), call.context.on_event)
    taken = handler.take(events)
    call.context.wake()
    if single and taken[0].result in _REFUSALS and events[0].kind is not Kind.REMOVED:
        status, message, remedy = _REFUSALS[taken[0].result]
        raise Problem(status, message, remedy=remedy)
    good = sum(1 for each in taken if each.result not in _REFUSALS)
    return {"accepted": good, "results": [_taken(each) for each in taken]}


def _taken(taken: Taken) -> dict[str, Any]:
    path = None if taken.path is None else str(taken.path)
    return {"result": taken.result.value, "path": path, "id": taken.id}


OPERATIONS: Sequence[Operation] = (
    Operation(
        "POST",
        f"{PREFIX}/events",
        "Report what happened to songs",
        take_events,
        shapes.EventsAnswer,
        status=202,
        takes_events=True,
        opens_songs=True,
        errors=(400, 403, 404, 413, 415),
    ),
)
