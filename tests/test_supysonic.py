"""A real music server, Supysonic, as a source of news.

It knows passwords only, tells paths below its folder, and has no ``lastScan``: what the protocol
was before OpenSubsonic.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lyricsyncd.catalog.catalog import FILE_NAME, Catalog, Outcome, Priority, State
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import Refused
from lyricsyncd.library.rules import Rules
from lyricsyncd.opensubsonic.client import Client
from lyricsyncd.opensubsonic.poller import Poller
from tests.waiting import until
from tests.web_api import SONG

pytestmark = [pytest.mark.slow, pytest.mark.daemon]

BIN = Path(sys.executable).parent


class Supysonic:
    """The server, its daemon, and its folder of music."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.music = folder / "music"
        self.music.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (folder / "supysonic.conf").write_text(
            f"[base]\ndatabase_uri = sqlite:///{folder}/supysonic.db\n"
            f"[webapp]\ncache_dir = {folder}/cache\n"
            f"[daemon]\nsocket = {folder}/supysonic.sock\nrun_watcher = off\n",
            encoding="utf-8",
        )
        self.environment = {**os.environ, "HOME": str(folder)}
        self.processes: list[subprocess.Popen[bytes]] = []

    def cli(self, *arguments: str) -> None:
        subprocess.run(
            [BIN / "supysonic-cli", *arguments],
            cwd=self.folder,
            env=self.environment,
            check=True,
            capture_output=True,
        )

    def start(self) -> None:
        self.cli("user", "add", "anna", "-p", "secret")
        self.cli("user", "setroles", "--admin", "anna")
        self.cli("folder", "add", "music", str(self.music))
        server = ["supysonic-server", "-S", "waitress", "-h", "127.0.0.1", "-p", str(self.port)]
        for command in (["supysonic-daemon"], server):
            self.processes.append(
                subprocess.Popen(
                    [BIN / command[0], *command[1:]],
                    cwd=self.folder,
                    env=self.environment,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def settings(self, auth: str = "password", user: str = "anna") -> Config:
        url = f"http://127.0.0.1:{self.port}"
        server = {"url": url, "user": user, "password": "secret", "auth": auth}
        return Config.model_validate({"opensubsonic": server})

    def song(self, name: str, title: str) -> Path:
        path = self.music / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SONG, path)
        import mutagen

        tags = mutagen.File(path, easy=True)
        tags["title"], tags["album"] = title, path.parent.name
        tags.save()
        return path


@pytest.fixture(scope="module")
def supysonic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supysonic]:
    pytest.importorskip("supysonic", reason="Supysonic is not installed")
    server = Supysonic(tmp_path_factory.mktemp("supysonic"))
    server.song("One/1.mp3", "First")
    try:
        server.start()
        # Not by the client: a host that cannot be reached is left alone for half a minute.
        until(lambda: _listens(server.port), "the server")
        client = Client(server.settings().opensubsonic)
        until(lambda: _rescanned(client, 1), "a scan")
        yield server
    finally:
        server.stop()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _rescanned(client: Client, songs: int) -> bool:
    client.start_scan()
    until(lambda: not client.scan_status().scanning, "its end")
    return len(client.songs(0)) == songs


def test_new_songs_come_from_it_and_it_reads_new_tags(supysonic: Supysonic, tmp_path: Path) -> None:
    with Catalog(tmp_path / FILE_NAME) as catalog:
        scans: list[int] = []
        poller = Poller(
            supysonic.settings().opensubsonic,
            catalog,
            [Rules(supysonic.music)],
            lambda _: None,
            lambda: scans.append(1),
        )
        poller.poll()
        first = catalog.by_path(supysonic.music / "One/1.mp3")
        assert first is not None
        assert first.priority == Priority.BACKFILL

        before = poller.client.requests
        poller.poll()
        assert poller.client.requests - before <= 3

        supysonic.song("Two/1.mp3", "Second")
        until(lambda: _rescanned(poller.client, 2), "a scan")
        poller.poll()
        second = catalog.by_path(supysonic.music / "Two/1.mp3")
        assert second is not None
        assert second.priority == Priority.IMPORT
        assert scans == []

        # Lyrics in its tags: the server looks anew.
        catalog.clock = lambda: time.time() + 700
        catalog.claim("test", 60, only=[second.id])
        catalog.finish(second.id, "test", Outcome(State.DONE, "fine", written=(second.path,)))
        catalog.clock = lambda: time.time() + 701
        before = poller.client.requests
        poller.poll()
        assert poller.client.requests - before == 4


def test_it_says_no_to_tokens_and_to_strangers(supysonic: Supysonic) -> None:
    for config in (supysonic.settings("token"), supysonic.settings(user="bert")):
        with pytest.raises(Refused, match=r"opensubsonic\.(user|auth)"):
            Client(config.opensubsonic).songs(0)
