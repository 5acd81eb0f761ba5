"""``lyricsyncd uninstall``: nothing of ours stays, and nothing of others goes."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lyricsyncd.catalog.catalog import FILE_NAME, Catalog, Priority
from lyricsyncd.service.lock import StateLock
from tests.noise_songs import encode

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent
WORDS = "[00:01.00]<00:01.00>Row, <00:02.00>row<00:03.00>\n"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if "LYRICSYNCD" not in name}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "STATE_DIRECTORY": str(tmp_path / "state"),
        "CACHE_DIRECTORY": str(tmp_path / "cache"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str]) -> Run:
    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lyricsyncd", *map(str, arguments)]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
        )

    return run


@pytest.fixture
def installed(tmp_path: Path, run: Run) -> Path:
    """A used installation; return the song's folder, in which a person's own file was replaced."""
    music = tmp_path / "music"
    music.mkdir()
    encode(music / "song.mp3", 1)
    (music / "song.lrc").write_text("[00:01.00]a person's\n", encoding="utf-8")
    (tmp_path / "words.elrc").write_text(WORDS, encoding="utf-8")
    config = tmp_path / "config" / "lyricsyncd" / "config.yaml"
    config.parent.mkdir(parents=True)
    config.write_text(f"libraries: [{{path: {music}}}]\n", encoding="utf-8")
    written = run("apply", tmp_path / "words.elrc", music / "song.mp3", "--replace")
    assert written.returncode == 0, written.stderr
    with Catalog(tmp_path / "state" / FILE_NAME) as catalog:
        catalog.enqueue(music / "song.mp3", Priority.IMPORT, "scan", library=music)
    models = tmp_path / "cache" / "models"
    models.mkdir(parents=True)
    (models / "spleeter-2stem.onnx").write_bytes(b"a network")
    (tmp_path / "cache" / "of others").write_text("stays")
    (tmp_path / "state" / "of others").write_text("stays")
    return music


def everything(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestAgreement:
    def test_is_needed_where_nobody_can_be_asked(self, run: Run, installed: Path) -> None:
        before = everything(installed.parent)
        done = run("uninstall")
        assert done.returncode == 2
        assert "--yes" in done.stderr
        assert everything(installed.parent) == before

    def test_is_not_needed_to_see_what_would_be_done(self, run: Run, installed: Path) -> None:
        before = everything(installed.parent)
        done = run("uninstall", "--dry-run")
        assert done.returncode == 0
        for line in ("remove", "catalog.db", "cache/models", "2 files hold lyrics", "config.yaml"):
            assert line in done.stdout
        assert everything(installed.parent) == before

    def test_is_asked_for_at_a_terminal(self, installed: Path, environment: dict[str, str]) -> None:
        with terminal(environment, "uninstall") as talk:
            talk("Keep the lyrics in 2 files, or undo them?", "undo")
            talk("Remove all this?", "y")
        assert names(installed) == ["song.lrc", "song.mp3"]
        assert names(installed.parent / "state") == ["of others"]

    def test_may_be_refused_at_a_terminal(
        self, installed: Path, environment: dict[str, str]
    ) -> None:
        before = everything(installed.parent)
        with terminal(environment, "uninstall", "--lyrics", "undo") as talk:
            talk("Remove all this?", "n")
        assert everything(installed.parent) == before


class TestLeaving:
    def test_removes_state_cache_and_models_and_keeps_the_lyrics(
        self, run: Run, installed: Path
    ) -> None:
        music = everything(installed)
        done = run("uninstall", "--yes")
        assert (done.returncode, done.stderr) == (0, "")
        assert "pipx uninstall lyricsyncd" in done.stdout
        assert everything(installed) == music
        assert names(installed.parent / "state") == ["of others"]
        assert names(installed.parent / "cache") == ["of others"]
        assert (installed.parent / "config" / "lyricsyncd" / "config.yaml").is_file()

    def test_removes_its_folders_where_they_hold_nothing_else(
        self, run: Run, installed: Path
    ) -> None:
        for folder in ("state", "cache"):
            (installed.parent / folder / "of others").unlink()
        assert run("uninstall", "--yes").returncode == 0
        assert not (installed.parent / "state").exists()
        assert not (installed.parent / "cache").exists()

    def test_gives_back_what_was_there_where_that_is_chosen(
        self, run: Run, installed: Path
    ) -> None:
        done = run("uninstall", "--yes", "--lyrics", "undo", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["lyrics"] == "undo"
        assert names(installed) == ["song.lrc", "song.mp3"]
        assert "a person's" in (installed / "song.lrc").read_text(encoding="utf-8")

    def test_keeps_the_state_where_lyrics_cannot_be_given_back(
        self, run: Run, installed: Path
    ) -> None:
        # A file that even root cannot write.
        immutable = subprocess.run(["chattr", "+i", installed / "song.lrc"], capture_output=True)
        if immutable.returncode:
            pytest.skip("files cannot be made immutable here")
        try:
            done = run("uninstall", "--yes", "--lyrics", "undo")
        finally:
            subprocess.run(["chattr", "-i", installed / "song.lrc"], check=True)
        assert done.returncode == 1
        assert "the state stays" in done.stderr
        assert (installed.parent / "state" / "journal.db").is_file()
        assert run("uninstall", "--yes", "--lyrics", "undo").returncode == 0
        assert names(installed) == ["song.lrc", "song.mp3"]

    def test_removes_the_unit_of_systemd(self, run: Run, installed: Path) -> None:
        assert run("service", "install").returncode == 0
        unit = installed.parent / "config" / "systemd" / "user" / "lyricsyncd.service"
        assert unit.is_file()
        assert run("uninstall", "--yes").returncode == 0
        assert not unit.exists()

    def test_waits_until_no_service_is_at_work(self, run: Run, installed: Path) -> None:
        before = names(installed.parent / "state")
        with StateLock(installed.parent / "state"):
            done = run("uninstall", "--yes")
        assert done.returncode == 2
        assert "Stop it first" in done.stderr
        assert set(before) <= set(names(installed.parent / "state"))

    def test_takes_its_models_alone_out_of_a_folder_of_a_person(
        self, run: Run, installed: Path
    ) -> None:
        mine = installed.parent / "mine"
        mine.mkdir()
        (mine / "phonemes-en.onnx").write_bytes(b"a network")
        (mine / "of others").write_text("stays")
        config = installed.parent / "config" / "lyricsyncd" / "config.yaml"
        config.write_text(f"models: {{dir: {mine}}}\n", encoding="utf-8")
        assert run("uninstall", "--yes").returncode == 0
        assert names(mine) == ["of others"]

    def test_is_nothing_where_nothing_was_ever_done(self, run: Run, tmp_path: Path) -> None:
        done = run("uninstall", "--yes")
        assert (done.returncode, done.stderr) == (0, "")
        assert names(tmp_path) == []


@contextmanager
def terminal(environment: dict[str, str], *arguments: str) -> Iterator[Callable[[str, str], None]]:
    """Run a command at a terminal; the block answers its questions."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "lyricsyncd", *arguments],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment,
        start_new_session=True,
    )
    os.close(follower)
    shown = ""

    def read(until: str = "") -> None:
        nonlocal shown
        end = time.monotonic() + 60
        while not until or until not in shown:
            assert time.monotonic() < end, shown
            if select.select([leader], [], [], 0.5)[0]:
                try:
                    shown += os.read(leader, 4096).decode()
                except OSError:
                    return

    def talk(question: str, answer: str) -> None:
        read(question)
        assert question in shown, shown
        os.write(leader, f"{answer}\n".encode())

    try:
        yield talk
        read()
    finally:
        process.wait(60)
        os.close(leader)
