"""Libraries in which much happens at once: nothing is lost, done twice or written elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lyricsyncd.catalog.catalog import Catalog
from lyricsyncd.config.schema import Output
from lyricsyncd.library.rules import Rules
from lyricsyncd.library.scan import reconcile
from lyricsyncd.model import Line, Lyrics
from lyricsyncd.tags import Journal, write_lyrics


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for folder in ("A", "B"):
        (tmp_path / "music" / folder).mkdir(parents=True)
        for number in range(20):
            song = tmp_path / "music" / folder / f"song {number}.mp3"
            song.write_bytes(f"{folder} {number}".encode())
    return tmp_path / "music"


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog(tmp_path / "catalog.db") as catalog:
        yield catalog


class TestRenames:
    @pytest.mark.parametrize("name", ["a", "Another", "B/A"])
    def test_a_whole_folder_keeps_its_songs(self, catalog: Catalog, music: Path, name: str) -> None:
        reconcile(catalog, Rules(music))
        before = {entry.id for entry in catalog.below(music / "A")}
        (music / "A").rename(music / name)
        report = reconcile(catalog, Rules(music))
        assert (report.new, report.changed, report.missing) == (0, 0, 0)
        assert {entry.id for entry in catalog.below(music / name)} == before

    def test_of_case_only(self, catalog: Catalog, music: Path) -> None:
        reconcile(catalog, Rules(music))
        before = {entry.id for entry in catalog.entries()}
        for song in list(music.rglob("*.mp3")):
            song.rename(song.with_name(song.name.upper()))
        report = reconcile(catalog, Rules(music))
        assert (report.new, report.missing) == (0, 0)
        after = catalog.entries()
        assert {entry.id for entry in after} == before
        assert all(entry.path.exists() for entry in after)


def test_a_folder_that_may_not_be_read_loses_no_songs(
    tmp_path: Path, catalog: Catalog, music: Path
) -> None:
    reconcile(catalog, Rules(music))
    (music / "A").chmod(0)
    program = (
        "import sys; from pathlib import Path;"
        "from lyricsyncd.catalog.catalog import Catalog;"
        "from lyricsyncd.library.scan import Rules, reconcile;"
        "report = reconcile(Catalog(Path(sys.argv[1])), Rules(Path(sys.argv[2])));"
        "print(report.missing, *report.unreadable)"
    )
    # Root reads everything, unless it lacks the capability to.
    plain = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
    command = [*plain, sys.executable, "-c", program, str(tmp_path / "catalog.db"), str(music)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    finally:
        (music / "A").chmod(0o755)
    assert done.stdout.split() == ["0", str(music / "A")]
    assert len(catalog.below(music / "A")) == 20


@pytest.mark.slow
def test_twenty_thousand_files_at_once(catalog: Catalog, music: Path) -> None:
    for folder in range(200):
        (music / f"{folder}").mkdir()
        for number in range(100):
            (music / f"{folder}" / f"{number}.mp3").write_bytes(f"{number}".encode())
    assert reconcile(catalog, Rules(music)).new == 20_040
    again = reconcile(catalog, Rules(music))
    assert (again.new, again.changed, again.missing) == (0, 0, 0)


@pytest.mark.parametrize("there", [True, False])
def test_lyrics_are_never_written_through_a_link(tmp_path: Path, music: Path, there: bool) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    target = elsewhere / "secret"
    if there:
        target.write_text("secret", encoding="utf-8")
    song = music / "A" / "song 1.mp3"
    for suffix in (".lrc", ".elrc"):
        song.with_suffix(suffix).symlink_to(target)
    lyrics = Lyrics((Line.from_text("Twinkle twinkle", 1.0),))
    journal = Journal(tmp_path / "journal.db")
    report = write_lyrics(song, lyrics, Output(), journal=journal, force=True)
    assert report.written == ()
    assert [path.name for path in elsewhere.iterdir()] == (["secret"] if there else [])
    if there:
        assert target.read_text(encoding="utf-8") == "secret"
    assert song.with_suffix(".lrc").is_symlink()
