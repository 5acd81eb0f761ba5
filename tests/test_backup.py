"""Copies of the catalog, and what becomes of a broken one. Real files, broken for real."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from lyricsyncd.daemon import backup
from lyricsyncd.daemon.catalog import FILE_NAME, Catalog, CatalogBroken, Fingerprint, Priority

LOOKS = Fingerprint(1, 1, 0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / FILE_NAME


def fill(file: Path, count: int, first: int = 0) -> None:
    with Catalog(file) as catalog:
        for number in range(first, first + count):
            song = Path(f"/music/{number} {'x' * 200}.mp3")
            catalog.enqueue(song, Priority.IMPORT, "test", fingerprint=LOOKS)


def songs(file: Path) -> int:
    with Catalog(file) as catalog:
        return sum(catalog.counts().values())


def tear(file: Path, at: int = 4096, length: int = 8192) -> None:
    """Overwrite pages, as a dying disk does."""
    with file.open("r+b") as pages:
        pages.seek(at)
        pages.write(os.urandom(length))


def test_a_copy_is_taken_while_the_catalog_is_open(file: Path) -> None:
    fill(file, 20)
    with Catalog(file) as catalog:
        song = Path("/music/one more.mp3")
        catalog.enqueue(song, Priority.IMPORT, "test", fingerprint=LOOKS)
        assert backup.back_up(file)
    assert songs(backup.copies(file)[0]) == 21


def test_two_copies_are_kept_and_one_is_due_once_a_day(file: Path) -> None:
    fill(file, 1)
    assert backup.due(file, time.time())
    for count in (2, 3, 4):
        fill(file, 1, first=count)
        backup.back_up(file)
    assert [songs(copy) for copy in backup.copies(file)] == [4, 3]
    assert not backup.due(file, time.time())
    assert backup.due(file, time.time() + backup.EVERY_S)
    assert backup.due(file, time.time() - 7 * backup.EVERY_S)


@pytest.mark.parametrize("at", [0, 4096])
def test_a_broken_catalog_goes_back_to_its_copy(file: Path, at: int) -> None:
    fill(file, 50)
    backup.back_up(file)
    fill(file, 50, first=50)
    tear(file, at)
    assert backup.mend(file)
    assert songs(file) == 50
    assert list(file.parent.glob("*.broken-*"))


def test_a_broken_copy_is_passed_over(file: Path) -> None:
    fill(file, 30)
    backup.back_up(file)
    fill(file, 30, first=30)
    backup.back_up(file)
    tear(backup.copies(file)[0])
    tear(file)
    assert backup.mend(file)
    assert songs(file) == 30


def test_a_broken_catalog_without_a_copy_starts_anew(file: Path) -> None:
    fill(file, 50)
    tear(file)
    assert backup.mend(file)
    assert songs(file) == 0


def test_a_whole_catalog_is_left_alone(file: Path) -> None:
    fill(file, 5)
    backup.back_up(file)
    fill(file, 5, first=5)
    assert not backup.mend(file)
    assert not backup.mend(file.with_name("none.db"))
    assert songs(file) == 10


def test_a_broken_catalog_replaces_no_copy(file: Path) -> None:
    fill(file, 50)
    backup.back_up(file)
    tear(file)
    try:
        kept = not backup.back_up(file)
    except Exception:  # noqa: BLE001 - SQLite may notice on the way
        kept = True
    assert kept
    assert songs(backup.copies(file)[0]) == 50


def test_a_page_that_breaks_under_an_open_catalog_is_noted(file: Path) -> None:
    fill(file, 500)
    with Catalog(file) as catalog:
        size = file.stat().st_size
        tear(file, 4096, size - 4096)
        with pytest.raises(CatalogBroken):
            catalog.read(lambda db: db.execute("SELECT * FROM tracks").fetchall())
        assert catalog.broken
