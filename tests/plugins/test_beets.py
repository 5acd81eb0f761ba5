"""The plugin for beets in the real beets, with real files, against the real service."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import mutagen
import pytest

from lyricsyncd import formats
from lyricsyncd.config.schema import Output
from lyricsyncd.tags import Journal, write_lyrics
from tests.plugins.conftest import OpenHome
from tests.service_home import SONG

pytest.importorskip("beetsplug.lyricsync", reason="beets is not installed: make test-plugins")

from tests.plugins.beets_library import CODECS, Beets, lyrics_tag, made, make_song

pytestmark = pytest.mark.plugins
TIMED = "[00:00.50]<00:00.50>Twinkle, <00:00.90>twinkle <00:01.40>\n"


@pytest.fixture
def deaf(home: OpenHome) -> OpenHome:
    """A service that learns of songs by events alone: its watcher waits for ages until they
    settle, and their folder is no new one, which would be gone through at once."""
    (home.music / "Ann").mkdir()
    home.configure(daemon={"settle": 3600, "rescan": None})
    return home


@pytest.fixture
def beets(home: OpenHome, tmp_path: Path) -> Beets:
    return Beets(tmp_path / "beets", home.music, lyricsync={"url": home.url})


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    return tmp_path / "incoming"


def tracks(home: OpenHome) -> dict[str, dict[str, Any]]:
    """Path below the library → what the catalog has of it."""
    with home_request(home, "/api/v1/tracks") as answer:
        found = json.load(answer)["tracks"]
    there = [each for each in found if each["missing_since"] is None]
    return {str(Path(each["path"]).relative_to(home.music)): each for each in there}


def home_request(home: OpenHome, path: str) -> Any:
    import urllib.request

    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(home.url + path)


# Imports


def test_an_import_is_reported_of_by_its_final_paths(
    deaf: OpenHome, beets: Beets, incoming: Path
) -> None:
    deaf.start()
    list(made(incoming, 3, TIMED))
    assert "lyricsync" not in beets.take_in(incoming).stderr
    found = tracks(deaf)
    assert found.keys() == {f"Ann/Song {number}.mp3" for number in range(3)}
    assert {each["why"] for each in found.values()} == {"reported as imported"}
    assert beets.shown("$lyricsync_state") == ["pending"] * 3


def test_imports_that_move_and_names_that_are_no_text(
    deaf: OpenHome, beets: Beets, incoming: Path
) -> None:
    deaf.start()
    paths = {"default": "Ann/$title"}
    beets.configure(lyricsync={"url": deaf.url}, paths=paths, **{"import": {"move": True}})
    song = make_song(incoming / "a.mp3", title="Bjørn & Ågot")
    # As old file systems have left them behind.
    odd = deaf.music / "Ann" / os.fsdecode(b"M\xfcller.mp3")
    shutil.copyfile(song, odd)
    beets.take_in(incoming)
    assert not song.exists()
    beets.configure(lyricsync={"url": deaf.url}, **{"import": {"copy": False}})
    beets.run("import", "-A", "-q", "-s", odd)
    found = tracks(deaf)
    assert found.keys() == {"Ann/Bjørn & Ågot.mp3", str(odd.relative_to(deaf.music))}
    assert {each["why"] for each in found.values()} == {"reported as imported"}
    assert beets("lyricsync", "--status").count("pending") == 2
    assert beets("lyricsync", "--status", f"path:{odd}").startswith("pending")


def test_without_a_service_an_import_goes_on_with_a_warning(beets: Beets, incoming: Path) -> None:
    list(made(incoming, 2))
    done = beets.take_in(incoming)
    assert done.stderr.count("2 songs are not reported") == 1
    assert len(beets.shown("$title", "lyricsync_state:pending")) == 2


def test_a_song_that_is_imported_anew_waits_anew(
    deaf: OpenHome, beets: Beets, incoming: Path
) -> None:
    deaf.start()
    list(made(incoming, 1, TIMED))
    beets.take_in(incoming)
    assert beets.shown("$lyricsync_seen", "lyricsync_seen::.") != []
    beets("modify", "-y", "-W", "lyrics=", "lyricsync_state=done")
    (song,) = deaf.music.rglob("*.mp3")
    make_song(song, title="Song 0")
    beets.run("import", "-A", "-q", "-L")
    assert beets.shown("$lyricsync_state") == ["pending"]
    assert beets.shown("$title", "lyricsync_seen::.") == []


def test_a_wrong_token_is_reported(deaf: OpenHome, beets: Beets, incoming: Path) -> None:
    deaf.token = "gehéim"
    deaf.configure(daemon={"settle": 3600, "rescan": None})
    deaf.start()
    list(made(incoming, 1, TIMED))
    assert "wants a token" in beets.take_in(incoming).stderr
    assert "wants a token" in beets.run("lyricsync", status=1).stderr
    beets.configure(lyricsync={"url": deaf.url, "token": deaf.token})
    assert beets("lyricsync").endswith(": Ann - Album - Song 0\n")


def test_a_library_that_the_service_does_not_know_is_reported(
    home: OpenHome, tmp_path: Path, incoming: Path
) -> None:
    home.start()
    beets = Beets(tmp_path / "beets", tmp_path / "elsewhere", lyricsync={"url": home.url})
    list(made(incoming, 1))
    assert "1 songs are in none of the service's libraries" in beets.take_in(incoming).stderr
    assert beets.shown("$title", "lyricsync_state::.") == []


def test_auto_can_be_switched_off(deaf: OpenHome, beets: Beets, incoming: Path) -> None:
    deaf.start()
    beets.configure(lyricsync={"url": deaf.url, "auto": False})
    list(made(incoming, 1))
    beets.take_in(incoming)
    assert tracks(deaf) == {}


# The command


def test_the_command_queues_waits_and_learns(home: OpenHome, beets: Beets, incoming: Path) -> None:
    list(made(incoming, 3, TIMED))
    beets.take_in(incoming)
    home.call("pause")
    home.start()
    assert beets("lyricsync", "-p", "title:Song 1") == "would be queued: Ann - Album - Song 1\n"
    home.call("resume")
    said = beets("lyricsync", "--wait", "title:Song 1").splitlines()
    assert said[-1] == "done (0.97): Ann - Album - Song 1"
    home.until_counts(done=3)
    assert beets("lyricsync", "-q", "--pull") == ""
    assert beets.shown("$title $lyricsync_quality", "lyricsync_state:done") == [
        f"Song {number} 0.97" for number in range(3)
    ]
    assert len(beets.shown("$title", "lyricsync_quality:0.85..")) == 3
    assert beets.shown("$title", "lyricsync_quality:0.98..") == []
    assert beets("lyricsync", "-p") == ""
    assert beets("lyricsync", "-p", "-f").count("would be queued") == 3
    assert beets("lyricsync").count("nothing to do") == 3
    assert beets("lyricsync", "-a", "-f", "album:Album").count("queued") == 3


def test_a_service_that_sees_the_library_elsewhere_is_understood(
    home: OpenHome, incoming: Path, tmp_path: Path
) -> None:
    mounted = tmp_path / "data" / "music"
    mounted.parent.mkdir()
    mounted.symlink_to(home.music)
    home.configure(
        web={"listen": f"127.0.0.1:{home.port}", "path_map": {str(mounted): str(home.music)}}
    )
    home.start()
    beets = Beets(tmp_path / "beets", mounted, lyricsync={"url": home.url})
    list(made(incoming, 2, TIMED))
    beets.take_in(incoming)
    home.until_counts(done=2)
    beets("lyricsync", "--pull")
    assert beets.shown("$lyricsync_state") == ["done", "done"]


@pytest.fixture
def alone(home: OpenHome, beets: Beets, incoming: Path) -> Beets:
    """Two songs, one with words, beside an installed lyricsyncd whose service is down."""
    incoming.mkdir()
    shutil.copyfile(SONG, incoming / "star.mp3")
    make_song(incoming / "silent.mp3", title="Nothing")
    beets.take_in(incoming)
    beets.environment = home.environment
    beets("modify", "-y", "-W", "title:Star", f"lyrics={SONG.with_suffix('.txt').read_text()}")
    return beets


def test_without_a_service_the_words_are_placed_here(home: OpenHome, alone: Beets) -> None:
    beets = alone
    assert "would be done" in beets("lyricsync", "-p")
    done = beets.run("lyricsync")
    assert "the words are placed right here" in done.stderr
    assert "\x1b" not in done.stderr + done.stdout
    assert "1 of 2" not in done.stderr + done.stdout
    (sidecar,) = home.music.rglob("*.elrc")
    assert sidecar.read_text(encoding="utf-8").count("<") >= 44
    assert dict(line.split(": ") for line in beets.shown("$title: $lyricsync_state")) == {
        "The Star": "done",
        "Nothing": "no_lyrics",
    }
    assert beets.shown("$title", "lyricsync_quality:0.7..") == ["The Star"]
    assert "Star" not in beets("lyricsync")


def test_a_terminal_shows_how_far_it_is_while_it_places_words(alone: Beets) -> None:
    alone("modify", "-y", "-W", "title:Nothing", f"title={'Nothing, ' * 20}")
    shown = alone.at_terminal("lyricsync")
    last = [moment[-1] for moment in shown.moments if moment]
    # The bar has the last line, below all messages, and never more than one.
    assert any("2 of 2: The Star ━" in line and "━ align " in line for line in last)
    assert any(line.startswith("1 of 2: Nothing") and "━" in line for line in last)
    assert all(sum("━" in line for line in moment) <= 1 for moment in shown.moments)
    # Then it is gone, and the messages stay.
    reported = " ".join(shown.at_last)
    assert "the words are placed right here" in reported
    assert "done (" in shown.at_last[-1]
    assert "━" not in reported
    assert not shown.cursor_is_gone
    quiet = alone.at_terminal("lyricsync", "-f", "-q", "title:Star")
    assert not any("━" in line for moment in quiet.moments for line in moment)


def test_a_terminal_shows_how_many_are_done_while_it_waits(
    home: OpenHome, beets: Beets, incoming: Path
) -> None:
    list(made(incoming, 2, TIMED))
    beets.take_in(incoming)
    home.start()
    shown = beets.at_terminal("lyricsync", "--wait")
    assert shown.at_last[-3:] == [
        "2 of 2",
        "done (0.97): Ann - Album - Song 0",
        "done (0.97): Ann - Album - Song 1",
    ]
    home.call("pause")
    shown = beets.at_terminal("lyricsync", "--wait", "-f", "title:Song 1")
    reported = "lyricsync: the service is paused: `lyricsyncd resume` lets it go on"
    at = shown.at_last.index(reported)
    assert shown.at_last[at - 1 :][:1] == ["0 of 1"]
    assert shown.at_last[-1].startswith("pending")


# Songs that move and go


def test_songs_that_move_and_go_are_reported_of(
    home: OpenHome, beets: Beets, incoming: Path
) -> None:
    home.start()
    list(made(incoming, 3, TIMED))
    beets.take_in(incoming)
    home.until_counts(done=3)
    before = {name: each["id"] for name, each in tracks(home).items()}
    beets("modify", "-y", "title:Song 0", "title=Another")
    home.until(lambda: "Ann/Another.mp3" in tracks(home), "the song has moved")
    assert beside(home, "Another") == {".mp3", ".lrc", ".elrc"}
    assert beside(home, "Song 0") == set()
    beets("remove", "-f", "-d", "title:Song 1")
    beets("remove", "-f", "title:Song 2")
    home.until(lambda: tracks(home).get("Ann/Song 1.mp3") is None, "the song is gone")
    assert beside(home, "Song 1") == set()
    assert beside(home, "Song 2") == {".mp3", ".lrc", ".elrc"}
    after = {name: each["id"] for name, each in tracks(home).items()}
    assert after.keys() == {"Ann/Another.mp3", "Ann/Song 2.mp3"}
    assert after["Ann/Song 2.mp3"] == before["Ann/Song 2.mp3"]


def beside(home: OpenHome, stem: str) -> set[str]:
    """What there is of a song: the suffixes of its files."""
    return {path.suffix for path in (home.music / "Ann").iterdir() if path.stem == stem}


# What goes into files


def timed_frames(song: Path) -> list[tuple[str, int]]:
    """The words of an MP3's SYLT frames, with their milliseconds."""
    tags = mutagen.File(song).tags
    return tags.getall("SYLT")[0].text if hasattr(tags, "getall") and tags.getall("SYLT") else []


