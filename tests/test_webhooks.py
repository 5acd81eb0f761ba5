"""What Lidarr and Jellyfin send, as their sources and documentation show it.

Lidarr: `NzbDrone.Core/Notifications/Webhook/*.cs`. Jellyfin: the webhook plugin's README and
`DataObjectHelpers.cs`, the generic destination with "send all properties".
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lyricsyncd.catalog.catalog import Priority
from lyricsyncd.web.reply import Problem
from lyricsyncd.web.webhooks import read_events
from tests.web_api import Home, home

ARTIST = {
    "id": 1,
    "name": "The Sampled Choir",
    "path": "/data/music/The Sampled Choir",
    "mbId": "0383dadf-2a4e-4d10-a46a-e9e041da8eb3",
}


def file(path: str, **more: Any) -> dict[str, Any]:
    return {
        "id": 7,
        "path": path,
        "quality": "FLAC",
        "qualityVersion": 1,
        "releaseGroup": "",
        "size": 31457280,
        "dateAdded": "2026-01-02T03:04:05Z",
        **more,
    }


IMPORT: dict[str, Any] = {
    "eventType": "Download",
    "instanceName": "Lidarr",
    "applicationUrl": "",
    "artist": ARTIST,
    "album": {"id": 3, "title": "Stars", "releaseDate": "2020-01-01T00:00:00Z"},
    "tracks": [{"id": 9, "title": "The Star", "trackNumber": "1", "quality": "FLAC"}],
    "trackFiles": [
        file("/data/music/The Sampled Choir/Stars/01.mp3"),
        file("/data/music/The Sampled Choir/Stars/02.mp3"),
    ],
    "isUpgrade": False,
    "downloadClient": "qBittorrent",
    "downloadClientType": "qBittorrent",
    "downloadId": "ABC",
}
PLAYING: dict[str, Any] = {
    "ServerId": "d8f2",
    "ServerName": "jellyfin",
    "ServerVersion": "10.10.3",
    "ServerUrl": "http://jellyfin.lan",
    "NotificationType": "PlaybackStart",
    "Timestamp": "2026-01-02T03:04:05+01:00",
    "UtcTimestamp": "2026-01-02T02:04:05Z",
    "Name": "The Star",
    "Overview": "",
    "Tagline": "",
    "ItemId": "2c9b",
    "ItemType": "Audio",
    "RunTimeTicks": 436767346,
    "RunTime": "00:00:43",
    "Year": 2020,
    "Album": "Stars",
    "Artist": "The Sampled Choir",
    "PlaybackPositionTicks": 0,
    "IsPaused": False,
    "NotificationUsername": "anna",
}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Home]:
    with home(tmp_path, path_map={"/data/music": str(tmp_path / "music")}) as made:
        yield made


def reported(api: Home, body: Any) -> list[str]:
    answer = api.post("/api/v1/events", body)
    assert answer.status_code == 202, answer.text
    return [each["result"] for each in answer.json()["results"]]


class TestLidarr:
    def test_an_import_queues_its_files(self, api: Home) -> None:
        api.song("The Sampled Choir/Stars/01.mp3", None)
        api.song("The Sampled Choir/Stars/02.mp3", None)
        assert reported(api, IMPORT) == ["new", "new"]
        assert {entry.priority for entry in api.catalog.entries()} == {Priority.IMPORT}

    def test_an_upgrade_tells_what_is_gone(self, api: Home) -> None:
        api.known("The Sampled Choir/Stars/01.flac", None)
        (api.music / "The Sampled Choir/Stars/01.flac").unlink()
        api.song("The Sampled Choir/Stars/01.mp3", None)
        upgrade = {
            **IMPORT,
            "trackFiles": IMPORT["trackFiles"][:1],
            "isUpgrade": True,
            "deletedFiles": [file("/data/music/The Sampled Choir/Stars/01.flac")],
        }
        assert reported(api, upgrade) == ["new", "removed"]

    def test_a_rename_keeps_what_is_known(self, api: Home) -> None:
        id = api.known("The Sampled Choir/Stars/01.mp3", None)
        album = api.music / "The Sampled Choir/Stars"
        (album / "01.mp3").rename(album / "01 - The Star.mp3")
        rename = {
            "eventType": "Rename",
            "artist": ARTIST,
            "renamedTrackFiles": [
                file(
                    "/data/music/The Sampled Choir/Stars/01 - The Star.mp3",
                    previousPath="/data/music/The Sampled Choir/Stars/01.mp3",
                )
            ],
        }
        assert reported(api, rename) == ["waiting"]
        entry = api.catalog.get(id)
        assert entry is not None
        assert entry.path.name == "01 - The Star.mp3"

    def test_new_tags_are_a_change(self, api: Home) -> None:
        api.song("a.mp3", None)
        retag = {"eventType": "Retag", "artist": ARTIST, "trackFile": file("/data/music/a.mp3")}
        assert reported(api, retag) == ["new"]

    @pytest.mark.parametrize("what", ["Test", "Grab", "Health", "ImportFailure", "ArtistAdd"])
    def test_the_rest_is_recognised_and_let_be(self, api: Home, what: str) -> None:
        body = {**IMPORT, "eventType": what, "albums": [{"id": 123, "title": "Test title"}]}
        assert reported(api, body) == []


class TestJellyfin:
    def test_a_song_that_plays_is_found_by_its_names(self, api: Home) -> None:
        id = api.known("The Star.mp3")
        assert reported(api, PLAYING) == ["waiting"]
        entry = api.catalog.get(id)
        assert entry is not None
        assert entry.priority == Priority.PLAYING

    def test_what_it_calls_plain_text_is_read_unless_a_web_page_sends_it(self, api: Home) -> None:
        """As its webhook plugin does, where no other type is set."""
        api.known("The Star.mp3")
        plain = {"Content-Type": "text/plain; charset=utf-8"}
        assert api.post("/api/v1/events", PLAYING, **plain).status_code == 202
        for header, value in (("Origin", "http://testserver"), ("Sec-Fetch-Site", "none")):
            answer = api.post("/api/v1/events", PLAYING, **plain, **{header: value})
            assert answer.status_code in (403, 415)

    def test_a_new_song_is_found_by_its_path(self, api: Home) -> None:
        api.song("x.mp3")
        added = {**PLAYING, "NotificationType": "ItemAdded", "Path": "/data/music/x.mp3"}
        assert reported(api, added) == ["new"]

    @pytest.mark.parametrize(
        "change", [{"ItemType": "Movie"}, {"NotificationType": "UserCreated"}, {"Name": 5}]
    )
    def test_the_rest_is_recognised_and_let_be(self, api: Home, change: dict[str, Any]) -> None:
        assert reported(api, {**PLAYING, **change}) == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
_KEYS = st.sampled_from(
    ["eventType", "NotificationType", "trackFiles", "renamedTrackFiles", "trackFile", "path",
     "deletedFiles", "artist", "ItemType", "Name", "Path", "RunTimeTicks", "event", "events",
     "tags", "from", "priority"]
)  # fmt: skip


@given(
    st.dictionaries(
        _KEYS,
        _JSON | st.sampled_from(["Download", "Rename", "Retag", "ItemAdded", "Audio", "moved"]),
    )
)
def test_whatever_is_sent_gives_events_or_a_reason(body: dict[str, Any]) -> None:
    with contextlib.suppress(Problem):
        _, events = read_events(body)
        assert all(event.path is not None or event.track is not None for event in events)
