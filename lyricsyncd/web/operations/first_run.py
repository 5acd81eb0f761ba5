"""Operations of the first run: choose music folders and a player, see what would be done, begin.

They are open only while no music folder is configured: who may use the interface then may choose
once, as `lyricsyncd init` does, and write nothing but the configuration. Folders are named by
their paths: no folder is listed, and of a folder that is named only the count of its songs and one
of them are shown.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lyricsyncd import registry
from lyricsyncd.config import reader, setup
from lyricsyncd.config.schema import Output
from lyricsyncd.config.template import as_yaml
from lyricsyncd.errors import ConfigError, UsageError, WriteError
from lyricsyncd.findings import Finding, Verdict, failed
from lyricsyncd.library import checks as library_checks
from lyricsyncd.library.plan import Planned, Work, pace, plan, seconds_of
from lyricsyncd.library.roots import libraries_of
from lyricsyncd.model import Line, Lyrics, Word
from lyricsyncd.models import checks as model_checks
from lyricsyncd.tags import targets
from lyricsyncd.web.operation import PREFIX, Call, Operation
from lyricsyncd.web.reply import Problem
from lyricsyncd.web.shapes import first_run as shapes
from lyricsyncd.work.policy import workers, writes_sidecars

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config
    from lyricsyncd.web.context import SettingsFile

_PATH = f"{PREFIX}/setup"
_LOOK_S = 10.0
"""Seconds for which all folders together are looked through."""
_SAMPLE = Lyrics((Line((Word("la", 0.0, 1.0),), 0.0, 1.0),))
"""Words with times, for which a preset writes all that it ever does."""


def options(call: Call) -> dict[str, Any]:
    """Return what there is to choose from; only whether it is needed, once that is not so."""
    config, file = call.context.config(), call.context.settings
    if file is None or config.libraries:
        return {"needed": False, "config": None, "player": None, "players": [], "suggested": []}
    output = config.output
    return {
        "needed": True,
        "config": str(file.path),
        "player": output.preset if isinstance(output, Output) else None,
        "players": [_player(name) for name in registry.presets.names()],
        "suggested": [str(folder) for folder in setup.likely_folders()],
    }


def _player(name: str) -> dict[str, Any]:
    preset = registry.presets.open(name)
    planned = preset.plan(Path("NAME.mp3"), _SAMPLE)
    return {
        "name": name,
        "summary": registry.presets.entries()[name].summary,
        "files": [each.path.name for each in planned.sidecars],
        "tags": planned.tag is not None,
    }


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices of a person, checked.

    Attributes
    ----------
    text : str
        The configuration with them.
    config : Config
        As the service would read it.
    """

    libraries: Sequence[Path]
    preset: str
    file: SettingsFile
    text: str
    config: Config


def _choices(call: Call) -> Choices:
    file, body = call.context.settings, call.body
    if file is None:
        raise Problem(
            409, "The page cannot write the configuration", remedy="Run `lyricsyncd init`"
        )
    if call.context.config().libraries:
        raise Problem(409, "The music folders are chosen already", remedy=f"Edit {file.path}")
    try:
        named = [Path(text) for text in dict.fromkeys(body.libraries)]
        for path in named:
            if not path.expanduser().is_absolute():
                raise UsageError(f"{path} is no full path", remedy="Begin it with /")
        folders = [setup.checked_folder(path) for path in named]
        preset = setup.checked_preset(body.player)
        text = setup.chosen(file.path, folders, preset)
        return Choices(folders, preset, file, text, reader.read(text.encode(), file.path))
    except (UsageError, ConfigError, RuntimeError) as error:
        remedy = getattr(error, "remedy", "")
        raise Problem(422, getattr(error, "message", str(error)), remedy=remedy) from None


