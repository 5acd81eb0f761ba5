"""Navidrome's plugin in a real Extism host, against the real service."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.conftest import OpenHome
from tests.service_home import ROOT, SONG

pytest.importorskip("extism", reason="extism is not installed: make test-plugins")

import extism

from tests.plugins.navidrome_host import Package, complaints

SOURCE = ROOT / "plugins" / "navidrome"
NDP = SOURCE / "build" / "lyricsyncd.ndp"
pytestmark = [
    pytest.mark.plugins,
    pytest.mark.skipif(not NDP.exists(), reason="lyricsyncd.ndp is not built: make plugins"),
]
NOTHING: dict[str, list[Any]] = {"lyrics": []}


def package(home: OpenHome, **config: str) -> Package:
    return Package(NDP.read_bytes(), {"url": home.url, **config})


def asked(path: str = "Artist/Album/song.mp3", **track: Any) -> dict[str, Any]:
    """What Navidrome hands to a plugin for a song."""
    named = {
        "id": "1",
        "title": "The Star",
        "album": "Nursery & Rhymes <1>",
        "artist": "Ann",
        "albumArtist": "Ann",
        "artists": [{"id": "2", "name": "Ann"}],
        "duration": 30.5,
        "trackNumber": 1,
        "discNumber": 1,
        "libraryId": 1,
        "path": path,
    }
    return {"track": {**named, **track}}


def word_timed(lines: int = 3, word: str = "star") -> str:
    stamp = [f"{at // 60:02d}:{at % 60:02d}.00" for at in range(lines + 1)]
    return "".join(f"[{stamp[at]}]<{stamp[at]}>{word} <{stamp[at + 1]}>\n" for at in range(lines))


def done(home: OpenHome, name: str, words: str) -> Path:
    song = home.drop(name, words)
    home.until(lambda: home.counts().get("done"), "the song is done")
    return song


def test_the_package_is_one_that_navidrome_takes(home: OpenHome) -> None:
    loaded = package(home)
    assert loaded.names == ["manifest.json", "plugin.wasm"]
    assert complaints(loaded.manifest, loaded.exports()) == []
    assert loaded.manifest["permissions"].keys() == {"http", "library", "users"}
    packaged = json.loads((SOURCE / "package.json").read_text(encoding="utf-8"))
    assert packaged["version"] == loaded.manifest["version"]


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    for name, zone in (("one", "Pacific/Kiritimati"), ("two", "America/Los_Angeles")):
        subprocess.run(
            ["node", str(SOURCE / "build.mjs"), str(tmp_path / name)],
            env={**os.environ, "TZ": zone},
            check=True,
        )
    one, two = ((tmp_path / name / NDP.name).read_bytes() for name in ("one", "two"))
    assert one == two == NDP.read_bytes()


def test_words_with_times_are_given(home: OpenHome) -> None:
    home.start()
    done(home, "Artist/Album/song.mp3", word_timed())
    plugin = package(home)
    (lyrics,) = plugin.call("nd_lyrics_get_lyrics", asked())["lyrics"]
    assert "[00:01.000]" in lyrics["text"]
    assert lyrics["text"].count("<") == 6
    assert lyrics["lang"] == "xxx"
    assert [request["method"] for request in plugin.requests] == ["GET"]


def test_a_song_is_found_by_its_names_where_the_path_is_not_known(home: OpenHome) -> None:
    home.start()
    done(home, "song.mp3", word_timed())
    names = {"title": "The Star", "artist": "The Sampled Choir", "duration": 0}
    answer = package(home).call("nd_lyrics_get_lyrics", asked("elsewhere/x.mp3", **names))
    assert len(answer["lyrics"]) == 1


def test_json_of_any_shape_is_read(home: OpenHome) -> None:
    home.start()
    done(home, 'Bjørn & <Ågot>/ "Æ" \\ 星.mp3', word_timed())
    request = asked('Bjørn & <Ågot>/ "Æ" \\ 星.mp3')
    for spaced in (False, True):
        assert package(home).call("nd_lyrics_get_lyrics", request, spaced=spaced)["lyrics"]


BROKEN = rb"""
{
null
{"track":
{"track":{"title":"x
{"track":[1,2
{"track":{"title":"\u12
{"track":{"title":"\"}
{"track":{"title" "x"}}
{"track":{"title":17}}
""".splitlines()


@pytest.mark.parametrize("broken", [*BROKEN, b"[" * 5000])
def test_what_is_no_json_gets_nothing(home: OpenHome, broken: bytes) -> None:
    plugin = package(home)
    assert json.loads(plugin.call_raw("nd_lyrics_get_lyrics", broken)) == NOTHING
    assert plugin.requests == []


@pytest.mark.parametrize("word", ['Ågot\\"„ß“🎵', "звезда", "星", "<b>R&B</b>"])
def test_letters_of_all_scripts_come_through(home: OpenHome, word: str) -> None:
    home.start()
    done(home, "song.mp3", word_timed(word=word))
    (lyrics,) = package(home).call("nd_lyrics_get_lyrics", asked("song.mp3"))["lyrics"]
    assert lyrics["text"].count(word) == 3


def test_very_long_lyrics_come_through(home: OpenHome) -> None:
    home.start()
    words = word_timed(lines=3000, word="wort" * 18 + "ü")
    assert len(words) > 300_000
    done(home, "song.mp3", words)
    (lyrics,) = package(home).call("nd_lyrics_get_lyrics", asked("song.mp3"))["lyrics"]
    assert lyrics["text"].count("ü") == 3000


def test_a_song_without_words_is_asked_for_before_others(home: OpenHome) -> None:
    home.start()
    home.call("pause")
    home.drop("Artist/Album/other.mp3", None)
    home.drop("Artist/Album/song.mp3", None)
    home.until_counts(pending=2)
    plugin = package(home)
    assert plugin.call("nd_lyrics_get_lyrics", asked()) == NOTHING
    assert [request["method"] for request in plugin.requests] == ["GET", "POST"]
    first, second = home.asked("queue")
    assert first["path"].endswith("/song.mp3")
    assert first["priority"] > second["priority"]


def test_lines_are_left_to_navidrome_and_words_asked_for(home: OpenHome) -> None:
    home.start()
    home.call("pause")
    home.drop("song.mp3", None)
    (home.music / "song.lrc").write_text("[00:01.00]Twinkle, twinkle\n", encoding="utf-8")
    home.until_counts(pending=1)
    plugin = package(home)
    assert plugin.call("nd_lyrics_get_lyrics", asked("song.mp3")) == NOTHING
    assert [request["method"] for request in plugin.requests] == ["GET", "POST"]


def test_what_plays_is_brought_forward(home: OpenHome) -> None:
    home.start()
    home.call("pause")
    home.drop("a.mp3", None)
    home.drop("b.mp3", None)
    home.until_counts(pending=2)
    plugin = package(home)
    playing = {"username": "ann", **asked("b.mp3"), "position": 0}
    assert plugin.call("nd_scrobbler_is_authorized", {"username": "ann"}) is True
    assert plugin.call("nd_scrobbler_now_playing", playing) is None
    assert [Path(entry["path"]).name for entry in home.asked("queue")] == ["b.mp3", "a.mp3"]
    before = len(plugin.requests)
    plugin.call("nd_scrobbler_scrobble", {**playing, "timestamp": 1})
    plugin.call("nd_scrobbler_playback_report", {**playing, "state": "playing"})
    assert len(plugin.requests) == before


def test_a_service_that_is_down_or_hangs_costs_little(home: OpenHome) -> None:
    plugin = package(home)
    assert plugin.call("nd_lyrics_get_lyrics", asked()) == NOTHING
    assert len(plugin.requests) == 1
    assert plugin.call("nd_scrobbler_now_playing", asked()) is None
    home.start()
    assert home.process is not None
    home.process.send_signal(signal.SIGSTOP)
    try:
        assert plugin.call("nd_lyrics_get_lyrics", asked()) == NOTHING
    finally:
        home.process.send_signal(signal.SIGCONT)
    # Once, and not once more to ask for it.
    assert len(plugin.requests) == 3


def test_a_wrong_token_is_reported_and_the_right_one_works(home: OpenHome) -> None:
    home.token = "gar nicht geheim, aber ä"
    home.configure()
    home.start()
    done(home, "song.mp3", word_timed())
    for wrong in ({}, {"token": "falsch"}):
        plugin = package(home, **wrong)
        for function in ("nd_lyrics_get_lyrics", "nd_scrobbler_now_playing"):
            with pytest.raises(extism.Error, match="refuses the token"):
                plugin.call(function, asked("song.mp3"))
        assert "refuses the token" in plugin.call("nd_on_init", {})["error"]
    right = package(home, token=home.token)
    assert right.call("nd_on_init", {}) == {}
    assert right.call("nd_lyrics_get_lyrics", asked("song.mp3"))["lyrics"]


def test_what_is_wrong_with_the_configuration_is_reported(home: OpenHome) -> None:
    assert "cannot be reached" in package(home).call("nd_on_init", {})["error"]
    home.start()
    assert package(home).call("nd_on_init", {}) == {}
    assert package(home, url=home.url + "/").call("nd_on_init", {}) == {}
    other = package(home, url=home.url + "/elsewhere").call("nd_on_init", {})
    assert "not lyricsyncd" in other["error"]


def test_the_demo_song_from_its_plain_words_to_the_player(home: OpenHome) -> None:
    home.start()
    song = done(home, "song.mp3", SONG.with_suffix(".txt").read_text(encoding="utf-8"))
    (lyrics,) = package(home).call("nd_lyrics_get_lyrics", asked("song.mp3"))["lyrics"]
    ours = song.with_suffix(".elrc").read_text(encoding="utf-8")
    assert [line for line in lyrics["text"].splitlines() if "<" in line] == [
        line for line in ours.splitlines() if "<" in line
    ]
