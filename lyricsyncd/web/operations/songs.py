"""List songs, and queue or skip one."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from typing import Any

from lyricsyncd.web.operation import PREFIX, Bytes, Call, Operation, entry_of
from lyricsyncd.web.shapes import songs as shapes

_PAGE = 100


def tracks(call: Call) -> dict[str, Any]:
    query: shapes.TracksQuery = call.query
    if query.ids:
        named = call.context.catalog.get_many(query.ids)
        return {"tracks": [entry.as_dict() for entry in named], "next": None}
    limit = query.limit or _PAGE
    found = call.context.catalog.entries(
        states=query.state, text=query.q, after=query.after or 0, limit=limit
    )
    more = found[-1].id if len(found) == limit else None
    return {"tracks": [entry.as_dict() for entry in found], "next": more}


def order(call: Call) -> Bytes:
    query: shapes.OrderQuery = call.query
    found = call.context.catalog.order(query.state, query.q, query.sort, query.limit)
    ids = array("I", found)
    if sys.byteorder == "big":
        ids.byteswap()
    return Bytes(ids.tobytes())


def queue(call: Call) -> dict[str, Any]:
    query: shapes.QueueQuery = call.query
    found = call.context.catalog.queue(query.limit or _PAGE)
    return {"tracks": [entry.as_dict() for entry in found]}


def track(call: Call) -> dict[str, Any]:
    return entry_of(call).as_dict()


def retry(call: Call) -> dict[str, Any]:
    entry = entry_of(call)
    call.context.catalog.retry([entry.id])
    call.context.wake()
    return entry_of(call).as_dict()


def skip(call: Call) -> dict[str, Any]:
    entry = entry_of(call)
    call.context.catalog.skip([entry.id])
    call.context.wake()
    return entry_of(call).as_dict()


OPERATIONS: Sequence[Operation] = (
    Operation(
        "GET",
        f"{PREFIX}/tracks",
        "Songs, a page at a time",
        tracks,
        shapes.TracksAnswer,
        query=shapes.TracksQuery,
        errors=(400,),
    ),
    Operation(
        "GET",
        f"{PREFIX}/tracks/order",
        "The numbers of all songs in an order, four bytes each, the lowest first",
        order,
        "application/octet-stream",
        query=shapes.OrderQuery,
        errors=(400,),
    ),
    Operation(
        "GET",
        f"{PREFIX}/queue",
        "What is in work, then what comes next, in the order in which it is taken up",
        queue,
        shapes.QueueAnswer,
        query=shapes.QueueQuery,
        errors=(400,),
    ),
    Operation(
        "GET", f"{PREFIX}/tracks/{{id}}", "One song", track, shapes.TrackShape, errors=(404,)
    ),
    Operation(
        "POST",
        f"{PREFIX}/tracks/{{id}}/retry",
        "Queue a song once more, before others",
        retry,
        shapes.TrackShape,
        errors=(404,),
    ),
    Operation(
        "POST",
        f"{PREFIX}/tracks/{{id}}/skip",
        "Skip a song from now on",
        skip,
        shapes.TrackShape,
        errors=(404,),
    ),
)
