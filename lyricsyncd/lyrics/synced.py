"""The providers of the library syncedlyrics, with our own rate limits.

The library returns the first hit of any provider; here a hit counts only where it has the names of
its song, so that they can be compared.
"""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from lyricsyncd.errors import LyricsyncError, SourceError, Unreachable, raised_inside
from lyricsyncd.http import Web
from lyricsyncd.lyrics import external
from lyricsyncd.lyrics.base import Candidate, described
from lyricsyncd.model import Lyrics, Track
from lyricsyncd.registry import SourceContext
from lyricsyncd.text import match

_log = logging.getLogger(__name__)
_MOST_HITS = 10


@dataclass(frozen=True, slots=True)
class SyncedlyricsSource:
    """Search the providers of syncedlyrics in order, until one has the lyrics.

    Parameters
    ----------
    providers
        Of ``netease``, ``megalobiz`` and ``musixmatch``.
    web
        The client for requests to them.
    roots
        Replacements for the beginnings of the providers' addresses.
    """

    providers: tuple[str, ...] = ("netease", "megalobiz")
    web: Web = field(default_factory=Web)
    roots: Mapping[str, str] = field(default_factory=dict)
    name: str = "syncedlyrics"
    idle: str | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The addresses that it contacts."""
        return tuple(
            self.roots.get(address, address)
            for address in map(_ADDRESSES.get, self.providers)
            if address is not None
        )

    def find(self, track: Track) -> list[Candidate]:
        """Return the candidates of the first provider with accepted lyrics.

        A provider that fails is skipped.

        Raises
        ------
        SourceError
            All of them failed.
        """
        artist = match.main_artist(track)
        if not track.title or not artist:
            return []
        term = f"{match.search_title(track.title)} {artist}"
        found: list[Candidate] = []
        failures: list[SourceError] = []
        for name in self.providers:
            try:
                found += _HITS[name](self, track, term)
            except SourceError as error:
                _log.debug("syncedlyrics, %s: %s", name, error.message)
                failures.append(error)
            except LyricsyncError:
                raise
            except Exception as error:
                # When a website changes, the library may raise anything.
                if not raised_inside(error, "syncedlyrics"):
                    raise
                _log.info("syncedlyrics, %s: %r", name, error)
                failures.append(Unreachable(f"syncedlyrics cannot read what {name} answers"))
            if any(candidate.score >= match.ACCEPTED for candidate in found):
                break
        if failures and len(failures) == len(self.providers):
            raise failures[0]
        return found

    def _netease(self, track: Track, term: str) -> Iterator[Candidate]:
        from syncedlyrics.providers import NetEase

        provider = self._adopted(NetEase())
        parameters = {"limit": _MOST_HITS, "type": 1, "offset": 0, "s": term}
        answer = provider.session.get(provider.API_ENDPOINT_METADATA, params=parameters)
        hits = _listed(_mapped(_parsed(answer), "result"), "songs")
        yield from self._fetched(track, "netease", map(_netease_hit, hits), provider)

    def _musixmatch(self, track: Track, term: str) -> Iterator[Candidate]:
        from syncedlyrics.providers import Musixmatch

        provider = self._adopted(Musixmatch(enhanced=True))
        query = [("q", term), ("page_size", str(_MOST_HITS)), ("page", "1")]
        body = _mapped(_parsed(provider._get("track.search", query)), "message", "body")
        hits = (_mapped(item, "track") for item in _listed(body, "track_list"))
        yield from self._fetched(track, "musixmatch", map(_musixmatch_hit, hits), provider)

    def _megalobiz(self, track: Track, term: str) -> Iterator[Candidate]:
        from syncedlyrics.providers import Megalobiz

        provider = self._adopted(Megalobiz())
        lrc = provider.get_lrc(term)
        text = _text_of(lrc)
        if not text:
            return
        # The library chooses the page; only the header of the LRC names its song.
        header = dict(re.findall(r"^\s*\[(ti|ar|al|length):\s*([^\]\n]*)\]", text, re.M | re.I))
        names = {key.lower(): value.strip() for key, value in header.items()}
        hit = _Hit(None, names.get("ti", ""), names.get("ar", ""), names.get("al"), _clock(names))
        yield _candidate(track, "megalobiz", hit, lambda: text)

    def _fetched(
        self, track: Track, name: str, hits: Iterable[_Hit], provider: Any
    ) -> Iterator[Candidate]:
        """Fetch the lyrics of the best hits; the others get the reason against them."""
        matched = [(_matched(track, hit), hit) for hit in hits if hit.title and hit.artist]
        matched.sort(key=lambda pair: (-pair[0].score, not pair[0].same_words))
        for at, (agreed, hit) in enumerate(matched[:_MOST_HITS]):
            # Of other versions the likeliest will do, and none where there is the right one.
            wanted = at == 0 or (at < 2 and agreed.score >= match.ACCEPTED)
            words = partial(_words, provider, hit.id) if wanted else None
            yield _candidate(track, name, hit, words)

    def _adopted(self, provider: Any) -> Any:
        """Route a provider's requests through our client and cache, and silence its log."""
        from lyricsyncd.http.transport import adopt

        adopt(provider.session, self.web)
        provider.logger.handlers.clear()
        for name in ("API_ENDPOINT_METADATA", "API_ENDPOINT_LYRICS", "ROOT_URL", "SEARCH_ENDPOINT"):
            address = getattr(provider, name, None)
            for begin, other in self.roots.items():
                if isinstance(address, str) and address.startswith(begin):
                    setattr(provider, name, other + address.removeprefix(begin))
        return provider


