"""Write the settings as a file for people: every key with its description and its default.

``config.example.yaml`` is `example()`, kept in step by a test:
``python -m lyricsyncd.config.template > config.example.yaml``.
"""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from lyricsyncd.config.schema import Config, Section
from lyricsyncd.config.values import seconds

_WIDTH = 96
_HEAD = """\
Settings of lyricsyncd.

Any of them may also come from the environment, which goes over this file: LYRICSYNCD_ and the
way to the key, with two underscores for each step, as in LYRICSYNCD_QUALITY__WORDS=0.8.
Secrets may lie in a file of their own: write {file: PATH} in their place.
"""
_HEAD_OF_DEFAULTS = """
A key behind a # has the default that it shows; take the # away to change it.
"""


def example() -> str:
    """Return the file with every key and its default."""
    return "\n".join([*_comment(_HEAD), "", *_section(Config(), {}, defaults="")]) + "\n"


def chosen(libraries: Sequence[Path], preset: str) -> str:
    """Return a file to begin with: the music folders and the preset set, all else as comments."""
    values: dict[str, Any] = {
        "libraries": [{"path": str(library)} for library in libraries],
        "output": {"preset": preset},
    }
    head = _comment(_HEAD + _HEAD_OF_DEFAULTS)
    return "\n".join([*head, "", *_section(Config(), values, defaults="#")]) + "\n"


def _section(section: Section, values: dict[str, Any], *, defaults: str) -> list[str]:
    """Return the lines of a section; ``values`` are set, other keys begin with ``defaults``."""
    lines: list[str] = []
    for name, field in type(section).model_fields.items():
        key, value = field.alias or name, getattr(section, name)
        if lines:
            lines.append("")
        lines += _comment(field.description or "")
        if isinstance(value, Section):
            below = _section(value, values.get(key, {}), defaults=defaults)
            lines += [f"{key}:", *textwrap.indent("\n".join(below), "  ").split("\n")]
        elif values.get(key):
            lines += _set(key, values[key])
        else:
            # An empty list that was asked for is shown, so that it is filled in.
            mark = "" if key in values else defaults
            lines.append(f"{mark}{key}: {_plain(value, field)}")
    return lines


def _set(key: str, value: Any) -> list[str]:
    if isinstance(value, list):
        items = (f"  - {name}: {as_yaml(text)}" for item in value for name, text in item.items())
        return [f"{key}:", *items]
    return [f"{key}: {as_yaml(value)}"]


def _plain(value: Any, field: FieldInfo) -> str:
    if is_length(field):
        return as_length(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(as_yaml, value))}]"
    return as_yaml(value) if isinstance(value, str) else json.dumps(value)


def as_yaml(text: str) -> str:
    """Write text as YAML; quoted where it could be read as something else."""
    if re.fullmatch(r"[A-Za-z/][A-Za-z0-9_./:-]*[A-Za-z0-9_/]", text) and not re.fullmatch(
        "null|true|false", text, re.IGNORECASE
    ):
        return text
    quoted = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=math.inf)
    return str(quoted).strip()


def is_length(field: FieldInfo) -> bool:
    """Return whether a setting is a length of time."""
    return any(isinstance(m, BeforeValidator) and m.func is seconds for m in field.metadata)


def as_length(value: float) -> str:
    """Write a length of time as people do: ``10m``."""
    for unit, size in (("h", 3600), ("m", 60)):
        if value >= size and value % size == 0:
            return f"{value / size:g}{unit}"
    return f"{value:g}s"


def _comment(text: str) -> list[str]:
    lines: list[str] = []
    for paragraph in text.strip().split("\n\n"):
        lines += ["#"] if lines else []
        lines += textwrap.wrap(
            paragraph, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
        )
    return lines


if __name__ == "__main__":
    import sys

    sys.stdout.write(example())
