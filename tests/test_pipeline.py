"""One song, from a path to timed words: the public way in."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lyricsyncd import Lyrics, LyricSyncPipeline, SyncResult, audio, formats
from lyricsyncd.align import aligner
from lyricsyncd.align.second_aligner import SearchingAligner
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import AudioError, LyricsNotFound, ModelError, UsageError
from lyricsyncd.model import Decision, Line, Word
from lyricsyncd.pipeline.finder import Finder
from lyricsyncd.pipeline.placer import Placer
from lyricsyncd.pipeline.prepared import MoreWordsWanted, Placement
from lyricsyncd.pipeline.settings import placing_settings
from tests import lite_models

SONGS = Path(__file__).parent.parent / "demo" / "songs"
SONG = SONGS / "The_Star.mp3"
TEXT = SONG.with_suffix(".txt").read_text(encoding="utf-8")
CONFIG = Config.model_validate(
    {"models": {"separator": "mix", "aligner": "sphinx"}, "lyrics": {"order": ["local"]}}
)


LINE_STARTS = [
    float(row.partition(",")[0])
    for row in SONG.with_suffix(".lines.csv").read_text(encoding="utf-8").splitlines()[1:]
]


def with_line_times(moved: Callable[[float], float]) -> Lyrics:
    """The lyrics as a source has them whose line starts are those of the song, moved."""
    plain = Lyrics.from_text(TEXT)
    return plain.with_lines(
        Line(line.words, round(moved(start), 3))
        for line, start in zip(plain, LINE_STARTS, strict=True)
    )


@pytest.fixture(scope="module")
def pipeline() -> LyricSyncPipeline:
    return LyricSyncPipeline(config=CONFIG)


@pytest.fixture(scope="module")
def result(pipeline: LyricSyncPipeline) -> SyncResult:
    return pipeline.sync(SONG, lyrics=TEXT, language="en")


@pytest.fixture(scope="module")
def foreign(pipeline: LyricSyncPipeline) -> SyncResult:
    """With a verse of another song in the middle of its words."""
    rows = TEXT.splitlines()
    verse = (SONGS / "Au_clair_de_la_lune.txt").read_text(encoding="utf-8").splitlines()[:3]
    text = "\n".join([*rows[:4], *verse, *rows[4:]])
    return pipeline.sync(SONG, lyrics=text, language="en")


class TestAResult:
    def test_has_every_word_of_the_lyrics_in_order(self, result: SyncResult) -> None:
        assert [word.text for word in result.lyrics.words] == TEXT.split()
        assert [line.text for line in result.lyrics] == TEXT.split("\n")[: len(result.lyrics.lines)]

    def test_times_never_go_back(self, result: SyncResult) -> None:
        starts = [word.start for word in result.lyrics.words]
        ends = [word.end for word in result.lyrics.words]
        assert starts == sorted(starts, key=lambda s: s or 0.0)
        assert all(e > s for s, e in zip(starts, ends, strict=True) if s is not None and e)

    def test_places_the_words_where_they_are(self, result: SyncResult) -> None:
        truth = np.genfromtxt(SONG.with_suffix(".words.csv"), delimiter=",", skip_header=1)[:, 0]
        found = np.array([word.start for word in result.lyrics.words])
        assert (np.abs(found - truth) <= 0.3).mean() >= 0.9

    def test_is_judged(self, result: SyncResult) -> None:
        assert result.decision is Decision.WORDS
        assert result.quality_score >= 0.7
        assert all(0 <= (word.confidence or 0) <= 1 for word in result.lyrics.words)
        assert result.reason

    def test_is_the_recipes_json(self, result: SyncResult) -> None:
        words = json.loads(result.to_json())
        assert [word["word"] for word in words] == TEXT.split()
        assert set(words[0]) == {"word", "start", "end", "confidence", "line"}

    def test_speaks_the_other_formats(self, result: SyncResult) -> None:
        assert "<00:" in result.to_lrc()
        assert "-->" in result.to_srt()
        assert "\\kf" in result.to_ass()

    def test_reports_what_was_done(self, result: SyncResult) -> None:
        report = result.report()
        assert report["song"]["title"]
        assert report["decision"] == "words"
        assert report["aligner"] == "sphinx"
        assert report["language"] == "en"
        assert {"decode", "separate", "align", "refine", "judge"} <= set(report["stages"])

    def test_travels_between_processes(self, result: SyncResult) -> None:
        assert pickle.loads(pickle.dumps(result)) == result


class TestTheSecondAligner:
    @pytest.mark.song
    def test_begins_before_the_first_has_searched(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Their networks take a core each: one after the other they would take longer."""
        steps: list[str] = []

        def noted(step: str, function: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **kwargs: Any) -> Any:
                steps.append(step)
                return function(*args, **kwargs)

            return call

        monkeypatch.setattr(SearchingAligner, "begin", noted("begin", SearchingAligner.begin))
        monkeypatch.setattr(aligner, "align", noted("align", aligner.align))
        models = {"separator": "mix", "aligner": "auto", "dir": str(lite_models.installed())}
        config = Config.model_validate({"models": models, "lyrics": {"order": ["local"]}})
        result = LyricSyncPipeline(config=config).sync(SONG, lyrics=TEXT, language="en")
        assert result.report()["aligner"] == "sphinx+phonemes"
        assert steps.index("begin") < steps.index("align")


