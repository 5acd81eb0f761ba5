"""The doctor: what it finds wrong on purpose, and that each trouble has its remedy."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
from pathlib import Path

import pytest

from lyricsyncd import doctor
from lyricsyncd.catalog.catalog import FILE_NAME, Catalog
from lyricsyncd.config.schema import Config
from lyricsyncd.doctor import Finding, Verdict
from tests.test_cli import run


def config(**values: object) -> Config:
    return Config.model_validate(values)


def worst(findings: list[Finding]) -> Finding:
    order = [Verdict.OK, Verdict.WARNING, Verdict.FAILED]
    return max(findings, key=lambda finding: order.index(finding.verdict))


def test_a_house_in_order_is_well_and_told_to_programs(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "a.mp3").write_bytes(b"x")
    run("init", "--library", tmp_path / "music", home=tmp_path)
    done = run("doctor", "--offline", "--json", home=tmp_path, LYRICSYNCD_WEB__LISTEN="null")
    told = json.loads(done.stdout)
    assert told["well"]
    topics = {finding["topic"] for finding in told["findings"]}
    assert topics >= {"versions", "library", "inotify", "catalog", "disk", "models", "codecs"}
    for finding in told["findings"]:
        assert bool(finding["remedy"]) == (finding["verdict"] != "ok"), finding
    assert not (tmp_path / ".local").exists()


def test_a_house_without_its_music_is_not(tmp_path: Path) -> None:
    run("init", "--library", tmp_path, home=tmp_path)
    done = run("doctor", "--offline", home=tmp_path, LYRICSYNCD_LIBRARIES='[{"path": "/none"}]')
    assert done.returncode == 1
    assert "FAILED library: /none is not there" in done.stdout
    assert "→ Check the path" in done.stdout


def test_a_folder_that_takes_no_lyrics_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.mp3").write_bytes(b"x")
    # Root may write anywhere, whatever the mode says.
    monkeypatch.setattr(os, "access", lambda _path, mode: not mode & os.W_OK)
    wants = {"libraries": [{"path": str(tmp_path)}]}
    assert "cannot be written" in worst(list(doctor.libraries(config(**wants)))).text
    embedded = config(**wants, output={"preset": "embed"})
    assert worst(list(doctor.libraries(embedded))).verdict is Verdict.OK


def test_a_limit_of_watches_that_is_too_low_is_told_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = tmp_path / "proc/sys/fs/inotify"
    limits.mkdir(parents=True)
    (limits / "max_user_watches").write_text("3\n")
    (limits / "max_user_instances").write_text("128\n")
    monkeypatch.setattr(doctor, "_PROC", tmp_path / "proc")
    music = tmp_path / "music"
    for number in range(4):
        (music / str(number)).mkdir(parents=True)
    found = worst(list(doctor.watches(config(libraries=[{"path": str(music)}]))))
    assert found.verdict is Verdict.WARNING
    assert "sysctl fs.inotify.max_user_watches=" in found.remedy


def test_a_broken_catalog_is_told(tmp_path: Path) -> None:
    Catalog(tmp_path / FILE_NAME).close()
    assert worst(list(doctor.state(tmp_path))).verdict is Verdict.OK
    with (tmp_path / FILE_NAME).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)
    assert "is broken" in worst(list(doctor.state(tmp_path))).text


def test_a_taken_port_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        wants = config(web={"listen": f"127.0.0.1:{port}"})
        assert worst(list(doctor.control(wants))).verdict is Verdict.FAILED


def test_a_host_that_is_down_is_told_and_one_that_is_up() -> None:
    with socket.socket() as up:
        up.bind(("127.0.0.1", 0))
        up.listen()
        url = f"http://127.0.0.1:{up.getsockname()[1]}"
        wants = config(lyrics={"lrclib": {"url": url}})
        assert worst(list(doctor.hosts(wants))).verdict is Verdict.OK
    assert worst(list(doctor.hosts(wants))).verdict is Verdict.WARNING


@pytest.mark.skipif(
    importlib.util.find_spec("torch") is not None, reason="the extra models is installed"
)
def test_models_whose_extra_is_missing_are_told_with_the_command() -> None:
    assert list(doctor.extras(config())) == []
    two = list(doctor.extras(config(models={"aligner": "sphinx+ctc", "separator": "htdemucs_ft"})))
    assert {finding.verdict for finding in two} == {Verdict.FAILED}
    assert {finding.remedy for finding in two} == {"pip install 'lyricsyncd[models]'"}
    full = list(doctor.extras(config(profile="full")))
    assert [finding.text.split()[0] for finding in full] == ["htdemucs_ft", "ctc"]


def test_a_card_that_the_models_cannot_use_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA Something'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(doctor, "_onnx_providers", lambda: ["CPUExecutionProvider"])
    assert worst(list(doctor.gpu(config()))).verdict is Verdict.WARNING
    wants = config(models={"device": "cuda"})
    assert worst(list(doctor.gpu(wants))).verdict is Verdict.FAILED