def embed(home: OpenHome, song: Path) -> str:
    """Timed words in a song's tags, written by what the service writes with; the text of them."""
    journal = Journal(home.folder / "state" / "journal.db")
    lyrics = formats.read(TIMED.encode(), "lrc")
    write_lyrics(song, lyrics, Output(preset="embed"), journal=journal, force=True)
    text = lyrics_tag(song)
    assert "lyricsyncd" in text
    assert "Twinkle" in text
    return text


@pytest.mark.parametrize("before", ["", "Old words\nof another\n"])
@pytest.mark.parametrize("format", CODECS)
def test_our_words_survive_everything_that_beets_writes(
    home: OpenHome, beets: Beets, incoming: Path, format: str, before: str
) -> None:
    home.start()
    make_song(incoming / f"a.{format}", words=before)
    beets.take_in(incoming)
    (song,) = home.music.rglob(f"*.{format}")
    ours, frames = embed(home, song), timed_frames(song)
    assert bool(frames) is (format == "mp3")
    for command in (
        ["modify", "-y", "-M", "genre=Folk"],
        ["write"],
        ["write", "-f"],
        ["modify", "-y", "title=Another"],
        ["modify", "-y", "-W", "artist=Bob"],
        ["move"],
        ["write"],
        ["update"],
        ["write"],
    ):
        beets(*command)
        (song,) = home.music.rglob(f"*.{format}")
        assert (lyrics_tag(song), timed_frames(song)) == (ours, frames), command
    assert song == home.music / "Bob" / f"Another.{format}"
    assert "Twinkle" in beets.shown("$lyrics")[1]
    if format == "mp3":
        tags = mutagen.File(song).tags
        assert (str(tags["TIT2"]), str(tags["TPE1"])) == ("Another", "Bob")


