"""How well the pitches of notes are found, against the notes of karaoke songs (extra `karaoke`).

    python -m benchmarks.pitch DIR [--json]

The folder is laid out as `lyricsyncd.judging.references` says; of songs with a
``NAME.syllables.csv`` (start, end, pitch …: a row a note) the pitch of every note is found on the
separated vocals at the time that the song has it. It prints the share of notes that are right
within a semitone, octave aside: games do not tell octaves apart, as men and women sing the same
songs.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from lyricsyncd.align import melody
from lyricsyncd.judging import references
from lyricsyncd.separate import VocalSeparator


@dataclass(frozen=True)
class Measured:
    """One song; the share is 0-1."""

    song: str
    notes: int
    within_semitone: float


def measure(song: Path, separator: VocalSeparator) -> Measured:
    """Find the pitches of a song, and compare them."""
    with song.with_suffix(".syllables.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["pitch"]]
    notes = [(float(row["start"]), float(row["end"])) for row in rows]
    vocals, sr = separator.extract_vocals(song)
    found = np.array(melody.pitches(vocals, sr, notes))
    off = (found - np.array([int(row["pitch"]) for row in rows]) + 6) % 12 - 6
    return Measured(song.stem, len(notes), float(np.mean(np.abs(off) <= 1)))


def table(measured: Sequence[Measured]) -> str:
    """Format the shares, a song a line, and their mean over songs."""
    lines = [
        f"{row.song[:40]:40s} {row.notes:5d} {100 * row.within_semitone:6.1f}" for row in measured
    ]
    mean = np.mean([row.within_semitone for row in measured])
    return "\n".join([*lines, f"{'mean over songs':40s} {'':5s} {100 * mean:6.1f}"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="every song, as JSON")
    options = parser.parse_args()
    songs = [
        song
        for song in references.find(options.folder)
        if song.with_suffix(".syllables.csv").exists()
    ]
    if not songs:
        parser.error(f"no songs with .syllables.csv in {options.folder}")
    separator = VocalSeparator("auto")
    measured = [measure(song, separator) for song in songs]
    print(json.dumps([asdict(row) for row in measured]) if options.json else table(measured))


if __name__ == "__main__":
    main()
