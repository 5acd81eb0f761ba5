"""Read YAML as plain data, together with the line of each value.

It is YAML 1.2's core schema, not PyYAML's 1.1: ``no`` is Norwegian, not false, and ``22:30`` is
not a number. Keys that stand twice, tags, and anything that is not text, a number, true, false,
null, a list or a mapping are errors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

Path = tuple["str | int", ...]
"""Keys and list positions from the top down to a value."""


class YamlError(ValueError):
    """The text is not such YAML; ``line`` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Parsed:
    """Content of a text: ``None`` when it is empty."""

    data: Any
    lines: dict[Path, int]
    """The line of each key and of each list item."""


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(0|[1-9][0-9]*)", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+0123456789."),
    ),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first
    )


def parse(content: bytes) -> Parsed:
    """Read one YAML document.

    Raises
    ------
    YamlError
        With the line, and without a word of the content: it may hold secrets.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise YamlError("this is not UTF-8 text", line) from None
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        lines: dict[Path, int] = {}
        data = None if node is None else _plain(loader, node, (), lines, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise YamlError(_problem(error, text, line), line) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise YamlError("there is a control character, which YAML forbids", line) from None
    except RecursionError:
        raise YamlError("this is nested too deeply", 1) from None
    finally:
        if loader is not None:
            loader.dispose()
    return Parsed(data, lines)


def compose(text: str) -> yaml.Node | None:
    """Return the node of a document that `parse` accepts; its marks say where values stand."""
    node: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    return node


def _problem(error: yaml.MarkedYAMLError, text: str, line: int) -> str:
    content = text.splitlines()
    if line <= len(content) and re.match(r"\s*\t", content[line - 1]):
        return "there is a tab, where YAML wants spaces"
    return error.problem or "this is not YAML"


def _plain(
    loader: _Loader, node: yaml.Node, at: Path, lines: dict[Path, int], around: tuple[int, ...]
) -> Any:
    """Return the data of a node; ``around`` are the nodes that contain it."""
    line = node.start_mark.line + 1
    if id(node) in around:
        raise YamlError("this holds itself", line)
    around = (*around, id(node))
    if isinstance(node, yaml.SequenceNode):
        _expect(node, "seq")
        items = []
        for index, child in enumerate(node.value):
            here = (*at, index)
            lines[here] = child.start_mark.line + 1
            items.append(_plain(loader, child, here, lines, around))
        return items
    if isinstance(node, yaml.MappingNode):
        _expect(node, "map")
        found: dict[str, Any] = {}
        for key_node, child in node.value:
            key, key_line = key_node.value, key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise YamlError("a key must be a word", key_line)
            here = (*at, key)
            if key in found:
                first = lines[here]
                raise YamlError(f"the key '{key}' stands twice, first on line {first}", key_line)
            lines[here] = key_line
            found[key] = _plain(loader, child, here, lines, around)
        return found
    _expect(node, "null", "bool", "int", "float", "str")
    return loader.construct_object(node)


def _expect(node: yaml.Node, *kinds: str) -> None:
    if node.tag.rpartition(":")[2] not in kinds:
        raise YamlError(f"the tag '{node.tag}' means nothing here", node.start_mark.line + 1)
