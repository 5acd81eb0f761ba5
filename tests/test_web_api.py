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
from tests.web_house import TIMED, Home, home


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Home]:
    with home(tmp_path) as made:
        yield made


STRANGE_TEXTS = ["\ud800", "\udcff", "a\0b", "\u202e\n\x1b[31m", "x" * 100_000, "\ufffe", ""]
STRANGE_NUMBERS = [0, -1, True, 1e308, 10**400, float("nan"), float("inf"), "3:20", [], {}, None]


class TestStrangeValues:
    """What no file has for a name and no song for a length: refused or passed over, never more."""

    @pytest.mark.parametrize("text", STRANGE_TEXTS[:-1])
    def test_a_path_that_is_none_costs_no_other_event(self, house: Home, text: str) -> None:
        song = house.song()
        results = house.tell(
            {"event": "imported", "path": str(song), "force": True},
            {"event": "imported", "path": f"/{text}.mp3"},
            {"event": "moved", "path": str(song), "from": f"/{text}.mp3"},
        )
        assert [each["result"] for each in results] == ["new", "outside", "waiting"]
        assert house.post("/api/v1/events", {"event": "playing", "path": text}).status_code in (
            403,
            404,
        )

    @pytest.mark.parametrize("text", STRANGE_TEXTS)
    def test_tags_that_nobody_can_write_cost_no_other_event(self, house: Home, text: str) -> None:
        song = house.song()
        tags = {"title": f"a{text}", "artist": text, "album": text, "recording_id": text}
        results = house.tell(
            {"event": "imported", "path": str(song)}, {"event": "playing", "tags": tags}
        )
        assert [each["result"] for each in results] == ["new", "not_found"]

    @pytest.mark.parametrize("number", STRANGE_NUMBERS)
    def test_a_length_or_a_priority_that_is_none_is_refused_or_ignored(
        self, house: Home, number: object
    ) -> None:
        house.known("a.mp3")
        tags = {"title": "a", "duration": number}
        for event in (
            {"event": "playing", "tags": tags},
            {"event": "playing", "path": "a.mp3", "priority": number},
            {"event": "playing", "path": "a.mp3", "force": number},
            {"event": number, "path": number},
            {"events": number},
            [number],
        ):
            assert house.post("/api/v1/events", event).status_code in (202, 400, 404)

    @pytest.mark.parametrize("text", STRANGE_TEXTS)
    @pytest.mark.parametrize("number", STRANGE_NUMBERS[:6])
    def test_a_webhook_with_them_is_refused_or_passed_over(
        self, house: Home, text: str, number: object
    ) -> None:
        house.known("a.mp3")
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
            assert house.post("/api/v1/events", body).status_code in (202, 400)

    @pytest.mark.parametrize(
        "encoded", ["%ED%A0%80", "%FF", "%00", "%E2%80%AE", "%F4%90%80%80", "a" * 400]
    )
    def test_a_question_with_them_finds_nothing(self, house: Home, encoded: str) -> None:
        house.known("a.mp3")
        for question in ("tracks?q=", "lyrics?path=", "lyrics?artist=x&title="):
            answer = house.client.get(f"/api/v1/{question}{encoded}")
            assert answer.status_code in (200, 403, 404)
            assert answer.json().get("tracks", []) == []

    def test_a_song_whose_name_is_not_utf_8_is_found_by_it(self, house: Home) -> None:
        house.known(os.fsdecode(b"caf\xe9.mp3"))
        (found,) = house.client.get("/api/v1/tracks?q=caf%E9").json()["tracks"]
        assert found["path"].endswith("caf\udce9.mp3")


