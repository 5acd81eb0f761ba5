"""LRCLIB, an open database of lyrics (https://lrclib.net/docs), or the user's own copy of it.

Requests carry artist, title, album and length, and nothing else of the song.
"""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lyricsyncd.errors import FormatError
from lyricsyncd.http import Web
from lyricsyncd.lyrics import external
from lyricsyncd.lyrics.base import Candidate, described
from lyricsyncd.model import Lyrics, Timing, Track
from lyricsyncd.registry import SourceContext
from lyricsyncd.text import match
from lyricsyncd.text.language import code as language_code

_log = logging.getLogger(__name__)
_MOST_RESULTS = 50
_MOST_SEARCHES = 6
"""Most searches for one song that the server does not know by its exact names."""


@dataclass(frozen=True, slots=True)
class LrclibSource:
    """Look up lyrics at an LRCLIB server.

    Parameters
    ----------
    url
        Its address, without ``/api``.
    web
        The client for requests to it.
    """

    url: str = "https://lrclib.net"
    web: Web = field(default_factory=Web)
    name: str = "lrclib"
    idle: str | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The address that it contacts."""
        return (self.url,)

    def find(self, track: Track) -> list[Candidate]:
        """Look up the entry with exactly these names, and search where it is missing or untimed.

        Rejected entries are returned too, with the reason.
        """
        artist = match.main_artist(track)
        if not track.title or not artist:
            return []
        exact = self._exact(track)
        if any(_is_final(candidate) for candidate in exact):
            return exact
        return [*exact, *self._searched(track, artist, known={c.id for c in exact})]

    def with_words(self, track: Track, words: str) -> list[Candidate]:
        """Search entries whose names contain words, since a refrain often contains the title.

        They are scored by their length alone: the transcript must decide.
        """
        answer = self.web.get_json(f"{self.url}/api/search", {"q": words})
        records = answer[:_MOST_RESULTS] if isinstance(answer, list) else []
        found: list[Candidate] = []
        for record in records:
            if not isinstance(record, dict):
                continue
            title, artist = _text(record, "trackName"), _text(record, "artistName")
            if title and artist:
                named = dataclasses.replace(
                    track, title=title, artist=artist, artists=(artist,), album_artist=None
                )
                found += _candidates([record], named)
        return found

    def _exact(self, track: Track) -> list[Candidate]:
        parameters = {"artist_name": track.artist or "", "track_name": track.title or ""}
        if track.album:
            parameters["album_name"] = track.album
        # The server matches lengths within two seconds, and rejects those beyond its range.
        if track.duration and 1 <= track.duration <= 3600:
            parameters["duration"] = str(round(track.duration))
        answer = self.web.get_json(f"{self.url}/api/get", parameters)
        return [] if answer is None else list(_candidates([answer], track))

    def _searched(self, track: Track, artist: str, known: set[str | None]) -> list[Candidate]:
        title = match.search_title(track.title or "")
        found: list[Candidate] = []
        for parameters in _searches(track, artist, title):
            answer = self.web.get_json(f"{self.url}/api/search", parameters)
            if isinstance(answer, list):
                named = _swapped(track) if parameters.get("artist_name") == title else track
                new = (c for c in _candidates(answer[:_MOST_RESULTS], named) if c.id not in known)
                found += new
            if any(candidate.score >= match.ACCEPTED for candidate in found):
                break
            known = known | {candidate.id for candidate in found}
        return found


def open_source(context: SourceContext) -> LrclibSource:
    """Open the source as it is configured, for `lyricsyncd.registry`."""
    from lyricsyncd.http import response_cache

    web = Web(timeout=context.lyrics.lrclib.timeout, cache=response_cache.shared())
    return LrclibSource(context.lyrics.lrclib.url.rstrip("/"), web)


def _searches(track: Track, artist: str, title: str) -> list[dict[str, str]]:
    """Return the parameters of at most `_MOST_SEARCHES` searches, the likeliest to match first.

    The server matches the title as a phrase and every word of the artist, so that one "the" or
    "and" too many finds nothing: the later searches have fewer terms.
    """
    short = match.short_title(track.title or title)
    artists = match.search_artists(track)
    album = match.search_title(track.album) if track.album else ""
    wanted: list[dict[str, str]] = [{"artist_name": artist, "track_name": title}]
    if track.from_file_name:
        # Some files are named "Title - Artist".
        wanted.append({"artist_name": title, "track_name": artist})
    wanted += [{"artist_name": name, "track_name": short} for name in artists[:3]]
    if album:
        wanted.append({"track_name": short, "album_name": album})
    wanted += [{"track_name": title}, {"q": f"{artist} {title}"}]
    different = {
        tuple((key, match.normalise(text)) for key, text in sorted(one.items())): one
        for one in wanted[::-1]
    }
    return list(different.values())[::-1][:_MOST_SEARCHES]


def _swapped(track: Track) -> Track:
    artist = track.title or ""
    return dataclasses.replace(track, artist=artist, artists=(artist,), title=track.artist)


def _is_final(candidate: Candidate) -> bool:
    lyrics = candidate.lyrics
    timed = lyrics.timing is not Timing.NONE or lyrics.instrumental
    return timed and candidate.score >= match.SURE


def _candidates(records: Iterable[Any], track: Track) -> Iterator[Candidate]:
    for record in records:
        if not isinstance(record, dict):
            continue
        title = _text(record, "trackName") or _text(record, "name")
        artist = _text(record, "artistName")
        if not title or not artist:
            continue
        agreed = match.match(
            track,
            title=title,
            artist=artist,
            album=_text(record, "albumName") or None,
            duration=_seconds(record.get("duration")),
        )
        number = record.get("id")
        identity = str(number) if isinstance(number, (int, str)) else None
        taken = agreed.score >= match.ACCEPTED
        if not taken and not agreed.same_words:
            yield Candidate(Lyrics(), "lrclib", identity, agreed.score, agreed.why)
            continue
        lyrics = _lyrics(record, track, agreed)
        if lyrics is not None and not taken:
            lyrics = external.of_other_version(lyrics)
        if lyrics is None:
            yield Candidate(Lyrics(), "lrclib", identity, 0.0, "an entry without words")
            continue
        album = _text(record, "albumName")
        lyrics = external.named(lyrics, "lrclib", identity, title=title, artist=artist, album=album)
        why = f"{agreed.why}; {described(lyrics)}"
        yield Candidate(lyrics, "lrclib", identity, agreed.score, why, other_version=not taken)


def _lyrics(record: Mapping[str, Any], track: Track, agreed: match.Match) -> Lyrics | None:
    """Return the lyrics of an entry with the finest usable timing; ``None`` if it has none."""
    if record.get("instrumental") is True:
        return Lyrics(instrumental=True)
    for key, form in (("lyricsfile", "lyricsfile"), ("syncedLyrics", "lrc")):
        text = _text(record, key)
        if not text:
            continue
        try:
            timed = external.from_timed(text, track, form=form, same_times=agreed.same_times)
        except FormatError as error:
            _log.info("lrclib entry %s: %s is broken: %s", record.get("id"), key, error.message)
            continue
        if timed.words or timed.instrumental:
            return dataclasses.replace(timed, language=language_code(timed.language or ""))
    plain = external.from_plain(_text(record, "plainLyrics"), track)
    return plain if plain.words or plain.instrumental else None


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    return value.strip() if isinstance(value, str) else ""


def _seconds(value: Any) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return None
