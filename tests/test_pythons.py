"""The tests of versions run on the newest and the oldest Python of whatever machine it is."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests import pythons


def known(*minors: int) -> dict[pythons.Version, Path]:
    return {(3, minor): Path(f"/python3.{minor}") for minor in minors}


@pytest.mark.parametrize(
    ("minors", "newest", "lowest"),
    [
        ((8, 9, 10, 11, 12, 13), "/python3.13", "/python3.10"),
        ((11,), "/python3.11", "/python3.11"),
        ((10, 9, 14), "/python3.14", "/python3.10"),
        ((14,), "/python3.14", None),
        ((9,), None, None),
    ],
)
def test_the_newest_and_the_lowest_of_those_there(
    minors: tuple[int, ...], newest: str | None, lowest: str | None
) -> None:
    assert pythons.choose("newest", known(*minors)) == (newest and Path(newest))
    assert pythons.choose("lowest", known(*minors)) == (lowest and Path(lowest))


def test_a_python_says_its_version_and_what_is_none_is_left_out(tmp_path: Path) -> None:
    found = pythons.ask(Path(sys.executable))
    assert found is not None
    assert found[0] == sys.version_info[:2]
    shim = tmp_path / "python3.99"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    assert pythons.ask(shim) is None
    assert pythons.ask(tmp_path / "python3") is None


def test_the_lowest_is_what_the_package_promises() -> None:
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
    promised = re.search(r'requires-python = ">=3\.(\d+)"', text)
    assert promised is not None
    assert (3, int(promised[1])) == pythons.LOWEST
