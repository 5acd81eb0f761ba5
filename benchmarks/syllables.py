"""How well syllables and ends of words are placed, against the notes of karaoke songs.

    python -m benchmarks.syllables DIR [--jobs N] [--json]

The folder is laid out as `lyricsyncd.judging.references` says; songs with a ``NAME.syllables.csv``
(start, end, pitch, text, word, line: a row a note) have syllables to compare with. Every song is
placed from its plain words. Of the words that are right (within 0.3 s), it prints:

- the share of notes behind a word's first that a syllable begins within 0.15 and 0.1 s of, once of
  all words with several notes, and once of those that have as many syllables as notes. Notes that
  only hold a syllable (``~``, punctuation) do not count;
- the median error of word ends, and the share within 0.3 s: of all words, and of those behind which
  the singer pauses for half a second or more.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from lyricsyncd.judging import references
from lyricsyncd.model import Word
from lyricsyncd.pipeline.pipeline import LyricSyncPipeline

RIGHT_S = 0.3
PAUSE_S = 0.5


@dataclass(frozen=True)
class Measured:
    """One song; errors are signed seconds, late is positive."""

    song: str
    right: float
    """Share of words that start within 0.3 s."""
    syllables: tuple[float, ...]
    as_many: tuple[bool, ...]
    """Of each of those errors, whether its word has as many syllables as notes."""
    ends: tuple[float, ...]
    pauses: tuple[bool, ...]
    """Of each end, whether the singer pauses behind it."""


@dataclass(frozen=True)
class Note:
    """A note of a karaoke song."""

    start: float
    text: str

    @property
    def holds(self) -> bool:
        """Return whether it only holds the syllable before."""
        return not any(character.isalnum() for character in self.text)


def notes(song: Path) -> dict[int, list[Note]]:
    """Read the notes of each word of a song; none without a ``.syllables.csv``."""
    found: dict[int, list[Note]] = defaultdict(list)
    path = song.with_suffix(".syllables.csv")
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found[int(row["word"])].append(Note(float(row["start"]), row["text"]))
    return found


def measure(song: Path) -> Measured:
    """Place a song and compare it with its notes."""
    lyrics = references.lyrics(song, line_times=False)
    words = LyricSyncPipeline().sync(song, lyrics=lyrics).lyrics.words
    truth = np.array(references.word_times(song))
    starts = np.array([word.start for word in words], np.float64)
    right = np.abs(starts - truth[:, 0]) <= RIGHT_S
    of_song = notes(song)
    errors = [
        (error, as_many)
        for number in np.flatnonzero(right)
        for error, as_many in _errors(words[number], of_song.get(int(number), []))
    ]
    ends = np.array([word.end for word in words], np.float64) - truth[:, 1]
    pauses = np.append(truth[1:, 0], np.inf) - truth[:, 1] >= PAUSE_S
    return Measured(
        song.stem,
        float(right.mean()),
        tuple(error for error, _ in errors),
        tuple(as_many for _, as_many in errors),
        tuple(ends[right].tolist()),
        tuple(pauses[right].tolist()),
    )


def _errors(word: Word, of_word: Sequence[Note]) -> list[tuple[float, bool]]:
    """Return the errors of the notes behind the first of a word."""
    sung = [note for note in of_word if not note.holds]
    known = [part.start for part in word.syllables] or [word.start or 0.0]
    starts = np.array(known, np.float64)
    if len(starts) == len(sung):
        pairs = zip(starts[1:].tolist(), sung[1:], strict=True)
        return [(start - note.start, True) for start, note in pairs]
    nearest = (float(starts[np.abs(starts - note.start).argmin()]) for note in sung[1:])
    return [(start - note.start, False) for start, note in zip(nearest, sung[1:], strict=True)]


def _within(errors: Sequence[float], limit: float) -> float:
    return 100.0 * float(np.mean(np.abs(errors) <= limit)) if len(errors) else float("nan")


def _middle(errors: Sequence[float]) -> float:
    return float(np.median(np.abs(errors))) if len(errors) else float("nan")


def row(song: Measured) -> list[float]:
    """Return the figures of a song, in the order of the table."""
    as_many = [e for e, same in zip(song.syllables, song.as_many, strict=True) if same]
    pauses = [e for e, pause in zip(song.ends, song.pauses, strict=True) if pause]
    return [
        100.0 * song.right,
        len(song.syllables),
        _within(song.syllables, 0.15),
        len(as_many),
        _within(as_many, 0.15),
        _within(as_many, 0.1),
        _middle(song.ends),
        _within(song.ends, 0.3),
        len(pauses),
        _middle(pauses),
        _within(pauses, 0.3),
    ]


def table(measured: Sequence[Measured]) -> str:
    """Format the figures, a song a line, and their means over songs."""
    lines = [
        f"{'':40s} {'right':>5s} | {'notes':>5s} {'≤.15':>5s} | {'same':>5s} {'≤.15':>5s}"
        f" {'≤.1':>5s} | {'ends':>5s} {'≤.3':>5s} | {'rests':>5s} {'ends':>5s} {'≤.3':>5s}"
    ]
    rows = np.array([row(song) for song in measured])
    means = np.array([np.mean(c[~np.isnan(c)]) if (~np.isnan(c)).any() else np.nan for c in rows.T])
    names = [song.song for song in measured]
    for name, values in zip([*names, "mean over songs"], [*rows, means], strict=True):
        a, n, b, m, c, d, e, f, g, h, i = values
        lines.append(
            f"{name[:40]:40s} {a:5.1f} | {n:5.0f} {b:5.1f} | {m:5.0f} {c:5.1f} {d:5.1f}"
            f" | {e:5.3f} {f:5.1f} | {g:5.0f} {h:5.3f} {i:5.1f}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="every song, as JSON")
    options = parser.parse_args()
    songs = references.find(options.folder)
    if not songs:
        parser.error(f"no songs with .words.csv in {options.folder}")
    with ProcessPoolExecutor(options.jobs, get_context("spawn")) as pool:
        measured = list(pool.map(measure, songs))
    print(json.dumps([asdict(song) for song in measured]) if options.json else table(measured))


if __name__ == "__main__":
    main()
