"""Words of another version of a song: a last resort, without times, for the sound to decide."""

from __future__ import annotations

from pathlib import Path

import pytest

from lyricsyncd.config.schema import Config
from lyricsyncd.errors import LyricsNotFound
from lyricsyncd.http import Web
from lyricsyncd.lyrics import choose, find_lyrics
from lyricsyncd.lyrics.genius import GeniusSource
from lyricsyncd.lyrics.lrclib import LrclibSource
from lyricsyncd.model import Timing, Track
from lyricsyncd.text import match
from tests.local_services import Entry, Genius, GeniusSong, Lrclib, serving

SYNCED = "[00:05.00]Up above the world\n[00:09.00]so high\n[00:13.00]like a diamond\n"
ARTIST = "Jane Taylor"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "cache"))


def song(title: str, duration: float | None = 200.0) -> Track:
    return Track(artist=ARTIST, artists=(ARTIST,), title=title, duration=duration)


def entry(title: str, duration: float, **more: object) -> Entry:
    return Entry(title, ARTIST, "", duration, synced=SYNCED, **more)  # type: ignore[arg-type]


CASES = [
    (song("The Star (Live at the Palace)", 260.0), entry("The Star", 200.0)),
    (song("The Star", 720.0), entry("The Star", 200.0)),
    (song("The Star (Extended Mix)", 400.0), entry("The Star", 200.0)),
    (song("The Star"), entry("The Star (Demo)", 200.0)),
    (song("The Star (Acoustic)"), entry("The Star", 200.0)),
    (song("The Star - Slowed + Reverb", 240.0), entry("The Star", 200.0)),
]
IDS = ["live take", "hidden track", "extended", "only a demo", "acoustic", "slowed"]


@pytest.mark.parametrize(("track", "only"), CASES, ids=IDS)
class TestWhereThereAreNoOthers:
    def test_they_are_taken_without_times(self, track: Track, only: Entry) -> None:
        with serving(Lrclib([only])) as service:
            config = Config.model_validate(
                {"lyrics": {"order": ["lrclib"], "lrclib": {"url": service.url}}}
            )
            found = find_lyrics(track, config)
        assert found.other_version
        assert found.lyrics.text.startswith("Up above the world")
        assert found.lyrics.timing is Timing.NONE
        assert found.why[0].startswith("chosen, for want of others")
        assert "those of another are tried" in found.warnings[-1]

    def test_they_are_none_where_the_sound_is_not_asked(self, track: Track, only: Entry) -> None:
        with serving(Lrclib([only])) as service, pytest.raises(LyricsNotFound):
            choose(track, [LrclibSource(service.url, Web(interval=0.0))])


def test_the_words_of_the_version_itself_come_first() -> None:
    entries = [entry("The Star", 200.0), entry("The Star (Live)", 260.0, plain="live words")]
    with serving(Lrclib(entries)) as service:
        source = LrclibSource(service.url, Web(interval=0.0))
        found = choose(song("The Star (Live)", 260.0), [source], other_versions=True)
    assert not found.other_version
    assert found.id == "2"


@pytest.mark.parametrize(
    ("track", "title", "artist"),
    [
        (song("The Star (Live)"), "The Moon", ARTIST),
        (song("The Star (Live)"), "The Star", "Somebody Else"),
        (song("The Star (Karaoke)"), "The Star", ARTIST),
        (song("The Star"), "The Star (English Version)", ARTIST),
        (song("The Star Part 2", 260.0), "The Star Part 1", ARTIST),
    ],
)
def test_words_of_another_song_are_none(track: Track, title: str, artist: str) -> None:
    agreed = match.match(track, title=title, artist=artist, album=None, duration=200.0)
    assert not agreed.same_words


def test_that_another_version_is_an_instrumental_says_nothing() -> None:
    only = entry("The Star", 200.0, instrumental=True)
    with serving(Lrclib([only])) as service:
        source = LrclibSource(service.url, Web(interval=0.0))
        with pytest.raises(LyricsNotFound):
            choose(song("The Star (Live)", 260.0), [source], other_versions=True)


def test_one_page_of_another_version_is_fetched_at_most() -> None:
    page = "<div data-lyrics-container='true'>Up above<br/>the world</div>"
    songs = [GeniusSong(f"The Star ({kind})", ARTIST, page) for kind in ("Live", "Demo", "Remix")]
    with serving(Genius(songs)) as service:
        web = Web(interval=0.0)
        source = GeniusSource("right", web, f"{service.url}/", f"{service.url}/")
        found = source.find(song("The Star"))
    assert [candidate.other_version for candidate in found] == [True, False, False]
    assert len(service.paths) == 2
