"""Explain what is wrong with settings: by key and line, with what was expected and a remedy.

The value of a secret is never shown.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lyricsyncd.config.keys import Key, is_secret, keys, names
from lyricsyncd.config.schema import Section
from lyricsyncd.config.secret import Secret
from lyricsyncd.config.setting_types import UnknownName
from lyricsyncd.errors import ConfigError

ALL_KEYS = "`lyricsyncd init --dry-run` shows all keys"


def explained(error: ValidationError, origins: Mapping[Key, str], path: Path | None) -> ConfigError:
    """Make an error of the first problem, in the order of the file."""
    problems = [_problem(detail, origins, path) for detail in error.errors(include_url=False)]
    problems.sort(key=lambda problem: problem[0])
    _, message, remedy = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return ConfigError(message + more, remedy=remedy)


def _problem(detail: Any, origins: Mapping[Key, str], path: Path | None) -> tuple[int, str, str]:
    """Return the line, the message and the remedy for a problem."""
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
        return order, message, nearest(str(key[-1]), names(section))
    if detail["type"] == "missing":
        return order, f"{origin}: {_dotted(key[:-1])} needs the key '{key[-1]}'", ALL_KEYS
    expected, remedy = _expected(detail)
    section_as_such = detail["type"] == "value_error" and isinstance(detail["input"], dict)
    instead = "" if section_as_such else _instead(detail["input"], key)
    return order, f"{origin}: {name}: {expected}{instead}", remedy


def _expected(detail: Any) -> tuple[str, str]:
    """Return what was expected of a value, and the remedy."""
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind == "value_error" and isinstance(context["error"], UnknownName):
        return str(context["error"]), nearest(str(value), context["error"].known, "Correct it")
    if kind == "value_error":
        return str(context["error"]), "Correct it"
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        return f"expected {context['expected']}", nearest(str(value), choices, "Correct it")
    if kind == "union_tag_not_found":
        return "expected {preset: NAME} or a list of {format, to, name}", ALL_KEYS
    plain = {
        "string_type": ("expected text", "Put it in quotes"),
        "string_too_short": ("expected text", ALL_KEYS),
        "float_type": ("expected a number", "Correct it"),
        "float_parsing": ("expected a number", "Correct it"),
        "path_type": ("expected a path", "Correct it"),
        "tuple_type": ("expected a list, such as [a, b]", ALL_KEYS),
        "model_type": ("expected keys with values", ALL_KEYS),
        "greater_than": (f"expected more than {_limit(context.get('gt'))}", "Correct it"),
        "greater_than_equal": (f"expected at least {_limit(context.get('ge'))}", "Correct it"),
        "less_than_equal": (f"expected at most {_limit(context.get('le'))}", "Correct it"),
    }
    return plain.get(kind, (detail["msg"].lower(), "Correct it"))


def _limit(value: object) -> object:
    """Give a limit as a person writes it; some versions of pydantic make 1.0 of 1."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _instead(value: object, key: Key) -> str:
    if is_secret(key) or isinstance(value, (Section, Secret)):
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


def nearest(name: str, known: Iterable[str], otherwise: str = ALL_KEYS) -> str:
    """Return a remedy that suggests the most similar known name, if there is one."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean '{near[0]}'?" if near else otherwise
