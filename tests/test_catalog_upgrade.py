"""The catalog of every version of the schema opens in this one, and a newer one says so."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from lyricsyncd.catalog import migrations
from lyricsyncd.catalog.catalog import FILE_NAME, Catalog, Priority, State
from lyricsyncd.catalog.database import CatalogBroken
from lyricsyncd.config.private import STATE_FILES
from lyricsyncd.errors import LyricsyncError, WriteError
from tests.catalog_fixtures import CHOICES, DRAFT, PATHS, STATES, file_of, made

LATEST = len(migrations.STEPS)
ROOT = Path(__file__).parent.parent


def restored(folder: Path, number: int) -> Path:
    """Make the catalog of an earlier version in a folder."""
    path = folder / FILE_NAME
    with closing(sqlite3.connect(path)) as db:
        db.executescript(file_of(number).read_text(encoding="utf-8"))
    return path


def dumped(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return list(db.iterdump())


def schema(db: sqlite3.Connection) -> list[tuple[str, str]]:
    query = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
    return [(name, " ".join(sql.split())) for name, sql in db.execute(query)]


@pytest.mark.parametrize("number", range(1, LATEST + 1))
class TestTheCatalogOfAVersion:
    def test_opens_with_every_song_and_what_was_decided(self, number: int, tmp_path: Path) -> None:
        with Catalog(restored(tmp_path, number)) as catalog:
            songs = catalog.entries()
            assert [os.fsencode(song.path) for song in songs] == PATHS
            states = [song.state.value for song in songs[: len(STATES)]]
            assert states == list(STATES)
            assert {song.quality for song in songs} == {0.5}
            assert catalog.paused
            assert (songs[3].written, songs[3].stages) == ((Path("/music/a.lrc"),), {"align": 5.5})
            if number >= 5:
                assert catalog.choices(3) == CHOICES
                draft = catalog.draft(3)
                assert draft is not None
                assert (draft.lyrics, draft.score, draft.by_hand) == (DRAFT.lyrics, 0.83, True)
            catalog.resume()
            catalog.retry([song.id for song in songs])
            claimed = catalog.claim("me", 60, at_least=Priority.PERSON)
            assert claimed is not None
            assert claimed.state is State.WORKING

    def test_has_the_schema_of_a_new_one_then(self, number: int, tmp_path: Path) -> None:
        with Catalog(restored(tmp_path, number)) as catalog:
            found = catalog.read(schema)
        (tmp_path / "new").mkdir()
        with Catalog(tmp_path / "new" / FILE_NAME) as new:
            expected = new.read(schema)
        # A table that was made anew has its name in quotes.
        assert [(name, sql.replace('"', "")) for name, sql in found] == [
            (name, sql.replace('"', "")) for name, sql in expected
        ]

    def test_is_copied_before_it_is_changed(self, number: int, tmp_path: Path) -> None:
        path = restored(tmp_path, number)
        before = dumped(path)
        (tmp_path / "catalog.db.v0").write_bytes(b"of the upgrade before")
        Catalog(path).close()
        copies = sorted(each.name for each in tmp_path.glob("catalog.db.v*"))
        if number == LATEST:
            assert copies == ["catalog.db.v0"], "nothing was to be changed"
            return
        assert copies == [f"catalog.db.v{number}"]
        assert dumped(tmp_path / copies[0]) == before
        assert stat.S_IMODE((tmp_path / copies[0]).stat().st_mode) == 0o600
        assert all(each.name.startswith(STATE_FILES) for each in tmp_path.iterdir())

    def test_is_as_its_steps_still_make_it(self, number: int, tmp_path: Path) -> None:
        # A step that has been taken by catalogs out there must never be edited.
        with closing(sqlite3.connect(":memory:")) as db:
            db.executescript(made(number))
            expected = schema(db)
        with closing(sqlite3.connect(restored(tmp_path, number))) as db:
            assert schema(db) == expected


class TestAnUpgrade:
    def test_of_which_a_step_fails_changes_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(db: sqlite3.Connection) -> None:
            db.execute("DROP TABLE libraries")
            raise sqlite3.OperationalError("disk I/O error")

        path = restored(tmp_path, 1)
        before = dumped(path)
        monkeypatch.setattr(migrations, "STEPS", [*migrations.STEPS, broken])
        with pytest.raises(WriteError, match="disk I/O"):
            Catalog(path)
        assert dumped(path) == before

    def test_is_not_begun_where_the_copy_cannot_be_written(self, tmp_path: Path) -> None:
        path = restored(tmp_path, 1)
        before = dumped(path)
        (tmp_path / "catalog.db.v1.new").mkdir()
        with pytest.raises(WriteError, match="cannot be copied"):
            Catalog(path)
        assert dumped(path) == before

    def test_of_a_damaged_catalog_is_left_to_its_repair(self, tmp_path: Path) -> None:
        path = restored(tmp_path, 1)
        content = bytearray(path.read_bytes())
        content[4096 * 4 : 4096 * 8] = b"\xaa" * 4096 * 4
        path.write_bytes(content)
        with pytest.raises(CatalogBroken):
            Catalog(path)
        assert not (tmp_path / "catalog.db.v1").exists()

    def test_by_several_processes_at_once_happens_once(self, tmp_path: Path) -> None:
        path = restored(tmp_path, 1)
        errors: list[Exception] = []

        def opened() -> None:
            try:
                Catalog(path).close()
            except Exception as error:  # noqa: BLE001 - it is reported by the test
                errors.append(error)

        threads = [threading.Thread(target=opened) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert [each.name for each in tmp_path.glob("catalog.db.v*")] == ["catalog.db.v1"]
        with closing(sqlite3.connect(tmp_path / "catalog.db.v1")) as db:
            assert db.execute("SELECT COUNT(*) FROM migrations").fetchone() == (1,)


class TestTheCatalogOfANewerVersion:
    @pytest.fixture
    def newer(self, tmp_path: Path) -> Path:
        path = restored(tmp_path, LATEST)
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("INSERT INTO migrations VALUES ('future_9999', 0)")
        return path

    def test_names_the_copy_that_was_made_for_this_version(self, newer: Path) -> None:
        with pytest.raises(LyricsyncError, match="another state folder"):
            Catalog(newer)
        copy = newer.with_name(f"catalog.db.v{LATEST}")
        copy.touch()
        with pytest.raises(LyricsyncError, match=f"put {copy} in its place"):
            Catalog(newer)

    @pytest.mark.slow
    @pytest.mark.parametrize("command", ["status", "run", "scan"])
    def test_is_one_line_of_every_command(self, newer: Path, command: str) -> None:
        before = dumped(newer)
        (newer.parent / "config.yaml").write_text(f"libraries: [{{path: {newer.parent}}}]\n")
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "STATE_DIRECTORY": str(newer.parent),
            "LYRICSYNCD_CONFIG": str(newer.parent / "config.yaml"),
        }
        done = subprocess.run(
            [sys.executable, "-m", "lyricsyncd", command],
            capture_output=True,
            text=True,
            env=environment,
            timeout=60,
        )
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert "made by a newer version (it has future_9999)" in line
        assert dumped(newer) == before