class TestLyricsThatAreKnown:
    def test_may_be_a_file(self, pipeline: LyricSyncPipeline) -> None:
        prepared = pipeline.find(SONG, lyrics=SONG.with_suffix(".txt"))
        assert prepared.lyrics.text.split() == TEXT.split()

    def test_are_found_beside_the_song(self, pipeline: LyricSyncPipeline) -> None:
        assert pipeline.find(SONG).lyrics.text.split() == TEXT.split()

    def test_with_word_times_need_no_model(self, tmp_path: Path) -> None:
        lyrics = Lyrics((Line((Word("Twinkle", 1.0, 2.0),), 1.0, 2.0),), source="lrclib")
        config = Config.model_validate({"models": {"dir": str(tmp_path), "separator": "spleeter"}})
        result = LyricSyncPipeline(config=config).sync(SONG, lyrics=lyrics)
        assert result.decision is Decision.WORDS
        assert result.lyrics.lines == lyrics.lines
        assert "lrclib" in result.reason

    def test_are_headed_by_the_names_of_the_tags(self, tmp_path: Path) -> None:
        lyrics = Lyrics(
            (Line((Word("Twinkle", 1.0, 2.0),), 1.0, 2.0),),
            source="lrclib",
            metadata={"title": "The Star (Remastered)", "length": "09:59"},
        )
        config = Config.model_validate({"models": {"dir": str(tmp_path), "separator": "spleeter"}})
        result = LyricSyncPipeline(config=config).sync(SONG, lyrics=lyrics)
        header = result.to_lrc().splitlines()[:4]
        assert header == [
            "[ti:The Star]",
            "[ar:The Sampled Choir]",
            "[al:Public Domain]",
            "[length:00:44]",
        ]
        assert "Title: The Star\n" in result.to_ass()

    def test_keep_the_names_that_a_person_wrote_above_them(self, tmp_path: Path) -> None:
        words = tmp_path / "words.lrc"
        words.write_text("[ti:Ah! vous dirai-je]\n[00:01.00]<00:01.00>Twinkle<00:02.00>\n")
        config = Config.model_validate({"models": {"dir": str(tmp_path), "separator": "spleeter"}})
        result = LyricSyncPipeline(config=config).sync(SONG, lyrics=words)
        assert result.to_lrc().startswith("[ti:Ah! vous dirai-je]\n[ar:The Sampled Choir]\n")

    def test_of_an_instrumental_are_nothing_to_place(self, pipeline: LyricSyncPipeline) -> None:
        result = pipeline.sync(SONG, lyrics=Lyrics(instrumental=True))
        assert result.decision is Decision.NONE
        assert "instrumental" in result.reason

    @pytest.mark.slow
    def test_of_a_file_that_was_replaced_meanwhile_are_placed_on_the_new_sound(
        self, tmp_path: Path
    ) -> None:
        song, reads = tmp_path / "song.mp3", []

        def read(path: str | os.PathLike[str], rate: int) -> Iterator[NDArray[np.float32]]:
            reads.append(path)
            return audio.blocks(path, rate)

        placer, finder = Placer(placing_settings(CONFIG), read), Finder(CONFIG)
        other = SONGS / "Au_clair_de_la_lune.mp3"
        words = other.with_suffix(".txt").read_text(encoding="utf-8")
        shutil.copyfile(SONG, song)
        wrong = finder.find(song, lyrics=words, language="fr")
        assert isinstance(placer.place(wrong), MoreWordsWanted)
        # The look-up that should bring others fails, and the file is replaced before the next try.
        shutil.copyfile(other, song)
        answer = placer.place(finder.find(song, lyrics=words, language="fr"))
        assert isinstance(answer, Placement)
        assert answer.decision is Decision.WORDS
        assert len(reads) == 2

    def test_name_the_song_they_were_given(self, pipeline: LyricSyncPipeline) -> None:
        prepared = pipeline.find(SONG, artist="Jane Taylor", title="The Star", lyrics=TEXT)
        assert prepared.track.name == "Jane Taylor - The Star"

    def test_line_times_of_the_source_stay_when_words_are_not_written(self) -> None:
        config = CONFIG.model_copy(
            update={"quality": CONFIG.quality.model_copy(update={"words": 1.0})}
        )
        lyrics = with_line_times(lambda start: start + 0.07)
        result = LyricSyncPipeline(config=config).sync(SONG, lyrics=lyrics, language="en")
        assert result.decision is Decision.LINES
        assert [line.start for line in result.lyrics] == [line.start for line in lyrics]
        assert result.to_write is not None
        assert all(word.start is None for word in result.to_write.words)


