"""The copy of the catalog: what a torn page costs, and what it does not."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lyricsyncd import sqlite_files
from lyricsyncd.catalog import backup
from lyricsyncd.catalog.catalog import Catalog, Fingerprint, Priority, Request
from lyricsyncd.catalog.database import CatalogBroken
from lyricsyncd.library.lookup import Lookup
from lyricsyncd.library.rules import Rules
from lyricsyncd.model import Track

SCHEMA_0001 = Path(__file__).parent / "data" / "catalog_0001.sql"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.db"


def fill(catalog: Catalog, count: int = 500) -> None:
    catalog.enqueue_many(
        Request(Path(f"/music/{n}.mp3"), Priority.IMPORT, "test", Path("/music"), Fingerprint(n, 1))
        for n in range(1, count + 1)
    )


def tear(path: Path) -> None:
    """Overwrite what is in the middle of the file, as a dying disk does."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek(4096 * 5)
        file.write(b"\xa5" * 4096 * 20)


def test_a_sound_catalog_needs_no_mending(path: Path) -> None:
    assert backup.mend(path) is None
    with Catalog(path) as catalog:
        fill(catalog)
    assert backup.mend(path) is None


def test_a_broken_one_is_replaced_by_its_copy_and_kept(path: Path) -> None:
    with Catalog(path) as catalog:
        fill(catalog)
        backup.back_up(catalog)
    tear(path)
    said = backup.mend(path)
    assert said is not None
    assert "its last copy takes its place" in said
    assert path.with_name("catalog.db.broken").exists()
    with Catalog(path) as catalog:
        assert sum(catalog.counts().values()) == 500
    assert backup.backup_of(path).exists()


def test_without_a_copy_a_new_one_is_begun(path: Path) -> None:
    path.write_bytes(b"this is not a database" * 100)
    said = backup.mend(path)
    assert said is not None
    assert "a scan fills a new one" in said
    with Catalog(path) as catalog:
        assert sum(catalog.counts().values()) == 0


def test_a_broken_copy_is_not_taken(path: Path) -> None:
    with Catalog(path) as catalog:
        fill(catalog)
        backup.back_up(catalog)
    tear(path)
    tear(backup.backup_of(path))
    said = backup.mend(path)
    assert said is not None
    assert "no copy" in said


def test_a_broken_catalog_does_not_take_the_place_of_a_sound_copy(path: Path) -> None:
    with Catalog(path) as catalog:
        fill(catalog)
        backup.back_up(catalog)
    before = backup.backup_of(path).read_bytes()
    tear(path)
    with Catalog(path) as catalog, pytest.raises(CatalogBroken):
        backup.back_up(catalog)
    assert backup.backup_of(path).read_bytes() == before
    assert {file.name for file in path.parent.iterdir()} >= {"catalog.db", "catalog.db.bak"}
    assert not path.with_name("catalog.db.bak.new").exists()


def test_what_is_met_in_use_is_remembered(path: Path) -> None:
    with Catalog(path) as catalog:
        fill(catalog)
    tear(path)
    with Catalog(path) as catalog:
        with pytest.raises(CatalogBroken, match="Start the service"):
            catalog.entries(limit=1000)
        assert catalog.broken is not None


def test_an_empty_one_is_replaced_by_its_copy(path: Path) -> None:
    with Catalog(path) as catalog:
        fill(catalog)
        backup.back_up(catalog)
    path.write_bytes(b"")
    said = backup.mend(path)
    assert said is not None
    assert "the file is empty" in said
    with Catalog(path) as catalog:
        assert sum(catalog.counts().values()) == 500


def test_what_was_repaired_is_reported_until_the_report_is_deleted(path: Path) -> None:
    path.write_bytes(b"this is not a database" * 100)
    said = backup.mend(path)
    (repair,) = sqlite_files.last_repairs(path.parent)
    assert repair.text == said
    Path(repair.report).unlink()
    assert sqlite_files.last_repairs(path.parent) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(flips=st.lists(st.integers(0, 2**40), min_size=1, max_size=40))
def test_any_bits_may_be_flipped(tmp_path: Path, flips: list[int]) -> None:
    path = Path(tempfile.mkdtemp(dir=tmp_path)) / "catalog.db"
    with Catalog(path) as catalog:
        fill(catalog, 30)
        backup.back_up(catalog)
    content = bytearray(path.read_bytes())
    for flip in flips:
        # Beyond the first page, where the names of columns are.
        at = 4096 * 8 + flip % ((len(content) - 4096) * 8)
        content[at // 8] ^= 1 << at % 8
    path.write_bytes(content)
    met = ""
    for _ in range(2):
        # As the service does.
        backup.mend(path, met)
        try:
            with Catalog(path) as catalog:
                assert sum(catalog.counts().values()) == 30
                catalog.entries(limit=100)
                assert catalog.claim("me", 60.0) is not None
        except CatalogBroken as error:
            met = error.message
        else:
            return
    pytest.fail("it was not repaired")


def test_a_catalog_of_the_first_version_is_opened_with_all_it_knows(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript(SCHEMA_0001.read_text(encoding="utf-8"))
    with Catalog(path) as catalog:
        entries = {entry.path.name: entry for entry in catalog.entries()}
        assert entries["done.mp3"].state.value == "done"
        assert entries["done.mp3"].quality == 0.93
        assert entries["done.mp3"].written == (Path("/music/done.lrc"),)
        assert entries["waits.mp3"].state.value == "pending"
        assert catalog.paused
        # What came with later versions is filled in where it is first needed.
        known = Lookup(catalog, [Rules(Path("/music"))]).by_tags(Track(title="waits"))
        assert known is None or known.path.name == "waits.mp3"
        assert catalog.unnamed(0, 10) == []
        claimed = catalog.read(lambda db: db.execute("SELECT COUNT(*) FROM tracks").fetchone())
        assert tuple(claimed) == (2,)
