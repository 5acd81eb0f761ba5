"""Report the checks that are quick and touch nothing, for the page."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lyricsyncd.catalog.catalog import Catalog
from lyricsyncd.config import paths
from lyricsyncd.errors import LyricsyncError
from lyricsyncd.findings import Finding, failed, ok, warning

if TYPE_CHECKING:
    from lyricsyncd.config.schema import Config

LOW_DISK = 500 * 2**20
"""Free bytes below which there is too little room for the catalog and the models."""


def findings(config: Config, catalog: Catalog) -> list[Finding]:
    """Run the checks of the doctor that take no time, open no song and ask no network."""
    folder = catalog.path.parent
    return [each for topic, check in _checks(config, catalog) for each in _run(topic, check)] + [
        *_disk(folder)
    ]


Check = Callable[[], Iterator[Finding]]


def _checks(config: Config, catalog: Catalog) -> list[tuple[str, Check]]:
    from lyricsyncd.catalog import checks as catalog_checks
    from lyricsyncd.library import checks as library_checks
    from lyricsyncd.models import checks as model_checks
    from lyricsyncd.tags import checks as tag_checks
    from lyricsyncd.work.policy import writes_sidecars

    folder = catalog.path.parent

    def settings() -> Iterator[Finding]:
        error = catalog.settings_error
        if error is not None:
            yield failed("settings", error, "Correct the configuration")

    return [
        (
            "library",
            lambda: library_checks.libraries(config, sidecars=writes_sidecars(config)),
        ),
        ("inotify", lambda: library_checks.watches(config)),
        ("settings", settings),
        ("journal", lambda: tag_checks.journal(folder)),
        ("repairs", lambda: catalog_checks.repairs(folder)),
        ("models", lambda: model_checks.models(config)),
    ]


def _run(topic: str, check: Check) -> Iterator[Finding]:
    try:
        yield from check()
    except (LyricsyncError, OSError) as error:
        yield failed(topic, str(error), "Run `lyricsyncd doctor`")


def _disk(*folders: object) -> Iterator[Finding]:
    for folder in (*folders, paths.cache_dir()):
        try:
            free = shutil.disk_usage(str(folder)).free
        except OSError:
            continue
        text = f"{free / 2**30:.1f} GB are free in {folder}"
        yield ok("disk", text) if free >= LOW_DISK else warning("disk", text, "Make room")
