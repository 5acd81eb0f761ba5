"""The routes of the page: drafts, audio, peaks, decisions, over a real port."""

from __future__ import annotations

import dataclasses
import os
import time
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from lyricsyncd import audio
from lyricsyncd.catalog.catalog import Fingerprint, Outcome, State
from lyricsyncd.model import ParallelKind, ParallelText, Track
from lyricsyncd.playback.cache import peaks_cache
from lyricsyncd.tags import Journal
from tests.test_decisions import DRAFT, LYRICS
from tests.test_renditions import RATE, lag
from tests.test_web_stream import listening
from tests.web_api import SONG, Home, home

pytestmark = pytest.mark.usefixtures("own_folders")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Home]:
    with home(tmp_path) as made:
        yield made


def review(api: Home, name: str = "a.mp3", **track: Any) -> int:
    """A song that is to be looked at."""
    id = api.known(name, None)
    entry = api.catalog.claim("test", 60, only=[id])
    assert entry is not None
    api.catalog.found(id, "test", Track(**track))
    outcome = Outcome(State.REVIEW, "38 %", quality=track.get("duration", 0.5))
    api.catalog.finish(id, "test", outcome, None, DRAFT)
    return id


def fetched(api: Home, path: str, **headers: str) -> httpx2.Response:
    """What is answered once it is made."""
    for _ in range(60):
        answer = api.client.get(path, headers=headers)
        if answer.status_code != 202:
            return answer
        assert int(answer.headers["retry-after"]) > 0
        time.sleep(0.5)
    raise AssertionError("it is never made")


