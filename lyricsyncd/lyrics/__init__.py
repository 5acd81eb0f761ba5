"""The words of a song: the best that can be had, the cheapest source first.

>>> from lyricsyncd.lyrics import fetch_lyrics
>>> fetch_lyrics(artist="Nina Simone", title="Sinnerman")  # doctest: +SKIP
"""

from __future__ import annotations

import functools
import itertools
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd import registry
from lyricsyncd.errors import LyricsNotFound, LyricsyncError, ModelError, NotASong, SourceError
from lyricsyncd.identify.kinds import Kind
from lyricsyncd.lyrics.base import is_offline
from lyricsyncd.model import Lyrics, Timing, Track
from lyricsyncd.registry import SourceContext

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config, LyricsSources
    from lyricsyncd.identify.kinds import Unsung
    from lyricsyncd.lyrics.base import Candidate, Source

__all__ = ["Found", "fetch_lyrics", "find_lyrics", "load_lyrics_file"]

TRANSCRIPT = "transcript"
"""The source that needs the sound, and so is asked by the pipeline (`lyrics.transcript`)."""

_log = logging.getLogger(__name__)
_FINENESS = {Timing.NONE: 0, Timing.LINE: 1, Timing.WORD: 2}
_MOST_REASONS = 5
"""Refused candidates of one source that are told of."""
_MOST_OTHERS = 2


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
    others: tuple[Lyrics, ...] = ()
    """Other words that may be the song's, the likeliest first: to be tried where the sound does
    not bear out the chosen ones."""


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
    return choose(track, sources(config))


def find_own(track: Track, config: Config, unsung: Unsung) -> Found:
    """A person's own words for a recording that is not held to be a song with words.

    Nobody else is asked. In the tags of a podcast or an audiobook, "lyrics" are notes about it.

    Raises
    ------
    NotASong
        It is a podcast, an audiobook or the like, and there are none.
    """
    for source in sources(config):
        if source.name != "local":
            continue
        ranked = _ranked(
            [
                candidate
                for candidate in source.find(track)
                if not candidate.ours and not (unsung.spoken and candidate.source == "tag")
            ]
        )
        if ranked and ranked[0].lyrics.words:
            return _found(ranked[0], [f"chosen: {ranked[0]}"], ())
    if unsung.kind is Kind.INSTRUMENTAL:
        why = f"it is {unsung.reason}"
        return Found(Lyrics(instrumental=True, source="tags"), "tags", None, 1.0, (why,))
    raise NotASong(
        f"It is {unsung.reason}, so its words are not looked up",
        remedy="Split it into songs"
        if unsung.kind is Kind.LONG
        else "Put them beside it as a .txt to have them placed",
    )


def find_offline(track: Track, config: Config) -> Found | None:
    """The words of a song, where no source that needs the network comes before those that have
    them; ``None`` where such a source must be asked first, or all of them."""
    first = list(itertools.takewhile(is_offline, sources(config)))
    try:
        found = choose(track, first)
    except (LyricsNotFound, SourceError):
        return None
    # Our own words are the last resort, after all sources.
    return None if found.ours else found


def all_offline(config: Config) -> bool:
    """Whether no source needs the network."""
    return all(map(is_offline, sources(config)))


def later(track: Track, config: Config, lyrics: Lyrics) -> tuple[Lyrics, ...]:
    """Other words for a song, from the sources after the one that brought these: for a song whose
    sound does not bear them out. A person's own words are not doubted so."""
    found = sources(config)
    after = [source.name for source in found]
    if lyrics.source not in after:
        return ()
    try:
        chosen = choose(track, found[after.index(lyrics.source) + 1 :])
    except (LyricsNotFound, SourceError):
        return ()
    plain = _plain(lyrics)
    return tuple(other for other in (chosen.lyrics, *chosen.others) if _plain(other) != plain)


def fetch_lyrics(
    artist: str | None = None,
    title: str | None = None,
    album: str | None = None,
    duration: float | None = None,
    config: Config | None = None,
) -> Lyrics:
    """Look up the words of a song by its names, without a file.

    Parameters
    ----------
    artist, title, album : str, optional
        As the sources are to know them.
    duration : float, optional
        Seconds. With it, times come only from an entry of the same length.
    config : Config, optional
        Which sources are asked, and where; by default the user's settings
        (`lyricsyncd.config.schema.load`).

    Returns
    -------
    Lyrics
        Its ``words`` are all words in order, its ``lines`` the same by lines; both with times where
        the source has them.

    Raises
    ------
    LyricsNotFound
        Every source was asked, and none has the words.
    SourceError
        A source that may have them could not be asked, and no other has them.

    Examples
    --------
    >>> lyrics = fetch_lyrics(artist="Radiohead", title="Creep")  # doctest: +SKIP
    >>> lyrics.words[0].text  # doctest: +SKIP
    'When'
    """
    from lyricsyncd.config.schema import load

    track = Track(
        artist=artist,
        artists=(artist,) if artist else (),
        title=title,
        album=album,
        duration=duration,
    )
    return find_lyrics(track, load() if config is None else config).lyrics


