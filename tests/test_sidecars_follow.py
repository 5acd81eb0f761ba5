"""Songs that are moved or deleted take our sidecars along, and nobody else's."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lyricsyncd import formats
from lyricsyncd.catalog.catalog import Catalog, Outcome, State
from lyricsyncd.config import paths
from lyricsyncd.config.schema import OutputFile
from lyricsyncd.library import sidecars
from lyricsyncd.library.events import Event, EventHandler, Kind, Result
from lyricsyncd.library.lookup import Lookup
from lyricsyncd.library.rules import Rules
from lyricsyncd.library.scan import reconcile
from lyricsyncd.tags import Journal, carry_sidecars, undo, write_lyrics
from tests.clock import Clock
from tests.service_home import Home

LYRICS = formats.read(b"[00:01.00]Row, row\n", "lrc")
OURS = (OutputFile(format="lrc_standard"), OutputFile(format="txt"))


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    (folder / "another.mp3").write_bytes(b"so that the library is not empty")
    return folder


def done(catalog: Catalog, music: Path, name: str = "song.mp3") -> Path:
    """A song whose lyrics we have written: .lrc and .txt; a person's .srt lies beside them."""
    song = music / name
    song.parent.mkdir(parents=True, exist_ok=True)
    song.write_bytes(b"music " + name.encode())
    song.with_suffix(".srt").write_text("a person's", encoding="utf-8")
    reconcile(catalog, Rules(music))
    report = write_lyrics(song, LYRICS, OURS, journal=Journal())
    while entry := catalog.claim("test", 60):
        written = report.written if entry.path == song else ()
        catalog.finish(entry.id, "test", Outcome(State.DONE, "", written=written))
    return song


def beside(song: Path) -> set[str]:
    names = {path.name for path in song.parent.iterdir() if path.suffix != ".mp3"}
    return {name.removeprefix(song.stem) for name in names if name.startswith(song.stem)}


def moved_by(song: Path, to: Path) -> Path:
    to.parent.mkdir(parents=True, exist_ok=True)
    song.rename(to)
    return to


class TestAScanThatFindsASongElsewhere:
    @pytest.mark.parametrize("to", ["sub/other name.mp3", "Song.mp3", "a.b.mp3"])
    def test_has_our_sidecars_follow(self, catalog: Catalog, music: Path, to: str) -> None:
        song = done(catalog, music)
        new = moved_by(song, music / to)
        report = reconcile(catalog, Rules(music))
        assert (report.new, report.changed, report.missing) == (0, 0, 0)
        assert beside(new) == {".lrc", ".txt"}
        assert beside(song) == {".srt"}
        entry = catalog.by_path(new)
        assert entry is not None
        assert entry.state is State.DONE, "nothing is left to be done"
        assert set(entry.written) == {new.with_suffix(".lrc"), new.with_suffix(".txt")}
        assert set(undo(Journal(), [new]).removed) == set(entry.written)

    def test_leaves_what_a_person_edited(self, catalog: Catalog, music: Path) -> None:
        song = done(catalog, music)
        song.with_suffix(".lrc").write_text("edited", encoding="utf-8")
        new = moved_by(song, music / "new.mp3")
        reconcile(catalog, Rules(music))
        assert beside(new) == {".txt"}
        assert beside(song) == {".lrc", ".srt"}

    def test_leaves_what_has_no_place_there(self, catalog: Catalog, music: Path) -> None:
        song = done(catalog, music)
        (music / "new.lrc").write_text("a person's", encoding="utf-8")
        new = moved_by(song, music / "new.mp3")
        reconcile(catalog, Rules(music))
        assert (music / "new.lrc").read_text(encoding="utf-8") == "a person's"
        assert beside(new) == {".lrc", ".txt"}
        assert beside(song) == {".lrc", ".srt"}

    def test_knows_sidecars_that_came_along_with_the_folder(
        self, catalog: Catalog, music: Path
    ) -> None:
        song = done(catalog, music, "Album/song.mp3")
        (music / "Album").rename(music / "Renamed")
        new = music / "Renamed" / "song.mp3"
        reconcile(catalog, Rules(music))
        # Text has no room for a mark of ours: without the journal it would pass for a person's.
        report = write_lyrics(new, LYRICS.with_lines(LYRICS.lines * 2), OURS, journal=Journal())
        assert len(report.written) == 2
        undo(Journal(), [new])
        assert beside(new) == {".srt"}
        assert not song.parent.exists()

    def test_keeps_in_mind_what_a_person_took_back(self, catalog: Catalog, music: Path) -> None:
        song = done(catalog, music)
        undo(Journal(), [song])
        new = moved_by(song, music / "new.mp3")
        reconcile(catalog, Rules(music))
        assert Journal().undone(new)


