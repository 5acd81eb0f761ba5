"""Translate paths between programs and computers that have the same folders under other names."""

from __future__ import annotations

from collections.abc import Mapping


def translated(path: str, path_map: Mapping[str, str]) -> str:
    """Replace the longest folder of a map that a path is, or is in; without one it stays."""
    for folder in sorted(path_map, key=len, reverse=True):
        stem = folder.rstrip("/")
        if path == folder or path.startswith(stem + "/"):
            return path_map[folder].rstrip("/") + path[len(stem) :].rstrip("/") or "/"
    return path
