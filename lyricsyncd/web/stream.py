"""``GET /events``: what happens, as Server-Sent Events.

The catalog is the only memory. An event's id is a moment of the catalog's clock; a client that
comes back with ``Last-Event-ID`` hears what it missed. The events:

- ``status``: songs in each state, whether there is a pause; at the start and when it changes;
- ``track``: a song was queued, begun, is further, or has come to an end.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from lyricsyncd.catalog.catalog import Catalog, Entry
from lyricsyncd.web.reply import Problem

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

CLIENTS = 8
"""Who can listen at once."""
_LOOK_S = 0.5
_SILENCE_S = 15.0
"""After this a comment is sent: proxies close what is silent, and we notice who has gone."""
_AT_ONCE = 200
"""Songs told of at once; of a first scan nobody wants to hear song by song."""
_LOOK_BACK_S = 3600.0
_OVERLAP_S = 5.0
"""A write may be committed this long after the moment that it bears."""


Seen = tuple[Any, ...]
"""What was told of a song."""


@dataclass(frozen=True, slots=True)
class Look:
    """What there is to tell at a moment."""

    moment: float
    status: dict[str, Any]
    tracks: list[dict[str, Any]]
    seen: dict[int, Seen]
    """What the listener knows of the songs that changed lately."""


def look(catalog: Catalog, since: float, seen: dict[int, Seen]) -> Look:
    """What changed since a moment, but for what was told already."""
    now = catalog.clock()
    entries = catalog.changed_since(since - _OVERLAP_S, _AT_ONCE)
    marks = {entry.id: _mark(entry) for entry in entries}
    told = [entry.as_dict() for entry in entries if seen.get(entry.id) != marks[entry.id]]
    status = {
        "paused": catalog.paused,
        "settings_error": catalog.settings_error,
        "songs": {state.value: count for state, count in catalog.counts().items()},
    }
    return Look(now, status, told, marks)


def _mark(entry: Entry) -> Seen:
    return (
        entry.state,
        entry.enqueued_at,
        entry.finished_at,
        entry.missing_since,
        entry.stage,
        entry.progress,
    )


class Stream:
    """Tells listeners what happens, until it is closed."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._listeners = 0
        self._closed = False

    def close(self) -> None:
        """End all streams soon; safe from any thread."""
        self._closed = True

    async def endpoint(self, request: Request) -> Response:
        if self._listeners >= CLIENTS:
            raise Problem(503, "Too many listeners", remedy="Close one of them")
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        if request.method == "HEAD":
            return Response(None, 200, headers, "text/event-stream")
        since = _moment(request.headers.get("last-event-id"), self._catalog.clock())
        # From now on, and not from when the stream begins: they may all ask at once.
        self._listeners += 1
        return _Admitted(self._events(since), headers, left=self._left)

    def _left(self) -> None:
        self._listeners -= 1

    async def _events(self, since: float) -> AsyncIterator[bytes]:
        limiter = anyio.CapacityLimiter(1)
        yield b"retry: 3000\n\n"
        version, silent = -1, 0.0
        status: dict[str, Any] | None = None
        known: dict[int, Seen] = {}
        while not self._closed:
            seen = await anyio.to_thread.run_sync(self._catalog.version, limiter=limiter)
            if seen == version:
                silent += _LOOK_S
                if silent >= _SILENCE_S:
                    silent = 0.0
                    yield b": still here\n\n"
                await asyncio.sleep(_LOOK_S)
                continue
            version, silent = seen, 0.0
            told = await anyio.to_thread.run_sync(
                look, self._catalog, since, known, limiter=limiter
            )
            for track in told.tracks:
                yield _event("track", told.moment, track)
            if told.status != status:
                status = told.status
                yield _event("status", told.moment, status)
            since, known = told.moment, told.seen
            await asyncio.sleep(_LOOK_S)


class _Admitted(StreamingResponse):
    """The answer to a listener, who may leave before it begins."""

    def __init__(
        self,
        events: AsyncIterator[bytes],
        headers: Mapping[str, str],
        *,
        left: Callable[[], None],
    ) -> None:
        super().__init__(events, 200, headers, "text/event-stream")
        self._left = left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._left()


def _event(name: str, moment: float, data: Any) -> bytes:
    body = json.dumps(data, separators=(",", ":"))
    return f"event: {name}\nid: {moment:.6f}\ndata: {body}\n\n".encode("ascii")


def _moment(text: str | None, now: float) -> float:
    """The moment that a listener last heard of; not long ago, not in the future."""
    try:
        moment = float(text or "nan")
    except ValueError:
        moment = math.nan
    return min(max(moment, now - _LOOK_BACK_S), now) if math.isfinite(moment) else now
