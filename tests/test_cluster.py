"""A cluster for real: a scheduler, two workers of ours, songs that outlive one of them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lyricsyncd.config import Config
from lyricsyncd.daemon.cluster import ClusterExecutor, mapped, without_secrets
from lyricsyncd.errors import AudioError, ConfigError, ModelError, WorkerLost
from tests import worker_tasks as tasks
from tests.test_daemon_service import ROOT, TEXT, Home

pytest.importorskip("distributed")

PATIENCE_S = 90


def test_a_path_goes_by_the_name_that_its_folder_has_there() -> None:
    folders = {"/music": "/mnt/nas", "/music/live": "/mnt/live"}
    assert mapped(Path("/music/a/b.mp3"), folders) == Path("/mnt/nas/a/b.mp3")
    assert mapped(Path("/music/live/b.mp3"), folders) == Path("/mnt/live/b.mp3")
    assert mapped(Path("/musical/b.mp3"), folders) == Path("/musical/b.mp3")


def test_no_secret_travels() -> None:
    config = Config.model_validate(
        {"web": {"token": "open sesame"}, "identify": {"acoustid_key": "open sesame"}}
    )
    sent = without_secrets(config)
    assert sent.web.token is None
    assert sent.identify.acoustid_key is None


def test_a_cluster_without_an_address_is_a_wrong_configuration(tmp_path: Path) -> None:
    from lyricsyncd.config import load

    file = tmp_path / "config.yaml"
    file.write_text("daemon: {executor: dask}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="dask_address"):
        load(file, {})


class Cluster:
    """A scheduler, and workers that come and go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.processes: list[subprocess.Popen[bytes]] = []
        scheduler = "distributed.cli.dask_scheduler --no-dashboard --dashboard-address :0"
        self._start([*scheduler.split(), "--host=127.0.0.1", f"--port={self.port}"])
        self._until(self._listens)

    def worker(self, *options: str) -> subprocess.Popen[bytes]:
        return self._start(["lyricsyncd", "worker", self.address, *options])

    def _start(self, arguments: list[str]) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "LYRICSYNCD_MODELS__SEPARATOR": "none",
            "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "15s",
            "DASK_TEMPORARY_DIRECTORY": str(self.folder),
        }
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                env=environment,
                cwd=self.folder,
                stderr=log,
                stdout=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def _until(self, true: object) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():  # type: ignore[operator]
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.1)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """The computer loses its power: the process and all that it started are gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def close(self) -> None:
        for process in self.processes:
            self.kill(process)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    (tmp_path / "cluster").mkdir()
    cluster = Cluster(tmp_path / "cluster")
    yield cluster
    cluster.close()


@pytest.fixture
def executor(cluster: Cluster) -> Iterator[ClusterExecutor]:
    executor = ClusterExecutor(cluster.address)
    yield executor
    executor.shutdown()


@pytest.mark.slow
class TestACluster:
    def test_does_what_it_is_sent_and_raises_what_goes_wrong(
        self, cluster: Cluster, executor: ClusterExecutor
    ) -> None:
        with pytest.raises(ModelError, match="no worker"):
            executor.submit(tasks.double, 21).result(PATIENCE_S)
        cluster.worker()
        executor.wait_for_a_worker(PATIENCE_S)
        assert executor.submit(tasks.double, 21).result(PATIENCE_S) == 42
        with pytest.raises(AudioError, match=r"song\.mp3 cannot be listened to") as raised:
            executor.submit(tasks.refuse, "song.mp3").result(PATIENCE_S)
        assert raised.value.remedy == "Get another copy"

    def test_does_a_lost_workers_song_elsewhere(
        self, cluster: Cluster, executor: ClusterExecutor, tmp_path: Path
    ) -> None:
        first = cluster.worker("--name", "first")
        executor.wait_for_a_worker(PATIENCE_S)
        told = tmp_path / "told"
        future = executor.submit(tasks.hang_once, str(told))
        cluster._until(told.exists)
        cluster.worker("--name", "second")
        cluster.kill(first)
        assert future.result(PATIENCE_S) == "done elsewhere"

    def test_starts_a_worker_anew_that_hangs(
        self, cluster: Cluster, executor: ClusterExecutor
    ) -> None:
        cluster.worker()
        executor.wait_for_a_worker(PATIENCE_S)
        assert executor.submit(tasks.double, 1).result(PATIENCE_S) == 2
        with pytest.raises(WorkerLost, match="no result after 2 s"):
            executor.submit_within(2.0, None, tasks.hang).result(PATIENCE_S)
        assert executor.submit(tasks.double, 21).result(PATIENCE_S) == 42

    def test_that_is_not_there_is_no_songs_fault(self) -> None:
        executor = ClusterExecutor("tcp://127.0.0.1:1")
        with pytest.raises(ModelError, match="cannot be reached"):
            executor.submit(tasks.double, 21).result(PATIENCE_S)

    @pytest.mark.daemon
    def test_places_the_words_of_the_service_under_other_names(
        self, cluster: Cluster, tmp_path: Path
    ) -> None:
        home = Home(tmp_path / "home")
        share = tmp_path / "share"
        home.music.rename(share)
        home.music.symlink_to(share)
        cluster.worker("--path-map", f"{home.music}={share}")
        asks = ClusterExecutor(cluster.address)
        asks.wait_for_a_worker(PATIENCE_S)
        asks.shutdown()
        home.configure(daemon={"settle": 0.3, "executor": "dask", "dask_address": cluster.address})
        home.start()
        try:
            song = home.drop(words=TEXT)
            home.until_counts(done=1)
            assert song.with_suffix(".elrc").read_text(encoding="utf-8").count("<") >= 44
            assert home.stop() == 0
        finally:
            if home.process is not None:
                home.process.kill()
                home.process.wait()