def load_lyrics_file(path: str | Path) -> Lyrics:
    """The words in a file of any format we know; a .txt may hold LRC.

    Raises
    ------
    UsageError
        There is no such file.
    LyricsNotFound
        It is empty.
    FormatError
        It is binary, larger than 1 MiB, or not what its suffix says.
    """
    from lyricsyncd.lyrics import files

    return files.load(Path(path))


def sources(config: Config) -> tuple[Source, ...]:
    """Open the sources of a configuration, each once: they keep connections and a pace."""
    return _opened(config.lyrics, json.dumps(config.plugins, default=str))


@functools.lru_cache(maxsize=4)
def _opened(lyrics: LyricsSources, plugins: str) -> tuple[Source, ...]:
    settings = json.loads(plugins)
    found: list[Source] = []
    for name in dict.fromkeys(lyrics.order):
        try:
            if name != TRANSCRIPT:
                context = SourceContext(lyrics, settings.get(name, {}))
                found.append(registry.sources.open(name, context))
        except (SourceError, ModelError) as error:
            _log.warning("%s", error)
    return tuple(found)


def forget_plugins() -> None:
    """Open the sources anew when they are next needed."""
    _opened.cache_clear()


def choose(track: Track, sources: Sequence[Source]) -> Found:
    """The words of a song from these sources, asked in their order; raises as `find_lyrics`."""
    why: list[str] = []
    failures: list[SourceError] = []
    last_resort: Candidate | None = None
    for source in sources:
        try:
            candidates = source.find(track)
        except SourceError as error:
            _log_once(source.name, error)
            failures.append(error)
            why.append(f"{source.name}: {error.message}")
            continue
        except LyricsyncError:
            raise
        except Exception as error:  # noqa: BLE001 - told as what it is, a bug
            # It costs this source, not the song; and it is no answer of the source's.
            _log.exception("%s: a bug", source.name)
            bug = SourceError(f"{source.name} could not be asked, by a bug: {error!r}")
            failures.append(bug)
            why.append(bug.message)
            continue
        _failing.discard(source.name)
        ranked = _ranked([candidate for candidate in candidates if not candidate.ours])
        if ranked:
            best = ranked[0]
            told = [f"chosen: {best}", *why, *_told(source, candidates, best)]
            return _found(best, told, failures, _others(ranked))
        why += _told(source, candidates, None)
        last_resort = last_resort or next(iter(_ranked(candidates)), None)
    if last_resort is not None:
        return _found(last_resort, [f"chosen, for want of others: {last_resort}", *why], failures)
    if failures:
        raise _gravest(failures)
    detail = "; ".join(why) or "no source is configured"
    raise LyricsNotFound(
        f"No lyrics for {track.name} ({detail})",
        remedy="Put them beside the song as a .txt, or correct its tags",
    )


_failing: set[str] = set()
"""Sources whose failing has been logged, until they answer again."""


def _log_once(name: str, error: SourceError) -> None:
    """A line in the log for a source that begins to fail, and not one for each song.

    No warning: who asked is told, by the error or by `Found`, and need not be told twice.
    """
    # Of a host the service tells by itself, and when it is back.
    level = logging.DEBUG if name in _failing or error.host is not None else logging.INFO
    _failing.add(name)
    _log.log(level, "%s: %s", name, error.message)


def _gravest(failures: Sequence[SourceError]) -> SourceError:
    """The failure to tell: one that time mends, if there is one."""
    return next((error for error in failures if error.transient), failures[0])


def _found(
    chosen: Candidate,
    why: Sequence[str],
    failures: Sequence[SourceError],
    others: Sequence[Lyrics] = (),
) -> Found:
    return Found(
        chosen.lyrics,
        chosen.source,
        chosen.id,
        chosen.score,
        tuple(why),
        tuple(error.message for error in failures),
        chosen.ours,
        tuple(others),
    )


def _ranked(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that are believed to be the song's: the surest match first; among sure ones the finest
    timing, then the source's own order."""
    from lyricsyncd.text.match import ACCEPTED, SURE

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
    return sorted(sung or usable, key=rank, reverse=True)


def _others(ranked: Sequence[Candidate]) -> list[Lyrics]:
    """The runners-up with other words than those before them. A person's own words have none."""
    if ranked[0].source in ("sidecar", "tag"):
        return []
    seen = {_plain(ranked[0].lyrics)}
    others: list[Lyrics] = []
    for candidate in ranked[1:]:
        plain = _plain(candidate.lyrics)
        if plain and plain not in seen and len(others) < _MOST_OTHERS:
            seen.add(plain)
            others.append(candidate.lyrics)
    return others


def _plain(lyrics: Lyrics) -> str:
    """The words alone: spelling and line breaks make no other version."""
    return "".join(character for character in lyrics.text.casefold() if character.isalnum())


def _told(source: Source, candidates: Sequence[Candidate], chosen: Candidate | None) -> list[str]:
    """One line for each candidate that was not taken, or one that there were none."""
    others = [candidate for candidate in candidates if candidate is not chosen]
    if not candidates:
        return [f"{source.name}: {source.idle or 'nothing'}"]
    told = [
        f"{'ours' if candidate.ours else 'not taken'}: {candidate}"
        for candidate in sorted(others, key=lambda candidate: -candidate.score)[:_MOST_REASONS]
    ]
    if len(others) > _MOST_REASONS:
        told.append(f"{source.name}: {len(others) - _MOST_REASONS} others")
    return told