class TestEvents:
    def test_an_imported_song_is_queued(self, house: Home) -> None:
        song = house.song()
        answer = house.post("/api/v1/events", {"event": "imported", "path": str(song)})
        assert answer.status_code == 202
        entry = house.catalog.by_path(song)
        assert entry is not None
        assert answer.json() == {
            "accepted": 1,
            "results": [{"result": "new", "path": str(song), "id": entry.id}],
        }
        assert (entry.state, entry.priority) == (State.PENDING, Priority.IMPORT)
        assert entry.library == house.music
        assert house.woken == 1

    def test_a_whole_import_is_one_request(self, house: Home) -> None:
        songs = [house.song(f"{n}.mp3", None) for n in range(5)]
        results = house.tell(*({"event": "imported", "path": str(song)} for song in songs))
        assert [each["result"] for each in results] == ["new"] * 5
        assert house.catalog.counts()[State.PENDING] == 5

    def test_a_bad_one_among_several_spoils_none(self, house: Home) -> None:
        song, notes = house.song(), house.music / "notes.txt"
        notes.write_text("x", encoding="utf-8")
        results = house.tell(
            {"event": "imported", "path": "/etc/passwd"},
            {"event": "imported", "path": str(house.music / "none.mp3")},
            {"event": "imported", "path": str(notes)},
            {"event": "imported", "path": str(song)},
        )
        assert [each["result"] for each in results] == ["outside", "not_found", "excluded", "new"]

    def test_a_song_that_plays_goes_to_the_front(self, house: Home) -> None:
        house.known("first.mp3")
        second = house.known("second.mp3")
        house.tell({"event": "playing", "path": str(house.music / "second.mp3")})
        claimed = house.catalog.claim("test", 60)
        assert claimed is not None
        assert (claimed.id, claimed.priority) == (second, Priority.PLAYING)

    @pytest.mark.parametrize(
        ("priority", "meant"),
        [("person", 20), ("backfill", 0), (25, 20), (0, 0), (100, 30)],
    )
    def test_a_priority_may_be_named_or_a_number(
        self, house: Home, priority: str | int, meant: int
    ) -> None:
        song = house.song()
        house.tell({"event": "imported", "path": str(song), "priority": priority})
        entry = house.catalog.by_path(song)
        assert entry is not None
        assert entry.priority == meant

    def test_a_song_may_be_named_by_its_tags_before_it_was_ever_looked_at(
        self, house: Home
    ) -> None:
        house.known("The Sampled Choir/Stars/01 The Star.mp3")
        house.known("The Sampled Choir/Stars/02 The Stars.mp3")
        tags = {"artist": "The Sampled Choir", "title": "The Star", "duration": 43.7}
        (result,) = house.tell({"event": "playing", "tags": tags})
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
        self, house: Home, tags: dict[str, object]
    ) -> None:
        house.known("The Star.mp3")
        assert house.post("/api/v1/events", {"event": "playing", "tags": tags}).status_code == 404

    def test_a_made_up_path_falls_back_on_the_tags(self, house: Home) -> None:
        id = house.known("x.mp3")
        house.catalog.claim("test", 60)
        house.catalog.found(
            id, "test", Track(artist="The Sampled Choir", title="The Star", duration=43.7)
        )
        house.catalog.release(id, "test")
        tags = {"artist": "The Sampled Choir", "title": "The Star", "duration": 44}
        (result,) = house.tell({"event": "playing", "path": "/made/up.mp3", "tags": tags})
        assert result["id"] == id

    def test_a_song_goes_by_its_name_once_it_is_known(self, house: Home) -> None:
        id = house.known("x.mp3")
        tags = {"artist": "The Sampled Choir", "title": "The Star", "duration": 44}
        event = {"event": "playing", "tags": tags}
        assert house.post("/api/v1/events", event).status_code == 404
        house.catalog.claim("test", 60)
        track = Track(artist="The Sampled Choir", title="The Star", duration=43.7)
        house.catalog.found(id, "test", track)
        house.catalog.release(id, "test")
        assert house.post("/api/v1/events", event).status_code == 202

    def test_a_recording_is_known_by_its_number_under_any_name(self, house: Home) -> None:
        id = house.known("x.mp3")
        number = "11111111-1111-1111-1111-111111111111"
        house.catalog.claim("test", 60)
        track = Track(artist="Choir", title="Der Stern", recording_id=number)
        house.catalog.found(id, "test", track)
        house.catalog.release(id, "test")
        (house.music / "x.mp3").write_bytes(b"no tags in here")
        tags = {"artist": "Other", "title": "The Star", "recording_id": number}
        (result,) = house.tell({"event": "playing", "tags": tags})
        assert result["id"] == id

    def test_a_name_that_is_no_text_can_be_looked_for(self, house: Home) -> None:
        name = os.fsdecode(b"M\xfcller.mp3")
        id = house.known(name, None)
        house.known("Twinkle.mp3", None)
        (result,) = house.tell({"event": "changed", "path": str(house.music / name)})
        assert result["id"] == id
        assert house.post(
            "/api/v1/events", {"event": "playing", "tags": {"title": "Muller"}}
        ).status_code in (202, 404)

    def test_a_moved_song_keeps_what_is_known_of_it(self, house: Home) -> None:
        id = house.known("old.mp3", None)
        house.catalog.claim("test", 60)
        house.catalog.finish(id, "test", Outcome(State.DONE, "fine", quality=0.9))
        new = house.music / "new" / "name.mp3"
        new.parent.mkdir()
        (house.music / "old.mp3").rename(new)
        (result,) = house.tell(
            {"event": "moved", "from": str(house.music / "old.mp3"), "path": str(new)}
        )
        assert (result["result"], result["id"]) == ("unchanged", id)

    def test_what_moved_from_another_disk_leaves_no_ghost(self, house: Home) -> None:
        house.known("old.mp3", None)
        new = house.song("new.mp3", None)
        (house.music / "old.mp3").unlink()
        house.tell({"event": "moved", "from": str(house.music / "old.mp3"), "path": str(new)})
        assert house.catalog.counts()[State.PENDING] == 1

    def test_a_removed_song_is_missing_and_one_that_is_still_there_is_not(
        self, house: Home
    ) -> None:
        house.known("kept.mp3", None)
        id = house.known("gone.mp3", None)
        (house.music / "gone.mp3").unlink()
        results = house.tell(
            {"event": "removed", "path": str(house.music / "gone.mp3")},
            {"event": "removed", "path": str(house.music / "kept.mp3")},
        )
        assert [each["result"] for each in results] == ["removed", "still_there"]
        entry = house.catalog.get(id)
        assert entry is not None
        assert entry.missing_since is not None

    def test_an_unplugged_disk_loses_nothing(self, house: Home) -> None:
        id = house.known("song.mp3", None)
        house.music.rename(house.folder / "away")
        house.music.mkdir()
        house.tell({"event": "removed", "path": str(house.music / "song.mp3")})
        entry = house.catalog.get(id)
        assert entry is not None
        assert entry.missing_since is None

    def test_a_folder_is_gone_through(self, house: Home) -> None:
        album = house.song("album/a.mp3").parent
        (result,) = house.tell({"event": "imported", "path": str(album)})
        assert result["result"] == "scanning"
        assert [(hint.path, hint.folder) for hint in house.hints] == [(album, True)]

    def test_a_done_song_is_done_again_only_by_force(self, house: Home) -> None:
        song = house.music / "a.mp3"
        id = house.known("a.mp3")
        house.catalog.claim("test", 60)
        house.catalog.finish(id, "test", Outcome(State.DONE, "fine"))
        event = {"event": "imported", "path": str(song)}
        assert house.tell(event)[0]["result"] == "unchanged"
        assert house.tell({**event, "force": True})[0]["result"] == "again"

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
    def test_nonsense_is_refused_with_a_reason(self, house: Home, body: bytes, said: str) -> None:
        answer = house.post("/api/v1/events", body)
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
    def test_what_leads_out_of_it_is_refused(self, house: Home, path: str) -> None:
        outside = house.folder / "outside"
        outside.mkdir()
        for name in ("a.mp3", "secret.mp3"):
            house.song().rename(outside / name)
        (house.folder / "secret.mp3").symlink_to(outside / "secret.mp3")
        (house.music / "link").symlink_to(outside)
        (house.music / "link.mp3").symlink_to(outside / "a.mp3")
        (house.music / "circle").symlink_to(house.music / "circle")
        path = path.replace("{music}", str(house.music))
        answer = house.post("/api/v1/events", {"event": "imported", "path": path})
        assert answer.status_code in (400, 403)
        assert house.get("/api/v1/lyrics", path=path).status_code in (400, 403)
        assert sum(house.catalog.counts().values()) == 0

    def test_a_relative_path_starts_from_a_library(self, house: Home) -> None:
        house.song("Artist/Album/a.mp3")
        assert house.tell({"event": "playing", "path": "Artist/Album/a.mp3"})[0]["result"] == "new"

    @pytest.mark.parametrize("kind", ["imported", "removed", "playing"])
    @pytest.mark.parametrize("path", ["0" * 4000, "a/" * 1990 + "a.mp3"])
    def test_a_name_too_long_for_a_file_is_not_found(
        self, house: Home, path: str, kind: str
    ) -> None:
        answer = house.post("/api/v1/events", {"events": [{"event": kind, "path": path}]})
        assert answer.json()["results"][0]["result"] == "not_found"

    def test_links_between_libraries_are_followed(self, house: Home) -> None:
        inner, other = house.music / "Inner", house.folder / "other"
        other.mkdir()
        house.config = house.config.model_copy(
            update={"libraries": [Library(path=path) for path in (house.music, inner, other)]}
        )
        house.song("Inner/a.mp3")
        house.song("b.mp3").rename(other / "b.mp3")
        (house.music / "folder").symlink_to(other)
        (other / "song.mp3").symlink_to(inner / "a.mp3")
        sent = (inner / "a.mp3", house.music / "folder" / "b.mp3", other / "song.mp3")
        results = house.tell(*({"event": "imported", "path": str(path)} for path in sent))
        assert [each["result"] for each in results] == ["new"] * 3
        songs = {inner / "a.mp3": inner, other / "b.mp3": other, other / "song.mp3": other}
        assert {
            path: entry.library for path in songs if (entry := house.catalog.by_path(path))
        } == songs

    def test_a_library_may_be_called_by_what_it_links_to(self, tmp_path: Path) -> None:
        real = tmp_path / "disk"
        with home(tmp_path) as house:
            house.music.rename(real)
            house.music.symlink_to(real)
            song = house.song("a.mp3")
            (result,) = house.tell({"event": "imported", "path": str(real / "a.mp3")})
            assert (result["result"], result["path"]) == ("new", str(song))

    def test_what_others_call_otherwise_is_mapped(self, tmp_path: Path) -> None:
        with home(tmp_path, path_map={"/data/music": str(tmp_path / "music")}) as house:
            song = house.song("x/a.mp3")
            (result,) = house.tell({"event": "imported", "path": "/data/music/x/a.mp3"})
            assert result["path"] == str(song)
            (result,) = house.tell({"event": "imported", "path": "/data/musicians/a.mp3"})
            assert result["result"] == "outside"

    def test_a_name_that_is_no_text_goes_both_ways(self, house: Home) -> None:
        path = str(house.song("plain.mp3").rename(house.music / os.fsdecode(b"caf\xe9.mp3")))
        body = b'{"event": "imported", "path": "' + path.encode("ascii", "backslashreplace") + b'"}'
        assert house.post("/api/v1/events", body).json()["results"][0]["result"] == "new"
        raw = quote_from_bytes(os.fsencode(path))
        answer = house.client.get(f"/api/v1/lyrics?path={raw}")
        assert (answer.status_code, answer.json()["state"]) == (404, "pending")
        assert house.get("/api/v1/tracks").json()["tracks"][0]["path"] == path


