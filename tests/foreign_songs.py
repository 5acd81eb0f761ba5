"""Songs that others made: the test files of mutagen and of TagLib, fetched and never kept here.

mutagen's come from PyPI by pip, TagLib's from Debian by apt-get. They lie in ``.cache`` from then
on.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

CACHE = Path(__file__).parent.parent / ".cache" / "foreign-songs"
_MUTAGEN = "mutagen==1.47.0"
_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_DEBIAN = f"deb-src [signed-by={_KEYS}] http://deb.debian.org/debian bookworm main\n"
_TIMEOUT_S = 300
_NO_SONGS = (".py", ".txt", ".xml", ".cpp", ".h")


class Unavailable(Exception):
    """The files cannot be had here; the message says why."""


def fetch(name: str) -> list[Path]:
    """Give the test files of ``mutagen`` or ``taglib``.

    Raises
    ------
    Unavailable
        There is no network, or no such program.
    """
    folder = CACHE / name
    if not folder.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as work:
            _unpacked(_FETCHERS[name](Path(work)), Path(work) / "data")
            # Another process may have been quicker.
            if not folder.is_dir():
                (Path(work) / "data").rename(folder)
    return sorted(path for path in folder.iterdir() if path.suffix not in _NO_SONGS)


def _from_pypi(work: Path) -> Path:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-q"]
    _run([*command, "--no-binary", ":all:", "--no-deps", "-d", work, _MUTAGEN])
    return _only(work, "mutagen-*.tar.gz")


def _from_debian(work: Path) -> Path:
    if shutil.which("apt-get") is None or not _KEYS.is_file():
        raise Unavailable("TagLib's files are fetched by Debian's apt-get, which is not here")
    sources = work / "sources.list"
    sources.write_text(_DEBIAN, encoding="utf-8")
    for folder in ("lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    options = {
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": work / "lists",
        "Dir::Cache": work / "cache",
        "APT::Sandbox::User": "",
    }
    common = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
    _run(["apt-get", "-qq", *common, "update"])
    _run(["apt-get", "-qq", *common, "--download-only", "source", "taglib"], work)
    return _only(work, "taglib_*.orig.tar.*")


_FETCHERS: dict[str, Callable[[Path], Path]] = {"mutagen": _from_pypi, "taglib": _from_debian}


def _run(command: list[str | Path], folder: Path | None = None) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{command[0]} took too long") from error
    if done.returncode:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise Unavailable(f"{Path(command[0]).name} failed: {last}")


def _only(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise Unavailable(f"there is no {pattern} in what was fetched")
    return found[0]


def _unpacked(archive: Path, folder: Path) -> None:
    """Take the files in ``tests/data`` out of an archive."""
    folder.mkdir()
    with tarfile.open(archive) as packed:
        for member in packed:
            path = Path(member.name)
            if member.isfile() and path.parts[-3:-1] == ("tests", "data"):
                content = packed.extractfile(member)
                assert content is not None, "it is a plain file"
                (folder / path.name).write_bytes(content.read())
