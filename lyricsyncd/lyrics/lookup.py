"""Look up the lyrics of a song in the configured sources, in their order."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from lyricsyncd.errors import LyricsNotFound, NotASong, SourceError
from lyricsyncd.identify.kinds import Kind
from lyricsyncd.lyrics import opened
from lyricsyncd.lyrics.base import is_offline
from lyricsyncd.lyrics.choice import Found, choose, chosen_of, ranked
from lyricsyncd.model import Lyrics, Timing, Track
from lyricsyncd.text.words import letters

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config
    from lyricsyncd.identify.kinds import Unsung
    from lyricsyncd.lyrics.base import Source


def find_lyrics(track: Track, config: Config, *, given: Lyrics | Path | None = None) -> Found:
    """Find the lyrics of a song in the configured sources.

    The search ends at the first source that has lyrics of the song. A file that lyricsyncd itself
    wrote is used only where no source has any, and then the words of another version of the song.

    Parameters
    ----------
    given
        Lyrics, or a file of them, supplied by the user: no source is searched.

    Raises
    ------
    LyricsNotFound
        Every source was searched, and none has the lyrics.
    SourceError
        A source that may have them could not be searched (`Unreachable`, `Refused`), and no other
        has them.
    """
    if given is not None:
        lyrics = given if isinstance(given, Lyrics) else load_lyrics_file(given)
        name = lyrics.source_id or "as text"
        return Found(lyrics, lyrics.source or "given", lyrics.source_id, 1.0, (f"given: {name}",))
    return choose(track, opened.sources(config), other_versions=True)


def find_own(track: Track, config: Config, unsung: Unsung) -> Found:
    """Find the user's own lyrics for a recording that is not taken for a song with words.

    No other source is searched. "Lyrics" in the tags of a podcast or an audiobook are notes about
    it, and are not used.

    Raises
    ------
    NotASong
        It is a podcast, an audiobook or the like, and there are none.
    """
    for source in opened.sources(config):
        if source.name != "local":
            continue
        best = ranked(
            [
                candidate
                for candidate in source.find(track)
                if not candidate.ours and not (unsung.spoken and candidate.source == "tag")
            ]
        )
        if best and best[0].lyrics.words and _can_be_placed(best[0].lyrics, unsung):
            return chosen_of(best[0], [f"chosen: {best[0]}"], ())
    if unsung.kind is Kind.INSTRUMENTAL:
        why = f"it is {unsung.reason}"
        return Found(Lyrics(instrumental=True, source="tags"), "tags", None, 1.0, (why,))
    raise NotASong(
        f"It is {unsung.reason}, so its words are not looked up",
        remedy="Split it into songs"
        if unsung.kind is Kind.LONG
        else "Put them beside it as a .txt to have them placed",
    )


def _can_be_placed(lyrics: Lyrics, unsung: Unsung) -> bool:
    """Return whether lyrics can be used: a recording that is too long to be decoded needs a time
    for each word already."""
    return unsung.kind is not Kind.LONG or lyrics.timing is Timing.WORD


def find_offline(track: Track, config: Config) -> Found | None:
    """Find lyrics without the network, if no source that needs it comes first in the order.

    Returns
    -------
    Found or None
        ``None`` where a source that needs the network is to be searched before.
    """
    first = list(itertools.takewhile(is_offline, opened.sources(config)))
    try:
        found = choose(track, first)
    except (LyricsNotFound, SourceError):
        return None
    # Lyrics of our own are the last resort, after all sources.
    return None if found.ours else found


def all_offline(config: Config) -> bool:
    """Return whether no source needs the network."""
    return all(map(is_offline, opened.sources(config)))


def later(track: Track, config: Config, lyrics: Lyrics) -> tuple[Lyrics, ...]:
    """Find other lyrics of a song, in the sources after the one that these are from.

    Used where the audio does not match ``lyrics``. The user's own lyrics are not replaced so.
    """
    found = opened.sources(config)
    order = [source.name for source in found]
    if lyrics.source not in order:
        return ()
    try:
        chosen = choose(track, found[order.index(lyrics.source) + 1 :])
    except (LyricsNotFound, SourceError):
        return ()
    known = letters(lyrics.text)
    return tuple(o for o in (chosen.lyrics, *chosen.others) if letters(o.text) != known)


def others_than(config: Config, source: str) -> tuple[Source, ...]:
    """Return the sources after the one that lyrics are from: all that need the network where they
    are the user's own."""
    found = opened.sources(config)
    names = [each.name for each in found]
    if source in names:
        return found[names.index(source) + 1 :]
    return tuple(each for each in found if each.name != "local")


def sung_after_all(track: Track, config: Config, source: str) -> Found | None:
    """Find words of a song that a source calls an instrumental in the others; ``None`` where none
    has any, or could be asked."""
    try:
        found = choose(track, others_than(config, source))
    except (LyricsNotFound, SourceError):
        return None
    return found if found.lyrics.words else None


def fetch_lyrics(
    artist: str | None = None,
    title: str | None = None,
    album: str | None = None,
    duration: float | None = None,
    config: Config | None = None,
) -> Lyrics:
    """Look up the lyrics of a song by its names, without a file.

    Parameters
    ----------
    artist, title, album : str, optional
        The names to search by.
    duration : float, optional
        Seconds. With it, times come only from an entry of the same length.
    config : Config, optional
        The sources to search and their addresses; by default the user's settings
        (`lyricsyncd.config.reader.load`).

    Returns
    -------
    Lyrics
        Its ``words`` are all words in order, its ``lines`` the same by lines; both with times where
        the source has them.

    Raises
    ------
    LyricsNotFound
        Every source was searched, and none has the lyrics.
    SourceError
        A source that may have them could not be searched, and no other has them.

    Examples
    --------
    >>> lyrics = fetch_lyrics(artist="Radiohead", title="Creep")  # doctest: +SKIP
    >>> lyrics.words[0].text  # doctest: +SKIP
    'When'
    """
    from lyricsyncd.config.reader import load

    track = Track(
        artist=artist,
        artists=(artist,) if artist else (),
        title=title,
        album=album,
        duration=duration,
    )
    return find_lyrics(track, load() if config is None else config).lyrics


def load_lyrics_file(path: str | Path) -> Lyrics:
    """Read a file of lyrics of any supported format; a .txt may hold LRC.

    Raises
    ------
    UsageError
        There is no such file.
    LyricsNotFound
        It is empty.
    FormatError
        It is binary, larger than 1 MiB, or not of the format that its suffix names.
    """
    from lyricsyncd.lyrics import files

    return files.load(Path(path))
