"""A music server as a source of news: what it tells, how little it is asked, what it may not do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lyricsyncd.catalog.catalog import FILE_NAME, Catalog, Outcome, Priority, State
from lyricsyncd.config.reader import load
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import ConfigError, Refused, Unreachable
from lyricsyncd.library.rules import Rules
from lyricsyncd.model import Track
from lyricsyncd.opensubsonic.client import Client, ScanStatus
from lyricsyncd.opensubsonic.poller import Poller, start_polling
from tests.opensubsonic_server import API_KEY, PASSWORD, USER, MusicServer, music_server
from tests.waiting import until
from tests.web_api import SONG

DAY = 86400.0


def settings(url: str, **more: Any) -> Config:
    server = {"url": url, "user": USER, "password": PASSWORD, **more}
    return Config.model_validate({"opensubsonic": {k: v for k, v in server.items() if v}})


@dataclass
class Home:
    """A library, a catalog and a poller of a server."""

    music: Path
    catalog: Catalog
    server: MusicServer
    scans: int = 0
    now: float = 1_800_000_000.0

    def poller(self, **more: Any) -> Poller:
        found = settings(self.server.url, **more).opensubsonic
        return Poller(found, self.catalog, [Rules(self.music)], lambda _: None, self._scan)

    def _scan(self) -> None:
        self.scans += 1

    def song(self, name: str, *, known: bool = False) -> Path:
        path = self.music / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        if known:
            self.catalog.enqueue(path, Priority.BACKFILL, "test", library=self.music)
        return path

    def named(self, name: str, title: str, **tags: Any) -> int:
        """A song that the catalog knows by its tags."""
        entry = self.catalog.by_path(self.song(name, known=True))
        assert entry is not None
        self.catalog.claim("test", 60, only=[entry.id])
        artist, duration = tags.get("artist", "Artist"), tags.get("duration", 200.0)
        self.catalog.found(entry.id, "test", Track(artist=artist, title=title, duration=duration))
        self.catalog.release(entry.id, "test")
        return entry.id

    def priority(self, path: Path) -> int | None:
        entry = self.catalog.by_path(path)
        return None if entry is None else entry.priority


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    music = tmp_path / "music"
    music.mkdir()
    with music_server() as server, Catalog(tmp_path / FILE_NAME) as catalog:
        made = Home(music, catalog, server)
        catalog.clock = lambda: made.now
        yield made


class TestClient:
    def test_it_signs_with_a_fresh_salt_and_is_always_the_same_player(self, home: Home) -> None:
        client = Client(settings(home.server.url).opensubsonic)
        assert client.scan_status() == ScanStatus(False, "2026-01-01T00:00:00Z")
        client.now_playing()
        (_, first, agent), (_, second, _) = home.server.asked
        assert first["s"] != second["s"]
        assert PASSWORD not in str(home.server.asked)
        assert (first["c"], agent) == ("lyricsyncd", "lyricsyncd")

    def test_it_may_show_a_key(self, home: Home) -> None:
        config = settings(home.server.url, user=None, password=None, api_key=API_KEY)
        Client(config.opensubsonic).scan_status()
        assert not {"u", "t", "p"} & set(home.server.asked[0][1])

    @pytest.mark.parametrize(
        ("change", "remedy"),
        [
            ({"password": "wrong"}, "opensubsonic.password"),
            ({"api_key": "wrong"}, "opensubsonic.api_key"),
            ({"auth": "password"}, "opensubsonic.api_key"),
        ],
    )
    def test_a_refusal_says_what_to_do(
        self, home: Home, change: dict[str, str], remedy: str
    ) -> None:
        with pytest.raises(Refused) as caught:
            Client(settings(home.server.url, **change).opensubsonic).scan_status()
        assert remedy in str(caught.value)
        assert "wrong" not in caught.value.message

    def test_a_server_that_is_away_may_come_back(self) -> None:
        with pytest.raises(Unreachable):
            Client(settings("http://127.0.0.1:9").opensubsonic, timeout=1).scan_status()


class TestPoll:
    @pytest.mark.parametrize("last_scan", ["2026-01-01T00:00:00Z", None])
    def test_with_nothing_new_three_requests_do_for_ten_thousand_songs(
        self, home: Home, last_scan: str | None
    ) -> None:
        for id in range(10_000):
            home.server.add(id, f"album {id // 12}")
        home.server.last_scan = last_scan
        poller = home.poller()
        poller.poll()
        for _ in range(3):
            before = len(home.server.asked)
            poller.poll()
            assert len(home.server.asked) - before <= 3
        # Nor after a scan that found nothing, nor after a restart.
        home.server.last_scan = last_scan and "2026-01-02T00:00:00Z"
        before = len(home.server.asked)
        home.poller().poll()
        assert len(home.server.asked) - before <= 3

    def test_a_new_album_is_queued_as_an_import(self, home: Home) -> None:
        home.server.add(1, "old", path=str(home.song("old/1.mp3")))
        poller = home.poller()
        poller.poll()
        assert home.priority(home.music / "old/1.mp3") == Priority.BACKFILL
        home.server.add(2, "new", path=str(home.song("new/2.mp3")))
        home.server.last_scan = "2026-01-02T00:00:00Z"
        poller.poll()
        assert home.priority(home.music / "new/2.mp3") == Priority.IMPORT
        assert home.server.count("getAlbum") == 1
        assert home.scans == 0

    def test_while_the_server_scans_it_is_left_alone(self, home: Home) -> None:
        home.server.scanning = True
        poller = home.poller()
        poller.poll()
        assert home.server.count("search3") == 0
        home.server.scanning = False
        poller.poll()
        assert home.server.count("search3") == 1

    def test_a_song_added_to_an_old_album_is_noticed(self, home: Home) -> None:
        home.server.add(1, "album", path=str(home.song("1.mp3")))
        poller = home.poller()
        poller.poll()
        home.server.add(2, "album", path=str(home.song("2.mp3")))
        home.server.last_scan = "2026-01-02T00:00:00Z"
        poller.poll()
        assert home.priority(home.music / "2.mp3") == Priority.IMPORT

    def test_all_songs_are_gone_through_once_a_day(self, home: Home) -> None:
        poller = home.poller()
        for hours in (0, 12, 25, 26):
            home.now = 1_800_000_000 + 3600.0 * hours
            poller.poll()
        assert home.server.count("search3") == 2

    def test_paths_of_a_container_are_mapped(self, home: Home) -> None:
        home.server.add(1, "a", path="/music/a/1.mp3")
        home.song("a/1.mp3")
        home.poller(path_map={"/music": str(home.music)}).poll()
        assert home.priority(home.music / "a/1.mp3") == Priority.BACKFILL

    def test_behind_a_made_up_path_the_song_is_found_by_its_names(self, home: Home) -> None:
        id = home.named("x/track01.mp3", "Song 2")
        home.server.add(1, "old")
        poller = home.poller()
        poller.poll()
        scans = home.scans
        home.server.add(2, "new", path="Artist/new/01-02 - Song 2.mp3")
        home.server.last_scan = "later"
        poller.poll()
        entry = home.catalog.get(id)
        assert entry is not None
        assert entry.priority == Priority.IMPORT
        assert home.scans == scans

    def test_a_musicbrainz_id_tells_takes_apart(self, home: Home) -> None:
        import mutagen.id3

        id3: Any = mutagen.id3
        ids = ["11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"]
        for number, recording in enumerate(ids):
            path = home.music / f"{number}.mp3"
            shutil.copyfile(SONG, path)
            tags = id3.ID3(path)
            tags.add(id3.UFID(owner="http://musicbrainz.org", data=recording.encode()))
            tags.save()
            home.catalog.enqueue(path, Priority.BACKFILL, "test", library=home.music)
        child = home.server.add(
            5, "a", title="The Star", artist="The Sampled Choir", duration=44, musicBrainzId=ids[1]
        )
        for number in range(2):
            entry = home.catalog.by_path(home.music / f"{number}.mp3")
            assert entry is not None
            home.catalog.claim("test", 60, only=[entry.id])
            home.catalog.found(
                entry.id, "test", Track(artist="The Sampled Choir", title="The Star", duration=43.7)
            )
            home.catalog.release(entry.id, "test")
        home.server.playing = [child]
        home.poller().poll()
        assert home.priority(home.music / "1.mp3") == Priority.PLAYING
        assert home.priority(home.music / "0.mp3") != Priority.PLAYING

    def test_songs_that_cannot_be_found_mean_a_scan_and_no_more_than_one(self, home: Home) -> None:
        for id in range(700):
            home.server.add(id, "album", path=f"made/up/{id}.mp3")
        poller = home.poller()
        poller.poll()
        poller.poll()
        assert home.scans == 1

    def test_what_plays_goes_to_the_front_once(self, home: Home) -> None:
        path = home.song("1.mp3", known=True)
        home.server.playing = [home.server.add(1, "a", path=str(path))]
        poller = home.poller()
        poller.poll()
        assert home.priority(path) == Priority.PLAYING
        entry = home.catalog.by_path(path)
        assert entry is not None
        home.catalog.skip([entry.id])
        home.catalog.retry([entry.id])
        poller.poll()
        assert home.priority(path) == Priority.PLAYING

    def test_nothing_outside_the_libraries_is_taken(self, home: Home, tmp_path: Path) -> None:
        secret = tmp_path / "secret.mp3"
        secret.write_bytes(b"x")
        home.server.add(1, "a", path=str(secret))
        home.server.add(2, "a", path="../secret.mp3")
        home.poller().poll()
        assert sum(home.catalog.counts().values()) == 0


class TestRescan:
    def written(self, home: Home, *, tag: bool) -> None:
        path = home.song("1.mp3", known=True)
        entry = home.catalog.by_path(path)
        assert entry is not None
        home.catalog.claim("test", 60, only=[entry.id])
        side = path if tag else path.with_suffix(".lrc")
        home.catalog.finish(entry.id, "test", Outcome(State.DONE, "fine", written=(side,)))

    @pytest.mark.parametrize(("tag", "scans"), [(True, 1), (False, 0)])
    def test_tags_need_one_and_sidecars_none(self, home: Home, tag: bool, scans: int) -> None:
        poller = home.poller()
        poller.poll()
        home.now += 700
        self.written(home, tag=tag)
        home.now += 1
        for _ in range(3):
            poller.poll()
        assert home.server.count("startScan") == scans

    def test_who_may_not_is_reported_once(
        self, home: Home, caplog: pytest.LogCaptureFixture
    ) -> None:
        home.server.admin = False
        poller = home.poller()
        poller.poll()
        for _ in range(3):
            home.now += 700
            self.written(home, tag=True)
            home.now += 1
            home.catalog.retry([1])
            poller.poll()
        assert home.server.count("startScan") == 1
        assert caplog.text.count("next scan") == 1

    def test_it_may_be_left_to_the_server(self, home: Home) -> None:
        poller = home.poller()
        poller._may_rescan = False
        self.written(home, tag=True)
        home.now += 700
        poller.poll()
        assert home.server.count("startScan") == 0


def test_the_thread_outlives_a_server_that_comes_late(home: Home) -> None:
    config = Config.model_validate(
        {
            "libraries": [{"path": str(home.music)}],
            "opensubsonic": {"url": home.server.url, "user": USER, "password": PASSWORD},
        }
    )
    woken: list[int] = []
    thread = start_polling(
        config, home.catalog, lambda _: None, lambda: None, lambda: woken.append(1)
    )
    assert thread is not None
    until(lambda: woken, "the first song")
    thread.stop()
    assert home.server.count("search3") == 1


def test_without_an_address_nobody_is_asked(home: Home) -> None:
    nothing = lambda *_: None  # noqa: E731
    assert start_polling(Config(), home.catalog, nothing, nothing, nothing) is None


def test_a_server_needs_another_to_sign_in(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("opensubsonic: {url: 'http://x', user: anna}", encoding="utf-8")
    with pytest.raises(ConfigError, match="needs user and password, or api_key"):
        load(path, {})
