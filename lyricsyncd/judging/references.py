"""Songs with human timings: what calibrations are fitted to, and benchmarks measure against.

A folder has, for each song, ``NAME.mp3|ogg|flac|…``, ``NAME.txt`` (one lyric line per line),
``NAME.words.csv`` (``word_start,word_end,line_end``; one row per whitespace-separated word of the
text, in order), ``NAME.lines.csv`` (``start_time,end_time,lyrics_line``) and ``NAME.json`` with the
``language``.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lyricsyncd.align.emissions import SAMPLE_RATE
from lyricsyncd.model import Line, Lyrics
from lyricsyncd.separate import VocalSeparator
from lyricsyncd.separate.observation import observed

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]

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
    """List the audio files of a folder that have word timings."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix in SUFFIXES and path.with_suffix(".words.csv").exists()
    )


def language(song: Path) -> str | None:
    """Return the ISO 639-1 code of a song's language, where its name is a known one."""
    about = json.loads(song.with_suffix(".json").read_text(encoding="utf-8"))
    return LANGUAGES.get(about["language"])


def lyrics(song: Path, *, line_times: bool) -> Lyrics:
    """Read the words, plain or with the true start of every line."""
    text = song.with_suffix(".txt").read_text(encoding="utf-8")
    plain = Lyrics.from_text(text, source="file", language=language(song))
    if not line_times:
        return plain
    starts = line_starts(song)
    return plain.with_lines(
        Line(line.words, start) for line, start in zip(plain.lines, starts, strict=True)
    )


def line_starts(song: Path) -> list[float]:
    """Read the true starts of the lines, in seconds."""
    with song.with_suffix(".lines.csv").open(encoding="utf-8", newline="") as file:
        return [float(row["start_time"]) for row in csv.DictReader(file)]


def word_times(song: Path) -> list[tuple[float, float]]:
    """Read the true start and end of every word, in seconds."""
    with song.with_suffix(".words.csv").open(encoding="utf-8", newline="") as file:
        return [(float(row["word_start"]), float(row["word_end"])) for row in csv.DictReader(file)]


@dataclass(frozen=True)
class Recording:
    """A song with its audio, words and true times.

    Attributes
    ----------
    vocals, mix : ndarray of float32, shape (n,)
        Mono at 16 kHz.
    starts : list of float
        True seconds of line starts.
    onsets, ends : ndarray of float64, shape (N,)
        True seconds of words.
    """

    name: str
    vocals: FloatArray
    mix: FloatArray
    lines: list[list[str]]
    language: str | None
    starts: list[float]
    onsets: DoubleArray
    ends: DoubleArray

    @cached_property
    def observed(self) -> FloatArray:
        """Vocals with their holes filled, on which words are placed, shape (n,)."""
        return observed(self.vocals, self.mix, SAMPLE_RATE)

    @classmethod
    def read(cls, path: Path, separator: VocalSeparator, cache: Path | None) -> Recording:
        """Read a song; its stems are stored in ``cache`` so that a second run is quick."""
        vocals, mix = _stems(path, separator, cache)
        times = np.array(word_times(path))
        text = lyrics(path, line_times=False)
        return cls(
            name=path.stem,
            vocals=vocals,
            mix=mix,
            lines=[[word.text for word in line.words] for line in text],
            language=language(path),
            starts=line_starts(path),
            onsets=times[:, 0],
            ends=times[:, 1],
        )

    def with_lines(self, numbers: Iterable[int]) -> Recording:
        """Return the same audio, with some lines of the words."""
        chosen = list(numbers)
        words = [w for i in chosen for w in range(*self._words_of(i))]
        return replace(
            self,
            lines=[self.lines[i] for i in chosen],
            starts=[self.starts[i] for i in chosen],
            onsets=self.onsets[words],
            ends=self.ends[words],
        )

    def part(self, start: float, end: float) -> Recording:
        """Return some seconds of the song, with the lines that are entirely within them."""
        edges = [self._words_of(i) for i in range(len(self.lines))]
        inside = [
            i
            for i, (first, after) in enumerate(edges)
            if first < after and self.onsets[first] >= start and self.ends[after - 1] <= end
        ]
        cut = slice(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE))
        whole = self.with_lines(inside)
        return replace(
            whole,
            vocals=self.vocals[cut],
            mix=self.mix[cut],
            starts=[s - start for s in whole.starts],
            onsets=whole.onsets - start,
            ends=whole.ends - start,
        )

    def _words_of(self, line: int) -> tuple[int, int]:
        """Return the number of a line's first word, and of the one after its last."""
        first = sum(len(words) for words in self.lines[:line])
        return first, first + len(self.lines[line])


def read_all(
    folder: Path, cache: Path | None = None, separator: VocalSeparator | None = None
) -> list[Recording]:
    """Read all songs of a folder, their vocals separated (by Spleeter where omitted)."""
    separator = separator or VocalSeparator("spleeter")
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
    return [Recording.read(path, separator, cache) for path in find(folder)]


def _stems(
    path: Path, separator: VocalSeparator, cache: Path | None
) -> tuple[FloatArray, FloatArray]:
    stored = cache / f"{path.stem}.npz" if cache is not None else None
    if stored is not None and stored.exists():
        with np.load(stored) as arrays:
            return arrays["vocals"], arrays["mix"]
    stem = separator.extract(path)
    if stored is not None:
        np.savez(stored, vocals=stem.vocals, mix=stem.mix)
    return stem.vocals, stem.mix