class TestASongThatIsGone:
    def test_keeps_its_sidecars_for_a_day(
        self, catalog: Catalog, music: Path, clock: Clock
    ) -> None:
        """A scan cannot tell a deleted song from one of a disk that is missing in a pool."""
        song = done(catalog, music)
        song.unlink()
        reconcile(catalog, Rules(music))
        clock.now += sidecars.CLEAN_AFTER - 60
        reconcile(catalog, Rules(music))
        assert beside(song) == {".lrc", ".txt", ".srt"}
        clock.now += 120
        reconcile(catalog, Rules(music))
        assert beside(song) == {".srt"}

    def test_is_done_anew_if_it_comes_back_later(
        self, catalog: Catalog, music: Path, clock: Clock
    ) -> None:
        song = done(catalog, music)
        elsewhere = moved_by(song, music.parent / "elsewhere.mp3")
        reconcile(catalog, Rules(music))
        clock.now += 2 * sidecars.CLEAN_AFTER
        reconcile(catalog, Rules(music))
        moved_by(elsewhere, song)
        assert reconcile(catalog, Rules(music)).changed == 1

    def test_keeps_them_while_its_folder_is_away(
        self, catalog: Catalog, music: Path, clock: Clock
    ) -> None:
        song = done(catalog, music, "disk/song.mp3")
        away = music.parent / "away"
        song.parent.rename(away)
        for _ in range(2):
            reconcile(catalog, Rules(music))
            clock.now += 2 * sidecars.CLEAN_AFTER
        away.rename(song.parent)
        assert beside(song) == {".lrc", ".txt", ".srt"}

    def test_leaves_them_to_the_song_that_took_its_place(
        self, catalog: Catalog, music: Path, clock: Clock
    ) -> None:
        song = done(catalog, music)
        better = song.with_suffix(".flac")
        better.write_bytes(b"the same music, better")
        reconcile(catalog, Rules(music))
        song.unlink()
        for _ in range(2):
            reconcile(catalog, Rules(music))
            clock.now += 2 * sidecars.CLEAN_AFTER
        assert beside(song) == {".lrc", ".txt", ".srt", ".flac"}
        again = write_lyrics(better, LYRICS.with_lines(LYRICS.lines * 2), OURS, journal=Journal())
        assert len(again.written) == 2, "they are its own now"

    def test_and_said_to_be_removed_takes_them_along_at_once(
        self, catalog: Catalog, music: Path
    ) -> None:
        song = done(catalog, music)
        song.unlink()
        handler = EventHandler(catalog, Lookup(catalog, [Rules(music)]), lambda _: None)
        (taken,) = handler.take([Event(Kind.REMOVED, str(song))])
        assert taken.result is Result.REMOVED
        assert beside(song) == {".srt"}


