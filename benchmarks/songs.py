"""A folder of songs with human timings: the layout every benchmark reads.

For each song: ``NAME.mp3|ogg|flac|…``, ``NAME.txt`` (a line a lyric line), ``NAME.words.csv``
(``word_start,word_end,line_end``; a row a whitespace-separated word of the text, in order),
``NAME.lines.csv`` (``start_time,end_time,lyrics_line``) and ``NAME.json`` with the ``language``.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

from lyricsyncd.model import Line, Lyrics

SUFFIXES = (".mp3", ".ogg", ".opus", ".flac", ".m4a", ".wav")
LANGUAGES = {
    "English": "en",
    "French": "fr",
    "German": "de",
    "Spanish": "es",
    "Italian": "it",
    "Portuguese": "pt",
    "Dutch": "nl",
}


def find(folder: Path) -> list[Path]:
    """The audio files of a folder that have word timings."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix in SUFFIXES and path.with_suffix(".words.csv").exists()
    )


def language(song: Path) -> str | None:
    """ISO 639-1 code of the song's language, where its name is a known one."""
    about = json.loads(song.with_suffix(".json").read_text(encoding="utf-8"))
    return LANGUAGES.get(about["language"])


def lyrics(song: Path, *, line_times: bool) -> Lyrics:
    """The words, plain or with the true start of every line."""
    text = song.with_suffix(".txt").read_text(encoding="utf-8")
    plain = Lyrics.from_text(text, source="file", language=language(song))
    if not line_times:
        return plain
    starts = line_starts(song)
    return plain.with_lines(
        Line(line.words, start) for line, start in zip(plain.lines, starts, strict=True)
    )


def line_starts(song: Path) -> list[float]:
    """Seconds, one a line."""
    with song.with_suffix(".lines.csv").open(encoding="utf-8", newline="") as file:
        return [float(row["start_time"]) for row in csv.DictReader(file)]


def word_times(song: Path) -> list[tuple[float, float]]:
    """Start and end of every word, in seconds."""
    with song.with_suffix(".words.csv").open(encoding="utf-8", newline="") as file:
        return [(float(row["word_start"]), float(row["word_end"])) for row in csv.DictReader(file)]
