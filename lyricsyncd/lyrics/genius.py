"""Genius (https://docs.genius.com), through the library lyricsgenius and our own rate limits.

It has lyrics without times, of nearly every song, and is searched only with the user's token.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from lyricsyncd.errors import ConfigError, LyricsyncError, Unreachable, raised_inside
from lyricsyncd.http import Web
from lyricsyncd.lyrics import external
from lyricsyncd.lyrics.base import Candidate
from lyricsyncd.model import Lyrics, Track
from lyricsyncd.registry import SourceContext
from lyricsyncd.text import match

_log = logging.getLogger(__name__)
_MOST_PAGES = 2
"""Most pages fetched for one song: each has some hundred kilobytes."""
_MOST_HITS = 5


@dataclass(frozen=True)
class GeniusSource:
    """Look up lyrics at Genius.

    Parameters
    ----------
    token
        A client access token; without one no request is sent.
    web
        The client for requests to it.
    api, site
        Addresses of its API and of its pages.
    """

    token: str | None = None
    web: Web = field(default_factory=Web)
    api: str = "https://api.genius.com/"
    site: str = "https://genius.com/"
    name: str = "genius"

    @property
    def idle(self) -> str | None:
        """The reason for which it is disabled: no token."""
        return None if self.token else "not asked: it needs a token (GENIUS_TOKEN)"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The addresses that it contacts."""
        return (self.api, self.site)

    def find(self, track: Track) -> list[Candidate]:
        """Search songs by name, and fetch the lyrics of those that match."""
        artist = match.main_artist(track)
        if not self.token or not track.title or not artist:
            return []
        return list(self._candidates(track, f"{artist} {match.search_title(track.title)}"))

    def named_by(self, words: str) -> list[tuple[str, str]]:
        """Return artist and title of the songs with these words in their lyrics.

        Raises
        ------
        Unreachable, Refused, SourceError
            As `find`.
        """
        if not self.token:
            return []
        answer = self._request(lambda: self._library.search_lyrics(words, per_page=_MOST_HITS))
        sections = _field(answer, "sections")
        hits = _field(sections[0], "hits") if isinstance(sections, list) and sections else None
        return [(hit["artist"], hit["title"]) for hit in _hits(hits)]

    def _candidates(self, track: Track, term: str) -> Iterator[Candidate]:
        answer = self._request(lambda: self._library.search_songs(term, per_page=_MOST_HITS))
        hits = [(_matched(track, hit), hit) for hit in _hits(_field(answer, "hits"))]
        taken = [pair for pair in hits if pair[0].score >= match.ACCEPTED][:_MOST_PAGES]
        # Of other versions the first will do, and none where there is the right one.
        wanted = taken or [pair for pair in hits if pair[0].same_words][:1]
        for agreed, hit in hits:
            if (agreed, hit) not in wanted:
                score = min(agreed.score, match.ACCEPTED - 0.01)
                yield Candidate(Lyrics(), "genius", hit["id"], score, agreed.why)
                continue
            page = self._page(hit["url"])
            text = self._request(partial(self._library.lyrics, song_url=page))
            lyrics = external.from_plain(text or "", track)
            if not taken:
                lyrics = external.of_other_version(lyrics)
            if not lyrics.words and not lyrics.instrumental:
                yield Candidate(Lyrics(), "genius", hit["id"], 0.0, "a page without words")
                continue
            lyrics = external.named(
                lyrics, "genius", hit["id"], title=hit["title"], artist=hit["artist"]
            )
            why = f"{agreed.why}; plain"
            yield Candidate(lyrics, "genius", hit["id"], agreed.score, why, other_version=not taken)

    def _request(self, call: Callable[[], Any]) -> Any:
        """Call the library; its failures on an unexpected response become errors of ours."""
        try:
            return call()
        except LyricsyncError:
            raise
        except Exception as error:
            # When the website changes, the library may raise anything.
            if not raised_inside(error, "lyricsgenius"):
                raise
            _log.info("genius: %r", error)
            if isinstance(error, AssertionError) and " 404" in str(error):
                return {}
            raise Unreachable("lyricsgenius cannot read what Genius answers") from None

    def _page(self, url: str) -> str:
        """Return the path of a page within the site: the library accepts only that."""
        return url.removeprefix(self.site).removeprefix("https://genius.com/").lstrip("/")

    @cached_property
    def _library(self) -> Any:
        import lyricsgenius

        from lyricsyncd.http.transport import adopt

        genius = lyricsgenius.Genius(self.token, sleep_time=0, timeout=60)
        genius.API_ROOT, genius.WEB_ROOT = self.api, self.site
        genius.PUBLIC_API_ROOT = f"{self.site}api/"
        adopt(genius._session, self.web)
        return genius


def open_source(context: SourceContext) -> GeniusSource:
    """Open the source as it is configured, for `lyricsyncd.registry`."""
    from lyricsyncd.http import response_cache

    web = Web(
        timeout=context.lyrics.genius.timeout,
        attempts=2,
        interval=1.0,
        cache=response_cache.shared(),
    )
    try:
        return GeniusSource(context.lyrics.genius.token, web)
    except ConfigError as error:
        # A missing secret costs this source, and no song.
        _log.warning("Genius is not asked: %s", error)
        return GeniusSource(None, web)


def _matched(track: Track, hit: Mapping[str, str]) -> match.Match:
    return match.match(track, title=hit["title"], artist=hit["artist"], album=None, duration=None)


def _field(answer: Any, name: str) -> Any:
    return answer.get(name) if isinstance(answer, Mapping) else None


def _hits(results: Any) -> list[dict[str, str]]:
    """Return the results of a search that have every field needed."""
    songs = []
    for hit in results if isinstance(results, list) else []:
        song = hit.get("result") if isinstance(hit, Mapping) else None
        if not isinstance(song, Mapping) or hit.get("type") not in ("song", "lyric", None):
            continue
        artist = song.get("primary_artist")
        name = artist.get("name") if isinstance(artist, Mapping) else None
        title, url = song.get("title"), song.get("url")
        if isinstance(title, str) and isinstance(name, str) and isinstance(url, str):
            songs.append({"id": str(song.get("id")), "title": title, "artist": name, "url": url})
    return songs