@pytest.mark.parametrize("known", [True, False])
def test_what_a_person_changes_in_beets_goes_in(
    home: OpenHome, beets: Beets, incoming: Path, known: bool
) -> None:
    # A song that came into the library before the plugin did is not known to it.
    beets.configure(lyricsync={"url": home.url, "auto": known})
    make_song(incoming / "a.mp3", words="Old words\n")
    beets.take_in(incoming)
    (song,) = home.music.rglob("*.mp3")
    embed(home, song)
    beets("modify", "-y", "lyrics=My own words")
    assert lyrics_tag(song) == "My own words"
    beets("write", "-f")
    assert lyrics_tag(song) == "My own words"
    # And what the service makes of them stays in turn.
    ours = embed(home, song)
    done = beets.run("write", "-f")
    assert lyrics_tag(song) == ours
    assert ("beets has others" in done.stderr) is not known
    if known:
        beets("modify", "-y", "-W", "lyrics=Others")
        beets("write")
        assert lyrics_tag(song) == "Others"


def test_old_words_are_lost_without_the_plugin(
    home: OpenHome, beets: Beets, incoming: Path
) -> None:
    """If this fails, beets has mended it, and the plugin need not guard the words any more."""
    beets.configure(plugins="")
    make_song(incoming / "a.mp3")
    beets.take_in(incoming)
    (song,) = beets.music.rglob("*.mp3")
    embed(home, song)
    beets("write")
    assert lyrics_tag(song) == ""


@pytest.fixture
def lyrics_server() -> Iterator[Callable[[str], str]]:
    """A server of lyrics as the stock plugin asks them, at an address of ours."""
    words = ["[00:00.50]Twinkle, twinkle\n[00:01.20]little star\n"]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            found = query["title"] == ["Song"]
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            self.wfile.write(words[0].encode() if found else b"")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield lambda path: f"http://127.0.0.1:{server.server_port}{path}"
        server.shutdown()


@pytest.mark.parametrize("write", [True, False])
def test_what_the_lyrics_plugin_finds_is_used(
    home: OpenHome,
    beets: Beets,
    incoming: Path,
    lyrics_server: Callable[[str], str],
    write: bool,
) -> None:
    home.start()
    home.call("pause")
    beets.configure(
        plugins="lyrics lyricsync",
        lyrics={"sources": ["lrcmux"], "synced": True, "lrcmux": {"url": lyrics_server("")}},
        lyricsync={"url": home.url},
        **{"import": {"copy": True, "write": write}},
    )
    make_song(incoming / "a.mp3")
    make_song(incoming / "b.mp3", title="Unknown")
    beets.take_in(incoming)
    song = home.music / "Ann" / "Song.mp3"
    assert ("little star" in lyrics_tag(song)) is write
    assert lyrics_tag(home.music / "Ann" / "Unknown.mp3") == ""
    if write:
        with home_request(home, f"/api/v1/lyrics?path={quote(str(song))}") as answer:
            reported = json.load(answer)
        assert (reported["source"], reported["timing"]) == ("tag", "line")