_ADDRESSES = {
    "netease": "https://music.163.com",
    "megalobiz": "https://www.megalobiz.com",
    "musixmatch": "https://apic-desktop.musixmatch.com",
}
_HITS: dict[str, Callable[[SyncedlyricsSource, Track, str], Iterator[Candidate]]] = {
    "netease": SyncedlyricsSource._netease,
    "megalobiz": SyncedlyricsSource._megalobiz,
    "musixmatch": SyncedlyricsSource._musixmatch,
}


def open_source(context: SourceContext) -> SyncedlyricsSource:
    """Open the source as it is configured, for `lyricsyncd.registry`."""
    from lyricsyncd.http import response_cache

    wanted = context.lyrics.syncedlyrics
    web = Web(timeout=wanted.timeout, attempts=2, interval=1.0, cache=response_cache.shared())
    idle = None if wanted.providers else "no provider is named"
    return SyncedlyricsSource(wanted.providers, web, idle=idle)


@dataclass(frozen=True, slots=True)
class _Hit:
    """A result of a provider's search: the names that it has for the song."""

    id: str | None
    title: str
    artist: str
    album: str | None = None
    duration: float | None = None


def _netease_hit(song: Mapping[str, Any]) -> _Hit:
    artists = [str(item.get("name") or "") for item in _listed(song, "artists")]
    length = song.get("duration")
    return _Hit(
        str(song.get("id")),
        str(song.get("name") or ""),
        ", ".join(filter(None, artists)),
        str(_mapped(song, "album").get("name") or "") or None,
        length / 1000 if isinstance(length, (int, float)) and length > 0 else None,
    )


def _musixmatch_hit(song: Mapping[str, Any]) -> _Hit:
    length = song.get("track_length")
    return _Hit(
        str(song.get("track_id")),
        str(song.get("track_name") or ""),
        str(song.get("artist_name") or ""),
        str(song.get("album_name") or "") or None,
        float(length) if isinstance(length, (int, float)) and length > 0 else None,
    )


def _clock(names: Mapping[str, str]) -> float | None:
    found = re.fullmatch(r"(\d{1,3}):(\d{1,2}(?:\.\d+)?)", names.get("length", ""))
    return None if found is None else 60 * int(found.group(1)) + float(found.group(2))


def _matched(track: Track, hit: _Hit) -> match.Match:
    return match.match(
        track, title=hit.title, artist=hit.artist, album=hit.album, duration=hit.duration
    )


def _candidate(
    track: Track, provider: str, hit: _Hit, words: Callable[[], str] | None
) -> Candidate:
    """Make a candidate of a hit, with its words where they fit the song.

    Parameters
    ----------
    words : callable or None
        Fetches the LRC; ``None`` where it is not to be fetched.
    """
    identity = f"{provider} {hit.id}" if hit.id else provider
    if not hit.title or not hit.artist:
        return Candidate(
            Lyrics(), "syncedlyrics", identity, 0.0, "an entry without artist or title"
        )
    agreed = _matched(track, hit)
    taken = agreed.score >= match.ACCEPTED
    if words is None or not (taken or agreed.same_words):
        score = min(agreed.score, match.ACCEPTED - 0.01)
        return Candidate(Lyrics(), "syncedlyrics", identity, score, agreed.why)
    lyrics = external.from_text(words(), track, same_times=agreed.same_times)
    if not taken:
        lyrics = external.of_other_version(lyrics)
    if not lyrics.words and not lyrics.instrumental:
        return Candidate(Lyrics(), "syncedlyrics", identity, 0.0, "an entry without words")
    lyrics = external.named(
        dataclasses.replace(lyrics, language=None),
        "syncedlyrics",
        identity,
        title=hit.title,
        artist=hit.artist,
        album=hit.album,
    )
    why = f"{agreed.why}; {described(lyrics)}"
    score = agreed.score
    return Candidate(lyrics, "syncedlyrics", identity, score, why, other_version=not taken)


def _words(provider: Any, identity: str | None) -> str:
    """Fetch the LRC of an entry, with word times where the provider has them."""
    for method in ("get_lrc_word_by_word", "get_lrc_by_id"):
        if hasattr(provider, method):
            text = _text_of(getattr(provider, method)(identity))
            if text:
                return text
    return ""


def _text_of(lrc: Any) -> str:
    return str(getattr(lrc, "synced", None) or getattr(lrc, "unsynced", None) or "")


def _parsed(response: Any) -> Mapping[str, Any]:
    try:
        found = response.json()
    except ValueError:
        raise Unreachable("syncedlyrics: what a website answers is not JSON") from None
    return found if isinstance(found, dict) else {}


def _mapped(data: Any, *path: str) -> Mapping[str, Any]:
    for name in path:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def _listed(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = data.get(name)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []
