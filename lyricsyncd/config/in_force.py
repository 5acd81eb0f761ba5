"""List the settings in force, each as a line of YAML, without a secret.

A secret is recognised by its type, wherever it stands. Settings of back ends from other packages
have no types of ours: of those the names are shown alone. User, password and query of an address
may be secrets, too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from lyricsyncd.config.schema import Config, Section
from lyricsyncd.config.secret import Secret
from lyricsyncd.config.template import as_length, is_length

HIDDEN = "(set, not shown)"
_CREDENTIALS = re.compile(r"(?<=://)[^/\s]*@|(?<=\?)\S+")
"""Of an address: all before the host, and the query."""
_FOREIGN = "plugins"
"""The section whose keys other packages define."""


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """A setting as it is used.

    Attributes
    ----------
    key : str
        Its path, such as ``web.listen``.
    value : str
        YAML on one line.
    changed : bool
        Whether it is another one than by default.
    """

    key: str
    value: str
    changed: bool


def settings_in_force(config: Config) -> list[SettingInForce]:
    """List all settings in the order of the example file."""
    return list(_settings(config, ""))


def _settings(section: Section, prefix: str) -> Iterator[SettingInForce]:
    for name, field in type(section).model_fields.items():
        key, value = prefix + (field.alias or name), getattr(section, name)
        if isinstance(value, Section):
            yield from _settings(value, f"{key}.")
            continue
        if key == _FOREIGN:
            text = _yaml({name: dict.fromkeys(given, HIDDEN) for name, given in value.items()})
        else:
            text = (
                as_length(value) if is_length(field) and value is not None else _yaml(_plain(value))
            )
        default = field.get_default(call_default_factory=True)
        yield SettingInForce(key, text, value != default)


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return HIDDEN if value.file is None else {"file": str(value.file)}
    if isinstance(value, Section):
        fields = type(value).model_fields
        given = (
            (fields[name].alias or name, getattr(value, name)) for name in value.model_fields_set
        )
        return {key: _plain(each) for key, each in given}
    if isinstance(value, Mapping):
        return {_plain(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _CREDENTIALS.sub(_hide, str(value))


def _hide(match: re.Match[str]) -> str:
    return "…@" if match[0].endswith("@") else "…"


def _yaml(value: Any) -> str:
    text: str = yaml.safe_dump(
        value, default_flow_style=True, width=math.inf, allow_unicode=True, sort_keys=False
    )
    return text.strip().removesuffix("...").strip()
