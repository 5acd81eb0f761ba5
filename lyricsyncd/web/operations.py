"""List the operations of the interface: one table for routes and documentation."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lyricsyncd import __version__, formats
from lyricsyncd.catalog.catalog import Entry, Queued
from lyricsyncd.errors import FormatError
from lyricsyncd.library.events import EventHandler, Kind, Result, Taken
from lyricsyncd.library.lookup import NotInLibrary
from lyricsyncd.library.status import status
from lyricsyncd.media_types import media_type, media_types
from lyricsyncd.unexpected import UNEXPECTED
from lyricsyncd.web import first_run, metrics, review, shapes, sound, stored_lyrics
from lyricsyncd.web.context import ServiceContext
from lyricsyncd.web.draft_words import parallel
from lyricsyncd.web.guard import SESSION
from lyricsyncd.web.operation import PREFIX, Call, Json, Operation, Text, entry_of
from lyricsyncd.web.reply import Problem
from lyricsyncd.web.sessions import cookie, secrets_in
from lyricsyncd.web.webhooks import read_events

if TYPE_CHECKING:
    from lyricsyncd.model import Lyrics

_PAGE = 100
_REFUSALS: Mapping[Queued | Result, tuple[int, str, str]] = {
    Result.OUTSIDE: (403, "It is in no library", "Name a path below a library, or set path_map"),
    Result.NOT_FOUND: (404, "There is no such song", "Check the path or the tags"),
}


# Commands


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


def pause(call: Call) -> dict[str, Any]:
    call.context.catalog.pause()
    return {"paused": True}


def resume(call: Call) -> dict[str, Any]:
    call.context.catalog.resume()
    call.context.wake()
    return {"paused": False}


def begin_session(call: Call) -> Json:
    if not call.sessions.needed:
        return Json({"needed": False}, {})
    if not call.sessions.is_token(call.body.token):
        raise Problem(401, "That is not the token", remedy="It is web.token of the configuration")
    return Json({"needed": True}, {"Set-Cookie": _cookie(call, call.sessions.begin())})


def session_state(call: Call) -> dict[str, bool]:
    given = secrets_in(call.headers.get("cookie", ""))
    return {"needed": call.sessions.needed, "signed_in": any(map(call.sessions.known, given))}


def end_session(call: Call) -> Json:
    for secret in secrets_in(call.headers.get("cookie", "")):
        call.sessions.end(secret)
    return Json({"needed": call.sessions.needed}, {"Set-Cookie": _cookie(call, "")})


def _cookie(call: Call, secret: str) -> str:
    secure = call.headers.get("origin", "").startswith("https:")
    return cookie(secret, secure=secure)


# Queries


def service_status(call: Call) -> dict[str, Any]:
    values = status(call.context.catalog, call.context.rules(), running=True)
    # The catalog has it from the last heartbeat.
    return {"version": __version__, **values, "unexpected_errors": UNEXPECTED.count}


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


def queue(call: Call) -> dict[str, Any]:
    query: shapes.QueueQuery = call.query
    found = call.context.catalog.queue(query.limit or _PAGE)
    return {"tracks": [entry.as_dict() for entry in found]}


def track(call: Call) -> dict[str, Any]:
    return entry_of(call).as_dict()


def lyrics(call: Call) -> dict[str, Any] | Text:
    query: shapes.LyricsQuery = call.query
    if query.id is None and query.path is None and query.title is None:
        raise Problem(404, "No song is named", remedy="Send id, path, or title (and artist)")
    entry = _named(call.context, query)
    if entry is None:
        raise Problem(404, "There is no such song", remedy="Report it with POST /api/v1/events")
    found = stored_lyrics.find(entry)
    if found is None:
        raise Problem(404, "The song has no lyrics yet", state=entry.state.value)
    if query.format is None:
        return {
            "track": entry.as_dict(),
            "timing": found.lyrics.timing.value,
            "instrumental": found.lyrics.instrumental,
            "source": found.source,
            "ours": found.ours,
            "language": found.lyrics.language,
            "lines": _lines(found.lyrics),
        }
    try:
        text = formats.write(found.lyrics, query.format)
    except FormatError as error:
        raise Problem(
            406, f"They cannot be had as {query.format}: {error.message}", state=entry.state.value
        ) from None
    headers = {"X-Lyrics-Timing": found.lyrics.timing.value}
    return Text(text, media_type(query.format), headers)


def _named(context: ServiceContext, query: shapes.LyricsQuery) -> Entry | None:
    """Find the song that a query names: by number, else by path, else by names."""
    if query.id is not None:
        return context.catalog.get(query.id)
    lookup, named = context.lookup(), query.as_track()
    if query.path is not None:
        try:
            entry = lookup.song(query.path)
        except NotInLibrary as error:
            if named is None:
                raise Problem(403, error.message) from None
            entry = None
        if entry is not None:
            return entry
    return None if named is None else lookup.by_tags(named)


def _lines(lyrics: Lyrics) -> list[dict[str, Any]]:
    return [
        {
            "text": line.text,
            "start": line.start,
            "end": line.end,
            "voice": line.voice,
            "estimated": line.estimated,
            "words": [
                {
                    "text": word.text,
                    "start": word.start,
                    "end": word.end,
                    "confidence": word.confidence,
                    "space": word.space,
                    "syllables": [dataclasses.asdict(part) for part in word.syllables],
                }
                for word in line.words
            ],
            "parallel": parallel(line),
        }
        for line in lyrics.without_doubtful()
    ]


def healthz(call: Call) -> Text:
    if not call.context.alive():
        raise Problem(503, "A working thread has ended", remedy="Start the service anew")
    call.context.catalog.version()
    return Text("ok\n", "text/plain")


def _metrics(call: Call) -> Text:
    return Text(metrics.text(call.context.catalog, call.context.rules()), metrics.MEDIA_TYPE)


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
    Operation(
        "GET", f"{PREFIX}/status", "The state of the service", service_status, shapes.StatusAnswer
    ),
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
    Operation(
        "GET",
        f"{PREFIX}/lyrics",
        "The words of a song, with their times",
        lyrics,
        shapes.LyricsAnswer,
        query=shapes.LyricsQuery,
        opens_songs=True,
        errors=(400, 403, 404, 406),
        also_answers=media_types(),
    ),
    Operation(
        "POST",
        SESSION,
        "Sign a browser in: the answer sets its cookie",
        begin_session,
        shapes.SessionAnswer,
        body=shapes.SessionShape,
        errors=(400, 413, 415),
    ),
    Operation(
        "GET",
        SESSION,
        "Whether a token is needed, and whether this browser has signed in",
        session_state,
        shapes.SessionState,
    ),
    Operation("DELETE", SESSION, "Sign a browser out", end_session, shapes.SessionAnswer),
    *review.OPERATIONS,
    *sound.OPERATIONS,
    *first_run.OPERATIONS,
    Operation("POST", f"{PREFIX}/pause", "Take up no new songs", pause, shapes.PausedAnswer),
    Operation("POST", f"{PREFIX}/resume", "Go on after a pause", resume, shapes.PausedAnswer),
    Operation(
        "GET",
        "/healthz",
        "Whether the service works",
        healthz,
        "text/plain",
        errors=(503,),
        also_at=f"{PREFIX}/healthz",
    ),
    Operation(
        "GET",
        "/metrics",
        "Metrics for Prometheus",
        _metrics,
        metrics.MEDIA_TYPE,
        also_at=f"{PREFIX}/metrics",
    ),
)
