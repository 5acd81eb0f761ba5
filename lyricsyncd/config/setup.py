"""Set up a configuration: check the music folders and the player that a person chose, and write
them, into a new file or into one that names no folder yet."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from lyricsyncd.config import files, paths, template, yaml_lines
from lyricsyncd.errors import ConfigError, UsageError, WriteError

_LIKELY = ("~/Music", "/music", "/srv/music", "/mnt/music", "/media/music", "/volume1/music")
_BY_HAND = "Name your folders under `libraries` by hand"


def likely_folders() -> list[Path]:
    """List the usual places of music that exist."""
    folders = (Path(place).expanduser() for place in _LIKELY)
    return [folder for folder in folders if folder.is_dir()]


def checked_folder(library: Path) -> Path:
    """Return a music folder by its full path.

    Raises
    ------
    UsageError
        It is not a folder that can be read, or can be no library.
    """
    try:
        folder = Path(os.path.abspath(library.expanduser()))  # noqa: PTH100 - a link stays a link
        there = folder.is_dir()
    except (RuntimeError, ValueError, OSError) as error:
        raise UsageError(
            f"the music folder {library} is no path: {error}", remedy="Check the path"
        ) from None
    if not there:
        what = "is not a folder" if os.path.lexists(folder) else "is not there"
        raise UsageError(f"the music folder {folder} {what}", remedy="Check the path")
    if paths.is_system_folder(folder):
        raise UsageError(
            f"{folder} holds the system's files, not music", remedy="Name the folder of your music"
        )
    if not os.access(folder, os.R_OK | os.X_OK):
        raise UsageError(
            f"the music folder {folder} cannot be read", remedy="Check its permissions"
        )
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"the name of the music folder {str(folder)!r} is not UTF-8, as YAML wants it",
            remedy="Rename it, or give a link to it",
        ) from None
    return folder


def checked_preset(player: str | None) -> str:
    """Return the preset of a player.

    Raises
    ------
    UsageError
        There is none.
    """
    from lyricsyncd.registry import presets

    name = (player or "generic").lower()
    name = {"plexamp": "plex"}.get(name, name)
    presets.check(name)
    return name


def chosen(path: Path, libraries: Sequence[Path], preset: str) -> str:
    """Return a configuration with the choices: a new one, or the one that is there with nothing
    else changed.

    Raises
    ------
    ConfigError
        The file cannot be read, names folders already, or is written in a way that only a person
        should change.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return template.chosen(libraries, preset)
    except OSError as error:
        raise ConfigError(
            f"the configuration {path} cannot be read: {error.strerror}",
            remedy="Check its permissions",
        ) from None
    try:
        data = yaml_lines.parse(content).data
    except yaml_lines.YamlError as error:
        wrong = f"{path}, line {error.line}: {error}"
        raise ConfigError(wrong, remedy="Correct the line") from None
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path} holds no settings", remedy=_BY_HAND)
    if data.get("libraries"):
        raise ConfigError(f"{path} names music folders already", remedy="Edit it")
    text = _with(content.decode("utf-8-sig"), libraries, preset)
    if text is None or not _holds(text, _expected(data, libraries, preset)):
        raise ConfigError(f"{path} is written in an unusual way", remedy=_BY_HAND)
    return text


def _holds(text: str, expected: dict[str, Any]) -> bool:
    try:
        return bool(yaml_lines.parse(text.encode()).data == expected)
    except yaml_lines.YamlError:
        return False


def _expected(data: dict[str, Any], libraries: Sequence[Path], preset: str) -> dict[str, Any]:
    output = data.get("output")
    if not isinstance(output, list):
        # A list of files is a choice of its own, in place of a preset.
        output = {**(output or {}), "preset": preset}
    folders = [{"path": str(library)} for library in libraries]
    return {**data, "libraries": folders, "output": output}


def _with(text: str, libraries: Sequence[Path], preset: str) -> str | None:
    """Put the choices into the text of a configuration, which keeps its comments; ``None`` where
    that cannot be done."""
    root = yaml_lines.compose(text)
    folders = "".join(f"\n  - path: {template.as_yaml(str(each))}" for each in libraries)
    player = f"preset: {template.as_yaml(preset)}"
    edits: list[tuple[int, int, str]] = []
    added = ""
    values: dict[str, tuple[yaml.Node, yaml.Node]] = {}
    if root is not None:
        if not isinstance(root, yaml.MappingNode) or root.flow_style:
            return None
        values = {key.value: (key, value) for key, value in root.value}
    if "libraries" in values:
        key, value = values["libraries"]
        edits.append((key.end_mark.index, value.end_mark.index, f":{folders}"))
    else:
        added += f"\nlibraries:{folders}\n"
    if "output" in values:
        edits += _preset_edits(*values["output"], player)
    else:
        added += f"\noutput:\n  {player}\n"
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text.rstrip("\n") + "\n" + added


def _preset_edits(key: yaml.Node, value: yaml.Node, player: str) -> list[tuple[int, int, str]]:
    if isinstance(value, yaml.ScalarNode):
        return [(key.end_mark.index, value.end_mark.index, f":\n  {player}")]
    if not isinstance(value, yaml.MappingNode):
        return []
    for name, old in value.value:
        if name.value == "preset":
            return [(name.start_mark.index, old.end_mark.index, player)]
    at = value.start_mark.index
    if value.flow_style:
        return [(at + 1, at + 1, f"{player}, " if value.value else player)]
    return [(at, at, f"{player}\n{' ' * value.start_mark.column}")]


def write(path: Path, text: str) -> None:
    """Write the file whole, or not at all; one that is there is kept as ``.bak``.

    Raises
    ------
    WriteError
        It cannot be written; what was there is intact.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(path):
            shutil.copy2(path, path.with_name(path.name + ".bak"))
    except OSError as error:
        raise WriteError(
            f"the configuration {path} cannot be written: {error.strerror}",
            remedy="Name another place with --config",
        ) from error
    files.write(path, text.encode())


def writable(path: Path) -> bool:
    """Return whether `write` would probably succeed."""
    folder = path.parent
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
