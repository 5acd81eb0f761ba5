"""Stream changes of songs and of the service as Server-Sent Events: ``GET /events``.

The catalog is the only memory. An event's id is a moment of the catalog's clock; a client that
reconnects with ``Last-Event-ID`` receives what it missed. The events:

- ``status``: songs in each state, whether there is a pause; at the start and when it changes;
- ``track``: a song was queued, begun, is further, or has come to an end;
- ``draft``: the placed words of a song are other ones: its number, and their revision.
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
"""Streams at once, at most."""
_LOOK_S = 0.5
_SILENCE_S = 15.0
"""Seconds after which a comment is sent: proxies close silent streams, and a client that is gone
is noticed."""
_AT_ONCE = 200
"""Songs of one look, at most: a first scan is not streamed song by song."""
_LOOK_BACK_S = 3600.0
_OVERLAP_S = 5.0
"""A write may be committed this long after the moment that it bears."""


Seen = tuple[Any, ...]
"""The last event that was sent of a song."""


@dataclass(frozen=True, slots=True)
class Look:
    """Content to send at a moment."""

    moment: float
    status: dict[str, Any]
    tracks: list[dict[str, Any]]
    drafts: list[tuple[int, int]]
    seen: dict[int, Seen]
    """The last events that were sent to the client, of the songs that changed lately."""


def look(catalog: Catalog, since: float, seen: dict[int, Seen]) -> Look:
    """Collect what changed since a moment, except what was already sent."""
    now = catalog.clock()
    entries = catalog.changed_since(since - _OVERLAP_S, _AT_ONCE)
    marks = {entry.id: _mark(entry) for entry in entries}
    changed = [entry.as_dict() for entry in entries if seen.get(entry.id) != marks[entry.id]]
    status = {
        "paused": catalog.paused,
        "settings_error": catalog.settings_error,
        "songs": {state.value: count for state, count in catalog.counts().items()},
    }
    return Look(now, status, changed, catalog.drafts_since(since - _OVERLAP_S, _AT_ONCE), marks)


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
    """Serve streams until closed."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._clients = 0
        self._closed = False

    def close(self) -> None:
        """End all streams soon; safe from any thread."""
        self._closed = True

    async def endpoint(self, request: Request) -> Response:
        if self._clients >= CLIENTS:
            raise Problem(503, "Too many streams", remedy="Close one of them")
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        if request.method == "HEAD":
            return Response(None, 200, headers, "text/event-stream")
        since = _moment(request.headers.get("last-event-id"), self._catalog.clock())
        # Counted from the request on: several may arrive before the first stream begins.
        self._clients += 1
        return _Admitted(self._events(since), headers, left=self._left)

    def _left(self) -> None:
        self._clients -= 1

    async def _events(self, since: float) -> AsyncIterator[bytes]:
        limiter = anyio.CapacityLimiter(1)
        yield b"retry: 3000\n\n"
        version, silent = -1, 0.0
        status: dict[str, Any] | None = None
        known: dict[int, Seen] = {}
        drafts: dict[int, int] = {}
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
            found = await anyio.to_thread.run_sync(
                look, self._catalog, since, known, limiter=limiter
            )
            for track in found.tracks:
                yield _event("track", found.moment, track)
            for id, revision in found.drafts:
                if drafts.get(id) != revision:
                    yield _event("draft", found.moment, {"id": id, "revision": revision})
            drafts = dict(found.drafts)
            if found.status != status:
                status = found.status
                yield _event("status", found.moment, status)
            since, known = found.moment, found.seen
            await asyncio.sleep(_LOOK_S)


class _Admitted(StreamingResponse):
    """A stream that is counted until its client leaves, even before it begins."""

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
    """Parse the moment of a client's last event; not long ago, and not in the future."""
    try:
        moment = float(text or "nan")
    except ValueError:
        moment = math.nan
    return min(max(moment, now - _LOOK_BACK_S), now) if math.isfinite(moment) else now
