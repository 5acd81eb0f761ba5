"""A folder that is named twice, by a link, a second mount or within another, is scanned once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lyricsyncd.catalog.catalog import Catalog
from lyricsyncd.config.schema import Library
from lyricsyncd.library.lookup import Lookup, NotInLibrary
from lyricsyncd.library.roots import libraries_of, library_of, named_twice
from lyricsyncd.library.rules import Rules
from lyricsyncd.library.scan import reconcile
from tests.service_home import Home

_MOUNTS = ["unshare", "--user", "--map-root-user", "--mount"]


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    command = [*_MOUNTS, "mount", "--bind", "/usr", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for name in ("a.mp3", "Kids/b.mp3"):
        song = tmp_path / "music" / name
        song.parent.mkdir(parents=True, exist_ok=True)
        song.write_bytes(b"music")
    return tmp_path / "music"


def libraries(*roots: Path, **patterns: Any) -> list[Library]:
    return [Library(path=root, **patterns) for root in roots]


def scanned(tmp_path: Path, found: list[Rules]) -> list[str]:
    """The paths of the songs that scans of all libraries queue."""
    with Catalog(tmp_path / "catalog.db") as catalog:
        for rules in found:
            reconcile(catalog, rules)
        return sorted(str(each.path.relative_to(tmp_path)) for each in catalog.entries())


class TestByALink:
    def test_it_is_one_library(self, tmp_path: Path, music: Path) -> None:
        (tmp_path / "link").symlink_to(music)
        configured = libraries(music, tmp_path / "link")
        (rules,) = libraries_of(configured)
        assert rules.root == music
        assert named_twice(configured) == [(tmp_path / "link", music)]
        assert scanned(tmp_path, [rules]) == ["music/Kids/b.mp3", "music/a.mp3"]

    def test_twice_by_the_same_path_says_nothing(self, music: Path) -> None:
        configured = libraries(music, music / "." / ".." / music.name)
        assert len(libraries_of(configured)) == 1
        assert named_twice(configured) == []

    def test_a_path_by_the_other_name_is_understood(self, tmp_path: Path, music: Path) -> None:
        (tmp_path / "link").symlink_to(music)
        found = libraries_of(libraries(music, tmp_path / "link"))
        assert library_of(tmp_path / "link/Kids/b.mp3", found) == (found[0], music / "Kids/b.mp3")
        with Catalog(tmp_path / "catalog.db") as catalog:
            place = Lookup(catalog, found).place(str(tmp_path / "link/Kids/b.mp3"))
            assert place.path == music / "Kids/b.mp3"
            with pytest.raises(NotInLibrary):
                Lookup(catalog, found).place(str(tmp_path / "elsewhere/b.mp3"))

    def test_libraries_that_are_away_are_not_the_same(self, tmp_path: Path) -> None:
        assert len(libraries_of(libraries(tmp_path / "x", tmp_path / "y"))) == 2


class TestWithinAnother:
    def test_each_song_is_queued_once(self, tmp_path: Path, music: Path) -> None:
        for roots in ((music, music / "Kids"), (music / "Kids", music)):
            found = libraries_of(libraries(*roots))
            assert scanned(tmp_path, found) == ["music/Kids/b.mp3", "music/a.mp3"]
            with Catalog(tmp_path / "catalog.db") as catalog:
                entry = catalog.by_path(music / "Kids/b.mp3")
                assert entry is not None
                assert entry.library == music / "Kids"
                assert not any(each.missing_since for each in catalog.entries())

    def test_by_a_link_from_elsewhere(self, tmp_path: Path, music: Path) -> None:
        (tmp_path / "kids").symlink_to(music / "Kids")
        found = libraries_of(libraries(music, tmp_path / "kids"))
        assert scanned(tmp_path, found) == ["kids/b.mp3", "music/a.mp3"]
        assert not found[0].admits(music / "Kids/b.mp3")

    def test_by_a_link_within_to_a_library_elsewhere(self, tmp_path: Path, music: Path) -> None:
        other = tmp_path / "other"
        other.mkdir()
        (other / "c.mp3").write_bytes(b"music")
        (music / "link").symlink_to(other)
        found = libraries_of(libraries(music, other))
        assert scanned(tmp_path, found) == ["music/Kids/b.mp3", "music/a.mp3", "other/c.mp3"]

    def test_by_a_link_within_to_a_folder_of_it(self, tmp_path: Path, music: Path) -> None:
        (music / "link").symlink_to(tmp_path / "other" / "Pop")
        (tmp_path / "other" / "Pop").mkdir(parents=True)
        (tmp_path / "other" / "Pop" / "c.mp3").write_bytes(b"music")
        found = libraries_of(libraries(music, tmp_path / "other"))
        assert scanned(tmp_path, found) == [
            "music/Kids/b.mp3",
            "music/a.mp3",
            "other/Pop/c.mp3",
        ]

    def test_its_own_patterns_hold(self, tmp_path: Path, music: Path) -> None:
        outer = Library(path=music, exclude=("Kids/**",))
        found = libraries_of([outer, Library(path=music / "Kids")])
        assert scanned(tmp_path, found) == ["music/Kids/b.mp3", "music/a.mp3"]


@pytest.mark.skipif(not can_mount(), reason="no mounts can be made here")
@pytest.mark.slow
def test_a_second_mount_of_the_folder_is_the_same_library(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.drop("a.mp3")
    (tmp_path / "second").mkdir()
    home.configure(
        libraries=[{"path": str(home.music)}, {"path": str(tmp_path / "second")}],
    )
    script = f'mount --bind "{home.music}" "{tmp_path}/second" && exec "$@"'
    done = subprocess.run(
        [*_MOUNTS, "sh", "-c", script, "sh", sys.executable, "-m", "lyricsyncd", "scan", "--json"],
        env={**os.environ, **home.environment},
        capture_output=True,
        text=True,
        check=True,
    )
    (library,) = json.loads(done.stdout)["libraries"]
    assert (library["library"], library["songs"]) == (str(home.music), 1)


@pytest.mark.skipif(not can_mount(), reason="no mounts can be made here")
def test_what_belongs_to_the_system_is_left_out_where_it_is_mounted(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.drop("a.mp3")
    (home.music / "p").mkdir()
    home.configure()
    script = f'mount --rbind /proc "{home.music}/p" && exec "$@"'
    done = subprocess.run(
        [*_MOUNTS, "sh", "-c", script, "sh", sys.executable, "-m", "lyricsyncd", "scan", "--json"],
        env={**os.environ, **home.environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["libraries"][0]["songs"] == 1
    assert f"{home.music}/p is left out: it holds the system's files" in done.stderr


@pytest.mark.skipif(not can_mount(), reason="no mounts can be made here")
def test_a_linked_folder_that_is_closed_to_the_service_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.drop("../disk/a.mp3")
    (home.music / "link").symlink_to(tmp_path / "disk")
    home.configure()
    closed = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
    command = [sys.executable, "-m", "lyricsyncd", "scan", "--now"]
    done = subprocess.run(
        [*_MOUNTS, "sh", "-c", closed, "sh", tmp_path / "disk", *command],
        env={**os.environ, **home.environment},
        capture_output=True,
        text=True,
    )
    said = f"The folder {home.music}/link is linked from {tmp_path}/disk, which cannot be written"
    assert said in done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.daemon
def test_the_service_does_what_is_behind_a_new_link(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.configure()
    home.drop("a.mp3")
    home.start()
    try:
        home.until_counts(done=1)
        home.drop("../disk/b.mp3")
        (home.music / "link").symlink_to(tmp_path / "disk")
        home.until_counts(done=2)
        assert (tmp_path / "disk" / "b.lrc").exists()
    finally:
        home.stop()


@pytest.mark.slow
@pytest.mark.daemon
def test_the_service_tells_of_it_once_and_does_each_song_once(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (tmp_path / "link").symlink_to(home.music)
    home.configure(
        libraries=[{"path": str(path)} for path in (home.music, tmp_path / "link")],
    )
    home.drop("a.mp3")
    home.start()
    try:
        home.until_counts(done=1)
        home.drop("b.mp3")
        home.until_counts(done=2)
        assert len(home.asked("status")["libraries"]) == 1
    finally:
        home.stop()
    assert home.said().count("is the same folder as") == 1
