"""A transcript raises or lowers the log-odds of a placement, or says nothing."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd import Lyrics, LyricSyncPipeline, SyncResult
from lyricsyncd.align.anchors import transcript_starts
from lyricsyncd.config.schema import Config, Quality
from lyricsyncd.judging.agreement import (
    FEWEST_RECOGNISED,
    Transcript,
    better,
    transcript_log_odds,
)
from lyricsyncd.judging.calibration import phone_states
from lyricsyncd.judging.quality import judge
from lyricsyncd.model import Decision, Word
from tests.test_quality import alignment
from tests.test_transcribe import whisper_base  # noqa: F401 - a fixture

SONGS = Path(__file__).parent.parent / "demo" / "songs"
SONG = SONGS / "The_Star.mp3"
TEXT = SONG.with_suffix(".txt").read_text(encoding="utf-8")
OTHER = " ".join(f"other{i} words{i}" for i in range(30))

N = 60


def matched(known: Sequence[Word], transcript: Sequence[Word], language: str) -> Transcript:
    """A transcript beside the words that it is compared with."""
    return Transcript(transcript_starts(transcript, known), len(transcript), language)


def opinion(
    onset: npt.NDArray[np.float64], known: Sequence[Word], transcript: Sequence[Word], language: str
) -> npt.NDArray[np.float64]:
    """What a transcript adds to the log-odds of the words."""
    return transcript_log_odds(onset, matched(known, transcript, language))


KNOWN = [Word(f"word{i}") for i in range(N)]
ONSET = np.arange(N, dtype=np.float64)


def sung(late: float = 0.0, every: int = 1) -> list[Word]:
    """A transcript of the words, each in place or late by some seconds."""
    return [Word(f"word{i}", i + late, i + late + 0.5) for i in range(0, N, every)]


class TestAnOpinion:
    def test_is_high_of_words_that_were_recognised_where_they_lie(self) -> None:
        assert (opinion(ONSET, KNOWN, sung(), "en") > 0.4).all()

    def test_is_low_of_words_that_were_recognised_somewhere_else(self) -> None:
        assert (opinion(ONSET, KNOWN, sung(late=5.0), "en") < 0.0).all()

    def test_is_low_of_words_of_which_nothing_was_recognised(self) -> None:
        nothing_like_them = [Word(w, i, i + 0.5) for i, w in enumerate(OTHER.split())]
        assert (opinion(ONSET, KNOWN, nothing_like_them, "en") < 0.0).all()

    def test_is_lower_where_a_stretch_was_recognised_elsewhere(self) -> None:
        moved = [
            replace(w, start=(w.start or 0) + 9.0) if i >= 30 else w for i, w in enumerate(sung())
        ]
        added = opinion(ONSET, KNOWN, moved, "en")
        assert added[:20].min() > added[40:].max()

    def test_needs_words_to_have_been_recognised(self) -> None:
        few = sung()[: FEWEST_RECOGNISED - 1]
        assert not opinion(ONSET, KNOWN, few, "en").any()
        assert not opinion(ONSET, KNOWN, [], "en").any()
        assert len(opinion(ONSET[:0], [], sung(), "en")) == 0

    def test_needs_to_know_where_words_end(self) -> None:
        assert not opinion(ONSET, KNOWN, sung(late=5.0), "ja").any()

    @given(st.sets(st.integers(0, N - 1)), st.integers(0, N - 2))
    def test_never_falls_with_what_was_recognised_in_place(self, astray: set[int], at: int) -> None:
        def added(away: set[int]) -> float:
            transcript = [replace(w, start=i + 9.0 * (i in away)) for i, w in enumerate(sung())]
            return float(opinion(ONSET, KNOWN, transcript, "en").mean())

        assert added(astray - {at}) >= added(astray | {at}) - 1e-9


class TestThePlacementThatIsKept:
    def test_is_the_one_that_agrees_with_what_was_recognised(self) -> None:
        there = alignment(N, fit=-3.0, spread=0.5)
        transcript = [Word(f"word{i}", i * 0.5, i * 0.5 + 0.3) for i in range(N)]
        elsewhere = replace(there, onset=there.onset + 4.0, offset=there.offset + 4.0)
        kept, verdict = better(
            elsewhere, there, matched(KNOWN, transcript, "en"), Quality(), phone_states()
        )
        assert kept is there
        assert verdict.score >= judge(there, Quality(), phone_states()).score

    def test_is_not_written_as_words_where_the_model_is_not_calibrated(self) -> None:
        transcript = [Word(f"word{i}", i * 0.5, i * 0.5 + 0.3) for i in range(N)]
        _, verdict = better(
            alignment(N), alignment(N), matched(KNOWN, transcript, "en"), Quality(), None
        )
        assert verdict.decision is Decision.REVIEW

    def test_is_the_first_where_neither_is_clearly_better(self) -> None:
        first, second = alignment(N), alignment(N)
        kept, _ = better(first, second, matched(KNOWN, sung(), "en"), Quality(), phone_states())
        assert kept is first


def true_words() -> list[Word]:
    """The demo song's words with the times they are sung at."""
    with SONG.with_suffix(".words.csv").open(encoding="utf-8", newline="") as file:
        starts = [float(row["word_start"]) for row in csv.DictReader(file)]
    return [Word(w, s, s + 0.2, 0.9) for w, s in zip(TEXT.split(), starts, strict=True)]


