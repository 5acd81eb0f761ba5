"""Which files are songs, when they have settled, and how changes are noticed."""

from __future__ import annotations

import errno
import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from watchdog.observers.inotify import InotifyObserver

from lyricsyncd.catalog.catalog import Catalog, Fingerprint, Outcome, Priority, State
from lyricsyncd.config.schema import Library
from lyricsyncd.library.roots import offline
from lyricsyncd.library.rules import Rules, is_lyrics, is_song
from lyricsyncd.library.scan import reconcile
from lyricsyncd.library.settle import Debouncer
from lyricsyncd.library.walk import walk
from lyricsyncd.library.watch import POLL_AT_LEAST, FileEvent, Watcher, poll_interval


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    return folder


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog(tmp_path / "catalog.db") as catalog:
        yield catalog


def make(path: Path, content: bytes = b"music") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def rules(music: Path, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> Rules:
    return Rules.of(Library(path=music, include=include, exclude=exclude))


def songs(of: Rules) -> set[str]:
    """What a scan takes; each must be taken by the rule for single files, too."""
    found = {path for folder in walk(of) for path in folder.songs}
    for path in found:
        assert of.admits(path)
    return {path.relative_to(of.root).as_posix() for path in found}


class TestNames:
    @pytest.mark.parametrize(
        "name", ["a.mp3", "A.FLAC", "x.y.ogg", "song.opus", "é.m4a", "1.part 2.mp3"]
    )
    def test_of_songs_are_recognised(self, name: str) -> None:
        assert is_song(Path(name))

    @pytest.mark.parametrize(
        "name",
        [
            "a.txt", "a.mp3.part", "a.mp3.tmp", "a.mp3.crdownload", ".a.mp3", "._a.mp3", "mp3",
            "a.part.mp3", "a.temp.m4a", "~a.mp3", "a.jpg", ".mp3",
        ],
    )  # fmt: skip
    def test_of_other_files(self, name: str) -> None:
        assert not is_song(Path(name))

    def test_of_lyrics_are_recognised(self) -> None:
        assert is_lyrics(Path("a.LRC"))
        assert not is_lyrics(Path(".a.lrc"))


class TestWhatIsTaken:
    def test_songs_in_all_folders(self, music: Path) -> None:
        for name in ("a.mp3", "x/b.flac", "x/y/c.ogg", "x/cover.jpg", "d.mp3.part"):
            make(music / name)
        assert songs(rules(music)) == {"a.mp3", "x/b.flac", "x/y/c.ogg"}

    def test_nothing_hidden_and_nothing_that_a_nas_keeps(self, music: Path) -> None:
        for name in (".trash/a.mp3", "@eaDir/a.mp3", ".stversions/a.mp3", "x/#recycle/a.mp3"):
            make(music / name)
        assert songs(rules(music)) == set()
        assert not rules(music).admits(music / "@eaDir" / "a.mp3")

    def test_no_file_that_is_still_empty(self, music: Path) -> None:
        make(music / "a.mp3", b"")
        assert songs(rules(music)) == set()

    def test_what_the_patterns_say(self, music: Path) -> None:
        for name in ("Jazz/a.mp3", "Jazz/Live/b.mp3", "Pop/c.mp3"):
            make(music / name)
        assert songs(rules(music, include=("Jazz/**",))) == {"Jazz/a.mp3", "Jazz/Live/b.mp3"}
        assert songs(rules(music, exclude=("Live", "Pop/**"))) == {"Jazz/a.mp3"}
        assert not rules(music, exclude=("Live",)).admits(music / "Jazz/Live/b.mp3")

    @pytest.mark.parametrize(
        ("file", "content", "left"),
        [
            (".nomedia", "", {"a.mp3"}),
            (".lyricsyncignore", "", {"a.mp3"}),
            (".lyricsyncignore", "# a comment\nLive\n*.ogg\n", {"a.mp3", "x/b.mp3"}),
        ],
    )
    def test_what_the_ignore_files_leave(
        self, music: Path, file: str, content: str, left: set[str]
    ) -> None:
        for name in ("a.mp3", "x/b.mp3", "x/c.ogg", "x/Live/d.mp3"):
            make(music / name)
        (music / "x" / file).write_text(content, encoding="utf-8")
        assert songs(rules(music)) == left
        every = {"a.mp3", "x/b.mp3", "x/c.ogg", "x/Live/d.mp3"}
        assert {name for name in every if rules(music).admits(music / name)} == left

    def test_links_are_followed_and_circles_end(self, music: Path, tmp_path: Path) -> None:
        make(tmp_path / "elsewhere" / "a.mp3")
        make(music / "x" / "b.mp3")
        (music / "x" / "up").symlink_to(music)
        (music / "link").symlink_to(tmp_path / "elsewhere")
        (music / "song.mp3").symlink_to(tmp_path / "elsewhere" / "a.mp3")
        (music / "broken.mp3").symlink_to(tmp_path / "nothing")
        assert songs(rules(music)) == {"x/b.mp3", "link/a.mp3", "song.mp3"}

    def test_a_link_into_the_library_is_none_of_its_folders(self, music: Path) -> None:
        """Not even where only the folder of the link is scanned."""
        make(music / "x" / "a.mp3")
        make(music / "y" / "b.mp3")
        for name, target in (("up", music), ("above", music.parent), ("y", music / "y")):
            (music / "x" / name).symlink_to(target)
        make(music / ".store" / "c.mp3")
        (music / "x" / "c").symlink_to(music / ".store")
        taken = {path for folder in walk(rules(music), music / "x") for path in folder.songs}
        assert taken == {music / "x/a.mp3", music / "x/c/c.mp3"}

    def test_a_folder_with_two_links_to_it_is_taken_once(self, music: Path, tmp_path: Path) -> None:
        make(tmp_path / "disk" / "a.mp3")
        (music / "one").symlink_to(tmp_path / "disk")
        (music / "two").symlink_to(tmp_path / "disk")
        assert songs(rules(music)) == {"one/a.mp3"}

    @pytest.mark.parametrize("target", ["/", "/proc", "/proc/self", "/sys/kernel", "/dev", "/run"])
    def test_what_belongs_to_the_system_is_left_out(
        self, music: Path, target: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        make(music / "a.mp3")
        (music / "link").symlink_to(target)
        assert [folder.path for folder in walk(rules(music))] == [music]
        assert f"{music}/link is left out: it holds the system's files" in caplog.text

    def test_links_are_left_alone_on_request(self, music: Path, tmp_path: Path) -> None:
        make(tmp_path / "elsewhere" / "a.mp3")
        make(music / "b.mp3")
        (music / "link").symlink_to(tmp_path / "elsewhere")
        without = Rules.of(Library(path=music, follow_links=False))
        assert songs(without) == {"b.mp3"}
        assert not without.admits(music / "link/a.mp3")

    def test_a_library_that_is_a_link_shows_its_own_name(self, music: Path, tmp_path: Path) -> None:
        make(music / "a.mp3")
        (tmp_path / "link").symlink_to(music)
        assert songs(rules(tmp_path / "link")) == {"a.mp3"}


class TestSettling:
    def test_a_file_that_stays_as_it_is_settles_once(self) -> None:
        settling, looks = Debouncer(5), Fingerprint(1, 1)
        settling.touch(Path("a"), looks, 0.0)
        assert settling.next_due() == 5.0
        assert settling.due(4.9, lambda _: looks) == []
        assert [s.path for s in settling.due(5.0, lambda _: looks)] == [Path("a")]
        assert settling.due(99.0, lambda _: looks) == []
        assert settling.next_due() is None

    def test_a_file_that_grows_waits_on(self) -> None:
        settling = Debouncer(5)
        settling.touch(Path("a"), Fingerprint(1, 1), 0.0)
        assert settling.due(5.0, lambda _: Fingerprint(2, 2)) == []
        assert settling.due(9.0, lambda _: Fingerprint(2, 2)) == []
        assert settling.due(10.0, lambda _: Fingerprint(2, 2)) != []

    def test_news_that_changed_nothing_do_not_prolong_the_wait(self) -> None:
        settling, looks = Debouncer(5), Fingerprint(1, 1)
        settling.touch(Path("a"), looks, 0.0)
        settling.touch(Path("a"), looks, 4.0)
        assert settling.due(5.0, lambda _: looks) != []

    def test_a_file_that_went_away_is_reported(self) -> None:
        settling = Debouncer(5)
        settling.touch(Path("a"), None, 0.0)
        (settled,) = settling.due(5.0, lambda _: None)
        assert settled.fingerprint is None

    @given(st.lists(st.tuples(st.floats(0.1, 20), st.integers(0, 3)), max_size=30))
    def test_only_what_was_still_for_the_whole_wait_settles(
        self, history: list[tuple[float, int]]
    ) -> None:
        settling, now, changed_at, looks = Debouncer(5), 0.0, 0.0, Fingerprint(0, 0)
        settling.touch(Path("a"), looks, now)
        for wait, size in history:
            now += wait
            if size != looks.size:
                looks, changed_at = Fingerprint(size, int(now * 1e9)), now
            if settling.due(now, lambda _: looks):  # noqa: B023 - called at once
                assert now - changed_at >= 5
                return


class TestAScan:
    def test_queues_what_is_new_and_then_nothing(self, music: Path, catalog: Catalog) -> None:
        make(music / "a.mp3")
        make(music / "x" / "b.mp3")
        report = reconcile(catalog, rules(music))
        assert (report.songs, report.new) == (2, 2)
        again = reconcile(catalog, rules(music))
        assert (again.songs, again.new, again.changed, again.missing) == (2, 0, 0, 0)

    def test_queues_what_changed(self, music: Path, catalog: Catalog) -> None:
        make(music / "a.mp3")
        reconcile(catalog, rules(music))
        do(catalog, State.DONE)
        make(music / "a.mp3", b"other music")
        assert reconcile(catalog, rules(music)).changed == 1

    def test_does_not_take_our_sidecars_for_news(self, music: Path, catalog: Catalog) -> None:
        make(music / "a.mp3")
        reconcile(catalog, rules(music))
        do(catalog, State.DONE)
        make(music / "a.lrc")
        assert reconcile(catalog, rules(music)).changed == 0

    @pytest.mark.parametrize("state", [State.NO_LYRICS, State.REVIEW])
    @pytest.mark.parametrize("sidecar", ["a.txt", "a.mp3.lrc"])
    def test_queues_a_song_that_words_have_come_for(
        self, music: Path, catalog: Catalog, state: State, sidecar: str
    ) -> None:
        make(music / "a.mp3")
        reconcile(catalog, rules(music))
        do(catalog, state)
        time.sleep(0.02)
        make(music / sidecar)
        assert reconcile(catalog, rules(music)).changed == 1
        do(catalog, state)
        assert reconcile(catalog, rules(music)).changed == 0

    def test_notices_what_is_gone_and_what_is_back(self, music: Path, catalog: Catalog) -> None:
        song = make(music / "x" / "a.mp3")
        make(music / "b.mp3")
        reconcile(catalog, rules(music))
        song.rename(music.parent / "a.mp3")
        song.parent.rmdir()
        assert reconcile(catalog, rules(music)).missing == 1
        song.parent.mkdir()
        (music.parent / "a.mp3").rename(song)
        reconcile(catalog, rules(music))
        assert catalog.counts()[State.PENDING] == 2

    def test_takes_a_moved_song_for_the_same(self, music: Path, catalog: Catalog) -> None:
        make(music / "a.mp3")
        make(music / "keep.mp3")
        reconcile(catalog, rules(music))
        before = catalog.by_path(music / "a.mp3")
        (music / "sub").mkdir()
        (music / "a.mp3").rename(music / "sub" / "renamed.mp3")
        report = reconcile(catalog, rules(music))
        after = catalog.by_path(music / "sub" / "renamed.mp3")
        assert (report.new, report.missing) == (0, 0)
        assert before is not None
        assert after is not None
        assert before.id == after.id

    @pytest.mark.parametrize("what", ["empty", "away", "leftovers"])
    def test_never_takes_an_unplugged_disk_for_deleted_songs(
        self, music: Path, catalog: Catalog, what: str
    ) -> None:
        make(music / "a.mp3")
        reconcile(catalog, rules(music))
        (music / "a.mp3").unlink()
        if what == "away":
            music.rmdir()
        elif what == "leftovers":
            make(music / "lost+found" / "x")
        report = reconcile(catalog, rules(music))
        assert report.offline
        assert catalog.counts()[State.PENDING] == 1

    def test_concludes_nothing_from_a_folder_it_cannot_read(
        self, music: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make(music / "x" / "y" / "a.mp3")
        make(music / "b.mp3")
        reconcile(catalog, rules(music))
        real = os.scandir

        def failing(path: Path) -> object:
            if Path(path) == music / "x":
                raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
            return real(path)

        monkeypatch.setattr(os, "scandir", failing)
        report = reconcile(catalog, rules(music))
        assert report.unreadable == [music / "x"]
        assert report.missing == 0

    def test_of_a_part_leaves_the_rest_alone(self, music: Path, catalog: Catalog) -> None:
        make(music / "x" / "a.mp3")
        make(music / "y" / "b.mp3")
        report = reconcile(catalog, rules(music), start=music / "x", priority=Priority.PERSON)
        assert report.new == 1
        (music / "x" / "a.mp3").unlink()
        make(music / "x" / "c.mp3")
        assert reconcile(catalog, rules(music), start=music / "x").missing == 1

    def test_that_is_stopped_concludes_nothing(self, music: Path, catalog: Catalog) -> None:
        make(music / "x" / "a.mp3")
        make(music / "b.mp3")
        reconcile(catalog, rules(music))
        (music / "x" / "a.mp3").unlink()
        assert reconcile(catalog, rules(music), stop=lambda: True).missing == 0


def do(catalog: Catalog, state: State) -> None:
    entry = catalog.claim("me", 60)
    assert entry is not None
    catalog.finish(entry.id, "me", Outcome(state, "test"))


def test_an_empty_and_a_missing_folder_are_offline(music: Path) -> None:
    assert offline(music)
    assert offline(music / "nothing")
    make(music / "a")
    assert not offline(music)


class Events:
    """Collects hints."""

    def __init__(self) -> None:
        self.hints: queue.SimpleQueue[FileEvent] = queue.SimpleQueue()

    def wait_for(self, wanted: Callable[[FileEvent], bool]) -> None:
        deadline = time.monotonic() + 20
        while not wanted(self.hints.get(timeout=max(0.01, deadline - time.monotonic()))):
            pass

    def wait_for_path(self, path: Path) -> None:
        self.wait_for(lambda hint: hint.path == path)


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def watcher(music: Path, events: Events) -> Iterator[Watcher]:
    watcher = Watcher([rules(music)], events.hints.put, filesystem=lambda _: "ext4")
    assert len(watcher.check()) == 1
    yield watcher
    watcher.stop()


@pytest.mark.usefixtures("watcher")
class TestWatching:
    def test_a_new_song_is_reported(self, music: Path, events: Events) -> None:
        events.wait_for_path(make(music / "a.mp3"))

    def test_a_song_in_a_new_folder_is_reported(self, music: Path, events: Events) -> None:
        make(music / "x" / "y" / "a.mp3")
        events.wait_for(lambda hint: hint.path == music / "x" and hint.folder)

    def test_both_ends_of_a_move_are_reported(self, music: Path, events: Events) -> None:
        song = make(music / "a.mp3")
        song.rename(music / "b.mp3")
        events.wait_for_path(music / "b.mp3")

    def test_a_song_moved_in_from_elsewhere_is_reported(
        self, music: Path, events: Events, tmp_path: Path
    ) -> None:
        make(tmp_path / "a.mp3").rename(music / "a.mp3")
        events.wait_for_path(music / "a.mp3")

    def test_new_lyrics_are_reported(self, music: Path, events: Events) -> None:
        events.wait_for_path(make(music / "a.txt"))

    def test_listening_to_a_song_is_not_reported(self, music: Path, events: Events) -> None:
        song = make(music / "a.mp3")
        make(music / "first.mp3")
        events.wait_for_path(music / "first.mp3")
        for _ in range(3):
            song.read_bytes()
        make(music / "last.mp3")
        reported: list[Path] = []
        events.wait_for(lambda hint: reported.append(hint.path) or hint.path == music / "last.mp3")  # type: ignore[func-returns-value]
        assert song not in reported

    def test_a_partial_download_is_reported_only_when_it_has_its_name(
        self, music: Path, events: Events
    ) -> None:
        part = make(music / "a.mp3.part")
        part.rename(music / "a.mp3")
        reported: list[Path] = []
        events.wait_for(lambda hint: reported.append(hint.path) or hint.path == music / "a.mp3")  # type: ignore[func-returns-value]
        assert part not in reported


class TestLibrariesThatAreDifferent:
    def test_a_link_is_watched_under_its_own_name(
        self, music: Path, tmp_path: Path, events: Events
    ) -> None:
        (tmp_path / "link").symlink_to(music)
        watcher = Watcher([rules(tmp_path / "link")], events.hints.put, filesystem=lambda _: "ext4")
        watcher.check()
        make(music / "a.mp3")
        events.wait_for_path(tmp_path / "link" / "a.mp3")
        watcher.stop()

    def test_one_that_comes_later_is_watched_then(self, tmp_path: Path, events: Events) -> None:
        watcher = Watcher(
            [rules(tmp_path / "later")], events.hints.put, filesystem=lambda _: "ext4"
        )
        assert watcher.check() == []
        (tmp_path / "later").mkdir()
        assert len(watcher.check()) == 1
        assert watcher.check() == []
        make(tmp_path / "later" / "a.mp3")
        events.wait_for_path(tmp_path / "later" / "a.mp3")
        watcher.stop()

    def test_one_that_another_disk_was_put_in_place_of_is_watched_anew(
        self, music: Path, tmp_path: Path, events: Events
    ) -> None:
        watcher = Watcher([rules(music)], events.hints.put, filesystem=lambda _: "ext4")
        watcher.check()
        music.rename(tmp_path / "old")
        music.mkdir()
        assert len(watcher.check()) == 1
        make(music / "a.mp3")
        events.wait_for_path(music / "a.mp3")
        watcher.stop()

    @pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.mergerfs"])
    def test_one_that_does_not_tell_of_changes_is_polled(
        self, music: Path, events: Events, kind: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO")
        watcher = Watcher([rules(music)], events.hints.put, filesystem=lambda _: kind)
        watcher.check()
        watcher.check()
        assert watcher.libraries[0].polled
        assert len(caplog.messages) == 1
        assert kind in caplog.messages[0]

    def test_one_beyond_the_limit_of_watches_is_polled_and_it_is_said_how_to_raise_it(
        self,
        music: Path,
        events: Events,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(InotifyObserver, "schedule", full)
        caplog.set_level("INFO")
        watcher = Watcher([rules(music)], events.hints.put, filesystem=lambda _: "ext4")
        watcher.check()
        assert watcher.libraries[0].polled
        assert "fs.inotify.max_user_watches" in caplog.text

    @pytest.mark.parametrize("limit", [3, 9])
    def test_the_systems_real_limit_is_met_at_the_start_and_later(
        self, music: Path, limit: int
    ) -> None:
        """In a user namespace of its own, whose limit is nobody else's."""
        script = f"""
import sys, time
from pathlib import Path
from lyricsyncd.library.rules import Rules
from lyricsyncd.library.watch import Watcher
import logging
logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
Path("/proc/sys/user/max_inotify_watches").write_text("{limit}")
music = Path(sys.argv[1])
watcher = Watcher([Rules(music)], lambda hint: None, filesystem=lambda _: "ext4")
watcher.check()
for number in range(20):
    folder = music / f"new {{number}}"
    folder.mkdir()
    time.sleep(0.02)
    watcher.came(folder)
print("polled", watcher.libraries[0].polled)
watcher.stop()
"""
        for number in range(4):
            (music / f"old {number}").mkdir()
        command = ["unshare", "-U", "-r", sys.executable, "-c", script, str(music)]
        done = subprocess.run(command, capture_output=True, text=True)
        if "unshare" in done.stderr:
            pytest.skip("there are no user namespaces here")
        assert done.returncode == 0, done.stderr
        assert "polled True" in done.stdout
        assert done.stdout.count("fs.inotify.max_user_watches") == 1

    def test_polling_takes_a_small_share_of_the_time(self) -> None:
        assert poll_interval(0.001) == POLL_AT_LEAST
        assert poll_interval(10.0) >= 10.0 * 999