# Words beside what is imported


@pytest.mark.parametrize("move", [False, True])
def test_words_beside_a_song_come_along(
    home: OpenHome, beets: Beets, incoming: Path, move: bool
) -> None:
    beets.configure(lyricsync={"url": home.url}, **{"import": {"move": move, "copy": not move}})
    song = make_song(incoming / "01 track.mp3", title="Halo")
    song.with_suffix(".LRC").write_text(TIMED, encoding="utf-8")
    (incoming / "01 track.mp3.txt").write_text("Twinkle", encoding="utf-8")
    (incoming / "01 track 2.lrc").write_text("another song's", encoding="utf-8")
    (incoming / "01 track.nfo").write_text("no words", encoding="utf-8")
    beets.take_in(incoming)
    names = {path.name for path in (home.music / "Ann").iterdir()}
    assert names == {"Halo.mp3", "Halo.LRC", "Halo.mp3.txt"}
    assert (home.music / "Ann" / "Halo.LRC").read_text(encoding="utf-8") == TIMED
    left = {path.name for path in incoming.iterdir()} if incoming.exists() else set()
    words = {"01 track.LRC", "01 track.mp3.txt"}
    assert left & words == (set() if move else words)
    assert {"01 track 2.lrc", "01 track.nfo"} <= left


def test_no_file_is_put_over_another(home: OpenHome, beets: Beets, incoming: Path) -> None:
    beets.configure(lyricsync={"url": home.url}, **{"import": {"move": True}})
    song = make_song(incoming / "a.mp3", title="Halo")
    song.with_suffix(".txt").write_text("theirs", encoding="utf-8")
    mine = home.music / "Ann" / "Halo.txt"
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine", encoding="utf-8")
    beets.take_in(incoming)
    assert (home.music / "Ann" / "Halo.mp3").exists()
    assert mine.read_text(encoding="utf-8") == "mine"
    assert song.with_suffix(".txt").read_text(encoding="utf-8") == "theirs"


def test_links_and_large_files_beside_a_song_stay(
    home: OpenHome, beets: Beets, incoming: Path, tmp_path: Path
) -> None:
    song = make_song(incoming / "a.mp3", title="Halo")
    secret = tmp_path / "secret"
    secret.write_text("secret", encoding="utf-8")
    song.with_suffix(".lrc").symlink_to(secret)
    song.with_suffix(".txt").write_bytes(b"x" * (1024 * 1024 + 1))
    beets.take_in(incoming)
    assert beside(home, "Halo") == {".mp3"}


def test_two_versions_of_a_song_both_get_the_words(
    home: OpenHome, beets: Beets, incoming: Path
) -> None:
    beets.configure(
        lyricsync={"url": home.url},
        paths={"default": "$artist/$title $format"},
        **{"import": {"move": True}},
    )
    for suffix in (".mp3", ".flac"):
        make_song(incoming / f"a{suffix}", title="Halo")
    (incoming / "a.txt").write_text("Twinkle", encoding="utf-8")
    beets.take_in(incoming)
    assert (home.music / "Ann" / "Halo MP3.txt").exists()
    assert (home.music / "Ann" / "Halo FLAC.txt").exists()


def test_words_stay_where_they_are_if_that_is_wanted(
    home: OpenHome, beets: Beets, incoming: Path
) -> None:
    beets.configure(lyricsync={"url": home.url, "sidecars": False})
    song = make_song(incoming / "a.mp3", title="Halo")
    song.with_suffix(".txt").write_text("Twinkle", encoding="utf-8")
    beets.take_in(incoming)
    assert beside(home, "Halo") == {".mp3"}


def test_the_words_that_came_along_are_placed(home: OpenHome, beets: Beets, incoming: Path) -> None:
    home.start()
    song = make_song(incoming / "a.mp3", title="Halo")
    song.with_suffix(".elrc").write_text(TIMED, encoding="utf-8")
    beets.take_in(incoming)
    home.until_counts(done=1)
    assert "words from sidecar" in home.said()
