"""Songs whose words nobody has by name: is anything sung, what, and whose is it?"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from lyricsyncd import audio
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import LyricsNotFound
from lyricsyncd.http import Web
from lyricsyncd.http.response_cache import ResponseCache
from lyricsyncd.lyrics import transcript
from lyricsyncd.lyrics.genius import GeniusSource
from lyricsyncd.lyrics.lrclib import LrclibSource
from lyricsyncd.model import Decision, Lyrics, SongIdentification, Track, Word
from lyricsyncd.pipeline.pipeline import LyricSyncPipeline
from lyricsyncd.pipeline.prepared import Prepared
from lyricsyncd.separate.base import Stem
from lyricsyncd.separate.presence import sung_share
from tests.local_services import Entry, Genius, GeniusSong, Lrclib, Service, serving
from tests.test_transcribe import whisper_base  # noqa: F401 - a fixture

SONGS = Path(__file__).parent.parent / "demo" / "songs"
SONG = SONGS / "The_Star.mp3"
TEXT = SONG.with_suffix(".txt").read_text(encoding="utf-8")
OTHER = (SONGS / "Au_clair_de_la_lune.txt").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "cache"))


def recognised(text: str, confidence: float = 0.8) -> list[Word]:
    words, at = [], 0.0
    for line in text.splitlines():
        for word in line.split():
            words.append(Word(word, at, at + 0.4, confidence))
            at += 0.5
        at += 1.5
    return words


MISRECOGNISED = (
    TEXT.replace("blazing", "laser").replace("diamond", "dime and").replace("nothing", "not")
)


class TestAgreement:
    def test_own_words_agree_though_some_are_misrecognised(self) -> None:
        assert transcript.agreement(recognised(MISRECOGNISED), Lyrics.from_text(TEXT)) > 0.5

    def test_half_of_a_song_is_enough(self) -> None:
        half = "\n".join(TEXT.splitlines()[:4])
        assert transcript.agreement(recognised(half), Lyrics.from_text(TEXT)) > 0.9

    def test_other_words_do_not(self) -> None:
        assert transcript.agreement(recognised(TEXT), Lyrics.from_text(OTHER)) < 0.05
        common = "and the you are in the and you the of a to and the in my of"
        assert transcript.agreement(recognised(common), Lyrics.from_text(TEXT)) < transcript.AGREES

    def test_nothing_agrees_with_nothing(self) -> None:
        assert transcript.agreement([], Lyrics.from_text(TEXT)) == 0.0
        assert transcript.agreement(recognised(TEXT), Lyrics()) == 0.0


class TestWhatWasRecognised:
    def test_dreams_are_no_words(self) -> None:
        assert transcript.credible(recognised("Thank you.")) == ()
        assert transcript.credible(recognised(TEXT, confidence=0.1)) == ()
        assert len(transcript.credible(recognised("la " * 500))) < 20

    def test_reporting_lines_are_sung_twice_and_long(self) -> None:
        text = (
            "oh\nWe all live in a yellow submarine\nla la la la\nWe all live in a yellow submarine"
        )
        assert (
            transcript.distinctive_lines(recognised(text))[0] == "We all live in a yellow submarine"
        )

    def test_refrains_are_what_comes_again(self) -> None:
        text = "let it be now\nwhisper words\nlet it be yes\nspeaking\nlet it be so"
        assert "let it be" in transcript.refrains(recognised(text))

    def test_as_lyrics_it_is_marked(self) -> None:
        lyrics = transcript.as_lyrics(recognised(TEXT))
        assert lyrics.source == "transcript"
        assert [line.text for line in lyrics] == TEXT.splitlines()

    def test_is_remembered_until_the_song_changes(self, tmp_path: Path) -> None:
        song = tmp_path / "song.mp3"
        song.write_bytes(b"x")
        memory = transcript.RecognitionCache(ResponseCache(tmp_path / "answers"))
        reported = transcript.Recognition(tuple(recognised("one two")), 0.5)
        assert memory.get(song, "whisper") is None
        memory.put(song, "whisper", reported)
        assert memory.get(song, "whisper") == reported
        assert memory.get(song, "other recogniser") is None
        song.write_bytes(b"xy")
        assert memory.get(song, "whisper") is None


def configured(service: Service, **more: object) -> Config:
    return Config.model_validate(
        {
            "lyrics": {
                "order": ["local", "lrclib", "transcript"],
                "lrclib": {"url": service.url},
                **more,
            },
            "models": {"separator": "mix", "transcriber": "none"},
        }
    )


class TestSearch:
    def test_by_the_refrain_where_the_title_is_not_known(self) -> None:
        refrain = "twinkle twinkle little star"
        entries = [
            Entry("Twinkle Twinkle Little Star", "Someone Else", "", 44.0, OTHER),
            Entry("Twinkle Twinkle Little Star", "Jane Taylor", "", 44.0, TEXT),
        ]
        with serving(Lrclib(entries)) as service:
            found = transcript.search(
                Track(duration=44.0),
                recognised(f"{MISRECOGNISED}\n" + f"{refrain}\n" * 3),
                configured(service),
            )
        assert found is not None
        assert found.lyrics.text == TEXT.strip()
        assert "of the transcript agrees with 'Jane Taylor - Twinkle" in found.why[0]

    def test_by_a_line_of_its_words(self, monkeypatch: pytest.MonkeyPatch) -> None:
        songs = [GeniusSong("The Star", "Jane Taylor", TEXT), GeniusSong("Moon", "X", OTHER, 2)]
        with serving(Genius(songs)) as service:
            web = Web(interval=0.0)
            source = GeniusSource("right", web, f"{service.url}/", f"{service.url}/")
            monkeypatch.setattr("lyricsyncd.lyrics.opened.sources", lambda _settings: (source,))
            found = transcript.search(Track(duration=44.0), recognised(MISRECOGNISED), Config())
        assert found is not None
        assert (found.source, found.lyrics.text) == ("genius", TEXT.strip())

    def test_what_does_not_agree_is_not_kept(self) -> None:
        entries = [Entry("Twinkle Twinkle", "Someone Else", "", 44.0, OTHER)]
        with serving(Lrclib(entries)) as service:
            words = recognised("twinkle twinkle\n" * 6)
            assert transcript.search(Track(), words, configured(service)) is None


class TestPresence:
    def stem(self, vocals: np.ndarray, mix: np.ndarray, separator: str = "spleeter") -> Stem:
        return Stem(vocals.astype(np.float32), mix.astype(np.float32), 16_000, separator)

    def noise(self, seconds: float) -> np.ndarray:
        return 0.1 * np.random.default_rng(0).standard_normal(round(seconds * 16_000))

    def test_a_band_alone_is_not_sung(self) -> None:
        mix = self.noise(60)
        assert sung_share(self.stem(0.02 * mix, mix)) == 0.0

    def test_a_few_lines_are(self) -> None:
        mix = self.noise(60)
        vocals = 0.02 * mix
        vocals[16_000 * 20 : 16_000 * 25] = mix[16_000 * 20 : 16_000 * 25]
        share = sung_share(self.stem(vocals, mix))
        assert share == pytest.approx(5 / 60, abs=0.01)
        assert transcript.Recognition((), share).is_sung

    def test_a_snare_is_not(self) -> None:
        mix = self.noise(60)
        vocals = 0.02 * mix
        for at in range(0, 60 * 16_000, 8000):
            vocals[at : at + 2400] = mix[at : at + 2400]
        assert sung_share(self.stem(vocals, mix)) == 0.0

    def test_without_a_separator_nothing_is_reported(self) -> None:
        mix = self.noise(5)
        assert sung_share(self.stem(mix, mix, "none")) is None
        assert transcript.Recognition(()).is_sung

    def test_of_silence(self) -> None:
        silence = np.zeros(32_000)
        assert sung_share(self.stem(silence, silence)) == 0.0


@dataclass
class AcousticModel:
    """A recogniser with a given transcript."""

    words: list[Word]
    name: str = "acoustic_model"
    listened: int = 0

    def transcribe(self, audio: object, language: str | None) -> list[Word]:  # noqa: ARG002
        self.listened += 1
        return self.words


class TestThePipeline:
    @pytest.fixture
    def song(self, tmp_path: Path) -> Path:
        path = tmp_path / "song.mp3"
        shutil.copyfile(SONG, path)
        return path

    def pipeline(
        self, config: Config, acoustic_model: AcousticModel | None, monkeypatch: pytest.MonkeyPatch
    ) -> LyricSyncPipeline:
        del monkeypatch
        name = "none" if acoustic_model is None else "faster-whisper"
        models = config.models.model_copy(update={"transcriber": name})
        pipeline = LyricSyncPipeline(config=config.model_copy(update={"models": models}))
        pipeline.placer.__dict__["_recogniser"] = acoustic_model
        return pipeline

    def test_a_song_is_found_by_what_is_sung(
        self, song: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        entry = Entry("Twinkle Twinkle Little Star", "Jane Taylor", "", 43.7, TEXT)
        acoustic_model = AcousticModel(
            recognised(MISRECOGNISED + "twinkle twinkle little star\n" * 3)
        )
        with serving(Lrclib([entry])) as service:
            pipeline = self.pipeline(configured(service), acoustic_model, monkeypatch)
            result = pipeline.sync(song, artist="Unknown Lady", title="Nameless Tune")
        assert result.lyrics.source == "lrclib"
        assert result.lyrics.text == TEXT.strip()
        assert result.decision is Decision.WORDS

    @pytest.mark.slow
    def test_a_transcript_is_left_for_review(
        self, song: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        acoustic_model = AcousticModel(recognised(MISRECOGNISED))
        with serving(Lrclib([])) as service:
            pipeline = self.pipeline(configured(service), acoustic_model, monkeypatch)
            first, second = pipeline.sync(song), pipeline.sync(song)
        assert first.lyrics.source == second.lyrics.source == "transcript"
        assert first.decision is second.decision is Decision.REVIEW
        assert first.to_write is None
        assert acoustic_model.listened == 1, "the transcript is cached"

    @pytest.mark.slow
    def test_and_written_where_another_wants_it_so(
        self, song: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with serving(Lrclib([])) as service:
            config = configured(service, transcript={"write": True})
            result = self.pipeline(
                config, AcousticModel(recognised(MISRECOGNISED)), monkeypatch
            ).sync(song)
        assert result.to_write is not None
        assert result.to_write.source == "transcript"
        assert result.reason.startswith("Written as recognised")
        assert result.quality_score <= 0.8

    def test_without_an_acoustic_model_a_song_without_words_is_not_found(
        self, song: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with serving(Lrclib([])) as service:
            pipeline = self.pipeline(configured(service), None, monkeypatch)
            with pytest.raises(LyricsNotFound):
                pipeline.find(song)

    def test_nothing_that_is_understood_is_not_found_either(
        self, song: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with serving(Lrclib([])) as service:
            pipeline = self.pipeline(configured(service), AcousticModel([]), monkeypatch)
            prepared = pipeline.find(song)
            assert prepared.recognise
            assert prepared.needs_models
            with pytest.raises(LyricsNotFound, match="nothing was recognised"):
                pipeline.place(prepared)

    def test_a_song_without_a_voice_is_an_instrumental(
        self, song: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mix = np.concatenate([b.mean(axis=1) for b in audio.blocks(song, 16_000)])

        class Silencer:
            def extract(self, *_: object, **__: object) -> Stem:
                return Stem((0.01 * mix).astype(np.float32), mix, 16_000, "spleeter")

        with serving(Lrclib([])) as service:
            pipeline = self.pipeline(
                configured(service), AcousticModel(recognised(TEXT)), monkeypatch
            )
            pipeline.placer.__dict__["_separator"] = Silencer()
            result = pipeline.sync(song)
        assert result.lyrics.instrumental
        assert result.lyrics.source == "vocal activity"
        assert result.decision is Decision.NONE

    @pytest.mark.slow
    def test_other_words_are_tried_where_the_first_do_not_fit(self, song: Path) -> None:
        config = Config.model_validate(
            {"lyrics": {"order": ["local"]}, "models": {"separator": "mix", "transcriber": "none"}}
        )
        track = Track(path=song, artist="Jane Taylor", title="The Star", duration=43.7)
        wrong, right = Lyrics.from_text(OTHER * 3, source="a"), Lyrics.from_text(TEXT, source="b")
        result = LyricSyncPipeline(config=config).place(
            Prepared(song, SongIdentification(track), wrong, "en", others=(right,))
        )
        assert result.lyrics.source == "b"
        assert result.decision is Decision.WORDS

    @pytest.mark.slow
    def test_and_then_those_of_the_next_source(
        self, song: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        songs = [GeniusSong("The Star", "Jane Taylor", TEXT)]
        entry = Entry("The Star", "Jane Taylor", "", 43.7, OTHER * 3)
        with serving(Lrclib([entry])) as lrclib, serving(Genius(songs)) as site:
            web = Web(interval=0.0)
            found = (
                LrclibSource(lrclib.url, web),
                GeniusSource("right", web, f"{site.url}/", f"{site.url}/"),
            )
            monkeypatch.setattr("lyricsyncd.lyrics.opened.sources", lambda _settings: found)
            config = Config.model_validate({"models": {"separator": "mix", "transcriber": "none"}})
            result = LyricSyncPipeline(config=config).sync(
                song, artist="Jane Taylor", title="The Star", language="en"
            )
        assert result.lyrics.source == "genius"
        assert result.decision is Decision.WORDS


@pytest.mark.slow
@pytest.mark.song
def test_a_real_whisper_finds_the_demo_song_by_its_words(
    whisper_base: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("faster_whisper")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "faster-whisper-base").symlink_to(whisper_base)
    song = tmp_path / "Track 01.mp3"
    shutil.copyfile(SONG, song)
    entry = Entry("The Star", "Jane Taylor", "", 43.7, TEXT)
    songs = [GeniusSong("Moon", "Someone", OTHER, 2), GeniusSong("The Star", "Jane Taylor", TEXT)]
    with serving(Lrclib([entry])) as lrclib, serving(Genius(songs)) as site:
        web = Web(interval=0.0)
        found = (
            LrclibSource(lrclib.url, web),
            GeniusSource("right", web, f"{site.url}/", f"{site.url}/"),
        )
        monkeypatch.setattr("lyricsyncd.lyrics.opened.sources", lambda _settings: found)
        models = {"dir": str(tmp_path / "models"), "separator": "mix", "transcriber": "auto"}
        pipeline = LyricSyncPipeline(config=Config.model_validate({"models": models}))
        prepared = pipeline.find(song, artist="Unknown Lady", title="Nameless Tune")
        assert prepared.recognise
        result = pipeline.place(prepared)
    assert (result.lyrics.source, result.lyrics.text) == ("lrclib", TEXT.strip())
    assert result.decision is Decision.WORDS