class TestWhereCaseIsIgnored:
    """A file system that ignores case, as far as its look-ups by name go."""

    @pytest.fixture
    def ignoring(self, music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        lexists = os.path.lexists

        def by_any_case(path: str | os.PathLike[str]) -> bool:
            asked = Path(path)
            if asked.parent != music:
                return lexists(path)
            return asked.name.casefold() in {each.name.casefold() for each in music.iterdir()}

        monkeypatch.setattr(os.path, "lexists", by_any_case)

    @pytest.mark.usefixtures("ignoring")
    def test_the_old_spelling_is_not_present(self, music: Path) -> None:
        moved_by(music / "another.mp3", music / "Another.mp3")
        assert os.path.lexists(music / "another.mp3")
        assert not paths.present(music / "another.mp3")
        assert paths.present(music / "Another.mp3")

    @pytest.mark.usefixtures("ignoring")
    def test_a_song_in_another_spelling_is_the_same_song(
        self, catalog: Catalog, music: Path
    ) -> None:
        song = done(catalog, music)
        new = moved_by(song, music / "SONG.mp3")
        report = reconcile(catalog, Rules(music))
        assert (report.new, report.missing) == (0, 0)
        assert catalog.by_path(song) is None
        assert catalog.by_path(new) is not None


def is_done(home: Home, song: Path) -> bool:
    """Whether a song is known as done; its sidecars move a moment before its row does."""
    try:
        return bool(home.asked("show", song)["state"] == "done")
    except AssertionError:
        return False


@pytest.mark.slow
@pytest.mark.daemon
class TestTheService:
    @pytest.fixture
    def home(self, tmp_path: Path) -> Iterator[Home]:
        with Home(tmp_path / "home") as home:
            yield home

    @pytest.mark.parametrize("to", ["song.mp3", "sub/Another Name.mp3"])
    def test_sees_a_song_move(self, home: Home, to: str) -> None:
        home.start()
        song = home.drop("Song.mp3")
        home.until_counts(done=1)
        assert beside(song) == {".elrc", ".lrc"}
        new = moved_by(song, home.music / to)
        home.until(lambda: new.with_suffix(".lrc").exists(), "our sidecar follows")
        assert beside(song) == {".elrc"}, "the person's stays"
        home.until(lambda: is_done(home, new), "it is known by its name")
        home.until_counts(done=1)
        assert home.said().count(": done") == 1, "it was not done anew"
        home.call("undo", new)
        assert beside(new) == set()

    def test_sees_a_song_deleted(self, home: Home) -> None:
        home.start()
        song = home.drop("song.mp3")
        home.drop("other.mp3")
        home.until_counts(done=2)
        song.unlink()
        home.until(lambda: beside(song) == {".elrc"}, "only the person's sidecar is left")
        assert beside(home.music / "other.mp3") == {".elrc", ".lrc"}

    def test_writes_tags_and_is_not_woken_by_them(self, home: Home) -> None:
        home.configure(output={"preset": "navidrome_web"})
        home.start()
        song = home.drop("song.mp3")
        before = song.stat()
        home.until_counts(done=1)
        assert song.stat().st_mtime_ns > before.st_mtime_ns
        assert song.stat().st_ino != before.st_ino
        time.sleep(1.5)
        assert home.said().count(": done") == 1
        assert [path for path in home.music.iterdir() if path.name.startswith(".")] == []
        home.call("undo", song)
        assert beside(song) == {".elrc"}

    def test_finds_a_song_that_moved_while_it_was_down(self, home: Home) -> None:
        home.start()
        song = home.drop("Song.mp3")
        home.until_counts(done=1)
        home.stop()
        new = moved_by(song, home.music / "song.mp3")
        home.start()
        home.until(lambda: new.with_suffix(".lrc").exists(), "our sidecar follows")
        home.until_counts(done=1)
        assert beside(song) == {".elrc"}


def test_two_spellings_of_one_sidecar_are_one_file(music: Path) -> None:
    """Where case is ignored the new name seems to be taken: by the sidecar itself."""
    song = music / "Song.mp3"
    song.write_bytes(b"music")
    (side,) = write_lyrics(song, LYRICS, OURS[:1], journal=Journal()).written
    new = moved_by(song, music / "song.mp3")
    target = new.with_suffix(".lrc")
    # A second name of the file stands in for its other spelling.
    os.link(side, target)
    assert carry_sidecars(song, new, Journal()).written == (target,)
    assert Journal().of_song(new)[0].path == target
