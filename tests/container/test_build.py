"""`container/build.sh`: what it asks docker and buildah for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.container import host

TOOLS = ("sh", "cat", "cp", "dirname", "mkdir", "mktemp", "rm")
"""What the script uses beside the programs that build."""
RECORDS = """#!/bin/sh
echo "${0##*/} $*" >>"$RECORD"
"""
DOCKER = (
    RECORDS
    + """
[ "$1" != image ] || echo 1000
"""
)
BUILDAH = (
    RECORDS
    + """
case $1 in
  info) echo amd64 ;;
  inspect) echo "$BASE" ;;
  pull) [ "$REGISTRY" = yes ] ;;
  from) echo container-1 ;;
esac
"""
)


class Computer:
    """A computer on which these programs, and no others, can build; they only record it."""

    def __init__(self, folder: Path, **programs: str) -> None:
        self._folder = folder
        self._record = folder / "record"
        self._record.touch()
        for tool in TOOLS:
            (folder / tool).symlink_to(shutil.which(tool) or tool)
        for name, script in programs.items():
            (folder / name).write_text(script)
            (folder / name).chmod(0o755)

    def build(self, **environment: str) -> list[str]:
        """Build the image `lite`; return what the programs were called with."""
        own = {"PATH": str(self._folder), "HOME": str(self._folder), "RECORD": str(self._record)}
        subprocess.run(
            [host.ROOT / "container" / "build.sh", "lite", "--build-arg", "EXTRAS=ja"],
            env={**own, **environment},
            check=True,
            capture_output=True,
        )
        return self._record.read_text().splitlines()


def one(calls: list[str], start: str) -> str:
    (call,) = (each for each in calls if each.startswith(start))
    return call


class TestWithDocker:
    @pytest.fixture
    def docker(self, tmp_path: Path) -> Computer:
        return Computer(tmp_path, docker=DOCKER)

    def test_builds_for_the_processor_that_is_asked_for(self, docker: Computer) -> None:
        assert "--platform linux/arm64" in one(docker.build(ARCH="arm64"), "docker build")

    def test_leaves_the_processor_to_docker_where_none_is_named(self, docker: Computer) -> None:
        assert "--platform" not in one(docker.build(), "docker build")

    def test_hands_on_the_options_of_the_build(self, docker: Computer) -> None:
        assert "--build-arg EXTRAS=ja" in one(docker.build(ARCH="arm64"), "docker build")


class TestWithBuildah:
    @pytest.fixture
    def buildah(self, tmp_path: Path) -> Computer:
        return Computer(tmp_path, buildah=BUILDAH, mmdebstrap=RECORDS)

    def test_builds_for_the_processor_that_is_asked_for(self, buildah: Computer) -> None:
        calls = buildah.build(ARCH="arm64", BASE="arm64")
        assert "--arch arm64" in one(calls, "buildah build")

    def test_builds_for_its_own_processor_where_none_is_named(self, buildah: Computer) -> None:
        calls = buildah.build(BASE="amd64")
        assert "--arch amd64" in one(calls, "buildah build")

    def test_fetches_no_base_where_the_right_one_is_there(self, buildah: Computer) -> None:
        calls = buildah.build(BASE="amd64")
        assert [call for call in calls if call.startswith(("buildah pull", "mmdebstrap"))] == []

    @pytest.mark.parametrize(("there", "wanted"), [("amd64", "arm64"), ("arm64", "amd64")])
    def test_fetches_the_base_anew_where_another_processors_is_there(
        self, buildah: Computer, there: str, wanted: str
    ) -> None:
        calls = buildah.build(ARCH=wanted, BASE=there, REGISTRY="yes")
        assert f"--arch {wanted}" in one(calls, "buildah pull")

    def test_makes_the_base_for_that_processor_where_no_registry_answers(
        self, buildah: Computer
    ) -> None:
        calls = buildah.build(ARCH="arm64", BASE="amd64", REGISTRY="no")
        assert "--architectures=arm64" in one(calls, "mmdebstrap")
        assert one(calls, "buildah config") == "buildah config --arch arm64 container-1"
