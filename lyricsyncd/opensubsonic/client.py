"""Send the few requests of OpenSubsonic that are needed (https://opensubsonic.netlify.app/docs/).

Navidrome identifies a player by its user, client id and user agent, and decides by the player
whether it sends real paths: ours are the same in all versions.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lyricsyncd.config.schema import OpenSubsonic
from lyricsyncd.errors import LyricsyncError, Refused, SourceError, Unreachable
from lyricsyncd.http import Web
from lyricsyncd.model import Track

CLIENT_ID = "lyricsyncd"
USER_AGENT = "lyricsyncd"
PROTOCOL = "1.16.1"
PAGE = 500
"""Songs or albums in one answer: what the protocol allows."""

_NOT_FOUND = 70
_REMEDIES = {
    # A server that misses a parameter does not support tokens.
    10: "Set opensubsonic.auth to password",
    40: "Check opensubsonic.user and opensubsonic.password",
    41: "Set opensubsonic.auth to password",
    42: "Set opensubsonic.auth to password, or use opensubsonic.api_key",
    43: "Give opensubsonic.api_key or user and password, not both",
    44: "Check opensubsonic.api_key",
    50: "Let the user do it on the server",
}


class NotAllowed(Refused):
    """The user may not do this on the server."""


@dataclass(frozen=True, slots=True)
class ScanStatus:
    """State of the server's scan of its folders, and the time of the last one."""

    scanning: bool
    last_scan: str | None = None
    """When the last scan was, where the server reports that."""


@dataclass(frozen=True, slots=True)
class Album:
    """An album, with what changes when songs are added to it."""

    id: str
    created: str = ""
    songs: int = 0


@dataclass(frozen=True, slots=True)
class Song:
    """A song as the server describes it; its path may be fictitious."""

    id: str
    path: str | None
    track: Track


class Client:
    """A client of one server.

    Every method raises `Unreachable` (later it may work), `Refused` (it will not) or `NotAllowed`
    (the user may not).
    """

    def __init__(self, settings: OpenSubsonic, *, timeout: float = 15.0) -> None:
        self._settings = settings
        self._url = settings.url or ""
        self._host = urlsplit(self._url).hostname or self._url
        self._web = Web(timeout=timeout, attempts=2, interval=0.05, user_agent=USER_AGENT)
        self.requests = 0
        """How many requests were sent."""

    def scan_status(self) -> ScanStatus:
        return _scan_status(self._ask("getScanStatus").get("scanStatus"))

    def start_scan(self) -> ScanStatus:
        """Request a scan of the server's folders."""
        return _scan_status(self._ask("startScan").get("scanStatus"))

    def newest(self, size: int, offset: int = 0) -> list[Album]:
        """List albums, the last added first."""
        answer = self._ask("getAlbumList2", type="newest", size=str(size), offset=str(offset))
        return [
            Album(str(album["id"]), str(album.get("created", "")), _whole(album.get("songCount")))
            for album in _items(answer.get("albumList2"), "album")
            if "id" in album
        ]

    def album(self, id: str) -> list[Song]:
        """List the songs of an album; none where it is gone."""
        return _songs(self._ask("getAlbum", id=id).get("album"), "song")

    def songs(self, offset: int, size: int = PAGE) -> list[Song]:
        """List a page of all songs."""
        answer = self._ask(
            "search3",
            query="",
            artistCount="0",
            albumCount="0",
            songCount=str(size),
            songOffset=str(offset),
        )
        return _songs(answer.get("searchResult3"), "song")

    def now_playing(self) -> list[Song]:
        return _songs(self._ask("getNowPlaying").get("nowPlaying"), "entry")

    def _ask(self, what: str, **parameters: str) -> dict[str, Any]:
        """Return the content of the envelope; empty where it has none."""
        self.requests += 1
        common = {"v": PROTOCOL, "c": CLIENT_ID, "f": "json", **self._credentials()}
        try:
            body = self._web.get_json(f"{self._url}/rest/{what}.view", {**common, **parameters})
        except Refused as error:
            if error.transient:
                raise
            raise Refused(error.message, remedy=_REMEDIES[40]) from None
        envelope = body.get("subsonic-response") if isinstance(body, dict) else None
        if not isinstance(envelope, dict):
            raise Unreachable(
                f"{self._host} does not speak OpenSubsonic", remedy="Check opensubsonic.url"
            )
        if envelope.get("status") == "ok":
            return envelope
        failure = envelope.get("error")
        reason = failure if isinstance(failure, dict) else {}
        code = _whole(reason.get("code"))
        if code == _NOT_FOUND:
            return {}
        raise self._failure(code, str(reason.get("message") or "no reason given")[:200])

    def _failure(self, code: int, message: str) -> LyricsyncError:
        message = f"{self._host} refused ({code}: {message})"
        if code == 50:
            return NotAllowed(message, remedy=_REMEDIES[code])
        if code in _REMEDIES:
            return Refused(message, remedy=_REMEDIES[code])
        return SourceError(message, transient=True)

    def _credentials(self) -> dict[str, str]:
        settings = self._settings
        if settings.api_key is not None:
            return {"apiKey": settings.api_key.reveal()}
        password = "" if settings.password is None else settings.password.reveal()
        user = {"u": settings.user or ""}
        if settings.auth == "password":
            return user | {"p": "enc:" + password.encode("utf-8").hex()}
        salt = secrets.token_hex(8)
        # MD5 is what the protocol says.
        token = hashlib.md5((password + salt).encode("utf-8"), usedforsecurity=False)
        return user | {"t": token.hexdigest(), "s": salt}


def _scan_status(value: Any) -> ScanStatus:
    status = value if isinstance(value, dict) else {}
    last = status.get("lastScan")
    return ScanStatus(status.get("scanning") is True, None if last is None else str(last))


def _items(value: Any, key: str) -> list[dict[str, Any]]:
    found = value.get(key) if isinstance(value, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _songs(value: Any, key: str) -> list[Song]:
    return [
        _song(item)
        for item in _items(value, key)
        if "id" in item and item.get("isDir") is not True and item.get("isVideo") is not True
    ]


def _song(item: dict[str, Any]) -> Song:
    artist = _text(item.get("displayArtist")) or _text(item.get("artist"))
    artists = tuple(
        name for each in _items(item, "artists") if (name := _text(each.get("name"))) is not None
    )
    return Song(
        str(item["id"]),
        _text(item.get("path")),
        Track(
            artist=artist,
            artists=artists or ((artist,) if artist else ()),
            title=_text(item.get("title")),
            album=_text(item.get("album")),
            duration=_length(item.get("duration")),
            recording_id=_text(item.get("musicBrainzId")),
        ),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _length(value: Any) -> float | None:
    known = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e6
    return float(value) if known else None


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0