class TestLineTimesOfAnotherRelease:
    def test_that_are_all_late_are_moved(self, pipeline: LyricSyncPipeline) -> None:
        lyrics = with_line_times(lambda start: start + 2.0)
        result = pipeline.sync(SONG, lyrics=lyrics, language="en")
        assert "2.0 s late" in result.reason
        starts = [line.start or 0.0 for line in result.lyrics]
        assert starts == pytest.approx(LINE_STARTS, abs=0.2)

    def test_at_another_speed_are_not_used(
        self, pipeline: LyricSyncPipeline, result: SyncResult
    ) -> None:
        lyrics = with_line_times(lambda start: start * 1.06)
        fast = pipeline.sync(SONG, lyrics=lyrics, language="en")
        assert "another speed" in fast.reason
        assert [word.start for word in fast.lyrics.words] == [
            word.start for word in result.lyrics.words
        ]


class TestAVerseThatIsNotSung:
    """In the middle of the lyrics: its lines find no place, and the others keep theirs."""

    def test_leaves_word_times_to_the_other_lines(self, foreign: SyncResult) -> None:
        assert foreign.decision is Decision.MIXED
        assert not any(line.timed_words for line in foreign.lyrics.lines[4:7])
        assert foreign.report()["lines_with_words"] == foreign.lines_with_words > 0

    def test_has_estimated_line_times_in_order(self, foreign: SyncResult) -> None:
        starts = [line.start for line in foreign.lyrics]
        assert starts == sorted(starts, key=lambda start: start or 0.0)
        estimated = foreign.report()["estimated_lines"]
        assert set(estimated) == {4, 5, 6}
        assert all(foreign.lyrics.lines[at].estimated for at in estimated)

    def test_shows_no_word_time_of_it_but_in_json(self, foreign: SyncResult) -> None:
        shown = formats.read(foreign.to_lrc().encode(), "lrc")
        assert [line.timed_words for line in shown if line.words] == [
            line.timed_words for line in foreign.lyrics
        ]
        words = json.loads(foreign.to_json())
        assert len(words) == len(foreign.lyrics.words)
        assert all(word["start"] is not None and word["confidence"] >= 0 for word in words)


class TestWrongWords:
    def test_are_not_written_as_words(self, pipeline: LyricSyncPipeline) -> None:
        other = (SONGS / "Au_clair_de_la_lune.txt").read_text(encoding="utf-8")
        result = pipeline.sync(SONG, lyrics=other * 3, language="fr")
        assert result.decision is not Decision.WORDS

    def test_more_than_the_song_can_hold_are_none(self, pipeline: LyricSyncPipeline) -> None:
        result = pipeline.sync(SONG, lyrics="\n".join([TEXT] * 60), language="en")
        assert result.decision is Decision.NONE


class TestErrors:
    def test_no_words_anywhere(self, pipeline: LyricSyncPipeline, tmp_path: Path) -> None:
        without_prior = tmp_path / "alone.mp3"
        without_prior.write_bytes(SONG.read_bytes())
        with pytest.raises(LyricsNotFound):
            pipeline.find(without_prior)

    def test_no_such_song(self, pipeline: LyricSyncPipeline, tmp_path: Path) -> None:
        with pytest.raises(AudioError):
            pipeline.sync(tmp_path / "missing.mp3", lyrics=TEXT)

    def test_not_a_song(self, pipeline: LyricSyncPipeline) -> None:
        with pytest.raises(AudioError):
            pipeline.sync(SONG.with_suffix(".txt"), lyrics=TEXT)

    @pytest.mark.parametrize("device", ["gpu", "cuda:x", "CPU "])
    def test_no_such_device(self, device: str) -> None:
        with pytest.raises(UsageError, match="Use auto, cpu, cuda"):
            LyricSyncPipeline(device=device)

    def test_a_profile_that_is_not_here(self) -> None:
        with pytest.raises(ModelError, match="lite"):
            LyricSyncPipeline(profile="full")
