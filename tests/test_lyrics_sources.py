"""What each source makes of what its service answers."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lyricsyncd import formats
from lyricsyncd.errors import Refused, Unreachable
from lyricsyncd.http import Web, rate_limit
from lyricsyncd.lyrics.genius import GeniusSource
from lyricsyncd.lyrics.lrclib import LrclibSource
from lyricsyncd.lyrics.synced import SyncedlyricsSource
from lyricsyncd.model import Line, Lyrics, Timing, Track, Word
from lyricsyncd.text import match
from tests.local_services import (
    LOGIN_PAGE,
    Asked,
    Entry,
    Genius,
    GeniusSong,
    Lrclib,
    Reply,
    Service,
    as_html,
    as_json,
    serving,
)

SONG = Track(
    artist="Nina Simone",
    artists=("Nina Simone",),
    title="Sinnerman",
    album="Pastel Blues",
    duration=622.0,
)
PLAIN = "Oh, sinnerman, where you gonna run to?\nWhere you gonna run to?\n"
SYNCED = "[00:31.20] Oh, sinnerman, where you gonna run to?\n[04:00.00] Where you gonna run to?\n"
ENTRY = Entry("Sinnerman", "Nina Simone", "Pastel Blues", 622.0, PLAIN, SYNCED)
WEB = Web(timeout=0.5, interval=0.0, backoff=0.01)


@pytest.fixture(autouse=True)
def _nobody_asked_yet() -> Iterator[None]:
    rate_limit.forget()
    yield
    rate_limit.forget()


def ask(service: Service, track: Track = SONG, web: Web = WEB) -> list[Any]:
    return LrclibSource(service.url, web).find(track)


class TestLrclib:
    def test_an_entry_with_the_same_names_and_length_is_enough(self) -> None:
        with serving(Lrclib([ENTRY])) as service:
            (found,) = ask(service)
        assert service.paths == ["/api/get"]
        assert service.asked[0].query == {
            "artist_name": "Nina Simone",
            "track_name": "Sinnerman",
            "album_name": "Pastel Blues",
            "duration": "622",
        }
        assert found.score >= match.SURE
        assert found.lyrics.timing is Timing.LINE
        assert found.lyrics.text == PLAIN.strip()
        assert (found.lyrics.source, found.lyrics.source_id) == ("lrclib", "1")

    def test_word_times_come_from_a_lyricsfile(self) -> None:
        words = (Word("Oh,", 31.2, 31.5), Word("sinnerman", 31.6, 32.4))
        file = formats.write(Lyrics((Line(words, 31.2, 32.4),)), "lyricsfile")
        with serving(Lrclib([Entry(**{**vars_of(ENTRY), "lyricsfile": file})])) as service:
            (found,) = ask(service)
        assert found.lyrics.timing is Timing.WORD
        assert found.lyrics.words[1].start == 31.6

    def test_broken_times_leave_the_words(self) -> None:
        broken = Entry(**{**vars_of(ENTRY), "lyricsfile": "lines: [", "synced": None})
        with serving(Lrclib([broken])) as service:
            found = ask(service)[0]
        assert found.lyrics.timing is Timing.NONE
        assert found.lyrics.text == PLAIN.strip()

    def test_an_instrumental_is_one(self) -> None:
        entry = Entry(**{**vars_of(ENTRY), "instrumental": True})
        with serving(Lrclib([entry])) as service:
            (found,) = ask(service)
        assert found.lyrics.instrumental
        assert not found.lyrics.words

    def test_where_the_names_differ_it_is_searched(self) -> None:
        entry = Entry(**{**vars_of(ENTRY), "title": "Sinnerman (2013 Remaster)", "album": "Best"})
        with serving(Lrclib([entry])) as service:
            found = ask(service)
        assert service.paths[:2] == ["/api/get", "/api/search"]
        assert max(c.score for c in found) >= match.SURE

    def test_times_of_another_length_are_not_believed(self) -> None:
        entry = Entry(**{**vars_of(ENTRY), "duration": 615.0})
        with serving(Lrclib([entry])) as service:
            found = max(ask(service), key=lambda c: c.score)
        assert found.score >= match.ACCEPTED
        assert found.lyrics.timing is Timing.NONE

    def test_times_beyond_the_end_are_not_believed(self) -> None:
        entry = Entry(**{**vars_of(ENTRY), "synced": SYNCED + "[11:40.00] Power!\n"})
        with serving(Lrclib([entry])) as service:
            found = ask(service)[0]
        assert found.lyrics.timing is Timing.NONE
        assert found.lyrics.words[-1].text == "Power!"

    def test_a_song_that_nobody_has(self) -> None:
        with serving(Lrclib([])) as service:
            assert ask(service) == []
        assert len(service.asked) <= 7

    def test_without_names_nothing_is_asked(self) -> None:
        with serving(Lrclib([])) as service:
            assert ask(service, Track(title="Sinnerman")) == []
            assert ask(service, Track(artist="Nina Simone")) == []
        assert service.asked == []

    def test_names_that_were_swapped_in_a_files_name(self) -> None:
        swapped = Track(artist="Sinnerman", title="Nina Simone", duration=622, from_file_name=True)
        with serving(Lrclib([ENTRY])) as service:
            found = ask(service, swapped)
        assert max(c.score for c in found) >= match.ACCEPTED

    @pytest.mark.parametrize(
        ("reply", "error"),
        [
            (as_json({"message": "Something bad happened"}, 500), Unreachable),
            (as_html(LOGIN_PAGE), Unreachable),
            (as_json({}, cut=True, headers={"X": "y" * 10}), Unreachable),
            (as_json(["x"], delay=1.0), Unreachable),
            (Reply(403, LOGIN_PAGE), Refused),
            (Reply(429, headers={"Retry-After": "300"}), Refused),
        ],
        ids=["500", "login page", "cut", "slow", "403", "429"],
    )
    def test_a_bad_day_is_reported(self, reply: Reply, error: type[Exception]) -> None:
        with serving(lambda _asked: reply) as service, pytest.raises(error):
            ask(service)

    @pytest.mark.parametrize(
        "answer",
        [
            [],
            "text",
            7,
            {},
            {"trackName": 5, "artistName": None},
            {"trackName": "Sinnerman", "artistName": "Nina Simone", "duration": "622"},
            {"trackName": "Sinnerman", "artistName": "Nina Simone", "syncedLyrics": {"a": 1}},
            [None, 3, {"trackName": "Sinnerman"}],
        ],
    )
    def test_an_answer_of_another_shape_is_no_lyrics(self, answer: Any) -> None:
        with serving(lambda _asked: as_json(answer)) as service:
            assert all(not c.lyrics.words for c in ask(service))


def vars_of(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in entry.__dataclass_fields__}


PAGE = """[Verse 1: Nina Simone]
Oh, sinnerman, where you gonna run to?
Sinnerman, where you gonna run to?

