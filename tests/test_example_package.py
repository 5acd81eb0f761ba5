"""The example package of ``examples/``: installed as a user would, and used by real commands."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lyricsyncd import registry

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "lyricsyncd-acme"
SONG = ROOT / "demo" / "songs" / "The_Star.mp3"

KINDS = ("toml", "python")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with the example in it."""
    sources = shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("sources") / "acme")
    return install(sources, tmp_path_factory.mktemp("site"))


def install(sources: Path, folder: Path) -> Path:
    """Build a package from its sources, without a network, and put it into a folder."""
    pytest.importorskip("hatchling")
    offline = ["--no-build-isolation", "--no-deps", "--no-index", "--quiet"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *offline, "--target", folder, sources],
        check=True,
        timeout=120,
    )
    return folder


def run(site: Path, home: Path, *command: object) -> subprocess.CompletedProcess[str]:
    places = {"XDG_STATE_HOME": home / "state", "XDG_CACHE_HOME": home / "cache", "HOME": home}
    environment = {
        **{name: value for name, value in os.environ.items() if "LYRICSYNCD" not in name},
        **{name: str(path) for name, path in places.items()},
        "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)]),
    }
    return subprocess.run(
        [sys.executable, *map(str, command)],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings that use all three back ends."""
    words = tmp_path / "words"
    words.mkdir()
    shutil.copy(SONG.with_suffix(".txt"), words / "Jane Taylor - The Star.txt")
    settings = {
        "models": {"separator": "none", "aligner": "wide_band", "transcriber": "none"},
        "lyrics": {"order": ["folder"]},
        "output": [{"format": "json"}, {"format": "labels"}],
        "plugins": {"folder": {"path": str(words)}, "wide_band": {"band": 10}},
    }
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(settings))  # JSON is YAML
    return path


def test_its_own_tests_pass(site: Path, tmp_path: Path) -> None:
    done = run(site, tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", EXAMPLE / "tests")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_demo_song_is_placed_with_its_model_words_and_format(
    site: Path, tmp_path: Path, config: Path
) -> None:
    song = shutil.copy(SONG, tmp_path / "song.mp3")
    names = ["--artist", "Jane Taylor", "--title", "The Star"]
    command = ["-m", "lyricsyncd", "sync", song, *names, "--config", config]
    done = run(site, tmp_path, *command, "--report", tmp_path / "report.json")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["aligner"] == "wide_band"
    assert report["source"] == "folder"
    assert report["decision"] == "words"
    rows = [row.split("\t") for row in (tmp_path / "song.labels").read_text().splitlines()]
    truth = list(csv.DictReader(SONG.with_suffix(".lines.csv").open(encoding="utf-8")))
    assert [text for _, _, text in rows] == [line["lyrics_line"] for line in truth]
    for (start, _, _), line in zip(rows, truth, strict=True):
        assert abs(float(start) - float(line["start_time"])) < 0.3


def test_the_doctor_lists_what_it_adds(site: Path, tmp_path: Path, config: Path) -> None:
    done = run(site, tmp_path, "-m", "lyricsyncd", "doctor", "--offline", "--config", config)
    for line in (
        "format labels (lyricsyncd-acme): label tracks of Audacity, with line times",
        "source folder (lyricsyncd-acme): a folder of text files",
        "aligner wide_band (lyricsyncd-acme): phone states, searched in a wider band",
    ):
        assert line in done.stdout, done.stdout + done.stderr


def test_its_files_are_converted(site: Path, tmp_path: Path) -> None:
    (tmp_path / "song.labels").write_text("1.0\t2.5\tTwinkle, twinkle\n")
    done = run(site, tmp_path, "-m", "lyricsyncd", "convert", "song.labels", "-", "--to", "srt")
    assert "00:00:01,000 --> 00:00:02,500" in done.stdout, done.stderr


def test_the_package_of_the_guide_is_known_to_the_doctor(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    toml, module = (re.findall(rf"```{kind}\n(.*?)```", guide, re.DOTALL)[0] for kind in KINDS)
    package = tmp_path / "lyricsyncd-mine" / "lyricsyncd_mine"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "half.py").write_text(module)
    (package.parent / "pyproject.toml").write_text(toml)
    (tmp_path / "config.yaml").write_text("models: {separator: half}\n")
    site = install(package.parent, tmp_path / "site")
    command = ["-m", "lyricsyncd", "doctor", "--offline", "--config", tmp_path / "config.yaml"]
    done = run(site, tmp_path, *command)
    assert "ok     plugins: separator half (lyricsyncd-mine): half as loud" in done.stdout


def test_the_guide_names_the_group_of_every_kind() -> None:
    guide = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    assert [kind.group for kind in registry.ALL if f"`{kind.group}`" not in guide] == []
