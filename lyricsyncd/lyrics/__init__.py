"""Lyrics of songs: looked up in the configured sources, the cheapest source first.

>>> from lyricsyncd.lyrics import fetch_lyrics
>>> fetch_lyrics(artist="Nina Simone", title="Sinnerman")  # doctest: +SKIP
"""

from lyricsyncd.lyrics.choice import Found, choose
from lyricsyncd.lyrics.lookup import (
    all_offline,
    fetch_lyrics,
    find_lyrics,
    find_offline,
    find_own,
    later,
    load_lyrics_file,
    others_than,
    sung_after_all,
)
from lyricsyncd.lyrics.opened import TRANSCRIPT, forget_plugins

__all__ = [
    "TRANSCRIPT",
    "Found",
    "all_offline",
    "choose",
    "fetch_lyrics",
    "find_lyrics",
    "find_offline",
    "find_own",
    "forget_plugins",
    "later",
    "load_lyrics_file",
    "others_than",
    "sung_after_all",
]
