"""Read the settings from a file and the environment."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lyricsyncd.config import paths, yaml_lines
from lyricsyncd.config.explain import ALL_KEYS, explained, nearest
from lyricsyncd.config.keys import PREFIX, Key, is_secret, keys, names, variables
from lyricsyncd.config.schema import Config
from lyricsyncd.errors import ConfigError

log = logging.getLogger(__name__)

OTHER_VARIABLES = {
    "ACOUSTID_API_KEY": ("identify", "acoustid_key"),
    "GENIUS_TOKEN": ("lyrics", "genius", "token"),
}
"""Variables of other tools that mean one of our keys."""

_NOT_SETTINGS = re.compile(r"LYRICSYNCD_(CONFIG|SERVICE_(HOST|PORT.*)|PORT(_.*)?)")
"""Our own, and those that Kubernetes makes for a service of the name lyricsyncd."""
_LARGEST = 1 << 20


def load(path: Path | None = None, environment: Mapping[str, str] = os.environ) -> Config:
    """Read the settings: those of the file, with those of the environment over them.

    Parameters
    ----------
    path
        The file; by default the one that `paths.config_path` returns. Without a file the defaults
        apply.

    Raises
    ------
    ConfigError
        With the file and line, or the environment variable, that is wrong.
    """
    path = paths.config_path(path, environment)
    return read(None if path is None else _content(path), path, environment)


def read(
    content: bytes | None, path: Path | None, environment: Mapping[str, str] = os.environ
) -> Config:
    """Read the settings from what is in a file, or is to be written into it; see `load`.

    Raises
    ------
    ConfigError
    """
    data: dict[str, Any] = {}
    origins: dict[Key, str] = {}
    if content is not None and path is not None:
        data, lines = _parsed(content, path)
        origins = {key: f"{path}, line {line}" for key, line in lines.items()}
    _overlay(data, origins, environment)
    _drop_empty_sections(data)
    folder = Path.cwd() if path is None else Path(os.path.abspath(path)).parent  # noqa: PTH100 - a link to the file stays one
    try:
        config = Config.model_validate(data, context={"folder": folder})
    except ValidationError as error:
        raise explained(error, origins, path) from None
    return config


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise ConfigError(
            f"there is no configuration {path}",
            remedy=f"Write one with `lyricsyncd init --config {path}`",
        ) from None
    except (OSError, ValueError) as error:
        why = "it is a folder" if isinstance(error, IsADirectoryError) else _why(error)
        raise ConfigError(
            f"the configuration {path} cannot be read: {why}",
            remedy="Check the path and its permissions",
        ) from None
    return content


def _parsed(content: bytes, path: Path) -> tuple[dict[str, Any], dict[Key, int]]:
    if len(content) > _LARGEST:
        raise ConfigError(f"{path} is too large for a configuration", remedy="Check the path")
    try:
        parsed = yaml_lines.parse(content)
    except yaml_lines.YamlError as error:
        raise ConfigError(
            f"{path}, line {error.line}: {error}", remedy="Correct the line; it must be YAML"
        ) from None
    if parsed.data is None:
        return {}, {}
    if not isinstance(parsed.data, dict):
        raise ConfigError(
            f"{path}, line 1: expected keys with values, such as `language: en`", remedy=ALL_KEYS
        )
    return parsed.data, parsed.lines


def _why(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _drop_empty_sections(data: dict[str, Any]) -> None:
    """Remove empty sections: one whose keys are all commented out has its defaults."""
    for key in sorted(keys(), key=len, reverse=True):
        if not key or "*" in key:
            continue
        parent = _at(data, key[:-1])
        if isinstance(parent, dict) and parent.get(key[-1], ...) is None:
            del parent[key[-1]]
    if data.get("libraries", ...) is None:
        del data["libraries"]


def _at(data: Any, key: Iterable[str | int]) -> Any:
    for part in key:
        if not isinstance(data, dict):
            return None
        data = data.get(part)
    return data


def _overlay(data: dict[str, Any], origins: dict[Key, str], environment: Mapping[str, str]) -> None:
    """Put the environment's settings over ``data``, and note the variables as their origins."""
    known = variables()
    given: dict[str, Key] = {name: known[name] for name in environment if name in known}
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known and not _NOT_SETTINGS.fullmatch(name):
            raise ConfigError(
                f"the environment variable {name} is not a setting", remedy=nearest(name, known)
            )
    for other, meant in OTHER_VARIABLES.items():
        if environment.get(other) and meant not in given.values():
            given[other] = meant
    # A whole section first, then the keys in it.
    for name, key in sorted(given.items(), key=lambda item: len(item[1])):
        _put(data, origins, key, _value(name, environment[name]), name)


def _value(name: str, text: str) -> Any:
    """Read a variable: lists and mappings as YAML; everything else stays text."""
    if text in ("", "null"):
        return None
    if text[0] not in "[{":
        return text
    try:
        value = yaml_lines.parse(text.encode("utf-8", "surrogateescape")).data
    except yaml_lines.YamlError as error:
        if is_secret(OTHER_VARIABLES.get(name) or variables()[name]):
            return text
        raise ConfigError(f"{name}: {error}", remedy="It must be YAML") from None
    return value


def _put(data: dict[str, Any], origins: dict[Key, str], key: Key, value: Any, name: str) -> None:
    for old in [old for old in origins if old[: len(key)] == key]:
        del origins[old]
    origins[key] = name
    for part in key[:-1]:
        below = data.get(str(part))
        if not isinstance(below, dict):
            below = {}
        data[str(part)] = below
        data = below
    data[str(key[-1])] = value


def exposed_secrets(path: Path | None, environment: Mapping[str, str]) -> list[Path]:
    """List the files with secrets that every user of the computer may read: the configuration, if
    it holds secrets, and files that it names for them. It must be one that could be read."""
    path = paths.config_path(path, environment)
    if path is None:
        return []
    data, _ = _parsed(_content(path), path)
    holders: dict[Path, None] = {}
    for key, section in keys().items():
        for name in names(section) if "*" not in key else ():
            if not is_secret((*key, name)):
                continue
            value = _at(data, (*key, name))
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, dict) and isinstance(each.get("file"), str):
                    holders[path.parent / Path(each["file"]).expanduser()] = None
                elif isinstance(each, str) and each:
                    holders[path] = None
    return [holder for holder in holders if _is_open(holder)]


def _is_open(file: Path) -> bool:
    try:
        return bool(file.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False