class TestADraft:
    def test_has_words_confidences_and_audio(self, api: Home) -> None:
        id = review(api)
        draft = api.get(f"/api/v1/tracks/{id}/draft").json()
        assert draft["revision"] == 1
        assert draft["lyrics"]["lines"][0]["words"] == [
            ["Twinkle,", 5.0, 5.8, 0.9, True],
            ["twinkle", 6.0, 6.9, 0.2, True],
        ]
        assert (draft["score"], draft["decision"], draft["state"]) == (0.38, "review", "review")
        assert [each["as"] for each in draft["audio"]] == ["mp4", "aac"]
        assert all(each["offset"] == 0.0 for each in draft["audio"])

    def test_is_corrected_once(self, api: Home) -> None:
        id = review(api)
        draft = api.get(f"/api/v1/tracks/{id}/draft").json()
        lines = draft["lyrics"]["lines"]
        lines[0]["words"][1][1] = 6.1
        body = {"revision": 1, "lyrics": {"lines": lines}}
        answer = put(api, id, body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["revision"] == 2
        assert answer.json()["by_hand"]
        assert put(api, id, body).status_code == 409
        kept = api.catalog.draft(id)
        assert kept is not None
        assert kept.lyrics.words[1].start == 6.1

    def test_knows_the_words_that_a_person_set(self, api: Home) -> None:
        id = review(api)
        lines = api.get(f"/api/v1/tracks/{id}/draft").json()["lyrics"]["lines"]
        lyrics = {"lines": lines}
        answer = put(api, id, {"revision": 1, "lyrics": lyrics, "pinned": [1, 0, 1]})
        assert answer.json()["pinned"] == [0, 1]
        # Where it is not said, those that were not moved.
        lines[0]["words"][1][1] += 0.1
        answer = put(api, id, {"revision": 2, "lyrics": lyrics})
        assert answer.json()["pinned"] == [0]
        for wrong, status in (([99], 409), ([-1], 400), (["a"], 400)):
            body = {"revision": 3, "lyrics": lyrics, "pinned": wrong}
            assert put(api, id, body).status_code == status

    def test_keeps_translations_when_it_is_corrected(self, api: Home) -> None:
        id = api.known("a.mp3", None)
        assert api.catalog.claim("test", 60, only=[id]) is not None
        beside = (ParallelText("Brilla", ParallelKind.TRANSLATION, "es"),)
        lines = [dataclasses.replace(line, parallel=beside) for line in DRAFT.lyrics]
        with_them = dataclasses.replace(DRAFT, lyrics=DRAFT.lyrics.with_lines(lines))
        api.catalog.finish(id, "test", Outcome(State.REVIEW, "38 %"), None, with_them)
        sent = api.get(f"/api/v1/tracks/{id}/draft").json()["lyrics"]["lines"]
        assert put(api, id, {"revision": 1, "lyrics": {"lines": sent}}).status_code == 200
        kept = api.catalog.draft(id)
        assert kept is not None
        assert [line.parallel for line in kept.lyrics] == [beside] * len(lines)

    def test_with_impossible_times_names_the_word(self, api: Home) -> None:
        id = review(api)
        words = [["one", 2.0, 3.0], ["two", 1.0, 1.5]]
        answer = put(api, id, {"revision": 1, "lyrics": {"lines": [{"words": words}]}})
        assert answer.status_code == 422
        assert "'two'" in answer.json()["error"]

    @pytest.mark.parametrize(
        "lyrics",
        [
            {},
            {"lines": []},
            {"lines": [{"words": [[]]}]},
            {"lines": [{"words": [["a", "b"]]}]},
            {"lines": [{"words": [["a", -1]]}]},
            {"lines": [{"words": [["a", 1e9]]}]},
            {"lines": [{"words": [["a"] * 9]}]},
            {"lines": 7},
        ],
    )
    def test_of_another_shape_is_refused(self, api: Home, lyrics: Any) -> None:
        id = review(api)
        assert put(api, id, {"revision": 1, "lyrics": lyrics}).status_code == 400

    def test_is_reported_of_as_it_changes(self, api: Home) -> None:
        with listening(api) as listener:
            listener.next("status")
            id = review(api)
            assert listener.next("draft")[1] == {"id": id, "revision": 1}

    def test_of_an_unknown_song_or_of_one_without_is_none(self, api: Home) -> None:
        assert api.get("/api/v1/tracks/99/draft").status_code == 404
        answer = api.get(f"/api/v1/tracks/{api.known()}/draft")
        assert answer.status_code == 404
        assert answer.json()["state"] == "pending"


def put(api: Home, id: int, body: Any) -> httpx2.Response:
    return api.client.put(f"/api/v1/tracks/{id}/draft", json=body)


class TestAudio:
    def test_is_on_time(self, api: Home, tmp_path: Path) -> None:
        id = review(api)
        exact = audio.decode(SONG, RATE)
        for each in api.get(f"/api/v1/tracks/{id}/draft").json()["audio"]:
            answer = fetched(api, f"/api/v1/{each['url']}")
            assert answer.headers["content-type"] == each["type"]
            assert "immutable" in answer.headers["cache-control"]
            (tmp_path / "got").write_bytes(answer.content)
            found = audio.decode(tmp_path / "got", RATE)
            assert abs(lag(exact, found) - each["offset"]) < 0.001

    def test_comes_in_ranges(self, api: Home) -> None:
        path = f"/api/v1/tracks/{review(api)}/audio"
        whole = fetched(api, path).content
        part = api.client.get(path, headers={"Range": "bytes=100-199"})
        assert part.status_code == 206
        assert part.headers["content-range"] == f"bytes 100-199/{len(whole)}"
        assert part.content == whole[100:200]
        assert api.client.get(path, headers={"Range": "bytes=-5"}).content == whole[-5:]
        tag = part.headers["etag"]
        time.sleep(0.01)
        ours = {"Range": "bytes=0-9", "If-Range": tag}
        assert api.client.get(path, headers=ours).status_code == 206
        other = {"Range": "bytes=0-9", "If-Range": '"other"'}
        assert api.client.get(path, headers=other).status_code == 200
        assert api.client.get(path, headers={"If-None-Match": tag}).status_code == 304
        beyond = {"Range": f"bytes={len(whole)}-"}
        assert api.client.get(path, headers=beyond).status_code == 416
        many = "bytes=" + ",".join(f"{n}-{n}" for n in range(0, 4000, 2))
        assert api.client.get(path, headers={"Range": many}).status_code in (200, 400, 416)
        head = api.client.head(path)
        assert int(head.headers["content-length"]) == len(whole)

    def test_leaves_no_file_open(self, api: Home) -> None:
        path = f"/api/v1/tracks/{review(api)}/audio"
        fetched(api, path)
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        for _ in range(20):
            api.client.get(path, headers={"Range": "bytes=0-9"})
            api.client.get(path, headers={"Range": "bytes=999999999-"})
        assert len(os.listdir("/proc/self/fd")) <= before + 2  # noqa: PTH208

    def test_is_only_of_songs_in_a_library(self, api: Home, tmp_path: Path) -> None:
        id = review(api)
        entry = api.catalog.get(id)
        assert entry is not None
        outside = tmp_path / "outside.mp3"
        entry.path.rename(outside)
        entry.path.symlink_to(outside)
        for what in ("audio", "peaks?of=mix"):
            assert api.get(f"/api/v1/tracks/{id}/{what}").status_code == 403
        entry.path.unlink()
        assert api.get(f"/api/v1/tracks/{id}/audio").status_code == 404
        entry.path.mkdir()
        assert api.get(f"/api/v1/tracks/{id}/audio").status_code == 404
        inside = outside.rename(api.music / "b.mp3")
        entry.path.rmdir()
        entry.path.symlink_to(inside)
        assert fetched(api, f"/api/v1/tracks/{id}/audio").status_code == 200

    def test_of_a_pipe_does_not_wait_for_ever(self, api: Home) -> None:
        id = review(api)
        entry = api.catalog.get(id)
        assert entry is not None
        entry.path.unlink()
        os.mkfifo(entry.path)
        assert api.get(f"/api/v1/tracks/{id}/audio").status_code == 404

    def test_of_what_is_no_song_is_refused(self, api: Home) -> None:
        id = review(api)
        entry = api.catalog.get(id)
        assert entry is not None
        entry.path.write_bytes(b"nothing" * 1000)
        assert api.get(f"/api/v1/tracks/{id}/audio").status_code == 422
        assert api.get(f"/api/v1/tracks/{id}/draft").json()["audio"] == []

    def test_can_be_switched_off(self, tmp_path: Path) -> None:
        with home(tmp_path, audio=False) as made:
            id = review(made)
            assert made.get(f"/api/v1/tracks/{id}/audio").status_code == 403
            assert made.get(f"/api/v1/tracks/{id}/draft").json()["audio"] == []

    def test_in_a_form_that_there_is_not_is_refused(self, api: Home) -> None:
        assert api.get(f"/api/v1/tracks/{review(api)}/audio", **{"as": "raw"}).status_code == 404


class TestPeaks:
    def test_of_the_mix_are_made_and_of_the_vocals_kept(self, api: Home) -> None:
        id = review(api)
        entry = api.catalog.get(id)
        assert entry is not None
        path = f"/api/v1/tracks/{id}/peaks"
        assert api.get(path).status_code == 404
        mix = fetched(api, f"{path}?of=mix")
        assert mix.headers["x-peaks-rate"] == "100"
        assert abs(len(mix.content) / 100 - audio.probe(SONG).duration) < 0.1
        peaks_cache().put(f"{Fingerprint.of(entry.path).key}.vocals", bytes(range(200)))
        vocals = api.get(path)
        assert vocals.content == bytes(range(200))
        again = api.client.get(path, headers={"If-None-Match": vocals.headers["etag"]})
        assert again.status_code == 304


class TestTheOrder:
    def test_is_numbers_of_four_bytes(self, api: Home) -> None:
        b = review(api, "1.mp3", artist="b", title="x", duration=0.2)
        a = review(api, "2.mp3", artist="A", title="y", duration=0.9)
        unnamed = api.known("3.mp3")
        assert self.order(api) == [a, b, unnamed]
        assert self.order(api, sort="title") == [b, a, unnamed]
        assert self.order(api, sort="-score") == [a, b, unnamed]
        assert self.order(api, state="review", sort="score") == [b, a]
        assert self.order(api, q="A - y") == [a]
        assert api.get("/api/v1/tracks/order", sort="x").status_code == 400

    def order(self, api: Home, **query: str) -> list[int]:
        answer = api.get("/api/v1/tracks/order", **query)
        assert answer.headers["content-type"] == "application/octet-stream"
        tag = answer.headers["etag"]
        again = api.client.get("/api/v1/tracks/order", params=query, headers={"If-None-Match": tag})
        assert again.status_code == 304
        return list(array("I", answer.content))

    def test_its_songs_are_had_by_number(self, api: Home) -> None:
        first, second = review(api, "1.mp3", album="Rhymes"), api.known("2.mp3")
        answer = api.get("/api/v1/tracks", ids=f"{second},99,{first}").json()
        assert [track["id"] for track in answer["tracks"]] == [second, first]
        assert answer["tracks"][1]["album"] == "Rhymes"
        many = ",".join(map(str, range(1, 202)))
        assert api.get("/api/v1/tracks", ids=many).status_code == 400


class TestDecisions:
    def test_are_written_journalled_and_undone(self, api: Home) -> None:
        id = review(api)
        path = f"/api/v1/tracks/{id}"
        trial = api.post(f"{path}/decision", {"action": "accept", "dry_run": True}).json()
        assert trial["written"]
        assert trial["track"]["state"] == "review"
        done = api.post(f"{path}/decision", {"action": "accept", "revision": 1}).json()
        assert done["track"]["state"] == "done"
        assert b"twinkle" in (api.music / "a.elrc").read_bytes()
        writes = api.get(f"{path}/history").json()["writes"]
        assert writes
        assert all(write["by_hand"] and not write["before"] for write in writes)
        assert api.woken
        back = api.post(f"{path}/undo", {}).json()
        assert back["removed"]
        assert not (api.music / "a.elrc").exists()
        assert api.get(f"{path}/history").json() == {"writes": []}
        assert Journal().undone(api.music / "a.mp3")

    def test_move_a_song_in_time(self, api: Home) -> None:
        id = review(api)
        path = f"/api/v1/tracks/{id}"
        api.post(f"{path}/decision", {"action": "accept"}).raise_for_status()
        before = (api.music / "a.elrc").read_bytes()
        trial = api.post(f"{path}/shift", {"seconds": 0.25, "dry_run": True}).json()
        assert trial["written"]
        assert (api.music / "a.elrc").read_bytes() == before
        api.post(f"{path}/shift", {"seconds": 0.25}).raise_for_status()
        assert (api.music / "a.elrc").read_bytes() != before
        assert api.get(f"{path}/draft").json()["offset"] == 0.25
        for wrong in ("1", None, 1e9, True):
            assert api.post(f"{path}/shift", {"seconds": wrong}).status_code == 400

    def test_of_an_older_revision_are_refused(self, api: Home) -> None:
        id = review(api)
        answer = api.post(f"/api/v1/tracks/{id}/decision", {"action": "accept", "revision": 9})
        assert answer.status_code == 409
        assert answer.json()["remedy"]

    def test_about_a_song_in_work_wait(self, api: Home) -> None:
        id = review(api)
        api.catalog.retry([id])
        api.catalog.claim("test", 60)
        answer = api.post(f"/api/v1/tracks/{id}/decision", {"action": "reject"})
        assert answer.status_code == 409

    def test_about_many_tell_of_each_that_was_refused(self, api: Home) -> None:
        good, wordless = review(api, "a.mp3"), api.known("b.mp3")
        answer = api.post(
            "/api/v1/tracks/bulk", {"ids": [good, wordless, 99, good], "action": "lines"}
        ).json()
        assert answer["done"] == [good]
        assert [each["id"] for each in answer["refused"]] == [wordless, 99]
        assert all(each["why"] for each in answer["refused"])
        for action in ("reject", "undo", "skip", "retry"):
            done = api.post("/api/v1/tracks/bulk", {"ids": [good, 99], "action": action}).json()
            assert (done["done"], [each["id"] for each in done["refused"]]) == ([good], [99])

    def test_candidates_can_be_placed(self, api: Home) -> None:
        id = review(api)
        (found,) = api.get(f"/api/v1/tracks/{id}/candidates").json()["candidates"]
        assert found["chosen"]
        assert not found["rejected"]
        assert (found["text"], found["score"]) == (LYRICS.text, 0.38)
        body = {"candidate": 0, "pins": [[1, 6.2]], "revision": 1}
        answer = api.post(f"/api/v1/tracks/{id}/place", body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == "pending"
        choices = api.catalog.choices(id)
        assert choices.pins == ((1, 6.2),)
        assert choices.lyrics is not None
        assert choices.lyrics.words[0].start is None

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"text": "other words"}, 200),
            ({}, 200),
            ({"candidate": 5}, 404),
            ({"pins": [[99, 1.0]]}, 409),
            ({"pins": [[0]]}, 400),
            ({"pins": [[True, 1.0]]}, 400),
            ({"pins": [[0, "1"]]}, 400),
            ({"pins": [[0.0, 1]], "revision": 1.0}, 200),
            ({"text": ""}, 400),
            ({"revision": 8}, 409),
        ],
    )
    def test_words_to_place_are_checked(self, api: Home, body: Any, status: int) -> None:
        id = review(api)
        assert api.post(f"/api/v1/tracks/{id}/place", body).status_code == status

    def test_a_page_that_is_pasted_is_reduced_to_what_is_sung(self, api: Home) -> None:
        id = review(api)
        page = "3 ContributorsThe Star Lyrics[Verse 1]\nUp above\n\n[Chorus]\nso high (x2)\n1Embed"
        answer = api.post(f"/api/v1/tracks/{id}/place", {"text": page})
        assert answer.status_code == 200, answer.text
        choices = api.catalog.choices(id)
        assert choices.lyrics is not None
        assert choices.lyrics.text == "Up above\nso high\nso high"

    def test_words_are_searched_for_by_other_names(self, tmp_path: Path) -> None:
        with home(tmp_path) as made:
            made.config = made.config.model_copy(
                update={"lyrics": made.config.lyrics.model_copy(update={"order": ("local",)})}
            )
            id = review(made)
            (made.music / "a.txt").write_text(LYRICS.text)
            answer = made.post(f"/api/v1/tracks/{id}/candidates", {"title": "The Star"})
            assert answer.status_code == 200, answer.text
            (found,) = answer.json()["candidates"]
            assert found["text"] == LYRICS.text
            assert found["why"]


def test_health_tells_of_libraries_models_and_room(api: Home) -> None:
    health = api.get("/api/v1/health").json()
    topics = {finding["topic"] for finding in health["findings"]}
    assert {"library", "models", "disk"} <= topics
    assert health["libraries"][0]["path"] == str(api.music)
    assert health["resting"] == []
