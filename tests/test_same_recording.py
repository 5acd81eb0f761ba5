"""The same recording at two places is placed once, and only if it is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mutagen
import pytest

from lyricsyncd.audio import packets_digest
from lyricsyncd.catalog.catalog import Catalog, Entry, State
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import AudioError
from lyricsyncd.library.rules import Rules
from lyricsyncd.library.scan import reconcile
from lyricsyncd.work.placing_queue import PlacingQueue
from tests.service_home import SONG, TEXT
from tests.test_identify import song
from tests.waiting import work_off

TIMEOUT_S = 120


class TestDigest:
    def test_other_tags_change_nothing(self, tmp_path: Path) -> None:
        one = song(tmp_path, "one.mp3", artist="Ann", title="Halo", album="First")
        two = song(tmp_path, "two.mp3", artist="Various", title="Halo (2010)" * 20, album="Hits")
        assert one.read_bytes() != two.read_bytes()
        assert packets_digest(one) == packets_digest(two)

    def test_other_sound_does(self, tmp_path: Path) -> None:
        one = song(tmp_path, "one.mp3", artist="Ann", title="Halo")
        two = tmp_path / "two.mp3"
        content = bytearray(one.read_bytes())
        content[len(content) // 2] ^= 1
        two.write_bytes(content)
        assert packets_digest(one) != packets_digest(two)

    def test_a_part_of_it_is_another_recording(self, tmp_path: Path) -> None:
        one = song(tmp_path, "one.mp3", artist="Ann", title="Halo")
        two = tmp_path / "two.mp3"
        two.write_bytes(one.read_bytes()[:-2000])
        assert packets_digest(one) != packets_digest(two)

    def test_what_is_no_song_is_reported(self, tmp_path: Path) -> None:
        (tmp_path / "x.mp3").write_bytes(b"nothing")
        with pytest.raises(AudioError):
            packets_digest(tmp_path / "x.mp3")


class TestCopiesThatComeAtOnce:
    @pytest.fixture
    def queue(self) -> PlacingQueue[str]:
        """A queue of songs, of which those with the same first letter may be the same recording."""
        return PlacingQueue(lambda song, other: song[0] == other[0])

    def test_come_one_after_the_other_and_hold_up_no_other_song(
        self, queue: PlacingQueue[str]
    ) -> None:
        for name in ("a1", "a2", "b1", "a3"):
            queue.put(name)
        assert [queue.take(), queue.take()] == ["a1", "b1"]
        queue.done("a1")
        assert queue.take() == "a2"
        queue.done("a2")
        assert queue.take() == "a3"

    def test_are_waited_for_by_a_thread_that_has_nothing_else_to_do(
        self, queue: PlacingQueue[str]
    ) -> None:
        for name in ("a1", "a2"):
            queue.put(name)
        assert queue.take() == "a1"
        with ThreadPoolExecutor(1) as threads:
            second = threads.submit(queue.take)
            queue.close()
            assert not second.done()
            queue.done("a1")
            assert second.result(TIMEOUT_S) == "a2"
        queue.done("a2")
        assert queue.take() is None


@pytest.mark.slow
@pytest.mark.daemon
@pytest.mark.usefixtures("own_folders")
class TestPlacedOnce:
    """Real songs and models (without the separator)."""

    @pytest.fixture
    def music(self, tmp_path: Path) -> Path:
        (tmp_path / "music").mkdir()
        return tmp_path / "music"

    @pytest.fixture
    def work(self, tmp_path: Path, music: Path) -> Iterator[Callable[..., dict[str, Entry]]]:
        with Catalog(tmp_path / "catalog.db") as catalog:

            def work(retry: str | None = None, **settings: Any) -> dict[str, Entry]:
                reconcile(catalog, Rules(music))
                if retry is not None:
                    entry = catalog.by_path(music / retry)
                    assert entry is not None
                    catalog.retry([entry.id])
                config = Config.model_validate(
                    {
                        "lyrics": {"order": ["local"]},
                        "models": {"separator": "mix"},
                        "daemon": {"settle": 0, "workers": 2},
                        **settings,
                    }
                )
                work_off(catalog, config)
                return {entry.path.name: entry for entry in catalog.entries()}

            yield work

    def drop(self, music: Path, name: str, words: str = TEXT, **tags: str) -> Path:
        path = song(music, name, **tags)
        path.with_suffix(".txt").write_text(words, encoding="utf-8")
        return path

    def test_the_second_takes_the_times_of_the_first(
        self, music: Path, work: Callable[..., dict[str, Entry]]
    ) -> None:
        self.drop(music, "album.mp3", artist="Jane", title="The Star", album="Rhymes")
        self.drop(music, "hits.mp3", artist="Various", title="The Star (Live)", album="Hits")
        became = work()
        first, second = became["album.mp3"], became["hits.mp3"]
        assert (first.state, second.state) == (State.DONE, State.DONE)
        assert second.reason == f"The same recording as {first.path}, whose times it takes"
        assert "align" in first.stages
        assert "align" not in second.stages
        assert second.quality == first.quality
        marks = [
            [line for line in each.read_text(encoding="utf-8").splitlines() if line[:2] == "[0"]
            for each in (music / "album.elrc", music / "hits.elrc")
        ]
        assert marks[0] == marks[1]
        assert len(marks[0]) > 5

    def test_tags_keep_the_times_as_well(
        self, music: Path, work: Callable[..., dict[str, Entry]]
    ) -> None:
        self.drop(music, "album.mp3", artist="Jane", title="The Star", album="Rhymes")
        self.drop(music, "hits.mp3", artist="Various", title="The Star", album="Hits")
        became = work(output={"preset": "embed"})
        assert "whose times it takes" in str(became["hits.mp3"].reason)
        frames = [
            mutagen.File(music / name).tags.getall("SYLT")[0].text
            for name in ("album.mp3", "hits.mp3")
        ]
        assert frames[0] == frames[1]

    def test_other_words_are_placed_anew(
        self, music: Path, work: Callable[..., dict[str, Entry]]
    ) -> None:
        self.drop(music, "album.mp3", artist="Jane", title="The Star")
        self.drop(music, "hits.mp3", TEXT.replace("star", "starr", 1), artist="V", title="The Star")
        assert "align" in work()["hits.mp3"].stages

    def test_edited_lyrics_of_the_first_are_not_taken(
        self, music: Path, work: Callable[..., dict[str, Entry]]
    ) -> None:
        self.drop(music, "album.mp3", artist="Jane", title="The Star")
        work()
        for suffix in (".elrc", ".lrc"):
            file = (music / "album.mp3").with_suffix(suffix)
            file.write_text(file.read_text(encoding="utf-8").replace("[00:", "[01:"))
        self.drop(music, "hits.mp3", artist="V", title="The Star")
        assert "align" in work()["hits.mp3"].stages

    def test_what_a_person_wants_placed_is_placed(
        self, music: Path, work: Callable[..., dict[str, Entry]]
    ) -> None:
        self.drop(music, "album.mp3", artist="Jane", title="The Star")
        self.drop(music, "hits.mp3", artist="V", title="The Star")
        assert "align" not in work()["hits.mp3"].stages
        assert "align" in work(retry="hits.mp3")["hits.mp3"].stages

    def test_another_recording_of_the_same_length_is_placed(
        self, music: Path, work: Callable[..., dict[str, Entry]]
    ) -> None:
        self.drop(music, "album.mp3", artist="Jane", title="The Star")
        other = self.drop(music, "hits.mp3", artist="V", title="The Star")
        content = bytearray(SONG.read_bytes())
        content[len(content) // 2] ^= 1
        other.write_bytes(content)
        assert "align" in work()["hits.mp3"].stages
