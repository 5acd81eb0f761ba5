"""Names and docstrings use the terms of ``docs/glossary.md``, and none that these replaced."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "lyricsyncd"

IN_NAMES = frozenset(
    "ear ears hear heard hears told tell voter voters votes rival rivals manners neighbours house"
    " hushed hush eased intake onward patience asked sealed strangers".split()
)
IN_DOCSTRINGS = re.compile(
    r"\b(ears?|told|somebody|whoever|anybody|voters?|rivals?|neighbours|hushed|eased|manners"
    r"|the way (in|back))\b",
    re.IGNORECASE,
)
IN_TEXTS = re.compile(IN_DOCSTRINGS.pattern + r"|\bheard\b|\bleaves? the house\b", re.IGNORECASE)
TEXTS = sorted(
    file
    for pattern in (
        *("*.md", "docs/*.md", "*.example.yaml", "systemd/**/*.service", "examples/**/*.md"),
        *("plugins/*/*.md", "plugins/*/*.json", "plugins/*/assembly/*.ts", "pyproject.toml"),
    )
    for file in ROOT.glob(pattern)
)
"""Files that users and contributors read."""
OTHER_CODE = ("tests", "benchmarks", "plugins", "demo", "examples")
ONLY_IN_PACKAGE = frozenset("asked tell hear votes strangers".split())
"""Words that tests need: the requests that a service was sent, the position in a file."""
NO_VERB = re.compile(r"(What|Whether|How|Where|Who|Tell)\b")
"""First words of docstrings that are not the verb which says what the function does."""
A_VALUE = re.compile(r"(The|An?|Of|Those|These|That|All|As)\b")
"""First words of docstrings that describe a value, as those of properties do, and no action."""
KEPT = {"transfer.py: heard"}
"""Earlier names that scripts may use."""


def parts(name: str) -> set[str]:
    return {part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def docstrings(tree: ast.AST) -> Iterator[str]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, kinds):
            yield ast.get_docstring(node) or ""


def of_actions(tree: ast.AST) -> Iterator[str]:
    """Yield the docstrings of functions that are no properties."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not any(
            "property" in ast.unparse(each) for each in node.decorator_list
        ):
            yield ast.get_docstring(node) or ""


def found(place: Path) -> list[str]:
    """List the old words in a module, or in all modules of a package."""
    words = []
    for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        words += [f"{file.name}: {name}" for name in names(tree) if parts(name) & IN_NAMES]
        for text in docstrings(tree):
            words += [f"{file.name}: …{m[0]}…" for m in IN_DOCSTRINGS.finditer(text)]
            words += [f"{file.name}: {m[0]} …" for m in [NO_VERB.match(text)] if m]
        for text in of_actions(tree):
            words += [f"{file.name}: {m[0]} …" for m in [A_VALUE.match(text)] if m]
    return [word for word in words if word not in KEPT]


PLACES = sorted(
    place
    for place in PACKAGE.iterdir()
    if place.suffix == ".py" or (place.is_dir() and place.name != "__pycache__")
)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.stem)
def test_the_old_words_do_not_come_back(place: Path) -> None:
    assert found(place) == []


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_texts_do_not_have_them_either(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert [m[0] for m in IN_TEXTS.finditer(text)] == []


@pytest.mark.parametrize("folder", OTHER_CODE)
def test_nor_do_tests_benchmarks_and_plugins(folder: str) -> None:
    words = []
    for file in sorted((ROOT / folder).rglob("*.py")):
        if "node_modules" in file.parts or file == Path(__file__):
            continue
        old = IN_NAMES - ONLY_IN_PACKAGE
        tree = ast.parse(file.read_text(encoding="utf-8"))
        words += [f"{file.name}: {name}" for name in names(tree) if parts(name) & old]
        for text in docstrings(tree):
            words += [f"{file.name}: …{m[0]}…" for m in IN_DOCSTRINGS.finditer(text)]
    assert words == []
