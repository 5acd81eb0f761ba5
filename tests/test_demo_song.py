"""The demo song is what its rules give, and its truth holds for the file as people decode it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from demo import make_song, score, singer
from demo.speech import Phone, SpokenWord, speak

SONGS = Path(make_song.SONGS_DIR)


@pytest.fixture(scope="module")
def short_song() -> make_song.Performance:
    """The shorter of the two songs, made anew."""
    return make_song.perform(score.AU_CLAIR_DE_LA_LUNE)


@pytest.mark.slow
def test_the_committed_song_is_what_the_rules_give(short_song: make_song.Performance) -> None:
    assert make_song.faults(short_song, SONGS) == []


def test_a_song_moved_against_its_truth_is_found_out(
    short_song: make_song.Performance, tmp_path: Path
) -> None:
    late = make_song.Performance(
        short_song.song,
        short_song.vocals,
        np.roll(short_song.mix, 441, axis=1),
        short_song.words,
    )
    make_song.encode(late, tmp_path / f"{late.song.name}.mp3")
    for suffix, text in make_song.papers(short_song).items():
        (tmp_path / f"{late.song.name}{suffix}").write_text(text, encoding="utf-8")
    assert any(
        "samples beside the truth" in fault for fault in make_song.faults(short_song, tmp_path)
    )


def test_missing_files_are_named(short_song: make_song.Performance, tmp_path: Path) -> None:
    assert "Au_clair_de_la_lune.mp3 is missing" in make_song.faults(short_song, tmp_path)


def test_the_voice_is_silent_before_the_first_word_and_in_no_word_after(
    short_song: make_song.Performance,
) -> None:
    voice = short_song.vocals.mean(0)
    first = short_song.words[0]
    assert np.abs(voice[: int((first.start - 0.005) * make_song.RATE)]).max() < 1e-3
    for word in short_song.words:
        inside = voice[int(word.start * make_song.RATE) : int(word.end * make_song.RATE)]
        assert np.sqrt(np.mean(inside**2)) > 0.02, word


@pytest.mark.parametrize("song", score.SONGS, ids=lambda song: song.name)
def test_the_truth_is_well_formed(song: score.Song) -> None:
    lyrics = (SONGS / f"{song.name}.txt").read_text(encoding="utf-8")
    words = list(csv.DictReader((SONGS / f"{song.name}.words.csv").open(encoding="utf-8")))
    lines = list(csv.DictReader((SONGS / f"{song.name}.lines.csv").open(encoding="utf-8")))
    about = json.loads((SONGS / f"{song.name}.json").read_text(encoding="utf-8"))

    assert [line["lyrics_line"] for line in lines] == lyrics.splitlines()
    assert len(words) == len(lyrics.split())
    times = [float(row[key]) for row in words for key in ("word_start", "word_end")]
    assert times == sorted(times)
    ends = [float(row["line_end"]) for row in words if row["line_end"] != "nan"]
    assert ends == [float(line["end_time"]) for line in lines]
    assert about["license"] == "CC0-1.0"


@pytest.mark.parametrize("song", score.SONGS, ids=lambda song: song.name)
def test_the_file_is_small_and_tagged(song: score.Song) -> None:
    import mutagen

    path = SONGS / f"{song.name}.mp3"
    tags = mutagen.File(path, easy=True)
    assert (tags["artist"], tags["title"]) == ([song.artist], [song.title])
    assert path.stat().st_size <= 600_000


def test_a_word_knows_its_sounds() -> None:
    word = speak("en-us", ["star,"])[0]
    assert [phone.vowel for phone in word.phones] == [False, False, True]
    assert word.phones[0].start == 0
    assert word.phones[-1].end == word.audio.size


def test_vowels_begin_on_their_notes_and_the_word_ends_when_reported() -> None:
    word = speak("en-us", ["little"])[0]
    notes = (singer.Note(2.0, 2.5, 200.0), singer.Note(2.5, 3.0, 250.0))
    sung = singer.sing(word, notes, until=2.9, seed=0)
    assert sung.start == pytest.approx(2.0 - singer.onset_length(word))
    assert sung.end == pytest.approx(2.9)
    assert sung.audio.size / sung.sample_rate == pytest.approx(sung.end - sung.start, abs=1e-3)


def test_a_note_sounds_at_its_pitch() -> None:
    word = speak("en-us", ["ah"])[0]
    sung = singer.sing(word, (singer.Note(0.0, 0.6, 220.0),), until=0.6, seed=0)
    spectrum = np.abs(np.fft.rfft(sung.audio, 1 << 17))
    loudest = np.fft.rfftfreq(1 << 17, 1 / sung.sample_rate)[np.argmax(spectrum)]
    assert loudest / 220 == pytest.approx(round(loudest / 220), abs=0.03)


def test_a_word_with_more_vowels_than_notes_is_refused() -> None:
    audio = np.zeros(1000, np.float32)
    word = SpokenWord("aa", audio, 22050, (Phone("a", 0, 500), Phone("a", 500, 1000)), 0.0)
    with pytest.raises(ValueError, match="2 vowels for 1 notes"):
        singer.sing(word, (singer.Note(0.0, 1.0, 200.0),), until=1.0, seed=0)
