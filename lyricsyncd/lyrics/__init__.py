"""Where words come from. (Scaffold until the chooser is in place.)"""

from __future__ import annotations

from dataclasses import dataclass

from lyricsyncd.config import Config
from lyricsyncd.errors import LyricsNotFound
from lyricsyncd.lyrics.files import load as load_lyrics_file
from lyricsyncd.lyrics.local import LocalSource
from lyricsyncd.model import Lyrics, Track

__all__ = ["Found", "find_lyrics", "load_lyrics_file"]


@dataclass(frozen=True)
class Found:
    lyrics: Lyrics
    source: str
    why: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def find_lyrics(track: Track, config: Config) -> Found:
    for c in LocalSource().find(track):
        return Found(c.lyrics, c.source)
    raise LyricsNotFound("no words")
