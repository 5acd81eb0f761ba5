"""The folders of the configured libraries: which of them are the same, are there, or are in use."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from lyricsyncd.config.paths import present
from lyricsyncd.config.schema import Library
from lyricsyncd.library.rules import Identity, Rules, identity


def libraries_of(configured: Iterable[Library]) -> list[Rules]:
    """Return the rules of the configured libraries.

    A folder that is configured twice, by a link or a second mount, is one library, under the path
    that comes first; a library within another has songs of its own.
    """
    found: dict[Identity | Path, Rules] = {}
    for library in configured:
        rules = Rules.of(library)
        found.setdefault(identity(rules.root) or rules.root, rules)
    roots = frozenset(key for key in found if isinstance(key, tuple))
    return [dataclasses.replace(rules, others=roots - {key}) for key, rules in found.items()]


def named_twice(configured: Iterable[Library]) -> list[tuple[Path, Path]]:
    """List the libraries left out because another is the same folder: each with that other."""
    first: dict[Identity, Path] = {}
    twice = []
    for library in configured:
        root = Rules.of(library).root
        folder = identity(root)
        if folder is not None and first.setdefault(folder, root) != root:
            twice.append((root, first[folder]))
    return twice


def library_of(path: Path, libraries: Sequence[Rules]) -> tuple[Rules, Path] | None:
    """Return the innermost library that contains a path, and the path as that library shows it."""
    by_root = {rules.root: rules for rules in libraries}
    by_identity = {identity(rules.root): rules for rules in libraries}
    for folder in (path, *path.parents):
        rules = by_root.get(folder)
        if rules is None and (which := identity(folder)) is not None:
            # A link within one library may lead into another, which the songs belong to.
            rules = by_identity.get(which)
        if rules is not None:
            return rules, rules.root / path.relative_to(folder)
    return None


def offline(root: Path) -> bool:
    """Check whether a library's folder is missing or empty, as that of an unmounted disk is."""
    try:
        with os.scandir(root) as listing:
            return next(listing, None) is None
    except OSError:
        return True


def obstacles(roots: Sequence[Path]) -> list[str]:
    """List the reasons for which libraries cannot be watched, with remedies, to be logged.

    A service that waited without a message would seem to work.
    """
    if not roots:
        return [
            "no library is configured, so nothing is watched: choose a folder on the page (/ui/),"
            " or run `lyricsyncd init --library DIR`"
        ]
    return [found for root in roots if (found := _obstacle(root))]


def _obstacle(root: Path) -> str:
    if not present(root):
        return (
            f"the library {root} is not there, its songs wait: mount it, or correct `libraries` in"
            " the configuration"
        )
    if not root.is_dir():
        return f"the library {root} is not a folder: correct `libraries` in the configuration"
    if not os.access(root, os.R_OK | os.X_OK):
        return f"the library {root} cannot be read: give the service's user the right to"
    if offline(root):
        return f"the library {root} is empty, its songs wait: mount it, or put music there"
    return ""
