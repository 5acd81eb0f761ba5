"""A damaged journal: what is repaired, what is saved of it, and what is reported."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lyricsyncd import formats, sqlite_files
from lyricsyncd.catalog.checks import repairs
from lyricsyncd.cli.status import status
from lyricsyncd.config.schema import Output
from lyricsyncd.errors import JournalError
from lyricsyncd.findings import Finding
from lyricsyncd.tags import Journal, checks, undo, write_lyrics
from lyricsyncd.tags.journal import SIDECAR, digest
from lyricsyncd.tags.journal_file import CONTENTS


def findings(folder: Path) -> list[Finding]:
    return [*checks.journal(folder), *repairs(folder)]


LYRICS = formats.read(b"[00:01.00]Row, row\n[00:04.00]Boat\n", "lrc")
Damage = Callable[[Path], object]


def note(journal: Journal, name: str, before: bytes | None = b"what was there") -> None:
    path = Path(f"/music/{name}.lrc")
    with journal.recording(
        SIDECAR,
        song=path.with_suffix(".mp3"),
        path=path,
        before=before,
        before_hash=digest(before),
        after_hash="0" * 64,
    ):
        pass


def names(journal: Journal) -> list[str]:
    return [entry.path.stem for entry in journal.entries()]


@pytest.fixture(scope="module")
def long_journal(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    """A journal of 300 entries, each of which was waited for until the disk had it."""
    journal = Journal(tmp_path_factory.mktemp("long") / "journal.db")
    for number in range(300):
        note(journal, str(number), random.Random(number).randbytes(300))
    return journal


@pytest.fixture(scope="module")
def short_journal(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a journal of 20 entries."""
    journal = Journal(tmp_path_factory.mktemp("short") / "journal.db")
    for number in range(20):
        note(journal, str(number))
    return journal.path.read_bytes()


@pytest.fixture
def journal(long_journal: Journal, tmp_path: Path) -> Journal:
    state = tmp_path / "state"
    shutil.copytree(long_journal.path.parent, state)
    return Journal(state / "journal.db")


