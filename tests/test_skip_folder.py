"""`skip FOLDER` leaves alone what is in a folder and what comes to it; `retry` takes that back."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lyricsyncd.catalog.catalog import Catalog, Fingerprint, Priority, Queued, State
from tests.service_home import Home

MUSIC = Path("/music")


def queue(catalog: Catalog, name: str, inode: int = 0, *, force: bool = False) -> Queued:
    looks = Fingerprint(1, 1, inode)
    path = MUSIC / name
    return catalog.enqueue(
        path, Priority.IMPORT, "test", library=MUSIC, fingerprint=looks, force=force
    )


def states(catalog: Catalog) -> dict[str, State]:
    return {str(each.path.relative_to(MUSIC)): each.state for each in catalog.entries()}


class TestSkipped:
    def test_what_is_in_the_folder_and_below_it(self, catalog: Catalog) -> None:
        for name in ("Talk/1.mp3", "Talk/Old/2.mp3", "Talks/3.mp3", "Talk.mp3", "4.mp3"):
            queue(catalog, name)
        assert catalog.skip_folder(MUSIC / "Talk") == 2
        skipped = {name for name, state in states(catalog).items() if state is State.IGNORED}
        assert skipped == {"Talk/1.mp3", "Talk/Old/2.mp3"}

    def test_what_comes_later(self, catalog: Catalog) -> None:
        catalog.skip_folder(MUSIC / "Talk")
        assert queue(catalog, "Talk/New/1.mp3") is Queued.IGNORED
        assert queue(catalog, "Talks/1.mp3") is Queued.NEW
        entry = catalog.by_path(MUSIC / "Talk/New/1.mp3")
        assert entry is not None
        assert entry.reason == "its folder was skipped: /music/Talk"
        assert queue(catalog, "Talk/New/1.mp3") is Queued.IGNORED

    def test_what_is_moved_there_and_away(self, catalog: Catalog) -> None:
        catalog.skip_folder(MUSIC / "Talk")
        queue(catalog, "1.mp3", inode=7)
        queue(catalog, "Talk/1.mp3", inode=7)
        assert states(catalog) == {"Talk/1.mp3": State.IGNORED}
        queue(catalog, "2.mp3", inode=7)
        assert states(catalog) == {"2.mp3": State.PENDING}

    def test_a_song_that_a_person_skipped_stays_so_when_moved(self, catalog: Catalog) -> None:
        queue(catalog, "1.mp3", inode=7)
        catalog.skip([1])
        queue(catalog, "2.mp3", inode=7)
        assert states(catalog) == {"2.mp3": State.IGNORED}

    def test_a_song_in_it_that_a_person_wants_is_done(self, catalog: Catalog) -> None:
        queue(catalog, "Talk/1.mp3")
        queue(catalog, "Talk/2.mp3")
        catalog.skip_folder(MUSIC / "Talk")
        catalog.retry([1])
        assert queue(catalog, "Talk/1.mp3") is Queued.WAITING
        assert queue(catalog, "Talk/3.mp3", force=True) is Queued.NEW

    def test_names_that_are_no_text(self, catalog: Catalog) -> None:
        name = os.fsdecode(b"M\xfcll")
        queue(catalog, f"{name}/1.mp3")
        assert catalog.skip_folder(MUSIC / name) == 1
        assert queue(catalog, f"{name}/2.mp3") is Queued.IGNORED


class TestTakenBack:
    def test_all_songs_in_it_are_queued_and_new_ones_taken(self, catalog: Catalog) -> None:
        queue(catalog, "Talk/1.mp3")
        catalog.skip_folder(MUSIC / "Talk")
        queue(catalog, "Talk/2.mp3")
        assert catalog.retry_folder(MUSIC / "Talk") == 2
        assert set(states(catalog).values()) == {State.PENDING}
        assert queue(catalog, "Talk/3.mp3") is Queued.NEW

    def test_a_folder_within_a_skipped_one(self, catalog: Catalog) -> None:
        catalog.skip_folder(MUSIC / "Talk")
        catalog.retry_folder(MUSIC / "Talk/Songs")
        assert queue(catalog, "Talk/Songs/1.mp3") is Queued.NEW
        assert queue(catalog, "Talk/2.mp3") is Queued.IGNORED
        catalog.skip_folder(MUSIC / "Talk")
        assert queue(catalog, "Talk/Songs/3.mp3") is Queued.IGNORED

    def test_a_whole_library(self, catalog: Catalog) -> None:
        catalog.skip_folder(MUSIC / "Talk")
        catalog.retry_folder(MUSIC)
        assert queue(catalog, "Talk/1.mp3") is Queued.NEW


@pytest.mark.slow
@pytest.mark.daemon
class TestByCommand:
    def test_skip_and_retry_of_a_folder(self, home: Home) -> None:
        home.drop("Talk/1.mp3")
        home.drop("2.mp3")
        home.call("scan")
        folder = home.music / "Talk"
        asked = home.asked("skip", folder, "--dry-run")
        assert (asked["folders"], len(asked["songs"])) == ([str(folder)], 1)
        assert home.counts() == {"pending": 2}
        reported = home.call("skip", folder)
        assert reported == f"{folder}: 1 song left alone from now on, as those that come later\n"
        home.drop("Talk/3.mp3")
        home.call("scan")
        assert home.counts() == {"pending": 1, "ignored": 2}
        home.call("scan", "--now")
        assert home.counts() == {"done": 1, "ignored": 2}
        assert home.call("retry", folder) == f"{folder}: 2 songs queued once more\n"
        home.call("scan", "--now")
        assert home.counts() == {"done": 3}

    def test_a_folder_without_songs_yet(self, home: Home) -> None:
        folder = home.music / "Talk"
        folder.mkdir()
        assert home.call("skip", folder).startswith(f"{folder}: 0 songs left alone")
        home.drop("Talk/1.mp3")
        home.call("scan")
        assert home.counts() == {"ignored": 1}

    def test_a_folder_that_is_not_there_is_an_error(self, home: Home) -> None:
        assert "No song is known as" in home.call("skip", home.music / "Nothing", status=2)
