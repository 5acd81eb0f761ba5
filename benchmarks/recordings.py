"""Songs with their audio and their human timings in memory, for benchmarks of single stages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import songs
from lyricsyncd.align.emissions import SAMPLE_RATE
from lyricsyncd.separate import VocalSeparator

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Recording:
    """What a folder knows of a song.

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

    @classmethod
    def read(cls, path: Path, separator: VocalSeparator, cache: Path | None) -> Recording:
        """A song of a folder; its stems are kept in ``cache`` so that a second run is quick."""
        vocals, mix = _stems(path, separator, cache)
        times = np.array(songs.word_times(path))
        lyrics = songs.lyrics(path, line_times=False)
        return cls(
            name=path.stem,
            vocals=vocals,
            mix=mix,
            lines=[[word.text for word in line.words] for line in lyrics],
            language=songs.language(path),
            starts=songs.line_starts(path),
            onsets=times[:, 0],
            ends=times[:, 1],
        )

    def with_lines(self, kept: Iterable[int]) -> Recording:
        """The same audio, with some lines of the words."""
        chosen = list(kept)
        words = [w for i in chosen for w in range(*self._words_of(i))]
        return replace(
            self,
            lines=[self.lines[i] for i in chosen],
            starts=[self.starts[i] for i in chosen],
            onsets=self.onsets[words],
            ends=self.ends[words],
        )

    def part(self, start: float, end: float) -> Recording:
        """Some seconds of the song, with the lines that lie within them whole."""
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
        """Number of a line's first word, and of the one after its last."""
        first = sum(len(words) for words in self.lines[:line])
        return first, first + len(self.lines[line])


def read_all(folder: Path, cache: Path | None = None) -> list[Recording]:
    """All songs of a folder, separated by Spleeter."""
    separator = VocalSeparator("spleeter")
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
    return [Recording.read(path, separator, cache) for path in songs.find(folder)]


def _stems(
    path: Path, separator: VocalSeparator, cache: Path | None
) -> tuple[FloatArray, FloatArray]:
    kept = cache / f"{path.stem}.npz" if cache is not None else None
    if kept is not None and kept.exists():
        with np.load(kept) as arrays:
            return arrays["vocals"], arrays["mix"]
    stem = separator.extract(path)
    if kept is not None:
        np.savez(kept, vocals=stem.vocals, mix=stem.mix)
    return stem.vocals, stem.mix