def preview(call: Call) -> dict[str, Any]:
    """Look through the folders, and write nothing."""
    chosen = _choices(call)
    catalog, until = call.context.catalog, time.monotonic() + _LOOK_S
    folders: list[dict[str, Any]] = []
    songs: list[Planned] = []
    for rules in libraries_of(chosen.config.libraries):
        found = [*plan(catalog, rules, stop=lambda: time.monotonic() > until)]
        fresh = [song for song in found if song.work is not Work.SKIPPED]
        folders.append(
            {
                "path": str(rules.root),
                "songs": len(fresh),
                "skipped": len(found) - len(fresh),
                "complete": time.monotonic() <= until,
            }
        )
        songs += fresh
    speed = pace(catalog)
    seconds = seconds_of(songs, speed, workers(chosen.config) if speed.measured else 1)
    return {
        "config": str(chosen.file.path),
        "settings": _shown(chosen),
        "command": _command(chosen),
        "folders": folders,
        "songs": len(songs),
        "complete": all(folder["complete"] for folder in folders),
        "example": _example(songs[0].path, chosen.config) if songs else None,
        "seconds": round(seconds, 1) if songs else 0.0,
        "measured_with": speed.measured,
        "sources": _sources(chosen.config),
        "findings": [_as_shape(each) for each in _findings(chosen)],
    }


def _sources(config: Config) -> list[str]:
    """List the sources that would be asked: Genius wants a token."""
    asks_genius = config.lyrics.genius.secret is not None
    return [name for name in config.lyrics.order if name != "genius" or asks_genius]


def _as_shape(finding: Finding) -> dict[str, Any]:
    return {**dataclasses.asdict(finding), "verdict": finding.verdict.value}


def _shown(chosen: Choices) -> str:
    folders = "".join(f"\n  - path: {as_yaml(str(each))}" for each in chosen.libraries)
    player = isinstance(chosen.config.output, Output)
    return f"libraries:{folders}\n" + (f"output:\n  preset: {chosen.preset}\n" if player else "")


def _command(chosen: Choices) -> str:
    parts = ["lyricsyncd", "init"]
    for library in chosen.libraries:
        parts += ["--library", str(library)]
    return shlex.join([*parts, "--player", chosen.preset, "--config", str(chosen.file.path)])


def _example(song: Path, config: Config) -> dict[str, Any]:
    planned = targets.plan(song, _SAMPLE, config.output)
    files = [each.path for each in planned.sidecars]
    return {
        "song": str(song),
        "files": [str(path) for path in files],
        "kept": [str(path) for path in files if os.path.lexists(path)],
        "tags": planned.tag is not None,
    }


def _findings(chosen: Choices) -> Iterator[Finding]:
    """Run the checks of the doctor that tell what would not work."""
    if not setup.writable(chosen.file.path):
        remedy = f"As a user who may write it, run: {_command(chosen)}"
        yield failed("settings", f"{chosen.file.path} cannot be written", remedy)
    found = [
        *library_checks.libraries(chosen.config, sidecars=writes_sidecars(chosen.config)),
        *model_checks.models(chosen.config),
    ]
    yield from (each for each in found if each.verdict is not Verdict.OK)


def begin(call: Call) -> dict[str, Any]:
    """Write the configuration, and have the service read it."""
    chosen = _choices(call)
    try:
        setup.write(chosen.file.path, chosen.text)
    except WriteError as error:
        raise Problem(
            422, error.message, remedy=f"As a user who may write it, run: {_command(chosen)}"
        ) from None
    chosen.file.reload()
    folders = [str(folder) for folder in chosen.libraries]
    return {"config": str(chosen.file.path), "libraries": folders}


OPERATIONS = (
    Operation(
        "GET",
        _PATH,
        "What a first run has to choose from",
        options,
        shapes.FirstRunAnswer,
        opens_songs=True,
    ),
    Operation(
        "POST",
        f"{_PATH}/preview",
        "What a first run would do with these choices: nothing is written",
        preview,
        shapes.FirstRunPlan,
        body=shapes.FirstRunBody,
        opens_songs=True,
        errors=(400, 409, 413, 415, 422),
    ),
    Operation(
        "POST",
        _PATH,
        "Write the configuration with these choices, and begin; only while it names no folder",
        begin,
        shapes.FirstRunDone,
        body=shapes.FirstRunBody,
        opens_songs=True,
        errors=(400, 409, 413, 415, 422),
    ),
)
