"""List the keys of the settings: in the file, and as environment variables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args, get_origin

from pydantic import BaseModel

from lyricsyncd.config.schema import Config, Section

PREFIX = "LYRICSYNCD_"

Key = tuple["str | int", ...]
"""Path to a setting: names, and positions in lists."""


def keys() -> dict[tuple[str, ...], type[Section]]:
    """List the sections by their paths; ``*`` stands for the items of a list."""
    return dict(_sections(Config, ()))


def variables() -> dict[str, Key]:
    """List the environment variables that are settings, and their keys."""
    found: dict[str, Key] = {}
    for path, section in keys().items():
        if "*" not in path:
            for name in names(section):
                found[PREFIX + "__".join((*path, name)).upper()] = (*path, name)
    return found


def _sections(
    section: type[Section], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], type[Section]]]:
    yield path, section
    for name, field in section.model_fields.items():
        for below, model in _nested(field.annotation):
            yield from _sections(model, (*path, field.alias or name, *below))


def _nested(annotation: object) -> Iterator[tuple[tuple[str, ...], type[Section]]]:
    """List the sections within a type; below ``*`` where they are the items of a list."""
    generic = get_origin(annotation) is not None  # `list[str]` is a type too, on Python 3.10
    if isinstance(annotation, type) and not generic and issubclass(annotation, BaseModel):
        if issubclass(annotation, Section):
            yield (), annotation
        return
    items = getattr(annotation, "__origin__", None) is tuple
    for part in get_args(annotation):
        for below, model in _nested(part):
            yield (("*", *below) if items else below), model


def names(section: type[Section]) -> list[str]:
    """List the keys of a section."""
    return [field.alias or name for name, field in section.model_fields.items()]


def is_secret(key: Key) -> bool:
    """Return whether a setting is a key or a password, whose value is never shown."""
    section = keys().get(tuple(map(str, key[:-1])))
    if section is None:
        return False
    return any(
        (field.alias or name) == key[-1] and "Secret" in str(field.annotation)
        for name, field in section.model_fields.items()
    )
