"""Vocals that are quiet against the band, with the real Spleeter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.hard import sources, with_vocals, write_wave
from lyricsyncd import Lyrics, LyricSyncPipeline, SyncResult
from lyricsyncd.config.schema import Config
from lyricsyncd.pipeline import placer
from lyricsyncd.pipeline.placer import DOUBTFUL
from lyricsyncd.separate import Stem, VocalSeparator
from lyricsyncd.separate import raised as raised_vocals
from tests.test_separate_model import SONGS, models_dir
from tests.test_words_of_others import LAMB

__all__ = ["models_dir"]  # a fixture

OTHER = ("Baa, baa, black sheep,", "Have you any wool?", "Yes sir, yes sir,", "Three bags full.")

pytestmark = [pytest.mark.song, pytest.mark.slow]


def test_are_raised_and_separated_again_where_the_words_do_not_fit(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source,) = (each for each in sources(SONGS) if each.path.stem == "Au_clair_de_la_lune")
    song = tmp_path / "quiet.wav"
    write_wave(song, with_vocals(-28.0)(source, VocalSeparator("spleeter", "cpu", models_dir)))
    text = "\n".join(" ".join(line) for line in source.text.lines)
    truth = np.array([start for line in source.text.starts for start in line])
    pipeline = LyricSyncPipeline(config=Config.model_validate({"models": {"dir": models_dir}}))

    def placed() -> tuple[SyncResult, float]:
        result = pipeline.sync(song, lyrics=Lyrics.from_text(text), language="fr")
        starts = np.array([word.start for word in result.lyrics.words])
        return result, float((np.abs(starts - truth) <= 0.3).mean())

    raised, share = placed()
    monkeypatch.setattr(placer, "_MOST_RAISED", 0)
    monkeypatch.setattr(raised_vocals, "QUIET_DB", -np.inf)
    once, before = placed()
    assert raised.quality_score > once.quality_score
    assert share > before
    assert raised.stages["separate"] > once.stages["separate"]


@pytest.fixture
def separated(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the vocals were raised, of each time that a song is separated."""
    found = []
    extract = VocalSeparator.extract

    def noted(self: VocalSeparator, *arguments: Any, **options: Any) -> Stem:
        stem = extract(self, *arguments, **options)
        found.append(stem.raised)
        return stem

    monkeypatch.setattr(VocalSeparator, "extract", noted)
    return found


def test_are_not_raised_for_the_words_of_another_song(
    models_dir: Path, separated: list[int]
) -> None:
    pipeline = LyricSyncPipeline(config=Config.model_validate({"models": {"dir": models_dir}}))
    result = pipeline.sync(SONGS / "Au_clair_de_la_lune.mp3", lyrics=LAMB, language="en")
    assert result.quality_score < 0.1
    assert separated == [0]


def test_are_not_raised_for_a_verse_that_is_not_sung(
    models_dir: Path, separated: list[int]
) -> None:
    lines = (SONGS / "The_Star.txt").read_text(encoding="utf-8").splitlines()
    lyrics = Lyrics.from_text("\n".join([*lines[:4], *OTHER, *lines[4:]]))
    pipeline = LyricSyncPipeline(config=Config.model_validate({"models": {"dir": models_dir}}))
    result = pipeline.sync(SONGS / "The_Star.mp3", lyrics=lyrics, language="en")
    assert result.quality_score < DOUBTFUL
    assert separated == [0]
