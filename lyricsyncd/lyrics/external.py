"""Parse lyrics of websites and databases, and drop times that cannot be the song's."""

from __future__ import annotations

import dataclasses

from lyricsyncd import formats
from lyricsyncd.errors import FormatError
from lyricsyncd.lyrics import sung, times
from lyricsyncd.model import Lyrics, Track

MAX_CHARACTERS = 300_000
"""Longest text accepted, with a time for each word; that of a song has less than a tenth of it."""


def from_timed(text: str, track: Track, *, form: str = "lrc", same_times: bool) -> Lyrics:
    """Parse lyrics in a timed format.

    Parameters
    ----------
    form
        The format's name: ``lrc``, ``lyricsfile``.
    same_times
        Whether they are of a recording with the same times as the song.

    Raises
    ------
    FormatError
        The text is not of that format, or longer than any song's.
    """
    if len(text) > MAX_CHARACTERS:
        raise FormatError(f"{len(text)} characters are more than a song has")
    lyrics = sung.sung_part(formats.read(text.encode("utf-8", "replace"), form), track)
    if same_times and times.believable(lyrics, track.duration):
        return lyrics
    return lyrics.without_times()


def from_plain(text: str, track: Track) -> Lyrics:
    """Parse the text of a web page; empty lyrics where it is longer than any song's."""
    if len(text) > MAX_CHARACTERS:
        return Lyrics()
    return sung.from_plain(text, track)


def from_text(text: str, track: Track, *, same_times: bool) -> Lyrics:
    """Parse text that may be LRC or plain."""
    if formats.guess(text.encode("utf-8", "replace")) in ("lrc", "lrc_standard"):
        try:
            return from_timed(text, track, same_times=same_times)
        except FormatError:
            pass
    return from_plain(text, track)


def of_other_version(lyrics: Lyrics) -> Lyrics:
    """Return the words of another version of a song as plain ones: its times are no help, and that
    nobody sings in it says nothing of this one."""
    return dataclasses.replace(lyrics.without_times(), instrumental=False)


def named(lyrics: Lyrics, source: str, identity: str | None, **names: str | None) -> Lyrics:
    """Add the source and its names for the song to lyrics."""
    metadata = {key: value for key, value in names.items() if value}
    return dataclasses.replace(lyrics, source=source, source_id=identity, metadata=metadata)
