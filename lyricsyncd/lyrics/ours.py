"""Recognise the lyrics that lyricsyncd wrote: these are taken as they are."""

from __future__ import annotations

from lyricsyncd.lyrics.base import is_ours
from lyricsyncd.lyrics.sung import sung_part
from lyricsyncd.model import Lyrics, Track
from lyricsyncd.text import words


def unedited(lyrics: Lyrics, data: bytes) -> bool:
    """Check whether lyricsyncd wrote the lyrics, unchanged since: an edit makes them the user's."""
    from lyricsyncd.tags import made_by_us

    return is_ours(lyrics) and made_by_us(data)


def reduced(lyrics: Lyrics, track: Track | None, *, ours: bool) -> Lyrics:
    """Reduce lyrics to what is sung, but for those that we wrote ourselves.

    Parameters
    ----------
    track : Track or None
        The song, whose names may stand above its words; ``None``: the lyrics stay whole.
    """
    if track is None:
        return lyrics
    return words.without_blanks(lyrics) if ours else sung_part(lyrics, track)
