"""Check that what is committed can be released, and leave it in ``dist``: ``make release-check``.

The wheel and the source archive are built twice, in two places, to the same bytes; the wheel alone
is installed into an empty environment and places the words of the demo song. A bill of materials
(CycloneDX) lists all that comes with it, each under a licence that is known here.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from lyricsyncd import __version__, formats

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
BOM = "lyricsyncd-sbom.json"
SONG = ROOT / "demo" / "songs" / "The_Star"
_WORST_MEDIAN_S = 0.3
_HEADING = re.compile(r"^## (?P<version>\S+), (?P<date>\d{4}-\d\d-\d\d|not yet released)$", re.M)

LICENCES = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "GPL-2.0-or-later",
        "GPL-3.0-or-later",
        "ISC",
        "LGPL-2.1-or-later",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "MPL-2.0",
        "PSF-2.0",
        "Python-2.0",
        "Unlicense",
        "Zlib",
    }
)
"""Licences, by their SPDX names, under which others' work may be installed with ours."""
STATED = {
    "espeakng-loader": "GPL-3.0-or-later",
    "flatbuffers": "Apache-2.0",
    "pathspec": "MPL-2.0",
    "pocketsphinx": "BSD-2-Clause",
    "protobuf": "BSD-3-Clause",
}
"""Licences of packages whose metadata name none by its SPDX name: those of their own files."""


class NotReady(click.ClickException):
    """A reason for which this must not be released."""


def changes(version: str, *, released: bool) -> None:
    """Check that the newest heading of the changelog is that of this version.

    Raises
    ------
    NotReady
        It is not, or has no date though it is to be released.
    """
    newest = _HEADING.search((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    if newest is None or newest["version"] != version:
        found = newest["version"] if newest else "nothing"
        raise NotReady(f"CHANGELOG.md begins with {found}, and this is {version}")
    if released and newest["date"] == "not yet released":
        raise NotReady(f"CHANGELOG.md gives {version} no date")


def sources(folder: Path) -> Path:
    """Copy what is committed, and nothing else, into a folder."""
    folder.mkdir()
    archive = subprocess.run(
        ["git", "archive", "HEAD"], cwd=ROOT, check=True, stdout=subprocess.PIPE
    ).stdout
    subprocess.run(["tar", "--extract"], cwd=folder, input=archive, check=True)
    return folder


def built(folder: Path, *, compiled: bool) -> dict[str, str]:
    """Build the packages of a copy of the sources; return the hash of each."""
    when = _output("git", "log", "-1", "--format=%ct")
    setting = "1" if compiled else "0"
    environment = {**os.environ, "SOURCE_DATE_EPOCH": when, "LYRICSYNC_COMPILE": setting}
    kinds = ["--wheel"] if compiled else ["--wheel", "--sdist"]
    command = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        *kinds,
        "--outdir",
        folder / "dist",
        folder,
    ]
    _run(command, environment)
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted((folder / "dist").iterdir())
    }


def build_twice(work: Path) -> list[Path]:
    """Build everything in two places, and return the files of the first, in `DIST`.

    Raises
    ------
    NotReady
        They differ.
    """
    first, second = sources(work / "first"), sources(work / "a second place")
    for compiled in (False, True) if shutil.which("cc") else (False,):
        one, other = (built(folder, compiled=compiled) for folder in (first, second))
        if one != other:
            raise NotReady(f"two builds differ: {sorted(set(one.items()) ^ set(other.items()))}")
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    # A wheel that was compiled here suits computers like this one: it is tried, not published.
    portable = [file for file in (first / "dist").iterdir() if "linux" not in file.name]
    return [Path(shutil.copy(file, DIST)) for file in sorted(portable)]


def installed(wheel: Path, work: Path) -> Path:
    """Install a wheel, and nothing of this folder, into an empty environment."""
    folder = work / "environment"
    venv.create(folder, with_pip=True)
    _run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", wheel], _bare(work))
    return folder