def garble(path: Path, start: int, count: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\xa5" * count)


DAMAGES: dict[str, Damage] = {
    "no database": lambda path: path.write_bytes(b"not a database" * 1000),
    "a garbled header": lambda path: garble(path, 0, 100),
    "garbled pages": lambda path: garble(path, 4096, path.stat().st_size - 4096),
    "half of it": lambda path: os.truncate(path, path.stat().st_size // 2),
    "nothing": lambda path: os.truncate(path, 0),
}


class TestADamagedJournal:
    @pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
    def test_stops_no_writing_and_is_kept(
        self, journal: Journal, damage: Damage, caplog: pytest.LogCaptureFixture
    ) -> None:
        damage(journal.path)
        broken = journal.path.read_bytes()
        for number in range(3):
            note(journal, f"new {number}")
        assert {"new 0", "new 1", "new 2"} <= set(names(journal))
        assert journal.path.with_name("journal.db.broken").read_bytes() == broken
        assert sqlite_files.damage(journal.path, CONTENTS) is None
        (message,) = [each.getMessage() for each in caplog.records if each.levelname == "CRITICAL"]
        assert "the journal was broken" in message
        assert "has no undo" in message

    @pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
    def test_goes_back_to_its_copy(
        self, journal: Journal, damage: Damage, caplog: pytest.LogCaptureFixture
    ) -> None:
        journal.back_up()
        damage(journal.path)
        assert len(names(journal)) == 300
        assert "its copy of 20" in caplog.text

    def test_gives_what_can_be_read_of_it(
        self, journal: Journal, caplog: pytest.LogCaptureFixture
    ) -> None:
        before = {entry.path: entry for entry in journal.entries()}
        garble(journal.path, 4096 * 10, 4096 * 3)
        journal.check()
        saved = journal.entries()
        assert 200 < len(saved) < 300
        assert all(before[entry.path].before == entry.before for entry in saved)
        assert f"{len(saved)} entries could be saved" in caplog.text

    def test_gives_what_came_since_its_copy(self, journal: Journal) -> None:
        journal.back_up()
        for number in range(50):
            note(journal, f"new {number}")
        garble(journal.path, 4096 * 3, 4096 * 2)
        journal.check()
        assert len(names(journal)) > 340

    def test_remembers_what_was_undone_since_its_copy(self, journal: Journal) -> None:
        journal.back_up()
        last = journal.entries()[-1]
        journal.close_entries([last])
        garble(journal.path, 4096 * 3, 4096 * 2)
        journal.check()
        assert journal.undone(last.song)

    def test_that_its_copy_finds_is_repaired_then(self, journal: Journal) -> None:
        journal.back_up()
        note(journal, "new")
        garble(journal.path, 4096 * 3, 4096 * 2)
        journal.back_up()
        assert sqlite_files.damage(journal.path, CONTENTS) is None
        assert len(names(journal)) == 301

    def test_is_sound_if_nothing_is_wrong(self, journal: Journal) -> None:
        journal.check()
        journal.back_up()
        assert {path.name for path in journal.path.parent.iterdir()} == {
            "journal.db", "journal.db.bak", "journal.db.lock"
        }  # fmt: skip

    def test_that_is_not_there_is_neither_made_nor_missed(self, tmp_path: Path) -> None:
        journal = Journal(tmp_path / "state" / "journal.db")
        journal.check()
        journal.back_up()
        assert journal.entries() == ()
        assert not journal.path.exists()

    def test_is_shown_until_its_report_is_deleted(self, journal: Journal) -> None:
        journal.path.write_bytes(b"not a database" * 1000)
        folder = journal.path.parent
        assert [each.verdict.value for each in findings(folder)] == ["failed"]
        journal.check()
        good, repaired = findings(folder)
        assert good.verdict.value == "ok"
        assert repaired.verdict.value == "warning"
        assert "what was written before and not saved has no undo" in repaired.text
        environment = {"STATE_DIRECTORY": str(folder), "XDG_CONFIG_HOME": str(folder)}
        reported = CliRunner(env=environment).invoke(status, ["--json"])
        assert reported.exit_code == 0, reported.exception
        (report,) = json.loads(reported.stdout)["repairs"]
        assert "the journal was broken" in report["text"]
        shown = CliRunner(env=environment).invoke(status, [])
        assert "the journal was broken" in " ".join(shown.stdout.split())
        Path(report["report"]).unlink()
        assert len(list(findings(folder))) == 1

    def test_lets_songs_be_written_and_undone(self, tmp_path: Path, journal: Journal) -> None:
        song = tmp_path / "song.mp3"
        song.write_bytes(b"x")
        journal.path.write_bytes(b"not a database" * 1000)
        report = write_lyrics(song, LYRICS, Output(), journal=journal)
        assert report.written
        assert set(undo(journal).removed) == set(report.written)

    def test_of_a_later_version_is_left_alone(self, journal: Journal) -> None:
        with closing(sqlite3.connect(journal.path)) as db:
            db.execute("PRAGMA user_version = 2")
        with pytest.raises(JournalError, match="later version"):
            note(journal, "new")
        assert not journal.path.with_name("journal.db.broken").exists()

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
    @given(flips=st.lists(st.integers(0, 2**40), min_size=1, max_size=40))
    def test_may_have_any_bits_flipped(
        self, short_journal: bytes, tmp_path: Path, flips: list[int]
    ) -> None:
        journal = Journal(Path(tempfile.mkdtemp(dir=tmp_path)) / "journal.db")
        content = bytearray(short_journal)
        for flip in flips:
            at = flip % (len(content) * 8)
            # A later version cannot be distinguished from such a flip.
            if not 60 <= at // 8 < 64:
                content[at // 8] ^= 1 << at % 8
        journal.path.write_bytes(content)
        journal.entries()
        note(journal, "new")
        assert "new" in names(journal)

    def test_is_repaired_once_by_many_at_once(self, journal: Journal) -> None:
        journal.back_up()
        journal.path.write_bytes(b"not a database" * 1000)
        script = (
            "import sys; from pathlib import Path; from lyricsyncd.tags import Journal;"
            "print(len(Journal(Path(sys.argv[1])).entries()))"
        )
        commands = [
            subprocess.Popen(
                [sys.executable, "-c", script, journal.path], stdout=-1, stderr=-1, text=True
            )
            for _ in range(3)
        ]
        threads = [
            threading.Thread(target=note, args=(Journal(journal.path), f"t{n}")) for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        said = [command.communicate(timeout=60) for command in commands]
        assert all(300 <= int(out) <= 304 for out, _ in said), said
        assert len(names(journal)) == 304
