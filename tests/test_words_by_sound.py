"""The sound decides about the words: repeats, marks, other versions, and times of a source.

When there is singing in the demo song is known, so that no vocals are separated.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from demo import make_song
from lyricsyncd import audio
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import LyricsNotFound
from lyricsyncd.lyrics.sung import from_plain
from lyricsyncd.model import Decision, Line, Lyrics, SongIdentification, Track, Word
from lyricsyncd.pipeline import finder
from lyricsyncd.pipeline.pipeline import LyricSyncPipeline
from lyricsyncd.pipeline.prepared import Placement, Prepared
from lyricsyncd.separate import Reader, Stem
from tests.local_services import Entry, Lrclib, serving

SONG = Path(make_song.SONGS_DIR) / "The_Star.mp3"
TEXT = SONG.with_suffix(".txt").read_text(encoding="utf-8").strip()
OTHER = (SONG.parent / "Au_clair_de_la_lune.txt").read_text(encoding="utf-8")
TRACK = Track(path=SONG, artist="The Sampled Choir", title="The Star", duration=43.7)
RATE = 16_000


class Known:
    """A separator that knows the vocals of a song."""

    def __init__(self, vocals: np.ndarray, mix: np.ndarray) -> None:
        self.stem = Stem(vocals, mix, RATE, "known")

    def extract(self, _song: Path, *, read: Reader | None = None, **_: object) -> Stem:
        if read is None:
            return self.stem
        parts = [
            np.concatenate(list(read_excerpts(read, signal)))
            for signal in (self.stem.vocals, self.stem.mix)
        ]
        return Stem(parts[0], parts[1], RATE, "known")


def read_excerpts(read: Reader, signal: np.ndarray) -> Iterator[np.ndarray]:
    del read
    yield signal[10 * RATE : 30 * RATE]


@pytest.fixture(scope="module")
def signals() -> tuple[np.ndarray, np.ndarray]:
    """Vocals and mix of the demo song, mono at 16 kHz: the mix, softly where nobody sings."""
    mix = np.concatenate([block.mean(axis=1) for block in audio.blocks(SONG, RATE)])
    vocals = np.float32(0.01) * mix
    for start, end in true_words():
        word = slice(round(start * RATE), round(end * RATE))
        vocals[word] = mix[word]
    return vocals, mix


def true_words() -> list[tuple[float, float]]:
    """When each word starts and ends, in seconds."""
    with SONG.with_suffix(".words.csv").open(encoding="utf-8") as file:
        return [(float(row["word_start"]), float(row["word_end"])) for row in csv.DictReader(file)]


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def pipeline() -> LyricSyncPipeline:
    config = {"lyrics": {"order": ["local"]}, "models": {"aligner": "sphinx"}}
    return LyricSyncPipeline(config=Config.model_validate(config))


def placed(
    pipeline: LyricSyncPipeline, signals: tuple[np.ndarray, np.ndarray], lyrics: Lyrics
) -> Placement:
    pipeline.placer.__dict__["_separator"] = Known(*signals)
    answer = pipeline.placer.place(
        Prepared(SONG, SongIdentification(TRACK), lyrics, "en", all_found=True)
    )
    assert isinstance(answer, Placement)
    return answer


VERSE = "\n".join(TEXT.splitlines()[:4])
VERSE_S = 23.0


def verse(signals: tuple[np.ndarray, np.ndarray], times: int) -> tuple[np.ndarray, np.ndarray]:
    """The first verse of the song, so often in a row."""
    vocals, mix = (np.tile(signal[: round(VERSE_S * RATE)], times) for signal in signals)
    return vocals, mix


@pytest.mark.slow
class TestARepeat:
    def test_that_is_sung_is_written_out(
        self, pipeline: LyricSyncPipeline, signals: tuple[np.ndarray, np.ndarray]
    ) -> None:
        result = placed(pipeline, verse(signals, 2), from_plain(f"{VERSE}\n(x2)", TRACK))
        assert result.lyrics.text == f"{VERSE}\n{VERSE}"
        assert result.decision is Decision.WORDS
        assert "No words cover" not in result.reason

    def test_that_is_not_sung_is_left_out(
        self, pipeline: LyricSyncPipeline, signals: tuple[np.ndarray, np.ndarray]
    ) -> None:
        rows = VERSE.splitlines()
        marked = "\n".join([*rows[:2], f"{rows[2]} (x2)", *rows[3:], "", "Repeat 2x"])
        result = placed(pipeline, verse(signals, 1), from_plain(marked, TRACK))
        assert result.lyrics.text == VERSE
        assert result.decision is Decision.WORDS

    def test_that_the_lyrics_lack_is_said(
        self, pipeline: LyricSyncPipeline, signals: tuple[np.ndarray, np.ndarray]
    ) -> None:
        result = placed(pipeline, verse(signals, 3), Lyrics.from_text(VERSE))
        assert "No words cover" in result.reason
        assert result.score < 0.8, result.reason


class TestWordTimesOfASource:
    @staticmethod
    def timed(late: float = 0.0, stretch: float = 1.0) -> Lyrics:
        """The words with their true times, as of a source that is late or of another speed."""
        starts = iter([start for start, _ in true_words()])
        lines = []
        for row in TEXT.splitlines():
            words = tuple(Word(text, stretch * next(starts) + late) for text in row.split())
            lines.append(Line(words, words[0].start))
        return Lyrics(tuple(lines), source="lrclib")

    @pytest.mark.slow
    def test_are_believed_where_they_are_those_of_the_song(
        self, pipeline: LyricSyncPipeline, signals: tuple[np.ndarray, np.ndarray]
    ) -> None:
        result = placed(pipeline, signals, self.timed())
        assert "The word times are those of lrclib" in result.reason
        found = [word.start for word in result.lyrics.words]
        assert found == pytest.approx([start for start, _ in true_words()], abs=0.002)

    @pytest.mark.slow
    def test_of_another_version_are_not(
        self, pipeline: LyricSyncPipeline, signals: tuple[np.ndarray, np.ndarray]
    ) -> None:
        result = placed(pipeline, signals, self.timed(stretch=0.9))
        assert "The word times of lrclib do not fit" in result.reason
        found = np.array([word.start for word in result.lyrics.words])
        true = np.array([start for start, _ in true_words()])
        assert (np.abs(found - true) <= 0.3).mean() > 0.9

    def test_need_no_model_where_a_person_has_them(self) -> None:
        lyrics = self.timed()
        prepared = Prepared(SONG, SongIdentification(TRACK), lyrics)
        assert prepared.needs_models
        own = Lyrics(lyrics.lines, source="sidecar")
        assert not Prepared(SONG, SongIdentification(TRACK), own).needs_models


class TestAMarkThatNobodySings:
    @pytest.fixture
    def song(self, tmp_path: Path) -> Path:
        path = tmp_path / "song.mp3"
        shutil.copy(SONG, path)
        path.with_suffix(".lrc").write_text("[au: instrumental]\n")
        return path

    def pipeline(
        self, url: str, signals: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
    ) -> LyricSyncPipeline:
        monkeypatch.setattr(finder, "may_separate", lambda _settings: True)
        config = Config.model_validate(
            {
                "lyrics": {"order": ["local", "lrclib"], "lrclib": {"url": url}},
                "models": {"aligner": "sphinx", "transcriber": "none"},
            }
        )
        pipeline = LyricSyncPipeline(config=config)
        pipeline.placer.__dict__["_separator"] = Known(*signals)
        return pipeline

    def test_counts_where_nobody_sings(
        self,
        song: Path,
        signals: tuple[np.ndarray, np.ndarray],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        vocals, mix = signals
        entry = Entry(TRACK.title or "", TRACK.artist or "", "", 43.7, TEXT)
        with serving(Lrclib([entry])) as service:
            silent = (0.01 * vocals, mix)
            result = self.pipeline(service.url, silent, monkeypatch).sync(song)
        assert result.lyrics.instrumental
        assert service.asked == []

    @pytest.mark.slow
    def test_has_others_asked_where_it_is_sung(
        self,
        song: Path,
        signals: tuple[np.ndarray, np.ndarray],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        entry = Entry(TRACK.title or "", TRACK.artist or "", "", 43.7, TEXT)
        with serving(Lrclib([entry])) as service:
            result = self.pipeline(service.url, signals, monkeypatch).sync(song)
        assert result.lyrics.text == TEXT
        assert result.decision is Decision.WORDS
        assert "it is marked as an instrumental, but it is sung" in result.warnings

    def test_counts_where_nobody_else_has_words(
        self,
        song: Path,
        signals: tuple[np.ndarray, np.ndarray],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        with serving(Lrclib([])) as service:
            result = self.pipeline(service.url, signals, monkeypatch).sync(song)
        assert result.lyrics.instrumental
        assert service.asked
        assert "no source has words" in result.warnings[-1]

    def test_is_believed_at_once_where_nobody_else_is_asked(self, song: Path) -> None:
        config = Config.model_validate({"lyrics": {"order": ["local"]}})
        assert not finder.Finder(config).find(song).needs_models


class TestWordsOfAnotherVersion:
    @staticmethod
    def config(url: str) -> Config:
        return Config.model_validate(
            {
                "lyrics": {"order": ["lrclib"], "lrclib": {"url": url}},
                "models": {"aligner": "sphinx", "transcriber": "none", "separator": "mix"},
            }
        )

    @pytest.mark.slow
    def test_are_taken_where_they_are_sung(self) -> None:
        entry = Entry("The Star", "Jane Taylor", "", 300.0, TEXT)
        with serving(Lrclib([entry])) as service:
            result = LyricSyncPipeline(config=self.config(service.url)).sync(
                SONG, artist="Jane Taylor", title="The Star (Live)"
            )
        assert result.decision is Decision.WORDS
        assert "those of another are tried" in result.warnings[-1]

    @pytest.mark.slow
    def test_are_none_where_they_are_not(self) -> None:
        entry = Entry("The Star", "Jane Taylor", "", 300.0, OTHER * 4)
        with (
            serving(Lrclib([entry])) as service,
            pytest.raises(LyricsNotFound, match="only those of another version"),
        ):
            LyricSyncPipeline(config=self.config(service.url)).sync(
                SONG, artist="Jane Taylor", title="The Star (Live)"
            )