class TestSongs:
    def test_the_status_counts_them(self, house: Home) -> None:
        house.known()
        told = house.get("/api/v1/status").json()
        assert told["songs"]["pending"] == 1
        assert told["paused"] is False
        assert told["libraries"] == [{"path": str(house.music), "online": True, "scanned_at": None}]

    def test_they_come_in_pages(self, house: Home) -> None:
        ids = [house.known(f"{n}.mp3", None) for n in range(5)]
        first = house.get("/api/v1/tracks", limit=3).json()
        assert [each["id"] for each in first["tracks"]] == ids[:3]
        second = house.get("/api/v1/tracks", limit=3, after=first["next"]).json()
        assert [each["id"] for each in second["tracks"]] == ids[3:]
        assert second["next"] is None

    def test_they_can_be_chosen(self, house: Home) -> None:
        house.known("one.mp3", None)
        skipped = house.known("two.mp3", None)
        house.catalog.skip([skipped])

        def names(query: str) -> list[str]:
            found = house.client.get(f"/api/v1/tracks?{query}").json()["tracks"]
            return [Path(each["path"]).name for each in found]

        assert names("q=ONE") == ["one.mp3"]
        assert names("state=ignored") == ["two.mp3"]
        assert names("state=ignored,pending&q=&after=") == ["one.mp3", "two.mp3"]
        assert names("state=pending&state=ignored") == ["one.mp3", "two.mp3"]
        assert house.client.get("/api/v1/tracks?state=lost").status_code == 400
        assert house.client.get("/api/v1/tracks?after=x").status_code == 400

    def test_one_can_be_seen_skipped_and_retried(self, house: Home) -> None:
        id = house.known()
        assert house.get(f"/api/v1/tracks/{id}").json()["state"] == "pending"
        assert house.post(f"/api/v1/tracks/{id}/skip").json()["state"] == "ignored"
        told = house.post(f"/api/v1/tracks/{id}/retry").json()
        assert (told["state"], told["priority"]) == ("pending", Priority.PERSON)

    @pytest.mark.parametrize("id", ["999", "9" * 30, "0", "-1", "x"])
    def test_one_that_is_not_there_is_not_found(self, house: Home, id: str) -> None:
        assert house.get(f"/api/v1/tracks/{id}").status_code == 404
        assert house.post(f"/api/v1/tracks/{id}/retry").status_code == 404

    def test_the_work_can_be_paused(self, house: Home) -> None:
        assert house.post("/api/v1/pause").json() == {"paused": True}
        assert house.catalog.paused
        assert house.post("/api/v1/resume").json() == {"paused": False}
        assert not house.catalog.paused

    def test_wrong_settings_show_in_the_status_and_the_metrics(self, house: Home) -> None:
        assert house.get("/api/v1/status").json()["settings_error"] is None
        assert "lyricsyncd_settings_error 0.0" in house.get("/metrics").text
        house.catalog.note_settings_error("there is no aligner 'sphynx'")
        assert "sphynx" in house.get("/api/v1/status").json()["settings_error"]
        assert "lyricsyncd_settings_error 1.0" in house.get("/metrics").text

    def test_unexpected_errors_are_counted_in_the_status_and_the_metrics(self, house: Home) -> None:
        before = house.get("/api/v1/status").json()["unexpected_errors"]
        with UNEXPECTED.contain("a song"):
            raise ZeroDivisionError("a bug")
        assert house.get("/api/v1/status").json()["unexpected_errors"] == before + 1
        assert f"lyricsyncd_unexpected_errors_total {before + 1}.0" in house.get("/metrics").text


