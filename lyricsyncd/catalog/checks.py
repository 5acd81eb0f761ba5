"""Check the catalog, and what it says about the service."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from lyricsyncd import sqlite_files
from lyricsyncd.catalog import mounts
from lyricsyncd.catalog.catalog import FILE_NAME
from lyricsyncd.catalog.queries import noted_languages, noted_settings_error
from lyricsyncd.config import container, private
from lyricsyncd.config.paths import read_only, user_name
from lyricsyncd.findings import Finding, failed, ok, warning


def state(folder: Path, *, in_use: bool) -> Iterator[Finding]:
    """Check that the catalog can be written, and is sound.

    Parameters
    ----------
    in_use : bool
        Whether a service works with it.
    """
    existing = next(each for each in (folder, *folder.parents) if each.exists())
    kind = mounts.filesystem(folder)
    if mounts.on_network(kind):
        yield failed(
            "catalog",
            f"{folder} is on a network mount ({kind}), where the catalog breaks",
            "Set STATE_DIRECTORY or XDG_STATE_HOME to a folder on a local disk",
        )
        return
    if not os.access(existing, os.W_OK | os.X_OK) or read_only(existing):
        own = f"Give it to user {user_name()}"
        if container.inside():
            own = container.rights_remedy(existing)
        yield failed("catalog", f"{existing} cannot be written to", own)
        return
    if container.inside() and container.unmounted(existing):
        # The volume is the outermost of our folders: /config of /config/state.
        yield warning(
            "catalog",
            f"{folder} is in the container itself: what the service knows is lost with it",
            container.mount_remedy(Path(*folder.parts[:2])),
        )
    file = folder / FILE_NAME
    if not file.exists():
        yield ok("catalog", f"there is none yet; it comes to lie in {folder}")
        return
    trouble = sqlite_files.quick_check(file)
    if trouble:
        yield failed(
            "catalog",
            f"{file} is broken: {trouble}",
            "Start the service again: it goes back to its last copy",
        )
        return
    if opened := private.open_files(folder):
        yield warning(
            "catalog",
            f"other users may read {', '.join(path.name for path in opened)} in {folder}",
            "Start the service again: it closes what belongs to its user",
        )
    service = "a service is at work on it" if in_use else "no service is at work on it"
    yield ok("catalog", f"{file} is whole; {service}")


def settings(folder: Path, *, in_use: bool) -> Iterator[Finding]:
    """Report an error of the settings for which the service takes up no song."""
    file = folder / FILE_NAME
    if not file.exists():
        return
    try:
        error = noted_settings_error(file)
    except (sqlite3.Error, UnicodeDecodeError):
        # `state` reports what is wrong with the catalog.
        return
    if not error:
        return
    if in_use:
        yield failed(
            "settings",
            f"no song is taken up: {error}",
            "Change the configuration, and reload or restart the service: its songs resume",
        )
    else:
        yield warning(
            "settings",
            f"when it last ran, the service took up no song: {error}",
            "Change the configuration if that is still so; the next start tries again",
        )


def languages(folder: Path) -> frozenset[str]:
    """Return the languages of the songs in the catalog; none where it cannot be read."""
    file = folder / FILE_NAME
    try:
        return noted_languages(file) if file.exists() else frozenset()
    except (sqlite3.Error, UnicodeDecodeError):
        # `state` reports what is wrong with the catalog.
        return frozenset()


def repairs(folder: Path) -> Iterator[Finding]:
    """Report the files that were repaired."""
    for repair in sqlite_files.last_repairs(folder):
        at = time.strftime("%Y-%m-%d %H:%M", time.localtime(repair.at))
        yield warning(
            "repairs",
            f"{at}: {repair.text}",
            f"Delete {repair.report} when you have seen this, and {repair.kept} with it",
        )
