"""Write lyrics beside and into songs: the only code that touches a user's files.

What a person made is not replaced, what we made can be undone, and a file is replaced atomically or
not at all.

>>> from lyricsyncd.tags import Journal, write_lyrics
>>> report = write_lyrics(song, lyrics, Output(), journal=Journal())  # doctest: +SKIP
>>> report.written  # doctest: +SKIP
(PosixPath('/music/song.lrc'), PosixPath('/music/song.elrc'))
"""

from __future__ import annotations

from lyricsyncd.tags.journal import Journal
from lyricsyncd.tags.moving import carry_sidecars, clean_sidecars, clear_after_crash
from lyricsyncd.tags.report import Note, UndoReport, WriteReport
from lyricsyncd.tags.stamp import verify as made_by_us
from lyricsyncd.tags.undoing import undo
from lyricsyncd.tags.writing import write_lyrics, write_sandboxed

__all__ = [
    "Journal",
    "Note",
    "UndoReport",
    "WriteReport",
    "carry_sidecars",
    "clean_sidecars",
    "clear_after_crash",
    "made_by_us",
    "undo",
    "write_lyrics",
    "write_sandboxed",
]