def place_the_song(environment: Path, work: Path) -> float:
    """Place the words of the demo song; return the median error of their starts in seconds.

    Raises
    ------
    NotReady
        A word has no time.
    """
    out = work / "song.json"
    song, words = SONG.with_suffix(".mp3"), SONG.with_suffix(".txt")
    options = ["--lyrics", words, "--format", "json", "-o", out]
    _run([environment / "bin" / "lyricsyncd", "sync", song, *options], _bare(work))
    with SONG.with_suffix(".words.csv").open(encoding="utf-8") as file:
        truth = [float(row["word_start"]) for row in csv.DictReader(file)]
    placed = [word.start for word in formats.read(out.read_bytes(), "json").words]
    if len(placed) != len(truth) or None in placed:
        raise NotReady("words of the demo song have no times")
    errors = [abs((start or 0.0) - true) for start, true in zip(placed, truth, strict=True)]
    return statistics.median(errors)


def bill_of_materials(environment: Path) -> dict[str, Any]:
    """Write the list of all that is installed, with licences, and return it."""
    target = DIST / BOM
    command: list[Any] = [sys.executable, "-m", "cyclonedx_py", "environment"]
    command += ["--output-reproducible"]
    command += ["--pyproject", ROOT / "pyproject.toml", "--output-file", target]
    _run([*command, environment / "bin" / "python"], os.environ)
    found: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    return found


def foreign(bill: Mapping[str, Any]) -> Iterator[str]:
    """Yield the components whose licence is not known here, each with what it states."""
    for component in bill["components"]:
        name = component["name"].lower()
        stated = set(_stated(component))
        known = {STATED[name]} if name in STATED else stated & LICENCES
        if name not in ("lyricsyncd", "pip", "setuptools") and not known:
            yield f"{name} ({', '.join(sorted(stated)) or 'no licence'})"


def _stated(component: Mapping[str, Any]) -> Iterator[str]:
    """Yield the licences of a component; of a choice (``A OR B``) each, and of a sum, too."""
    for each in component.get("licenses", ()):
        licence = each.get("license", {})
        text = each.get("expression") or licence.get("id") or licence.get("name", "")
        yield from re.split(r" OR | AND ", text.replace("(", "").replace(")", ""))


def _bare(work: Path) -> dict[str, str]:
    """Return an environment without anything of the user's, or of this folder."""
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("LYRICSYNCD", "PYTHON", "VIRTUAL_ENV", "XDG_", "STATE_", "CACHE_"))
    }
    return {**kept, "HOME": str(work), "PYTHONNOUSERSITE": "1"}


def _run(command: list[Any], environment: Mapping[str, str]) -> None:
    """Run a command outside the checkout, and show what it printed if it fails."""
    done = subprocess.run(
        list(map(str, command)),
        env=dict(environment),
        cwd=tempfile.gettempdir(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise NotReady(f"`{' '.join(map(str, command))}` failed:\n{done.stdout}")


def _output(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


@click.command(help=__doc__)
@click.option("--tag", metavar="vVERSION", help="The tag that is to be released.")
def main(tag: str | None) -> None:
    """Run all checks, the quick ones first."""
    if tag is not None and tag != f"v{__version__}":
        raise NotReady(f"the tag is {tag}, and lyricsyncd/__init__.py says {__version__}")
    changes(__version__, released=tag is not None)
    click.echo(f"version {__version__}: the changelog agrees")
    if dirty := _output("git", "status", "--porcelain", "--untracked-files=no"):
        click.echo(f"what is not committed is left out:\n{dirty}")
    with tempfile.TemporaryDirectory(prefix="release-") as name:
        work = Path(name)
        files = build_twice(work)
        for file in files:
            click.echo(f"built twice to the same bytes: {file.name}, {file.stat().st_size} bytes")
        _run([sys.executable, "-m", "twine", "check", "--strict", *files], os.environ)
        click.echo("twine finds their metadata in order")
        environment = installed(next(file for file in files if file.suffix == ".whl"), work)
        median = place_the_song(environment, work)
        if median > _WORST_MEDIAN_S:
            raise NotReady(f"words of the demo song are {median:.2f} s from where they are sung")
        click.echo(f"the wheel alone places the demo song, with a median error of {median:.3f} s")
        bill = bill_of_materials(environment)
        if unknown := list(foreign(bill)):
            raise NotReady(f"licences that are not known here: {', '.join(unknown)}")
        click.echo(f"{BOM}: {len(bill['components'])} packages, all under known licences")


if __name__ == "__main__":
    main()
