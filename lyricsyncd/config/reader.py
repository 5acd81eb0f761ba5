"""From a file and the environment to a `Config`: where it lies, and what is wrong with it, by line.

An error names the key, the place it was read from and what was expected there. It never shows the
value of a secret.
"""

from __future__ import annotations

import difflib
import logging
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from lyricsyncd.config import paths, yaml_lines
from lyricsyncd.config.schema import Config, Secret, Section, UnknownName
from lyricsyncd.errors import ConfigError

log = logging.getLogger(__name__)

PREFIX = "LYRICSYNCD_"
OTHER_VARIABLES = {
    "ACOUSTID_API_KEY": ("identify", "acoustid_key"),
    "GENIUS_TOKEN": ("lyrics", "genius", "token"),
}
"""Variables of other tools that mean one of our keys."""

_NOT_SETTINGS = re.compile(r"LYRICSYNCD_(CONFIG|SERVICE_(HOST|PORT.*)|PORT(_.*)?)")
"""Our own, and those that Kubernetes makes for a service of the name lyricsyncd."""
_LARGEST = 1 << 20
_ALL_KEYS = "`lyricsyncd init --dry-run` shows all keys"

Key = tuple["str | int", ...]
"""A way down into the settings: names and list positions."""


def read(path: Path | None, environment: Mapping[str, str]) -> Config:
    """The settings; see `config.load`."""
    path = paths.config_path(path, environment)
    data: dict[str, Any] = {}
    origins: dict[Key, str] = {}
    if path is not None:
        data, lines = _file(path)
        origins = {key: f"{path}, line {line}" for key, line in lines.items()}
    _overlay(data, origins, environment)
    _drop_empty_sections(data)
    folder = Path.cwd() if path is None else Path(os.path.abspath(path)).parent  # noqa: PTH100 - a link to the file stays one
    try:
        config = Config.model_validate(data, context={"folder": folder})
    except ValidationError as error:
        raise _explained(error, origins, path) from None
    return config


def keys() -> dict[tuple[str, ...], type[Section]]:
    """Every section by the way to it; ``*`` stands for the items of a list."""
    return dict(_sections(Config, ()))


def variables() -> dict[str, Key]:
    """Every environment variable that is a setting, and its key."""
    found: dict[str, Key] = {}
    for way, section in keys().items():
        if "*" not in way:
            for name in _names(section):
                found[PREFIX + "__".join((*way, name)).upper()] = (*way, name)
    return found


# --- what is there ---------------------------------------------------------------------------


def _sections(
    section: type[Section], way: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], type[Section]]]:
    yield way, section
    for name, field in section.model_fields.items():
        for below, model in _nested(field.annotation):
            yield from _sections(model, (*way, field.alias or name, *below))


def _nested(annotation: object) -> Iterator[tuple[tuple[str, ...], type[Section]]]:
    """The sections within a type, and whether they are the items of a list."""
    generic = get_origin(annotation) is not None  # `list[str]` is a type too, on Python 3.10
    if isinstance(annotation, type) and not generic and issubclass(annotation, BaseModel):
        if issubclass(annotation, Section):
            yield (), annotation
        return
    items = getattr(annotation, "__origin__", None) is tuple
    for part in get_args(annotation):
        for below, model in _nested(part):
            yield (("*", *below) if items else below), model


def _names(section: type[Section]) -> list[str]:
    return [field.alias or name for name, field in section.model_fields.items()]


# --- the file --------------------------------------------------------------------------------


def _file(path: Path) -> tuple[dict[str, Any], dict[Key, int]]:
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
            f"{path}, line 1: expected keys with values, such as `language: en`", remedy=_ALL_KEYS
        )
    return parsed.data, parsed.lines


