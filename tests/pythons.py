"""Name the newest and the oldest Python of this machine that the tests of versions may run on.

``python -m tests.pythons newest|lowest``: those on PATH and those of pyenv count, where they are
released and no older than `LOWEST`. It prints a path; none where no Python fits.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LOWEST = (3, 10)
"""As ``requires-python`` in pyproject.toml."""
WITH_OLD_WHEELS = (3, 12)
"""The newest Python for which the lowest versions of all dependencies have wheels."""

Version = tuple[int, int]

_ASK = (
    "import sys; v = sys.version_info;"
    "print(v.major, v.minor, v.releaselevel, sys.implementation.name, sys.executable)"
)


def candidates() -> Iterator[Path]:
    """Give whatever may be a Python 3 here; some may be shims of what is not installed."""
    yield Path(sys.executable)
    for folder in os.get_exec_path():
        yield from Path(folder).glob("python3")
        yield from Path(folder).glob("python3.[1-9][0-9]")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from pyenv.glob("versions/3.*/bin/python3")


def ask(python: Path) -> tuple[Version, Path] | None:
    """Its version and its real path, if it runs and is a release of CPython."""
    try:
        done = subprocess.run(
            [python, "-c", _ASK], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    major, minor, level, kind, path = done.stdout.rstrip("\n").split(" ", 4)
    if (level, kind) != ("final", "cpython"):
        return None
    return (int(major), int(minor)), Path(path)


def choose(which: str, known: dict[Version, Path]) -> Path | None:
    """The newest, or the oldest that is old enough for the lowest versions."""
    fit = sorted(version for version in known if version >= LOWEST)
    if which == "lowest":
        fit = [version for version in reversed(fit) if version <= WITH_OLD_WHEELS]
    return known[fit[-1]] if fit else None


def main() -> None:
    known: dict[Version, Path] = {}
    for python in dict.fromkeys(candidates()):
        answer = ask(python)
        if answer is not None:
            known.setdefault(*answer)
    found = choose(sys.argv[1], known)
    if found is not None:
        sys.stdout.write(f"{found}\n")


if __name__ == "__main__":
    main()
