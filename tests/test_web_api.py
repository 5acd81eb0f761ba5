"""The control interface, asked over a real port: events, songs, lyrics, pauses, errors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest

from lyricsyncd import formats
from lyricsyncd.catalog.catalog import Outcome, Priority, State
from lyricsyncd.config.schema import Library
from lyricsyncd.model import Track
from lyricsyncd.unexpected import UNEXPECTED
from tests.web_api import TIMED, Home, home


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Home]:
    with home(tmp_path) as made:
        yield made


STRANGE_TEXTS = ["\ud800", "\udcff", "a\0b", "\u202e\n\x1b[31m", "x" * 100_000, "\ufffe", ""]
STRANGE_NUMBERS = [0, -1, True, 1e308, 10**400, float("nan"), float("inf"), "3:20", [], {}, None]


class TestStrangeValues:
    """What no file has for a name and no song for a length: refused or passed over, never more."""

    @pytest.mark.parametrize("text", STRANGE_TEXTS[:-1])
    def test_a_path_that_is_none_costs_no_other_event(self, api: Home, text: str) -> None:
        song = api.song()
        results = api.tell(
            {"event": "imported", "path": str(song), "force": True},
            {"event": "imported", "path": f"/{text}.mp3"},
            {"event": "moved", "path": str(song), "from": f"/{text}.mp3"},
        )
        assert [each["result"] for each in results] == ["new", "outside", "waiting"]
        assert api.post("/api/v1/events", {"event": "playing", "path": text}).status_code in (
            403,
            404,
        )

    @pytest.mark.parametrize("text", STRANGE_TEXTS)
    def test_tags_that_nobody_can_write_cost_no_other_event(self, api: Home, text: str) -> None:
        song = api.song()
        tags = {"title": f"a{text}", "artist": text, "album": text, "recording_id": text}
        results = api.tell(
            {"event": "imported", "path": str(song)}, {"event": "playing", "tags": tags}
        )
        assert [each["result"] for each in results] == ["new", "not_found"]

    @pytest.mark.parametrize("number", STRANGE_NUMBERS)
    def test_a_length_or_a_priority_that_is_none_is_refused_or_ignored(
        self, api: Home, number: object
    ) -> None:
        api.known("a.mp3")
        tags = {"title": "a", "duration": number}
        for event in (
            {"event": "playing", "tags": tags},
            {"event": "playing", "path": "a.mp3", "priority": number},
            {"event": "playing", "path": "a.mp3", "force": number},
            {"event": number, "path": number},
            {"events": number},
            [number],
        ):
            assert api.post("/api/v1/events", event).status_code in (202, 400, 404)

    @pytest.mark.parametrize("text", STRANGE_TEXTS)
    @pytest.mark.parametrize("number", STRANGE_NUMBERS[:6])
    def test_a_webhook_with_them_is_refused_or_passed_over(
        self, api: Home, text: str, number: object
    ) -> None:
        api.known("a.mp3")
        jellyfin = {
            "NotificationType": "PlaybackStart",
            "ItemType": "Audio",
            "Name": text or "a",
            "Artist": text,
            "Album": text,
            "Path": f"/{text}",
            "RunTimeTicks": number,
            "Provider_musicbrainzrecording": text,
        }
        lidarr = {
            "eventType": "Rename",
            "renamedTrackFiles": [{"path": text, "previousPath": text}],
        }
        for body in (jellyfin, {**jellyfin, "Name": number, "Path": number}, lidarr):
            assert api.post("/api/v1/events", body).status_code in (202, 400)

    @pytest.mark.parametrize(
        "encoded", ["%ED%A0%80", "%FF", "%00", "%E2%80%AE", "%F4%90%80%80", "a" * 400]
    )
    def test_a_question_with_them_finds_nothing(self, api: Home, encoded: str) -> None:
        api.known("a.mp3")
        for question in ("tracks?q=", "lyrics?path=", "lyrics?artist=x&title="):
            answer = api.client.get(f"/api/v1/{question}{encoded}")
            assert answer.status_code in (200, 403, 404)
            assert answer.json().get("tracks", []) == []

    def test_a_song_whose_name_is_not_utf_8_is_found_by_it(self, api: Home) -> None:
        api.known(os.fsdecode(b"caf\xe9.mp3"))
        (found,) = api.client.get("/api/v1/tracks?q=caf%E9").json()["tracks"]
        assert found["path"].endswith("caf\udce9.mp3")


class TestEvents:
    def test_an_imported_song_is_queued(self, api: Home) -> None:
        song = api.song()
        answer = api.post("/api/v1/events", {"event": "imported", "path": str(song)})
        assert answer.status_code == 202
        entry = api.catalog.by_path(song)
        assert entry is not None
        assert answer.json() == {
            "accepted": 1,
            "results": [{"result": "new", "path": str(song), "id": entry.id}],
        }
        assert (entry.state, entry.priority) == (State.PENDING, Priority.IMPORT)
        assert entry.library == api.music
        assert api.woken == 1

    def test_a_whole_import_is_one_request(self, api: Home) -> None:
        songs = [api.song(f"{n}.mp3", None) for n in range(5)]
        results = api.tell(*({"event": "imported", "path": str(song)} for song in songs))
        assert [each["result"] for each in results] == ["new"] * 5
        assert api.catalog.counts()[State.PENDING] == 5

    def test_a_bad_one_among_several_spoils_none(self, api: Home) -> None:
        song, notes = api.song(), api.music / "notes.txt"
        notes.write_text("x", encoding="utf-8")
        results = api.tell(
            {"event": "imported", "path": "/etc/passwd"},
            {"event": "imported", "path": str(api.music / "none.mp3")},
            {"event": "imported", "path": str(notes)},
            {"event": "imported", "path": str(song)},
        )
        assert [each["result"] for each in results] == ["outside", "not_found", "excluded", "new"]

    def test_a_song_that_plays_goes_to_the_front(self, api: Home) -> None:
        api.known("first.mp3")
        second = api.known("second.mp3")
        api.tell({"event": "playing", "path": str(api.music / "second.mp3")})
        claimed = api.catalog.claim("test", 60)
        assert claimed is not None
        assert (claimed.id, claimed.priority) == (second, Priority.PLAYING)

    @pytest.mark.parametrize(
        ("priority", "meant"),
        [("person", 20), ("backfill", 0), (25, 20), (0, 0), (100, 30)],
    )
    def test_a_priority_may_be_named_or_a_number(
        self, api: Home, priority: str | int, meant: int
    ) -> None:
        song = api.song()
        api.tell({"event": "imported", "path": str(song), "priority": priority})
        entry = api.catalog.by_path(song)
        assert entry is not None
        assert entry.priority == meant

    def test_a_song_may_be_named_by_its_tags_before_it_was_ever_looked_at(self, api: Home) -> None:
        api.known("The Sampled Choir/Stars/01 The Star.mp3")
        api.known("The Sampled Choir/Stars/02 The Stars.mp3")
        tags = {"artist": "The Sampled Choir", "title": "The Star", "duration": 43.7}
        (result,) = api.tell({"event": "playing", "tags": tags})
        assert (result["result"], Path(result["path"]).name) == ("waiting", "01 The Star.mp3")

    @pytest.mark.parametrize(
        "tags",
        [
            {"artist": "Somebody Else", "title": "The Star"},
            {"artist": "The Sampled Choir", "title": "The Star", "duration": 200},
            {"artist": "The Sampled Choir", "title": "The Star (Live)"},
            {"artist": "The Sampled Choir", "title": "Another"},
        ],
    )
    def test_another_recording_is_not_taken_for_it(
        self, api: Home, tags: dict[str, object]
    ) -> None:
        api.known("The Star.mp3")
        assert api.post("/api/v1/events", {"event": "playing", "tags": tags}).status_code == 404

    def test_a_made_up_path_falls_back_on_the_tags(self, api: Home) -> None:
        id = api.known("x.mp3")
        api.catalog.claim("test", 60)
        api.catalog.found(
            id, "test", Track(artist="The Sampled Choir", title="The Star", duration=43.7)
        )
        api.catalog.release(id, "test")
        tags = {"artist": "The Sampled Choir", "title": "The Star", "duration": 44}
        (result,) = api.tell({"event": "playing", "path": "/made/up.mp3", "tags": tags})
        assert result["id"] == id

    def test_a_song_goes_by_its_name_once_it_is_known(self, api: Home) -> None:
        id = api.known("x.mp3")
        tags = {"artist": "The Sampled Choir", "title": "The Star", "duration": 44}
        event = {"event": "playing", "tags": tags}
        assert api.post("/api/v1/events", event).status_code == 404
        api.catalog.claim("test", 60)
        track = Track(artist="The Sampled Choir", title="The Star", duration=43.7)
        api.catalog.found(id, "test", track)
        api.catalog.release(id, "test")
        assert api.post("/api/v1/events", event).status_code == 202

    def test_a_recording_is_known_by_its_number_under_any_name(self, api: Home) -> None:
        id = api.known("x.mp3")
        number = "11111111-1111-1111-1111-111111111111"
        api.catalog.claim("test", 60)
        track = Track(artist="Choir", title="Der Stern", recording_id=number)
        api.catalog.found(id, "test", track)
        api.catalog.release(id, "test")
        (api.music / "x.mp3").write_bytes(b"no tags in here")
        tags = {"artist": "Other", "title": "The Star", "recording_id": number}
        (result,) = api.tell({"event": "playing", "tags": tags})
        assert result["id"] == id

    def test_a_name_that_is_no_text_can_be_looked_for(self, api: Home) -> None:
        name = os.fsdecode(b"M\xfcller.mp3")
        id = api.known(name, None)
        api.known("Twinkle.mp3", None)
        (result,) = api.tell({"event": "changed", "path": str(api.music / name)})
        assert result["id"] == id
        assert api.post(
            "/api/v1/events", {"event": "playing", "tags": {"title": "Muller"}}
        ).status_code in (202, 404)

    def test_a_moved_song_keeps_what_is_known_of_it(self, api: Home) -> None:
        id = api.known("old.mp3", None)
        api.catalog.claim("test", 60)
        api.catalog.finish(id, "test", Outcome(State.DONE, "fine", quality=0.9))
        new = api.music / "new" / "name.mp3"
        new.parent.mkdir()
        (api.music / "old.mp3").rename(new)
        (result,) = api.tell(
            {"event": "moved", "from": str(api.music / "old.mp3"), "path": str(new)}
        )
        assert (result["result"], result["id"]) == ("unchanged", id)

    def test_what_moved_from_another_disk_leaves_no_ghost(self, api: Home) -> None:
        api.known("old.mp3", None)
        new = api.song("new.mp3", None)
        (api.music / "old.mp3").unlink()
        api.tell({"event": "moved", "from": str(api.music / "old.mp3"), "path": str(new)})
        assert api.catalog.counts()[State.PENDING] == 1

    def test_a_removed_song_is_missing_and_one_that_is_still_there_is_not(self, api: Home) -> None:
        api.known("kept.mp3", None)
        id = api.known("gone.mp3", None)
        (api.music / "gone.mp3").unlink()
        results = api.tell(
            {"event": "removed", "path": str(api.music / "gone.mp3")},
            {"event": "removed", "path": str(api.music / "kept.mp3")},
        )
        assert [each["result"] for each in results] == ["removed", "still_there"]
        entry = api.catalog.get(id)
        assert entry is not None
        assert entry.missing_since is not None

    def test_an_unplugged_disk_loses_nothing(self, api: Home) -> None:
        id = api.known("song.mp3", None)
        api.music.rename(api.folder / "away")
        api.music.mkdir()
        api.tell({"event": "removed", "path": str(api.music / "song.mp3")})
        entry = api.catalog.get(id)
        assert entry is not None
        assert entry.missing_since is None

    def test_a_folder_is_gone_through(self, api: Home) -> None:
        album = api.song("album/a.mp3").parent
        (result,) = api.tell({"event": "imported", "path": str(album)})
        assert result["result"] == "scanning"
        assert [(hint.path, hint.folder) for hint in api.hints] == [(album, True)]

    def test_a_done_song_is_done_again_only_by_force(self, api: Home) -> None:
        song = api.music / "a.mp3"
        id = api.known("a.mp3")
        api.catalog.claim("test", 60)
        api.catalog.finish(id, "test", Outcome(State.DONE, "fine"))
        event = {"event": "imported", "path": str(song)}
        assert api.tell(event)[0]["result"] == "unchanged"
        assert api.tell({**event, "force": True})[0]["result"] == "again"

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            (b"{", "not JSON"),
            (b"[" * 100_000, "not JSON"),
            (b"3", "Expected an event"),
            (b"{}", "event"),
            (b'{"event": "sung", "path": "/a"}', "event"),
            (b'{"event": "imported"}', "a path or tags"),
            (b'{"event": "imported", "path": ""}', "path"),
            (b'{"event": "imported", "tags": {"artist": "x"}}', "tags.title"),
            (b'{"events": []}', "events"),
        ],
    )
    def test_nonsense_is_refused_with_a_reason(self, api: Home, body: bytes, said: str) -> None:
        answer = api.post("/api/v1/events", body)
        assert answer.status_code == 400
        assert said in answer.json()["error"]


class TestPaths:
    """Only what lies in a library is ever touched."""

    @pytest.mark.parametrize(
        "path",
        [
            "/etc/passwd",
            "{music}/../secret.mp3",
            "../secret.mp3",
            "{music}x/a.mp3",
            "{music}/link/a.mp3",
            "{music}/link.mp3",
            "{music}/circle/a.mp3",
            "/",
            "..",
            "a\0b",
            "/" + "x" * 5000,
        ],
    )
    def test_what_leads_out_of_it_is_refused(self, api: Home, path: str) -> None:
        outside = api.folder / "outside"
        outside.mkdir()
        for name in ("a.mp3", "secret.mp3"):
            api.song().rename(outside / name)
        (api.folder / "secret.mp3").symlink_to(outside / "secret.mp3")
        (api.music / "link").symlink_to(outside)
        (api.music / "link.mp3").symlink_to(outside / "a.mp3")
        (api.music / "circle").symlink_to(api.music / "circle")
        path = path.replace("{music}", str(api.music))
        answer = api.post("/api/v1/events", {"event": "imported", "path": path})
        assert answer.status_code in (400, 403)
        assert api.get("/api/v1/lyrics", path=path).status_code in (400, 403)
        assert sum(api.catalog.counts().values()) == 0

    def test_a_relative_path_starts_from_a_library(self, api: Home) -> None:
        api.song("Artist/Album/a.mp3")
        assert api.tell({"event": "playing", "path": "Artist/Album/a.mp3"})[0]["result"] == "new"

    @pytest.mark.parametrize("kind", ["imported", "removed", "playing"])
    @pytest.mark.parametrize("path", ["0" * 4000, "a/" * 1990 + "a.mp3"])
    def test_a_name_too_long_for_a_file_is_not_found(self, api: Home, path: str, kind: str) -> None:
        answer = api.post("/api/v1/events", {"events": [{"event": kind, "path": path}]})
        assert answer.json()["results"][0]["result"] == "not_found"

    def test_links_between_libraries_are_followed(self, api: Home) -> None:
        inner, other = api.music / "Inner", api.folder / "other"
        other.mkdir()
        api.config = api.config.model_copy(
            update={"libraries": [Library(path=path) for path in (api.music, inner, other)]}
        )
        api.song("Inner/a.mp3")
        api.song("b.mp3").rename(other / "b.mp3")
        (api.music / "folder").symlink_to(other)
        (other / "song.mp3").symlink_to(inner / "a.mp3")
        sent = (inner / "a.mp3", api.music / "folder" / "b.mp3", other / "song.mp3")
        results = api.tell(*({"event": "imported", "path": str(path)} for path in sent))
        assert [each["result"] for each in results] == ["new"] * 3
        songs = {inner / "a.mp3": inner, other / "b.mp3": other, other / "song.mp3": other}
        assert {
            path: entry.library for path in songs if (entry := api.catalog.by_path(path))
        } == songs

    def test_a_library_may_be_called_by_what_it_links_to(self, tmp_path: Path) -> None:
        real = tmp_path / "disk"
        with home(tmp_path) as api:
            api.music.rename(real)
            api.music.symlink_to(real)
            song = api.song("a.mp3")
            (result,) = api.tell({"event": "imported", "path": str(real / "a.mp3")})
            assert (result["result"], result["path"]) == ("new", str(song))

    def test_what_others_call_otherwise_is_mapped(self, tmp_path: Path) -> None:
        with home(tmp_path, path_map={"/data/music": str(tmp_path / "music")}) as api:
            song = api.song("x/a.mp3")
            (result,) = api.tell({"event": "imported", "path": "/data/music/x/a.mp3"})
            assert result["path"] == str(song)
            (result,) = api.tell({"event": "imported", "path": "/data/musicians/a.mp3"})
            assert result["result"] == "outside"

    def test_a_name_that_is_no_text_goes_both_ways(self, api: Home) -> None:
        path = str(api.song("plain.mp3").rename(api.music / os.fsdecode(b"caf\xe9.mp3")))
        body = b'{"event": "imported", "path": "' + path.encode("ascii", "backslashreplace") + b'"}'
        assert api.post("/api/v1/events", body).json()["results"][0]["result"] == "new"
        raw = quote_from_bytes(os.fsencode(path))
        answer = api.client.get(f"/api/v1/lyrics?path={raw}")
        assert (answer.status_code, answer.json()["state"]) == (404, "pending")
        assert api.get("/api/v1/tracks").json()["tracks"][0]["path"] == path


class TestSongs:
    def test_the_status_counts_them(self, api: Home) -> None:
        api.known()
        reported = api.get("/api/v1/status").json()
        assert reported["songs"]["pending"] == 1
        assert reported["paused"] is False
        assert reported["libraries"] == [
            {"path": str(api.music), "online": True, "scanned_at": None}
        ]

    def test_they_come_in_pages(self, api: Home) -> None:
        ids = [api.known(f"{n}.mp3", None) for n in range(5)]
        first = api.get("/api/v1/tracks", limit=3).json()
        assert [each["id"] for each in first["tracks"]] == ids[:3]
        second = api.get("/api/v1/tracks", limit=3, after=first["next"]).json()
        assert [each["id"] for each in second["tracks"]] == ids[3:]
        assert second["next"] is None

    def test_they_can_be_chosen(self, api: Home) -> None:
        api.known("one.mp3", None)
        skipped = api.known("two.mp3", None)
        api.catalog.skip([skipped])

        def names(query: str) -> list[str]:
            found = api.client.get(f"/api/v1/tracks?{query}").json()["tracks"]
            return [Path(each["path"]).name for each in found]

        assert names("q=ONE") == ["one.mp3"]
        assert names("state=ignored") == ["two.mp3"]
        assert names("state=ignored,pending&q=&after=") == ["one.mp3", "two.mp3"]
        assert names("state=pending&state=ignored") == ["one.mp3", "two.mp3"]
        assert api.client.get("/api/v1/tracks?state=lost").status_code == 400
        assert api.client.get("/api/v1/tracks?after=x").status_code == 400

    def test_one_can_be_seen_skipped_and_retried(self, api: Home) -> None:
        id = api.known()
        assert api.get(f"/api/v1/tracks/{id}").json()["state"] == "pending"
        assert api.post(f"/api/v1/tracks/{id}/skip").json()["state"] == "ignored"
        reported = api.post(f"/api/v1/tracks/{id}/retry").json()
        assert (reported["state"], reported["priority"]) == ("pending", Priority.PERSON)

    @pytest.mark.parametrize("id", ["999", "9" * 30, "0", "-1", "x"])
    def test_one_that_is_not_there_is_not_found(self, api: Home, id: str) -> None:
        assert api.get(f"/api/v1/tracks/{id}").status_code == 404
        assert api.post(f"/api/v1/tracks/{id}/retry").status_code == 404

    def test_the_work_can_be_paused(self, api: Home) -> None:
        assert api.post("/api/v1/pause").json() == {"paused": True}
        assert api.catalog.paused
        assert api.post("/api/v1/resume").json() == {"paused": False}
        assert not api.catalog.paused

    def test_wrong_settings_show_in_the_status_and_the_metrics(self, api: Home) -> None:
        assert api.get("/api/v1/status").json()["settings_error"] is None
        assert "lyricsyncd_settings_error 0.0" in api.get("/metrics").text
        api.catalog.note_settings_error("there is no aligner 'sphynx'")
        assert "sphynx" in api.get("/api/v1/status").json()["settings_error"]
        assert "lyricsyncd_settings_error 1.0" in api.get("/metrics").text

    def test_unexpected_errors_are_counted_in_the_status_and_the_metrics(self, api: Home) -> None:
        before = api.get("/api/v1/status").json()["unexpected_errors"]
        with UNEXPECTED.contain("a song"):
            raise ZeroDivisionError("a bug")
        assert api.get("/api/v1/status").json()["unexpected_errors"] == before + 1
        assert f"lyricsyncd_unexpected_errors_total {before + 1}.0" in api.get("/metrics").text


class TestLyrics:
    def test_they_come_with_the_times_of_words(self, api: Home) -> None:
        id = api.known()
        reported = api.get("/api/v1/lyrics", id=id).json()
        assert (reported["timing"], reported["source"], reported["ours"]) == (
            "word",
            "sidecar",
            False,
        )
        assert [word["text"] for word in reported["lines"][0]["words"]] == ["Twinkle,", "twinkle"]
        assert reported["lines"][0]["words"][1]["start"] == pytest.approx(6.19)

    @pytest.mark.parametrize("format", formats.names())
    def test_they_come_in_every_format(self, api: Home, format: str) -> None:
        api.known()
        answer = api.get("/api/v1/lyrics", path="a.mp3", format=format)
        assert answer.status_code == 200
        assert answer.headers["x-lyrics-timing"] == "word"
        lyrics = formats.read(answer.content, format)
        assert lyrics.words[0].text.startswith("Twinkle,")

    def test_they_are_found_by_names(self, api: Home) -> None:
        api.known("The Star.mp3")
        answer = api.get(
            "/api/v1/lyrics", artist="The Sampled Choir", title="The Star", duration=43.2
        )
        assert answer.json()["timing"] == "word"

    def test_the_finest_of_several_is_reported(self, api: Home) -> None:
        id = api.known(words=None)
        song = api.music / "a.mp3"
        song.with_suffix(".lrc").write_text("[00:05.28]Twinkle, twinkle\n", encoding="utf-8")
        assert api.get("/api/v1/lyrics", id=id).json()["timing"] == "line"
        song.with_suffix(".elrc").write_text(TIMED, encoding="utf-8")
        assert api.get("/api/v1/lyrics", id=id).json()["timing"] == "word"

    def test_a_song_without_any_says_where_it_stands(self, api: Home) -> None:
        id = api.known(words=None)
        answer = api.get("/api/v1/lyrics", id=id)
        assert (answer.status_code, answer.json()["state"]) == (404, "pending")

    def test_plain_words_have_no_subtitles(self, api: Home) -> None:
        id = api.known(words=None)
        (api.music / "a.txt").write_text("Twinkle\n", encoding="utf-8")
        answer = api.get("/api/v1/lyrics", id=id, format="srt")
        assert answer.status_code == 406

    def test_a_sidecar_that_leads_elsewhere_is_not_read_out(self, api: Home) -> None:
        id = api.known(words=None)
        secret = api.folder / "secret.txt"
        secret.write_text("the combination is 1234\n", encoding="utf-8")
        (api.music / "a.txt").symlink_to(secret)
        assert api.get("/api/v1/lyrics", id=id).status_code == 404

    def test_sidecars_of_another_name_are_found_too(self, api: Home) -> None:
        id = api.known(words=None)
        sidecar = api.music / "a.words.lrc"
        sidecar.write_text(TIMED, encoding="utf-8")
        api.catalog.claim("test", 60)
        api.catalog.finish(id, "test", Outcome(State.DONE, "fine", written=(sidecar,)))
        assert api.get("/api/v1/lyrics", id=id).json()["timing"] == "word"

    @pytest.mark.parametrize("query", ["", "artist=x", "title=&id="])
    def test_a_question_must_name_a_song(self, api: Home, query: str) -> None:
        answer = api.client.get(f"/api/v1/lyrics?{query}")
        assert (answer.status_code, answer.json()["error"]) == (404, "No song is named")

    @pytest.mark.parametrize("query", ["id=x", "id=1&format=mp3", "title=x&duration=nan"])
    def test_a_question_must_make_sense(self, api: Home, query: str) -> None:
        assert api.client.get(f"/api/v1/lyrics?{query}").status_code == 400


class TestLargeAnswers:
    def test_travel_packed_to_those_who_can_unpack(self, api: Home) -> None:
        for number in range(20):
            api.known(f"{number}.mp3", None)
        sizes = []
        for accepted in ("gzip", "identity"):
            asked = {"Accept-Encoding": accepted}
            with api.client.stream("GET", "/api/v1/tracks", headers=asked) as answer:
                raw = b"".join(answer.iter_raw())
            assert answer.headers["vary"] == "Accept-Encoding"
            assert answer.headers["content-length"] == str(len(raw))
            assert answer.headers.get("content-encoding", "identity") == accepted
            sizes.append(len(raw))
        assert sizes[0] < sizes[1] / 5
        assert len(api.get("/api/v1/tracks").json()["tracks"]) == 20


class TestHealth:
    @pytest.mark.parametrize("path", ["/healthz", "/api/v1/healthz"])
    def test_it_tells_whether_the_threads_are_there(self, api: Home, path: str) -> None:
        assert api.get(path).text == "ok\n"
        api.alive = False
        assert api.get(path).status_code == 503

    def test_figures_are_what_prometheus_reads(self, api: Home) -> None:
        from prometheus_client.parser import text_string_to_metric_families

        api.known()
        api.post("/api/v1/pause")
        reported = api.get("/metrics")
        assert reported.headers["content-type"].startswith("text/plain; version=0.0.4")
        values = {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(reported.text)
            for sample in family.samples
        }
        assert values["lyricsyncd_songs", "pending"] == 1
        assert values["lyricsyncd_paused",] == 1
        assert values["lyricsyncd_library_online", str(api.music)] == 1
        assert values["process_resident_memory_bytes",] > 0

    def test_what_is_not_there_is_reported_in_json(self, api: Home) -> None:
        answer = api.get("/api/v2/anything")
        assert (answer.status_code, answer.json()["error"]) == (404, "Not Found")
        answer = api.client.delete("/api/v1/events")
        assert answer.status_code == 405
        assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))
