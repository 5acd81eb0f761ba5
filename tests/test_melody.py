"""Songs for karaoke games: pitches, beats, and the file."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import numpy.typing as npt
import pytest

from lyricsyncd import formats
from lyricsyncd.align import melody
from lyricsyncd.align.melody import Beats
from lyricsyncd.formats.ultrastar import Ultrastar
from lyricsyncd.model import Line, Lyrics, Syllable, Word

SR = 16_000
SONG = Lyrics(
    (
        Line((Word("Code", 2.02, 2.5), Word("mon", 2.51, 3.1)), 2.02, 3.1),
        Line(
            (
                Word(
                    "key,",
                    4.0,
                    4.9,
                    syllables=(Syllable("ke", 4.0, 4.4), Syllable("y,", 4.4, 4.9)),
                ),
            ),
            4.0,
            4.9,
        ),
    ),
    "en",
    metadata={"title": "Code", "artist": "Ann"},
)


class TestTheGrid:
    def test_is_the_beats_or_a_power_of_two_finer(self) -> None:
        assert Beats(120.0, 0.3).grid(latest=2.02).bpm == 480.0
        assert Beats(100.0, 0.3).grid(latest=2.02).bpm == 400.0
        assert Beats(600.0, 0.3).grid(latest=2.02).bpm == 300.0

    def test_begins_on_the_last_beat_before_the_words(self) -> None:
        assert Beats(120.0, 0.3).grid(latest=2.02).first == pytest.approx(1.8)
        assert Beats(120.0, 0.3).grid(latest=0.1).first == pytest.approx(0.1)


class TestTheFile:
    def written(self) -> str:
        headers = (("MP3", "song.mp3"), ("VOCALS", "song.vocals.flac"))
        writer = Ultrastar(bpm=480.0, gap=1.8, pitches=(5, 7, -3, 12), headers=headers)
        return writer.write(SONG)

    def test_is_as_the_format_of_the_games_has_it(self) -> None:
        rows = self.written().splitlines()
        body = next(at for at, row in enumerate(rows) if not row.startswith("#"))
        head = dict(row[1:].split(":", 1) for row in rows[:body])
        assert rows[0] == "#VERSION:1.1.0"
        assert {"TITLE", "ARTIST", "MP3", "BPM", "GAP"} <= set(head)
        assert rows[-1] == "E"
        assert all(re.fullmatch(r": \d+ [1-9]\d* -?\d+ \S.*|- \d+", row) for row in rows[body:-1])
        beats = [int(row.split()[1]) for row in rows[body:-1]]
        assert beats == sorted(beats)

    def test_has_the_pitch_of_each_note_and_counts_from_the_gap(self) -> None:
        notes = [row for row in self.written().splitlines() if row.startswith(":")]
        assert notes[0] == ": 7 15 5 Code "
        assert [row.split()[3] for row in notes] == ["5", "7", "-3", "12"]

    def test_is_read_with_times_on_the_grid(self) -> None:
        found = formats.read(self.written().encode(), "ultrastar").words
        starts = [part.start for word in found for part in word.syllables or (word,)]
        assert starts == pytest.approx([2.02, 2.51, 4.0, 4.4], abs=0.5 * 15 / 480 + 1e-3)

    def test_lists_its_notes_for_their_pitches(self) -> None:
        notes = Ultrastar(bpm=480.0, gap=1.8).notes(SONG)
        assert len(notes) == 4
        assert notes[2] == pytest.approx((4.0, 4.4), abs=0.02)

    def test_has_no_pitches_that_are_those_of_other_notes(self) -> None:
        text = dataclasses.replace(Ultrastar(), pitches=(1, 2)).write(SONG)
        assert [row.split()[3] for row in text.splitlines() if row[0] == ":"] == ["0"] * 4


def tones(*hertz: float) -> npt.NDArray[np.float32]:
    """A second of each pitch, 0 for silence, with a few harmonics."""
    clock = np.arange(SR) / SR
    parts = [
        sum(np.sin(2 * np.pi * k * pitch * clock) / k for k in (1, 2, 3)) * (pitch > 0)
        for pitch in hertz
    ]
    return np.asarray(0.2 * np.concatenate(parts), np.float32)


class TestPitches:
    def test_are_semitones_above_middle_c(self) -> None:
        pytest.importorskip("librosa", reason="the extra `karaoke` is not installed")
        vocals = tones(261.63, 329.63, 0.0, 196.0)
        notes = [(0.0, 0.9), (1.1, 1.9), (2.2, 2.8), (3.1, 3.9)]
        assert melody.pitches(vocals, SR, notes) == (0, 4, 4, -5)

    def test_of_silence_are_none_at_all(self) -> None:
        assert melody._filled(np.array([np.nan, np.nan])).tolist() == [0.0, 0.0]
        assert melody._filled(np.array([np.nan, 2.0, np.nan])).tolist() == [2.0, 2.0, 2.0]


class TestBeats:
    def test_are_those_of_a_click_track(self) -> None:
        pytest.importorskip("librosa", reason="the extra `karaoke` is not installed")
        sr, period = 22_050, 0.5
        random = np.random.default_rng(3)
        clicks = (1e-3 * random.standard_normal(sr * 20)).astype(np.float32)
        for at in np.arange(0.2, 19.9, period):
            start = round(at * sr)
            clicks[start : start + 400] += np.sin(np.arange(400) * 0.3) * np.hanning(400)
        found = melody.beats(clicks, sr)
        assert found is not None
        assert found.bpm == pytest.approx(120.0, abs=1.0)
        off = (found.first - 0.2 + period / 2) % period - period / 2
        assert abs(off) < 0.05

    def test_are_none_in_silence(self) -> None:
        pytest.importorskip("librosa", reason="the extra `karaoke` is not installed")
        assert melody.beats(np.zeros(22_050 * 5, np.float32), 22_050) is None
