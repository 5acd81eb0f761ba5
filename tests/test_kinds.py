"""Podcasts, audiobooks and instrumentals are known by what their files say of themselves."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mutagen.id3 import PCST, TCON, TIT2, TPE1, USLT, WFED
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4

from lyricsyncd.catalog.catalog import Catalog, Priority, State
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import NotASong
from lyricsyncd.identify import read_tags
from lyricsyncd.identify.kinds import Kind, says_instrumental, unsung
from lyricsyncd.library.rules import Rules
from lyricsyncd.library.scan import reconcile
from lyricsyncd.model import Track
from lyricsyncd.pipeline.pipeline import LyricSyncPipeline
from tests.local_services import Asked, Reply, serving
from tests.test_identify import song
from tests.waiting import work_off

pytestmark = pytest.mark.usefixtures("own_folders")

LOCAL = {"lyrics": {"order": ["local"]}, "daemon": {"settle": 0}}


def kind_of(**facts: Any) -> Kind | None:
    found = unsung(Track(**{"duration": 200.0, **facts}))
    return None if found is None else found.kind


class TestByGenre:
    @pytest.mark.parametrize("genre", ["Podcast", "podcasts", "Подкаст", "Comedy; Podcast"])
    def test_podcasts_are_recognised(self, genre: str) -> None:
        assert kind_of(genres=(genre,)) is Kind.PODCAST

    @pytest.mark.parametrize(
        "genre",
        [
            *(
                "Audiobook",
                "Audio Book",
                "Hörbuch",
                "Hoerbuch",
                "Hörspiel",
                "Livre audio",
                "Speech",
            ),
            *("audiolibro", "Luisterboek", "Ljudbok", "Аудиокнига", "有声书", "Krimi/Hörspiel"),
        ],
    )
    def test_audiobooks_are_recognised(self, genre: str) -> None:
        assert kind_of(genres=(genre,)) is Kind.AUDIOBOOK

    def test_speech_among_other_genres_is_a_song(self) -> None:
        assert kind_of(genres=("Hip-Hop", "Spoken Word")) is None

    @pytest.mark.parametrize("genre", ["Rock", "Instrumental Rock", "Audio", "Book", "Vocal", ""])
    def test_other_genres_say_nothing(self, genre: str) -> None:
        assert kind_of(genres=(genre,)) is None

    def test_instrumental_as_the_only_genre(self) -> None:
        assert kind_of(genres=("Instrumental",)) is Kind.INSTRUMENTAL
        assert kind_of(genres=("Hip-Hop", "Instrumental")) is None


class TestByTitle:
    @pytest.mark.parametrize(
        "title",
        [
            *("Halo (Instrumental)", "Halo [Instrumental]", "Halo - Instrumental", "Halo (Inst.)"),
            *(
                "Halo (Instrumental Version)",
                "Halo (Instrumental) [2011 Remaster]",
                "Halo (Instr.)",
            ),
            *("Halo (Karaoke Version)", "光 -Instrumental-", "光 ~Instrumental~", "光(off vocal)"),
            *(
                "光 (カラオケ)",
                "光 (オリジナル・カラオケ) (Instrumental)",
                "HALO – INSTRUMENTAL MIX",
            ),
        ],
    )
    def test_what_stands_after_the_name(self, title: str) -> None:
        assert says_instrumental(title)
        assert kind_of(title=title) is Kind.INSTRUMENTAL

    @pytest.mark.parametrize(
        "title",
        [
            *("Instrumental", "(Instrumental)", "Instrumental Break", "The Instrumentals of Love"),
            *("Halo (with Instrumental Intro)", "Karaoke", "Karaoke Queen", "Halo (Live)", "Halo"),
            *("Song for the Instrumentalists", "Halo - Karaoke Nights", "Non-Instrumental", ""),
        ],
    )
    def test_the_word_within_a_name_says_nothing(self, title: str) -> None:
        assert not says_instrumental(title)
        assert kind_of(title=title) is None

    def test_a_hostile_title_is_read_at_once(self) -> None:
        assert not says_instrumental("(" * 500)
        assert not says_instrumental(" - ~" * 125 + "x")
        assert not says_instrumental("a (b) " * 80 + "a")

    def test_an_album_of_instrumentals(self) -> None:
        assert kind_of(title="Halo", album="Illmatic (Instrumentals)") is Kind.INSTRUMENTAL
        assert kind_of(title="Halo", album="Illmatic - Instrumentals") is Kind.INSTRUMENTAL
        assert kind_of(title="Halo", album="Instrumentals") is None

    def test_a_band_of_that_name_is_a_band(self) -> None:
        assert kind_of(artist="Instrumental", title="Halo") is None
        assert kind_of(artist="The Instrumentals", title="Halo", album="Karaoke") is None


class TestByLength:
    def test_only_what_is_longer_than_any_song(self) -> None:
        assert kind_of(duration=1799.0) is None
        assert kind_of(duration=1801.0) is Kind.LONG
        assert kind_of(duration=None) is None

    def test_half_an_hour_of_noise_is_not_looked_up(self, tmp_path: Path) -> None:
        path = tmp_path / "Ann - Concert.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 1, 8000, 0, "NONE", ""))
            file.writeframes(bytes(8000 * 1801))
        pipeline = LyricSyncPipeline(config=Config.model_validate(LOCAL))
        with pytest.raises(NotASong, match=r"longer \(30 min\).*Split it into songs"):
            pipeline.find(path)

    @pytest.mark.parametrize(
        ("words", "is_used"), [("la la\n", False), ("[00:01.00]<00:01.00>la <00:02.00>\n", True)]
    )
    def test_words_beside_it_are_used_if_they_have_times(
        self, tmp_path: Path, words: str, is_used: bool
    ) -> None:
        path = tmp_path / "Ann - Concert.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 1, 8000, 0, "NONE", ""))
            file.writeframes(bytes(8000 * 1801))
        path.with_suffix(".lrc").write_text(words, encoding="utf-8")
        pipeline = LyricSyncPipeline(config=Config.model_validate(LOCAL))
        if is_used:
            assert not pipeline.find(path).needs_models
        else:
            with pytest.raises(NotASong, match=r"longer \(30 min\) than words can be placed on"):
                pipeline.find(path)


class TestByMarks:
    def test_numbers_of_id3_genres(self, tmp_path: Path) -> None:
        path = song(tmp_path, "x.mp3", artist="Ann", title="Talk")
        file = MP3(path)
        assert file.tags is not None
        file.tags.add(TCON(encoding=3, text=["(183)"]))
        file.save()
        assert read_tags(path).genres == ("Audiobook",)

    def test_frames_of_podcasts(self, tmp_path: Path) -> None:
        for frame in (PCST(value=1), WFED(url="https://feed.example/rss")):
            path = song(tmp_path, "x.mp3", artist="Ann", title="Episode 1")
            file = MP3(path)
            assert file.tags is not None
            file.tags.add(frame)
            file.save()
            assert read_tags(path).marked_as == "podcast"

    @pytest.mark.parametrize(
        ("atoms", "mark"),
        [
            ({"pcst": True}, "podcast"),
            ({"pcst": False}, None),
            ({"stik": [21]}, "podcast"),
            ({"stik": [2]}, "audiobook"),
            ({"stik": [1]}, None),
        ],
    )
    def test_atoms_of_mp4(self, tmp_path: Path, atoms: dict[str, Any], mark: str | None) -> None:
        path = m4a(tmp_path / "x.m4a")
        file = MP4(path)
        file.update(atoms)
        file.save()
        assert read_tags(path).marked_as == mark

    def test_the_suffix_of_audiobooks(self, tmp_path: Path) -> None:
        assert read_tags(m4a(tmp_path / "x.m4b")).marked_as == "audiobook"

    def test_a_language_of_none_is_an_instrumental(self, tmp_path: Path) -> None:
        path = song(tmp_path, "x.mp3", artist="Ann", title="Air", language="zxx")
        assert kind_of(marked_as=read_tags(path).marked_as) is Kind.INSTRUMENTAL


class TestInTheCatalog:
    """Real files, through a scan and the runner."""

    @pytest.fixture
    def music(self, tmp_path: Path) -> Path:
        music = tmp_path / "music"
        music.mkdir()
        return music

    @pytest.fixture
    def catalog(self, tmp_path: Path) -> Iterator[Catalog]:
        with Catalog(tmp_path / "catalog.db") as catalog:
            yield catalog

    def work(
        self, catalog: Catalog, music: Path, **settings: Any
    ) -> dict[str, tuple[State, str | None]]:
        """What became of each song."""
        reconcile(catalog, Rules(music))
        work_off(catalog, Config.model_validate({**LOCAL, **settings}))
        return {each.path.name: (each.state, each.reason) for each in catalog.entries()}

    def test_they_are_neither_looked_up_nor_placed(self, catalog: Catalog, music: Path) -> None:
        song(music, "pod.mp3", artist="Ann", title="Episode 1", genre="Podcast")
        song(music, "inst.mp3", artist="Ann", title="Halo (Instrumental)")
        song(music, "song.mp3", artist="Ann", title="Halo")
        became = self.work(catalog, music)
        assert became["pod.mp3"] == (
            State.IGNORED,
            'It is a podcast (its genre is "Podcast"), so its words are not looked up',
        )
        assert became["inst.mp3"] == (
            State.INSTRUMENTAL,
            'It is an instrumental (it is called "Halo (Instrumental)"): nothing to place',
        )
        assert became["song.mp3"][0] is State.NO_LYRICS

    def test_no_source_on_the_network_is_asked(self, catalog: Catalog, music: Path) -> None:
        song(music, "pod.mp3", artist="Ann", title="Episode 1", genre="Podcast")
        song(music, "inst.mp3", artist="Ann", title="Halo (Instrumental)")
        asked: list[Asked] = []

        def answer(request: Asked) -> Reply:
            asked.append(request)
            return Reply(body=b"[]")

        with serving(answer) as service:
            lrclib = {"order": ["local", "lrclib"], "lrclib": {"url": service.url}}
            became = self.work(catalog, music, lyrics=lrclib)
        assert {state for state, _ in became.values()} == {State.IGNORED, State.INSTRUMENTAL}
        assert asked == []

    def test_words_beside_them_win(self, catalog: Catalog, music: Path) -> None:
        words = "[00:01.00]<00:01.00>Twinkle, <00:02.00>twinkle <00:03.00>\n"
        for name, title, genre in (
            ("pod.mp3", "Episode 1", "Podcast"),
            ("inst.mp3", "Halo (Instrumental)", "Pop"),
        ):
            path = song(music, name, artist="Ann", title=title, genre=genre)
            path.with_suffix(".elrc").write_text(words, encoding="utf-8")
        became = self.work(catalog, music)
        assert {state for state, _ in became.values()} == {State.DONE}

    def test_notes_in_the_tags_of_a_podcast_are_no_lyrics(
        self, catalog: Catalog, music: Path
    ) -> None:
        path = song(music, "pod.mp3", artist="Ann", title="Episode 1", genre="Podcast")
        file = MP3(path)
        assert file.tags is not None
        file.tags.add(USLT(encoding=3, lang="eng", text="In this episode …"))
        file.save()
        assert self.work(catalog, music)["pod.mp3"][0] is State.IGNORED

    def test_words_that_come_later_are_placed(self, catalog: Catalog, music: Path) -> None:
        path = song(music, "pod.mp3", artist="Ann", title="Episode 1", genre="Podcast")
        self.work(catalog, music)
        words = "[00:01.00]<00:01.00>Twinkle, <00:02.00>twinkle <00:03.00>\n"
        path.with_suffix(".elrc").write_text(words, encoding="utf-8")
        assert self.work(catalog, music)["pod.mp3"][0] is State.DONE

    def test_tags_that_are_corrected_count(self, catalog: Catalog, music: Path) -> None:
        path = song(music, "pod.mp3", artist="Ann", title="Halo", genre="Podcast")
        assert self.work(catalog, music)["pod.mp3"][0] is State.IGNORED
        file = MP3(path)
        assert file.tags is not None
        file.tags.delall("TCON")
        file.tags.setall("TIT2", [TIT2(encoding=3, text=["A song of some other name"])])
        file.tags.setall("TPE1", [TPE1(encoding=3, text=["Ann"])])
        file.save()
        assert self.work(catalog, music)["pod.mp3"][0] is State.NO_LYRICS

    def test_what_a_person_skipped_stays_so(self, catalog: Catalog, music: Path) -> None:
        path = song(music, "pod.mp3", artist="Ann", title="Halo", genre="Podcast")
        self.work(catalog, music)
        entry = catalog.by_path(path)
        assert entry is not None
        catalog.skip([entry.id])
        assert catalog.enqueue(path, Priority.IMPORT, "test").value == "ignored"


class TestByHand:
    def test_a_song_that_a_person_names_is_a_song(self, tmp_path: Path) -> None:
        path = song(tmp_path, "x.mp3", artist="Ann", title="Halo", genre="Podcast")
        pipeline = LyricSyncPipeline(config=Config.model_validate(LOCAL))
        assert pipeline.find(path, lyrics="Twinkle twinkle").lyrics.words
        with pytest.raises(NotASong, match="Put them beside it"):
            pipeline.find(path)


def m4a(path: Path) -> Path:
    """A second of silence."""
    import av
    import numpy as np

    with av.open(str(path), "w", format="ipod") as container:
        stream = container.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 48000), np.float32), format="fltp", layout="mono"
        )
        frame.rate = 48000
        for resampled in av.AudioResampler(
            format="fltp", layout="mono", rate=48000, frame_size=stream.frame_size
        ).resample(frame):
            container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))
    return path
