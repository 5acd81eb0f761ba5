"""Check the journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lyricsyncd import sqlite_files
from lyricsyncd.findings import Finding, failed, ok
from lyricsyncd.tags.journal import NAME


def journal(folder: Path) -> Iterator[Finding]:
    """Check that the journal of what was written is sound."""
    file = folder / NAME
    if not file.exists():
        yield ok("journal", "nothing was written yet")
    elif trouble := sqlite_files.quick_check(file) if file.stat().st_size else "the file is empty":
        yield failed(
            "journal",
            f"{file} is broken: {trouble}",
            "Nothing: it is repaired when the service starts, or writes",
        )
    else:
        yield ok("journal", f"{file} is whole: what was written can be undone")
