"""Read compose files as ``docker compose config`` does: variables, ``extends``, and the schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from compose_spec import PyCompose

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<kind>:[-?])(?P<text>[^}]*))?\}")


class Missing(Exception):
    """A variable that must be set is not; the message is that of the file."""


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """Replace ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?message}``."""

    def value(match: re.Match[str]) -> str:
        found = variables.get(match["name"], "")
        if not found and match["kind"] == ":?":
            raise Missing(match["text"])
        return found or (match["text"] or "" if match["kind"] == ":-" else "")

    return _VARIABLE.sub(value, text)


def read(path: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the services of a file, with what they extend; the schema has been checked."""
    lines = path.read_text(encoding="utf-8").splitlines()
    text = interpolated("\n".join(line for line in lines if not line.startswith("#")), variables)
    data = yaml.safe_load(text)
    services = {
        name: _extended(service, path.parent, variables)
        for name, service in data["services"].items()
    }
    # The schema knows no anchors, which YAML has resolved.
    PyCompose.from_yaml(yaml.safe_dump({"services": services})).validate()
    return services


def _extended(
    service: dict[str, Any], folder: Path, variables: Mapping[str, str]
) -> dict[str, Any]:
    own = dict(service)
    base = own.pop("extends", None)
    if base is None:
        return own
    merged: dict[str, Any] = _merged(read(folder / base["file"], variables)[base["service"]], own)
    return merged


def _merged(base: Any, own: Any) -> Any:
    """Merge as compose does: mappings by key, lists one behind the other, all else replaced."""
    if isinstance(base, dict) and isinstance(own, dict):
        both = {name: _merged(base[name], own[name]) for name in base.keys() & own.keys()}
        return {**base, **own, **both}
    if isinstance(base, list) and isinstance(own, list):
        return base + own
    return own
