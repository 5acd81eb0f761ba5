"""Songs on a cluster: a real scheduler and real workers in processes of their own, one killed."""

from __future__ import annotations

import contextlib
import datetime
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from lyricsyncd.config.schema import Config, DaskTls
from lyricsyncd.errors import ConfigError, LyricsyncError
from lyricsyncd.model import Decision, Lyrics, SongIdentification, Track
from lyricsyncd.pipeline.prepared import Placement, Prepared
from lyricsyncd.pipeline.settings import placing_settings
from lyricsyncd.work.dask_executor import ClusterAway, DaskExecutor
from lyricsyncd.work.dask_worker import worker_name
from lyricsyncd.work.worker import place
from tests import worker_tasks as tasks
from tests.waiting import until

if find_spec("distributed") is None:  # to import it takes 2 s
    pytest.skip("distributed is not installed", allow_module_level=True)

ROOT = Path(__file__).parent.parent
SONG = ROOT / "demo" / "songs" / "The_Star.mp3"
TEXT = SONG.with_suffix(".txt").read_text(encoding="utf-8")
TIMEOUT_S = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    """A scheduler and workers."""

    def __init__(self, folder: Path, scheme: str = "tcp", *options: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"{scheme}://127.0.0.1:{self.port}"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.start(
            *("-m", "distributed.cli.dask_scheduler", "--host", f"{scheme}://127.0.0.1"),
            *("--port", str(self.port), "--no-dashboard", *options),
        )
        until(self._listens, "the scheduler is up")

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "HOME": str(self.folder),
            "XDG_CACHE_HOME": str(self.folder),
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
            # A worker that does not answer is taken for lost soon.
            "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s",
        }
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *arguments], env=environment, stderr=log, stdout=log
            )
        self.processes.append(process)
        return process

    def worker(self, *options: str) -> subprocess.Popen[bytes]:
        return self.start("-m", "lyricsyncd", "worker", self.address, *options)

    def said(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def close(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path)
    yield cluster
    cluster.close()


def settings(cluster: Cluster, **more: object) -> Config:
    return Config.model_validate(
        {
            "models": {"separator": "none", "transcriber": "none"},
            "daemon": {"executor": "dask", "dask_address": cluster.address, **more},
        }
    )


@pytest.mark.slow
def test_a_song_runs_elsewhere_under_the_name_that_it_has_there(
    cluster: Cluster, tmp_path: Path
) -> None:
    config_file = tmp_path / "there.yaml"
    config_file.write_text("models: {separator: none, transcriber: none}\n", encoding="utf-8")
    cluster.worker("--config", str(config_file), "--path-map", f"/mnt={SONG.parent}")
    config = settings(cluster, path_map={"/volume1": "/mnt"})
    executor = DaskExecutor(config.daemon)
    recognised: list[str] = []
    path = Path("/volume1") / SONG.name
    track = Track(path, title="The Star")
    lyrics = Lyrics.from_text(TEXT, source="given")
    prepared = Prepared(path, SongIdentification(track), lyrics, "en")
    future = executor.submit_within(
        300,
        lambda stage, _share: recognised.append(stage),
        place,
        placing_settings(config),
        prepared,
    )
    result = future.result(TIMEOUT_S)
    assert isinstance(result, Placement)
    assert result.decision is Decision.WORDS
    assert "align" in recognised
    lost = replace(prepared, path=Path("/volume1/gone.mp3"))
    with pytest.raises(LyricsyncError, match="is not there on") as caught:
        executor.submit_within(300, None, place, placing_settings(config), lost).result(TIMEOUT_S)
    assert caught.value.transient
    executor.shutdown()


@pytest.mark.slow
def test_the_song_of_a_worker_that_is_killed_runs_on_another(
    cluster: Cluster, tmp_path: Path
) -> None:
    workers = [cluster.worker(), cluster.worker()]
    until(lambda: cluster.said().count("working for") == 2, "both workers are there")
    executor = DaskExecutor(settings(cluster).daemon)
    note = tmp_path / "runs"
    future = executor.submit_within(
        None, None, tasks.note_and_wait_for, str(note), str(tmp_path / "go")
    )
    until(lambda: note.exists() and note.read_text(encoding="ascii").strip(), "it runs")
    (first,) = map(int, note.read_text(encoding="ascii").split())
    (busy,) = [each for each in workers if parent_of(first) == each.pid]
    busy.send_signal(signal.SIGKILL)
    busy.wait()
    (tmp_path / "go").touch()
    second = future.result(TIMEOUT_S)
    assert second != first
    until(lambda: not Path(f"/proc/{first}").exists(), "its process went with it")
    executor.shutdown()


@pytest.mark.slow
def test_songs_that_come_back_with_more_words_are_placed_where_their_vocals_are(
    cluster: Cluster, tmp_path: Path
) -> None:
    workers = [cluster.worker(), cluster.worker()]
    until(lambda: cluster.said().count("working for") == len(workers), "both workers are there")
    executor = DaskExecutor(settings(cluster).daemon)
    songs = []
    for number in range(6):
        path = tmp_path / f"{number}.mp3"
        path.touch()
        songs.append(Prepared(path, SongIdentification(Track(path)), Lyrics()))
    asked = [executor.submit_within(60, None, tasks.want_more_words, song) for song in songs]
    first = [*map(int, (pid for each in asked for pid in each.result(TIMEOUT_S).stages.values()))]
    assert len(set(first)) > 1, "both have some"
    again = [
        executor.submit_within(60, None, tasks.pid_for, song).result(TIMEOUT_S) for song in songs
    ]
    assert again == first
    executor.shutdown()


def test_workers_of_hosts_that_share_a_name_have_names_of_their_own() -> None:
    assert worker_name("cpu0") != worker_name("cpu0")


@pytest.mark.slow
def test_a_model_process_that_is_killed_costs_its_song_one_try_and_no_worker(
    cluster: Cluster,
) -> None:
    worker = cluster.worker()
    executor = DaskExecutor(settings(cluster).daemon)
    with pytest.raises(LyricsyncError, match="killed by SIGKILL"):
        executor.submit_within(None, None, tasks.die).result(TIMEOUT_S)
    assert executor.submit_within(None, None, tasks.double, 21).result(TIMEOUT_S) == 42
    assert worker.poll() is None
    worker.terminate()
    assert worker.wait(20) == 0
    executor.shutdown()


def test_a_cluster_that_is_not_there_is_no_fault_of_the_song(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lyricsyncd.work.dask_executor.CONNECT_TIMEOUT_S", 1.0)
    daemon = {"executor": "dask", "dask_address": f"tcp://127.0.0.1:{free_port()}"}
    config = Config.model_validate({"daemon": daemon})
    executor = DaskExecutor(config.daemon)
    with pytest.raises(ClusterAway, match="cannot be reached") as caught:
        executor.submit_within(None, None, tasks.double, 1).result(TIMEOUT_S)
    assert caught.value.transient
    executor.shutdown()


@pytest.mark.slow
def test_with_certificates_nobody_else_gets_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca, cert, key = certificates(tmp_path)
    cluster = Cluster(
        *(tmp_path, "tls", "--tls-ca-file", str(ca), "--tls-cert", str(cert)),
        *("--tls-key", str(key)),
    )
    try:
        config_file = tmp_path / "there.yaml"
        config_file.write_text(
            f"daemon: {{dask_tls: {{ca: {ca}, cert: {cert}, key: {key}}}}}\n", encoding="utf-8"
        )
        cluster.worker("--config", str(config_file))
        tls = {"ca": str(ca), "cert": str(cert), "key": str(key)}
        executor = DaskExecutor(settings(cluster, dask_tls=tls).daemon)
        assert executor.submit_within(None, None, tasks.double, 21).result(TIMEOUT_S) == 42
        executor.shutdown()
        monkeypatch.setattr("lyricsyncd.work.dask_executor.CONNECT_TIMEOUT_S", 1.0)
        stranger = settings(cluster, dask_tls=tls).daemon.model_copy(
            update={"dask_address": cluster.address.replace("tls", "tcp"), "dask_tls": DaskTls()}
        )
        with pytest.raises(ClusterAway):
            DaskExecutor(stranger).submit_within(None, None, tasks.double, 1).result(TIMEOUT_S)
    finally:
        cluster.close()


def certificates(folder: Path) -> tuple[Path, Path, Path]:
    """An authority's certificate that is its own, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.timezone.utc)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_file, cert_file, key_file


def parent_of(pid: int) -> int:
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
        return int(fields[1])
    return 0


@pytest.mark.parametrize(
    "daemon",
    [
        {"executor": "dask"},
        {"executor": "dask", "dask_address": "nas:8786"},
        {"executor": "dask", "dask_address": "tls://nas:8786"},
        {"dask_tls": {"ca": "/ca.pem"}},
    ],
)
def test_settings_that_reach_no_cluster_are_refused(
    daemon: dict[str, object], tmp_path: Path
) -> None:
    import json

    from lyricsyncd.config.reader import load

    (tmp_path / "config.yaml").write_text(json.dumps({"daemon": daemon}), encoding="utf-8")
    with pytest.raises(ConfigError):
        load(tmp_path / "config.yaml", {})