[Chorus]
All on that day
[Instrumental Break]
12Embed"""


class TestGenius:
    def source(self, service: Service, token: str | None = "right") -> GeniusSource:
        return GeniusSource(token, WEB, f"{service.url}/", f"{service.url}/")

    def test_words_come_from_the_page_of_the_song(self) -> None:
        with serving(Genius([GeniusSong("Sinnerman", "Nina Simone", PAGE)])) as service:
            (found,) = self.source(service).find(SONG)
        assert service.paths == ["/search", "/Nina-simone-sinnerman-lyrics"]
        assert found.lyrics.text == (
            "Oh, sinnerman, where you gonna run to?\nSinnerman, where you gonna run to?\n"
            "All on that day"
        )
        assert found.score >= match.SURE
        assert found.lyrics.source == "genius"
        assert service.asked[0].headers["authorization"] == "Bearer right"

    def test_another_song_is_not_fetched(self) -> None:
        songs = [GeniusSong("Oh My Sinnerman", "Nina Simone", PAGE)]
        with serving(Genius(songs)) as service:
            (found,) = self.source(service).find(SONG)
        assert service.paths == ["/search"]
        assert found.score < match.ACCEPTED
        assert "another title" in found.why

    def test_without_a_token_nothing_is_asked(self) -> None:
        with serving(Genius([])) as service:
            source = self.source(service, None)
            assert source.find(SONG) == []
            assert "GENIUS_TOKEN" in (source.idle or "")
        assert service.asked == []

    def test_a_wrong_token_is_refused(self) -> None:
        with serving(Genius([])) as service, pytest.raises(Refused, match="401"):
            self.source(service, "wrong").find(SONG)

    def test_a_page_that_changed_its_look_is_no_song(self) -> None:
        songs = Genius([GeniusSong("Sinnerman", "Nina Simone", PAGE)])

        def changed(asked: Asked) -> Reply:
            reply = songs(asked)
            return (
                as_html("<html>new design</html>") if b"lyrics-container" in reply.body else reply
            )

        with serving(changed) as service:
            (found,) = self.source(service).find(SONG)
        assert found.score == 0.0

    @pytest.mark.parametrize("body", [b"[]", b'{"response": 5}', b'{"response": {"hits": [{}]}}'])
    def test_an_answer_of_another_shape_breaks_nothing(self, body: bytes) -> None:
        odd = Reply(200, body)
        with serving(lambda _asked: odd) as service, contextlib.suppress(Unreachable):
            assert self.source(service).find(SONG) == []

    def test_songs_are_found_by_their_words(self) -> None:
        with serving(Genius([GeniusSong("Sinnerman", "Nina Simone", PAGE)])) as service:
            found = self.source(service).named_by("sinnerman where you gonna run to")
        assert found == [("Nina Simone", "Sinnerman")]


def netease(asked: Asked) -> Reply:
    """As music.163.com answers a search, and then gives the words."""
    if asked.path == "/api/search/pc":
        artists = [{"id": 1, "name": "Nina Simone"}]
        album = {"id": 3, "name": "Pastel Blues"}
        songs = [
            {"id": 11, "name": "Sinnerman (Live)", "artists": artists, "duration": 622000},
            {"id": 12, "name": "Sinnerman", "artists": artists, "album": album, "duration": 622400},
        ]
        return as_json({"result": {"songs": songs, "songCount": 2}, "code": 200})
    assert asked.path == "/api/song/lyric"
    assert asked.query["id"] == "12"
    lyric = "[00:00.00] 作词 : Trad.\n[00:01.00] 作曲 : Trad.\n" + SYNCED
    return as_json({"sgc": False, "lrc": {"version": 3, "lyric": lyric}, "code": 200})


class TestSyncedlyrics:
    def source(self, service: Service, *providers: str) -> SyncedlyricsSource:
        roots = {
            "https://music.163.com": service.url,
            "https://www.megalobiz.com": f"{service.url}/mega",
            "https://apic-desktop.musixmatch.com": f"{service.url}/mxm",
        }
        return SyncedlyricsSource(providers, WEB, roots)

    def test_the_hit_that_is_the_song_is_taken(self) -> None:
        with serving(netease) as service:
            found = self.source(service, "netease").find(SONG)
        best = max(found, key=lambda c: c.score)
        assert best.score >= match.SURE
        assert best.lyrics.timing is Timing.LINE
        assert best.lyrics.text == PLAIN.strip()
        assert best.id == "netease 12"
        assert any("live" in c.why for c in found)

    def test_word_times_come_where_a_provider_has_them(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))

        def musixmatch(asked: Asked) -> Reply:
            action = asked.path.rsplit("/", 1)[-1]
            bodies: dict[str, dict[str, Any]] = {
                "token.get": {"user_token": "t"},
                "track.search": {
                    "track_list": [
                        {
                            "track": {
                                "track_id": 5,
                                "track_name": "Sinnerman",
                                "artist_name": "Nina Simone",
                                "album_name": "Pastel Blues",
                                "track_length": 622,
                            }
                        }
                    ]
                },
                "track.richsync.get": {
                    "richsync": {
                        "richsync_body": json.dumps(
                            [
                                {
                                    "ts": 31.2,
                                    "te": 34.0,
                                    "l": [
                                        {"c": "Oh,", "o": 0.0},
                                        {"c": " ", "o": 0.3},
                                        {"c": "sinnerman", "o": 0.4},
                                    ],
                                    "x": "Oh, sinnerman",
                                }
                            ]
                        )
                    }
                },
            }
            header = {"status_code": 200}
            return as_json({"message": {"header": header, "body": bodies[action]}})

        with serving(musixmatch) as service:
            (found,) = self.source(service, "musixmatch").find(SONG)
        assert found.lyrics.timing is Timing.WORD
        assert found.lyrics.text == "Oh, sinnerman"

    def test_a_page_counts_only_where_it_names_the_song(self) -> None:
        def megalobiz(header: str) -> Any:
            def answer(asked: Asked) -> Reply:
                if asked.path == "/mega/search/all":
                    return as_html(
                        '<a href="/lrc/maker/Sinnerman.555">Sinnerman Nina Simone [10:22.00]</a>'
                    )
                return as_html(f'<div id="lrc_555_details">{header}\n{SYNCED}</div>')

            return answer

        with serving(megalobiz("[ti:Sinnerman]\n[ar:Nina Simone]\n[length:10:22.00]")) as service:
            (found,) = self.source(service, "megalobiz").find(SONG)
        assert found.score >= match.SURE
        assert found.lyrics.text == PLAIN.strip()
        with serving(megalobiz("[by:someone]")) as service:
            (found,) = self.source(service, "megalobiz").find(SONG)
        assert found.score == 0.0
        assert "without artist or title" in found.why

    def test_a_provider_that_breaks_does_not_hide_the_next_one(self) -> None:
        def answer(asked: Asked) -> Reply:
            return as_html(LOGIN_PAGE) if asked.path.startswith("/mega") else netease(asked)

        with serving(answer) as service:
            found = self.source(service, "megalobiz", "netease").find(SONG)
        assert max(c.score for c in found) >= match.SURE

    @pytest.mark.parametrize(
        "reply", [as_html(LOGIN_PAGE), as_json({"code": 50000005}), Reply(500)]
    )
    def test_all_that_break_are_one_error_or_nothing(self, reply: Reply) -> None:
        with serving(lambda _asked: reply) as service:
            try:
                assert self.source(service, "netease").find(SONG) == []
            except Unreachable:
                assert reply.body != b'{"code": 50000005}'

    def test_an_own_hold_is_kept_for_libraries_too(self) -> None:
        with serving(lambda _asked: Reply(429, headers={"Retry-After": "900"})) as service:
            for _ in range(3):
                with pytest.raises(Refused):
                    self.source(service, "netease").find(SONG)
        assert len(service.asked) == 1
