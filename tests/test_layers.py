"""The layers of packages: no import upwards, no circle, no SQL outside the catalog.

``docs/architecture.md`` shows the layers; the contracts are in ``pyproject.toml``.
"""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "lyricsyncd"
OWN_DATABASES = {
    "http/response_cache.py",
    "sqlite_files.py",
    "tags/journal.py",
    "tags/journal_file.py",
}
"""Modules with a database of their own: cached responses, the journal, and what repairs them."""

MODULES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
    for file in sorted(PACKAGE.rglob("*.py"))
}


@pytest.mark.parametrize("contract", ["layers", "placing", "circles"])
def test_the_contract_of_imports_is_kept(contract: str) -> None:
    pytest.importorskip("importlinter")
    program = "import sys; from importlinter.cli import lint_imports_command as run; run()"
    done = subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--no-logo", "--contract", contract],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_imports_itself_by_way_of_others() -> None:
    imports = {
        name: set(_imported(ast.parse(file.read_text("utf-8")))) for name, file in MODULES.items()
    }
    graphlib.TopologicalSorter(imports).prepare()  # raises with the circle


def test_sql_stands_in_the_catalog_only() -> None:
    with_sql = {
        str(file.relative_to(PACKAGE))
        for file in MODULES.values()
        if any(_queries(ast.parse(file.read_text("utf-8"))))
    }
    assert {name for name in with_sql if not name.startswith("catalog/")} <= OWN_DATABASES


def _imported(tree: ast.AST) -> Iterator[str]:
    """List the modules of ours that are imported when a module is; not those within functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lyricsyncd"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        yield from _imported(node)


def _queries(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.match(
                r"\s*(SELECT .* FROM|INSERT (OR \w+ )?INTO|UPDATE \w+ SET|DELETE FROM) ",
                node.value,
                re.DOTALL,
            )
        ):
            yield node.value