@dataclass
class Recogniser:
    """A recogniser that recognises every word of the demo song."""

    name: str = "recogniser"
    transcribed: int = 0

    def transcribe(self, audio: npt.NDArray[np.float32], language: str | None) -> list[Word]:
        self.transcribed += 1
        assert audio.ndim == 1
        assert language == "en"
        return true_words()


@pytest.mark.song
class TestThePipeline:
    @pytest.fixture
    def recogniser(self) -> Recogniser:
        return Recogniser()

    def placed(self, recogniser: Recogniser | None, text: str) -> SyncResult:
        models = {"separator": "mix", "aligner": "sphinx", "transcriber": "none"}
        config = Config.model_validate({"models": models, "lyrics": {"order": ["local"]}})
        pipeline = LyricSyncPipeline(config=config)
        pipeline.placer.__dict__["_recogniser"] = recogniser
        return pipeline.sync(SONG, lyrics=Lyrics.from_text(text), language="en")

    @pytest.mark.slow
    def test_transcribes_a_song_with_the_words_of_another_and_doubts_them_the_more(
        self, recogniser: Recogniser
    ) -> None:
        text = "Somewhere over a distant hill\nthe evening bells are ringing low\n" * 3
        without_prior, both = self.placed(None, text), self.placed(recogniser, text)
        assert recogniser.transcribed == 1
        assert both.quality_score <= without_prior.quality_score
        assert both.decision in (Decision.NONE, Decision.REVIEW)

    def test_transcribes_no_song_with_a_high_score(self, recogniser: Recogniser) -> None:
        assert self.placed(recogniser, TEXT).aligner == "sphinx"
        assert recogniser.transcribed == 0

    @pytest.mark.slow
    def test_places_words_by_what_both_find(
        self, recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("lyricsyncd.pipeline.placer.DOUBTFUL", 1.0)
        result = self.placed(recogniser, TEXT)
        assert recogniser.transcribed == 1
        found = np.array([word.start for word in result.lyrics.words], np.float64)
        true = np.array([word.start for word in true_words()], np.float64)
        assert (np.abs(found - true) <= 0.3).mean() > 0.95


@pytest.mark.slow
@pytest.mark.song
def test_a_real_whisper_tells_the_demo_song_from_another(whisper_base: Path) -> None:  # noqa: F811
    pytest.importorskip("faster_whisper")
    from lyricsyncd.separate import VocalSeparator
    from lyricsyncd.transcribe import open_transcriber

    recogniser = open_transcriber("faster-whisper", str(whisper_base), "cpu")
    mix = VocalSeparator("mix").extract(SONG).mix
    transcript = recogniser.transcribe(mix, "en")
    assert transcript == recogniser.transcribe(mix, "en"), "the same is transcript every time"
    known = true_words()
    onset = np.array([word.start for word in known], np.float64)
    assert opinion(onset, known, transcript, "en").mean() > 0.2
    assert opinion(onset + 4.0, known, transcript, "en").mean() < -0.2
    others = [Word(word) for word in OTHER.split()][: len(known)]
    assert opinion(onset[: len(others)], others, transcript, "en").mean() < -0.2
