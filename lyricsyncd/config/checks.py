"""Check who can read the secrets of the configuration."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from lyricsyncd.config.reader import exposed_secrets
from lyricsyncd.findings import Finding, ok, warning


def secrets(file: Path | None) -> Iterator[Finding]:
    """Check that no other user of the computer can read keys and passwords."""
    exposed = exposed_secrets(file, os.environ)
    for holder in exposed:
        yield warning(
            "secrets",
            f"every user of this computer can read the secrets in {holder}",
            f"chmod o-r {shlex.quote(str(holder))} (the service's own user must still read it)",
        )
    if not exposed:
        yield ok("secrets", "no other user can read them")