class TestLyrics:
    def test_they_come_with_the_times_of_words(self, house: Home) -> None:
        id = house.known()
        told = house.get("/api/v1/lyrics", id=id).json()
        assert (told["timing"], told["source"], told["ours"]) == ("word", "sidecar", False)
        assert [word["text"] for word in told["lines"][0]["words"]] == ["Twinkle,", "twinkle"]
        assert told["lines"][0]["words"][1]["start"] == pytest.approx(6.19)

    @pytest.mark.parametrize("format", formats.names())
    def test_they_come_in_every_format(self, house: Home, format: str) -> None:
        house.known()
        answer = house.get("/api/v1/lyrics", path="a.mp3", format=format)
        assert answer.status_code == 200
        assert answer.headers["x-lyrics-timing"] == "word"
        lyrics = formats.read(answer.content, format)
        assert lyrics.words[0].text.startswith("Twinkle,")

    def test_they_are_found_by_names(self, house: Home) -> None:
        house.known("The Star.mp3")
        answer = house.get(
            "/api/v1/lyrics", artist="The Sampled Choir", title="The Star", duration=43.2
        )
        assert answer.json()["timing"] == "word"

    def test_the_finest_of_several_is_told(self, house: Home) -> None:
        id = house.known(words=None)
        song = house.music / "a.mp3"
        song.with_suffix(".lrc").write_text("[00:05.28]Twinkle, twinkle\n", encoding="utf-8")
        assert house.get("/api/v1/lyrics", id=id).json()["timing"] == "line"
        song.with_suffix(".elrc").write_text(TIMED, encoding="utf-8")
        assert house.get("/api/v1/lyrics", id=id).json()["timing"] == "word"

    def test_a_song_without_any_says_where_it_stands(self, house: Home) -> None:
        id = house.known(words=None)
        answer = house.get("/api/v1/lyrics", id=id)
        assert (answer.status_code, answer.json()["state"]) == (404, "pending")

    def test_plain_words_have_no_subtitles(self, house: Home) -> None:
        id = house.known(words=None)
        (house.music / "a.txt").write_text("Twinkle\n", encoding="utf-8")
        answer = house.get("/api/v1/lyrics", id=id, format="srt")
        assert answer.status_code == 406

    def test_a_sidecar_that_leads_elsewhere_is_not_read_out(self, house: Home) -> None:
        id = house.known(words=None)
        secret = house.folder / "secret.txt"
        secret.write_text("the combination is 1234\n", encoding="utf-8")
        (house.music / "a.txt").symlink_to(secret)
        assert house.get("/api/v1/lyrics", id=id).status_code == 404

    def test_sidecars_of_another_name_are_found_too(self, house: Home) -> None:
        id = house.known(words=None)
        sidecar = house.music / "a.words.lrc"
        sidecar.write_text(TIMED, encoding="utf-8")
        house.catalog.claim("test", 60)
        house.catalog.finish(id, "test", Outcome(State.DONE, "fine", written=(sidecar,)))
        assert house.get("/api/v1/lyrics", id=id).json()["timing"] == "word"

    @pytest.mark.parametrize("query", ["", "artist=x", "title=&id="])
    def test_a_question_must_name_a_song(self, house: Home, query: str) -> None:
        answer = house.client.get(f"/api/v1/lyrics?{query}")
        assert (answer.status_code, answer.json()["error"]) == (404, "No song is named")

    @pytest.mark.parametrize("query", ["id=x", "id=1&format=mp3", "title=x&duration=nan"])
    def test_a_question_must_make_sense(self, house: Home, query: str) -> None:
        assert house.client.get(f"/api/v1/lyrics?{query}").status_code == 400


class TestHealth:
    @pytest.mark.parametrize("path", ["/healthz", "/api/v1/healthz"])
    def test_it_tells_whether_the_threads_are_there(self, house: Home, path: str) -> None:
        assert house.get(path).text == "ok\n"
        house.alive = False
        assert house.get(path).status_code == 503

    def test_figures_are_what_prometheus_reads(self, house: Home) -> None:
        from prometheus_client.parser import text_string_to_metric_families

        house.known()
        house.post("/api/v1/pause")
        told = house.get("/metrics")
        assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
        values = {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(told.text)
            for sample in family.samples
        }
        assert values["lyricsyncd_songs", "pending"] == 1
        assert values["lyricsyncd_paused",] == 1
        assert values["lyricsyncd_library_online", str(house.music)] == 1
        assert values["process_resident_memory_bytes",] > 0

    def test_what_is_not_there_is_told_in_json(self, house: Home) -> None:
        answer = house.get("/api/v2/anything")
        assert (answer.status_code, answer.json()["error"]) == (404, "Not Found")
        answer = house.client.delete("/api/v1/events")
        assert answer.status_code == 405
        assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))
