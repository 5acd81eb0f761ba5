"""Read events from requests: of our own shape, and as Lidarr and Jellyfin send them.

- Lidarr: Settings → Connect → Webhook; ``eventType`` says what happened.
- Jellyfin: the webhook plugin's generic destination with "send all properties";
  ``NotificationType`` does.

Whatever else they send (a grab, a film, a test) is no event.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from lyricsyncd.library.events import Event, Kind
from lyricsyncd.model import Track
from lyricsyncd.web.reply import Problem
from lyricsyncd.web.shapes.events import MAX_EVENTS, EventShape, EventsShape
from lyricsyncd.web.shapes.fields import readable

_TICKS = 10_000_000
"""Jellyfin's units of time in a second."""
_MOST_TICKS = 1e18


def read_events(body: Any) -> tuple[bool, list[Event]]:
    """Read the events in a body; return whether it was a single one, and the events.

    Raises
    ------
    Problem
        It is none of the shapes.
    """
    if isinstance(body, list):
        body = {"events": body}
    if not isinstance(body, dict):
        raise Problem(400, "Expected an event, or {events: [...]}")
    if "eventType" in body:
        return False, list(_lidarr(body))
    if "NotificationType" in body:
        return False, list(_jellyfin(body))
    try:
        if "events" in body:
            several = EventsShape.model_validate(body)
            return False, [each.as_event() for each in several.events]
        return True, [EventShape.model_validate(body).as_event()]
    except ValidationError as error:
        raise Problem(400, describe(error)) from None


def describe(error: ValidationError) -> str:
    """Describe the first thing that is wrong, in a line."""
    detail = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(map(str, detail["loc"]))
    message = detail["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def _lidarr(body: dict[str, Any]) -> Iterable[Event]:
    """Read On Release Import, On Rename and On Track Retag; upgrades list deleted files."""
    what = body["eventType"]
    if what == "Download":
        yield from _paths(Kind.IMPORTED, body.get("trackFiles"))
        yield from _paths(Kind.REMOVED, body.get("deletedFiles"))
    elif what == "Rename":
        for file in _objects(body.get("renamedTrackFiles")):
            if (path := _text(file, "path")) is not None:
                yield Event(Kind.MOVED, path, moved_from=_text(file, "previousPath"))
    elif what == "Retag":
        yield from _paths(Kind.CHANGED, [body.get("trackFile")])
    elif what in ("AlbumDelete", "ArtistDelete") and body.get("deletedFiles") is True:
        artist = body.get("artist")
        path = _text(artist, "path") if isinstance(artist, dict) else None
        if what == "ArtistDelete" and path is not None:
            yield Event(Kind.REMOVED, path)


def _paths(kind: Kind, files: Any) -> Iterable[Event]:
    for file in _objects(files):
        if (path := _text(file, "path")) is not None:
            yield Event(kind, path)


def _objects(value: Any) -> list[dict[str, Any]]:
    items = value if isinstance(value, list) else []
    return [item for item in items[:MAX_EVENTS] if isinstance(item, dict)]


_JELLYFIN = {
    "ItemAdded": Kind.IMPORTED,
    "ItemDeleted": Kind.REMOVED,
    "PlaybackStart": Kind.PLAYING,
    "PlaybackProgress": Kind.PLAYING,
}


def _jellyfin(body: dict[str, Any]) -> Iterable[Event]:
    kind = _JELLYFIN.get(str(body["NotificationType"]))
    if kind is None or body.get("ItemType") not in ("Audio", "Song"):
        return
    title, path = _name(body, "Name"), _text(body, "Path")
    artist = _name(body, "Artist")
    track = Track(
        artist=artist,
        artists=(artist,) if artist else (),
        title=title,
        album=_name(body, "Album"),
        duration=_seconds(body.get("RunTimeTicks")),
        recording_id=_name(body, "Provider_musicbrainzrecording"),
    )
    if path is not None or title is not None:
        yield Event(kind, path, track if title is not None else None)


def _seconds(ticks: Any) -> float | None:
    known = isinstance(ticks, (int, float)) and not isinstance(ticks, bool)
    return ticks / _TICKS if known and 0 < ticks < _MOST_TICKS else None


def _name(value: dict[str, Any], key: str) -> str | None:
    text = value.get(key)
    return (readable(text) or None) if isinstance(text, str) else None


def _text(value: dict[str, Any], key: str) -> str | None:
    text = value.get(key)
    return text if isinstance(text, str) and 0 < len(text) <= 4096 else None
