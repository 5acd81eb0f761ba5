"""The words of a song: the best that can be had, the cheapest source first.

>>> from lyricsyncd.lyrics import fetch_lyrics
>>> fetch_lyrics(artist="Nina Simone", title="Sinnerman")  # doctest: +SKIP
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.errors import LyricsNotFound, SourceError
from lyricsyncd.model import Lyrics, Timing, Track

if TYPE_CHECKING:
    from lyricsyncd.config import Config, LyricsSources
    from lyricsyncd.lyrics.base import Candidate, Source

__all__ = ["Found", "fetch_lyrics", "find_lyrics", "load_lyrics_file"]

_log = logging.getLogger(__name__)
_FINENESS = {Timing.NONE: 0, Timing.LINE: 1, Timing.WORD: 2}
_MOST_REASONS = 5
"""Refused candidates of one source that are told of."""


@dataclass(frozen=True, slots=True)
class Found:
    """The words that were chosen, and how that came about."""

    lyrics: Lyrics
    source: str
    id: str | None
    score: float
    """0-1: how sure it is that they are this recording's."""
    why: tuple[str, ...] = ()
    """One line for each candidate and source that was asked, the chosen one first."""
    warnings: tuple[str, ...] = ()
    """One line for each source that could not be asked."""
    ours: bool = False
    """Whether they are from a file of our own: nobody else had any."""


def find_lyrics(track: Track, config: Config, *, given: Lyrics | Path | None = None) -> Found:
    """The words of a song, from the sources of the configuration in their order.

    The first source with words of its own is the last one asked. Words in a file that we wrote
    ourselves are the last resort.

    Parameters
    ----------
    given
        The words, or a file of them, where a person gave them.

    Raises
    ------
    LyricsNotFound
        Every source was asked, and none has the words.
    SourceError
        A source that may have them could not be asked (`Unreachable`, `Refused`), and no other
        has them.
    """
    if given is not None:
        lyrics = given if isinstance(given, Lyrics) else load_lyrics_file(given)
        name = lyrics.source_id or "as text"
        return Found(lyrics, lyrics.source or "given", lyrics.source_id, 1.0, (f"given: {name}",))
    return _choose(track, _sources(config.lyrics))


def fetch_lyrics(
    artist: str | None = None,
    title: str | None = None,
    album: str | None = None,
    duration: float | None = None,
    config: Config | None = None,
) -> Lyrics:
    """The words of a song by its names, without a file.

    Parameters
    ----------
    duration
        Seconds. With it, times come only from an entry of the same length.

    Raises
    ------
    LyricsNotFound, SourceError
        As `find_lyrics`.
    """
    from lyricsyncd.config import Config

    track = Track(
        artist=artist,
        artists=(artist,) if artist else (),
        title=title,
        album=album,
        duration=duration,
    )
    return find_lyrics(track, config or Config()).lyrics


def load_lyrics_file(path: str | Path) -> Lyrics:
    """The words in a file of any format we know; a .txt may hold LRC.

    Raises
    ------
    UsageError
        There is no such file.
    LyricsNotFound
        It is empty.
    FormatError
        It is binary, larger than 4 MiB, or not what its suffix says.
    """
    from lyricsyncd.lyrics import files

    return files.load(Path(path))


@functools.lru_cache(maxsize=4)
def _sources(settings: LyricsSources) -> tuple[Source, ...]:
    """The sources of a configuration, made once: they keep connections and a pace."""
    return tuple(_source(name, settings) for name in dict.fromkeys(settings.order))


def _source(name: str, settings: LyricsSources) -> Source:
    if name == "local":
        from lyricsyncd.lyrics.local import LocalSource

        return LocalSource()
    from lyricsyncd.http import Web
    from lyricsyncd.lyrics.lrclib import LrclibSource

    return LrclibSource(settings.lrclib.url.rstrip("/"), Web(timeout=settings.lrclib.timeout))


def _choose(track: Track, sources: Sequence[Source]) -> Found:
    why: list[str] = []
    failures: list[SourceError] = []
    last_resort: Candidate | None = None
    for source in sources:
        try:
            candidates = source.find(track)
        except SourceError as error:
            _log.warning("%s: %s", source.name, error.message)
            failures.append(error)
            why.append(f"{source.name}: {error.message}")
            continue
        best = _best([candidate for candidate in candidates if not candidate.ours])
        if best is not None:
            told = [f"chosen: {best}", *why, *_told(source, candidates, best)]
            return _found(best, told, failures)
        why += _told(source, candidates, None)
        last_resort = last_resort or _best(candidates)
    if last_resort is not None:
        return _found(last_resort, [f"chosen, for want of others: {last_resort}", *why], failures)
    if failures:
        raise failures[0]
    detail = "; ".join(why) or "no source is configured"
    raise LyricsNotFound(
        f"No lyrics for {track.name} ({detail})",
        remedy="Put them beside the song as a .txt, or correct its tags",
    )


def _found(chosen: Candidate, why: Sequence[str], failures: Sequence[SourceError]) -> Found:
    warnings = tuple(error.message for error in failures)
    return Found(
        chosen.lyrics, chosen.source, chosen.id, chosen.score, tuple(why), warnings, chosen.ours
    )


def _best(candidates: Sequence[Candidate]) -> Candidate | None:
    """The surest match; among sure ones the finest timing, then the source's own order."""
    from lyricsyncd.lyrics.match import ACCEPTED, SURE

    def rank(candidate: Candidate) -> tuple[float, int, float]:
        lyrics = candidate.lyrics
        fineness = _FINENESS[lyrics.timing]
        return (min(candidate.score, SURE), fineness, candidate.score)

    usable = [
        candidate
        for candidate in candidates
        if candidate.score >= ACCEPTED and (candidate.lyrics.words or candidate.lyrics.instrumental)
    ]
    # Words beat a claim that there are none: somebody heard them.
    sung = [candidate for candidate in usable if candidate.lyrics.words]
    return max(sung or usable, key=rank, default=None)


def _told(source: Source, candidates: Sequence[Candidate], chosen: Candidate | None) -> list[str]:
    """One line for each candidate that was not taken, or one that there were none."""
    others = [candidate for candidate in candidates if candidate is not chosen]
    if not candidates:
        return [f"{source.name}: nothing"]
    told = [
        f"{'ours' if candidate.ours else 'not taken'}: {candidate}"
        for candidate in sorted(others, key=lambda candidate: -candidate.score)[:_MOST_REASONS]
    ]
    if len(others) > _MOST_REASONS:
        told.append(f"{source.name}: {len(others) - _MOST_REASONS} others")
    return told