def _why(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _drop_empty_sections(data: dict[str, Any]) -> None:
    """A section whose keys are all commented out stands for its defaults."""
    for way in sorted(keys(), key=len, reverse=True):
        if not way or "*" in way:
            continue
        parent = _at(data, way[:-1])
        if isinstance(parent, dict) and parent.get(way[-1], ...) is None:
            del parent[way[-1]]
    if data.get("libraries", ...) is None:
        del data["libraries"]


def _at(data: Any, key: Iterable[str | int]) -> Any:
    for part in key:
        if not isinstance(data, dict):
            return None
        data = data.get(part)
    return data


# --- the environment -------------------------------------------------------------------------


def _overlay(data: dict[str, Any], origins: dict[Key, str], environment: Mapping[str, str]) -> None:
    """Put the environment's settings over ``data``, and note whose they are."""
    known = variables()
    given: dict[str, Key] = {name: known[name] for name in environment if name in known}
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known and not _NOT_SETTINGS.fullmatch(name):
            raise ConfigError(
                f"the environment variable {name} is not a setting", remedy=_nearest(name, known)
            )
    for other, meant in OTHER_VARIABLES.items():
        if environment.get(other) and meant not in given.values():
            given[other] = meant
    # A whole section first, then the keys in it.
    for name, key in sorted(given.items(), key=lambda item: len(item[1])):
        _put(data, origins, key, _value(name, environment[name]), name)


def _value(name: str, text: str) -> Any:
    """Lists and mappings are written as in YAML; everything else stays text."""
    if text in ("", "null"):
        return None
    if text[0] not in "[{":
        return text
    try:
        value = yaml_lines.parse(text.encode("utf-8", "surrogateescape")).data
    except yaml_lines.YamlError as error:
        if _is_secret(OTHER_VARIABLES.get(name) or variables()[name]):
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


def _is_secret(key: Key) -> bool:
    section = keys().get(tuple(map(str, key[:-1])))
    if section is None:
        return False
    return any(
        (field.alias or name) == key[-1] and "Secret" in str(field.annotation)
        for name, field in section.model_fields.items()
    )


def exposed_secrets(path: Path | None, environment: Mapping[str, str]) -> list[Path]:
    """Files with secrets in them that every user of the computer may read: the configuration, if
    secrets stand in it, and files that it names for them. It must be one that could be read."""
    path = paths.config_path(path, environment)
    if path is None:
        return []
    data, _ = _file(path)
    holders: dict[Path, None] = {}
    for way, section in keys().items():
        for name in _names(section) if "*" not in way else ():
            if not _is_secret((*way, name)):
                continue
            value = _at(data, (*way, name))
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


# --- what is wrong ---------------------------------------------------------------------------


def _explained(
    error: ValidationError, origins: Mapping[Key, str], path: Path | None
) -> ConfigError:
    """The first thing that is wrong, in the order of the file."""
    problems = [_problem(detail, origins, path) for detail in error.errors(include_url=False)]
    problems.sort(key=lambda problem: problem[0])
    _, message, remedy = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return ConfigError(message + more, remedy=remedy)


def _problem(detail: Any, origins: Mapping[Key, str], path: Path | None) -> tuple[int, str, str]:
    """Line, message and remedy."""
    # Angle brackets are the names of a choice's branches, not keys.
    # "[key]" marks an error in the key itself.
    key: Key = tuple(p for p in detail["loc"] if not str(p).startswith(("<", "[key]")))
    origin = next(
        (origins[key[:n]] for n in range(len(key), 0, -1) if key[:n] in origins),
        str(path) if path is not None else "the configuration",
    )
    line = re.search(r", line (\d+)$", origin)
    order = int(line.group(1)) if line else 0
    name = _dotted(key)
    if detail["type"] == "extra_forbidden":
        section = keys()[tuple("*" if isinstance(part, int) else str(part) for part in key[:-1])]
        within = f" in {_dotted(key[:-1])}" if key[:-1] else ""
        message = f"{origin}: there is no key '{key[-1]}'{within}"
        return order, message, _nearest(str(key[-1]), _names(section))
    if detail["type"] == "missing":
        return order, f"{origin}: {_dotted(key[:-1])} needs the key '{key[-1]}'", _ALL_KEYS
    expected, remedy = _expected(detail)
    section_as_such = detail["type"] == "value_error" and isinstance(detail["input"], dict)
    instead = "" if section_as_such else _instead(detail["input"], key)
    return order, f"{origin}: {name}: {expected}{instead}", remedy


def _expected(detail: Any) -> tuple[str, str]:
    """What a value should have been, and what to do."""
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind == "value_error" and isinstance(context["error"], UnknownName):
        return str(context["error"]), _nearest(str(value), context["error"].known, "Correct it")
    if kind == "value_error":
        return str(context["error"]), "Correct it"
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        return f"expected {context['expected']}", _nearest(str(value), choices, "Correct it")
    if kind == "union_tag_not_found":
        return "expected {preset: NAME} or a list of {format, to, name}", _ALL_KEYS
    plain = {
        "string_type": ("expected text", "Put it in quotes"),
        "string_too_short": ("expected text", _ALL_KEYS),
        "float_type": ("expected a number", "Correct it"),
        "float_parsing": ("expected a number", "Correct it"),
        "path_type": ("expected a path", "Correct it"),
        "tuple_type": ("expected a list, such as [a, b]", _ALL_KEYS),
        "model_type": ("expected keys with values", _ALL_KEYS),
        "greater_than": (f"expected more than {_limit(context.get('gt'))}", "Correct it"),
        "greater_than_equal": (f"expected at least {_limit(context.get('ge'))}", "Correct it"),
        "less_than_equal": (f"expected at most {_limit(context.get('le'))}", "Correct it"),
    }
    return plain.get(kind, (detail["msg"].lower(), "Correct it"))


def _limit(value: object) -> object:
    """Give a limit as a person writes it; some versions of pydantic make 1.0 of 1."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _instead(value: object, key: Key) -> str:
    if _is_secret(key) or isinstance(value, (Section, Secret)):
        return ""
    if value is None:
        return ", not nothing"
    if isinstance(value, bool):
        return f", not {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f", not {value}"
    if isinstance(value, str):
        short = value if len(value) <= 60 else value[:57] + "..."
        return f", not {short!r}"
    return ", not a list" if isinstance(value, (list, tuple)) else ", not keys with values"


def _dotted(key: Key) -> str:
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the configuration"


def _nearest(name: str, known: Iterable[str], otherwise: str = _ALL_KEYS) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean '{near[0]}'?" if near else otherwise
